"""What a watch has seen, counted for its last words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from har.live.alerts import Alert
from har.live.messages import CameraState, LiveEvent, LiveScores


@dataclass
class Tally:
    """Counts; a listener of the watch and of alerts.

    Attributes:
        states: The last of each camera, by its name.
        events: Events that are over, by camera and label.
        alerts: Alerts, by camera and label.
    """

    states: dict[str, CameraState] = field(default_factory=dict)
    events: Counter[tuple[str, str]] = field(default_factory=Counter)
    alerts: Counter[tuple[str, str]] = field(default_factory=Counter)

    def on_state(self, state: CameraState) -> None:
        """Takes over the camera's counts."""
        self.states[state.name] = state

    def on_scores(self, scores: LiveScores) -> None:
        """Scores are not counted."""

    def on_event(self, event: LiveEvent) -> None:
        """Counts an event that is over."""
        self.events[event.camera, event.event.label] += not event.is_open

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Counts an alert."""
        self.alerts[alert.event.camera, alert.event.event.label] += 1

    def close(self) -> None:
        """Nothing is open."""

    def to_json(self) -> dict[str, Any]:
        """Gives plain values, camera by camera."""
        return {
            "kind": "summary",
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
    """Gives the counts of one camera by label, without those that are 0.

    >>> count_of(Counter({("hall", "hit"): 2, ("yard", "hit"): 1}), "hall")
    {'hit': 2}
    """
    items: Iterable[tuple[tuple[str, str], int]] = counts.items()
    return {label: count for (name, label), count in items if name == camera and count}
