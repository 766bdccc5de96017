"""A connection to an MQTT broker that is kept up, and after each break tells all again."""

from __future__ import annotations

import logging
import uuid
from threading import Lock

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from har.config import MqttConfig
from har.errors import ConfigError
from har.parallel import Closing

_log = logging.getLogger(__name__)

ONLINE, OFFLINE = "online", "offline"
_KEEPALIVE_S = 20
_RETRY_S = (1, 30)
_MAX_QUEUED = 200
_LAST_S = 5.0
"""Longest wait at the end for what is queued."""


class Broker(Closing):
    """Sends messages from a thread of its own, inside its ``with`` block.

    What is retained is remembered and sent again whenever the broker is there anew, so one that has
    lost its memory has all of it again. Other messages wait while it is away, two hundred at most.
    The topic ``.../status`` says ``online``, and ``offline`` once this process has ended, also by a
    kill: that is the connection's last will.
    """

    def __init__(self, config: MqttConfig) -> None:
        """Begin to connect; a broker that is not there is tried again and again.

        Raises:
            ConfigError: The file of certificates cannot be read.
        """
        self._name = f"The MQTT broker {config.host}"
        self.status_topic = f"{config.topic}/status"
        self._kept: dict[str, str] = {}
        self._lock = Lock()
        self._is_known = True
        self._client = client = Client(
            CallbackAPIVersion.VERSION2, f"har-{uuid.uuid4().hex[:12]}", clean_session=True
        )
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_connect_fail = self._on_connect_fail
        client.will_set(self.status_topic, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(*_RETRY_S)
        client.max_queued_messages_set(_MAX_QUEUED)
        if config.username:
            client.username_pw_set(config.username, config.password or None)
        if config.tls:
            _add_tls(client, config)
        port = config.port or (8883 if config.tls else 1883)
        client.connect_async(config.host, port, _KEEPALIVE_S)
        client.loop_start()

    def keep(self, topic: str, payload: str) -> None:
        """Send a state, which the broker retains, where it is another one."""
        with self._lock:
            if self._kept.get(topic) == payload:
                return
            self._kept[topic] = payload
            self._client.publish(topic, payload, retain=True)

    def send(self, topic: str, payload: str | bytes) -> None:
        """Send what happens once; it waits for a broker that is away."""
        self._client.publish(topic, payload, qos=1)

    def close(self) -> None:
        """Say that this is offline, and end the connection."""
        if self._client.is_connected():
            last = self._client.publish(self.status_topic, OFFLINE, qos=1, retain=True)
            last.wait_for_publish(_LAST_S)
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._warn(f"refuses the connection: {reason}; check username and password")
            return
        with self._lock:
            client.publish(self.status_topic, ONLINE, retain=True)
            for topic, payload in self._kept.items():
                client.publish(topic, payload, retain=True)
        if not self._is_known:
            _log.warning("%s is back", self._name)
        self._is_known = True

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        _flags: DisconnectFlags,
        reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._warn(f"is away ({reason}); it is tried again")

    def _on_connect_fail(self, _client: Client, _data: object) -> None:
        self._warn("cannot be reached; it is tried again. Check host and port, and that it runs")

    def _warn(self, text: str) -> None:
        """Log once that the broker is away, until it is back."""
        if self._is_known:
            _log.warning("%s %s", self._name, text)
        self._is_known = False


def _add_tls(client: Client, config: MqttConfig) -> None:
    try:
        client.tls_set(config.ca_file or None)
    except OSError as error:
        raise ConfigError(
            f"ca_file of [mqtt] must be a file of certificates, received {config.ca_file!r}: "
            f"{error.strerror or 'it holds none'}"
        ) from error
