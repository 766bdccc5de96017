"""What is written of cameras now and then is whole, new, and never ends a watch."""

import json
import logging
from pathlib import Path

import pytest
from moments import make_event, make_scores, make_state

from har.live.state_file import STATE_FILE, StateFile


def _read(folder: Path) -> dict[str, dict[str, object]]:
    return json.loads((folder / STATE_FILE).read_text())["cameras"]


def test_newest_scores_are_written_now_and_then_and_a_new_state_at_once(tmp_path: Path) -> None:
    now_s = [100.0]
    file = StateFile(tmp_path, lambda: now_s[0])
    file.on_scores(make_scores([0.5], [0.25]))
    file.on_event(make_event())
    assert not (tmp_path / STATE_FILE).exists()
    file.on_state(make_state())
    assert _read(tmp_path)["hall"] == {
        "state": "live",
        "at": "2025-07-01T12:00:00.000+00:00",
        "scores": {"at": "2025-07-01T12:00:00.000+00:00", "values": {"playing": 0.75, "hit": 0.25}},
    }
    file.on_scores(make_scores([1.5], [0.5]))
    now_s[0] += 1.9
    file.on_state(make_state())
    assert "0.25" in (tmp_path / STATE_FILE).read_text()
    now_s[0] += 0.1
    file.on_state(make_state())
    assert "0.25" not in (tmp_path / STATE_FILE).read_text()
    file.on_state(make_state(state="lost"))
    file.on_state(make_state("door", "starting"))
    found = _read(tmp_path)
    assert {name: (item["state"], item["scores"]) for name, item in found.items()} == {
        "hall": ("lost", None),
        "door": ("starting", None),
    }
    file.on_scores(make_scores([2.5], [1.0]))
    file.close()
    assert _read(tmp_path)["hall"]["scores"] is not None


def test_a_full_disk_is_said_once_and_the_watch_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / STATE_FILE).mkdir()  # cannot be replaced by a file
    file = StateFile(tmp_path, iter(range(0, 100, 10)).__next__)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            file.on_state(make_state())
    assert len(caplog.records) == 1
    (tmp_path / STATE_FILE).rmdir()
    file.on_state(make_state())
    assert _read(tmp_path)["hall"]["state"] == "live"
