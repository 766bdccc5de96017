"""Progress is a bar on a terminal and a logged line elsewhere; the log's level hides both."""

import logging
import os
import pty
import subprocess
import sys
import termios

import pytest

from har import progress
from har.progress import ProgressBar, track


def test_a_line_says_how_much_is_done_and_how_long_it_takes(caplog, monkeypatch):
    moments = iter([100.0, 110.0, 110.0, 120.0, 120.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(moments))
    with caplog.at_level(logging.INFO), ProgressBar(8, "cutting", "clip", every_s=10) as bar:
        bar.update(2)
        bar.note("loss 0.5")
        bar.move_to(8)
    assert caplog.messages == [
        "cutting: 2 of 8 clips (25%), 0:30 left",
        "cutting: 8 of 8 clips (100%), loss 0.5",
    ]


def test_a_share_is_told_with_its_note(caplog):
    with caplog.at_level(logging.INFO), ProgressBar(1.0, "recognizing", every_s=0) as bar:
        bar.note("10:00 of video")
        bar.move_to(0.25)
    assert caplog.messages == ["recognizing: 25%, 10:00 of video"]


def test_lines_come_no_more_often_than_they_should(caplog):
    with caplog.at_level(logging.INFO):
        assert list(track(range(1000), "counting", "number")) == list(range(1000))
    assert caplog.messages == []


@pytest.mark.parametrize("how", ["show", "level", "empty"])
def test_it_can_be_hidden(caplog, monkeypatch, how):
    if how == "level":
        monkeypatch.setattr(progress.LOG, "level", logging.ERROR)
        progress.LOG.manager._clear_cache()
    bar = ProgressBar(0 if how == "empty" else 4, "x", "y", show=how != "show", every_s=0)
    bar.update()
    assert caplog.messages == []


@pytest.mark.parametrize(("unit", "seen"), [("clip", "3/4"), ("", "75%")])
def test_a_terminal_gets_a_bar(unit, seen):
    code = (
        "from har.progress import ProgressBar\n"
        f"with ProgressBar(4, 'cutting', {unit!r}) as bar:\n"
        "    bar._bar.mininterval = 0\n"
        "    bar.note('all well'); bar.update(3)\n"
    )
    person, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    try:
        subprocess.run([sys.executable, "-c", code], stderr=terminal, check=True)
        shown = os.read(person, 10_000).decode()
    finally:
        os.close(person)
        os.close(terminal)
    assert seen in shown
    assert "all well" in shown


def test_importing_it_loads_no_bar():
    code = "import har.progress, sys; print('tqdm' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
