"""The index of a store: one CSV line a prepared clip, written and read back without loss."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from har.dataset.catalog import Reject
from har.errors import StoreError
from har.escaping import guard_cell, unguard_cell
from har.types import OLD_ORIGIN, SYNTHETIC, Clip, SplitName

_SPLITS: dict[str, SplitName | None] = {"": None, "train": "train", "val": "val", "test": "test"}
_HASH_LENGTH = 64
_MAX_WEIGHT = 1000.0
_BYTES = "surrogateescape"
"""File names are bytes; those that are no UTF-8 go to the index and back as they are."""
_REJECT_COLUMNS = ("clip_id", "path", "reason")
COLUMNS = (
    "clip_id",
    "label",
    "group",
    "subject",
    "split",
    "origin",
    "path",
    "start_s",
    "end_s",
    "n_frames",
    "fps",
    "duration_s",
    "width",
    "height",
    "damaged_s",
    "scene_hashes",
    "note",
    "hash",
    "video_bytes",
    "video_mtime_ns",
    "video_hash",
    "kind",
    "weight",
)


@dataclass(frozen=True, kw_only=True)
class StoredClip(Clip):
    """A clip whose frames are in the store.

    Attributes:
        n_frames: Frames in the store, after thinning.
        fps: Frames a second by the video's container, else as measured.
        duration_s: From the first frame to one interval after the last.
        width: Of the video, px, as seen on a screen.
        height: Of the video, px.
        damaged_s: Where the video is damaged within the clip, in seconds of the video, or None.
        scene_hashes: Perceptual hashes of a few frames.
        note: What is to be known of the video, such as a gap in it; empty for nothing.
        kind: `har.types.KEYPOINTS` where the store has them in the place of frames, else empty.
        hash: SHA-256 of the stored frames and their times.
        video_bytes: Size of the video's file.
        video_mtime_ns: When it was last changed.
        video_hash: SHA-256 of the video's file.
    """

    n_frames: int
    fps: float
    duration_s: float
    width: int
    height: int
    damaged_s: float | None
    scene_hashes: tuple[int, ...]
    hash: str
    video_bytes: int
    video_mtime_ns: int
    video_hash: str
    note: str = ""
    kind: str = ""


def write_rows(path: Path, clips: Iterable[StoredClip]) -> None:
    """Write an index with its header."""
    with path.open("w", encoding="utf-8", errors=_BYTES, newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        writer.writerows(_to_cells(clip) for clip in clips)


def append_row(path: Path, clip: StoredClip) -> None:
    """Add a line to an index."""
    with path.open("a", encoding="utf-8", errors=_BYTES, newline="") as lines:
        csv.writer(lines).writerow(_to_cells(clip))


def read_rows(path: Path, *, skip_broken: bool = False) -> list[StoredClip]:
    """Read an index; none where there is no file.

    Args:
        path: The CSV file.
        skip_broken: Leave out lines that cannot be read, such as the last of an interrupted run.

    Raises:
        StoreError: The file or one of its lines cannot be read.
    """
    if not path.is_file():
        return []
    clips = []
    try:
        with path.open(encoding="utf-8", errors=_BYTES, newline="") as lines:
            for row in csv.DictReader(lines):
                try:
                    clips.append(_from_cells(row))
                except (ValueError, TypeError, KeyError) as error:
                    if not skip_broken:
                        raise StoreError(f"A line of {path} cannot be read: {error}") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
    return clips


def _to_cells(clip: StoredClip) -> list[object]:
    special: dict[str, object] = {
        "scene_hashes": " ".join(f"{value:016x}" for value in clip.scene_hashes),
        "path": clip.path.as_posix(),
    }
    cells = [special.get(name, getattr(clip, name)) for name in COLUMNS]
    return ["" if cell is None else cell for cell in cells]


def _from_cells(row: dict[str, str]) -> StoredClip:
    if len(row["video_hash"]) != _HASH_LENGTH:
        raise ValueError(f"the line of {row['clip_id']} is cut off")
    return StoredClip(
        clip_id=row["clip_id"],
        label=row["label"],
        group=row["group"],
        subject=row["subject"],
        split=_SPLITS[row["split"]],
        origin=SYNTHETIC if row["origin"] == OLD_ORIGIN else row["origin"],
        path=Path(row["path"]),
        start_s=float(row["start_s"]),
        end_s=float(row["end_s"]) if row["end_s"] else None,
        n_frames=int(row["n_frames"]),
        fps=float(row["fps"]),
        duration_s=float(row["duration_s"]),
        width=int(row["width"]),
        height=int(row["height"]),
        damaged_s=float(row["damaged_s"]) if row["damaged_s"] else None,
        scene_hashes=tuple(int(value, 16) for value in row["scene_hashes"].split()),
        note=row.get("note") or "",
        hash=row["hash"],
        video_bytes=int(row["video_bytes"]),
        video_mtime_ns=int(row["video_mtime_ns"]),
        video_hash=row["video_hash"],
        kind=row.get("kind") or "",
        weight=_read_weight(row),
    )


def _read_weight(row: dict[str, str]) -> float:
    weight = float(row.get("weight") or 1.0)
    if not 0.0 <= weight <= _MAX_WEIGHT:
        raise ValueError(
            f"the weight of {row['clip_id']} must be from 0 to {_MAX_WEIGHT:g}, received {weight:g}"
        )
    return weight


def write_rejects(path: Path, rejects: Iterable[Reject]) -> None:
    """Write ``rejects.csv``."""
    with path.open("w", encoding="utf-8", errors=_BYTES, newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(_REJECT_COLUMNS)
        writer.writerows(
            (item.clip_id, guard_cell(item.path.as_posix()), guard_cell(item.reason))
            for item in rejects
        )


def read_rejects(path: Path) -> list[Reject]:
    """Read ``rejects.csv``.

    Raises:
        StoreError: It cannot be read.
    """
    try:
        with path.open(encoding="utf-8", errors=_BYTES, newline="") as lines:
            return [
                Reject(
                    row["clip_id"],
                    Path(unguard_cell(row["path"])),
                    unguard_cell(row["reason"]),
                )
                for row in csv.DictReader(lines)
            ]
    except (OSError, UnicodeDecodeError, csv.Error, KeyError, TypeError) as error:
        raise StoreError(f"{path} cannot be read: {error}") from error
