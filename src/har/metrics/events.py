"""How well events are found in recordings: figures, and their intervals over recordings.

A found event may be paired with a true one of its label in the same recording, one to one, where
they overlap by a temporal intersection over union (tIoU) of at least some share. With P pairs, F
found and T true events:

    f1@S                    2 P / (F + T) at a tIoU of S
    precision, recall       P / F and P / T at a tIoU of 0.1
    false_alarms_per_hour   (F - P) / hours, at a tIoU of 0.1
    onset_error_s           found minus true onset of the pairs at a tIoU of 0.1: above 0 is late;
                            the median, and as ``..._q1_s`` and ``..._q3_s`` the quartiles
    ap@S                    average precision at a tIoU of S, events ranked by their scores; over
                            all labels their mean (mAP)
    ap                      the mean of ap@S over S from 0.3 to 0.7

A second event on a coded event that is paired already is a false alarm, and so is one that is far
too long. A figure whose denominator is 0 is None, never 0 or 1.

Sources: F1 at 0.1, 0.25 and 0.5: C. Lea et al., "Temporal convolutional networks for action
segmentation and detection", CVPR 2017, here with the most pairs instead of the first come. Average
precision and its mean over overlaps: F. Caba Heilbron et al., "ActivityNet", CVPR 2015; 0.3 to 0.7
are the overlaps customary for THUMOS'14, H. Idrees et al., CVIU 155, 2017. Missed against false
alarms in time, one to one: G. Awad et al., "TRECVID 2019", the activity task.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.errors import ConfigError
from har.events.matching import compute_ious, match_events
from har.metrics.intervals import Interval, Rate, Share, bootstrap_figures
from har.types import Event

F1_IOUS = (0.1, 0.25, 0.5)
AP_IOUS = (0.3, 0.4, 0.5, 0.6, 0.7)
MATCH_IOU = F1_IOUS[0]
"""Overlap from which a coded event counts as found and an event as no false alarm."""

EVENT_FIGURES = (
    *(f"f1@{iou:g}" for iou in F1_IOUS),
    "precision",
    "recall",
    "false_alarms_per_hour",
    "onset_error_s",
    "onset_error_q1_s",
    "onset_error_q3_s",
    *(f"ap@{iou:g}" for iou in AP_IOUS),
    "ap",
)
_UNDEFINED = "there is nothing to divide by: no such event, or the recordings' length is not known"


@dataclass(frozen=True)
class CodedRecording:
    """The coded and the found events of a recording.

    Attributes:
        name: As in the results.
        truth: The coded events.
        found: The recognized events.
        duration_s: Length of the recording, or None where it is not known.
        group: Recordings of one group (a child, a camera) depend on each other; empty where the
            recording is a group of its own.
    """

    name: str
    truth: tuple[Event, ...]
    found: tuple[Event, ...]
    duration_s: float | None = None
    group: str = ""


@dataclass(frozen=True)
class LabelMetrics:
    """Figures of one label, or of all together.

    Attributes:
        label: Empty for all.
        n_true: Coded events.
        n_found: Recognized events.
        figures: An interval for each name of `EVENT_FIGURES`.
    """

    label: str
    n_true: int
    n_found: int
    figures: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        figures = {name: figure.to_json() for name, figure in self.figures.items()}
        return {"label": self.label, "n_true": self.n_true, "n_found": self.n_found, **figures}


@dataclass(frozen=True)
class RecordingLabelCounts:
    """What was counted of one label in one recording.

    Attributes:
        name: Of the recording.
        group: What it depends on others by; its name where it is a group of its own.
        label: Of the events.
        n_true: Coded events.
        n_found: Recognized events.
        n_pairs: Pairs at each overlap of `F1_IOUS`.
        duration_s: Length of the recording, or None where it is not known.
    """

    name: str
    group: str
    label: str
    n_true: int
    n_found: int
    n_pairs: tuple[int, ...]
    duration_s: float | None


@dataclass(frozen=True)
class EventMetrics:
    """How well the events of some recordings were found.

    Attributes:
        n_recordings: Recordings that were compared.
        n_groups: Groups over which the intervals are.
        hours: Length of all recordings; None where one is not known.
        overall: Over all labels: pairs are counted together, average precision is the mean.
        per_label: Each label by itself.
        per_recording: The counts of each recording and label.
    """

    n_recordings: int
    n_groups: int
    hours: float | None
    overall: LabelMetrics
    per_label: tuple[LabelMetrics, ...]
    per_recording: tuple[RecordingLabelCounts, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is not defined."""
        return {
            "n_recordings": self.n_recordings,
            "n_groups": self.n_groups,
            "hours": self.hours,
            "overall": self.overall.to_json(),
            "per_label": [metrics.to_json() for metrics in self.per_label],
            "per_recording": [asdict(counts) for counts in self.per_recording],
        }


