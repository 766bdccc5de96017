"""The alert manager: events become a record, a clip, a notice, and word to those who listen."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from har.errors import OutputError
from har.live.alert_folder import AlertFolder
from har.live.alerts import Alert, AlertListener, AlertRules, EventKey, compute_key
from har.live.clips import ClipKeeper
from har.live.messages import CameraState, LiveEvent, LiveScores

if TYPE_CHECKING:
    from har.live.notify import Notifier

_log = logging.getLogger(__name__)


class AlertManager:
    """Raises alerts; a listener of the watch.

    What fails at one alert (disk full, nobody reached) is logged and stops nothing else.
    """

    def __init__(
        self,
        rules: AlertRules,
        folder: AlertFolder,
        clips: ClipKeeper | None = None,
        notifier: Notifier | None = None,
        listeners: Sequence[AlertListener] = (),
    ) -> None:
        """Take over the keeper of clips and the notifier: they end with it.

        Args:
            rules: Decide.
            folder: Gets the records and clips.
            clips: Keeps what cameras send; without it there are no clips.
            notifier: Tells others; without it nobody is told.
            listeners: Are told of each alert at once.
        """
        self._rules = rules
        self._folder = folder
        self._clips = clips
        self._notifier = notifier
        self._listeners = tuple(listeners)
        self._ids: dict[EventKey, str] = {}

    def on_state(self, state: CameraState) -> None:
        """End the clips of a camera that gives no more pictures."""
        if self._clips is not None and state.state in ("lost", "ended"):
            self._clips.cut(state.name)

    def on_scores(self, scores: LiveScores) -> None:
        """Raise the alerts of events that have lasted long enough now."""
        for alert in self._rules.on_scores(scores):
            self._raise(alert)

    def on_event(self, event: LiveEvent) -> None:
        """Raise an alert if one is due, and completes the record of one whose event is over."""
        alert = self._rules.on_event(event)
        if alert is not None:
            self._raise(alert)
        if not event.is_open:
            self._complete(event)

    def close(self) -> None:
        """Write the last clips and send the last notices."""
        if self._clips is not None:
            self._clips.close()
        if self._notifier is not None:
            self._notifier.close()

    def _raise(self, alert: Alert) -> None:
        alert_id = self._folder.name(alert)
        self._ids[compute_key(alert.event)] = alert_id
        try:
            self._folder.write(alert_id, alert)
        except OutputError as error:
            _log.warning("The record of an alert is lost: %s", error)
        if self._notifier is not None:
            self._notifier.send(*describe(alert, alert_id))
        for listener in self._listeners:
            listener.on_alert(alert, alert_id)
        self._begin_clip(alert, alert_id)

    def _begin_clip(self, alert: Alert, alert_id: str) -> None:
        if self._clips is None:
            return
        camera, onset_s = alert.event.camera, alert.event.event.onset_s
        done = partial(self._add_clip, alert_id, onset_s)
        if not self._clips.begin(camera, self._folder.path / alert_id, onset_s, done):
            _log.warning("There is no clip of %s: no pictures of %s are kept", alert_id, camera)

    def _add_clip(self, alert_id: str, onset_s: float, path: Path, *span_s: float) -> None:
        start_s, length_s = span_s
        self._folder.add_clip(alert_id, path.name, start_s - onset_s, length_s)

    def _complete(self, event: LiveEvent) -> None:
        alert_id = self._ids.pop(compute_key(event), None)
        if alert_id is None:
            return
        try:
            self._folder.complete(alert_id, event.event)
        except OutputError as error:
            _log.warning("The record of an alert stays without its end: %s", error)
        if self._clips is not None:
            stem = self._folder.path / alert_id
            self._clips.end(event.camera, stem, event.event.offset_s)


def describe(alert: Alert, alert_id: str) -> tuple[str, str]:
    """Return the title and the text of a notice; it claims nothing and names no person."""
    event = alert.event.event
    began_at = alert.event.began_at.astimezone()
    title = f"For review: {event.label}, camera {alert.event.camera}"
    length = f"{event.offset_s - event.onset_s:.1f} s"
    text = (
        f"{began_at:%Y-%m-%d %H:%M:%S}, {length}{' so far' if alert.event.is_open else ''}, "
        f"score {event.score:.2f}. A model takes this for '{event.label}'; a person should look "
        f"at it. Record: {alert_id}"
    )
    return title, text
