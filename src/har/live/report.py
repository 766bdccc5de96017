"""What the sinks are told of one camera, in their words and by the wall clock."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from har.config import WatchConfig
from har.live.feed import CameraFeed
from har.live.messages import CameraState, LiveEvent, LiveScores, Sink, State
from har.live.stretch import Update
from har.types import Event


class CameraReport:
    """Tells the sinks of one camera; from the watch's thread only."""

    def __init__(
        self,
        feed: CameraFeed,
        labels: tuple[str, ...],
        config: WatchConfig,
        sinks: Sequence[Sink],
    ) -> None:
        """Starts before anything was told.

        Args:
            feed: The camera.
            labels: In the model's order.
            config: How often its state is told.
            sinks: Are told, in this order.
        """
        self._feed, self._labels, self._config, self._sinks = feed, labels, config, sinks
        self._state: State | None = None
        self._next_s = 0.0
        self._latencies: deque[tuple[float, float]] = deque()
        self._counts: deque[tuple[float, int]] = deque()

    def tell(self, update: Update) -> None:
        """Tells scores and events."""
        now_s, at = time.monotonic(), datetime.now(UTC)
        self._latencies += [(now_s, now_s - arrived_s) for arrived_s in update.arrived_s]
        scores = update.scores
        told = LiveScores(
            camera=self._feed.source.name,
            labels=self._labels,
            times_s=scores.times_s,
            values=scores.values,
            step_s=scores.step_s,
            now=update.newest,
            at=at,
            latency_s=now_s - max(update.arrived_s, default=now_s),
        )
        events = [(event, True) for event in update.opened]
        events += [(event, False) for event in update.final]
        for sink in self._sinks:
            sink.on_scores(told)
            for event, is_open in events:
                sink.on_event(self._date(event, is_open, now_s, at))

    def tell_state(self, now_s: float) -> None:
        """Tells the camera's state if it is another one, if there are notes, or if it is time."""
        state = self._feed.find_state(now_s)
        notes = self._take_notes(state, now_s)
        is_new, self._state = state != self._state, state
        if not notes and not is_new and now_s < self._next_s:
            return
        self._next_s = now_s + self._config.state_every_s
        for note in notes or [""]:
            told = self._describe(state, note, now_s)
            for sink in self._sinks:
                sink.on_state(told)

    def _take_notes(self, state: State, now_s: float) -> list[str]:
        waiting = self._feed.setup.tally.notes
        notes = [waiting.popleft() for _ in range(len(waiting))]
        if state == "frozen" and self._state != "frozen":
            notes.append(self._feed.explain_frozen(now_s))
        return notes

    def _describe(self, state: State, note: str, now_s: float) -> CameraState:
        tally = self._feed.setup.tally
        self._forget(now_s)
        self._counts.append((now_s, tally.n_frames))
        latencies_s = [latency_s for _, latency_s in self._latencies]
        return CameraState(
            name=self._feed.source.name,
            state=state,
            at=datetime.now(UTC),
            note=note,
            fps=_compute_rate(self._counts),
            latency_s=float(np.percentile(latencies_s, 95)) if latencies_s else 0.0,
            n_frames=tally.n_frames,
            n_dropped=self._feed.mailbox.n_dropped + tally.n_skipped,
            n_reconnects=self._feed.n_reconnects,
            n_damaged=tally.n_damaged,
        )

    def _forget(self, now_s: float) -> None:
        for kept in (self._latencies, self._counts):
            while kept and kept[0][0] < now_s - self._config.memory_s:
                kept.popleft()

    def _date(self, event: Event, is_open: bool, now_s: float, at: datetime) -> LiveEvent:
        """Puts an event on the wall clock as it is now, whatever it was set to before."""
        ago_s = now_s - self._feed.setup.timeline.find_arrival_s(event.onset_s)
        began_at = at - timedelta(seconds=ago_s)
        return LiveEvent(self._feed.source.name, event, began_at, is_open)


def _compute_rate(counts: deque[tuple[float, int]]) -> float:
    """Gives the rise a second between the first and the last count."""
    (first_s, n_first), (last_s, n_last) = counts[0], counts[-1]
    return (n_last - n_first) / (last_s - first_s) if last_s > first_s else 0.0
