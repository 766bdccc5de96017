"""The table of `benchmarks/transfer.py`: bundles, and the recipe without each domain in turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from har.bundle import BUNDLE_FILE
from har.inference.model import Recognizer
from pose_parts.intervals import Figure
from three_class.bundle import DOMAINS, LEARNT, Sources, train, write
from three_class.settings import LearnConfig
from three_class.threshold import Answers
from transfer_parts.domains import DOMAINS as EVERY_DOMAIN
from transfer_parts.domains import (
    SURVFIGHT,
    THIRDS,
    WITH_HITS,
    Recording,
    load_domain,
    load_store,
)
from transfer_parts.judge import measure, open_head, score

ROWS = ("survfight", *(name for name in EVERY_DOMAIN if name not in THIRDS))
"""Domains as they are shown: the thirds of survfight together."""


@dataclass(frozen=True)
class LeftOut:
    """A recipe without some domains, and the domains that it is then judged on.

    Attributes:
        learnt: What it learns from.
        chosen_on: What its thresholds are chosen on.
        judged: Rows of the table, in neither of them.
    """

    learnt: tuple[str, ...]
    chosen_on: tuple[str, ...]
    judged: tuple[str, ...]


LEFT_OUT = (
    LeftOut(LEARNT, DOMAINS, ("ut", "sbu", "children", "adults", "utkinect", "webcam")),
    LeftOut(LEARNT, LEARNT, ("survfight",)),
    LeftOut(("webcams", "fights"), ("webcams", "fights"), ("synthetic",)),
    LeftOut(("synthetic",), ("synthetic", "fights"), ("webcam_mit",)),
)
"""The first is the shipped recipe; the others stand in for it without what they are judged on."""


def judge_bundle(
    bundle: Path, data_dir: Path, cache: Path, names: Sequence[str] = ROWS
) -> list[Figure]:
    """Return a row for each domain of what a bundle says of it."""
    recognizer = Recognizer(bundle)
    head, bias = open_head(recognizer), np.array(recognizer.info.bias or (0.0, 0.0, 0.0))
    rows = []
    for name in names:
        recordings = load_row(name, data_dir, cache)
        rows.append(build_row(name, recordings, score(head, recordings), bias))
    return rows


def leave_out(data_dir: Path, cache: Path, out: Path) -> list[Figure]:
    """Return a row for each domain of what the recipe says of it, learnt without that domain.

    Each bundle stays in ``out`` and is not made again.
    """
    rows: list[Figure] = []
    for item, folder in make_bundles(data_dir, cache, out):
        rows += judge_bundle(folder, data_dir, cache, item.judged)
    return rows


def make_bundles(data_dir: Path, cache: Path, out: Path) -> Iterator[tuple[LeftOut, Path]]:
    """Yield each recipe of `LEFT_OUT` and its bundle; equal heads are trained once."""
    config, sources = LearnConfig(), None
    heads: dict[tuple[str, ...], keras.Model] = {}
    for item in LEFT_OUT:
        folder = out / "-".join(["learnt-from", *item.learnt, "chosen-on", *item.chosen_on])
        if not (folder / BUNDLE_FILE).is_file():
            if sources is None:
                store = load_store(SURVFIGHT, data_dir, cache)
                webcams = data_dir / "motion" / "webcam_mit.npz"
                sources = Sources.load(store, webcams, config.n_sequences)
            if item.learnt not in heads:
                heads[item.learnt] = train(sources, config, item.learnt)
            write(sources, heads[item.learnt], folder, config, item.learnt, item.chosen_on)
        yield item, folder


def load_row(name: str, data_dir: Path, cache: Path) -> list[Recording]:
    """Return the recordings of a row."""
    parts = THIRDS if name == "survfight" else (name,)
    return [recording for part in parts for recording in load_domain(part, data_dir, cache)]


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
