"""Every command is thin over one public function: both give the same values."""

import json
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import pytest
from bundles import LABELS, PEOPLE_SPEC, make_bundle, make_people_bundle
from click.testing import CliRunner
from coded import make_scores
from puppet import iter_times, make_film, paint_moment, paint_people
from stores import make_clips
from videos import make_clip

import har
from har.api.review import open_project
from har.bundle import load_info, save_info
from har.cli import har as command_line
from har.errors import ReviewError
from har.events.files import save_scores

TINY = """
[input]
n_steps = 6
[cnn.fit]
epochs = 1
[temporal]
units = 4
[temporal.fit]
epochs = 1
[system.fit]
epochs = 1
[advanced.cnn]
steps_per_clip = 4
[advanced.temporal]
n_variants = 1
"""
FROZEN = """
[input]
n_steps = 6
motion_crop = 1
[cnn]
backbone = "tiny"
downsample = 1
[temporal]
units = 4
[temporal.fit]
epochs = 1
[advanced.temporal]
n_variants = 1
"""
TIMINGS = {"wall_s", "ms", "bundle_ms", "paths", "out", "n_cut", "n_reused", "manifest", "sheet"}
"""What differs from run to run, or from folder to folder."""


def run(*words):
    result = CliRunner().invoke(command_line, list(map(str, words)), catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def strip(value):
    """Return JSON without what differs from run to run."""
    if isinstance(value, dict):
        return {name: strip(item) for name, item in value.items() if name not in TIMINGS}
    return [strip(item) for item in value] if isinstance(value, list) else value


def as_json(value):
    return strip(json.loads(json.dumps(value.to_json())))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A model, videos, scores with their coding."""
    folder = tmp_path_factory.mktemp("files")
    make_bundle(folder / "bundle")
    make_clip(folder / "videos" / "a.mp4", n_frames=50)
    make_clip(folder / "videos" / "b.mp4", n_frames=30)
    rows = ["video,label,onset_s,offset_s"]
    for stem in "abc":
        scores = make_scores(1800, [(10, 14, 0.7), (100, 101, 0.7)])
        save_scores(folder / "scores" / f"{stem}.scores.csv", scores)
        rows.append(f"{stem}.mp4,hit,10,14")
    (folder / "truth.csv").write_text("\n".join(rows))
    (folder / "events.csv").write_text("video,start_s,end_s,label\na.mp4,10,14,hit\n")
    return folder


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    make_clips(folder / "data")
    return har.prepare(folder / "data", folder / "store", size=(64, 96), folds=3, jobs=1)


def write(path, text):
    """Write a recipe as a command takes it."""
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def model(store, tmp_path_factory):
    """A trained one; its settings are a mapping."""
    folder = tmp_path_factory.mktemp("model")
    return har.train(
        store,
        recipe="tiny",
        streams="motion",
        config=tomllib.loads(TINY),
        out=folder / "model",
        results=folder / "results",
        progress=False,
    )


def test_predict(files, tmp_path):
    words = ("predict", files / "videos", "--bundle", files / "bundle", "--set", "onset=0.5")
    said = run(*words, "--out", tmp_path / "command", "--jobs", 1, "--json")
    found = har.predict(
        files / "videos",
        model=files / "bundle",
        changes={"onset": 0.5},
        out=tmp_path / "function",
        jobs=1,
    )
    assert strip(said) == as_json(found)
    assert [result.error for result in found.results] == ["", ""]
    for path in (tmp_path / "function").iterdir():
        other = tmp_path / "command" / path.name
        if path.suffix in (".csv", ".vtt", ".png"):
            assert other.read_bytes() == path.read_bytes(), path.name
        assert other.is_file()


def test_a_stream_by_itself_by_all_ways(tmp_path):
    both = make_people_bundle(tmp_path / "both", "both")
    save_info(both, replace(load_info(both), alone={"motion": 30.0}))
    motion = make_bundle(tmp_path / "motion", spec=PEOPLE_SPEC, labels=LABELS)
    save_info(motion, replace(load_info(motion), temperature=30.0))
    film = make_clip(tmp_path / "a.mp4", n_frames=30)
    alone = har.load(motion).predict(film).probs
    assert har.load(both, streams="motion").predict(film).probs == alone
    words = ("predict", film, "--bundle", both, "--out", tmp_path / "out", "--json", "--jobs", 1)
    assert run(*words)[0]["probs"] != pytest.approx(alone, abs=1e-3)
    motion_only = run(*words, "--streams", "motion")  # nothing is taken from the run before
    assert motion_only[0]["probs"] == pytest.approx(alone, abs=1e-3)


def test_a_name_that_is_no_file_is_in_no_table(files, tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    sources = [files / "videos" / "a.mp4", tmp_path / "broken.mp4", tmp_path / "slip.mp4"]
    with pytest.warns(UserWarning, match="Left out"):
        found = har.predict(sources, model=files / "bundle", out=tmp_path / "out", jobs=1)
    assert sum(bool(result.error) for result in found.results) == 2
    kept = [
        Path(item["video"]).name for item in json.loads((tmp_path / "out/results.json").read_text())
    ]
    assert sorted(kept) == ["a.mp4", "broken.mp4"]


def test_a_saved_result_is_what_predict_writes(files, tmp_path):
    run(
        "predict", files / "videos", "--bundle", files / "bundle", "--out", tmp_path / "a", "--json"
    )
    for result in har.load(files / "bundle").predict_all(files / "videos"):
        result.save(tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").glob("[!.]*"))
    assert sorted(path.name for path in (tmp_path / "b").glob("[!.]*")) == names
    for name in names:
        if not name.endswith(".json"):
            assert (tmp_path / "b" / name).read_bytes() == (tmp_path / "a" / name).read_bytes()
    ours, theirs = (json.loads((tmp_path / x / "results.json").read_text()) for x in "ba")
    assert strip(ours) == strip(theirs)


def test_events(files, tmp_path):
    words = ("events", files / "scores", "--set", "hit.onset=0.65", "--out", tmp_path / "a")
    said = run(*words, "--json")
    found = har.recut(files / "scores", changes={"hit.onset": 0.65}, out=tmp_path / "b")
    assert strip(said) == as_json(found)
    assert (tmp_path / "a" / "events.csv").read_text() == (tmp_path / "b/events.csv").read_text()


def test_tune(files, tmp_path):
    words = ("tune", files / "scores", "--truth", files / "truth.csv", "--out", tmp_path / "a.json")
    said = run(*words, "--false-alarms-per-hour", 1, "--json")
    found = har.tune(
        files / "scores", files / "truth.csv", false_alarms_per_hour=1, out=tmp_path / "b.json"
    )
    assert strip(said) == as_json(found)
    assert (tmp_path / "a.json").read_text() == (tmp_path / "b.json").read_text()
    again = har.recut(files / "scores", decode=tmp_path / "b.json")
    assert [len(video.events) for video in again.videos] == [1, 1, 1]


def test_score_events(files, tmp_path):
    pair = (files / "events.csv", files / "truth.csv")
    words = ("score-events", *pair, "--scores", files / "scores", "--out", tmp_path / "a")
    found = har.score_events(*pair, scores=files / "scores", out=tmp_path / "b")
    assert strip(run(*words, "--json")) == as_json(found)
    assert (tmp_path / "b" / "report.html").is_file()


def test_agree(files, tmp_path):
    pair = (files / "events.csv", files / "truth.csv")
    said = run("agree", *pair, "--interval", 5, "--out", tmp_path / "a", "--json")
    found = har.agree(*pair, interval_s=5.0, out=tmp_path / "b")
    assert strip(said) == as_json(found)
    for name in ("metrics.json", "agreement.csv", "budgets.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_compare(files, tmp_path):
    for name in "ab":
        har.score_events(files / "events.csv", files / "truth.csv", out=tmp_path / name)
    pair = (tmp_path / "a", tmp_path / "b")
    said = run("compare", *pair, "--out", tmp_path / "c", "--json")
    assert strip(said) == as_json(har.compare(*pair, out=tmp_path / "d"))
    assert (tmp_path / "c/groups.csv").read_bytes() == (tmp_path / "d/groups.csv").read_bytes()


def test_watch(files, tmp_path):
    words = ("watch", files / "videos" / "a.mp4", "--bundle", files / "bundle")
    result = CliRunner().invoke(
        command_line, [*map(str, words), "--out", str(tmp_path), "--json"], catch_exceptions=False
    )
    said = json.loads(result.stdout.splitlines()[-1])
    events, states = [], []
    summary = har.watch(
        files / "videos" / "a.mp4",
        model=files / "bundle",
        on_event=events.append,
        on_state=states.append,
    )
    assert said["cameras"][0]["camera"] == summary.to_json()["cameras"][0]["camera"] == "a"
    assert said["cameras"][0]["events"] == summary.to_json()["cameras"][0]["events"]
    assert states[-1].state == "ended"
    n_over = sum(not event.is_open for event in events)
    assert n_over == sum(said["cameras"][0]["events"].values())


def test_synth(tmp_path):
    words = ("synth", tmp_path / "a", "--clips", 3, "--scenes", 1, "--variety", 0, "--jobs", 1)
    made = har.synthesize(tmp_path / "b", clips=3, scenes=1, variety=0, jobs=1)
    assert strip(run(*words, "--json")) == as_json(made)
    assert (tmp_path / "a/manifest.csv").read_bytes() == (tmp_path / "b/manifest.csv").read_bytes()


def test_prepare(store, tmp_path):
    source = store.clips[0].path.parents[1]
    words = ("prepare", source, "--store", tmp_path, "--size", "64x96", "--folds", 3, "--jobs", 1)
    assert strip(run(*words, "--json")) == as_json(store)
    assert har.Store.load(tmp_path).data_hash == store.data_hash


@pytest.mark.slow
def test_train(store, model, tmp_path):
    words = ("train", "all", "--store", store.path, "--recipe", "tiny", "--streams", "motion")
    folders = ("--out", tmp_path / "model", "--results", tmp_path / "results")
    said = run(*words, *folders, "--config", write(tmp_path / "r.toml", TINY), "--json")
    assert said["labels"] == list(model.labels)
    assert said["metrics"] == json.loads(json.dumps(model.info.metrics))


def test_evaluate(store, model, tmp_path):
    words = ("evaluate", model.path, "--store", store.path, "--results", tmp_path / "a", "--json")
    report = model.evaluate(store.path)
    assert strip(run(*words)) == as_json(report)
    page = report.save(tmp_path / "b")
    ours = page.read_text().replace(str(tmp_path / "b"), str(tmp_path / "a"))
    assert ours == (tmp_path / "a" / "report.html").read_text()
    assert har.compare(tmp_path / "a", tmp_path / "b").figures["accuracy"].difference.mean == 0.0
    shown = report._repr_html_()
    assert "Accuracy" in shown
    assert "<html" not in shown


@pytest.mark.slow
def test_crossval(store, tmp_path):
    recipe = write(tmp_path / "recipe.toml", FROZEN)
    words = ("crossval", "--store", store.path, "--streams", "motion")
    said = run(
        *(*words, "--folds", 2, "--seeds", 1, "--config", recipe),
        *("--results", tmp_path / "a", "--json"),
    )
    report = har.crossvalidate(
        store,
        streams="motion",
        folds=2,
        seeds=1,
        config=recipe,
        results=tmp_path / "b",
        progress=False,
    )
    assert strip(said) == as_json(report)
    assert (tmp_path / "b" / "grouped.json").is_file()
    gap = har.compare(tmp_path / "a", tmp_path / "b" / "grouped.json").figures["accuracy"]
    assert gap.first == gap.second == report.intervals["accuracy"].mean
    assert "Cross-validation" in (tmp_path / "b" / "report.html").read_text()


def test_export(model, tmp_path):
    said = run("export", model.path, "--out", tmp_path / "a", "--json")
    done = har.export_model(model, out=tmp_path / "b")
    assert strip(said) == as_json(done)
    assert har.load(tmp_path / "b").labels == model.labels


@pytest.mark.slow
def test_record(tmp_path):
    pictures = [
        paint_moment(time_s) if time_s > 25 else paint_people(()) for time_s in iter_times(31)
    ]
    film = make_film(tmp_path / "film.mp4", pictures)
    words = ("record", tmp_path / "a", "--source", film, "--person", "p5", "--ready", 1, "--json")
    done = har.record(tmp_path / "b", film, person="p5", ready_s=1)
    assert strip(run(*words)) == as_json(done)
    with pytest.raises(har.ConfigError, match="guide"):
        har.record(tmp_path / "c")


def test_review(files, tmp_path):
    run(
        "predict",
        files / "videos",
        "--bundle",
        files / "bundle",
        "--out",
        tmp_path / "out",
        "--json",
    )
    words = [sys.executable, "-m", "har", "review", str(tmp_path / "out"), "--samples", "1"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            address = next(line for line in process.stderr if line.startswith("Review: "))
            browser = build_opener(HTTPCookieProcessor())  # the first page gives a cookie
            with browser.open(address.removeprefix("Review: ").strip(), timeout=30) as page:
                assert "har review" in page.read().decode()
        finally:
            process.terminate()
            process.communicate(timeout=30)
    project = open_project(tmp_path / "out", samples=1)
    assert [Path(item.path).name for item in project.store.list_recordings()] == ["a.mp4", "b.mp4"]
    project.store.close()
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ReviewError, match=r"Nothing to review: .* holds no video, nor"):
        open_project(empty)
    (empty / "results.json").write_text("[]")
    with pytest.raises(ReviewError, match="run 'har predict VIDEOS --out"):
        open_project(empty)
    with pytest.raises(ReviewError, match="There is no video"):
        open_project(tmp_path / "typo")


def test_bundle(files, tmp_path):
    bundle = files / "bundle"
    said = run("bundle", "pack", bundle, "--out", tmp_path / "a.zip", "--json")
    packed = har.pack_model(bundle, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == packed.read_bytes()
    assert said["n_bytes"] == packed.stat().st_size
    said = run("bundle", "unpack", packed, "--out", tmp_path / "b", "--json")
    assert said["labels"] == list(har.unpack_model(packed, tmp_path / "c").labels)
    assert run("bundle", "verify", packed, "--json") == har.verify_model(packed).to_json()
    (tmp_path / "b" / "temporal.onnx").unlink()
    words = ["bundle", "verify", str(tmp_path / "b")]
    done = CliRunner().invoke(command_line, words)
    assert (done.exit_code, "has no temporal.onnx" in done.stderr) == (1, True)
    printed = CliRunner().invoke(command_line, ["bundle", "card", str(bundle), "--license", "mit"])
    assert printed.stdout == har.describe_model(bundle, license="mit")


def test_each_command_has_its_test():
    tested = {name.removeprefix("test_").replace("_", "-") for name in globals()}
    assert set(command_line.commands) - tested == {"demo", "serve"}  # see tests/integration


def test_convert(files, tmp_path):
    said = run("convert", files / "truth.csv", tmp_path / "a.tsv", "--map", "hit=blow", "--json")
    found = har.convert(files / "truth.csv", tmp_path / "b.tsv", renames={"hit": "blow"})
    assert said | {"path": ""} == found.to_json() | {"path": ""}
    assert (tmp_path / "a.tsv").read_text() == (tmp_path / "b.tsv").read_text()


def test_predict_writes_a_format_of_another_tool(files, tmp_path):
    words = ("predict", files / "videos", "--bundle", files / "bundle")
    run(
        *words,
        "--set",
        "onset=0",
        "--set",
        "offset=0",
        "--out",
        tmp_path / "out",
        "--to",
        "tsv",
        "--json",
    )
    table = har.read_events(tmp_path / "out" / "found.tsv")
    found = har.predict(
        files / "videos",
        model=files / "bundle",
        changes={"onset": 0.0, "offset": 0.0},
        out=tmp_path / "other",
        jobs=1,
    )
    har.write_events(found, tmp_path / "again.tsv")
    assert har.read_events(tmp_path / "again.tsv").events == table.events
    assert {event.annotator for event in table.events} == {"bundle"}
    assert len(table.events) == sum(len(result.events) for result in found.results) > 0


def test_forget(files, tmp_path):
    for name in ("command", "function"):
        har.predict(files / "videos", model=files / "bundle", out=tmp_path / name / "out", jobs=1)
    said = run("forget", tmp_path / "command", "--video", "a.mp4", "--json")
    found = har.forget(tmp_path / "function", video="a.mp4").to_json()
    text = json.dumps(said).replace(str(tmp_path / "command"), str(tmp_path / "function"))
    assert json.loads(text) == found
    assert found["removed"]
