"""Recognition of one segment of a camera's timeline: features in, scores and events out."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from har.config import DecodeConfig, WatchConfig
from har.events.decoder import OnlineDecoder, name_people
from har.inference.model import Recognizer
from har.inference.scores import OnlineFusion, get_rate_hz
from har.inference.steps import OpenStream, StreamOutput
from har.live.feed import CameraFeed
from har.live.messages import CameraState, LiveEvent, LiveScores, Sink, State
from har.live.step_queue import Step
from har.sampling.times import Window
from har.types import Event, People, Scores, StreamName

_NAMED_FROM_S = 600.0
"""An event that is longer names the people of its last ten minutes."""


@dataclass(frozen=True)
class Update:
    """What became known of a segment, on the camera's timeline.

    Attributes:
        scores: Of the steps that are final now, often none.
        newest: (K,) float32: what the newest windows say.
        now_s: Where their last step ends.
        opened: Events that are told of for the first time and go on.
        final: Events that nothing to come can change.
        arrived_s: Arrivals of the frames that the newest windows are the first to cover.
    """

    scores: Scores
    newest: np.ndarray
    now_s: float
    opened: list[Event] = field(default_factory=list)
    final: list[Event] = field(default_factory=list)
    arrived_s: list[float] = field(default_factory=list)


class LiveSegment:
    """Takes what the networks say of the steps of one segment.

    Once `finish` was called it has ended, and its scores and events are those that a recording of
    the same frames has.
    """

    def __init__(
        self, recognizer: Recognizer, n_overlap: int, decode: DecodeConfig, begun_s: float
    ) -> None:
        """Start an empty segment.

        Args:
            recognizer: The loaded bundle; all segments share it.
            n_overlap: Windows over each step.
            decode: How scores become events.
            begun_s: Where its time 0 is on the camera's timeline.
        """
        info = recognizer.info
        self._info, self._begun_s = info, begun_s
        self._streams = {
            stream.name: OpenStream(stream, n_overlap) for stream in recognizer.streams
        }
        self._fusion = OnlineFusion(recognizer)
        self._no_scores = Scores(
            info.labels,
            np.zeros(0),
            np.zeros((0, len(info.labels)), np.float32),
            1 / get_rate_hz(recognizer),
        )
        self._decoder = OnlineDecoder(info.labels, decode)
        self._found = StreamOutput()
        self._rows: deque[Scores] = deque()
        self._told: set[tuple[str, float]] = set()
        self._waiting_s: list[float] = []
        self._has_windows = False
        self._now_s = 0.0

    def push(self, name: StreamName, features: Any, step: Step) -> list[Window[Any]]:
        """Take the features of steps of a stream; return windows for its head."""
        self._note_arrival(step)
        return self._streams[name].push(features, step.stack.n_steps)[1]

    def flush(self, name: StreamName) -> list[Window[Any]]:
        """Return the last window for a stream's head, if there is one."""
        return self._streams[name].flush()

    def push_output(self, found: StreamOutput) -> None:
        """Take what the heads said of windows, each stream's in the order of time."""
        self._found.extend(found, keep_places=False)

    def advance(self) -> Update | None:
        """Return what is known with all that was pushed; None while no window is complete."""
        found, self._found = self._found, StreamOutput()
        if not found.n_windows:
            return None
        self._note_newest(found)
        return self._tell(self._fusion.push(found.windows), is_over=False)

    def finish(self, span_s: float) -> Update:
        """End the segment, which is ``span_s`` long, and return what was still open."""
        found, self._found = self._found, StreamOutput()
        self._note_newest(found)
        return self._tell(self._fusion.flush(found.windows, span_s), is_over=True)

    def break_off(self) -> Update:
        """End the segment where its scores are final; what else was pushed is let go."""
        self._found = StreamOutput()
        return self._tell(None, is_over=True)

    def _note_newest(self, found: StreamOutput) -> None:
        """Remember where the newest window ends."""
        for name, windows in found.windows.items():
            rate_hz, newest = self._streams[name].stream.spec.rate_hz, windows[-1]
            self._now_s = max(self._now_s, (newest.start + newest.n_steps) / rate_hz)

    def _note_arrival(self, step: Step) -> None:
        """Remember that frames wait for the window over them, once there are windows."""
        if not self._has_windows:
            self._waiting_s.clear()
        self._waiting_s.append(step.arrived_s)

    def _tell(self, scores: Scores | None, is_over: bool) -> Update:
        self._has_windows = True
        final: list[Event] = []
        if scores is not None:
            self._remember(scores)
            final += self._decoder.push(scores.times_s, scores.values, scores.step_s)
        final += self._decoder.flush() if is_over else []
        going_on = [] if is_over else self._decoder.open
        opened = [event for event in going_on if (event.label, event.onset_s) not in self._told]
        self._told = {(event.label, event.onset_s) for event in going_on}
        arrived_s, self._waiting_s = self._waiting_s, []
        return Update(
            scores=self._shift_scores(scores or self._no_scores),
            newest=self._fusion.newest,
            now_s=self._begun_s + self._now_s,
            opened=self._finish_events(opened),
            final=self._finish_events(final),
            arrived_s=arrived_s,
        )

    def _remember(self, scores: Scores) -> None:
        if scores.people is None:
            return
        self._rows.append(scores)
        while self._rows[0].times_s[-1] < scores.times_s[-1] - _NAMED_FROM_S:
            self._rows.popleft()

    def _finish_events(self, events: list[Event]) -> list[Event]:
        """Name the people of events and put them on the camera's timeline."""
        if not events:
            return []
        named = tuple(events)
        if self._rows:
            rows = _join(list(self._rows))
            named = name_people(events, rows, self._info.single_person_labels)
        return [
            replace(
                event,
                onset_s=max(round(event.onset_s + self._begun_s, 6), 0.0),
                offset_s=round(event.offset_s + self._begun_s, 6),
            )
            for event in named
        ]

    def _shift_scores(self, scores: Scores) -> Scores:
        return replace(scores, times_s=scores.times_s + self._begun_s)


