"""What all pictures of results share: colors of labels, text, and smooth lines."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from har.errors import OutputError
from har.files import replacing
from har.types import Event

Color = tuple[int, int, int]

PALETTE: tuple[Color, ...] = (
    (213, 94, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (148, 103, 40),
)
"""Colors that people with any color vision tell apart.

Source: M. Okabe and K. Ito, "Color universal design", 2008; the last one is added.
"""

_BACKGROUND_COLOR: Color = (130, 134, 140)


def compute_colors(labels: tuple[str, ...], background: str = "") -> dict[str, Color]:
    """Return the RGB color of each label, the same in all pictures; the background is gray.

    >>> compute_colors(("play", "hit"), background="play")
    {'play': (130, 134, 140), 'hit': (213, 94, 0)}
    """
    others = [label for label in labels if label != background]
    colors = {label: PALETTE[i % len(PALETTE)] for i, label in enumerate(others)}
    return {label: colors.get(label, _BACKGROUND_COLOR) for label in labels}


def format_time(time_s: float, digits: int = 0) -> str:
    """Return a time as a player shows it.

    >>> format_time(7.26, 1), format_time(75), format_time(3675)
    ('0:07.3', '1:15', '1:01:15')
    """
    ticks = round(time_s * 10**digits)
    seconds, fraction = divmod(ticks, 10**digits)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
    return f"{text}.{fraction:0{digits}}" if digits else text


def format_people(event: Event) -> str:
    """Return who acts and on whom; empty where it is not known.

    >>> format_people(Event("hit", 0.0, 1.0, 0.9, subject=2, target=1))
    '2→1'
    """
    return "→".join(str(number) for number in (event.subject, event.target) if number)


SHIFT_BITS = 4
SMOOTH = (cv2.LINE_AA, SHIFT_BITS)
"""The last arguments of OpenCV's functions for smooth lines through `to_fixed` points."""


def to_fixed(points: np.ndarray) -> np.ndarray:
    """Return points in pixels as OpenCV's fixed-point numbers, int32."""
    return np.round(points * (1 << SHIFT_BITS)).astype(np.int32)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write a picture in the format that the file's ending names.

    Args:
        path: Such as ``.png`` or ``.jpg``; missing folders are created.
        picture: (H, W, 3) uint8 RGB.

    Raises:
        OutputError: It cannot be written.
    """
    data = encode_picture(picture, path.suffix)
    with replacing(path) as part:
        part.write_bytes(data)


_ENDINGS = (".png", ".jpg", ".jpeg")


def encode_picture(picture: np.ndarray, ending: str) -> bytes:
    """Return a picture in the format that an ending such as ``.png`` names.

    Args:
        picture: (H, W, 3) uint8 RGB.
        ending: With its dot.

    Raises:
        OutputError: The ending is another one, or the picture cannot be encoded.
    """
    if ending.lower() not in _ENDINGS:
        raise OutputError(
            f"Expected the path of a .png or .jpg picture, received the ending {ending!r}"
        )
    done, data = cv2.imencode(ending, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise OutputError(f"A picture of shape {picture.shape} cannot be encoded as {ending}")
    return data.tobytes()


_WEIGHT = 400
"""Of the font: regular."""

_CAPITALS = 0.74
"""Height of the font's capital letters as a part of its size."""

_FONT = cv2.FontFace("sans")
_LOCK = Lock()
"""A font caches the letters that it has drawn, so threads take turns."""


@lru_cache(maxsize=4096)
def measure_text(text: str, size_px: int) -> int:
    """Return the width of a line of text in pixels."""
    with _LOCK:
        return cv2.getTextSize((0, 0), _make_drawable(text), (0, 0), _FONT, size_px, _WEIGHT)[2]


@lru_cache(maxsize=1024)
def fit_text(text: str, size_px: int, width_px: int) -> str:
    """Return the text, cut and with an ellipsis where it is wider than ``width_px``.

    >>> fit_text("hitting", 14, 500), fit_text("hitting", 14, 40)
    ('hitting', 'hitti…')
    """
    if measure_text(text, size_px) <= width_px:
        return text
    while text and measure_text(text + "…", size_px) > width_px:
        text = text[:-1]
    return text + "…"


def put_text(
    canvas: np.ndarray,
    text: str,
    left_middle: tuple[int, int],
    size_px: int,
    color: Color,
) -> None:
    """Blend a line of text into a picture; what reaches over its edges is cut off.

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


def _make_drawable(text: str) -> str:
    """Return a text without the odd bytes of file names, which would end OpenCV's process."""
    return text.encode("utf-8", "replace").decode("utf-8")


@lru_cache(maxsize=2048)
def _render_text(text: str, size_px: int) -> np.ndarray:
    """Return the (2 * size, w, 1) float32 coverage; capitals are centered in its rows."""
    mask = np.zeros((2 * size_px, measure_text(text, size_px) + 1), np.uint8)
    foot = size_px + round(_CAPITALS / 2 * size_px)
    with _LOCK:
        cv2.putText(mask, _make_drawable(text), (0, foot), 255, _FONT, size_px, _WEIGHT)
    return mask[..., None].astype(np.float32) / 255
