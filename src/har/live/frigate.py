"""Alerts as events of Frigate, which then keeps and shows its own recording of them.

Source: https://docs.frigate.video/integrations/api/create-event-events-camera-name-label-create-post
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from queue import Full, Queue
from threading import Thread
from typing import Any
from urllib.parse import quote, urlsplit

from har.config import FrigateConfig
from har.live.messages import (
    Alert,
    CameraState,
    EventKey,
    LiveEvent,
    LiveScores,
    compute_key,
)

_log = logging.getLogger(__name__)

_MAX_WAITING = 200
_MAX_ANSWER_BYTES = 1 << 16
_JOIN_S = 15.0


class Frigate:
    """Posts alerts, and the ends of their events; a listener of the watch and of alerts.

    Frigate begins an event at the moment of the call, and adds what its settings say of the time
    before. What it does not take is logged.
    """

    def __init__(self, config: FrigateConfig) -> None:
        """Start the thread that posts."""
        self._config = config
        self._ids: dict[EventKey, str] = {}
        self._alerted: set[EventKey] = set()
        self._waiting: Queue[Callable[[], None] | None] = Queue(_MAX_WAITING)
        self._thread = Thread(target=self._run, name="har-frigate", daemon=True)
        self._thread.start()

    def on_state(self, state: CameraState) -> None:
        """Leave states out."""

    def on_scores(self, scores: LiveScores) -> None:
        """Leave scores out."""

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Begin an event."""
        key = compute_key(alert.event)
        self._alerted.add(key)
        self._put(partial(self._begin, key, alert.event.event.score))
        if not alert.event.is_open:
            self.on_event(alert.event)

    def on_event(self, event: LiveEvent) -> None:
        """End the event of an alert that is over."""
        key = compute_key(event)
        if not event.is_open and key in self._alerted:
            self._alerted.discard(key)
            length_s = event.event.offset_s - event.event.onset_s
            self._put(partial(self._end, key, event.began_at.timestamp() + length_s))

    def close(self) -> None:
        """Post what waits, for a while."""
        self._put(None)
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            _log.warning("Events for Frigate are still queued; they are abandoned")

    def _put(self, job: Callable[[], None] | None) -> None:
        try:
            self._waiting.put_nowait(job)
        except Full:
            _log.warning("An event for Frigate is dropped: %d are queued already", _MAX_WAITING)

    def _run(self) -> None:
        while (job := self._waiting.get()) is not None:
            try:
                job()
            except (OSError, HTTPException, ValueError) as error:
                _log.warning("Frigate did not take an event: %s", error)

    def _begin(self, key: EventKey, score: float) -> None:
        camera, label, _ = key
        name = self._config.cameras.get(camera, camera)
        body = {"source_type": "har", "sub_label": "for review", "score": round(score, 4)}
        body |= {"duration": None, "include_recording": True}
        path = f"/api/events/{quote(name, safe='')}/{quote(label, safe='')}/create"
        self._ids[key] = str(self._call("POST", path, body)["event_id"])

    def _end(self, key: EventKey, end_s: float) -> None:
        event_id = self._ids.pop(key, None)
        if event_id is not None:
            self._call("PUT", f"/api/events/{quote(event_id, safe='')}/end", {"end_time": end_s})

    def _call(self, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        parts = urlsplit(self._config.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=self._config.timeout_s)
        headers = {"Content-Type": "application/json"}
        if self._config.token:
            headers["Authorization"] = f"Bearer {self._config.token}"
        try:
            connection.request(method, parts.path.rstrip("/") + path, json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read(_MAX_ANSWER_BYTES)
        finally:
            connection.close()
        if answer.status >= 300:
            raise ValueError(f"{method} {path} was answered with {answer.status} {answer.reason}")
        values = json.loads(text)
        if not isinstance(values, dict) or (method == "POST" and "event_id" not in values):
            raise ValueError(f"{method} {path} was answered with something else than an event")
        return values
