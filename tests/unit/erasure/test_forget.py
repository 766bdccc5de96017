"""What is forgotten is gone everywhere below the folders, and nothing else is."""

import json
import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from bundles import make_bundle
from moments import NOON, make_alert, make_event
from stores import make_store
from videos import make_clip

import har
from har.capture.folder import find_sheet, load_rows, make_row, save_rows
from har.capture.script import plan_takes
from har.config import CaptureConfig
from har.dataset.store import Store
from har.errors import ConfigError, LockedError, ReviewError
from har.live.alert_folder import AlertFolder
from har.locks import locking
from har.review.store import FoundEvent, Recording, ReviewStore, Verdict

OF_ALL = ("events.parquet", "scores.parquet", "failed.json")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Results of two videos, with a review of them, and the videos apart."""
    make_bundle(tmp_path / "models" / "mine")
    videos = tmp_path / "videos"
    for name in ("a.mp4", "a.b.mp4"):
        make_clip(videos / name, n_frames=50)
    out = tmp_path / "results"
    har.predict(videos, model=tmp_path / "models" / "mine", out=out, annotate=True, jobs=1)
    _fill_review(f"sqlite:///{out}/review.db", videos)
    (out / ".review").mkdir()
    (out / ".review" / "copy.mp4").write_bytes(b"copy")
    for name in OF_ALL:
        (out / name).write_text("a.mp4")
    return tmp_path


def _fill_review(url: str, videos: Path) -> None:
    store = ReviewStore(url)
    for name, group in (("a.mp4", "Anna"), ("a.b.mp4", "Ben")):
        recording = Recording(0, str(videos / name), 2.0, 25.0, group, ("active", "still"))
        number = store.add_recording(recording, [FoundEvent(0, 0, "model", "active", 0.0, 1.0)])
        store.add_verdict(
            Verdict(f"u{number}", "Ada", number, "new", 1, "keep", "active", 0, 1, comment=name)
        )
    store.close()


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
    } | {"results/.review/copy.mp4", *(f"results/{name}" for name in OF_ALL)}
    assert {
        Path(e["video"]).name for e in json.loads((folder / "results/results.json").read_text())
    } == {"a.b.mp4"}
    assert "a.mp4" not in (folder / "results/events.csv").read_text()
    assert _reviewed(folder) == ["a.b.mp4"]
    assert b"a.mp4" not in (folder / "results/review.db").read_bytes()  # not in freed pages either
    kinds = {item.kind for item in done.removed}
    assert kinds == {"results", "review", "review copies"}
    assert not har.forget(folder / "results", video="a.mp4").removed


@pytest.mark.parametrize("video", ["a.mp4", "videos/a.mp4"])
def test_kept_files_without_their_results_go_with_the_results_of_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, video: str
) -> None:
    monkeypatch.chdir(folder)
    out = folder / "kept"
    har.predict("videos", model="models/mine", out=out, keep="features", jobs=1)
    (out / "a.features.npz").rename(out / "cam1_a_mp4.features.npz")  # only its header says it
    shutil.copy(out / "a.b.features.npz", out / "a.features.npz")  # its header says a.b.mp4
    for name in ("cam1_a_mp4.keypoints.npz", "a.b.keypoints.npz", "aa.keypoints.npz"):
        (out / name).write_bytes(b"points")
    lone = folder / "lone"
    lone.mkdir()
    for name in (
        "a.features.npz.part",
        "a.keypoints.npz",
        "a_mp4.keypoints.npz",
        "b.keypoints.npz",
    ):
        (lone / name).write_bytes(b"torn")
    (out / "a.result.json").unlink()
    again = folder / "again"
    har.predict(out / "cam1_a_mp4.features.npz", model="models/mine", out=again)
    before, below = _list(folder), [out, lone, again]
    would = har.forget(below, video=video, dry_run=True)
    assert _list(folder) == before
    assert har.forget(below, video=video).removed == would.removed
    gone = before - _list(folder)
    assert {name for name in gone if name.endswith((".npz", ".part"))} == {
        "kept/cam1_a_mp4.features.npz",
        "kept/cam1_a_mp4.keypoints.npz",
        "lone/a.features.npz.part",
        "lone/a.keypoints.npz",
        "lone/a_mp4.keypoints.npz",
    }
    assert "again/cam1_a_mp4.features.result.json" in gone
    assert "kept/a.b.result.json" not in gone
    would = har.forget(out, video="a.b.mp4", dry_run=True)
    assert har.forget(out, video="a.b.mp4").removed == would.removed
    assert not list(out.glob("a.*.npz"))


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
    names = {name.rpartition("/")[2] for name in _list(folder / "results")}
    assert {name for name in names if name.startswith("a.b.")} == set()
    assert "a.result.json" in names


def test_a_database_elsewhere_is_cleared_and_copies_of_videos_below_the_folders(
    folder: Path, review_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = folder / "results"
    (out / "review.db").unlink()
    _fill_review(review_url, folder / "videos")
    own = folder / "own"  # where the command is typed: not below the folders, so left alone
    (own / ".review").mkdir(parents=True)
    monkeypatch.chdir(own)
    would = har.forget(out, subject="Ben", database=review_url, dry_run=True)
    assert (out / "a.b.result.json").is_file()
    done = har.forget(out, subject="Ben", database=review_url)
    assert done.removed == would.removed
    (review,) = [item for item in done.removed if item.kind == "review"]
    assert review.what == "1 recording with 1 verdict"
    assert str(review.path) in ("127.0.0.1/postgres", str(folder / "review.db"))
    assert not (out / ".review").exists()
    assert not (out / "a.b.result.json").exists()
    assert (own / ".review").exists()
    store = ReviewStore(review_url)
    assert [(Path(item.path).name, item.group) for item in store.list_recordings()] == [
        ("a.mp4", "Anna")
    ]
    assert [verdict.comment for verdict in store.read_log()] == ["a.mp4"]
    store.close()


def test_freed_pages_of_postgresql_hold_nothing_of_it(tmp_path: Path, postgres_url: str) -> None:
    video = "of-wilhelmina.mp4"
    store = ReviewStore(postgres_url)
    number = store.add_recording(Recording(0, video, 2.0), [])
    store.add_verdict(Verdict(video, "Ada", number, "n", 1, "keep", "hit", 0, 1, comment=video))
    store.close()
    engine = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")

    def is_on_disk() -> bool:
        with engine.connect() as connection:
            connection.execute(sa.text("CHECKPOINT"))
            data = Path(connection.execute(sa.text("SHOW data_directory")).scalar_one())
        files = [path for path in (data / "base").rglob("*") if path.is_file()]
        return any(video.encode() in path.read_bytes() for path in files)

    assert is_on_disk()
    har.forget(tmp_path, video=video, database=postgres_url)
    assert not is_on_disk()
    engine.dispose()


def test_a_database_that_is_not_there_stops_it_before_anything_is_gone(folder: Path) -> None:
    before = _list(folder)
    url = f"sqlite:///{folder}/typo.db"
    with pytest.raises(ReviewError, match="holds no review; check"):
        har.forget(folder, video="a.mp4", database=url)
    assert _list(folder) == before


def test_alerts_go_from_the_review_of_a_watch_with_their_clips(tmp_path: Path) -> None:
    alerts = AlertFolder(tmp_path / "alerts")
    alert = make_alert(make_event(0.0, start=NOON))
    name = alerts.name(alert)
    alerts.write(name, alert)
    clip = alerts.path / f"{name}.mp4"
    clip.write_bytes(b"clip")
    store = ReviewStore(f"sqlite:///{tmp_path}/review.db")
    store.add_recording(Recording(0, str(clip), 2.0), [])
    har.forget(tmp_path, before=NOON + timedelta(days=1))
    assert store.list_recordings() == []
    store.close()


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
