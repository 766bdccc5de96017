"""The table of `benchmarks/transfer.py`: bundles, and the recipe without each domain in turn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from har.bundle import BUNDLE_FILE
from har.inference.model import Recognizer
from pose_parts.intervals import Figure
from three_class.bundle import LEARNT, Sources, make
from three_class.settings import LearnConfig
from three_class.threshold import Answers
from transfer_parts.domains import (
    DOMAINS,
    SURVFIGHT,
    THIRDS,
    WITH_HITS,
    Recording,
    load_domain,
    load_store,
)
from transfer_parts.judge import measure, open_head, score

ROWS = ("survfight", *(name for name in DOMAINS if name not in THIRDS))
"""Domains as they are shown: the thirds of survfight together."""
LEFT_OUT: dict[tuple[str, ...], tuple[str, ...]] = {
    LEARNT: ("survfight", "ut", "sbu", "children", "adults", "utkinect", "webcam"),
    ("webcams", "fights"): ("synthetic",),
    ("synthetic",): ("webcam_mit",),
}
"""What is learnt from, and the domains that are then judged. The first is the shipped recipe; the
others stand in for it without the domain that they are judged on."""


def judge_bundle(
    bundle: Path, data_dir: Path, out: Path, names: Sequence[str] = ROWS
) -> list[Figure]:
    """Return a row for each domain of what a bundle says of it."""
    recognizer = Recognizer(bundle)
    head, bias = open_head(recognizer), np.array(recognizer.info.bias or (0.0, 0.0, 0.0))
    rows = []
    for name in names:
        recordings = load_row(name, data_dir, out)
        rows.append(build_row(name, recordings, score(head, recordings), bias))
    return rows


def leave_out(data_dir: Path, out: Path) -> list[Figure]:
    """Return a row for each domain of what the recipe says of it, learnt without that domain.

    Each bundle stays in ``out`` and is not made again.
    """
    rows = []
    for learnt, names in LEFT_OUT.items():
        folder = out / "-".join(["learnt-from", *learnt])
        if not (folder / BUNDLE_FILE).is_file():
            store = load_store(SURVFIGHT, data_dir, out)
            webcams, config = data_dir / "motion" / "webcam_mit.npz", LearnConfig()
            sources = Sources.load(store, webcams, config.n_sequences)
            make(sources, folder, config, learnt)
        rows += judge_bundle(folder, data_dir, out, names)
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
