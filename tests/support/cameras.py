"""Cameras that the tests run on this machine: an HTTP one that misbehaves on request, a real RTSP
server, and a sink that remembers what it is told."""

from __future__ import annotations

import itertools
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from videos import make_video

from har.config import WatchConfig
from har.inference.model import Recognizer
from har.live.messages import CameraState, LiveEvent, LiveScores
from har.live.sources import parse_sources
from har.live.watch import Watch

FPS = 25
SIZE = (64, 96)
_RTSP_SCRIPT = Path(__file__).parent / "rtsp_server.py"
_RTSP_PYTHONS = (sys.executable, "/usr/bin/python3")


def paint_moving(index: int) -> np.ndarray:
    """Return a picture of noise: no two are alike."""
    levels = np.random.default_rng(index).integers(40, 210, (8, 12), dtype=np.uint8)
    return np.repeat(np.kron(levels, np.ones((8, 8), np.uint8))[..., None], 3, axis=2)


def paint_still(index: int) -> np.ndarray:
    """Return a gray picture whose brightness hardly changes, as a camera's noise makes it."""
    return np.full((*SIZE, 3), 100 + index % 2, np.uint8)


def make_ts(
    path: Path,
    length_s: float,
    paint: Callable[[int], np.ndarray],
    begin_s: float = 0.0,
    size: tuple[int, int] = SIZE,
) -> bytes:
    """Return an MPEG transport stream whose timestamps begin at ``begin_s``."""
    times_s = begin_s + np.arange(round(length_s * FPS)) / FPS
    return make_video(path, times_s.tolist(), size, paint=paint).read_bytes()


@dataclass(frozen=True)
class Send:
    """Bytes that are sent evenly over some seconds."""

    content: bytes
    over_s: float


@dataclass(frozen=True)
class Pause:
    """Nothing is sent for some seconds."""

    length_s: float


class HttpCamera:
    """Sends what it is told over HTTP on the loopback, a new list of acts for each connection.

    After its acts the connection is closed. Connections beyond the lists are refused.
    """

    def __init__(
        self, connections: Sequence[Sequence[Send | Pause]], content_type: str = "video/mp2t"
    ) -> None:
        self._connections, self._content_type = iter(connections), content_type
        self._is_over = threading.Event()
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._answer(self)

            def log_message(self, *_: object) -> None:
                """Return nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://me:secret@127.0.0.1:{self._server.server_port}/cam.ts"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> HttpCamera:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        acts = next(self._connections, None)
        if acts is None:
            handler.send_error(503)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", self._content_type)
        handler.end_headers()
        try:
            for act in acts:
                self._act(act, handler)
        except (BrokenPipeError, ConnectionResetError):
            return

    def _act(self, act: Send | Pause, handler: BaseHTTPRequestHandler) -> None:
        if isinstance(act, Pause):
            self._is_over.wait(act.length_s)
            return
        n_parts = max(round(act.over_s / 0.02), 1)
        edges = np.linspace(0, len(act.content), n_parts + 1).astype(int)
        for first, end in itertools.pairwise(edges):
            if not self._is_over.wait(act.over_s / n_parts):
                handler.wfile.write(act.content[first:end])


@cache
def find_rtsp_python() -> str | None:
    """Return a Python that has GStreamer's RTSP server, None where there is none."""
    check = "import gi; gi.require_version('GstRtspServer', '1.0')"
    for python in _RTSP_PYTHONS:
        if Path(python).exists():
            done = subprocess.run([python, "-c", check], capture_output=True, check=False)
            if done.returncode == 0:
                return python
    return None


class RtspServer:
    """GStreamer's RTSP server in a process of its own; sends a file from its start to each client.

    Several paths, ``/cam0``, ``/cam1`` and so on, send the same file.
    """

    def __init__(self, video: Path, port: int = 0) -> None:
        python = find_rtsp_python()
        if python is None:
            pytest.skip("no GStreamer RTSP server; see CONTRIBUTING.md for the packages it is in")
        command = [python, str(_RTSP_SCRIPT), str(port), str(video)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        said = self._process.stdout.readline() if self._process.stdout else ""
        self.port = int(said)

    def url(self, number: int = 0) -> str:
        return f"rtsp://me:secret@127.0.0.1:{self.port}/cam{number}"

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        """End the server at once, as a power cut does."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@dataclass
class Memory:
    """A sink that remembers all it is told, and ends the watch once it has seen enough."""

    states: list[CameraState] = field(default_factory=list)
    scores: list[LiveScores] = field(default_factory=list)
    events: list[LiveEvent] = field(default_factory=list)
    n_closed: int = 0

    def on_state(self, state: CameraState) -> None:
        self.states.append(state)

    def on_scores(self, scores: LiveScores) -> None:
        self.scores.append(scores)

    def on_event(self, event: LiveEvent) -> None:
        self.events.append(event)

    def close(self) -> None:
        self.n_closed += 1

    def walk(self, camera: str) -> list[str]:
        """Return a camera's states in their order, each once a stay."""
        states = [state.state for state in self.states if state.name == camera]
        return [
            state for state, before in zip(states, [None, *states], strict=False) if state != before
        ]

    def notes(self) -> list[str]:
        return [state.note for state in self.states if state.note]

    def final(self) -> list[LiveEvent]:
        return [event for event in self.events if not event.is_open]


@contextmanager
def watching(
    recognizer: Recognizer,
    sources: Iterable[str],
    config: WatchConfig,
    tap: object = None,
    speed: float = 1.0,
) -> Iterator[tuple[Memory, Callable[[Callable[[], bool], float], None]]]:
    """Run a watch on a thread; return what it says and a function that waits until it is so.

    Whatever the watch raises is raised at the end of the block.
    """
    memory, until, errors = Memory(), threading.Event(), []
    cameras = [replace(source, speed=speed) for source in parse_sources(sources)]
    watch = Watch(recognizer, cameras, config, [memory], tap)  # type: ignore[arg-type]

    def run() -> None:
        try:
            watch.run(until)
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()

    def wait(is_so: Callable[[], bool], timeout_s: float) -> None:
        deadline_s = time.monotonic() + timeout_s
        while not is_so() and not errors and time.monotonic() < deadline_s:
            time.sleep(0.01)
        if not errors:
            assert is_so(), memory.states[-3:]

    try:
        yield memory, wait
    finally:
        until.set()
        thread.join(20)
    for error in errors:
        raise error
    assert not thread.is_alive()
