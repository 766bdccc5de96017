"""The state of every moment (a label, nothing, or uncertain), and what events add up to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.config import DecodeConfig
from har.types import Event, Scores

NOTHING, UNCERTAIN_ROW = -1, -2
"""States that are no label's index."""

_HOUR_S = 3600.0


def compute_states(scores: Scores, events: Iterable[Event], config: DecodeConfig) -> np.ndarray:
    """Return the state of each row.

    Args:
        scores: N rows.
        events: Decoded from them.
        config: The settings that the events were cut with.

    Returns:
        (N,) int64: the index of the event's label in which the row lies, of several events that
        with the highest score in this row; else `UNCERTAIN_ROW` where the model is uncertain or the
        score of a label that makes events reaches its ``offset``; else `NOTHING`.

    >>> values = np.array([[0.1, 0.9], [0.5, 0.5], [0.9, 0.1], [0.0, 0.0]], dtype=np.float32)
    >>> scores = Scores(("play", "hit"), np.arange(4) + 0.5, values, 1.0)
    >>> compute_states(scores, [Event("hit", 0.0, 1.0, 0.9)], DecodeConfig("play")).tolist()
    [1, -2, -1, -2]
    """
    offsets = np.array([config.rule(label).offset for label in scores.labels], np.float32)
    counts = np.array([label != config.background for label in scores.labels])
    is_near = ((scores.values >= offsets) & counts).any(axis=1)
    states = np.where(is_near | scores.is_uncertain, UNCERTAIN_ROW, NOTHING)
    best = np.full(len(states), -1.0, np.float32)
    for event in events:
        column = scores.labels.index(event.label)
        rows = slice(*np.searchsorted(scores.times_s, [event.onset_s, event.offset_s]))
        is_better = scores.values[rows, column] > best[rows]
        states[rows] = np.where(is_better, column, states[rows])
        best[rows] = np.where(is_better, scores.values[rows, column], best[rows])
    return states


@dataclass(frozen=True)
class LabelTotal:
    """What one label adds up to in a recording.

    Attributes:
        label: Its name.
        n_events: How many.
        total_s: Seconds in all.
        per_hour: Events an hour of recording; 0 where it is a single picture.
    """

    label: str
    n_events: int
    total_s: float
    per_hour: float


@dataclass(frozen=True)
class Totals:
    """What a recording adds up to.

    Attributes:
        duration_s: Its length.
        labels: Of each label that makes events.
        nothing_s: Seconds in which nothing happens.
        uncertain_s: Seconds in which the model is uncertain.
    """

    duration_s: float
    labels: tuple[LabelTotal, ...]
    nothing_s: float
    uncertain_s: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values, time to the millisecond."""
        return {
            "duration_s": round(self.duration_s, 3),
            "labels": [
                {
                    **asdict(item),
                    "total_s": round(item.total_s, 3),
                    "per_hour": round(item.per_hour, 3),
                }
                for item in self.labels
            ],
            "nothing_s": round(self.nothing_s, 3),
            "uncertain_s": round(self.uncertain_s, 3),
        }


def _compute_rate(n_events: int, duration_s: float) -> float:
    return n_events * _HOUR_S / duration_s if duration_s > 0 else 0.0


def compute_totals(
    scores: Scores, events: Sequence[Event], config: DecodeConfig, duration_s: float
) -> Totals:
    """Add up the events of each label and the time in which there are none.

    Args:
        scores: Of the recording.
        events: Decoded from them.
        config: The settings that the events were cut with; its background label is left out.
        duration_s: Length of the recording.
    """
    states = compute_states(scores, events, config)
    labels = tuple(label for label in scores.labels if label != config.background)
    lengths_s = {
        label: [e.offset_s - e.onset_s for e in events if e.label == label] for label in labels
    }
    return Totals(
        duration_s=duration_s,
        labels=tuple(
            LabelTotal(label, len(own), sum(own), _compute_rate(len(own), duration_s))
            for label, own in lengths_s.items()
        ),
        nothing_s=float(np.sum(states == NOTHING)) * scores.step_s,
        uncertain_s=float(np.sum(states == UNCERTAIN_ROW)) * scores.step_s,
    )


def add_totals(totals: Sequence[Totals]) -> Totals:
    """Return the totals of several recordings together, labels in the order in which they come."""
    duration_s = sum(item.duration_s for item in totals)
    counts: dict[str, int] = {}
    lengths_s: dict[str, float] = {}
    for total in (label for item in totals for label in item.labels):
        counts[total.label] = counts.get(total.label, 0) + total.n_events
        lengths_s[total.label] = lengths_s.get(total.label, 0.0) + total.total_s
    return Totals(
        duration_s=duration_s,
        labels=tuple(
            LabelTotal(label, n_events, lengths_s[label], _compute_rate(n_events, duration_s))
            for label, n_events in counts.items()
        ),
        nothing_s=sum(item.nothing_s for item in totals),
        uncertain_s=sum(item.uncertain_s for item in totals),
    )
