"""What the terminal shows of a watch: lines, or a table that stays in place, and a summary."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from har.escaping import show_line
from har.live.messages import Alert, CameraState, LiveEvent, LiveScores
from har.parallel import Closing
from har.types import UNCERTAIN


def describe_event(event: LiveEvent) -> str:
    """Return an event in a few words.

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
    """Return the note of a camera's state, with its name."""
    is_named = state.note.startswith(state.name)
    return state.note if is_named else f"{state.name}: {state.note}"


def format_clock(moment: datetime) -> str:
    """Return the local time of day."""
    return f"{moment.astimezone():%H:%M:%S}"


class Lines(Closing):
    """Prints a line for each change of a camera, each event that is over, each alert and note."""

    def __init__(self, write: Callable[[str], None]) -> None:
        """Print nothing yet; ``write`` prints a line."""
        self._write = write
        self._states: dict[str, str] = {}

    def on_state(self, state: CameraState) -> None:
        """Print a line where the state is another one or there is something to note."""
        is_new = state.state != self._states.get(state.name)
        self._states[state.name] = state.state
        words = [f"{state.name} is {state.state}"] if is_new else []
        words += [describe_note(state)] if state.note else []
        if words:
            self._write(f"{format_clock(state.at)} {'; '.join(words)}")

    def on_scores(self, scores: LiveScores) -> None:
        """Leave scores out: there are too many for lines."""

    def on_event(self, event: LiveEvent) -> None:
        """Print a line once the event is over."""
        if not event.is_open:
            self._write(f"{format_clock(event.began_at)} {event.camera}: {describe_event(event)}")

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Print a line."""
        camera, text = alert.event.camera, describe_event(alert.event)
        self._write(f"{format_clock(alert.raised_at)} {camera}: for review: {text} ({alert_id})")

    def note(self, text: str) -> None:
        """Print a warning."""
        self._write(f"Warning: {text}")

    def close(self) -> None:
        """Do nothing: nothing is open."""


_STYLES = {
    "starting": "cyan",
    "live": "green",
    "frozen": "bold yellow",
    "lost": "bold red",
    "ended": "dim",
}
_N_LINES = 6
_REFRESH_HZ = 4.0


class Dashboard:
    """Draws the latest state, four times a second, inside its ``with`` block."""

    def __init__(self, console: Console) -> None:
        """Draw nothing yet on the terminal ``console``."""
        self._lock = Lock()
        self._states: dict[str, CameraState] = {}
        self._now: dict[str, str] = {}
        self._events: dict[str, LiveEvent] = {}
        self._lines: deque[Text] = deque(maxlen=_N_LINES)
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=_REFRESH_HZ
        )

    def __enter__(self) -> Dashboard:
        self._live.start(refresh=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def on_state(self, state: CameraState) -> None:
        """Show a camera's state; its note goes below the table."""
        with self._lock:
            self._states[state.name] = state
            if state.note:
                self._add_line(state.at, describe_note(state), _STYLES[state.state])

    def on_scores(self, scores: LiveScores) -> None:
        """Show the label and score of the newest window."""
        best = int(scores.now.argmax())
        prob = float(scores.now[best])
        with self._lock:
            text = f"{scores.labels[best]} {prob:.2f}" if prob > 0 else UNCERTAIN
            self._now[scores.camera] = text

    def on_event(self, event: LiveEvent) -> None:
        """Show the camera's last event."""
        with self._lock:
            self._events[event.camera] = event

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Add a line below the table."""
        text = f"{alert.event.camera}: for review: {describe_event(alert.event)}"
        with self._lock:
            self._add_line(alert.raised_at, text, "bold magenta")

    def note(self, text: str) -> None:
        """Add a warning below the table."""
        with self._lock:
            self._lines.append(_text(text, "yellow"))

    def close(self) -> None:
        """Leave the last table on the terminal."""

    def render(self) -> RenderableType:
        """Return the table of this moment."""
        table = Table(box=None, expand=True, padding=(0, 2, 0, 0), header_style="bold")
        for name in ("camera", "state"):
            table.add_column(name, no_wrap=True, max_width=20)
        for name in ("fps", "latency", "dropped"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("now", no_wrap=True, max_width=20)
        table.add_column("last event", no_wrap=True, ratio=1)
        with self._lock:
            for state in self._states.values():
                table.add_row(*self._render_row(state))
            return Group(table, Text(), *self._lines, Text("Press Ctrl-C to stop.", style="dim"))

    def _render_row(self, state: CameraState) -> list[RenderableType]:
        is_on = state.state == "live"
        event = self._events.get(state.name)
        return [
            _text(state.name),
            Text(state.state, style=_STYLES[state.state]),
            f"{state.fps:.1f}" if is_on else "-",
            f"{state.latency_s * 1000:.0f} ms" if is_on and state.latency_s else "-",
            Text(str(state.n_dropped), style="yellow" if state.n_dropped else ""),
            _text(self._now.get(state.name, "") if is_on else ""),
            Text("") if event is None else _render_event(event),
        ]

    def _add_line(self, at: datetime, text: str, style: str) -> None:
        self._lines.append(Text.assemble((format_clock(at), "dim"), " ", (show_line(text), style)))


def _text(text: str, style: str = "") -> Text:
    return Text(show_line(text), style=style)


def _render_event(event: LiveEvent) -> Text:
    known, style = event.event, "bold" if event.is_open else ""
    length_s = known.offset_s - known.onset_s
    text = f"{format_clock(event.began_at)} {known.label} {length_s:.1f} s {known.score:.2f}"
    return _text(text, style)


@dataclass
class Summary:
    """Counts; a listener of the watch and of alerts.

    Attributes:
        states: The last of each camera, by its name.
        events: Events that are over, by camera and label.
        alerts: Alerts, by camera and label.
        n_undelivered: Notifications that were given up.
    """

    states: dict[str, CameraState] = field(default_factory=dict)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)
    n_undelivered: int = 0

    def on_state(self, state: CameraState) -> None:
        """Take over the camera's counts."""
        self.states[state.name] = state

    def on_scores(self, scores: LiveScores) -> None:
        """Leave scores out."""

    def on_event(self, event: LiveEvent) -> None:
        """Count an event that is over."""
        self.events[event.camera, event.event.label] += not event.is_open

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Count an alert."""
        self.alerts[alert.event.camera, alert.event.event.label] += 1

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values, camera by camera."""
        return {
            "kind": "summary",
            "n_undelivered": self.n_undelivered,
            "cameras": [
                {
                    "camera": name,
                    "n_frames": state.n_frames,
                    "n_dropped": state.n_dropped,
                    "n_reconnects": state.n_reconnects,
                    "events": count_of(self.events, name),
                    "alerts": count_of(self.alerts, name),
                }
                for name, state in self.states.items()
            ],
        }


def count_of(counts: Counter[tuple[str, str]], camera: str) -> dict[str, int]:
    """Return the counts of one camera by label, without those that are 0.

    >>> count_of(Counter({("hall", "hit"): 2, ("yard", "hit"): 1}), "hall")
    {'hit': 2}
    """
    items: Iterable[tuple[tuple[str, str], int]] = counts.items()
    return {label: count for (name, label), count in items if name == camera and count}
