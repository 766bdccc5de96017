"""Alerts of `har watch` come into the queue once they are over; the live page shows cameras."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from starlette.testclient import TestClient
from videos import make_clip

from har.review.media import MediaFolder
from har.review.project import Project, add_samples
from har.review.server import create_app, name_cookie
from har.review.store import ReviewStore
from har.review.watched import WatchFolder, is_watch_folder

NOW = datetime.now().astimezone().replace(hour=12)
TOKEN, HOST = "a-token-of-this-run", "127.0.0.1:8123"


def write_alert(folder, name, began_at=NOW, **changes):
    make_clip(folder / "alerts" / f"{name}.mp4", n_frames=50)
    values = {
        "made_by": "har watch",
        "id": name,
        "camera": "hall",
        "label": "hit",
        "score": 0.8,
        "began_at": began_at.isoformat(),
        "length_s": 0.5,
        "is_open": False,
        "subject": "1",
        "target": None,
        "clip": {"file": f"{name}.mp4", "start_s": -1.0, "length_s": 2.0},
    }
    (folder / "alerts" / f"{name}.json").write_text(json.dumps(values | changes))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "alerts").mkdir()
    write_alert(tmp_path, "a")
    write_alert(tmp_path, "old", NOW - timedelta(days=2))
    write_alert(tmp_path, "open", is_open=True)
    write_alert(tmp_path, "no-clip", clip=None)
    write_alert(tmp_path, "elsewhere", clip={"file": "../../b.mp4", "start_s": -1, "length_s": 2})
    write_alert(tmp_path, "foreign", made_by="somebody")
    (tmp_path / "alerts" / "torn.json").write_text('{"made_by": "har w')
    camera = {"kind": "camera", "camera": "hall", "at": NOW.isoformat(), "note": ""}
    lines = [camera | {"state": state} for state in ("starting", "lost", "live")]
    (tmp_path / "log.jsonl").write_text("\n".join(["torn", *map(json.dumps, lines)]))
    event = {"kind": "event", "camera": "hall", "label": "hit", "at": NOW.isoformat()}
    events = [event | {"score": score, "is_open": score < 0.7} for score in (0.6, 0.8)]
    (tmp_path / "events.jsonl").write_text("\n".join(map(json.dumps, events)))
    return tmp_path


@pytest.fixture
def store(folder):
    store = ReviewStore(f"sqlite:///{folder}/review.db")
    yield store
    store.close()


def test_alerts_that_are_over_come_once(folder, store):
    watched = WatchFolder(folder)
    assert (watched.add_alerts(store), watched.add_alerts(store)) == (2, 0)
    assert WatchFolder(folder).add_alerts(store) == 2  # of another run; the store knows them
    events, recordings = store.list_events(), store.list_recordings()
    assert len(events) == len(recordings) == 2
    event = events[0]
    assert (event.source, event.start_s, event.end_s, event.subject) == ("alert", 1.0, 1.5, "1")
    assert {recording.group for recording in recordings} == {"hall"}
    add_samples(store, 3, 1.0, 0)
    assert len(store.list_events()) == 2

    write_alert(folder, "open")
    assert watched.add_alerts(store) == 1


def test_the_live_page_has_cameras_and_the_alerts_of_the_day(folder, store):
    app = create_app(
        Project(store, MediaFolder(folder / "m"), (WatchFolder(folder),)), TOKEN, (HOST,)
    )
    with TestClient(app, base_url=f"http://{HOST}") as client:
        assert client.get("/api/live").status_code == 401
        client.cookies.set(name_cookie(HOST), TOKEN)
        assert client.get("/live").status_code == 200
        found = client.get("/api/live").json()
        (camera,) = found["cameras"]
        assert (camera["name"], camera["state"]) == ("hall", "live")
        assert (camera["last"]["score"], camera["last"]["is_open"]) == (0.8, False)
        assert {item["id"] for item in found["alerts"]} == {"a", "open", "no-clip", "elsewhere"}
        (ready,) = [item for item in found["alerts"] if item["recording"]]
        assert ready["id"] == "a"
        media = client.get(f"/api/recordings/{ready['recording']}/media")
        assert media.content == (folder / "alerts" / "a.mp4").read_bytes()
        queue = client.get("/api/queue", params={"observer": "Ada"}).json()
        assert [item["event"]["source"] for item in queue] == ["alert", "alert"]


def write_state(folder, at=NOW, **cameras):
    found = {
        name: {"state": state, "at": at.isoformat(), "scores": scores}
        for name, (state, scores) in cameras.items()
    }
    (folder / "cameras.json").write_text(json.dumps({"made_by": "har watch", "cameras": found}))


def test_the_newest_score_is_that_of_the_watch_not_of_the_last_event(folder):
    moment = (NOW - timedelta(seconds=1)).isoformat()
    scores = {"at": moment, "values": {"playing": 0.6, "hit": 0.4}}
    write_state(folder, hall=("live", scores), gate=("lost", None))
    gate, hall = WatchFolder(folder).describe(NOW)["cameras"]
    assert hall["newest"] == {"label": "playing", "score": 0.6, "at": moment}
    assert (hall["last"]["label"], hall["last"]["score"]) == ("hit", 0.8)
    assert (gate["state"], gate["newest"], gate["last"]) == ("lost", None, None)
    uncertain = scores | {"values": {"playing": 0.0, "hit": 0.0}}
    write_state(folder, hall=("live", uncertain))
    (hall,) = WatchFolder(folder).describe(NOW)["cameras"]
    assert hall["newest"] == {"label": "", "score": 0.0, "at": moment}


def test_a_watch_that_was_killed_is_not_live(folder):
    write_state(folder, NOW - timedelta(seconds=16), hall=("live", None), gate=("ended", None))
    gate, hall = WatchFolder(folder).describe(NOW)["cameras"]
    assert (hall["state"], gate["state"]) == ("har watch has stopped", "ended")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"made_by": "har watch", "cameras": []}',
        '{"made_by": "har watch", "cameras": {"hall": {"at": 3, "scores": {"values": [1]}}}}',
    ],
)
def test_a_state_that_is_none_takes_nothing_away(folder, text):
    (folder / "cameras.json").write_text(text)
    (hall,) = WatchFolder(folder).describe(NOW)["cameras"]
    assert (hall["name"], hall["newest"], hall["last"]["score"]) == ("hall", None, 0.8)


def test_a_folder_without_anything(tmp_path):
    assert not is_watch_folder(tmp_path)
    assert WatchFolder(tmp_path).describe(NOW) == {"cameras": [], "alerts": []}


def test_a_clip_that_came_too_late_is_said_not_to_show_its_alert(folder):
    late = {"file": "late.mp4", "start_s": 32.5, "length_s": 0.0}
    write_alert(folder, "late", clip=late)
    watched = WatchFolder(folder)
    alerts = {item["id"]: item["is_empty"] for item in watched.describe(NOW)["alerts"]}
    expected = {"a": False, "open": False, "no-clip": False, "elsewhere": True, "late": True}
    assert alerts == expected