def _join(rows: list[Scores]) -> Scores:
    """Return consecutive scores with people as one."""
    people = [part.people for part in rows if part.people is not None]
    return replace(
        rows[0],
        times_s=np.concatenate([part.times_s for part in rows]),
        values=np.concatenate([part.values for part in rows]),
        people=People(
            np.concatenate([part.subjects for part in people]),
            np.concatenate([part.targets for part in people]),
            np.concatenate([part.confidence for part in people]),
        ),
    )


class CameraReport:
    """Tells the sinks of one camera; from the watch's thread only."""

    def __init__(
        self,
        feed: CameraFeed,
        labels: tuple[str, ...],
        config: WatchConfig,
        sinks: Sequence[Sink],
    ) -> None:
        """Start before anything was told.

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

    def report(self, update: Update) -> None:
        """Give the sinks scores and events."""
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
            now_s=update.now_s,
            at=at,
            latency_s=now_s - max(update.arrived_s, default=now_s),
        )
        events = [(event, True) for event in update.opened]
        events += [(event, False) for event in update.final]
        for sink in self._sinks:
            sink.on_scores(told)
            for event, is_open in events:
                sink.on_event(self._date(event, is_open, now_s, at))

    def report_state(self, now_s: float) -> None:
        """Tell the camera's state if it is another one, if there are notes, or if it is time."""
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
        waiting = self._feed.setup.summary.notes
        notes = [waiting.popleft() for _ in range(len(waiting))]
        if state == "frozen" and self._state != "frozen":
            notes.append(self._feed.explain_frozen(now_s))
        return notes

    def _describe(self, state: State, note: str, now_s: float) -> CameraState:
        summary = self._feed.setup.summary
        self._forget(now_s)
        self._counts.append((now_s, summary.n_frames))
        latencies_s = [latency_s for _, latency_s in self._latencies]
        return CameraState(
            name=self._feed.source.name,
            state=state,
            at=datetime.now(UTC),
            note=note,
            fps=_compute_rate(self._counts),
            latency_s=float(np.percentile(latencies_s, 95)) if latencies_s else 0.0,
            n_frames=summary.n_frames,
            n_dropped=self._feed.step_queue.n_dropped + summary.n_skipped,
            n_reconnects=self._feed.n_reconnects,
            n_damaged=summary.n_damaged,
        )

    def _forget(self, now_s: float) -> None:
        for recent in (self._latencies, self._counts):
            while recent and recent[0][0] < now_s - self._config.memory_s:
                recent.popleft()

    def _date(self, event: Event, is_open: bool, now_s: float, at: datetime) -> LiveEvent:
        """Put an event on the wall clock as it is now, whatever it was set to before."""
        ago_s = now_s - self._feed.setup.timeline.find_arrival_s(event.onset_s)
        began_at = at - timedelta(seconds=ago_s)
        return LiveEvent(self._feed.source.name, event, began_at, is_open)


def _compute_rate(counts: deque[tuple[float, int]]) -> float:
    """Return the rise a second between the first and the last count."""
    (first_s, n_first), (last_s, n_last) = counts[0], counts[-1]
    return (n_last - n_first) / (last_s - first_s) if last_s > first_s else 0.0