def compute_event_metrics(
    labels: Sequence[str],
    recordings: Sequence[CodedRecording],
    n_resamples: int = 1000,
    seed: int = 0,
) -> EventMetrics:
    """Compare the events of recordings with their reference coding.

    Args:
        labels: The labels that count; events of others are left out.
        recordings: At least one; those without any event count for their length.
        n_resamples: Resamples of whole groups of recordings for the intervals.
        seed: Same seed, same intervals.

    Raises:
        ConfigError: There is no recording or no label.

    >>> coded, event = Event("hit", 1.0, 3.0, 1.0), Event("hit", 1.5, 3.0, 0.9)
    >>> found = CodedRecording("a", (coded,), (event, Event("hit", 8.0, 9.0, 0.7)), 1800.0)
    >>> figures = compute_event_metrics(("hit",), [found]).overall.figures
    >>> [figures[name].mean for name in ("recall", "false_alarms_per_hour", "onset_error_s")]
    [1.0, 2.0, 0.5]
    """
    if not recordings or not labels:
        raise ConfigError(
            f"Expected at least one recording and one label, received {len(recordings)} and "
            f"{len(labels)}; check that the reference coding and the results name the same videos"
        )
    by_label = [_count_label(label, recordings) for label in labels]
    overall = _join(by_label)
    lengths = [recording.duration_s for recording in recordings]
    hours = np.array([np.nan if s is None else s / 3600.0 for s in lengths], dtype=np.float64)
    groups = [recording.group or recording.name for recording in recordings]
    figures = bootstrap_figures(
        lambda weights: _compute_figures(by_label, overall, hours, weights),
        groups,
        "recordings",
        _UNDEFINED,
        n_resamples,
        seed,
        known=_list_known([*by_label, overall], hours),
        rough=[
            place
            for place in range((len(by_label) + 1) * len(EVENT_FIGURES))
            if EVENT_FIGURES[place % len(EVENT_FIGURES)].startswith("onset_error")
        ],
    )
    n = len(EVENT_FIGURES)
    parts = [figures[start : start + n] for start in range(0, len(figures), n)]
    return EventMetrics(
        n_recordings=len(recordings),
        n_groups=len(set(groups)),
        hours=None if np.isnan(hours).any() else float(hours.sum()),
        overall=_to_metrics("", overall, parts[-1]),
        per_label=tuple(map(_to_metrics, labels, by_label, parts[:-1])),
        per_recording=tuple(
            RecordingLabelCounts(
                recording.name,
                group,
                label,
                int(counts.n_true[place]),
                int(counts.n_found[place]),
                tuple(counts.n_pairs[:, place].tolist()),
                recording.duration_s,
            )
            for place, (recording, group) in enumerate(zip(recordings, groups, strict=True))
            for label, counts in zip(labels, by_label, strict=True)
        ),
    )


@dataclass(frozen=True)
class _LabelCounts:
    """What there is to count of one label, or of all, in R recordings.

    Attributes:
        n_true: (R,) int.
        n_found: (R,) int.
        n_pairs: (len(F1_IOUS), R) int.
        errors_s: (P,) onset errors.
        error_of: (P,) int: the recording of each.
        is_hit: (len(AP_IOUS), E) bool of the found events by falling score.
        ranked_of: (E,) int: the recording of each.
    """

    n_true: np.ndarray
    n_found: np.ndarray
    n_pairs: np.ndarray
    errors_s: np.ndarray
    error_of: np.ndarray
    is_hit: np.ndarray
    ranked_of: np.ndarray


def _count_label(label: str, recordings: Sequence[CodedRecording]) -> _LabelCounts:
    n_pairs = np.zeros((len(F1_IOUS), len(recordings)), dtype=np.int64)
    sizes, errors, scores, hits = [], [], [], []
    for column, recording in enumerate(recordings):
        truth = [event for event in recording.truth if event.label == label]
        found = [event for event in recording.found if event.label == label]
        sizes.append((len(truth), len(found)))
        ious = compute_ious(found, truth)
        for row, min_iou in enumerate(F1_IOUS):
            n_pairs[row, column] = len(match_events(ious, min_iou))
        matched = match_events(ious, MATCH_IOU)
        errors.append([found[f].onset_s - truth[t].onset_s for f, t in matched.items()])
        scores.append(np.array([event.score for event in found]))
        hits.append(np.array([_find_hits(ious, scores[-1], iou) for iou in AP_IOUS]))
    places = np.arange(len(recordings))
    order = np.argsort(-np.concatenate(scores), kind="stable")
    n_true, n_found = np.array(sizes, dtype=np.int64).T
    return _LabelCounts(
        n_true=n_true,
        n_found=n_found,
        n_pairs=n_pairs,
        errors_s=np.concatenate([np.array(item, dtype=np.float64) for item in errors]),
        error_of=np.repeat(places, [len(item) for item in errors]),
        is_hit=np.concatenate(hits, axis=1)[:, order],
        ranked_of=np.repeat(places, n_found)[order],
    )


