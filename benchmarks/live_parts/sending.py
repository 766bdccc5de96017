"""What is watched: a film of people, and a server that sends it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from har.config import SynthConfig
from har.synthetic.recordings import write_recordings

SIZE, FPS = (360, 640), 25
_SYNTHETIC_MIN = 1.0
_SERVER = Path(__file__).parents[2] / "tests" / "support" / "rtsp_server.py"
_PYTHONS = (sys.executable, "/usr/bin/python3")


def write_film(path: Path, length_s: float, source: Path | None) -> Path:
    """Write H.264 of 640x360 at 25 frames a second and about 1 Mbit/s, as cameras send it.

    Args:
        path: An ``.mp4`` file.
        length_s: What is shown is repeated up to this.
        source: What it shows; synthetic people when None.
    """
    if source is None:
        config = SynthConfig(n_recordings=1, recording_min=_SYNTHETIC_MIN)
        write_recordings(path.parent / "synthetic", config)
        source = path.parent / "synthetic" / "recording_000.mp4"
    once = path.with_name("once.mp4")
    height, width = SIZE
    shape = f"scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
    rate = ["-bf", "0", "-g", "50", "-b:v", "1M", "-pix_fmt", "yuv420p"]
    coding = ["-c:v", "libx264", "-preset", "veryfast", *rate, "-an"]
    _run_ffmpeg("-i", str(source), "-vf", f"{shape},fps={FPS}", *coding, str(once))
    _run_ffmpeg("-stream_loop", "-1", "-i", str(once), "-t", str(length_s), "-c", "copy", str(path))
    return path


def _run_ffmpeg(*words: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *words], check=True)


@contextmanager
def serve(film: Path) -> Iterator[tuple[str, int]]:
    """Return the address before the number of a camera, and the process that sends all of them."""
    command = [_find_python(), str(_SERVER), "0", str(film)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = process.stdout.readline().strip() if process.stdout else ""
        try:
            yield f"rtsp://127.0.0.1:{port}/cam", process.pid
        finally:
            process.kill()


def _find_python() -> str:
    for python in _PYTHONS:
        check = [python, "-c", "import gi; gi.require_version('GstRtspServer', '1.0')"]
        if Path(python).exists() and subprocess.run(check, capture_output=True).returncode == 0:
            return python
    raise SystemExit(
        "GStreamer's RTSP server is not installed; see CONTRIBUTING.md, or --via files"
    )


def read_processor_s(pid: int) -> float:
    """Return the processor seconds that a process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
