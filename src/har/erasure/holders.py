"""What holds something of people, kind by kind: prepared clips, results, takes, alerts, reviews."""

from __future__ import annotations

import dataclasses
import glob
import json
from collections.abc import Callable
from contextlib import closing, nullcontext
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from har.capture import folder as takes
from har.config import DecodeConfig
from har.dataset.index import StoredClip, read_rows, write_rows
from har.dataset.splits import Splits
from har.dataset.store import (
    INDEX,
    PROGRESS,
    SETTINGS,
    SPLITS,
    frames_path,
    keypoints_path,
    read_json,
    times_path,
)
from har.erasure.target import Target, Trash
from har.errors import StoreError
from har.feature_files import FEATURES_ENDING, find_video_of
from har.files import replacing, write_json
from har.inference.cache import RESULT_ENDING
from har.live.alert_folder import AlertFolder
from har.live.state_file import STATE_FILE
from har.locks import locking
from har.pose.adapters.reading import KEYPOINTS_ENDING
from har.progress import format_count
from har.reports import results
from har.scale.failed import FILE as FAILED
from har.scale.parquet import EVENTS, SCORES

_PICTURES_OF_STORE = ("sheet.png", "report.md", "report.json", "report.html", PROGRESS)
_LOGS = ("events.jsonl", "log.jsonl")
_COPIES = ".review"
_OF_ALERT = (".mp4", ".mkv", ".mp4.part", ".mkv.part", ".json.part")
_RESULTS = "results.json"
_SIDECARS = (FEATURES_ENDING, KEYPOINTS_ENDING)
_OF_ALL = (EVENTS, SCORES, FAILED)
"""What is written again when it is asked for again."""


def forget_store(folder: Path, target: Target, trash: Trash) -> None:
    """Take clips out of prepared clips: pictures, keypoints, their lines, and the sheet of all."""
    if not (folder / SETTINGS).is_file() or not (folder / INDEX).is_file():
        return
    clips = read_rows(folder / INDEX)
    gone = [clip for clip in clips if _is_meant(folder, clip, target)]
    if not gone:
        return
    with nullcontext() if trash.is_dry else locking(folder):
        for clip in gone:
            target.add_video(clip.path)
            _delete_clip(folder, clip.clip_id, trash)
        for name in _PICTURES_OF_STORE:
            trash.delete(folder / name, "prepared clips")
        trash.note("prepared clips", folder / INDEX, f"{len(gone)} of {len(clips)} clips")
        if trash.is_dry:
            return
        ids = {clip.clip_id for clip in gone}
        _leave_out(folder / SPLITS, ids)
        with replacing(folder / INDEX) as part:
            write_rows(part, [clip for clip in clips if clip.clip_id not in ids])


def _is_meant(folder: Path, clip: StoredClip, target: Target) -> bool:
    if target.subject:
        return target.subject in (clip.subject, clip.group)
    return target.is_video(clip.path, times_path(folder, clip.clip_id))


def _delete_clip(folder: Path, clip_id: str, trash: Trash) -> None:
    if Path(clip_id).name != clip_id:
        raise StoreError(f"{folder / INDEX} names the clip {clip_id!r}, which is no name; mend it")
    for find in (frames_path, times_path, keypoints_path):
        trash.delete(find(folder, clip_id), "prepared clips")
    for path in sorted((folder / "keypoints").rglob(f"{glob.escape(clip_id)}.*")):
        trash.delete(path, "keypoints")


def _leave_out(path: Path, ids: set[str]) -> None:
    try:
        splits = Splits.from_json(read_json(path))
    except (OSError, ValueError) as error:
        raise StoreError(f"{path} cannot be read ({error}); delete the store") from error
    parts = {name: part for name, part in splits.parts.items() if name not in ids}
    folds = {name: fold for name, fold in splits.folds.items() if name not in ids}
    write_json(path, dataclasses.replace(splits, parts=parts, folds=folds).to_json())


