"""Contact sheets: some frames of each of many clips, beside what is said of them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from har.render.text import fit_text, put_text, write_picture
from har.video.file.reader import open_video

N_FRAMES = 6
CELL_PX = (72, 96)
"""(H, W) of one frame."""
MARGIN_PX = 150
_LINE_PX, _FONT_PX = 17, 12
_INK = (0, 0, 0)

Strip = tuple[Path, tuple[str, ...]]
"""A clip and up to four lines of text."""


_N_COLUMNS = 2
"""Strips beside each other."""


def write_sheet(path: Path, strips: Sequence[Strip]) -> None:
    """Write a picture with a strip for each clip: its texts, then frames spread over its length.

    Args:
        path: The ``.png`` to write.
        strips: At least one; they go down the first column, then down the next.

    Raises:
        VideoError: A clip cannot be read.
        OutputError: The picture cannot be written.
    """
    drawn = [_draw_strip(*strip) for strip in strips]
    drawn += [np.full_like(drawn[0], 255)] * (-len(drawn) % _N_COLUMNS)
    n_rows = len(drawn) // _N_COLUMNS
    columns = [np.concatenate(drawn[at : at + n_rows]) for at in range(0, len(drawn), n_rows)]
    write_picture(path, np.concatenate(columns, axis=1))


def write_synthetic_sheet(path: Path, manifest: Path, per_label: int = 8) -> Path:
    """Write a sheet of some synthetic clips of each class, spread over the manifest.

    Args:
        path: The ``.png`` to write.
        manifest: What `har.synthetic.clips.write_clips` gave, of one clip or more.
        per_label: Clips of each class, at most.

    Raises:
        VideoError: A clip cannot be read.
        OutputError: The picture cannot be written.
    """
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    strips: list[Strip] = []
    for label in dict.fromkeys(row["label"] for row in rows):
        own = [row for row in rows if row["label"] == label]
        picks = np.linspace(0, len(own) - 1, min(per_label, len(own))).round().astype(int)
        strips += [
            (
                manifest.parent / row["path"],
                (label, row["style"], row["group"], format_who(row["subject"], row["target"])),
            )
            for row in (own[pick] for pick in picks)
        ]
    write_sheet(path, strips)
    return path


def format_who(subject: str, target: str) -> str:
    """Return who acts, and on whom if on anyone.

    >>> format_who("p1", "p2"), format_who("p1", "")
    ('p1 to p2', 'p1')
    """
    return f"{subject} to {target}" if target else subject


def _draw_strip(clip: Path, texts: Sequence[str]) -> np.ndarray:
    """Return one clip: (H, W, 3) uint8 RGB."""
    with open_video(clip, CELL_PX, "rgb", n_threads=1) as video:
        images = [frame.image for frame in video]
    picks = np.linspace(0, len(images) - 1, N_FRAMES).round().astype(int)
    margin = np.full((CELL_PX[0], MARGIN_PX, 3), 255, dtype=np.uint8)
    for line, text in enumerate(texts):
        place = (4, 11 + _LINE_PX * line)
        put_text(margin, fit_text(text, _FONT_PX, MARGIN_PX - 8), place, _FONT_PX, _INK)
    return np.concatenate([margin, *(images[index] for index in picks)], axis=1)
