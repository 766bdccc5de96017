"""Which events become alerts, and what follows: a record, a clip, a notification, a call.

`AlertRules` decides by score, length, cool-down and quiet hours, without a clock and without a
file; `AlertManager` acts on it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from har.config import AlertsConfig, DecodeConfig
from har.live.alert_folder import AlertFolder
from har.live.clips import ClipKeeper
from har.live.messages import (
    Alert,
    AlertListener,
    CameraState,
    EventKey,
    LiveEvent,
    LiveScores,
    compute_key,
)
from har.types import TIME_EPS_S

if TYPE_CHECKING:
    from har.live.notify import Notifier

_log = logging.getLogger(__name__)


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

    An event that lasts is checked again with every new score: it alerts as soon as it is long and
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
        """Take an event that has opened or is final; return an alert if it is due."""
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


@dataclass(frozen=True)
class Pictures:
    """Who gets pictures of alerts.

    Attributes:
        done: Called with the camera's name and a JPEG, from another thread.
        most_px: Length of the longer side, at most.
    """

    done: Callable[[str, bytes], None]
    most_px: int


class AlertManager:
    """Raises alerts; a listener of the watch.

    What fails at one alert (disk full, no connection) is logged and stops nothing else.
    """

    def __init__(
        self,
        rules: AlertRules,
        folder: AlertFolder,
        clips: ClipKeeper | None = None,
        notifier: Notifier | None = None,
        listeners: Sequence[AlertListener] = (),
        pictures: Pictures | None = None,
    ) -> None:
        """Take over the keeper of clips and the notifier: they end with it.

        Args:
            rules: Decide which events become alerts.
            folder: Gets the records and clips.
            clips: Records what cameras send; with None there are no clips.
            notifier: Sends notifications; with None there are none.
            listeners: Get each alert at once.
            pictures: Gets a picture of each alert, where there are clips.
        """
        self._rules = rules
        self._folder = folder
        self._clips = clips
        self._notifier = notifier
        self._listeners = tuple(listeners)
        self._pictures = pictures
        self._ids: dict[EventKey, str] = {}

    def on_state(self, state: CameraState) -> None:
        """End the clips of a camera that gives no more pictures; try again what waits."""
        self._folder.flush()
        if self._clips is not None and state.state in ("lost", "ended"):
            self._clips.cut(state.name)

    def on_scores(self, scores: LiveScores) -> None:
        """Raise the alerts of events that have lasted long enough now."""
        for alert in self._rules.on_scores(scores):
            self._raise(alert)

    def on_event(self, event: LiveEvent) -> None:
        """Raise an alert if one is due, and complete the record of one whose event is over."""
        alert = self._rules.on_event(event)
        if alert is not None:
            self._raise(alert)
        if not event.is_open:
            self._complete(event)

    def close(self) -> None:
        """Write the last clips and send the last notifications."""
        if self._clips is not None:
            self._clips.close()
        self._folder.close()
        if self._notifier is not None:
            self._notifier.close()

    def _raise(self, alert: Alert) -> None:
        alert_id = self._folder.name(alert)
        self._ids[compute_key(alert.event)] = alert_id
        self._folder.write(alert_id, alert)
        if self._notifier is not None:
            self._notifier.send(*describe(alert, alert_id))
        for listener in self._listeners:
            listener.on_alert(alert, alert_id)
        self._take_picture(alert.event)
        self._begin_clip(alert, alert_id)

    def _take_picture(self, event: LiveEvent) -> None:
        if self._clips is not None and self._pictures is not None:
            middle_s = (event.event.onset_s + event.event.offset_s) / 2
            done = partial(self._pictures.done, event.camera)
            self._clips.take_picture(event.camera, middle_s, self._pictures.most_px, done)

    def _begin_clip(self, alert: Alert, alert_id: str) -> None:
        if self._clips is None:
            return
        camera, onset_s = alert.event.camera, alert.event.event.onset_s
        done = partial(self._add_clip, alert_id, onset_s)
        may_write = partial(self._folder.has_record, alert_id)
        if not self._clips.begin(camera, self._folder.path / alert_id, onset_s, done, may_write):
            _log.warning("No clip of %s: no footage of %s", alert_id, camera)

    def _add_clip(self, alert_id: str, onset_s: float, path: Path, *span_s: float) -> None:
        start_s, length_s = span_s
        self._folder.add_clip(alert_id, path, start_s - onset_s, length_s)

    def _complete(self, event: LiveEvent) -> None:
        alert_id = self._ids.pop(compute_key(event), None)
        if alert_id is None:
            return
        self._folder.complete(alert_id, event.event)
        if self._clips is not None:
            stem = self._folder.path / alert_id
            self._clips.end(event.camera, stem, event.event.offset_s)


def describe(alert: Alert, alert_id: str) -> tuple[str, str]:
    """Return the title and the text of a notification; it names no person."""
    event = alert.event.event
    began_at = alert.event.began_at.astimezone()
    title = f"For review: {event.label}, camera {alert.event.camera}"
    length = f"{event.offset_s - event.onset_s:.1f} s"
    text = (
        f"{began_at:%Y-%m-%d %H:%M:%S}, {length}{' so far' if alert.event.is_open else ''}, "
        f"score {event.score:.2f}. A model labels this '{event.label}'; for review by a person. "
        f"Record: {alert_id}"
    )
    return title, text
