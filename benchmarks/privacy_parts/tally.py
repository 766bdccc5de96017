"""What is covered of a head, and the sums over many."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from har.config import PrivacyConfig
from har.inference.people import SIZE_PX
from har.render.privacy import CONFIDENT_SCORE, Anonymizer
from har.render.still import MotionFinder
from har.result import FoundPeople
from har.video.geometry import Letterbox, compute_letterbox

SIZES_PX = ((0, 6, "under 12"), (6, 12, "12 to 24"), (12, 24, "24 to 48"), (24, 1e9, "over 48"))
_BARE = 0.25


def fit(image: np.ndarray) -> tuple[np.ndarray, Letterbox]:
    """Return a picture as the pose network gets it, and where it is in there."""
    box = compute_letterbox(image.shape[:2], SIZE_PX)
    picture = np.zeros((*SIZE_PX, 3), np.uint8)
    small = cv2.resize(image, (box.width, box.height), interpolation=cv2.INTER_AREA)
    picture[box.rows, box.columns] = small
    return picture, box


class Cover:
    """Finds what is covered of the pictures of one video, in the order of time."""

    def __init__(self, people: FoundPeople, size: tuple[int, int]) -> None:
        box = Letterbox(0, 0, *size)
        self._anonymizer = Anonymizer(PrivacyConfig("black"), people, size, box)
        self._motion = MotionFinder()

    def find(self, image: np.ndarray, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return (H, W) bool: what ``faces`` covers, and what ``uncertain`` blurs beyond it."""
        white = np.full_like(image, 255)
        self._anonymizer.cover(white, time_s)
        heads = (white == 0).all(axis=2)
        return heads, self._motion.push(image) & ~self._anonymizer.find_bodies(
            image, time_s, CONFIDENT_SCORE
        )


@dataclass
class _Sum:
    n_heads: int = 0
    n_bare: int = 0
    n_bare_moving: int = 0
    n_pixels: int = 0
    n_open: int = 0
    n_open_moving: int = 0


@dataclass
class Tally:
    """Adds up heads by a name."""

    sums: dict[tuple[str, ...], _Sum] = field(default_factory=lambda: defaultdict(_Sum))

    def add(self, names: tuple[str, ...], head: np.ndarray, *covers: np.ndarray) -> None:
        """Take the pixels of one head, (H, W) bool, and what covers them, as of `Cover.find`."""
        heads, moving = covers
        n_pixels = int(head.sum())
        if not n_pixels:
            return
        n_open, n_moving = int((head & ~heads).sum()), int((head & ~heads & ~moving).sum())
        own = self.sums[names]
        own.n_heads += 1
        own.n_bare += n_open > _BARE * n_pixels
        own.n_bare_moving += n_moving > _BARE * n_pixels
        own.n_pixels += n_pixels
        own.n_open += n_open
        own.n_open_moving += n_moving

    def to_rows(self, columns: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return a row for each name, by name."""
        return [
            dict(zip(columns, names, strict=True))
            | {
                "heads": own.n_heads,
                "pixels open": round(own.n_open / own.n_pixels, 4),
                "heads open": round(own.n_bare / own.n_heads, 4),
                "pixels open, blur-moving": round(own.n_open_moving / own.n_pixels, 4),
                "heads open, blur-moving": round(own.n_bare_moving / own.n_heads, 4),
            }
            for names, own in sorted(self.sums.items())
        ]


def name_size(radius_px: float) -> str:
    """Return the name of a head's size."""
    return next(name for low, high, name in SIZES_PX if low <= radius_px < high)
