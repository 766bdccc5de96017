"""Scores to events: hysteresis, bridging of short gaps, removal of short events; who it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from har.config import DecodeConfig
from har.errors import ConfigError
from har.types import Event, Scores

_TIME_EPS_S = 1e-6


def decode_events(scores: Scores, config: DecodeConfig) -> tuple[Event, ...]:
    """Gives the events that the scores of each label show, label by label on its own.

    An event starts with the first row whose score reaches ``config.onset`` and ends before the
    first row after it whose score is under ``config.offset``. Then events of one label with less
    than ``config.merge_gap_s`` between them become one, and those shorter than ``config.min_s``
    are dropped, in this order. An event's score is the mean of the label's scores over all rows
    between its onset and its offset, bridged ones included.

    Args:
        scores: Rows that follow each other without a gap; row i stands for
            ``[times_s[i] - step_s / 2, times_s[i] + step_s / 2)``.
        config: Thresholds and lengths. Its background label makes no events.

    Returns:
        Events by onset, then by the labels' order. Those of one label do not touch; those of
        different labels may overlap where thresholds are under one half.

    Raises:
        ConfigError: The background label is none of the scores' labels.

    Source: thresholding with hysteresis, J. Canny, "A computational approach to edge detection",
    IEEE PAMI 8(6), 1986, here forward in time only, so that a live stream decides alike; the four
    numbers as in G. Gelly and J.-L. Gauvain, "Minimum word error training of RNN-based voice
    activity detection", Interspeech 2015.

    >>> values = np.array([[0.1, 0.9], [0.5, 0.5], [0.7, 0.3]], dtype=np.float32)
    >>> scores = Scores(("play", "hit"), np.array([0.5, 1.5, 2.5]), values, 1.0)
    >>> [(event.label, event.onset_s, event.offset_s, event.score)
    ...  for event in decode_events(scores, DecodeConfig(background="play"))]
    [('hit', 0.0, 2.0, 0.7)]
    """
    if config.background and config.background not in scores.labels:
        raise ConfigError(
            f"Expected background to be one of {scores.labels}, received "
            f"background={config.background!r}"
        )
    events = [
        event
        for column, label in enumerate(scores.labels)
        if label != config.background
        for event in _decode_label(scores, column, config)
    ]
    return tuple(sorted(events, key=lambda event: event.onset_s))


def _decode_label(scores: Scores, column: int, config: DecodeConfig) -> list[Event]:
    values = scores.values[:, column]
    runs = _find_runs(values, config.onset, config.offset)
    spans = [
        (scores.times_s[first] - scores.step_s / 2, scores.times_s[last] + scores.step_s / 2)
        for first, last in runs
    ]
    merged: list[tuple[int, int]] = []
    for index, (first, last) in enumerate(runs):
        if merged and spans[index][0] - spans[index - 1][1] < config.merge_gap_s - _TIME_EPS_S:
            merged[-1] = (merged[-1][0], last)
        else:
            merged.append((first, last))
    events = [_make_event(scores, column, first, last) for first, last in merged]
    return [
        event for event in events if event.offset_s - event.onset_s >= config.min_s - _TIME_EPS_S
    ]


def _find_runs(values: np.ndarray, onset: float, offset: float) -> list[tuple[int, int]]:
    """Gives the first and last row of each stretch between an onset and the next offset."""
    ups, downs = np.flatnonzero(values >= onset), np.flatnonzero(values < offset)
    runs: list[tuple[int, int]] = []
    position = 0
    while (up := np.searchsorted(ups, position)) < len(ups):
        first = int(ups[up])
        down = np.searchsorted(downs, first)
        position = int(downs[down]) if down < len(downs) else len(values)
        runs.append((first, position - 1))
    return runs


def _make_event(scores: Scores, column: int, first: int, last: int) -> Event:
    return Event(
        label=scores.labels[column],
        onset_s=round(max(float(scores.times_s[first] - scores.step_s / 2), 0.0), 6),
        offset_s=round(float(scores.times_s[last] + scores.step_s / 2), 6),
        score=round(float(scores.values[first : last + 1, column].mean(dtype=np.float64)), 6),
    )


def name_people(
    events: Iterable[Event], scores: Scores, own_labels: Collection[str]
) -> tuple[Event, ...]:
    """Gives the events with the people that most of their rows name, weighted by the scores.

    The target is taken from those rows whose subject is the event's. Rows that name nobody count
    too: where they outweigh each person, it is not known who it was.

    Args:
        events: Decoded from ``scores``.
        scores: With or without people; without, the events are given back as they are.
        own_labels: Labels that are told from one body alone; their events have no target.
    """
    people = scores.people
    if people is None:
        return tuple(events)
    named: list[Event] = []
    for event in events:
        inside = slice(*np.searchsorted(scores.times_s, [event.onset_s, event.offset_s]))
        column = scores.labels.index(event.label)
        weights, subjects = scores.values[inside, column], people.subjects[inside, column]
        subject, target = _elect(subjects, weights), 0
        if subject and event.label not in own_labels:
            target = _elect(people.targets[inside, column], weights * (subjects == subject))
        named.append(replace(event, subject=subject, target=target))
    return tuple(named)


def _elect(numbers: np.ndarray, weights: np.ndarray) -> int:
    """Gives the number with the most weight, the lowest of those with as much."""
    candidates, votes = np.unique(numbers, return_inverse=True)
    return int(candidates[np.bincount(votes, weights).argmax()])
