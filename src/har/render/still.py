"""What stands still in a video, and what moves."""

from __future__ import annotations

import cv2
import numpy as np

_WIDTH_PX = 160
_DIFFERS = 12
_FOLLOW, _FADE, _LEAST = 0.08, 0.85, 0.3
_REACH_PX = 9
_STRIP_ROWS = 64
_INPAINT_PX, _FILL_SCALE = 3, 8


class MotionFinder:
    """Finds what moves, or has moved just before, against what the pictures mostly show."""

    def __init__(self) -> None:
        self._mean: np.ndarray | None = None
        self._before: np.ndarray | None = None
        self._heat: np.ndarray | None = None

    def push(self, picture: np.ndarray) -> np.ndarray:
        """Return (H, W) bool for the next picture, (H, W, 3) uint8; of the first, everything."""
        height, width = picture.shape[:2]
        columns = min(_WIDTH_PX, width)
        size = columns, max(round(height * columns / width), 1)
        small = cv2.resize(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), size, None, 0, 0, 3)
        now = small.astype(np.float32)
        if self._mean is None or self._before is None or self._heat is None:
            self._mean, self._before = now.copy(), now
            self._heat = np.zeros_like(now)
            return np.ones((height, width), dtype=bool)
        differs = np.maximum(np.abs(now - self._mean), np.abs(now - self._before)) > _DIFFERS
        self._heat = np.maximum(_FADE * self._heat, differs.astype(np.float32))
        cv2.accumulateWeighted(now, self._mean, _FOLLOW)
        self._before = now
        moves = cv2.dilate(
            (self._heat > _LEAST).astype(np.uint8), np.ones((_REACH_PX, _REACH_PX), np.uint8)
        )
        return cv2.resize(moves, (width, height), interpolation=cv2.INTER_NEAREST).astype(bool)


class StillBackground:
    """Puts together what is behind people from pictures in which they stand elsewhere."""

    def __init__(self) -> None:
        self._pictures: list[np.ndarray] = []
        self._hidden: list[np.ndarray] = []

    def push(self, picture: np.ndarray, hidden: np.ndarray) -> None:
        """Take a picture, (H, W, 3) uint8, and where people are in it, (H, W) bool."""
        self._pictures.append(picture.copy())
        self._hidden.append(hidden)

    def compute(self) -> np.ndarray | None:
        """Return the (H, W, 3) uint8 background; None where there was no picture.

        Each pixel is the median of what it showed while nobody was there; where somebody always
        was, it is filled from around.
        """
        if not self._pictures:
            return None
        hidden = np.stack(self._hidden)
        found = np.empty_like(self._pictures[0])
        for top in range(0, len(found), _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            values = np.stack([picture[rows] for picture in self._pictures]).astype(np.int16)
            values[hidden[:, rows]] = 256
            values.sort(axis=0)
            middle = np.maximum((~hidden[:, rows]).sum(axis=0) - 1, 0) // 2
            chosen = np.take_along_axis(values, middle[None, ..., None], axis=0)[0]
            found[rows] = np.minimum(chosen, 255)
        return _fill(found, np.logical_and.reduce(hidden, axis=0))


def _fill(picture: np.ndarray, is_unknown: np.ndarray) -> np.ndarray:
    """Fill what is not known from around, coarsely; all of it gray where nothing is known."""
    if not is_unknown.any():
        return picture
    if is_unknown.all():
        return np.full_like(picture, 128)
    height, width = is_unknown.shape
    size = max(width // _FILL_SCALE, 1), max(height // _FILL_SCALE, 1)
    mask = cv2.resize(is_unknown.astype(np.uint8), (width, height))
    small_mask = (cv2.resize(mask.astype(np.float32), size, None, 0, 0, 3) > 0).astype(np.uint8)
    small = cv2.resize(picture, size, interpolation=cv2.INTER_NEAREST)
    filled = cv2.inpaint(small, small_mask, _INPAINT_PX, cv2.INPAINT_TELEA)
    large = cv2.resize(filled, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.where(is_unknown[..., None], large, picture)
