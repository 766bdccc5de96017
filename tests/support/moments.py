"""What a watch would tell, made by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np

from har.live.messages import Alert, CameraState, LiveEvent, LiveScores, State
from har.types import Event

NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)
LABELS = ("playing", "hit")


def make_event(
    onset_s: float = 10.0,
    length_s: float = 2.0,
    score: float = 0.9,
    is_open: bool = False,
    camera: str = "hall",
    start: datetime = NOON,
) -> LiveEvent:
    """Return an event of a camera whose timeline starts at ``start``."""
    event = Event("hit", onset_s, onset_s + length_s, score)
    return LiveEvent(camera, event, start + timedelta(seconds=onset_s), is_open)


def make_alert(event: LiveEvent | None = None) -> Alert:
    """Return the alert of an event that is known to its offset."""
    event = event or make_event()
    length_s = event.event.offset_s - event.event.onset_s
    return Alert(event, event.began_at + timedelta(seconds=length_s))


def make_scores(
    times_s: list[float], hits: list[float], camera: str = "hall", latency_s: float = 0.1
) -> LiveScores:
    """Return final scores of one second each; ``now`` is the last, or even chances."""
    values = np.array([[1 - hit, hit] for hit in hits], dtype=np.float32).reshape(-1, 2)
    now = values[-1] if hits else np.array([0.5, 0.5], np.float32)
    times = np.array(times_s, dtype=np.float64)
    return LiveScores(camera, LABELS, times, values, 1.0, now, 0.0, NOON, latency_s)


def make_state(name: str = "hall", state: State = "live", note: str = "") -> CameraState:
    """Return a camera's state."""
    return CameraState(name, state, NOON, note, 24.9, 0.18, 4210, 3, 1, 2)
