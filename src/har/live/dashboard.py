"""The dashboard: all cameras in a table that stays in its place on the terminal, alerts below."""

from __future__ import annotations

from collections import deque
from datetime import datetime
from threading import Lock

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from har.live.alerts import Alert
from har.live.messages import CameraState, LiveEvent, LiveScores
from har.live.screen import describe_event, describe_note, format_clock

_STYLES = {
    "starting": "cyan",
    "live": "green",
    "frozen": "bold yellow",
    "lost": "bold red",
    "ended": "dim",
}
_N_LINES = 6
_REFRESH_HZ = 4.0
CANNOT_TELL = "cannot tell"


class Dashboard:
    """Draws what it was told last, four times a second, inside its ``with`` block."""

    def __init__(self, console: Console) -> None:
        """Draws nothing yet on the terminal ``console``."""
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
        """Shows a camera's state; what there is to note goes below the table."""
        with self._lock:
            self._states[state.name] = state
            if state.note:
                self._add_line(state.at, describe_note(state), _STYLES[state.state])

    def on_scores(self, scores: LiveScores) -> None:
        """Shows what the newest window says."""
        best = int(scores.now.argmax())
        prob = float(scores.now[best])
        with self._lock:
            said = f"{scores.labels[best]} {prob:.2f}" if prob > 0 else CANNOT_TELL
            self._now[scores.camera] = said

    def on_event(self, event: LiveEvent) -> None:
        """Shows the camera's last event."""
        with self._lock:
            self._events[event.camera] = event

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Adds a line below the table."""
        text = f"{alert.event.camera}: for review: {describe_event(alert.event)}"
        with self._lock:
            self._add_line(alert.raised_at, text, "bold magenta")

    def note(self, text: str) -> None:
        """Adds a line about something that went wrong."""
        with self._lock:
            self._lines.append(Text(text, style="yellow"))

    def close(self) -> None:
        """Leaves the last picture standing."""

    def render(self) -> RenderableType:
        """Gives the picture of this moment."""
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
            return Group(table, Text(), *self._lines, Text("Ctrl-C ends the watch.", style="dim"))

    def _render_row(self, state: CameraState) -> list[RenderableType]:
        is_on = state.state == "live"
        event = self._events.get(state.name)
        return [
            Text(state.name),
            Text(state.state, style=_STYLES[state.state]),
            f"{state.fps:.1f}" if is_on else "-",
            f"{state.latency_s * 1000:.0f} ms" if is_on and state.latency_s else "-",
            Text(str(state.n_dropped), style="yellow" if state.n_dropped else ""),
            Text(self._now.get(state.name, "") if is_on else ""),
            Text("") if event is None else _render_event(event),
        ]

    def _add_line(self, at: datetime, text: str, style: str) -> None:
        self._lines.append(Text.assemble((format_clock(at), "dim"), " ", (text, style)))


def _render_event(event: LiveEvent) -> Text:
    known, style = event.event, "bold" if event.is_open else ""
    length_s = known.offset_s - known.onset_s
    text = f"{format_clock(event.began_at)} {known.label} {length_s:.1f} s {known.score:.2f}"
    return Text(text, style=style)
