"""Long recordings as cameras make them, of real clips or of synthetic people."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from har.config import SynthConfig
from har.synthetic.recordings import write_recordings
from har.video.file.reader import open_video
from har.video.file.writer import open_writer

SIZE, FPS = (360, 640), 25
_SYNTHETIC_MIN = 2.0
_N_CLIPS = 60
_FINE_CRF = 18
_AS_CAMERAS = ("-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "50", "-b:v", "1M")


def write_once(folder: Path, clips: Sequence[Path]) -> Path:
    """Write some dozen clips one after the other, or synthetic people where there are none.

    Returns:
        H.264 of 640x360 at 25 frames a second and about 1 Mbit/s.
    """
    raw, once = folder / "raw.mp4", folder / "once.mp4"
    if clips:
        _join(raw, clips[:: -(-len(clips) // _N_CLIPS)])
    else:
        config = SynthConfig(n_recordings=1, recording_min=_SYNTHETIC_MIN)
        write_recordings(folder / "synthetic", config)
        raw = folder / "synthetic" / "recording_000.mp4"
    height, width = SIZE
    shape = ["-vf", f"scale={width}:{height},fps={FPS}", "-pix_fmt", "yuv420p", "-an"]
    _run_ffmpeg("-i", str(raw), *shape, *_AS_CAMERAS, str(once))
    return once


def write_recording(once: Path, minutes: float) -> Path:
    """Write a film again and again up to a length, without coding it anew."""
    path = once.with_name(f"{minutes:g}min.mp4")
    length = ["-t", str(60 * minutes)]
    _run_ffmpeg("-stream_loop", "-1", "-i", str(once), *length, "-c", "copy", str(path))
    return path


def _join(path: Path, clips: Sequence[Path]) -> None:
    with open_writer(path, SIZE, FPS, _FINE_CRF) as writer:
        for clip in clips:
            with open_video(clip, SIZE, "rgb") as reader:
                for frame in reader:
                    writer.write(frame.image)


def _run_ffmpeg(*words: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *words], check=True)
