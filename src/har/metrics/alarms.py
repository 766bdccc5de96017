"""False alarms per hour against recall, over all thresholds of a recognizer's scores.

What counts as found and as a false alarm: see `har.metrics.events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from har.config import DecodeConfig
from har.events.decoder import decode_events
from har.events.matching import compute_ious, match_events
from har.metrics.events import MATCH_IOU
from har.types import Event, Scores

_N_THRESHOLDS = 80


@dataclass(frozen=True)
class ScoredRecording:
    """A recording's scores and its reference coding.

    Attributes:
        name: As in the results.
        scores: Of the whole recording, without a gap.
        truth: The coded events.
        group: Recordings of one group depend on each other; empty where it is a group of its own.
    """

    name: str
    scores: Scores
    truth: tuple[Event, ...]
    group: str = ""

    @property
    def hours(self) -> float:
        """Length of what the scores stand for."""
        times_s = self.scores.times_s
        return float(times_s[-1] - times_s[0] + self.scores.step_s) / 3600.0


@dataclass(frozen=True)
class AlarmPoint:
    """What one rule gives: the share of coded events that are found, and its false alarms.

    Attributes:
        threshold: Score from which an event starts; None where it is not known.
        recall: From 0 to 1.
        false_alarms_per_hour: 0 or more.
    """

    threshold: float | None
    recall: float
    false_alarms_per_hour: float


@dataclass(frozen=True)
class AlarmCurve:
    """Recall and false alarms of a label over its thresholds.

    Attributes:
        label: Its name.
        n_true: Coded events.
        hours: Length of all recordings.
        points: By falling threshold. Recall need not rise with the alarms: low thresholds give
            events that are too long to match.
        chosen: What the rule in use gives.
    """

    label: str
    n_true: int
    hours: float
    points: tuple[AlarmPoint, ...]
    chosen: AlarmPoint

    @property
    def best_points(self) -> tuple[AlarmPoint, ...]:
        """Those points that find more than every point with as few or fewer false alarms."""
        best: list[AlarmPoint] = []
        for point in sorted(self.points, key=lambda p: (p.false_alarms_per_hour, -p.recall)):
            if not best or point.recall > best[-1].recall:
                best.append(point)
        return tuple(best)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def count_alarms(
    recordings: Sequence[ScoredRecording], labels: Sequence[str], decode: DecodeConfig
) -> tuple[np.ndarray, np.ndarray]:
    """Count what a rule finds in each recording.

    Args:
        recordings: R recordings.
        labels: K labels.
        decode: The rule.

    Returns:
        (K, R) int64 coded events that are found, and false alarms of the same shape.

    Raises:
        ConfigError: The background label is none of the scores' labels.
    """
    n_pairs = np.zeros((len(labels), len(recordings)), dtype=np.int64)
    n_found = np.zeros_like(n_pairs)
    for column, recording in enumerate(recordings):
        events = decode_events(recording.scores, decode)
        for row, label in enumerate(labels):
            found = [event for event in events if event.label == label]
            truth = [event for event in recording.truth if event.label == label]
            n_found[row, column] = len(found)
            n_pairs[row, column] = len(match_events(compute_ious(found, truth), MATCH_IOU))
    return n_pairs, n_found - n_pairs


def compute_curves(
    recordings: Sequence[ScoredRecording], labels: Sequence[str], decode: DecodeConfig
) -> tuple[AlarmCurve, ...]:
    """Return each label's curve: its own rule, with the onset at every level of its scores.

    The offset keeps its ratio to the onset; lengths, gaps and smoothing stay. The levels are
    scores that occur, as many among the few highest as among the many low ones.

    Args:
        recordings: At least one; their scores have the same labels.
        labels: Labels of the scores that were coded.
        decode: The rule in use.

    Raises:
        ConfigError: The background label is none of the scores' labels.

    Source: from scores instead of from events cut at one threshold, as J. Ebbers et al.,
    "Threshold independent evaluation of sound event detection scores", ICASSP 2022, here at some
    levels only.
    """
    hours = sum(recording.hours for recording in recordings)
    n_true = [
        sum(event.label == label for recording in recordings for event in recording.truth)
        for label in labels
    ]
    levels = np.array([_choose_levels(recordings, label) for label in labels])
    points: list[list[AlarmPoint]] = [[] for _ in labels]
    for row in levels.T:
        rules = {
            label: _move_onset(decode, label, float(level))
            for label, level in zip(labels, row, strict=True)
        }
        moved = replace(decode, labels={**decode.labels, **rules})
        for k, point in enumerate(_measure(recordings, labels, moved, n_true, hours)):
            points[k].append(point)
    chosen = _measure(recordings, labels, decode, n_true, hours)
    return tuple(
        AlarmCurve(label, n_true[k], hours, tuple(points[k]), chosen[k])
        for k, label in enumerate(labels)
    )


def _choose_levels(recordings: Sequence[ScoredRecording], label: str) -> np.ndarray:
    columns = [item.scores.values[:, item.scores.labels.index(label)] for item in recordings]
    values = np.sort(np.concatenate(columns).astype(np.float64))[::-1]
    ranks = np.geomspace(1.0, len(values), _N_THRESHOLDS).astype(np.int64) - 1
    return values[ranks]


def _move_onset(decode: DecodeConfig, label: str, onset: float) -> dict[str, float]:
    rule = decode.rule(label)
    ratio = rule.offset / rule.onset if rule.onset else 1.0
    return {**decode.labels.get(label, {}), "onset": onset, "offset": onset * ratio}


def _measure(
    recordings: Sequence[ScoredRecording],
    labels: Sequence[str],
    decode: DecodeConfig,
    n_true: Sequence[int],
    hours: float,
) -> list[AlarmPoint]:
    n_pairs, n_false = (counts.sum(axis=1) for counts in count_alarms(recordings, labels, decode))
    return [
        AlarmPoint(
            threshold=decode.rule(label).onset,
            recall=float(n_pairs[k] / n_true[k]) if n_true[k] else 0.0,
            false_alarms_per_hour=float(n_false[k] / hours),
        )
        for k, label in enumerate(labels)
    ]
