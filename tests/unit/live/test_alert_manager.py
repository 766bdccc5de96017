"""Events become alerts: a record, a clip, word to all, and nothing that fails stops the rest."""

import json
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from moments import make_alert, make_event, make_scores, make_state
from videos import paint_number

from har import files
from har.config import AlertsConfig, ClipsConfig, DecodeConfig
from har.errors import OutputError
from har.live.alert_folder import AlertFolder
from har.live.alerts import AlertManager, AlertRules
from har.live.clips import ClipKeeper
from har.live.messages import Alert
from har.types import Frame

ZONE = timezone(timedelta(hours=2))


class _Listener:
    def __init__(self) -> None:
        self.alerts: list[tuple[Alert, str]] = []

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        self.alerts.append((alert, alert_id))


def _open_desk(
    folder: AlertFolder, clips: ClipKeeper | None = None, **settings: float
) -> tuple[AlertManager, _Listener]:
    listener = _Listener()
    rules = AlertRules(AlertsConfig(**settings), DecodeConfig(background="playing"))  # type: ignore[arg-type]
    return AlertManager(rules, folder, clips, listeners=[listener]), listener


def _read(path: Path) -> dict[str, object]:
    return json.loads(path.read_text())


def test_alert_leaves_a_record_that_is_completed_at_the_end(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path / "alerts", "house", ZONE)
    desk, listener = _open_desk(folder)
    desk.on_event(make_event(is_open=True))
    ((_, alert_id),) = listener.alerts
    assert alert_id == "hall_2025-07-01_14-00-10_hit"
    record = _read(tmp_path / "alerts" / f"{alert_id}.json")
    assert record["is_open"] is True
    desk.on_event(make_event(length_s=7.0, score=0.95))
    desk.close()
    assert _read(tmp_path / "alerts" / f"{alert_id}.json") == {
        "made_by": "har watch",
        "id": alert_id,
        "purpose": "For review by a person: what a model has labeled, not a confirmed event.",
        "camera": "hall",
        "label": "hit",
        "score": 0.95,
        "began_at": "2025-07-01T14:00:10.000+02:00",
        "raised_at": "2025-07-01T14:00:12.000+02:00",
        "length_s": 7.0,
        "is_open": False,
        "subject": None,
        "target": None,
        "bundle": "house",
        "clip": None,
    }
    assert len(listener.alerts) == 1


def test_event_that_becomes_long_enough_alerts_by_its_scores(tmp_path: Path) -> None:
    desk, listener = _open_desk(AlertFolder(tmp_path), min_s=4.0)
    desk.on_event(make_event(is_open=True))
    assert not listener.alerts
    desk.on_scores(make_scores([12.5, 13.5], [0.9, 0.9]))
    assert len(listener.alerts) == 1


def test_clip_is_beside_the_record_and_named_in_it(tmp_path: Path) -> None:
    clips = ClipKeeper(ClipsConfig(before_s=2.0, after_s=1.0))
    desk, listener = _open_desk(AlertFolder(tmp_path), clips)
    for index in range(130):
        clips.push_frame("hall", Frame(index, index / 10, paint_number(index, (64, 96))))
    desk.on_event(make_event())
    desk.close()
    ((_, alert_id),) = listener.alerts
    clip = _read(tmp_path / f"{alert_id}.json")["clip"]
    assert clip == {"file": f"{alert_id}.mp4", "start_s": -2.0, "length_s": 4.9}
    assert (tmp_path / f"{alert_id}.mp4").is_file()


def test_lost_camera_ends_its_clip_and_a_missing_one_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = ClipKeeper(ClipsConfig())
    desk, _ = _open_desk(AlertFolder(tmp_path), clips)
    clips.push_frame("hall", Frame(0, 10.0, paint_number(1, (64, 96))))
    desk.on_event(make_event(is_open=True))
    desk.on_state(make_state(state="lost"))
    desk.on_event(make_event(camera="yard"))
    desk.close()
    assert len(list(tmp_path.glob("hall_*.mp4"))) == 1
    assert "no footage of yard" in caplog.text


def test_disk_that_takes_nothing_stops_no_alert(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "alerts").write_text("in the way")
    desk, listener = _open_desk(AlertFolder(tmp_path / "alerts"), cool_down_s=0.0)
    for onset_s in (0.0, 10.0):
        desk.on_event(make_event(onset_s, is_open=True))
        desk.on_event(make_event(onset_s))
    desk.close()
    assert len(listener.alerts) == 2
    assert "Could not write the record of an alert" in caplog.text


def test_names_are_unique_and_fit_for_files(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path, zone=ZONE)
    event = make_event()
    event = replace(event, event=replace(event.event, label=f"../hits: {'x' * 60}"))
    ids = []
    for _ in range(3):
        alert_id = folder.name(make_alert(event))
        folder.write(alert_id, make_alert(event))
        ids.append(alert_id)
    stem = f"hall_2025-07-01_14-00-10_-hits-{'x' * 34}"
    assert ids == [stem, f"{stem}-2", f"{stem}-3"]


def test_record_that_was_deleted_is_not_made_again(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path)
    folder.write("a", make_alert())
    (tmp_path / "a.json").unlink()
    folder.complete("a", make_event().event)
    assert list(tmp_path.iterdir()) == []


def test_there_is_no_clip_without_its_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = files.write_json

    def refuse(path: Path, values: object) -> None:
        raise OutputError(f"{path} could not be written: No space left on device")

    clips = ClipKeeper(ClipsConfig(before_s=2.0, after_s=1.0))
    folder = AlertFolder(tmp_path)
    desk, listener = _open_desk(folder, clips, cool_down_s=0.0)
    for index in range(110):
        clips.push_frame("hall", Frame(index, index / 10, paint_number(index, (64, 96))))
    monkeypatch.setattr(files, "write_json", refuse)
    desk.on_event(make_event(7.0))
    clips.close()
    assert list(tmp_path.iterdir()) == []
    assert "is left out: its alert has no record" in caplog.text
    monkeypatch.setattr(files, "write_json", write)
    desk.on_state(make_state())
    ((_, alert_id),) = listener.alerts
    assert _read(tmp_path / f"{alert_id}.json")["clip"] is None


def test_a_clip_that_begins_after_its_event_says_so_in_record_and_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clips = ClipKeeper(ClipsConfig(before_s=1.0, after_s=1.0))
    manager, listener = _open_desk(AlertFolder(tmp_path), clips)
    for index in range(200, 600):  # the ring holds 11 s; the event is of 10 to 12 s
        clips.push_frame("hall", Frame(index, index / 10, paint_number(index, (64, 96))))
    manager.on_event(make_event())
    manager.close()
    ((_, alert_id),) = listener.alerts
    clip = _read(tmp_path / f"{alert_id}.json")["clip"]
    assert isinstance(clip, dict)
    assert clip["start_s"] > 30
    assert clip["note"].startswith(f"begins {clip['start_s']:.1f} s after the event did")
    assert f"Clip of {alert_id}: it begins" in caplog.text


def test_a_clip_goes_with_an_alert_that_was_deleted_meanwhile(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path)
    (tmp_path / "a.mp4").write_bytes(b"clip")
    folder.add_clip("a", tmp_path / "a.mp4", -2.0, 4.0)
    assert list(tmp_path.iterdir()) == []
