"""The journal: whole lines, on the disk at once, also through a full disk."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from moments import NOON, make_alert, make_event, make_state

from har.errors import OutputError
from har.live.journal import Journal, LineFile


def _read(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_lines_say_what_was_told_and_are_echoed(tmp_path: Path) -> None:
    echoed: list[str] = []
    with Journal(tmp_path / "new", echoed.append) as journal:
        journal.on_state(make_state(state="starting"))
        journal.on_state(make_state())
        journal.on_state(make_state())
        journal.on_state(make_state(note="its clock has jumped"))
        journal.on_event(make_event(is_open=True))
        journal.on_alert(make_alert(), "hall_1")
        journal.on_event(make_event(length_s=3.0))
    events = _read(tmp_path / "new" / "events.jsonl")
    changes = _read(tmp_path / "new" / "log.jsonl")
    assert [(line["state"], line["note"]) for line in changes] == [
        ("starting", ""),
        ("live", ""),
        ("live", "its clock has jumped"),
    ]
    opened, alert, final = events
    assert opened == {
        "kind": "event",
        "at": "2025-07-01T12:00:10.000+00:00",
        "camera": "hall",
        "label": "hit",
        "onset_s": 10.0,
        "offset_s": 12.0,
        "score": 0.9,
        "subject": None,
        "target": None,
        "is_open": True,
    }
    assert (alert["kind"], alert["id"]) == ("alert", "hall_1")
    assert (final["offset_s"], final["is_open"]) == (13.0, False)
    assert sorted(map(json.dumps, changes + events)) == sorted(
        json.dumps(json.loads(line)) for line in echoed
    )


def test_nobody_who_reads_stops_the_echo_and_not_the_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def echo(_: str) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    with Journal(tmp_path, echo) as journal:
        for _ in range(3):
            journal.on_event(make_event())
    assert len(_read(tmp_path / "events.jsonl")) == 3
    assert len(caplog.records) == 1


def test_journal_goes_on_and_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    for content, kept in (('{"a": 1}\n{"b": 2', ['{"a": 1}']), ('{"a"', []), ("", [])):
        path.write_text(content)
        with Journal(tmp_path) as journal:
            journal.on_event(make_event())
        lines = path.read_text().splitlines()
        assert lines[:-1] == kept
        assert json.loads(lines[-1])["label"] == "hit"


def test_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--out"):
        Journal(tmp_path / "file" / "out")


FULL_DISK = """
import logging, resource, sys
from pathlib import Path
from har.live.journal import LineFile
logging.basicConfig(format="%(message)s")
file = LineFile(Path(sys.argv[1]))
line = "x" * 99
for _ in range(5):
    file.add(line)
resource.setrlimit(resource.RLIMIT_FSIZE, (550, resource.RLIM_INFINITY))
for _ in range(4):
    file.add(line)
    content = Path(sys.argv[1]).read_text()
    assert content == (line + "\\n") * 5, content
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
file.add("last")
assert Path(sys.argv[1]).read_text() == (line + "\\n") * 9 + "last\\n"
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs the limits of POSIX")
def test_full_disk_is_said_once_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, path], capture_output=True, text=True, timeout=60
    )
    assert run.returncode == 0, run.stderr
    said = run.stderr.splitlines()
    assert len(said) == 2, said
    assert "events.jsonl cannot be written" in said[0]
    assert "recognition continues" in said[0]
    assert "can be written again: 5 lines" in said[1]


def test_old_lines_go_and_all_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'not of the journal \xff\n{"at": "yesterday"}\n[]\n')
    with Journal(tmp_path) as journal:
        for onset_s in (0.0, 50.0, 100.0):
            journal.on_event(make_event(onset_s))
        assert journal.delete_before(NOON - timedelta(days=1)) == 0
        assert journal.delete_before(NOON + timedelta(seconds=60)) == 2
        journal.on_event(make_event(200.0))
    lines = path.read_bytes().splitlines()
    assert lines[:3] == [b"not of the journal \xff", b'{"at": "yesterday"}', b"[]"]
    assert [json.loads(line)["onset_s"] for line in lines[3:]] == [100.0, 200.0]


def test_lines_may_come_from_several_threads(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    file = LineFile(tmp_path / "a.jsonl")
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(file.add, map(str, range(100))))
        list(pool.map(lambda _: file.keep_lines(lambda line: int(line) >= 50), range(2)))
    file.close()
    assert sorted(map(int, (tmp_path / "a.jsonl").read_text().split())) == list(range(50, 100))


def test_events_that_a_killed_run_left_open_are_closed_at_the_next_start(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.on_event(make_event(1.0, is_open=True))
        journal.on_event(make_event(1.0))
        journal.on_event(make_event(5.0, is_open=True))
    for _ in range(2):  # the second start finds nothing to close
        with Journal(tmp_path):
            pass
    *_, opened, closed = _read(tmp_path / "events.jsonl")
    assert len(_read(tmp_path / "events.jsonl")) == 4
    assert closed == {**opened, "is_open": False, "is_interrupted": True}
