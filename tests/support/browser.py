"""A headless Chromium that is driven over two pipes with its own protocol; no driver is needed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class Browser:
    """One window of Chromium; a context manager.

    Attributes:
        messages: Texts on the console and of failures, since the last `open`.
        requests: Addresses that were loaded since then.
    """

    def __init__(self, profile: Path) -> None:
        program = next(filter(None, map(shutil.which, _NAMES)), None)
        assert program, f"these tests need one of {_NAMES}"
        self.messages: list[str] = []
        self.requests: list[str] = []
        self._number, self._rest = 0, b""
        to_read, self._to_write = os.pipe()
        self._to_read, to_write = os.pipe()
        command = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "bash", program, *_FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)
        target = self._call("Target.createTarget", {"url": "about:blank"}, None)["targetId"]
        attach = {"targetId": target, "flatten": True}
        self._session = self._call("Target.attachToTarget", attach, None)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        self._call("Browser.close", {}, None)
        self._process.wait(20)
        os.close(self._to_read)
        os.close(self._to_write)

    def open(self, page: Path, width: int, theme: str, media: str = "screen") -> None:
        """Load a page in a window of a width, in pixels, with a preferred theme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.call("Emulation.setEmulatedMedia", {"media": media, "features": features})
        self.messages.clear()
        self.requests.clear()
        self.call("Page.navigate", {"url": page.resolve().as_uri()})
        while not self.evaluate(
            "document.readyState === 'complete' && location.protocol !== 'about:'"
        ):
            pass

    def evaluate(self, script: str) -> Any:
        """Return what a script gives; promises are waited for."""
        values = {"expression": script, "returnByValue": True, "awaitPromise": True}
        found = self.call("Runtime.evaluate", values)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def save_picture(self, path: Path) -> None:
        """Write a PNG of the whole page."""
        shot = self.call("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))

    def call(self, method: str, values: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a command to the window and return its result."""
        return self._call(method, values or {}, self._session)

    def _call(self, method: str, values: dict[str, Any], session: str | None) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": values}
        if session:
            message["sessionId"] = session
        os.write(self._to_write, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._to_read, 1 << 20)
            assert part, "Chromium has ended"
            self._rest += part
        line, self._rest = self._rest.split(b"\0", 1)
        return json.loads(line)

    def _note(self, message: dict[str, Any]) -> None:
        values = message.get("params", {})
        match message.get("method"):
            case "Log.entryAdded":
                self.messages.append(values["entry"]["text"])
            case "Runtime.consoleAPICalled":
                self.messages.append(str(values["args"]))
            case "Runtime.exceptionThrown":
                self.messages.append(str(values["exceptionDetails"]))
            case "Network.requestWillBeSent":
                self.requests.append(values["request"]["url"])
