"""What others wrote neither steers a terminal nor is run by a spreadsheet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.cli.output import say, say_error, say_table, warn
from har.dataset.catalog import Reject
from har.dataset.index import read_rejects, write_rejects
from har.escaping import escape_markdown, guard_cell, show_controls, unguard_cell
from har.events.files import join_events, write_event_files, write_events_csv
from har.interchange.coding import read_coding
from har.types import Event

EVIL = "hit\x1b[2J\x1b]0;owned\x07\x9b31m\u202e\r"
FORMULA = '=HYPERLINK("http://x","y")'


def test_nothing_printed_can_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say(EVIL)
    warn(EVIL)
    say_error(EVIL)
    say_table(["label"], [[EVIL], ["two\nlines"]])
    shown = capsys.readouterr().err
    assert show_controls(EVIL) == "hit\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\u202e\\x0d"
    assert shown.count("hit\\x1b[2J\\x1b]0;owned\\x07\\x9b31m\\u202e") == 4
    assert "two lines" in shown
    assert all(letter.isprintable() or letter == "\n" for letter in shown)


@pytest.mark.parametrize("name", [b"a\x1b[2Jb.mp4", b"sch\xe4ge.mp4"])
def test_a_wrong_name_on_the_command_line_is_shown_as_text(tmp_path: Path, name: bytes) -> None:
    for words in (
        [b"score-events", name, b"x.csv"],
        [b"score-events", b"a", b"b", name],
        [b"predict", name],
        [b"prepare", name],
    ):
        done = subprocess.run(
            [sys.executable.encode(), b"-m", b"har", *words],
            cwd=tmp_path,
            capture_output=True,
            check=False,
            env={"PATH": "", "PYTHONPATH": ":".join(sys.path), "LC_ALL": "C.UTF-8"},
        )
        said = done.stderr.decode("utf-8")
        assert done.returncode in (1, 2)
        assert "Traceback" not in said
        assert "\x1b" not in said
        assert any(shown in said for shown in ("\\x1b[2Jb", "\\udce4", "(ab.mp4)"))


@given(st.text(alphabet="'=+-@\t\r ab"))
def test_a_guarded_cell_is_no_formula_and_comes_back(text: str) -> None:
    assert guard_cell(text)[:1] not in {"=", "+", "-", "@", "\t", "\r"}
    assert unguard_cell(guard_cell(text)) == text


def test_tables_for_spreadsheets_hold_no_formula_and_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    write_events_csv(path, [("-a.mp4", [Event(FORMULA, 1.0, 2.0, 0.5)])])
    assert path.read_text().splitlines()[1].startswith("'-a.mp4,1.000,2.000,\"'=HYPERLINK(")
    (video,) = read_coding(path).videos
    assert (video.video, video.events[0].label) == ("-a.mp4", FORMULA)
    write_event_files(tmp_path / "out" / "a", "-a.mp4", [Event(FORMULA, 1.0, 2.0, 0.5)])
    assert join_events(tmp_path / "out").read_text() == path.read_text()


def test_rejects_hold_no_formula_and_are_read_back(tmp_path: Path) -> None:
    rejects = [Reject("", Path("=1+1.mp4"), "@SUM(1)")]
    write_rejects(tmp_path / "rejects.csv", rejects)
    assert "'=1+1.mp4,'@SUM(1)" in (tmp_path / "rejects.csv").read_text()
    assert read_rejects(tmp_path / "rejects.csv") == rejects


def test_markdown_shows_names_as_they_are() -> None:
    assert escape_markdown("![a](http://x) <img>\n|b|") == (r"!\[a\](http://x) \<img\> \|b\|")
