"""Other programs that are told of cameras, events and alerts: MQTT, Home Assistant, Frigate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from har.config.bounds import check, check_range

_TOPIC = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", re.ASCII)


@dataclass(frozen=True)
class MqttConfig:
    """A broker that is told what happens; none unless ``host`` names one.

    Attributes:
        host: Name or address of the broker; empty tells nobody.
        port: 0 for the usual one, 1883, or 8883 with ``tls``.
        username: Empty where the broker requires none.
        password: Likewise.
        tls: Encrypt the connection and check the broker's certificate.
        ca_file: Certificates to check it against, in the place of the system's.
        topic: All topics begin with it; another one for each watch that shares a broker.
        discovery: Where Home Assistant looks for new devices; empty hides them from it.
        picture: Send a picture with each alert; ``[privacy]`` holds for it as for clips.
        picture_px: The longer side of that picture.
    """

    host: str = ""
    port: int = 0
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    tls: bool = False
    ca_file: str = ""
    topic: str = "har"
    discovery: str = "homeassistant"
    picture: bool = False
    picture_px: int = 640

    def __post_init__(self) -> None:
        check_range(self, port=(0, 65_535), picture_px=(64, 4096))
        topics = "letters, digits, '_' and '-', in levels parted by '/'"
        check(bool(_TOPIC.fullmatch(self.topic)), "topic", self.topic, topics)
        ok = not self.discovery or bool(_TOPIC.fullmatch(self.discovery))
        check(ok, "discovery", self.discovery, f"empty, or {topics}")
        ok = bool(self.username) or not self.password
        check(ok, "username", "nothing", "given where there is a password")
        ok = self.tls or not self.ca_file
        check(ok, "ca_file", self.ca_file, "left out without tls", "set tls = true")


@dataclass(frozen=True)
class FrigateConfig:
    """A Frigate that gets alerts as events; none unless ``url`` names one.

    Attributes:
        url: Such as ``http://frigate.local:5000``; empty tells nobody.
        token: For an address that requires one, sent as a bearer token.
        cameras: What Frigate calls a camera, where that is not its name here.
        timeout_s: Longest wait for an answer.
    """

    url: str = ""
    token: str = field(default="", repr=False)
    cameras: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 10.0

    def __post_init__(self) -> None:
        check_range(self, timeout_s=(0.1, 300.0))
        try:
            parts = urlsplit(self.url)
            ok = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
            ok = ok and "@" not in parts.netloc and not parts.query and not parts.fragment
        except ValueError:
            ok = False
        expected = "an address such as http://frigate.local:5000, without user and password"
        check(ok or not self.url, "url", "another text", expected, "a token belongs into token")
        ok = all(isinstance(name, str) and name for name in self.cameras.values())
        check(ok, "cameras", dict(self.cameras), "a table of names")
