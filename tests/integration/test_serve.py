"""`har serve` as other programs use it: a real process, real uploads, limits, a clean end."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pytest
from bundles import make_bundle
from videos import make_clip, make_huge, make_truncated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")

KEY = "a-word-of-this-test-only"
N_UPLOADS, N_AT_ONCE = 200, 8
MAX_MB = 2
MOST_GROWTH_MB = 30


class Server:
    """The command in a process of its own; its folder of uploads is below ``folder``."""

    def __init__(self, folder: Path, *options: object) -> None:
        self._folder, self._options = folder, options

    def __enter__(self) -> Self:
        bundle = make_bundle(self._folder / "bundle")
        self.temporary, key = self._folder / "tmp", self._folder / "key"
        self.temporary.mkdir()
        key.write_text(f"{KEY}\n")
        command = [sys.executable, "-m", "har", "serve", "--bundle", bundle, "--port", 0]
        command += ["--token-file", key]
        self.process = subprocess.Popen(
            [str(word) for word in (*command, *self._options)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "TMPDIR": str(self.temporary)},
        )
        assert self.process.stderr is not None
        said = self.process.stderr.readline()
        if not said.startswith("Serving at http://127.0.0.1:"):
            self.process.kill()
            pytest.fail(said)
        self.port = int(said.partition("127.0.0.1:")[2].partition(";")[0])
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def call(
        self, method: str, path: str, body: bytes | Iterator[bytes] | None = None
    ) -> tuple[int, dict[str, object]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "video/mp4"}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def memory_mb(self) -> float:
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in text.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1000


@pytest.mark.slow
def test_a_video_is_recognized_and_a_signal_ends_all(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", n_frames=50).read_bytes()
    with Server(tmp_path) as server:
        status, job = server.call("POST", "/predict?wait=30&name=a.mp4", clip)
        assert (status, job["state"]) == (200, "done")
        assert [path.name[:10] for path in server.temporary.iterdir()] == ["har-serve-"]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert not list(server.temporary.iterdir()), "uploads and results are deleted"


def _iter_endless() -> Iterator[bytes]:
    """Return more than is taken, of which the length is not known before."""
    for _ in range(4 * MAX_MB):
        yield b"x" * 1_000_000


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_two_hundred_uploads_eight_at_a_time(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    bodies = {
        "good": make_clip(tmp_path / "a.mp4", n_frames=50).read_bytes(),
        "broken": make_truncated(tmp_path / "b.ts", 0.3).read_bytes(),
        "no video": os.urandom(100_000),
        "wide": make_huge(tmp_path / "c.mp4").read_bytes(),
        "too large": b"x" * (MAX_MB * 1_000_000 + 1),
    }
    kinds = ["good", "broken", "good", "no video", "good", "wide", "good", "too large", "endless"]

    def upload(number: int) -> tuple[str, int, str]:
        kind = kinds[number % len(kinds)]
        for _ in range(600):
            body = _iter_endless() if kind == "endless" else bodies[kind]
            try:
                status, job = server.call("POST", f"/predict?name={number}.mp4", body)
            except (BrokenPipeError, ConnectionResetError):  # refused while it was being sent
                if kind in ("too large", "endless"):
                    return kind, 413, ""
                status, job = 503, {}  # for there was no room
            if status != 503:
                break
            n_full.append(number)
            time.sleep(0.1)
        while status == 202 and job["state"] in ("waiting", "running"):
            time.sleep(0.05)
            _, job = server.call("GET", f"/jobs/{job['id']}")
        return kind, status, str(job.get("state", ""))

    n_full: list[int] = []
    with Server(tmp_path, "--max-mb", MAX_MB, "--max-waiting", 5) as server:
        with ThreadPoolExecutor(N_AT_ONCE) as pool:
            first = list(pool.map(upload, range(50)))
            early_mb = server.memory_mb()
            rest = list(pool.map(upload, range(50, N_UPLOADS)))
        late_mb = server.memory_mb()
        _, listed = server.call("GET", "/jobs")
        left = list(server.temporary.rglob("upload*"))
    found = Counter((kind, status, state) for kind, status, state in first + rest)
    with capsys.disabled():
        print(f"\n{dict(found)}; full {len(n_full)} times; {early_mb:.0f} MB, {late_mb:.0f} MB")
    expected = Counter(kinds[number % len(kinds)] for number in range(N_UPLOADS))
    assert Counter(kind for kind, _, _ in first + rest) == expected, "none is lost"
    for kind, status, state in found:
        if kind in ("too large", "endless"):
            assert (status, state) == (413, "")
        else:
            assert status == 202
            assert state == "failed" if kind in ("no video", "wide") else state == "done", kind
    jobs = listed["jobs"]
    assert isinstance(jobs, list)
    assert len(jobs) == sum(status == 202 for _, status, _ in first + rest)
    assert not left, "each upload is deleted once it is recognized"
    assert late_mb - early_mb < MOST_GROWTH_MB
