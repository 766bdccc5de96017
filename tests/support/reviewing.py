"""Results to review, a server that shows them, and a browser that works on them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np

from har.events.files import SCORES_ENDING, save_scores
from har.types import Scores
from har.video.file.writer import open_writer

LABELS = ("playing", "hit", "push")
CHROMIUM = shutil.which("chromium")
_SIZE = (240, 320)


def make_film(path: Path, length_s: float, fps: float = 10.0) -> Path:
    """Write a film in which a square walks, with a mark that grows each second."""
    with open_writer(path, _SIZE, fps) as writer:
        for index in range(round(length_s * fps)):
            image = np.full((*_SIZE, 3), (96, 112, 104), np.uint8)
            x = int(index * 4 % (_SIZE[1] - 60))
            image[120:200, x : x + 30] = (190, 90, 60)
            image[100:120, x + 5 : x + 25] = (220, 190, 160)
            image[230:238, : int(_SIZE[1] * (index % fps) / fps)] = (250, 240, 200)
            writer.write(image, index / fps)
    return path


def make_results(
    folder: Path, films: Mapping[str, Sequence[tuple[str, float, float, float]]], length_s: float
) -> Path:
    """Write what `har predict` writes: films with events ``(label, onset_s, offset_s, score)``."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, events in films.items():
        video = folder / f"{name}.mp4"
        if not video.exists():
            make_film(video, length_s)
        found = [
            dict(zip(("label", "onset_s", "offset_s", "score"), event, strict=True))
            for event in events
        ]
        totals = {"duration_s": length_s}
        probs = dict.fromkeys(LABELS, 0.0)
        entries.append({"video": str(video), "events": found, "probs": probs, "totals": totals})
        save_scores(folder / f"{name}{SCORES_ENDING}", _score(events, length_s))
    (folder / "results.json").write_text(json.dumps(entries))
    return folder


