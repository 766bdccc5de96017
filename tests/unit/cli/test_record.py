"""`har record` as people call it."""

import json
import os
import pty
import subprocess
import sys

import pytest
from puppet import iter_times, make_film, paint_moment, paint_people

from har.capture.session import CaptureResult, Refusal
from har.cli.record import _say_result


def run(*words, cwd, stdin=subprocess.DEVNULL):
    command = [sys.executable, "-m", "har", "record", *map(str, words)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, stdin=stdin
    )


@pytest.fixture(scope="module")
def staged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cli")
    pictures = [
        paint_moment(time_s) if time_s > 25 else paint_people(()) for time_s in iter_times(31)
    ]
    make_film(folder / "film.mp4", pictures)
    words = ("--source", "film.mp4", "--person", "p5", "--ready", 1, "--json")
    return folder, run("out", *words, cwd=folder)


def test_a_film_becomes_clips_without_a_question(staged):
    folder, done = staged
    assert done.returncode == 0, done.stderr
    values = json.loads(done.stdout)
    assert (values["n_takes"], values["n_there"], values["n_new"]) == (66, 1, 1)
    assert len(values["refused"]) == 65
    assert (folder / "out" / "sheets" / "p5-here.png").is_file()


def test_it_says_what_is_safe_what_was_left_out_and_what_to_do_next(staged):
    _, done = staged
    for word in ("Adults only", "soft", "Stop at once", "agreed", "--delete PERSON", "real names"):
        assert word in done.stderr
    for word in ("Nobody is seen", "0.0 s of 4.0 s", " more"):
        assert word in done.stderr
    for word in ("har prepare out --store", "har evaluate BUNDLE", "--from BUNDLE"):
        assert word in done.stderr


def test_a_person_can_be_deleted(staged, tmp_path):
    folder, _ = staged
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", folder / "out", copy], check=True)
    done = run(copy, "--delete", "p5", "--json", cwd=tmp_path)
    assert done.returncode == 0
    assert len(json.loads(done.stdout)["deleted"]) == 1
    assert not list(copy.rglob("*.mp4"))
    assert not list(copy.rglob("*.png"))
    assert "har prepare" in done.stderr


def test_the_script_is_printed_with_its_times(tmp_path):
    text = run("out", "--list", "--only", "sitting", cwd=tmp_path).stdout
    assert text.count(" to 00:") + text.count(" to 0") >= 33
    assert "SITTING" in text
    assert "STANDING" not in text
    slots = json.loads(run("out", "--list", "--json", "--partner", "p2", cwd=tmp_path).stdout)
    assert len(slots) == 84
    assert (slots[0]["start_s"], slots[0]["end_s"]) == (20.0, 24.0)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--source", "0"), "run it in a terminal"),
        (("--source", "nowhere.mp4"), "There is no video nowhere.mp4"),
        (("--person", "Anna M."), "person must be an id"),
        (("--delete", "p9"), "Nobody called 'p9'"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_1(tmp_path, words, said):
    done = run("out", *words, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("answer", "code", "said"),
    [(b"y\n", 1, "Camera 99 cannot be opened; check"), (b"n\n", 130, "Stopped")],
)
def test_a_camera_is_opened_only_once_everyone_is_willing(tmp_path, answer, code, said):
    person, terminal = pty.openpty()
    try:
        os.write(person, answer)
        done = run("out", "--source", 99, cwd=tmp_path, stdin=terminal)
    finally:
        os.close(person)
        os.close(terminal)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert not (tmp_path / "out").exists()


def test_takes_that_were_left_out_alike_are_told_together(capsys, tmp_path):
    hand = "The left hand ({}) is not seen well: sleeves up"
    refused = tuple(Refusal(f"take{k}", hand.format(k)) for k in (".15", ".16"))
    result = CaptureResult(tmp_path / "manifest.csv", None, 2, 0, refused, (), ())
    _say_result(result, tmp_path)
    shown = capsys.readouterr().err
    assert "  The left hand is not seen well: sleeves up: take.15, take.16" in shown
