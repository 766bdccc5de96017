"""An MQTT broker that is told of cameras, events and alerts, as Home Assistant finds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

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
