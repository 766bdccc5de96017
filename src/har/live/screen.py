"""What a person at the terminal sees of a watch, as plain lines."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from har.live.alerts import Alert
from har.live.messages import CameraState, LiveEvent, LiveScores


def describe_event(event: LiveEvent) -> str:
    """Gives an event in a few words.

    >>> from har.types import Event
    >>> describe_event(LiveEvent("hall", Event("hit", 4.0, 6.5, 0.875), datetime(2025, 7, 1), True))
    'hit for 2.5 s so far, score 0.88'
    """
    known = event.event
    so_far = " so far" if event.is_open else ""
    return (
        f"{known.label} for {known.offset_s - known.onset_s:.1f} s{so_far}, score {known.score:.2f}"
    )


def describe_note(state: CameraState) -> str:
    """Gives what there is to note of a camera, with its name."""
    is_named = state.note.startswith(state.name)
    return state.note if is_named else f"{state.name}: {state.note}"


def format_clock(moment: datetime) -> str:
    """Gives the local time of day."""
    return f"{moment.astimezone():%H:%M:%S}"


class Lines:
    """Prints a line for each change of a camera, each event that is over, each alert and note."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Prints nothing yet; ``say`` prints a line."""
        self._say = say
        self._states: dict[str, str] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is open."""

    def on_state(self, state: CameraState) -> None:
        """Prints a line where the state is another one or there is something to note."""
        is_new = state.state != self._states.get(state.name)
        self._states[state.name] = state.state
        words = [f"{state.name} is {state.state}"] if is_new else []
        words += [describe_note(state)] if state.note else []
        if words:
            self._say(f"{format_clock(state.at)} {'; '.join(words)}")

    def on_scores(self, scores: LiveScores) -> None:
        """Scores come too often for lines."""

    def on_event(self, event: LiveEvent) -> None:
        """Prints a line once the event is over."""
        if not event.is_open:
            self._say(f"{format_clock(event.began_at)} {event.camera}: {describe_event(event)}")

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Prints a line."""
        camera, text = alert.event.camera, describe_event(alert.event)
        self._say(f"{format_clock(alert.raised_at)} {camera}: for review: {text} ({alert_id})")

    def note(self, text: str) -> None:
        """Prints something that went wrong."""
        self._say(f"Note: {text}")

    def close(self) -> None:
        """Nothing is open."""
