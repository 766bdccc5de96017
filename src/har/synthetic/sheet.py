"""A contact sheet: made clips as rows of pictures over time, for a person to look at."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np

from har.errors import VideoWriteError
from har.synthetic.motion import LABELS
from har.video.reader import open_video

LABEL_WIDTH_PX = 150
N_COLUMNS = 8


def write_sheet(
    path: Path, manifest: Path, per_label: int = 4, cell_width_px: int = 176, by_style: bool = False
) -> Path:
    """Writes a PNG with a few clips of each class: a row a clip, a column a time.

    Args:
        path: The ``.png`` to write.
        manifest: What `write_clips` gave.
        per_label: Clips of each class, spread over the manifest.
        cell_width_px: Width of one picture.
        by_style: Take the first clip of each style instead, up to ``per_label`` styles a class.

    Returns:
        ``path``.

    Raises:
        VideoWriteError: The picture cannot be written.
        VideoError: A clip cannot be read.
    """
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    strips = []
    for label in LABELS:
        own = [row for row in rows if row["label"] == label]
        for row in _choose(own, per_label, by_style):
            texts = (row["label"], row["style"], row["group"], _who(row))
            strips.append(_draw_strip(manifest.parent / row["path"], texts, cell_width_px))
    sheet = np.concatenate(strips) if strips else np.zeros((1, LABEL_WIDTH_PX, 3), np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    done, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
    if not done:
        raise VideoWriteError(f"The contact sheet {path} of shape {sheet.shape} cannot be coded")
    path.write_bytes(data.tobytes())
    return path


def _choose(rows: list[dict[str, str]], n: int, by_style: bool) -> list[dict[str, str]]:
    if by_style:
        first = {row["style"]: row for row in reversed(rows)}
        return [first[style] for style in sorted(first)][:n]
    picks = np.unique(np.linspace(0, len(rows) - 1, min(n, len(rows))).round().astype(int))
    return [rows[index] for index in picks]


def _who(row: dict[str, str]) -> str:
    return f"{row['subject']} -> {row['target']}" if row["target"] else row["subject"]


def _draw_strip(path: Path, texts: tuple[str, ...], width_px: int) -> np.ndarray:
    """Gives one row of the sheet: (H, W, 3) uint8 RGB."""
    with open_video(path, color="rgb") as video:
        images = [frame.image for frame in video]
    picks = np.linspace(0, len(images) - 1, N_COLUMNS).round().astype(int)
    height_px = round(width_px * images[0].shape[0] / images[0].shape[1])
    cells = [
        cv2.resize(images[index], (width_px, height_px), interpolation=cv2.INTER_AREA)
        for index in picks
    ]
    margin = np.full((height_px, LABEL_WIDTH_PX, 3), 255, dtype=np.uint8)
    for line, text in enumerate(texts):
        place = (4, 18 + 20 * line)
        cv2.putText(margin, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([margin, *cells], axis=1)
