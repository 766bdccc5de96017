"""What all pictures of results share: a colour for each label, times and people as text."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from har.errors import OutputError
from har.files import replacing
from har.types import Event

Color = tuple[int, int, int]

_PALETTE: tuple[Color, ...] = (
    (213, 94, 0),
    (0, 114, 178),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (148, 103, 40),
)
"""Colours that people with any colour vision tell apart.

Source: M. Okabe and K. Ito, "Color universal design", 2008; the last one is added.
"""

_BACKGROUND_COLOR: Color = (130, 134, 140)


def compute_colors(labels: tuple[str, ...], background: str = "") -> dict[str, Color]:
    """Gives each label its RGB colour, the same in all pictures and videos; background is gray.

    >>> compute_colors(("play", "hit"), background="play")
    {'play': (130, 134, 140), 'hit': (213, 94, 0)}
    """
    others = [label for label in labels if label != background]
    colors = {label: _PALETTE[i % len(_PALETTE)] for i, label in enumerate(others)}
    return {label: colors.get(label, _BACKGROUND_COLOR) for label in labels}


def format_time(time_s: float, digits: int = 0) -> str:
    """Writes a time as people read it off a player.

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
    """Writes who acts and on whom; empty where it is not known.

    >>> format_people(Event("hit", 0.0, 1.0, 0.9, subject=2, target=1))
    '2→1'
    """
    return "→".join(str(number) for number in (event.subject, event.target) if number)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Writes a picture in the format that the file's ending names.

    Args:
        path: Such as ``.png`` or ``.jpg``; missing folders are made.
        picture: (H, W, 3) uint8 RGB.

    Raises:
        OutputError: It cannot be written.
    """
    done, data = cv2.imencode(path.suffix, cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise OutputError(f"The picture {path} of shape {picture.shape} cannot be coded")
    with replacing(path) as part:
        part.write_bytes(data.tobytes())
