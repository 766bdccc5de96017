"""Long recordings as cameras make them, of real clips or of synthetic people."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.config import SynthConfig
from har.synthetic.recordings import write_recordings
from har.video.file.reader import open_video
from har.video.file.writer import open_writer

FPS = 25
_CODERS = {"h264": "libx264", "hevc": "libx265"}
_BITS_A_PIXEL = 1e6 / (360 * 640)
"""A second: 1 Mbit for 640x360, as usual for cameras."""
_NOISE_LEVELS = 2.0
_SYNTHETIC_MIN = 2.0
_N_CLIPS, _LEAST_CLIPS = 60, 6
"""At 640x360, and in larger pictures, of which fewer are made."""
_FINE_CRF = 18
_AS_CAMERAS = ("-preset", "veryfast", "-bf", "0", "-g", "50")


@dataclass(frozen=True)
class Film:
    """What a film is like.

    Attributes:
        size: (H, W).
        codec: ``h264`` or ``hevc``.
        still_times: Each clip is followed by so many times its length of its last picture, with
            noise as of a camera.
    """

    size: tuple[int, int] = (360, 640)
    codec: str = "h264"
    still_times: int = 0

    @property
    def name(self) -> str:
        """Tells it from other films of the same clips."""
        return f"{self.size[0]}x{self.size[1]}-{self.codec}-still{self.still_times}"


def write_once(folder: Path, clips: Sequence[Path], film: Film) -> Path:
    """Write some dozen clips one after the other, or synthetic people where there are none.

    Returns:
        A file of 25 frames a second, of 1 Mbit/s at 640x360.
    """
    raw, once = folder / "raw.mp4", folder / "once.mp4"
    if once.is_file():
        return once
    if clips:
        n_clips = max(_N_CLIPS * 360 * 640 // (film.size[0] * film.size[1]), _LEAST_CLIPS)
        _join(raw, clips[:: -(-len(clips) // n_clips)], film)
    else:
        config = SynthConfig(n_recordings=1, recording_min=_SYNTHETIC_MIN)
        write_recordings(folder / "synthetic", config)
        raw = folder / "synthetic" / "recording_000.mp4"
    height, width = film.size
    shape = ["-vf", f"scale={width}:{height},fps={FPS}", "-pix_fmt", "yuv420p", "-an"]
    rate = ["-c:v", _CODERS[film.codec], "-b:v", str(round(_BITS_A_PIXEL * height * width))]
    quiet = ["-x265-params", "log-level=error:bframes=0"] if film.codec == "hevc" else []
    part = once.with_suffix(".part.mp4")
    _run_ffmpeg("-i", str(raw), *shape, *rate, *_AS_CAMERAS, *quiet, str(part))
    raw.unlink()
    part.replace(once)
    return once


def write_recording(once: Path, minutes: float) -> Path:
    """Write a film again and again up to a length, without coding it anew."""
    path = once.with_name(f"{minutes:g}min.mp4")
    if path.is_file():
        return path
    length = ["-t", str(60 * minutes)]
    _run_ffmpeg("-stream_loop", "-1", "-i", str(once), *length, "-c", "copy", str(path))
    return path


def _join(path: Path, clips: Sequence[Path], film: Film) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0.0, _NOISE_LEVELS, (25, *film.size, 1)).astype(np.float32)
    with open_writer(path, film.size, FPS, _FINE_CRF) as writer:
        for clip in clips:
            with open_video(clip, film.size, "rgb") as reader:
                images = [frame.image for frame in reader]
            for image in images:
                writer.write(image)
            for _ in range(film.still_times * len(images)):
                grain = np.roll(noise[rng.integers(len(noise))], rng.integers(600), axis=1)
                writer.write((images[-1] + grain).clip(0, 255).astype(np.uint8))


def _run_ffmpeg(*words: str) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *words], check=True)
