"""Measures how many cameras `har watch` holds, and how late its scores are.

    python benchmarks/live.py [--bundle DIR] [--streams motion] [--via files] [--seconds 60]

A camera is a film of 640x360 at 25 frames a second, begun `--apart` seconds later in it than the
camera before, so that not all show motion at once. A number of cameras is held if, once all are
live, none drops a sampled frame for ``--seconds``: no time step is passed over and no packet is
left undecoded. The largest such number is searched for, each try in a process of its own; the first
that fails is measured too. Latency is from the arrival of the packet that completes a time step
until the scores that look at it are given out: of each camera the 95th percentile over all its
steps, of these the worst is printed.

``--via files`` plays the film inside the process, so nothing is paid for a sender; ``--via rtsp``
gets it from GStreamer's RTSP server in a process of its own, which needs no encoder. The server
takes its time from the same cores, so that number is at most what real cameras would give; its
processor seconds are printed apart. Without ``--bundle`` one of the default recipe is made that has
learnt nothing (needs Keras), and without ``--film`` the film shows synthetic people. Linux only.
Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common_parts.show import build_parser
from har.config import WatchConfig
from har.inference.model import Recognizer
from har.live.messages import CameraState, LiveEvent, LiveScores
from har.live.sources import Source, parse_sources
from har.live.watch import Watch
from live_parts.sending import read_processor_s, serve, write_film

_WARM_S = 8.0
_PARTS = Path(__file__).parent / "live_parts"


def main() -> None:
    """Measure and print."""
    options = _parse()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: options.cores])
    if options.one:
        print(json.dumps(measure_one(options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        options.film = write_film(
            work / "film.mp4",
            options.seconds + 3 * _WARM_S + 60 + 100 * options.apart,
            options.film,
        )
        if options.bundle is None:
            options.bundle = work / "bundle"
            make = [sys.executable, str(_PARTS / "untrained.py")]
            subprocess.run(
                [*make, str(options.bundle), options.streams], check=True, capture_output=True
            )
        tries = search(options)
    held = [one for one in tries if one["is_held"]]
    result = {
        "streams": options.streams,
        "via": options.via,
        "cores": options.cores,
        "seconds": options.seconds,
        "most_cameras": max((one["n_cameras"] for one in held), default=0),
        "tries": sorted(tries, key=lambda one: one["n_cameras"]),
    }
    print(json.dumps(result, indent=1))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--streams", choices=("motion", "pose", "both"), default="motion")
    parser.add_argument("--film", type=Path, help="A video whose pictures are shown.")
    parser.add_argument("--via", choices=("files", "rtsp"), default="files")
    parser.add_argument("--apart", type=float, default=0.0, help="seconds, of files")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--start", type=int, default=8, help="Cameras of the first try.")
    parser.add_argument("--one", type=int, default=0, help="Only this many; used by itself.")
    return parser.parse_args()


def search(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Doubles or halves the number until one holds and one does not, then closes in."""
    tries: list[dict[str, Any]] = []
    low, high, n_cameras = 0, None, options.start
    while high is None or high - low > 1:
        tries.append(_try(options, n_cameras))
        if tries[-1]["is_held"]:
            low = n_cameras
        else:
            high = n_cameras
        n_cameras = 2 * low if high is None else (low + high) // 2
        if high is not None and high <= 1:
            break
    return tries


def _try(options: argparse.Namespace, n_cameras: int) -> dict[str, Any]:
    words = ["--one", n_cameras, "--bundle", options.bundle, "--film", options.film]
    words += [
        "--apart",
        options.apart,
        "--via",
        options.via,
        "--seconds",
        options.seconds,
        "--cores",
        options.cores,
    ]
    command = [sys.executable, __file__, *map(str, words)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    print(done.stdout.strip(), file=sys.stderr)
    return json.loads(done.stdout)


@dataclass
class Meter:
    """A sink that keeps every camera's last state, and when all have been live."""

    n_cameras: int
    states: dict[str, CameraState] = field(default_factory=dict)
    n_scores: int = 0

    def on_state(self, state: CameraState) -> None:
        """Keep it; what a camera ends with is of no interest."""
        if state.state != "ended":
            self.states[state.name] = state

    def on_scores(self, scores: LiveScores) -> None:
        """Count."""
        self.n_scores += len(scores.times_s)

    def on_event(self, event: LiveEvent) -> None:
        """Is of no interest."""

    def close(self) -> None:
        """Nothing to do."""

    @property
    def is_live(self) -> bool:
        """Whether all cameras are there."""
        live = [state for state in self.states.values() if state.state == "live"]
        return len(live) == self.n_cameras

    def count(self) -> tuple[int, int]:
        """Return how many steps and packets were dropped, and frames decoded, by all so far."""
        states = list(self.states.values())
        return sum(s.n_dropped for s in states), sum(s.n_frames for s in states)


def measure_one(options: argparse.Namespace) -> dict[str, Any]:
    """Watch some cameras and return what was dropped, how late scores were, what it cost."""
    meter, until = Meter(options.one), threading.Event()
    config = WatchConfig(memory_s=options.seconds, connect_s=60.0, state_every_s=0.2)
    recognizer = Recognizer(options.bundle, n_threads=1)
    with ExitStack() as stack:
        server_pid = None
        if options.via == "rtsp":
            address, server_pid = stack.enter_context(serve(options.film))
            sources = parse_sources(f"cam{i}={address}{i % 32}" for i in range(options.one))
        else:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            films = [_begin_at(options.film, i * options.apart, folder) for i in range(options.one)]
            sources = [Source(f"cam{i}", "file", str(film)) for i, film in enumerate(films)]
        watch = Watch(recognizer, sources, config, [meter])
        thread = threading.Thread(target=watch.run, args=(until,))
        thread.start()
        _wait_until_live(meter, thread)
        pids = [os.getpid(), *([server_pid] if server_pid else [])]
        dropped, n_frames = meter.count()
        before_s, begun_s = [read_processor_s(pid) for pid in pids], time.monotonic()
        thread.join(options.seconds)
        wall_s = time.monotonic() - begun_s
        spent_s = [read_processor_s(pid) - s for pid, s in zip(pids, before_s, strict=True)]
        later_dropped, later_frames = meter.count()
        states = list(meter.states.values())
        until.set()
        thread.join()
    fps = (later_frames - n_frames) / wall_s / options.one
    n_dropped = later_dropped - dropped
    return {
        "n_cameras": options.one,
        "is_held": n_dropped == 0 and fps > 24.5 and meter.is_live,
        "n_dropped": n_dropped,
        "fps": round(fps, 2),
        "latency_p95_ms": round(1e3 * max(state.latency_s for state in states), 1),
        "cores_used": round(spent_s[0] / wall_s, 2),
        "sender_cores_used": round(spent_s[1] / wall_s, 2) if server_pid else 0.0,
    }


def _begin_at(film: Path, second: float, folder: Path) -> Path:
    if not second:
        return film
    path = folder / f"{second:g}.mp4"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-ss", str(second), "-i", str(film)]
    subprocess.run([*command, "-c", "copy", str(path)], check=True)
    return path


def _wait_until_live(meter: Meter, thread: threading.Thread) -> None:
    deadline_s = time.monotonic() + 60
    while not meter.is_live and time.monotonic() < deadline_s:
        thread.join(0.1)
        if not thread.is_alive():
            raise SystemExit("the watch ended before all cameras were live")
    thread.join(_WARM_S)


if __name__ == "__main__":
    main()
