"""Scores and truth by hand: what a recognizer says where, and what is so."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from har.metrics.alarms import ScoredRecording
from har.types import Event, Scores

LABELS = ("playing", "hit")
STEP_S = 0.5


def make_scores(length_s: float, spans: Sequence[tuple[float, float, float]]) -> Scores:
    """Return scores of ``hit``: ``(start_s, end_s, score)`` here and there, 0.05 elsewhere."""
    times_s = (np.arange(round(length_s / STEP_S)) + 0.5) * STEP_S
    hit = np.full(len(times_s), 0.05)
    for start_s, end_s, score in spans:
        hit[(times_s >= start_s) & (times_s < end_s)] = score
    values = np.stack([1.0 - hit, hit], axis=1).astype(np.float32)
    return Scores(LABELS, times_s, values, STEP_S)


def make_recording(
    name: str,
    spans: Sequence[tuple[float, float, float]],
    acts: Sequence[tuple[float, float]],
    length_s: float = 1800.0,
) -> ScoredRecording:
    """Return a recording with scores and acts of ``hit``."""
    truth = tuple(Event("hit", onset_s, offset_s, 1.0) for onset_s, offset_s in acts)
    return ScoredRecording(name, make_scores(length_s, spans), truth)
