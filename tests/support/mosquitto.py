"""A real MQTT broker on the loopback, and a client that notes what it says."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


def find_mosquitto() -> str | None:
    return shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")


def find_free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Mosquitto:
    """A broker that keeps nothing over its end."""

    def __init__(self, folder: Path, password: str = "", port: int = 0) -> None:
        self.port = port or find_free_port()
        self._config = folder / "mosquitto.conf"
        lines = [f"listener {self.port} 127.0.0.1", "persistence false", "user root"]
        if password:
            file = folder / "passwords"
            file.touch(mode=0o600)
            subprocess.run(["mosquitto_passwd", "-b", file, "har", password], check=True)
            lines += ["allow_anonymous false", f"password_file {file}"]
        else:
            lines.append("allow_anonymous true")
        self._config.write_text("\n".join(lines) + "\n")

    def __enter__(self) -> Self:
        command = [find_mosquitto() or "", "-c", str(self._config)]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until_s = time.monotonic() + 10
        while time.monotonic() < until_s:
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            time.sleep(0.02)
        raise TimeoutError("mosquitto does not listen")

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


class Listener:
    """Subscribes to everything and notes it."""

    def __init__(self, port: int, password: str = "") -> None:
        self.messages: list[MQTTMessage] = []
        client = Client(CallbackAPIVersion.VERSION2)
        if password:
            client.username_pw_set("har", password)
        client.on_connect = lambda *_: client.subscribe("#", qos=1)
        client.on_message = lambda _client, _data, message: self.messages.append(message)
        client.connect("127.0.0.1", port)
        self._client = client

    def __enter__(self) -> Self:
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def texts(self, topic: str) -> list[str]:
        return [item.payload.decode() for item in self.messages if item.topic == topic]

    def last(self) -> dict[str, bytes]:
        return {item.topic: item.payload for item in self.messages}

    def wait(self, is_so: Callable[[], bool], timeout_s: float = 10.0) -> None:
        until_s = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < until_s, sorted(self.last())
            time.sleep(0.02)
