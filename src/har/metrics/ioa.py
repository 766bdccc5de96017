"""Interobserver agreement (IOA) of two codings of one label in one recording.

    total_count                     smaller count / larger count
    mean_count_per_interval         mean over intervals of smaller / larger; none and none agree
    exact_count_per_interval        intervals with the same count / intervals
    interval_by_interval            intervals in which both or neither have the label / intervals
    scored_interval                 intervals that both have / that at least one has
    unscored_interval               intervals that both lack / that at least one lacks
    total_duration                  shorter time / longer time
    mean_duration_per_occurrence    mean over occurrences of shorter / longer

An event is counted in the interval of its onset; an interval has a label that it overlaps. The last
interval is shorter where the recording is no multiple of it. Time that several events share counts
once. Occurrences are paired one to one where they overlap; one that a single observer coded agrees
by 0. A figure whose denominator is 0 is NaN: two codings without an event have nothing to agree on
but intervals.

Sources: J. O. Cooper, T. E. Heron, W. L. Heward, Applied Behavior Analysis, chapter "Improving and
Assessing the Quality of Behavioral Measurement"; worked examples: D. D. Reed and R. L. Azulay, "A
Microsoft Excel 2010 based tool for calculating interobserver agreement", Behavior Analysis in
Practice 4(2), 2011.
"""

from __future__ import annotations

import math

import numpy as np

from har.events.matching import compute_ious, match_events
from har.types import TIME_EPS_S, Event

IOA_FIGURES = (
    "total_count",
    "mean_count_per_interval",
    "exact_count_per_interval",
    "interval_by_interval",
    "scored_interval",
    "unscored_interval",
    "total_duration",
    "mean_duration_per_occurrence",
)
_ANY_OVERLAP = 1e-6


def compute_ioa(
    first: list[Event], second: list[Event], duration_s: float, interval_s: float
) -> np.ndarray:
    """Return all figures of `IOA_FIGURES` for two codings, each from 0 to 1 or NaN.

    Args:
        first: Events of one label, within the recording.
        second: The other observer's.
        duration_s: Length of the recording, above 0.
        interval_s: Length of an interval, above 0.

    >>> hits = [Event("hit", 1.0, 3.0, 1.0), Event("hit", 12.0, 14.0, 1.0)]
    >>> compute_ioa(hits, hits[:1], 20.0, 10.0).tolist()
    [0.5, 0.5, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5]
    """
    both = (first, second)
    counts = [count_onsets(events, duration_s, interval_s) for events in both]
    scored = [find_scored(events, duration_s, interval_s) for events in both]
    return np.array(
        [
            compute_smaller_share(len(first), len(second)),
            compute_mean_count(*counts),
            compute_exact_count(*counts),
            compute_interval_by_interval(*scored),
            compute_scored_interval(*scored),
            compute_scored_interval(~scored[0], ~scored[1]),
            compute_smaller_share(*(measure_time_s(events) for events in both)),
            compute_mean_duration(first, second),
        ]
    )


def count_onsets(events: list[Event], duration_s: float, interval_s: float) -> np.ndarray:
    """Return (I,) int64: how many events begin in each interval.

    >>> count_onsets([Event("hit", 10.0, 11.0, 1.0)], 25.0, 10.0).tolist()
    [0, 1, 0]
    """
    n = _count_intervals(duration_s, interval_s)
    places = [min(int((event.onset_s + TIME_EPS_S) / interval_s), n - 1) for event in events]
    return np.bincount(np.array(places, dtype=np.int64), minlength=n)


def find_scored(events: list[Event], duration_s: float, interval_s: float) -> np.ndarray:
    """Return (I,) bool: which intervals an event overlaps (partial-interval recording).

    >>> find_scored([Event("hit", 9.0, 20.0, 1.0)], 30.0, 10.0).tolist()
    [True, True, False]
    """
    scored = np.zeros(_count_intervals(duration_s, interval_s), dtype=bool)
    for event in events:
        first = int((event.onset_s + TIME_EPS_S) / interval_s)
        last = max(math.ceil((event.offset_s - TIME_EPS_S) / interval_s), first + 1)
        scored[first:last] = True
    return scored


