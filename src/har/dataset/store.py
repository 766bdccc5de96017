"""Prepared clips on disk (a store), read through memory maps.

    STORE/store.json              version, settings, labels in order, where the groups are from
          index.csv               one line a clip
          frames/ID.npy           (F, H, W) or (F, H, W, 3) uint8
          frames/ID.times.npy     (F,) float64 seconds from the clip's start
          frames/ID.keypoints.npy (F, P, 17, 3) float32 in the place of frames, of clips that are
                                  keypoints of another tool
          splits.json             who is in train, val and test, and the folds
          rejects.csv             what was left out, and why
          report.md, report.json, sheet.png
          progress.csv            lines of clips that are cut; only until `prepare` has finished

A store without ``index.csv`` is unfinished and is not loaded.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np

from har.dataset.catalog import Reject
from har.dataset.index import StoredClip, read_rejects, read_rows
from har.dataset.splits import Splits
from har.errors import StoreError
from har.types import KEYPOINTS, SYNTHETIC, Color, SplitName, explain_label

FORMAT_VERSION = 1

SETTINGS = "store.json"
INDEX = "index.csv"
PROGRESS = "progress.csv"
SPLITS = "splits.json"
REJECTS = "rejects.csv"
FRAMES = "frames"


@dataclass(frozen=True)
class FrameSettings:
    """What the stored frames depend on; a change makes all of them anew."""

    size: tuple[int, int]
    color: Color
    max_rate_hz: float
    poses: str = ""
    """What was said of files of keypoints, as text; empty for nothing."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back."""
        poses = {"poses": self.poses} if self.poses else {}
        pictures = {"size": list(self.size), "color": self.color, "max_rate_hz": self.max_rate_hz}
        return pictures | poses

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FrameSettings:
        """Read what `to_json` gave.

        Raises:
            ValueError: A field is missing or of the wrong kind.
        """
        try:
            height, width = (int(side) for side in values["size"])
            color: Color = "rgb" if values["color"] == "rgb" else "gray"
            rate_hz, poses = float(values["max_rate_hz"]), str(values.get("poses", ""))
            return cls((height, width), color, rate_hz, poses)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{values!r} are not frame settings: {error}") from error


