"""The table of `benchmarks/transfer.py`: bundles, and the recipe without each domain in turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from har.inference.model import Recognizer
from pose_parts.intervals import Figure
from transfer_parts.domains import DOMAINS, THIRDS, WITH_HITS, Recording, load_domain
from transfer_parts.judge import Answers, measure, open_head, score_recordings

ROWS = ("survfight", *(name for name in DOMAINS if name not in THIRDS))
"""Domains as they are shown: the thirds of survfight together."""


def judge_bundle(bundle: Path, data_dir: Path, out: Path) -> list[Figure]:
    """Return a row for each domain of what a bundle says of it."""
    recognizer = Recognizer(bundle)
    head, bias = open_head(recognizer), np.array(recognizer.info.bias or (0.0, 0.0, 0.0))
    rows = []
    for name in ROWS:
        recordings = load_row(name, data_dir, out)
        rows.append(build_row(name, recordings, score_recordings(head, recordings), bias))
    return [*rows, sum_up(rows)]


def load_row(name: str, data_dir: Path, out: Path) -> list[Recording]:
    """Return the recordings of a row."""
    parts = THIRDS if name == "survfight" else (name,)
    return [recording for part in parts for recording in load_domain(part, data_dir, out)]


def build_row(
    name: str, recordings: Sequence[Recording], answers: Answers, bias: np.ndarray
) -> Figure:
    """Return the figures of one domain, the same columns in each."""
    figures = measure(recordings, answers, bias)
    columns = ("n", "auc", "accuracy", "false_others", "false_self", "uncertain")
    return {"domain": name, **{column: figures.get(column, "") for column in columns}}


def sum_up(rows: Sequence[Figure]) -> Figure:
    """Return the mean AUC over domains with hits."""
    named = {row["domain"]: row["auc"] for row in rows if row["auc"]}
    values = [auc["mean"] for name, auc in named.items() if name in (*WITH_HITS, "survfight")]
    return {"domain": f"mean of {len(values)}", "auc": float(np.mean(values))}
