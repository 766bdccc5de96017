"""What a watch delivers to its listeners, and what a listener is.

A watch is driven like this, and `har.live.watch.Watch` is its only entry:

    sources = parse_sources(["door=rtsp://...", "0"])               # har.live.sources
    recognizer = Recognizer(bundle_dir, n_threads=1)                # cameras share the cores
    with stop_on_signals() as until:                                # har.live.service
        Watch(recognizer, sources, config, sinks, tap).run(until)

`run` blocks in the caller's thread until ``until`` is set or every source has ended for good. Then
it flushes: open events are delivered as final, each camera's last state is ``ended``, and `close`
of every sink is called, also when an error ends the run. All calls of sinks come from the thread of
`run`, one after another; those of a tap come from the cameras' threads.

Times in seconds are on the camera's timeline: seconds since its first frame by the wall clock. It
never goes back; while the camera is lost it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

import numpy as np

from har.types import Event
from har.video.camera.frames import PacketTap as PacketTap

State = Literal["starting", "live", "frozen", "lost", "ended"]


@dataclass(frozen=True)
class CameraState:
    """The state of a camera.

    Attributes:
        name: Unique among the watch's cameras, fit for a file's name, and free of credentials.
        state: ``starting`` until the first frame; ``live``; ``frozen`` while it gives no frame, or
            the same picture again and again; ``lost`` while it is being reconnected; ``ended``
            after a file's last frame, and for all cameras at the end.
        at: When this was so, UTC.
        note: What happened, empty if nothing new; free of credentials.
        fps: Frames a second over the last few seconds.
        latency_s: 95th percentile over the last steps of the time from a frame's arrival to the
            scores computed from it; 0 before the first.
        n_frames: Frames received, in all.
        n_dropped: Time steps dropped because recognition did not keep up, in all.
        n_reconnects: Times it was lost and reconnected.
        n_damaged: Packets that could not be decoded, in all.
    """

    name: str
    state: State
    at: datetime
    note: str = ""
    fps: float = 0.0
    latency_s: float = 0.0
    n_frames: int = 0
    n_dropped: int = 0
    n_reconnects: int = 0
    n_damaged: int = 0


@dataclass(frozen=True)
class LiveEvent:
    """An event of a camera, delivered when it opens and again when it is final.

    ``(camera, event.label, event.onset_s)`` is the same both times. While it is open, its offset
    and score are those of what is known so far.

    Attributes:
        camera: Its name.
        event: On the camera's timeline.
        began_at: UTC wall clock of the onset.
        is_open: Whether it still goes on.
    """

    camera: str
    event: Event
    began_at: datetime
    is_open: bool


@dataclass(frozen=True)
class LiveScores:
    """Scores of a camera.

    A step's score is final when no later window contains it, about one window after it; until then
    the newest window gives ``now``.

    Attributes:
        camera: Its name.
        labels: K names in the model's order.
        times_s: (n,) float64: the middles of the steps that have become final; often n is 0.
        values: (n, K) float32, as in `har.types.Scores`.
        step_s: Length of a step.
        now: (K,) float32: scores of the newest window, all 0 where the model is uncertain.
        now_s: Where that window ends, on the camera's timeline.
        at: When they were computed, UTC.
        latency_s: From the arrival of the newest frame of ``now`` until this was computed.
    """

    camera: str
    labels: tuple[str, ...]
    times_s: np.ndarray
    values: np.ndarray
    step_s: float
    now: np.ndarray
    now_s: float
    at: datetime
    latency_s: float


class Sink(Protocol):
    """A listener of a watch. Its calls hold up recognition: slow work belongs on its own thread."""

    def on_state(self, state: CameraState) -> None:
        """Take a camera's state: it has changed, or a second has passed since the last."""
        ...

    def on_scores(self, scores: LiveScores) -> None:
        """Take new scores of one camera."""
        ...

    def on_event(self, event: LiveEvent) -> None:
        """Take an event that has opened, or is final."""
        ...

    def close(self) -> None:
        """Finish: nothing more comes."""
        ...


EventKey = tuple[str, str, float]
"""Camera, label and onset: the same while an event is open and when it is final."""


def compute_key(event: LiveEvent) -> EventKey:
    """Return what identifies an event."""
    return event.camera, event.event.label, event.event.onset_s


@dataclass(frozen=True)
class Alert:
    """An event for a person to review.

    Attributes:
        event: As far as it was known at that moment.
        raised_at: UTC time of the last footage that it rests on.
    """

    event: LiveEvent
    raised_at: datetime


class AlertListener(Protocol):
    """A listener of alerts."""

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Take a new alert; ``alert_id`` is the name of its files."""
        ...
