"""`har watch` as a service would run it: a real process, a real file at its own speed, a signal."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import av
import numpy as np
import pytest
from bundles import make_bundle
from videos import make_video

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")

MOVES_FROM_S = 0.5
SETTINGS = """
[alerts]
score = 0.6
min_s = 0.5
cool_down_s = 60
[alerts.labels.still]
on = false
[clips]
before_s = 1
after_s = 1
[metrics]
port = {port}
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_bundle(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a minute: still at first, then something moves to the end."""

    def paint(index: int) -> np.ndarray:
        image = np.full((64, 96, 3), 90, np.uint8)
        if index / 25 >= MOVES_FROM_S:
            left = 10 + (index * 4) % 60
            image[20:44, left : left + 20] = 230 if index % 2 else 20
        image[:2, :2] = index % 255
        return image

    path = tmp_path_factory.mktemp("video") / "room.mp4"
    return make_video(path, [index / 25 for index in range(30 * 25)], paint=paint)


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def _start(*arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "har", "watch", *map(str, arguments), "--json"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}
    )


def _read_lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _iter_lines(run: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    assert run.stdout is not None
    for line in run.stdout:
        yield json.loads(line)


def _get(port: int, path: str) -> tuple[int, str]:
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()


def test_signal_ends_the_watch_and_flushes_what_is_open(
    tmp_path: Path, bundle: Path, video: Path
) -> None:
    out, settings, port = tmp_path / "out", tmp_path / "watch.toml", _free_port()
    settings.write_text(SETTINGS.format(port=port))
    with _start(f"hall={video}", "--bundle", bundle, "--out", out, "--config", settings) as run:
        lines = _iter_lines(run)
        alert = next(line for line in lines if line["kind"] == "alert")
        status, health = _get(port, "/healthz")
        assert (status, json.loads(health)["problems"]) == (200, [])
        counted = 'har_alerts_total{camera="hall",label="active"} 1.0'
        until_s = time.monotonic() + 5
        while counted not in (metrics := _get(port, "/metrics")[1]) and time.monotonic() < until_s:
            time.sleep(0.05)  # the line is written a moment before it is counted
        assert counted in metrics
        while not (scores := _read_state(out)["scores"]):
            time.sleep(0.05)
        assert sorted(scores["values"]) == ["active", "still"]
        run.send_signal(signal.SIGTERM)
        rest = list(lines)
        said = run.stderr.read() if run.stderr else ""
        assert run.wait(30) == 0, said
    final = next(line for line in rest if line["kind"] == "event" and line["label"] == "active")
    assert final["is_open"] is False
    assert (final["camera"], final["onset_s"]) == (alert["camera"], alert["onset_s"])
    assert float(str(alert["onset_s"])) == pytest.approx(MOVES_FROM_S, abs=0.7)
    written = _read_lines(out / "events.jsonl")
    assert final in written
    assert alert in written
    assert [line["state"] for line in _read_lines(out / "log.jsonl")][-1] == "ended"
    assert (_read_state(out)["state"], _read_state(out)["scores"]) == ("ended", None)
    record = json.loads((out / "alerts" / f"{alert['id']}.json").read_text())
    assert record["is_open"] is False
    with av.open(str(out / "alerts" / record["clip"]["file"])) as clip:
        n_frames = sum(1 for _ in clip.decode(video=0))
    assert n_frames == pytest.approx(record["clip"]["length_s"] * 25, abs=15)  # as they arrived
    assert rest[-1]["cameras"][0]["alerts"] == {"active": 1}  # type: ignore[index]
    assert "hall is live" in said


def _read_state(out: Path) -> dict[str, Any]:
    return json.loads((out / "cameras.json").read_text())["cameras"]["hall"]


def test_kill_leaves_whole_lines_and_the_record(tmp_path: Path, bundle: Path, video: Path) -> None:
    out = tmp_path / "out"
    with _start(f"hall={video}", "--bundle", bundle, "--out", out) as run:
        alert = next(line for line in _iter_lines(run) if line["kind"] == "alert")
        run.kill()
    lines = _read_lines(out / "events.jsonl")
    assert alert in lines
    assert (out / "alerts" / f"{alert['id']}.json").is_file()


def test_full_disk_is_said_and_recognition_goes_on_to_the_time_that_is_asked(
    tmp_path: Path, bundle: Path, video: Path
) -> None:
    out = tmp_path / "out"
    limit = "import resource as r, sys; r.setrlimit(r.RLIMIT_FSIZE, (400, 400)); "
    start = "from har.cli import main; sys.argv[0] = 'har'; main()"
    options = [f"hall={video}", "--bundle", bundle, "--out", out, "--duration", 4, "--json"]
    run = subprocess.run(
        [sys.executable, "-c", limit + start, "watch", *map(str, options)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    *lines, summary = map(json.loads, run.stdout.splitlines())
    assert summary["cameras"][0]["alerts"] == {"active": 1}
    assert 25 <= summary["cameras"][0]["n_frames"] <= 120
    for said in ("events.jsonl cannot be written", "record of an alert", "its alert has no record"):
        assert said in run.stderr
    events = [line for line in lines if line["kind"] in ("event", "alert")]
    written = _read_lines(out / "events.jsonl")
    assert written == events[: len(written)]
    assert len(written) < len(events)
    assert not list((out / "alerts").iterdir())


_MARK = "HAR_TEST_OF_ARGUMENTS"


def _list_command_lines(mark: str) -> list[bytes]:
    """Return what `ps` shows of all processes that were started with a mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if f"{_MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes())
        except OSError:  # it has ended, or is another user's
            continue
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_no_password_of_the_command_line_is_shown_by_ps(bundle: Path, tmp_path: Path) -> None:
    port = _free_port()
    words = (f"door=rtsp://user:secret@127.0.0.1:{port}/x", "--bundle", bundle, "--out", tmp_path)
    notify = ("--notify", f"json://me:secret@127.0.0.1:{port}/", f"--notify=ntfy://secret{port}")
    run = subprocess.Popen(
        [sys.executable, "-m", "har", "watch", *map(str, words), *notify],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, _MARK: str(tmp_path)},
    )
    assert run.stderr is not None
    assert run.stderr.readline().startswith("Watching door with ")
    shown = _list_command_lines(str(tmp_path))
    run.send_signal(signal.SIGTERM)
    said = run.communicate(timeout=30)[1]
    assert shown
    assert not [line for line in shown if b"secret" in line]
    assert [word.rstrip() for word in shown[0].split(b"\0")][3:5] == [b"watch", b"door=rtsp://***"]
    assert "secret" not in said
