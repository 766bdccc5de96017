"""Many videos: all at once, past broken ones, going on where a run stopped."""

import json
import os
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle, make_people_bundle
from videos import (
    make_audio_only,
    make_clip,
    make_empty_file,
    make_not_a_video,
    make_truncated_mp4,
)
from writes import kill_at, write_label

from har.bundle import CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE, load_info, save_info
from har.config import DecodeConfig, Engine, PredictConfig
from har.dataset.catalog import Reject
from har.errors import BundleNotFoundError, ConfigError, OutputError, VideoWriteError
from har.events.files import load_scores
from har.inference.folder import (
    Finished,
    Plan,
    SharedProgress,
    Standing,
    VideoJob,
    recognize_folder,
    share_progress,
)
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.result import VideoResult
from har.video.file.reader import open_video
from har.video.file.writer import open_writer

ALONE = PredictConfig(jobs=1)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "bundle", decode=DecodeConfig(background="still"))


def _make_jobs(paths: Sequence[Path], out: Path) -> list[VideoJob]:
    return [VideoJob(path, out / path.stem) for path in paths]


def _run(plan: Plan, jobs: Sequence[VideoJob], **options: bool) -> dict[str, Finished]:
    return {item.job.path.name: item for item in recognize_folder(plan, jobs, **options)}


def _check_same(one: object, other: object) -> None:
    assert isinstance(one, VideoResult)
    assert isinstance(other, VideoResult)
    assert np.array_equal(one.scores.values, other.scores.values)
    assert np.array_equal(one.scores.times_s, other.scores.times_s)
    assert (one.info, one.events, one.probs) == (other.info, other.events, other.probs)
    assert (one.label, one.note, one.n_windows) == (other.label, other.note, other.n_windows)
    assert (one.duration_s, one.scores.step_s) == (other.duration_s, other.scores.step_s)


@pytest.mark.parametrize("jobs", [1, 2])
def test_broken_videos_do_not_stop_the_rest(bundle: Path, tmp_path: Path, jobs: int) -> None:
    paths = [
        make_empty_file(tmp_path / "empty.mp4"),
        make_clip(tmp_path / "good.mp4"),
        make_not_a_video(tmp_path / "noise.avi"),
        make_audio_only(tmp_path / "sound.mp4"),
        tmp_path / "absent.mp4",
        make_clip(tmp_path / "single.mp4", n_frames=1),
        make_truncated_mp4(tmp_path / "cut.mp4", n_frames=100),
        make_clip(tmp_path / "last.mkv"),
    ]
    plan = Plan(bundle, write_label, config=PredictConfig(jobs=jobs))
    found = _run(plan, _make_jobs(paths, tmp_path / "out"))
    assert set(found) == {path.name for path in paths}
    fine = ["cut.mp4", "good.mp4", "last.mkv"]
    assert sorted(n for n, item in found.items() if isinstance(item.outcome, VideoResult)) == fine
    recognizer = Recognizer(bundle)
    for path in paths:
        outcome = found[path.name].outcome
        assert not found[path.name].is_unchanged
        if isinstance(outcome, Reject):
            assert outcome.path == path
            assert path.name in outcome.reason
        else:
            _check_same(outcome, recognize_video(recognizer, path))
            base = tmp_path / "out" / path.stem
            assert base.with_name(f"{base.name}.label.txt").read_text() == "active"
            scores = load_scores(base.with_name(f"{base.name}.scores.csv"))
            assert np.array_equal(scores.values, outcome.scores.values)


def test_workers_use_the_streams_that_were_asked_for(tmp_path: Path) -> None:
    both = make_people_bundle(tmp_path / "both", "both")
    paths = [make_clip(tmp_path / f"{name}.mp4", n_frames=20) for name in "ab"]
    plan = Plan(both, write_label, config=PredictConfig(jobs=2), streams="motion")
    found = _run(plan, _make_jobs(paths, tmp_path / "out"))
    motion = Recognizer(both, streams="motion")
    for path in paths:
        _check_same(found[path.name].outcome, recognize_video(motion, path))