def make_watch(folder: Path) -> Path:
    """Write what `har watch` writes: two cameras, and an alert with its clip, of just now."""
    (folder / "alerts").mkdir(parents=True)
    make_film(folder / "alerts" / "hall-1.mp4", 6.0)
    now = datetime.now().astimezone().isoformat()
    event = {"camera": "hall", "label": "hit", "score": 0.8, "is_open": False}
    alert = {**event, "made_by": "har watch", "id": "hall-1", "began_at": now, "length_s": 1.2}
    alert["clip"] = {"file": "hall-1.mp4", "start_s": -2.0, "length_s": 6.0}
    (folder / "alerts" / "hall-1.json").write_text(json.dumps(alert))
    states = (("hall", "live", ""), ("gate", "lost", "no frame for 10 s"))
    lines = [
        {"kind": "camera", "at": now, "camera": camera, "state": state, "note": note}
        for camera, state, note in states
    ]
    scores = {"at": now, "values": {"playing": 0.93, "hit": 0.07}}
    cameras = {
        camera: {"state": state, "at": now, "scores": scores if state == "live" else None}
        for camera, state, _ in states
    }
    (folder / "cameras.json").write_text(json.dumps({"made_by": "har watch", "cameras": cameras}))
    (folder / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    (folder / "events.jsonl").write_text(json.dumps({**event, "kind": "event", "at": now}))
    return folder


def _score(events: Sequence[tuple[str, float, float, float]], length_s: float) -> Scores:
    step_s = 0.25
    times_s = (np.arange(round(length_s / step_s)) + 0.5) * step_s
    values = np.full((len(times_s), len(LABELS)), 0.03, np.float32)
    values[:, 1:] += 0.02 * np.sin(times_s * 1.7)[:, None].astype(np.float32)
    for label, onset_s, offset_s, score in events:
        inside = slice(*np.searchsorted(times_s, (onset_s, offset_s)))
        values[inside, LABELS.index(label)] = score
    values[:, 0] = 1.0 - values[:, 1:].max(axis=1)
    return Scores(LABELS, times_s, values / values.sum(axis=1, keepdims=True), step_s)


class ReviewServer:
    """`har review` in a process of its own, on one port however often it is started again."""

    def __init__(self, folder: Path, *options: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [sys.executable, "-m", "har", "review", str(folder), *options]
        self._command += ["--port", str(self.port)]
        self._log = folder.parent / "review.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.address = ""

    @property
    def origin(self) -> str:
        """What the browser sees as the page's origin."""
        return f"http://127.0.0.1:{self.port}"

    def start(self, most_kib: int | None = None) -> str:
        """Start it; gives the address with this run's token.

        Args:
            most_kib: No file may grow beyond it, as on a full disk.
        """
        limit = [] if most_kib is None else ["bash", "-c", f'ulimit -f {most_kib}; exec "$@"', "-"]
        with self._log.open("w") as log:
            self._process = subprocess.Popen([*limit, *self._command], stderr=log)
        until_s = time.monotonic() + 60
        while "Review: " not in self._log.read_text() or not self._log.read_text().endswith("\n"):
            if self._process.poll() is not None or time.monotonic() > until_s:
                raise RuntimeError(f"har review did not start: {self._log.read_text()}")
            time.sleep(0.02)
        self.address = self._log.read_text().partition("Review: ")[2].split()[0]
        return self.address

    def kill(self, how: int = signal.SIGKILL) -> int | None:
        """End it at once; gives its exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        process.send_signal(how)
        return process.wait(20)

    def __enter__(self) -> ReviewServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Caller:
    """Posts verdicts to a server as the page does, and counts what was acknowledged."""

    def __init__(self, server: ReviewServer) -> None:
        self._server = server
        self._cookie = ""
        self.enter()

    def enter(self) -> None:
        """Take the cookie of the server's present run."""
        path = self._server.address.removeprefix(self._server.origin)
        with closing(HTTPConnection("127.0.0.1", self._server.port, timeout=20)) as line:
            line.request("GET", path)
            self._cookie = (line.getresponse().getheader("set-cookie") or "").partition(";")[0]

    def post(self, verdict: Mapping[str, Any]) -> tuple[int, str]:
        """Return the answer's status and body."""
        headers = {"cookie": self._cookie, "origin": self._server.origin}
        headers["content-type"] = "application/json"
        with closing(HTTPConnection("127.0.0.1", self._server.port, timeout=20)) as line:
            line.request("POST", "/api/verdicts", json.dumps(verdict), headers)
            answer = line.getresponse()
            return answer.status, answer.read().decode()

    def get(self, path: str) -> Any:
        """Return what the server answers, as JSON."""
        with closing(HTTPConnection("127.0.0.1", self._server.port, timeout=20)) as line:
            line.request("GET", path, headers={"cookie": self._cookie})
            return json.loads(line.getresponse().read())


def decide_all(folder: Path, *options: str) -> None:
    """Run `har review`, decide on all that was found as a person does, and end it by Ctrl-C.

    What overlaps is mended so that one comes after the other; of several recordings the events
    of the second half are rejected.
    """
    with ReviewServer(folder, *options) as server:
        caller, verdicts = Caller(server), []
        for recording in caller.get("/api/project")["recordings"]:
            shown = caller.get(f"/api/recordings/{recording['id']}?observer=Ada")
            decided = {verdict["key"] for verdict in shown["verdicts"]}
            end_s = 0.0
            for event in shown["events"]:
                key = f"e{event['id']}"
                if event["label"] and key not in decided:
                    start_s, end_s = end_s, end_s + min(1.2, event["end_s"] - event["start_s"])
                    verdict = {"observer": "Ada", "recording": recording["id"], "key": key}
                    verdict |= {"label": event["label"], "start_s": start_s, "end_s": end_s}
                    verdicts.append(verdict | {"version": 1, "kind": "keep"})
        recordings = sorted({item["recording"] for item in verdicts})
        kept = recordings[: (len(recordings) + 1) // 2]
        for verdict in verdicts:
            if verdict["recording"] not in kept:
                verdict["kind"] = "reject"
            assert caller.post(verdict | {"uuid": os.urandom(8).hex()})[0] == 201
        assert server.kill(signal.SIGINT) == 130


@contextmanager
def open_browser() -> Iterator[Any]:
    """Run Chromium without a window."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
        )
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """A page that notes errors on its console and every request that leaves its origin."""

    def __init__(
        self, browser: Any, server: ReviewServer, width: int, scheme: str = "light"
    ) -> None:
        viewport = {"width": width, "height": 900}
        self.context = browser.new_context(viewport=viewport, color_scheme=scheme)
        self.context.set_default_timeout(10_000)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.outside: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self._check(request.url, server.origin))
        self.page.goto(server.address)

    def _note(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _check(self, url: str, origin: str) -> None:
        if not url.startswith((origin, "data:", "blob:")):
            self.outside.append(url)

    def sign_in(self, name: str = "Ada") -> None:
        """Say who is reviewing."""
        self.page.get_by_label("Name", exact=True).fill(name)
        self.page.keyboard.press("Enter")
        self.page.get_by_role("heading", name="Recordings").wait_for()

    def wait_for(self, script: str, most_s: float = 10.0) -> None:
        """Wait until a script gives true; the page's policy forbids Playwright's own way."""
        until_s = time.monotonic() + most_s
        while not self.page.evaluate(script):
            if time.monotonic() > until_s:
                raise TimeoutError(f"{script} stayed false; the page said {self.errors}")
            time.sleep(0.02)

    def open(self, name: str) -> None:
        """Open a recording and wait until its film can be played."""
        self.page.get_by_role("button", name=name).click()
        self.wait_for("document.querySelector('video')?.readyState >= 2")
        self.wait_for("document.querySelector('canvas')?.timeline?.scores")

    def wait_saved(self) -> None:
        """Wait until the server has acknowledged everything."""
        self.page.get_by_text("all saved").wait_for()

    def list_own(self) -> list[tuple[str, float, float]]:
        """Return the observer's events as the page has them."""
        found = self.page.evaluate("document.querySelector('canvas').timeline.lanes.mine")
        return [(item["label"], item["start_s"], item["end_s"]) for item in found]

    def find_edge(self, row: str, label: str, side: str) -> tuple[float, float]:
        """Return where on the screen a bar's edge is: of the first event in the row in view."""
        script = """([kind, label, side]) => {
          const t = document.querySelector('canvas').timeline;
          const box = t.canvas.getBoundingClientRect();
          const row = t.rows.find((r) => r.kind === kind && r.label === label);
          const event = t.inView(row)[0];
          return [box.left + t.toX(event[side]), box.top + row.y + row.height / 2];
        }"""
        x, y = self.page.evaluate(script, [row, label, side])
        return x, y

    def shoot(self, name: str) -> None:
        """Keep a picture of the page in the folder HAR_SHOTS, if that is set."""
        folder = os.environ.get("HAR_SHOTS")
        if folder:
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def close(self) -> None:
        """Close it."""
        self.context.close()
