"""Lines of text on pictures, smooth and in most scripts: OpenCV 5 brings the fonts with it."""

from __future__ import annotations

from functools import lru_cache
from threading import Lock

import cv2
import numpy as np

from har.inference.pictures import Color

REGULAR, BOLD = 400, 700
"""Weights of the font."""

_CAPITALS = 0.74
"""Height of the font's capital letters as a part of its size."""

_FONT = cv2.FontFace("sans")
_LOCK = Lock()
"""A font remembers the letters that it has drawn, so threads take turns."""


@lru_cache(maxsize=4096)
def measure_text(text: str, size_px: int, weight: int = REGULAR) -> int:
    """Gives the width of a line of text in pixels."""
    with _LOCK:
        return cv2.getTextSize((0, 0), text, (0, 0), _FONT, size_px, weight)[2]


@lru_cache(maxsize=1024)
def fit_text(text: str, size_px: int, width_px: int, weight: int = REGULAR) -> str:
    """Gives the text, cut and with an ellipsis where it is wider than ``width_px``.

    >>> fit_text("hitting", 14, 500), fit_text("hitting", 14, 40)
    ('hitting', 'hitti…')
    """
    if measure_text(text, size_px, weight) <= width_px:
        return text
    while text and measure_text(text + "…", size_px, weight) > width_px:
        text = text[:-1]
    return text + "…"


def put_text(
    canvas: np.ndarray,
    text: str,
    left_middle: tuple[int, int],
    size_px: int,
    color: Color,
    weight: int = REGULAR,
) -> None:
    """Blends a line of text into a picture; what reaches over its edges is cut off.

    Args:
        canvas: (H, W, 3) uint8 RGB, changed in place.
        text: One line.
        left_middle: (x, y) in pixels of the left edge and of the middle of capital letters.
        size_px: Size of the font.
        color: RGB.
        weight: From 100, thin, to 1000, black.
    """
    coverage = _render_text(text, size_px, weight)
    left, top = left_middle[0], left_middle[1] - size_px
    rows = slice(max(top, 0), min(top + coverage.shape[0], canvas.shape[0]))
    columns = slice(max(left, 0), min(left + coverage.shape[1], canvas.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    ink = coverage[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    below = canvas[rows, columns]
    canvas[rows, columns] = np.rint(below + (np.array(color, np.float32) - below) * ink)


@lru_cache(maxsize=2048)
def _render_text(text: str, size_px: int, weight: int) -> np.ndarray:
    """Gives the (2 * size, w, 1) float32 coverage; capitals are centred in its rows."""
    mask = np.zeros((2 * size_px, measure_text(text, size_px, weight) + 1), np.uint8)
    foot = size_px + round(_CAPITALS / 2 * size_px)
    with _LOCK:
        cv2.putText(mask, text, (0, foot), 255, _FONT, size_px, weight)
    return mask[..., None].astype(np.float32) / 255
