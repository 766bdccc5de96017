"""What breaks a command from outside is one line that says what to do: no traceback, no guess."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle
from click.testing import CliRunner
from videos import make_video

import har
from har.cli import har as command
from har.cli.project import find_project, list_unknown_variables
from har.config import TrainConfig, load_config
from har.errors import ConfigError, OutputError


def run(*words, before=""):
    """Run the command line in a process of its own; what a shell runs before it."""
    line = f"{before} exec {sys.executable} -m har {' '.join(words)}"
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return make_bundle(tmp_path_factory.mktemp("bundle") / "b")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["predict", ""], "'VIDEOS...'"),
        (["predict", "x.mp4", "--out", ""], "'--out'"),
        (["prepare", ""], "'[SOURCE]'"),
        (["train", "all", "--store", ""], "'--store'"),
    ],
)
def test_an_empty_path_is_not_the_current_folder(words, what):
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 2
    said = f"Invalid value for {what}: is empty; name a file or folder, or . for the current folder"
    assert said in done.stderr


def test_an_empty_path_is_refused_in_python(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model = har.load(bundle)
    result = model.predict(np.zeros((40, 48, 64), np.uint8), fps=20)
    for call in (
        lambda: har.load(""),
        lambda: har.predict([""]),
        lambda: model.predict(""),
        lambda: har.prepare(""),
        lambda: har.recut([""]),
        lambda: result.save(""),
        lambda: har.watch([""], model=model),
    ):
        with pytest.raises(ConfigError, match=r"path is empty; name|received ''"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_settings_are_read_from_files_alone(tmp_path):
    pipe = tmp_path / "settings.toml"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match=r"^The settings file .* is no file but a folder, pipe"):
        load_config(pipe, TrainConfig())
    (tmp_path / "har.toml").mkdir()
    assert find_project(tmp_path, tmp_path) == tmp_path / "har.toml"


def test_a_deleted_folder_and_a_full_disk_are_one_line():
    folder = tempfile.mkdtemp()
    done = run("predict", "x.mp4", before=f"cd {folder} && rmdir {folder} &&")
    said = "Error: The current folder has been deleted; go to another folder\n"
    assert (done.returncode, done.stderr) == (1, said)
    done = run("--version", ">/dev/full")
    said = "Error: The output cannot be written or read: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_variables_that_no_option_has_are_named():
    names = [
        "HAR_PREDICT_OTU",
        "HAR_PREDICT_OUT",
        "HAR_ENGINE",
        "HAR_ENGIN",
        "HAR_SHARED_X",
        "PATH",
    ]
    assert list_unknown_variables(names, command.commands) == [
        "The variable HAR_ENGIN is ignored, for no option has this name; did you mean HAR_ENGINE?",
        "The variable HAR_PREDICT_OTU is ignored, for no option has this name; did you mean "
        "HAR_PREDICT_OUT?",
    ]
    done = CliRunner().invoke(command, ["predict", "no.mp4"], env={"HAR_PREDICT_OTU": "x"})
    assert "Warning: The variable HAR_PREDICT_OTU is ignored" in done.stderr


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_list_of_files_may_begin_with_a_mark(bundle, tmp_path, encoding):
    words = ["predict", "-", "--bundle", str(bundle), "--out", str(tmp_path), "--json"]
    done = CliRunner().invoke(command, words, input="né.mp4\nb.mp4\n".encode(encoding))
    assert str(done.exception).startswith("Left out né.mp4: There is no video né.mp4; check")


def test_two_recordings_of_one_name_are_told_apart(bundle, tmp_path, monkeypatch):
    for name, rate in (("a", 20), ("b", 10)):
        make_video(tmp_path / name / "v.mp4", [i / rate for i in range(40)], (48, 64))
        monkeypatch.chdir(tmp_path / name)
        har.predict("v.mp4", model=bundle, out=tmp_path / "out", jobs=1)
    entries = json.loads((tmp_path / "out" / "results.json").read_text())
    found = [(item["video"], item["stem"], round(item["duration_s"])) for item in entries]
    assert found == [("v.mp4", "v", 2), ("v.mp4", "v_mp4", 4)]
    har.predict("v.mp4", model=bundle, out=tmp_path / "out", jobs=1)
    assert json.loads((tmp_path / "out" / "results.json").read_text()) == entries


def test_control_characters_are_escapes_wherever_they_are_read(bundle, tmp_path):
    video = tmp_path / "a\x1b[2Jb\nc.mp4"
    model = har.load(bundle)
    with pytest.warns(UserWarning, match="Left out") as caught:
        (result,) = model.predict([video])
    texts = [str(caught[0].message), repr(result), str(ConfigError(str(video)))]
    assert all("\x1b" not in text and r"a\x1b[2J" in text for text in texts)
    assert not any("\n" in text for text in texts[:2])

    make_video(video, [i / 20 for i in range(40)], (48, 64))
    found = har.predict(
        video,
        model=model,
        out=tmp_path / "out",
        jobs=1,
        changes={"onset": 0.0, "offset": 0.0, "min_s": 0.0},
    )
    assert found.recognized
    for name in ("events.csv", "totals.csv"):
        text = (tmp_path / "out" / name).read_text()
        assert r"a\x1b[2Jb" in text
        assert "\x1b" not in text


def test_scores_that_are_not_there_are_an_error(bundle, tmp_path):
    (tmp_path / "coding.csv").write_text("video,label,start,end\nv.mp4,active,0,1\n")
    for call in (
        lambda: har.score_events(
            tmp_path / "coding.csv", tmp_path / "coding.csv", scores=tmp_path / "nofile"
        ),
        lambda: har.tune(tmp_path / "nofile", tmp_path / "coding.csv"),
    ):
        with pytest.raises(OutputError, match=r"There is no file of scores or folder .*nofile"):
            call()


@pytest.mark.parametrize("value", ["x", None, True, float("nan"), 2])
def test_changes_that_are_no_numbers_in_their_bounds_are_refused(bundle, value):
    for name in ("onset", "active.onset"):
        with pytest.raises(ConfigError, match=r"^onset.* must be .*, received"):
            har.load(bundle).build_rules(changes={name: value})
    with pytest.raises(ConfigError, match=r"such as onset=0.3 and offset=0.2"):
        har.load(bundle).build_rules(changes={"onset": 0.3})


def test_a_gap_in_a_stream_begins_a_segment_at_once(bundle):
    picture = np.zeros((48, 64), np.uint8)
    pictures = [(begin_s + i / 20, picture) for begin_s in (5.0, 86_405.0) for i in range(60)]
    keep = {"onset": 0.0, "offset": 0.0, "min_s": 0.0}
    updates = list(har.load(bundle).stream(pictures, changes=keep))
    (gap,) = [update for update in updates if update.note]
    assert (gap.state, gap.note, round(gap.time_s, 1)) == ("live", "no picture for 86397.1 s", 8.0)
    spans = {
        (event.onset_s, round(event.offset_s, 2)) for update in updates for event in update.closed
    }
    assert spans == {(5.0, 8.0), (86_405.0, 86_408.0)}
    assert updates[-1].state == "ended"


def test_tables_for_programs_have_their_cells_as_they_are(bundle, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video = make_video(tmp_path / "=1+1.mp4", [i / 20 for i in range(40)], (48, 64))
    always = ["--set", "onset=0", "--set", "offset=0", "--set", "min_s=0"]
    words = ["predict", video.name, "--bundle", str(bundle), "--jobs", "1", *always]
    Path("coding.csv").write_text("video,label,start,end\n=1+1.mp4,active,0,1\n")
    for switch, cell in (("--guard", "'=1+1"), ("--no-guard", "=1+1"), ("--guard", "'=1+1")):
        for line in (
            [*words, "--out", "out"],
            ["events", "out", "--out", "again", *always],
            ["score-events", "out/results.json", "coding.csv", "--out", "score"],
        ):
            assert CliRunner().invoke(command, [*line, switch]).exit_code == 0
        tables = [*Path("out").glob("*events.csv"), *Path("again").glob("*events.csv")]
        tables += [Path("out/totals.csv"), Path("score/matches.csv")]
        assert len(tables) == 6
        for table in tables:
            assert table.read_text().splitlines()[1].startswith(cell), table
