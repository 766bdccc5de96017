"""A contact sheet of one session: every take that was kept as a row of pictures over time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from har.inference.lettering import fit_text, put_text
from har.inference.pictures import write_picture
from har.inference.staging.folder import TakeRow
from har.video.reader import open_video

_N_PICTURES = 6
_CELL_PX = (72, 96)
_MARGIN_PX = 150
_N_COLUMNS = 2
_FONT_PX = 12
_INK = (0, 0, 0)


def write_sheet(path: Path, out_dir: Path, rows: Sequence[TakeRow]) -> None:
    """Writes a PNG with six pictures of each take beside its label, style, posture and hand.

    Args:
        path: The ``.png`` to write.
        out_dir: The folder of takes.
        rows: Those to show, at least one, sorted here by label and style.

    Raises:
        VideoError: A clip cannot be read.
        OutputError: The picture cannot be written.
    """
    ordered = sorted(rows, key=lambda row: (row.label, row.style, row.posture, row.hand))
    strips = [_draw_strip(out_dir / row.path, row) for row in ordered]
    strips += [np.full_like(strips[0], 255)] * (-len(strips) % _N_COLUMNS)
    n_rows = len(strips) // _N_COLUMNS
    columns = [
        np.concatenate(strips[start : start + n_rows]) for start in range(0, len(strips), n_rows)
    ]
    sheet = np.concatenate(columns, axis=1)
    write_picture(path, sheet)


def _draw_strip(path: Path, row: TakeRow) -> np.ndarray:
    """Gives one take: (H, W, 3) uint8 RGB."""
    with open_video(path, _CELL_PX, n_threads=1) as video:
        images = [frame.image for frame in video]
    picks = np.linspace(0, len(images) - 1, _N_PICTURES).round().astype(int)
    margin = np.full((_CELL_PX[0], _MARGIN_PX, 3), 255, dtype=np.uint8)
    who = f"{row.subject} to {row.target}" if row.target else row.subject
    texts = (row.label, row.style, f"{row.posture}, {row.hand}", who)
    for line, text in enumerate(texts):
        place = (4, 11 + 17 * line)
        put_text(margin, fit_text(text, _FONT_PX, _MARGIN_PX - 8), place, _FONT_PX, _INK)
    return np.concatenate([margin, *(images[index] for index in picks)], axis=1)
