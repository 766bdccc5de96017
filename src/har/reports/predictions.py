"""Predictions of clips, one by one: what an evaluation writes, and what comparing two reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.errors import OutputError
from har.escaping import guard_cell, unguard_cell
from har.files import write_csv
from har.types import Clip

PREDICTIONS = "predictions.csv"
_COLUMNS = ("clip_id", "video", "start_s", "end_s", "group", "label", "predicted", "seed")
_PROB = "prob:"


@dataclass(frozen=True)
class ClipPredictions:
    """What was predicted of N clips.

    Attributes:
        labels: K names in the model's order.
        clip_ids: N names, which the same clips have in every store.
        truth: N labels.
        groups: N names.
        probs: (S, N, K) float64 probabilities of S seeds.
    """

    labels: tuple[str, ...]
    clip_ids: tuple[str, ...]
    truth: tuple[str, ...]
    groups: tuple[str, ...]
    probs: np.ndarray


def write_predictions(
    path: Path, labels: Sequence[str], clips: Sequence[Clip], probs: np.ndarray
) -> None:
    """Write a line for each clip and seed: its label, what was predicted, all probabilities.

    Args:
        path: The table to write.
        labels: K names.
        clips: N clips.
        probs: (N, K), or (S, N, K) of S seeds, numbered from 0.

    Raises:
        OutputError: It cannot be written.
    """
    header = (*_COLUMNS, *(f"{_PROB}{label}" for label in labels))
    rows = (
        [
            *map(guard_cell, (clip.clip_id, str(clip.path))),
            *(clip.start_s, "" if clip.end_s is None else clip.end_s),
            *map(guard_cell, (clip.group, clip.label, labels[int(own.argmax())])),
            *(seed, *(f"{prob:.9g}" for prob in own.tolist())),
        ]
        for seed, of_seed in enumerate(probs if probs.ndim == 3 else probs[None])
        for clip, own in zip(clips, of_seed, strict=True)
    )
    write_csv(path, header, rows)


def read_predictions(path: Path) -> ClipPredictions:
    """Read what `write_predictions` wrote.

    Raises:
        OutputError: The file cannot be read, or holds something else.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = [name for name in reader.fieldnames or () if name.startswith(_PROB)]
            return _parse([*reader], names)
    except (OSError, UnicodeDecodeError, csv.Error, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{path} cannot be read as predictions of clips: {error!r}. Give the {PREDICTIONS} of "
            "'har evaluate' or 'har crossval', or their folder"
        ) from error


def _parse(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> ClipPredictions:
    if not rows or len(columns) < 2:
        raise ValueError("it has no clips, or no probabilities of two labels or more")
    first = [row for row in rows if row["seed"] == rows[0]["seed"]]
    clip_ids = tuple(unguard_cell(row["clip_id"]) for row in first)
    places = {clip_id: place for place, clip_id in enumerate(clip_ids)}
    seeds = {seed: place for place, seed in enumerate(dict.fromkeys(row["seed"] for row in rows))}
    probs = np.full((len(seeds), len(clip_ids), len(columns)), np.nan)
    for row in rows:
        place = seeds[row["seed"]], places[unguard_cell(row["clip_id"])]
        probs[place] = [float(row[column]) for column in columns]
    if len(rows) != probs.shape[0] * probs.shape[1] or not np.isfinite(probs).all():
        raise ValueError("its seeds are not of the same clips, or a probability is missing")
    return ClipPredictions(
        labels=tuple(column.removeprefix(_PROB) for column in columns),
        clip_ids=clip_ids,
        truth=tuple(unguard_cell(row["label"]) for row in first),
        groups=tuple(unguard_cell(row["group"]) for row in first),
        probs=probs,
    )
