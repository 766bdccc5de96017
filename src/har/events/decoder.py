"""Scores to events: of a whole recording, and as they come, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import replace

import numpy as np

from har.config import DecodeConfig
from har.errors import ConfigError
from har.events.rules import LabelDecoder, Rows
from har.types import Event, Scores


def decode_events(scores: Scores, config: DecodeConfig) -> tuple[Event, ...]:
    """Return the events that the scores of each label show, label by label on its own.

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
    events: Iterable[Event], scores: Scores, single_person_labels: Collection[str]
) -> tuple[Event, ...]:
    """Return the events with the people that most of their rows name, weighted by the scores.

    The target is taken from those rows whose subject is the event's. Rows that name nobody count
    too: where they outweigh each person, the event has none.

    Args:
        events: Decoded from ``scores``.
        scores: With or without people; without, the events are given back as they are.
        single_person_labels: Labels recognized from one body alone; their events have no target.
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
        if subject and event.label not in single_person_labels:
            target = _elect(people.targets[inside, column], weights * (subjects == subject))
        named.append(replace(event, subject=subject, target=target))
    return tuple(named)


def _elect(numbers: np.ndarray, weights: np.ndarray) -> int:
    """Return the number with the most weight, the lowest of those with as much."""
    candidates, votes = np.unique(numbers, return_inverse=True)
    return int(candidates[np.bincount(votes, weights).argmax()])


_APART_STEPS = 1.5
"""Rows whose times are further from each other than so many steps do not follow each other."""


class OnlineDecoder:
    """Gives the events of a stream of scores as soon as they are final.

    However the rows are cut into pushes, all events together are those that `decode_events` gives
    for the whole. Memory does not grow with the rows.
    """

    def __init__(self, labels: tuple[str, ...], config: DecodeConfig) -> None:
        """Start an empty stream.

        Args:
            labels: K names in the order of the scores' columns.
            config: Thresholds and lengths. Its background label makes no events.

        Raises:
            ConfigError: The background, or a label with a rule of its own, is none of the labels.
        """
        check_labels(labels, config)
        self._labels, self._config = labels, config
        self._decoders: dict[int, LabelDecoder] = {}
        self._last_s = math.nan
        self._step_s = 0.0

    def push(self, times_s: np.ndarray, values: np.ndarray, step_s: float) -> list[Event]:
        """Take the next rows.

        Where rows do not follow each other, as after a camera was away, what goes on ends with the
        last row before; it may still be joined with what begins within ``merge_gap_s``.

        Args:
            times_s: (n,) float64 ascending, and later than all before; may be empty.
            values: (n, K) float32 in [0, 1]; all 0 in a row where the model is uncertain.
            step_s: Length of time that one row stands for, 0 for a lone picture; the same
                in all pushes.

        Returns:
            Events that nothing to come can change, by onset, then by the labels' order.

        Raises:
            ConfigError: The times do not ascend, or the step has changed.
        """
        if len(times_s) == 0:
            return []
        if math.isnan(self._last_s):
            self._start(float(times_s[0]), step_s)
        is_known, found = values.max(axis=1) > 0, list[tuple[int, Event]]()
        for rows, is_apart in self._cut(times_s, step_s):
            for column, decoder in self._decoders.items():
                scores = values[rows, column]
                piece = Rows(times_s[rows], scores, is_known[rows], scores)
                events = decoder.interrupt() if is_apart else []
                found += [(column, event) for event in events + decoder.push(piece)]
        return _sort(found)

    def flush(self) -> list[Event]:
        """End the stream and return the events that still waited, in the order of `push`."""
        return _sort(
            [
                (column, event)
                for column, decoder in self._decoders.items()
                for event in decoder.flush()
            ]
        )

    @property
    def open(self) -> tuple[Event, ...]:
        """Events that are long enough and not final, up to where they are certain to last.

        Each becomes final later with the same onset, and an offset that is the same or later. One
        whose score has dropped stays here until nothing more can be joined to it.
        """
        going_on = [(column, decoder.open) for column, decoder in self._decoders.items()]
        return tuple(_sort([(column, event) for column, event in going_on if event is not None]))

    def _start(self, first_s: float, step_s: float) -> None:
        self._last_s, self._step_s = first_s - (step_s or 1.0), step_s
        self._decoders = {
            column: LabelDecoder(label, self._config.rule(label), step_s)
            for column, label in enumerate(self._labels)
            if label != self._config.background
        }

    def _cut(self, times_s: np.ndarray, step_s: float) -> list[tuple[slice, bool]]:
        """Return runs of rows that follow each other, and whether each is apart from before."""
        steps_s = np.diff(times_s, prepend=self._last_s)
        if not np.all(steps_s > 0) or step_s != self._step_s:
            raise ConfigError(
                f"Expected rows after {self._last_s:g} s that ascend in steps of "
                f"{self._step_s:g} s, received rows from {times_s[0]:g} to {times_s[-1]:g} s with "
                f"step_s={step_s:g}; start a new decoder for another stream"
            )
        self._last_s = float(times_s[-1])
        apart = set(np.flatnonzero(steps_s > _APART_STEPS * step_s).tolist())
        firsts = sorted({0} | apart)
        ends = [*firsts[1:], len(times_s)]
        return [
            (slice(first, end), first in apart) for first, end in zip(firsts, ends, strict=True)
        ]


def check_labels(labels: tuple[str, ...], config: DecodeConfig) -> None:
    """Check that rules are for labels that exist.

    Raises:
        ConfigError: The background or a label with rules of its own is none of ``labels``.
    """
    if config.background and config.background not in labels:
        raise ConfigError(
            f"Expected background to be one of {labels}, received background={config.background!r}"
        )
    unknown = sorted(set(config.labels) - set(labels))
    if unknown:
        raise ConfigError(f"Expected rules for some of the labels {labels}, received {unknown}")


def _sort(events: list[tuple[int, Event]]) -> list[Event]:
    return [event for _, event in sorted(events, key=lambda item: (item[1].onset_s, item[0]))]