@pytest.mark.skipif(find_spec("openvino") is None, reason="the extra openvino is not installed")
def test_workers_use_the_engines_that_were_chosen_for_all(tmp_path: Path, bundle: Path) -> None:
    paths = [make_clip(tmp_path / f"{name}.mp4", n_frames=20) for name in "ab"]
    engines: dict[str, Engine] = {CNN_GRAPH_FILE: "openvino", TEMPORAL_GRAPH_FILE: "onnxruntime"}
    plan = Plan(bundle, write_label, config=PredictConfig(jobs=2), engines=engines)
    found = _run(plan, _make_jobs(paths, tmp_path / "out"))
    here = Recognizer(bundle, 1, engines)
    for path in paths:
        outcome = found[path.name].outcome
        assert isinstance(outcome, VideoResult)
        assert outcome.engines == {"frame_cnn": "openvino fp32", "temporal": "onnxruntime fp32"}
        assert outcome.to_json()["engines"] == outcome.engines
        _check_same(outcome, recognize_video(here, path))


def test_what_is_fastest_here_does_nothing_again_but_lower_precision_does(
    bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HAR_ENGINE", raising=False)
    one: dict[str, Engine] = {CNN_GRAPH_FILE: "onnxruntime", TEMPORAL_GRAPH_FILE: "onnxruntime"}
    plan = Plan(bundle, write_label, engines=one)
    others = [replace(plan, engines={**one, CNN_GRAPH_FILE: name}) for name in ("openvino",)]
    assert {each.describe() for each in others} == {plan.describe()}
    fast = [replace(each, config=PredictConfig(precision="fast")) for each in (plan, *others)]
    assert len({each.describe() for each in (plan, *fast)}) == 3


def test_a_process_that_is_killed_does_not_stop_the_rest(bundle: Path, tmp_path: Path) -> None:
    paths = [make_clip(tmp_path / f"{name}.mp4") for name in ("a", "deadly", "c")]
    plan = Plan(bundle, kill_at("deadly.mp4"), config=PredictConfig(jobs=2))
    found = _run(plan, _make_jobs(paths, tmp_path / "out"))
    assert isinstance(found["a.mp4"].outcome, VideoResult)
    assert isinstance(found["c.mp4"].outcome, VideoResult)
    reject = found["deadly.mp4"].outcome
    assert isinstance(reject, Reject)
    assert "was killed" in reject.reason
    again = _run(plan, _make_jobs([paths[0], paths[2]], tmp_path / "out"))
    assert all(item.is_unchanged for item in again.values())


@pytest.fixture
def done(bundle: Path, tmp_path: Path) -> tuple[Plan, list[VideoJob], dict[str, Finished]]:
    """Two videos that were recognized before."""
    paths = [make_clip(tmp_path / "a.mp4", n_frames=60), make_truncated_mp4(tmp_path / "b.mp4")]
    plan, jobs = Plan(bundle, write_label, config=ALONE), _make_jobs(paths, tmp_path / "out")
    return plan, jobs, _run(plan, jobs)


Done = tuple[Plan, list[VideoJob], dict[str, Finished]]


def test_what_is_done_is_not_done_again(done: Done, tmp_path: Path) -> None:
    plan, jobs, first = done
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()}
    second = _run(plan, jobs)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").iterdir()} == before
    for name, item in second.items():
        assert item.is_unchanged
        _check_same(item.outcome, first[name].outcome)
    faster = Plan(plan.bundle, plan.write, config=PredictConfig(jobs=2, n_ahead=3))
    assert all(item.is_unchanged for item in _run(faster, jobs).values())
    assert not any(item.is_unchanged for item in _run(plan, jobs, again=True).values())


def _touch_video(plan: Plan, job: VideoJob) -> None:
    os.utime(job.path, ns=(0, 0))