@dataclass(frozen=True)
class StoreSettings:
    """The content of ``store.json``.

    Attributes:
        frames: What the frames depend on.
        labels: Class names in the order of the model's outputs.
        group_source: Where the groups are from, as in `har.dataset.catalog.Catalog`.
    """

    frames: FrameSettings
    labels: tuple[str, ...]
    group_source: str

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back."""
        return {
            "version": FORMAT_VERSION,
            "frames": self.frames.to_json(),
            "labels": list(self.labels),
            "group_source": self.group_source,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> StoreSettings:
        """Read what `to_json` gave.

        Raises:
            ValueError: A field is missing, of the wrong kind or of another version.
        """
        try:
            if values["version"] != FORMAT_VERSION:
                raise ValueError(f"format {values['version']}, this har reads {FORMAT_VERSION}")
            labels = tuple(str(label) for label in values["labels"])
            frames = FrameSettings.from_json(values["frames"])
            for label in labels:
                if why := explain_label(label):
                    raise ValueError(f"the label {label!r} {why}")
            return cls(frames, labels, str(values["group_source"]))
        except (KeyError, TypeError) as error:
            raise ValueError(f"a field is missing or of the wrong kind: {error}") from error


@dataclass(frozen=True)
class Store:
    """A finished store; read-only.

    Attributes:
        path: Its folder.
        settings: What it was prepared with.
        clips: In the order of the index.
        splits: Who is in train, val and test, and the folds.
        rejects: What was left out.
    """

    path: Path
    settings: StoreSettings
    clips: tuple[StoredClip, ...]
    splits: Splits
    rejects: tuple[Reject, ...]

    @classmethod
    def load(cls, path: Path) -> Store:
        """Open the store in a folder.

        Raises:
            StoreError: There is none, it is unfinished, of another version or damaged.
        """
        if not (path / SETTINGS).is_file():
            raise StoreError(
                f"There are no prepared clips (store) in {path}; create them with: har prepare "
                f"SOURCE --store {path}"
            )
        if not (path / INDEX).is_file():
            raise StoreError(f"The store {path} is unfinished; run har prepare again to go on")
        try:
            settings = StoreSettings.from_json(read_json(path / SETTINGS))
            splits = Splits.from_json(read_json(path / SPLITS))
        except (OSError, ValueError, RecursionError) as error:
            raise StoreError(
                f"The store {path} cannot be used ({error}); delete it and run har prepare again"
            ) from error
        clips = tuple(read_rows(path / INDEX))
        return cls(path, settings, clips, splits, tuple(read_rejects(path / REJECTS)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the model's outputs."""
        return self.settings.labels

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of every stored picture."""
        return self.settings.frames.size

    @property
    def color(self) -> Color:
        """``gray`` or ``rgb``."""
        return self.settings.frames.color

    @property
    def max_rate_hz(self) -> float:
        """Frames a second that faster videos were thinned to."""
        return self.settings.frames.max_rate_hz

    @property
    def is_synthetic(self) -> bool:
        """Whether all clips were generated and none was filmed."""
        return all(clip.origin == SYNTHETIC for clip in self.clips)

    @cached_property
    def label_indices(self) -> np.ndarray:
        """(N,) int64: each clip's place in ``labels``."""
        places = {label: place for place, label in enumerate(self.labels)}
        return np.array([places[clip.label] for clip in self.clips], dtype=np.int64)

    @cached_property
    def weights(self) -> np.ndarray:
        """(N,) float64: how much each clip counts beside others of its label."""
        return np.array([clip.weight for clip in self.clips], dtype=np.float64)

    @cached_property
    def data_hash(self) -> str:
        """SHA-256 over the clips' contents, labels, groups and weights and the order of the labels.

        It does not depend on the place of the store or of the videos.
        """
        rows = sorted(
            [clip.hash, clip.label, clip.group, *[f"{clip.weight:g}"] * (clip.weight != 1.0)]
            for clip in self.clips
        )
        return hashlib.sha256(json.dumps([self.labels, rows]).encode()).hexdigest()

    @cached_property
    def keypoint_clips(self) -> frozenset[str]:
        """Ids of the clips that are keypoints of another tool: they have no pictures."""
        return frozenset(clip.clip_id for clip in self.clips if clip.kind == KEYPOINTS)

    def load_keypoints(self, clip_id: str) -> np.ndarray:
        """Return the keypoints of one of `keypoint_clips`: (F, P, 17, 3) float32 in pixels.

        Raises:
            StoreError: The file is missing or damaged.
        """
        return _load_array(keypoints_path(self.path, clip_id), None)

    def open_frames(self, clip_id: str) -> np.ndarray:
        """Map a clip's frames into memory, read-only.

        Returns:
            (F, H, W) or (F, H, W, 3) uint8.

        Raises:
            StoreError: The file is missing or damaged, or the clip has no pictures.
        """
        if clip_id in self.keypoint_clips:
            raise StoreError(
                f"The clip {clip_id} of {self.path} is keypoints without pictures; only models "
                "with streams 'pose' can use it"
            )
        return _load_array(frames_path(self.path, clip_id), "r")

    def load_times(self, clip_id: str) -> np.ndarray:
        """Return the times of a clip's frames: (F,) float64 ascending seconds from its start.

        Raises:
            StoreError: The file is missing or damaged.
        """
        return _load_array(times_path(self.path, clip_id), None)

    def indices(self, split: SplitName | Literal["all"]) -> np.ndarray:
        """Return the places in ``clips`` of one part, ascending int64.

        Raises:
            SplitError: This store has no such part; the message has the reason and what to do.
        """
        if split == "all":
            return np.arange(len(self.clips))
        members = self.splits.members(split)
        inside = [clip.clip_id in members for clip in self.clips]
        return np.flatnonzero(inside)


def frames_path(store: Path, clip_id: str) -> Path:
    """Return the path of a clip's frames."""
    return store / FRAMES / f"{clip_id}.npy"


def keypoints_path(store: Path, clip_id: str) -> Path:
    """Return the path of the keypoints that a clip has in the place of frames."""
    return store / FRAMES / f"{clip_id}.keypoints.npy"


def times_path(store: Path, clip_id: str) -> Path:
    """Return the path of the times of a clip's frames."""
    return store / FRAMES / f"{clip_id}.times.npy"


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        ValueError: It is not a JSON object.
    """
    match json.loads(path.read_text(encoding="utf-8")):
        case dict() as values:
            return values
        case other:
            raise ValueError(f"{path.name} holds {type(other).__name__}, not an object")


def _load_array(path: Path, mmap_mode: Literal["r"] | None) -> np.ndarray:
    try:
        return np.load(path, mmap_mode=mmap_mode, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise StoreError(f"{path} cannot be read ({error}); run har prepare again") from error