def _count_intervals(duration_s: float, interval_s: float) -> int:
    return max(math.ceil((duration_s - TIME_EPS_S) / interval_s), 1)


def measure_time_s(events: list[Event]) -> float:
    """Return the seconds in which at least one event is.

    >>> measure_time_s([Event("hit", 0.0, 4.0, 1.0), Event("hit", 3.0, 5.0, 1.0)])
    5.0
    """
    total_s, reached_s = 0.0, -math.inf
    for event in sorted(events, key=lambda event: event.onset_s):
        total_s += max(event.offset_s - max(event.onset_s, reached_s), 0.0)
        reached_s = max(reached_s, event.offset_s)
    return total_s


def compute_smaller_share(first: float, second: float) -> float:
    """Return the smaller of two counts or times as a share of the larger: total count, duration.

    Source: total count IOA and total duration IOA, Cooper, Heron and Heward.

    >>> compute_smaller_share(40, 50)
    0.8
    """
    larger = max(first, second)
    return min(first, second) / larger if larger else math.nan


def compute_mean_count(first: np.ndarray, second: np.ndarray) -> float:
    """Return the mean count-per-interval agreement of two (I,) counts.

    Source: mean count-per-interval IOA, Cooper, Heron and Heward.

    >>> compute_mean_count(np.array([2, 0]), np.array([1, 0]))
    0.75
    """
    larger = np.maximum(first, second)
    shares = np.minimum(first, second) / np.maximum(larger, 1)
    return float(np.where(larger > 0, shares, 1.0).mean())


def compute_exact_count(first: np.ndarray, second: np.ndarray) -> float:
    """Return the exact count-per-interval agreement of two (I,) counts.

    Source: exact count-per-interval IOA, Cooper, Heron and Heward.

    >>> compute_exact_count(np.array([2, 0]), np.array([1, 0]))
    0.5
    """
    return float((first == second).mean())


def compute_interval_by_interval(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of (I,) intervals that both or neither have scored.

    Source: interval-by-interval IOA, Cooper, Heron and Heward.

    >>> compute_interval_by_interval(np.array([True, False]), np.array([True, True]))
    0.5
    """
    return float((first == second).mean())


def compute_scored_interval(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share that both have scored of (I,) intervals that at least one has scored.

    Of what is not scored (``~first``, ``~second``) it is the unscored-interval agreement.

    Source: scored-interval and unscored-interval IOA, Cooper, Heron and Heward.

    >>> compute_scored_interval(np.array([True, False, False]), np.array([True, True, False]))
    0.5
    """
    n_any = int((first | second).sum())
    return int((first & second).sum()) / n_any if n_any else math.nan


def compute_mean_duration(first: list[Event], second: list[Event]) -> float:
    """Return the mean duration-per-occurrence agreement of two codings of a label.

    Source: mean duration-per-occurrence IOA, Cooper, Heron and Heward, who have both observers time
    the same occurrences; that those of one observer alone agree by 0 is the same formula.

    >>> compute_mean_duration([Event("hit", 0.0, 4.0, 1.0)], [Event("hit", 1.0, 4.0, 1.0)])
    0.75
    """
    first, second = sorted((first, second), key=_list_spans)  # whoever is named first, the same
    pairs = match_events(compute_ious(first, second), _ANY_OVERLAP)
    n = len(first) + len(second) - len(pairs)
    shares = [
        compute_smaller_share(_measure_s(first[row]), _measure_s(second[column]))
        for row, column in pairs.items()
    ]
    return sum(shares) / n if n else math.nan


def _list_spans(events: list[Event]) -> list[tuple[float, float]]:
    return [(event.onset_s, event.offset_s) for event in events]


def _measure_s(event: Event) -> float:
    return event.offset_s - event.onset_s
