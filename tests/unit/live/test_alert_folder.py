"""Retention: what is too old goes, and nothing that `har watch` has not made."""

import json
import time
from datetime import timedelta
from pathlib import Path

import pytest
from moments import NOON, make_alert, make_event

from har.config import RetentionConfig
from har.live.alert_folder import AlertFolder, Retention
from har.live.journal import Journal


def _add_alert(folder: AlertFolder, days: float) -> str:
    """Write an alert of ``days`` ago with its clip."""
    alert = make_alert(make_event(0.0, start=NOON - timedelta(days=days)))
    alert_id = folder.name(alert)
    folder.write(alert_id, alert)
    (folder.path / f"{alert_id}.mp4").write_bytes(b"clip")
    return alert_id


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_old_alerts_go_with_all_their_files(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path / "alerts")
    old, young = _add_alert(folder, 31), _add_alert(folder, 29)
    (folder.path / f"{old}.mkv.part").write_bytes(b"half a clip, from a kill")
    gone = folder.delete_before(NOON - timedelta(days=30))
    assert gone == [f"{old}.mp4", f"{old}.mkv.part", f"{old}.json"]
    assert _names(folder.path) == {f"{young}.mp4", f"{young}.json"}


def test_what_others_made_stays(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path / "alerts")
    old = _add_alert(folder, 400)
    values = json.loads((folder.path / f"{old}.json").read_text())
    others = {
        "notes.json": json.dumps({"began_at": "2001-01-01T00:00:00+00:00"}),
        "copy.json": json.dumps(values),
        "list.json": "[1, 2]",
        "torn.json": '{"made_by": "har watch',
        "zoneless.json": json.dumps(
            {**values, "id": "zoneless", "began_at": "2001-01-01T00:00:00"}
        ),
        "holiday.mp4": "film",
        f"{old}.txt": "what we think of it",
    }
    for name, text in others.items():
        (folder.path / name).write_text(text)
    (folder.path / "copy.mp4").write_text("film")
    assert folder.delete_before(NOON) == [f"{old}.mp4", f"{old}.json"]
    assert _names(folder.path) == {*others, "copy.mp4"}


def test_links_are_never_followed(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path / "alerts")
    old = _add_alert(folder, 400)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    film = elsewhere / "film.mp4"
    film.write_bytes(b"film")
    (folder.path / f"{old}.mp4").unlink()
    (folder.path / f"{old}.mp4").symlink_to(film)
    far = AlertFolder(elsewhere)
    far_id = _add_alert(far, 400)
    (folder.path / f"{far_id}-2.json").symlink_to(elsewhere / f"{far_id}.json")
    assert folder.delete_before(NOON) == [f"{old}.json"]
    assert film.read_bytes() == b"film"
    assert f"{far_id}.json" in _names(elsewhere)
    link = tmp_path / "link"
    link.symlink_to(elsewhere)
    assert AlertFolder(link).delete_before(NOON) == []
    assert AlertFolder(tmp_path / "nowhere").delete_before(NOON) == []


def test_at_the_start_and_from_time_to_time(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = AlertFolder(tmp_path / "alerts")
    first = _add_alert(folder, 31)
    config = RetentionConfig(keep_days=30, every_s=1.0)
    with Journal(tmp_path) as journal:
        journal.on_event(make_event(0.0, start=NOON - timedelta(days=31)))
        journal.on_event(make_event(0.0))
        with Retention(config, folder, journal, now=lambda: NOON):
            assert _names(folder.path) == set()
            second = _add_alert(folder, 31)
            deadline_s = time.monotonic() + 10
            while _names(folder.path) and time.monotonic() < deadline_s:
                time.sleep(0.02)
    assert _names(folder.path) == set()
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == 1
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(line["kind"], line["n_lines"]) for line in lines] == [("deleted", 1), ("deleted", 0)]
    assert [line["files"] for line in lines] == [
        [f"{name}.mp4", f"{name}.json"] for name in (first, second)
    ]
    assert "2 files of alerts, 1 lines" in caplog.text


def test_nothing_is_deleted_unless_asked(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path / "alerts")
    old = _add_alert(folder, 4000)
    with Journal(tmp_path) as journal, Retention(RetentionConfig(), folder, journal):
        pass
    assert f"{old}.json" in _names(folder.path)


def test_journal_that_is_gone_is_said_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with Journal(tmp_path) as journal:
        (tmp_path / "events.jsonl").unlink()
        Retention(RetentionConfig(keep_days=1), AlertFolder(tmp_path), journal).delete()
    assert "events.jsonl" in caplog.text


def test_a_record_stays_while_its_clip_cannot_be_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = AlertFolder(tmp_path)
    old = _add_alert(folder, 31)
    unlink = Path.unlink

    def refuse(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".mp4":
            raise PermissionError(13, "Permission denied")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    assert folder.delete_before(NOON) == []
    assert _names(tmp_path) == {f"{old}.mp4", f"{old}.json"}


def test_records_wait_for_room_and_have_names_of_their_own(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    place = tmp_path / "alerts"
    place.write_text("in the way, as a full disk is")
    folder, ids = AlertFolder(place), []
    for _ in range(2):
        ids.append(folder.name(make_alert(make_event(is_open=True))))
        folder.write(ids[-1], make_alert(make_event(is_open=True)))
    folder.complete(ids[0], make_event(length_s=7.0).event)
    assert not folder.has_record(ids[0])
    place.unlink()
    folder.flush()
    records = [json.loads((place / f"{name}.json").read_text()) for name in ids]
    assert [(record["length_s"], record["is_open"]) for record in records] == [
        (7.0, False),
        (2.0, True),
    ]
    assert caplog.text.count("Could not write the record of an alert, it waits") == 1
    assert folder.has_record(ids[1])


def test_what_a_killed_run_left_is_marked(tmp_path: Path) -> None:
    folder = AlertFolder(tmp_path)
    folder.write("a", make_alert(make_event(is_open=True)))
    folder.write("b", make_alert(make_event()))
    (tmp_path / "a.mp4.part").write_bytes(b"half a clip")
    (tmp_path / "holiday.mp4.part").write_bytes(b"of somebody else")
    AlertFolder(tmp_path).settle()
    marked, whole = (json.loads((tmp_path / f"{name}.json").read_text()) for name in "ab")
    assert (marked["is_open"], marked["is_interrupted"]) == (False, True)
    assert "is_interrupted" not in whole
    assert _names(tmp_path) == {"a.json", "b.json", "holiday.mp4.part"}