def _drop_output(plan: Plan, job: VideoJob) -> None:
    job.base.with_name(f"{job.base.name}.label.txt").unlink()


def _spoil_record(plan: Plan, job: VideoJob) -> None:
    job.base.with_name(f"{job.base.name}.result.json").write_text("{")


def _spoil_scores(plan: Plan, job: VideoJob) -> None:
    job.base.with_name(f"{job.base.name}.scores.csv").write_text("time_s\n")


def _retrain_bundle(plan: Plan, job: VideoJob) -> None:
    save_info(plan.bundle, load_info(plan.bundle))
    path = plan.bundle / "bundle.json"
    path.write_text(path.read_text().replace('"temperature": 1.0', '"temperature": 2.0'))


@pytest.mark.parametrize(
    ("change", "n_again"),
    [
        (_touch_video, 1),
        (_drop_output, 1),
        (_spoil_record, 1),
        (_spoil_scores, 1),
        (_retrain_bundle, 2),
    ],
)
def test_what_has_changed_is_done_again(done: Done, change, n_again: int) -> None:
    plan, jobs, _ = done
    change(plan, jobs[0])
    found = _run(plan, jobs)
    assert [found[job.path.name].is_unchanged for job in jobs] == [False, n_again == 1]
    assert all(item.is_unchanged for item in _run(plan, jobs).values())


def test_other_settings_are_done_again(done: Done) -> None:
    plan, jobs, _ = done
    others = [
        Plan(plan.bundle, plan.write, "with pictures", plan.config),
        Plan(plan.bundle, plan.write, config=PredictConfig(n_overlap=2, jobs=1)),
        Plan(plan.bundle, plan.write, config=ALONE, decode=DecodeConfig("still", min_s=60.0)),
    ]
    for other in others:
        assert not any(item.is_unchanged for item in _run(other, jobs).values())
        assert all(item.is_unchanged for item in _run(other, jobs).values())


