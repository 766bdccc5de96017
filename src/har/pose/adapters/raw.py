"""What a reader of one kind of file gives: joints as the tool calls and places them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from har.errors import PoseFileError
from har.files import show_path

MAX_BYTES = 512 * 2**20
"""Larger files, or those that unpack to more, are refused."""
MAX_VALUES = 2**27
"""Numbers of one file: half a day of one person's 33 landmarks, or of six people's 17."""
MAX_PEOPLE_READ = 64
MAX_JOINTS = 1024

Units = Literal["pixels", "shares", ""]


@dataclass(frozen=True)
class RawPoses:
    """The joints of one recording.

    Attributes:
        points: (T, P, J, 3): x and y from the upper left of the picture, and how confident the
            tool is, from 0 to 1; not finite where a joint is not seen.
        joints: J names.
        fps: Pictures a second, or None.
        size: (H, W) of the picture in pixels, or None.
        units: Of x and y; an empty text where only the values tell.
        notes: What had to be assumed, in words for the user.
        is_followed: Everybody in it has been followed by har's tracker before.
    """

    points: np.ndarray
    joints: tuple[str, ...]
    fps: float | None = None
    size: tuple[int, int] | None = None
    units: Units = ""
    notes: tuple[str, ...] = ()
    is_followed: bool = False


def build_error(path: Path, why: str) -> PoseFileError:
    """Return the error of a file that cannot be read."""
    return PoseFileError(f"{show_path(path)} cannot be read as keypoints: {why}")


def check_bytes(path: Path) -> None:
    """Refuse a file that is too large to be keypoints of one recording.

    Raises:
        PoseFileError: It is too large, or cannot be looked at.
    """
    try:
        n_bytes = path.stat().st_size
    except OSError as error:
        raise build_error(
            path, f"{error.strerror or error}; check the name and the folder"
        ) from error
    if n_bytes > MAX_BYTES:
        raise build_error(
            path,
            f"it has {n_bytes / 2**20:.0f} MiB, at most {MAX_BYTES // 2**20} are read; divide it "
            "into shorter recordings",
        )


def check_shape(path: Path, *shape: int) -> None:
    """Refuse more frames, people or joints than a recording has, before memory is taken.

    Raises:
        PoseFileError: It is too large.
    """
    if math.prod(shape) > MAX_VALUES or max(shape, default=0) > MAX_VALUES:
        raise build_error(
            path,
            f"its {' x '.join(map(str, shape))} numbers are too many, at most {MAX_VALUES} are "
            "read; divide it into shorter recordings",
        )


def join_confidence(places: np.ndarray, confidence: np.ndarray | None = None) -> np.ndarray:
    """Return (..., 3) points of (..., 2) places; a place that is finite is trusted without more."""
    scores = np.isfinite(places).all(axis=-1, keepdims=True)
    if confidence is not None:
        scores = confidence[..., None]
    return np.concatenate([places, scores], axis=-1).astype(np.float32)