def find_sidecars(folder: Path, target: Target, trash: Trash) -> None:
    """Note features and keypoints of videos, before what says whose they are is gone."""
    del trash
    for path in folder.glob("*.npz*"):
        if path.is_file() and not path.is_symlink() and _is_sidecar_of(path, target):
            target.sidecars.add(path.resolve())


def _is_sidecar_of(path: Path, target: Target) -> bool:
    """Return whether the result beside a file, its header or its name is of what is meant."""
    name = path.name.removesuffix(".part")
    stem = next((name.removesuffix(end) for end in _SIDECARS if name.endswith(end)), "")
    if not stem:
        return False
    video = results.find_place(path.with_name(stem + RESULT_ENDING))
    video = video or find_video_of(path.with_name(stem + FEATURES_ENDING))
    named = Path(target.video)
    if video is None:
        return bool(target.video) and stem in (named.stem, named.name.replace(".", "_"))
    is_end = bool(target.video) and named.parts[-len(video.parts) :] == video.parts
    return target.is_video(video) or is_end


def forget_sidecars(folder: Path, target: Target, trash: Trash) -> None:
    """Delete features and keypoints of videos that lie there without their results."""
    listed = {item.path for item in trash.removed}  # with their results
    paths = [folder / path.name for path in target.sidecars if path.parent == folder.resolve()]
    gone = sorted(path for path in paths if path.exists() and path not in listed)
    if not gone:
        return
    with nullcontext() if trash.is_dry else locking(folder):
        for path in gone:
            trash.delete(path, "results")


def forget_results(folder: Path, target: Target, trash: Trash) -> None:
    """Delete what `har predict` wrote of videos, and their lines in the tables of all."""
    stems = results.find_taken_stems(folder)
    gone = {
        stem: video
        for stem, video in stems.items()
        if target.is_video(video, folder / f"{stem}{RESULT_ENDING}")
        or video.resolve() in target.sidecars
        or _is_sidecar_of(video, target)
    }
    if not gone:
        return
    with nullcontext() if trash.is_dry else locking(folder):
        for stem, video in gone.items():
            target.add_video(video)
            for path in sorted(folder.glob(f"{glob.escape(stem)}.*")):
                if not _is_of_longer(path.name, stem, stems):
                    trash.delete(path, "results")
        for name in _OF_ALL:
            trash.delete(folder / name, "results")
        trash.note("results", folder / _RESULTS, f"{len(gone)} of {len(stems)} videos")
        if not trash.is_dry:
            _drop_entries(folder, set(gone))


def _is_of_longer(name: str, stem: str, stems: dict[str, Path]) -> bool:
    """Return whether a file is of another video, whose stem is longer."""
    return any(
        name.startswith(f"{other}.") for other in stems if other != stem and len(other) > len(stem)
    )


def _drop_entries(folder: Path, stems: set[str]) -> None:
    path = folder / _RESULTS
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        entries = []
    left = [entry for entry in entries if entry.get("stem") not in stems]
    write_json(path, left)
    results.write_folder_outputs(folder, [], {}, DecodeConfig())


def forget_takes(folder: Path, target: Target, trash: Trash) -> None:
    """Delete takes of `har record`, their lines and the sheets of their sessions."""
    path = folder / takes.MANIFEST_NAME
    if not path.is_file() or not takes.is_manifest(path):
        return
    rows = takes.load_rows(folder)
    gone = [row for row in rows if _is_take_meant(folder, row, target)]
    if not gone:
        return
    for row in gone:
        target.add_video(folder / row.path)
        trash.delete(folder / row.path, "takes")
    for group in sorted({row.group for row in gone}):
        trash.delete(takes.find_sheet(folder, group), "takes")
    trash.note("takes", path, f"{len(gone)} of {len(rows)} takes")
    if not trash.is_dry:
        takes.save_rows(folder, [row for row in rows if row not in gone])


def _is_take_meant(folder: Path, row: takes.TakeRow, target: Target) -> bool:
    if target.subject:
        people = (row.person, row.partner, row.subject, row.target, row.group)
        return target.subject in people
    return target.is_video(folder / row.path, folder / row.path)