def test_another_engine_does_it_again(done: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scores differ by millionths, which can be the width of a threshold."""
    plan, jobs, _ = done
    monkeypatch.setenv("HAR_ENGINE", "openvino")
    assert not any(item.is_unchanged for item in _run(plan, jobs).values())


def test_a_run_that_broke_off_while_writing_is_not_taken_for_done(done: Done) -> None:
    """New scores beside the old record would be taken for those of the old settings."""
    plan, jobs, _ = done

    def fail(base: Path, result: VideoResult) -> None:
        raise OutputError("stopped here")

    other = Plan(plan.bundle, fail, config=PredictConfig(n_overlap=2, jobs=1))
    with pytest.raises(OutputError, match="stopped here"):
        _run(other, jobs)
    assert not _run(plan, jobs)["a.mp4"].is_unchanged


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("duration_s", "long"),
        ("duration_s", float("nan")),
        ("probs", {"still": None}),
        ("note", 5),
        ("events", [{"label": "other", "onset_s": 0.0, "offset_s": 1.0, "score": 1.0}]),
        ("events", [{"label": "still", "onset_s": "0", "offset_s": 1.0, "score": 1.0}]),
    ],
)
def test_a_damaged_file_of_an_earlier_run_is_not_taken_for_done(
    done: Done, name: str, value: object
) -> None:
    plan, jobs, _ = done
    path = jobs[0].base.with_name("a.result.json")
    values = json.loads(path.read_text())
    (values if name in values else values["rest"])[name] = value
    path.write_text(json.dumps(values))
    assert not _run(plan, jobs)["a.mp4"].is_unchanged


@contextmanager
def _full_disk(max_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (max_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_names_the_file_and_leaves_nothing_half_written(
    bundle: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    jobs = _make_jobs([make_clip(tmp_path / "long.mp4", n_frames=300)], out)
    plan = Plan(bundle, write_label, config=ALONE)
    with (
        _full_disk(2048),
        pytest.raises(OutputError, match=r"long\.scores\.csv .*not full") as caught,
    ):
        _run(plan, jobs)
    assert "File too large" in str(caught.value)
    assert list(out.iterdir()) == []
    assert isinstance(_run(plan, jobs)["long.mp4"].outcome, VideoResult)


def test_a_video_that_vanishes_while_its_files_are_written_is_left_out(
    bundle: Path, tmp_path: Path
) -> None:
    jobs = _make_jobs([make_clip(tmp_path / "a.mp4"), make_clip(tmp_path / "b.mp4")], tmp_path)

    def read_again(base: Path, result: VideoResult) -> None:
        if base.name == "a":
            result.info.path.unlink()
        with open_video(result.info.path):
            write_label(base, result)

    found = _run(Plan(bundle, read_again, config=ALONE), jobs)
    assert isinstance(found["a.mp4"].outcome, Reject)
    assert isinstance(found["b.mp4"].outcome, VideoResult)
    assert not list(tmp_path.glob("a.result.json"))


def test_a_full_disk_under_an_annotated_video_ends_the_run(bundle: Path, tmp_path: Path) -> None:
    jobs = _make_jobs([make_clip(tmp_path / "a.mp4"), make_clip(tmp_path / "b.mp4")], tmp_path)

    def write_video(base: Path, result: VideoResult) -> None:
        with _full_disk(2048), open_writer(base.with_suffix(".out.mp4"), (64, 96), 25.0) as writer:
            for seed in range(10):
                picture = np.random.default_rng(seed).integers(0, 256, (64, 96, 3), np.uint8)
                writer.write(picture)

    with pytest.raises(VideoWriteError, match=r"a\.out\.mp4 could not be written.*not full"):
        _run(Plan(bundle, write_video, config=ALONE), jobs)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"bundle", "a.mp4", "b.mp4", "a.scores.csv"}


def test_wrong_bundles_and_settings_are_refused_before_any_work(
    bundle: Path, tmp_path: Path
) -> None:
    jobs = _make_jobs([make_clip(tmp_path / "a.mp4")], tmp_path / "out")
    with pytest.raises(BundleNotFoundError):
        _run(Plan(tmp_path, write_label), jobs)
    with pytest.raises(ConfigError, match="background='nothing'"):
        _run(Plan(bundle, write_label, config=ALONE, decode=DecodeConfig("nothing")), jobs)


def test_files_of_different_endings_do_not_count_for_each_other(
    bundle: Path, tmp_path: Path
) -> None:
    paths = [make_clip(tmp_path / "a.mp4"), make_clip(tmp_path / "a.b.mp4")]
    plan = Plan(bundle, partial(write_label, ending=".txt"), config=ALONE)
    jobs = _make_jobs(paths, tmp_path / "out")
    _run(plan, jobs)
    assert all(item.is_unchanged for item in _run(plan, jobs).values())


@pytest.mark.parametrize("jobs", [1, 2])
def test_progress_tells_seconds_shares_and_videos(bundle: Path, tmp_path: Path, jobs: int) -> None:
    paths = [make_clip(tmp_path / f"{n}.mp4", n_frames=n) for n in (25, 50)]
    told: list[Standing] = []
    plan = Plan(bundle, write_label, config=PredictConfig(jobs=jobs))
    list(recognize_folder(plan, _make_jobs(paths, tmp_path / "out"), progress=told.append))
    shares = [item.share for item in told]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert (told[-1].n_done, told[-1].n_videos) == (2, 2)
    assert told[-1].done_s == pytest.approx(24 / 25 + 49 / 25)


def test_the_word_to_stop_ends_every_process_with_its_next_frame() -> None:
    shared = share_progress(3)
    shared.note(1, 2.0, None)
    shared.note(2, 3.0, 4.0)
    assert [column.tolist() for column in shared.read()] == [[0.0, 2.0, 3.0], [0.0, 0.0, 4.0]]
    SharedProgress(shared.memory).stop()
    with pytest.raises(KeyboardInterrupt):
        shared.note(0, 1.0, 2.0)