def _find_hits(ious: np.ndarray, scores: np.ndarray, min_iou: float) -> np.ndarray:
    """Return which events are right: by falling score each takes the free one it overlaps most."""
    free = ious.copy()
    is_hit = np.zeros(len(scores), dtype=bool)
    if free.shape[1] == 0:
        return is_hit
    for row in np.argsort(-scores, kind="stable"):
        column = int(free[row].argmax())
        if free[row, column] >= min_iou - 1e-9:
            is_hit[row] = True
            free[:, column] = -1.0
    return is_hit


def _join(by_label: Sequence[_LabelCounts]) -> _LabelCounts:
    """Return the counts of all labels together; their ranks are not joined."""
    return _LabelCounts(
        n_true=np.sum([counts.n_true for counts in by_label], axis=0),
        n_found=np.sum([counts.n_found for counts in by_label], axis=0),
        n_pairs=np.sum([counts.n_pairs for counts in by_label], axis=0),
        errors_s=np.concatenate([counts.errors_s for counts in by_label]),
        error_of=np.concatenate([counts.error_of for counts in by_label]),
        is_hit=np.zeros((len(AP_IOUS), 0), dtype=bool),
        ranked_of=np.zeros(0, dtype=np.int64),
    )


def _compute_figures(
    by_label: Sequence[_LabelCounts], overall: _LabelCounts, hours: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the figures of each label and of all, each recording counted ``weights`` times."""
    precisions = [_compute_precisions(counts, weights) for counts in by_label]
    defined = [values for values in precisions if np.isfinite(values).all()]
    mean = np.mean(defined, axis=0) if defined else np.full(len(AP_IOUS), np.nan)
    rows = [*zip(by_label, precisions, strict=True), (overall, mean)]
    return np.concatenate(
        [
            np.concatenate([_compute_counts(counts, hours, weights), values, [values.mean()]])
            for counts, values in rows
        ]
    )


def _list_known(rows: Sequence[_LabelCounts], hours: np.ndarray) -> dict[int, Share | Rate]:
    """Return the counts behind shares and rates by their place among the figures of all rows."""
    known: dict[int, Share | Rate] = {}
    for row, counts in enumerate(rows):
        n_matched = counts.n_pairs[F1_IOUS.index(MATCH_IOU)]
        for name, item in (
            ("precision", Share(n_matched, counts.n_found)),
            ("recall", Share(n_matched, counts.n_true)),
            ("false_alarms_per_hour", Rate(counts.n_found - n_matched, hours)),
        ):
            known[row * len(EVENT_FIGURES) + EVENT_FIGURES.index(name)] = item
    return known


def _compute_counts(counts: _LabelCounts, hours: np.ndarray, weights: np.ndarray) -> np.ndarray:
    n_true, n_found = float(weights @ counts.n_true), float(weights @ counts.n_found)
    n_pairs = counts.n_pairs @ weights
    n_matched = n_pairs[F1_IOUS.index(MATCH_IOU)]
    errors = np.repeat(counts.errors_s, weights[counts.error_of])
    q1, median, q3 = np.quantile(errors, [0.25, 0.5, 0.75]) if len(errors) else [np.nan] * 3
    shares = [_ratio(n_matched, n_found), _ratio(n_matched, n_true)]
    rate = _ratio(n_found - n_matched, float(weights @ hours))
    f1 = [_ratio(2.0 * n, n_found + n_true) for n in n_pairs]
    return np.array([*f1, *shares, rate, median, q1, q3])


def _compute_precisions(counts: _LabelCounts, weights: np.ndarray) -> np.ndarray:
    """Return the average precision at each of `AP_IOUS`: the area under precision over recall."""
    n_true = float(weights @ counts.n_true)
    if n_true == 0:
        return np.full(len(AP_IOUS), np.nan)
    counted = weights[counts.ranked_of]
    hits = np.cumsum(counts.is_hit * counted, axis=1)
    precision = hits / np.maximum(np.cumsum(counted), 1)
    best_later = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    return (np.diff(hits, axis=1, prepend=0) * best_later).sum(axis=1) / n_true


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else np.nan


def _to_metrics(label: str, counts: _LabelCounts, figures: Sequence[Interval]) -> LabelMetrics:
    named = dict(zip(EVENT_FIGURES, figures, strict=True))
    return LabelMetrics(label, int(counts.n_true.sum()), int(counts.n_found.sum()), named)