def forget_alerts(folder: Path, target: Target, trash: Trash) -> None:
    """Delete alerts with their clips, and lines of the event log; of people nothing is known."""
    alerts = AlertFolder(folder)
    for record, began_at in alerts.list_records():
        clips = [record.with_name(record.stem + suffix) for suffix in _OF_ALERT]
        is_old = target.before is not None and began_at < target.before
        is_named = bool(target.video) and any(target.is_video(clip) for clip in clips)
        if is_old or is_named:
            for path in (*clips, record):
                target.add_video(path)
                trash.delete(path, "alerts")


def forget_log(folder: Path, target: Target, trash: Trash) -> None:
    """Delete old lines of the event log of a watch, and its old newest scores."""
    moment = target.before
    if target.is_old(folder / STATE_FILE) and _is_of_watch(folder / STATE_FILE):
        trash.delete(folder / STATE_FILE, "event log")
    paths = [folder / name for name in _LOGS if (folder / name).is_file()]
    if moment is None or not paths:
        return
    for path in paths:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        left = [line for line in lines if not _is_before(line, moment)]
        if path.is_symlink() or len(left) == len(lines):
            continue
        trash.note("event log", path, f"{len(lines) - len(left)} of {len(lines)} lines")
        if not trash.is_dry:
            with locking(folder), replacing(path) as part:
                part.write_text("".join(left), encoding="utf-8")


def _is_of_watch(path: Path) -> bool:
    try:
        return json.loads(path.read_text(encoding="utf-8"))["made_by"] == "har watch"
    except (OSError, ValueError, TypeError, KeyError):
        return False


def _is_before(line: str, moment: datetime) -> bool:
    try:
        return datetime.fromisoformat(json.loads(line)["at"]).astimezone() < moment
    except (ValueError, TypeError, KeyError):
        return False


def find_in_review(url: str, target: Target) -> None:
    """Note the recordings of a person that only a review knows, for the results of them.

    Args:
        url: Of the review's database.
        target: What is to be forgotten.
    """
    from har.review.store import ReviewStore

    with closing(ReviewStore(url, must_exist=True)) as store:
        for recording in store.list_recordings() if target.subject else ():
            if target.subject in _list_people(store, recording):
                target.add_video(Path(recording.path))


def forget_review(url: str, target: Target, trash: Trash) -> None:
    """Delete recordings of a review with their events and verdicts.

    Args:
        url: Of the database.
        target: What is to be forgotten.
        trash: Remembers it.
    """
    from har.review.store import ReviewStore

    with closing(ReviewStore(url)) as store:
        gone = [
            recording
            for recording in store.list_recordings()
            if target.holds(Path(recording.path))
            or (target.video and target.is_video(Path(recording.path)))
        ]
        if not gone:
            return
        for recording in gone:
            target.add_video(Path(recording.path))
        n_verdicts = sum(len(store.read_log(recording.id)) for recording in gone)
        names = f"{format_count(len(gone), 'recording')} with {format_count(n_verdicts, 'verdict')}"
        trash.note("review", Path(store.place), names)
        if not trash.is_dry:
            store.delete_recordings([recording.id for recording in gone])


def _list_people(store: Any, recording: Any) -> set[str]:
    events = [*store.list_events(recording.id), *store.read_log(recording.id)]
    people = ((event.subject, event.target) for event in events)
    return {recording.group, *chain.from_iterable(people)}


def forget_copies(folder: Path, target: Target, trash: Trash) -> None:
    """Delete the copies of videos that a review made; those that are needed are made again."""
    if target.videos:
        trash.delete(folder / _COPIES, "review copies")


Forget = Callable[[Path, Target, Trash], None]
HOLDERS: tuple[Forget, ...] = (
    forget_store,
    forget_takes,
    find_sidecars,
    forget_results,
    forget_sidecars,
    forget_alerts,
    forget_log,
)
"""In this order: the first find the recordings of a person, of which the next delete results."""
