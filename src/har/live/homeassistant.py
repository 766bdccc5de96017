"""Cameras, events and alerts for Home Assistant, by MQTT discovery: one device a camera.

Every program that speaks MQTT can read the same topics; `Topics` has them.

Source: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery (device discovery, which
Home Assistant knows since 2024.11), and the pages of its components.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, get_args

from har.config import MqttConfig
from har.live.alert_folder import PURPOSE
from har.live.messages import (
    Alert,
    CameraState,
    EventKey,
    LiveEvent,
    LiveScores,
    State,
    compute_key,
)
from har.live.mqtt import OFFLINE, ONLINE, Broker
from har.version import __version__

_STATE_EVERY_S = 30.0
_DIAGNOSTICS: dict[str, tuple[str, dict[str, Any]]] = {
    "fps": ("Frames a second", {"state_class": "measurement", "suggested_display_precision": 1}),
    "latency_s": (
        "Latency",
        {
            "device_class": "duration",
            "unit_of_measurement": "s",
            "state_class": "measurement",
            "suggested_display_precision": 2,
        },
    ),
    "n_dropped": ("Dropped time steps", {"state_class": "total_increasing"}),
    "n_reconnects": ("Reconnections", {"state_class": "total_increasing"}),
}


def make_slugs(names: Iterable[str]) -> dict[str, str]:
    """Return for each name one that fits into a topic, none twice.

    >>> make_slugs(["Hits others", "hits-others"])
    {'Hits others': 'hits_others', 'hits-others': 'hits_others_2'}
    """
    slugs: dict[str, str] = {}
    for name in names:
        stem = slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "label"
        n_same = 1
        while slug in slugs.values():
            n_same += 1
            slug = f"{stem}_{n_same}"
        slugs[name] = slug
    return slugs


@dataclass(frozen=True)
class Topics:
    """Where the messages of one camera go.

    Attributes:
        root: The camera's own, which all others begin with.
    """

    root: str

    @property
    def available(self) -> str:
        """``online`` while it is live, else ``offline``; retained."""
        return f"{self.root}/available"

    @property
    def event(self) -> str:
        """The last event, JSON, when it opens and again when it is final; retained."""
        return f"{self.root}/event"

    @property
    def alert(self) -> str:
        """Each alert, JSON, once."""
        return f"{self.root}/alert"

    @property
    def picture(self) -> str:
        """A JPEG of the last alert, once: the broker keeps none."""
        return f"{self.root}/picture"

    @property
    def state(self) -> str:
        """State and counts of the camera, JSON; retained."""
        return f"{self.root}/state"

    def label(self, slug: str) -> str:
        """``ON`` while an event of a label goes on, else ``OFF``; retained."""
        return f"{self.root}/label/{slug}"


def describe_device(
    name: str, slug: str, labels: dict[str, str], config: MqttConfig, model: str
) -> dict[str, Any]:
    """Return the payload by which Home Assistant finds a camera.

    Args:
        name: Of the camera.
        slug: Likewise, fit for topics.
        labels: Those that make events, and their slugs.
        config: Prefixes of topics, and whether there are pictures.
        model: Name of the bundle.
    """
    device_id = f"{config.topic.replace('/', '_')}_{slug}"
    topics = Topics(f"{config.topic}/{slug}")
    service = {"topic": f"{config.topic}/status"}
    entities: dict[str, dict[str, Any]] = {
        f"label_{label_slug}": {
            "platform": "binary_sensor",
            "name": label,
            "state_topic": topics.label(label_slug),
            "availability": [service, {"topic": topics.available}],
            "availability_mode": "all",
        }
        for label, label_slug in labels.items()
    }
    entities["event"] = {
        "platform": "sensor",
        "name": "Last event",
        "state_topic": topics.event,
        "value_template": "{{ value_json.label }}",
        "json_attributes_topic": topics.event,
    }
    entities["alert"] = {
        "platform": "event",
        "name": "Alert",
        "state_topic": topics.alert,
        "event_types": list(labels),
    }
    if config.picture:
        entities["picture"] = {
            "platform": "image",
            "name": "Alert picture",
            "image_topic": topics.picture,
            "content_type": "image/jpeg",
        }
    entities["state"] = _describe_diagnostic(topics, "state", "State") | {
        "device_class": "enum",
        "options": list(get_args(State)),
        "json_attributes_topic": topics.state,
    }
    for field, (title, more) in _DIAGNOSTICS.items():
        entities[field] = _describe_diagnostic(topics, field, title) | more
    for entity_name, entity in entities.items():
        entity["unique_id"] = f"{device_id}_{entity_name}"
        entity.setdefault("availability", [service])
    return {
        "device": {
            "identifiers": [device_id],
            "name": f"{config.topic.replace('/', ' ')} {name}",
            "manufacturer": "har",
            "model": model,
            "sw_version": __version__,
        },
        "origin": {"name": "har watch", "sw_version": __version__},
        "components": entities,
    }


def _describe_diagnostic(topics: Topics, field: str, title: str) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "name": title,
        "state_topic": topics.state,
        "value_template": f"{{{{ value_json.{field} }}}}",
        "entity_category": "diagnostic",
    }


class HomeAssistant:
    """Tell a broker of all cameras; a listener of the watch and of alerts."""

    def __init__(
        self,
        broker: Broker,
        config: MqttConfig,
        cameras: Iterable[str],
        labels: Iterable[str],
        model: str,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Announce the cameras: none is live so far, and nothing happens.

        Args:
            broker: Is closed by who opened it.
            config: Prefixes of topics.
            cameras: Names of all that are watched.
            labels: Those that can make events.
            model: Name of the bundle.
            now_s: A clock that never jumps.
        """
        self._broker, self._now_s = broker, now_s
        self._labels = make_slugs(labels)
        self._topics: dict[str, Topics] = {}
        self._open: set[EventKey] = set()
        self._told: dict[str, tuple[State, float]] = {}
        for name, slug in make_slugs(cameras).items():
            self._topics[name] = topics = Topics(f"{config.topic}/{slug}")
            if config.discovery:
                node = f"{config.topic.replace('/', '_')}_{slug}"
                payload = describe_device(name, slug, self._labels, config, model)
                broker.keep(f"{config.discovery}/device/{node}/config", json.dumps(payload))
            broker.keep(topics.available, OFFLINE)
            for label_slug in self._labels.values():
                broker.keep(topics.label(label_slug), "OFF")

    def on_state(self, state: CameraState) -> None:
        """Send a camera's state when it has changed, and its counts now and then."""
        before, told_s = self._told.get(state.name, (None, 0.0))
        is_new = before != state.state
        if not is_new and not state.note and self._now_s() - told_s < _STATE_EVERY_S:
            return
        self._told[state.name] = state.state, self._now_s()
        topics = self._topics[state.name]
        values = {**asdict(state), "at": _show(state.at)}
        values |= {"fps": round(state.fps, 2), "latency_s": round(state.latency_s, 3)}
        self._broker.keep(topics.state, json.dumps(values))
        if is_new:
            is_live = state.state == "live"
            self._broker.keep(topics.available, ONLINE if is_live else OFFLINE)

    def on_scores(self, scores: LiveScores) -> None:
        """Leave scores out."""

    def on_event(self, event: LiveEvent) -> None:
        """Send an event that opens or is over."""
        key = compute_key(event)
        if event.is_open:
            self._open.add(key)
        else:
            self._open.discard(key)
        topics, label = self._topics[event.camera], event.event.label
        is_on = any(other[:2] == key[:2] for other in self._open)
        self._broker.keep(topics.label(self._labels[label]), "ON" if is_on else "OFF")
        self._broker.keep(topics.event, json.dumps(_describe_event(event)))

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Send an alert."""
        values = {"event_type": alert.event.event.label, "id": alert_id}
        values |= {"raised_at": _show(alert.raised_at), "purpose": PURPOSE}
        values |= _describe_event(alert.event)
        self._broker.send(self._topics[alert.event.camera].alert, json.dumps(values))

    def on_picture(self, camera: str, jpeg: bytes) -> None:
        """Send the picture of an alert; called from the thread that made it."""
        self._broker.send(self._topics[camera].picture, jpeg)

    def close(self) -> None:
        """Do nothing: what is open is the broker's."""


def _describe_event(event: LiveEvent) -> dict[str, Any]:
    known = event.event
    return {
        "label": known.label,
        "camera": event.camera,
        "began_at": _show(event.began_at),
        "length_s": round(known.offset_s - known.onset_s, 3),
        "score": round(known.score, 4),
        "is_open": event.is_open,
    }


def _show(moment: datetime) -> str:
    return moment.astimezone().isoformat(timespec="milliseconds")
