"""Which events become alerts: score, length, cool-down and quiet hours; no clock, no file."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from typing import Protocol

from har.config import AlertsConfig, DecodeConfig
from har.live.messages import LiveEvent, LiveScores
from har.types import TIME_EPS_S

EventKey = tuple[str, str, float]
"""Camera, label and onset: the same while an event is open and when it is final."""


def compute_key(event: LiveEvent) -> EventKey:
    """Return what tells an event from all others."""
    return event.camera, event.event.label, event.event.onset_s


@dataclass(frozen=True)
class Alert:
    """An event that a person should look at.

    Attributes:
        event: As far as it was known at that moment.
        raised_at: UTC time of the last footage that was looked at.
    """

    event: LiveEvent
    raised_at: datetime


class AlertListener(Protocol):
    """Is told of alerts."""

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """An alert was raised; ``alert_id`` is the name of its files."""
        ...


@dataclass
class _Lasting:
    """An open event without an alert so far, and what later scores add to it.

    ``gap_s`` is the time after the event's offset in which its scores were low: it counts once they
    rise again, not where the event turns out to have ended.
    """

    event: LiveEvent
    gap_s: float = 0.0
    gap_sum: float = 0.0

    def grow(self, scores: LiveScores, low: float) -> None:
        """Add final rows that are not in the event yet; those under ``low`` are a gap."""
        column = scores.labels.index(self.event.event.label)
        for time_s, value in zip(scores.times_s, scores.values[:, column], strict=True):
            known = self.event.event
            if time_s <= known.offset_s + self.gap_s:
                continue
            self.gap_s += scores.step_s
            self.gap_sum += float(value) * scores.step_s
            if value >= low:
                length_s = known.offset_s - known.onset_s
                score = (known.score * length_s + self.gap_sum) / (length_s + self.gap_s)
                grown = replace(known, offset_s=known.offset_s + self.gap_s, score=score)
                self.event = replace(self.event, event=grown)
                self.gap_s = self.gap_sum = 0.0


class AlertRules:
    """Follows events and raises at most one alert for each.

    An event that lasts is looked at again with every new score: it alerts as soon as it is long and
    confident enough, and the label's cool-down and the quiet hours are over. Cool-downs are counted
    on the camera's timeline, which does not jump when the computer's clock is set.
    """

    def __init__(
        self, config: AlertsConfig, decode: DecodeConfig, zone: tzinfo | None = None
    ) -> None:
        """Start without any event.

        Args:
            config: The rules.
            decode: By which the events were cut.
            zone: In which quiet hours are meant; the computer's own when None.
        """
        self._config = config
        self._decode = decode
        self._quiet = config.quiet_hours()
        self._zone = zone
        self._waiting: dict[EventKey, _Lasting] = {}
        self._alerted: set[EventKey] = set()
        self._last_s: dict[tuple[str, str], float] = {}

    def on_event(self, event: LiveEvent) -> Alert | None:
        """Take an event that has opened or is final; gives an alert if it is due."""
        key = compute_key(event)
        self._waiting.pop(key, None)
        is_new = key not in self._alerted
        alert = self._decide(event) if is_new else None
        if not event.is_open:
            self._alerted.discard(key)
        elif is_new and alert is None:
            self._waiting[key] = _Lasting(event)
        return alert

    def on_scores(self, scores: LiveScores) -> list[Alert]:
        """Take final scores; return the alerts of open events that are due with them."""
        alerts: list[Alert] = []
        for key, lasting in list(self._waiting.items()):
            if lasting.event.camera == scores.camera:
                lasting.grow(scores, self._decode.rule(lasting.event.event.label).offset)
                alert = self._decide(lasting.event)
                if alert is not None:
                    del self._waiting[key]
                    alerts.append(alert)
        return alerts

    def _decide(self, event: LiveEvent) -> Alert | None:
        known, source = event.event, (event.camera, event.event.label)
        rule = self._config.rule(known.label)
        length_s = known.offset_s - known.onset_s
        raised_at = event.began_at + timedelta(seconds=length_s)
        if not rule.on or known.score < rule.score or length_s < rule.min_s - TIME_EPS_S:
            return None
        if known.offset_s - self._last_s.get(source, -rule.cool_down_s) < rule.cool_down_s:
            return None
        moment = raised_at.astimezone(self._zone).time()
        if any(hours.covers(moment, event.camera) for hours in self._quiet):
            return None
        self._last_s[source] = known.offset_s
        if event.is_open:
            self._alerted.add(compute_key(event))
        return Alert(event, raised_at)
