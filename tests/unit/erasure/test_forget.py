"""What is forgotten is gone everywhere below the folders, and nothing else is."""

import json
import os
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from bundles import make_bundle
from moments import NOON, make_alert, make_event
from stores import make_store
from videos import make_clip

import har
from har.capture.folder import find_sheet, load_rows, make_row, save_rows
from har.capture.script import plan_takes
from har.config import CaptureConfig
from har.dataset.store import Store
from har.errors import ConfigError, LockedError
from har.live.alert_folder import AlertFolder
from har.locks import locking
from har.review.store import FoundEvent, Recording, ReviewStore, Verdict


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Results of two videos, with a review of them, and the videos apart."""
    make_bundle(tmp_path / "models" / "mine")
    videos = tmp_path / "videos"
    for name in ("a.mp4", "a.b.mp4"):
        make_clip(videos / name, n_frames=50)
    out = tmp_path / "results"
    har.predict(videos, model=tmp_path / "models" / "mine", out=out, annotate=True, jobs=1)
    store = ReviewStore(f"sqlite:///{out}/review.db")
    for name, group in (("a.mp4", "Anna"), ("a.b.mp4", "Ben")):
        recording = Recording(0, str(videos / name), 2.0, 25.0, group, ("active", "still"))
        number = store.add_recording(recording, [FoundEvent(0, 0, "model", "active", 0.0, 1.0)])
        store.add_verdict(
            Verdict(f"u{number}", "Ada", number, "new", 1, "keep", "active", 0, 1, comment=name)
        )
    store.close()
    (out / ".review").mkdir()
    (out / ".review" / "copy.mp4").write_bytes(b"copy")
    return tmp_path


def _list(folder: Path) -> set[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return {name for name in found if ".har.lock" not in name}


def _reviewed(folder: Path) -> list[str]:
    store = ReviewStore(f"sqlite:///{folder}/results/review.db")
    names = [Path(recording.path).name for recording in store.list_recordings()]
    store.close()
    return names


def test_a_video_goes_from_results_tables_and_reviews(folder: Path) -> None:
    before = _list(folder)
    done = har.forget(folder / "results", video="a.mp4")
    gone = before - _list(folder)
    assert gone == {
        name for name in before if name.startswith("results/a.") and "a.b." not in name
    } | {"results/.review/copy.mp4"}
    assert {
        Path(e["video"]).name for e in json.loads((folder / "results/results.json").read_text())
    } == {"a.b.mp4"}
    assert "a.mp4" not in (folder / "results/events.csv").read_text()
    assert _reviewed(folder) == ["a.b.mp4"]
    assert b"a.mp4" not in (folder / "results/review.db").read_bytes()  # not in freed pages either
    kinds = {item.kind for item in done.removed}
    assert kinds == {"results", "review", "review copies"}
    assert not har.forget(folder / "results", video="a.mp4").removed


def test_a_dry_run_says_the_same_and_removes_nothing(folder: Path) -> None:
    before = {name: (folder / name).read_bytes() for name in _list(folder)}
    would = har.forget(folder, video="a.mp4", dry_run=True)
    changed = [name for name, data in before.items() if (folder / name).read_bytes() != data]
    assert changed == []
    assert would.is_dry
    assert would.removed == har.forget(folder, video="a.mp4").removed
    assert [item.path.name for item in would.left if item.kind == "model"] == ["mine"]


def test_a_persons_review_and_the_results_of_their_recordings_go(folder: Path) -> None:
    har.forget(folder / "results", subject="Ben")
    assert _reviewed(folder) == ["a.mp4"]


def test_a_person_goes_from_prepared_clips(tmp_path: Path) -> None:
    store = make_store(tmp_path)
    gone = {clip.clip_id for clip in store.clips if clip.group == "g1"}
    keypoints = tmp_path / "store" / "keypoints" / "0123"
    keypoints.mkdir(parents=True)
    for clip in store.clips:
        np.savez(keypoints / f"{clip.clip_id}.0123456789ab.npz", points=np.zeros(1))
    done = har.forget(tmp_path, subject="g1")
    left = Store.load(tmp_path / "store")
    assert {clip.clip_id for clip in store.clips} - {clip.clip_id for clip in left.clips} == gone
    assert len(gone) == 4
    assert not gone & {*left.splits.parts, *left.splits.folds}
    assert not [name for name in _list(tmp_path / "store") for one in gone if one in name]
    assert len(list(keypoints.iterdir())) == 20
    assert not (tmp_path / "store" / "sheet.png").exists()
    for clip in left.clips:
        left.open_frames(clip.clip_id)
    assert "4 of 24 clips" in {item.what for item in done.removed}
    assert all((tmp_path / "clips" / "moves" / f"g1_{take}.mp4").is_file() for take in range(2))
    assert any(item.path.name == "manifest.csv" for item in done.left)  # it names the person


def test_a_person_goes_from_recorded_takes(tmp_path: Path) -> None:
    rows = [
        make_row(take, config)
        for config in (CaptureConfig(person="p1"), CaptureConfig(person="p2"))
        for take in plan_takes(config)[:3]
    ]
    for row in rows:
        (tmp_path / row.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / row.path).write_bytes(b"clip")
        find_sheet(tmp_path, row.group).parent.mkdir(exist_ok=True)
        find_sheet(tmp_path, row.group).write_bytes(b"sheet")
    save_rows(tmp_path, rows)
    har.forget(tmp_path, subject="p2")
    assert load_rows(tmp_path) == rows[:3]
    assert not [name for name in _list(tmp_path) if "p2" in name]


def test_old_alerts_results_and_log_lines_go(folder: Path) -> None:
    alerts = AlertFolder(folder / "watch" / "alerts")
    for days in (31, 29):
        alert = make_alert(make_event(0.0, start=NOON - timedelta(days=days)))
        name = alerts.name(alert)
        alerts.write(name, alert)
        (alerts.path / f"{name}.mp4").write_bytes(b"clip")
    old, young = ({"at": (NOON - timedelta(days=days)).isoformat()} for days in (31, 29))
    log = folder / "watch" / "events.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in (old, young)) + "torn\n")
    month = NOON - timedelta(days=30)
    for path in (folder / "results").glob("a.b.*"):
        os.utime(path, (month.timestamp() - 60,) * 2)
    for path in (folder / "results").glob("a.mp4.*"):
        os.utime(path, (month.timestamp() + 60,) * 2)
    har.forget(folder, before=month)
    assert sorted(path.suffix for path in alerts.path.iterdir()) == [".json", ".mp4"]
    assert log.read_text() == json.dumps(young) + "\ntorn\n"
    names = _list(folder / "results")
    assert "a.result.json" in names or "a_mp4.result.json" in names
    assert not [name for name in names if name.startswith("a.b.")]
    assert _reviewed(folder) == ["a.mp4"]


def test_links_are_not_followed_and_names_lead_nowhere_else(folder: Path) -> None:
    outside = folder / "outside"
    (folder / "results").rename(outside)
    inside = folder / "inside"
    inside.mkdir()
    (inside / "results").symlink_to(outside, target_is_directory=True)
    before = _list(outside)
    assert not har.forget(inside, video="a.mp4").removed
    assert _list(outside) == before
    with pytest.raises(ConfigError, match="links are not followed"):
        har.forget(inside / "results", video="a.mp4")
    linked = folder / "linked"
    linked.mkdir()
    (linked / "a.result.json").write_bytes((outside / "a.result.json").read_bytes())
    (linked / "a.annotated.mp4").symlink_to(outside / "a.annotated.mp4")
    har.forget(linked, video="a.mp4")
    assert _list(outside) == before


def test_a_folder_in_use_is_left_alone(folder: Path) -> None:
    before = _list(folder)
    with locking(folder / "results"), pytest.raises(LockedError):
        har.forget(folder, video="a.mp4")
    assert _list(folder) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "Expected one of subject, video and before, received 0"),
        ({"subject": "a", "video": "b"}, "received 2"),
        ({"before": "yesterday"}, "such as 2025-07-01"),
    ],
)
def test_what_is_unclear_is_refused(tmp_path: Path, options: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        har.forget(tmp_path, **options)
    with pytest.raises(ConfigError, match="Expected a folder"):
        har.forget(tmp_path / "none", before=datetime(2025, 1, 1))
