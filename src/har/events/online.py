"""Scores to events as they come, in constant memory; recordings go the same way."""

from __future__ import annotations

import math

import numpy as np

from har.config import DecodeConfig
from har.errors import ConfigError
from har.events.label import LabelDecoder
from har.events.smoothing import Rows
from har.types import Event

_APART_STEPS = 1.5
"""Rows whose times are further from each other than so many steps do not follow each other."""


class OnlineDecoder:
    """Gives the events of a stream of scores as soon as they are final.

    However the rows are cut into pushes, all events together are those that `decode_events` gives
    for the whole. Memory does not grow with the rows.
    """

    def __init__(self, labels: tuple[str, ...], config: DecodeConfig) -> None:
        """Starts an empty stream.

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
        """Takes the next rows.

        Where rows do not follow each other, as after a camera was away, what goes on ends with the
        last row before; it may still be joined with what begins within ``merge_gap_s``.

        Args:
            times_s: (n,) float64 ascending, and later than all before; may be empty.
            values: (n, K) float32 in [0, 1]; all 0 in a row where the model cannot tell.
            step_s: Length of the stretch that one row speaks for, 0 for a lone picture; the same
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
        """Ends the stream and gives the events that still waited, in the order of `push`."""
        return _sort(
            [
                (column, event)
                for column, decoder in self._decoders.items()
                for event in decoder.flush()
            ]
        )

    @property
    def open(self) -> tuple[Event, ...]:
        """Events that are long enough and not final, up to where they are sure to go.

        Each becomes final later with the same onset, and an offset that is the same or later. One
        whose score has dropped stays here until it is sure that nothing will be joined to it.
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
        """Gives stretches of rows that follow each other, and if one is apart from before."""
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
    """Makes sure that rules are for labels that there are.

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
