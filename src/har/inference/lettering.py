"""Lines of text on pictures, smooth and in any script that the font has."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib import font_manager
from PIL import ImageFont

from har.inference.pictures import Color

_FONT = "DejaVu Sans"
"""Comes with Matplotlib, so it is on every machine."""

_CAPITALS = 0.72
"""Height of the font's capital letters as a part of its size."""


@lru_cache(maxsize=4096)
def measure_text(text: str, size_px: int) -> int:
    """Gives the width of a line of text in pixels."""
    return round(_load_font(size_px).getlength(text))


@lru_cache(maxsize=1024)
def fit_text(text: str, size_px: int, width_px: int) -> str:
    """Gives the text, cut and with an ellipsis where it is wider than ``width_px``.

    >>> fit_text("hitting", 14, 500), fit_text("hitting", 14, 40)
    ('hitting', 'hitt…')
    """
    if measure_text(text, size_px) <= width_px:
        return text
    while text and measure_text(text + "…", size_px) > width_px:
        text = text[:-1]
    return text + "…"


def put_text(
    canvas: np.ndarray, text: str, left_middle: tuple[int, int], size_px: int, color: Color
) -> None:
    """Blends a line of text into a picture; what reaches over its edges is cut off.

    Args:
        canvas: (H, W, 3) uint8 RGB, changed in place.
        text: One line.
        left_middle: (x, y) in pixels of the left edge and of the middle of capital letters.
        size_px: Size of the font.
        color: RGB.
    """
    coverage = _render_text(text, size_px)
    left, top = left_middle[0], left_middle[1] - size_px
    rows = slice(max(top, 0), min(top + coverage.shape[0], canvas.shape[0]))
    columns = slice(max(left, 0), min(left + coverage.shape[1], canvas.shape[1]))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return
    ink = coverage[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
    below = canvas[rows, columns]
    canvas[rows, columns] = np.rint(below + (np.array(color, np.float32) - below) * ink)


@lru_cache(maxsize=16)
def _load_font(size_px: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(font_manager.findfont(_FONT), size_px)


@lru_cache(maxsize=2048)
def _render_text(text: str, size_px: int) -> np.ndarray:
    """Gives the (2 * size, w, 1) float32 coverage; capitals are centred in its rows."""
    mask, (left, top) = _load_font(size_px).getmask2(text, mode="L", anchor="ls")
    width, height = mask.size
    ink = np.asarray(mask, np.float32).reshape(height, width)
    first_row = size_px + round(_CAPITALS / 2 * size_px) + top
    first_column = max(left, 0)
    coverage = np.zeros((2 * size_px, first_column + width, 1), np.float32)
    rows = slice(max(first_row, 0), min(first_row + height, len(coverage)))
    coverage[rows, first_column:, 0] = ink[rows.start - first_row : rows.stop - first_row] / 255
    return coverage
