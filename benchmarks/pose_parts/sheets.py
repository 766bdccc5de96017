"""Sheets for a person to look at: annotated clips of each class, with the truth and the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np

from half_real.sequences import HalfReal, build_half_real
from har.config import PredictConfig
from har.dataset.index import StoredClip
from har.files import replacing
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.render.annotate import write_annotated
from har.render.skeletons import draw_people
from har.render.text import fit_text, put_text
from har.types import UNCERTAIN
from har.video.file.reader import open_video
from pose_parts.bench import CALM, HITS, SURVFIGHT, UT, Bench, load_real_clips
from pose_parts.bundle import OTHERS, SELF, score_people
from pose_parts.intervals import Figure

N_COLUMNS = 5
ROWS_A_SHEET = 10
CELL_PX = (260, 300)
"""Most rows and columns of one frame."""
MARGIN_PX = (92, 190)
"""Least rows, and columns, of the text beside a row."""
_INK, _RIGHT, _WRONG = (30, 30, 30), (30, 120, 60), (190, 40, 40)


def measure_sheets(bench: Bench, per_class: int = 20, seed: int = 0) -> Figure:
    """Write the sheets: real clips of hitting others and of play, half-real ones of self-hitting.

    Half-real people have no picture, so they are drawn as the skeletons that the bundle is given.
    """
    recognizer = bench.load_recognizer()
    stores = [bench.load_store(name) for name in (UT, SURVFIGHT)]
    folder, playing = bench.out / "sheets", recognizer.info.decode.background
    rows: list[Figure] = []
    for label, names in ((OTHERS, HITS), (playing, CALM)):
        chosen = [
            clip
            for store in stores
            for clip in _spread([c for c in store.clips if c.label in names], per_class // 2)
        ]
        drawn = [_draw_clip(recognizer, clip, label) for clip in chosen]
        rows += _write_sheets(folder, label, drawn)
    drawn = [
        _draw_half_real(recognizer, sample, stores[0].size)
        for sample in _make_half_real(bench, recognizer, per_class, seed)
    ]
    return {"folder": str(folder), "sheets": rows + _write_sheets(folder, SELF, drawn)}


def _spread(clips: Sequence[StoredClip], n: int) -> list[StoredClip]:
    picks = np.unique(np.linspace(0, len(clips) - 1, min(n, len(clips))).round().astype(int))
    return [clips[pick] for pick in picks]


def _make_half_real(bench: Bench, recognizer: Recognizer, n: int, seed: int) -> list[HalfReal]:
    store, rate_hz = bench.load_store(UT), recognizer.pose.spec.rate_hz
    clips = load_real_clips(store, range(len(store.clips)), rate_hz)
    half_real = build_half_real(clips, rate_hz, seed, n, 0)
    return [sample for sample in half_real.samples if sample.kind == "hit"]


def _draw_clip(recognizer: Recognizer, clip: StoredClip, truth: str) -> tuple[np.ndarray, bool]:
    """Return one row of a sheet: frames of the annotated clip; and whether the answer is right."""
    result = recognize_video(recognizer, clip.path, config=PredictConfig(keep_places=True))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "annotated.mp4"
        write_annotated(path, result, recognizer.info.decode)
        with open_video(path, color="rgb") as video:
            images = [frame.image for frame in video]
    said = f"{result.label} {result.prob:.2f}"
    texts = [clip.label, clip.clip_id, f"truth {truth}", f"says {said}"]
    return _join_row(images, texts, result.label == truth), result.label == truth


def _draw_half_real(
    recognizer: Recognizer, sample: HalfReal, size: tuple[int, int]
) -> tuple[np.ndarray, bool]:
    probs, confidence = score_people(recognizer, sample.points)
    label = recognizer.info.labels[int(probs.argmax())] if confidence > 0 else UNCERTAIN
    images = []
    for points in sample.points:
        image = np.full((2 * size[0], 2 * size[1], 3), 40, np.uint8)
        seen = np.flatnonzero(points[..., 2].max(axis=1) > 0)
        scaled = points * np.array([2.0, 2.0, 1.0])
        draw_people(image, {int(row) + 1: scaled[row] for row in seen}, None, _INK)
        images.append(image)
    texts = [
        f"{sample.act}, person {sample.person + 1}",
        sample.clip_id,
        f"truth {SELF}",
        f"says {label} {probs.max():.2f}",
    ]
    return _join_row(images, texts, label == SELF), label == SELF


def _join_row(images: list[np.ndarray], texts: Sequence[str], is_right: bool) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB: who it is and what is said, then frames over time."""
    height, width = images[0].shape[:2]
    scale = min(CELL_PX[0] / height, CELL_PX[1] / width)
    size_px = round(height * scale), round(width * scale)
    picks = np.linspace(0, len(images) - 1, N_COLUMNS + 2).round().astype(int)[1:-1]
    row = np.full((max(size_px[0], MARGIN_PX[0]), MARGIN_PX[1], 3), 255, np.uint8)
    for line, text in enumerate(texts):
        color = _INK if line < len(texts) - 1 else _RIGHT if is_right else _WRONG
        put_text(row, fit_text(text, 14, MARGIN_PX[1] - 12), (6, 18 + 22 * line), 14, color)
    row = np.pad(row, ((0, 2), (0, N_COLUMNS * CELL_PX[1]), (0, 0)), constant_values=255)
    for column, pick in enumerate(picks):
        left = MARGIN_PX[1] + column * CELL_PX[1]
        cell = cv2.resize(images[pick], size_px[::-1], interpolation=cv2.INTER_AREA)
        row[: size_px[0], left : left + size_px[1]] = cell
    return row


def _write_sheets(
    folder: Path, label: str, drawn: Sequence[tuple[np.ndarray, bool]]
) -> list[Figure]:
    """Write PNGs of ten rows each; return their names and how many answers are right."""
    rows = []
    for number, start in enumerate(range(0, len(drawn), ROWS_A_SHEET), 1):
        part = drawn[start : start + ROWS_A_SHEET]
        path = folder / f"{label}_{number}.png"
        sheet = np.concatenate([image for image, _ in part])
        done, data = cv2.imencode(".png", cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR))
        if not done:
            raise SystemExit(f"{path} cannot be coded")
        with replacing(path) as unfinished:
            unfinished.write_bytes(data.tobytes())
        n_right = sum(is_right for _, is_right in part)
        rows.append({"sheet": path.name, "clips": len(part), "right": n_right})
    return rows
