"""Scores of a recording to events, and who it was."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from har.config import DecodeConfig
from har.events.online import OnlineDecoder
from har.types import Event, Scores


def decode_events(scores: Scores, config: DecodeConfig) -> tuple[Event, ...]:
    """Gives the events that the scores of each label show, label by label on its own.

    With the label's rule (`LabelRule`), in this order:

    1. Scores are smoothed over ``smooth_s``.
    2. A run starts with the first row whose score reaches ``onset`` and ends before the first row
       after it whose score is under ``offset``, or where the next row does not follow.
    3. Runs with less than ``merge_gap_s`` between them become one event.
    4. An event's end is drawn in to the last row whose score reaches ``tail`` times the highest in
       the `TAIL_S` before the end.
    5. Events shorter than ``min_s`` are dropped.

    An event's score is the mean of the label's scores, not smoothed, over all rows between its
    onset and its offset, bridged ones included. A live stream decides alike, see `OnlineDecoder`.

    Args:
        scores: Row i stands for ``[times_s[i] - step_s / 2, times_s[i] + step_s / 2)``.
        config: Thresholds and lengths. Its background label makes no events.

    Returns:
        Events by onset, then by the labels' order. Those of one label do not touch; those of
        different labels may overlap where thresholds are under one half.

    Raises:
        ConfigError: The background, or a label with a rule of its own, is none of the scores'.

    Source: thresholding with hysteresis, J. Canny, "A computational approach to edge detection",
    IEEE PAMI 8(6), 1986, here forward in time only; the four numbers of steps 2, 3 and 5 as in
    G. Gelly and J.-L. Gauvain, "Minimum word error training of RNN-based voice activity detection",
    Interspeech 2015. Step 4 is the project's own, docs/decisions/011-decoding.md.

    >>> values = np.array([[0.1, 0.9], [0.2, 0.8], [0.5, 0.5], [0.7, 0.3]], dtype=np.float32)
    >>> scores = Scores(("play", "hit"), np.array([0.5, 1.5, 2.5, 3.5]), values, 1.0)
    >>> [(event.label, event.onset_s, event.offset_s, event.score)
    ...  for event in decode_events(scores, DecodeConfig(background="play"))]
    [('hit', 0.0, 2.0, 0.85)]
    """
    decoder = OnlineDecoder(scores.labels, config)
    events = decoder.push(scores.times_s, scores.values, scores.step_s) + decoder.flush()
    ranks = {label: rank for rank, label in enumerate(scores.labels)}
    return tuple(sorted(events, key=lambda event: (event.onset_s, ranks[event.label])))


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
