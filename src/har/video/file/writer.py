"""Writes H.264 in MP4: pictures at their own times, under a final name only once complete."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError

from har.errors import VideoWriteError
from har.files import find_part, show_path

_TICK_HZ = 90_000
"""Presentation times are written in ticks of MPEG's clock, fine enough for any frame rate."""

_N_THREADS = 2
"""Fixed, because x264 divides its work by it: the same pictures give the same bytes anywhere."""

DEFAULT_CRF = 23
"""x264's own default quality; lower is better and larger, useful from about 18 to 35."""


_STREAM_OPTIONS = {
    "preset": "veryfast",
    "mbtree": "0",
    "colorspace": "smpte170m",
    "color_primaries": "smpte170m",
    "color_trc": "smpte170m",
    "color_range": "tv",
}
"""The color matrix is FFmpeg's own for RGB; it is named so that players do not guess another."""


class VideoWriter:
    """An open video file that takes one picture after another; made by `open_writer`."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, crf: int) -> None:
        self._path = path
        self._size = size
        self._fps = fps
        self._n_frames = 0
        self._last_tick = -1
        self._container = av.open(
            str(find_part(path)), "w", format="mp4", options={"movflags": "+faststart"}
        )
        options = {**_STREAM_OPTIONS, "crf": str(crf)}
        rate = Fraction(fps).limit_denominator(1001)
        self._stream = self._container.add_stream("libx264", rate=rate, options=options)
        self._stream.height, self._stream.width = size
        self._stream.pix_fmt = "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICK_HZ)
        self._stream.codec_context.thread_count = _N_THREADS

    def write(self, image: np.ndarray, time_s: float | None = None) -> None:
        """Add a picture.

        Args:
            image: uint8 RGB (H, W, 3) of the writer's size.
            time_s: When it is shown, later than the one before; None means even intervals of
                ``1 / fps`` from 0.

        Raises:
            VideoWriteError: The picture has another shape, comes too early, or cannot be written.
        """
        if image.shape != (*self._size, 3) or image.dtype != np.uint8:
            raise VideoWriteError(
                f"Expected a uint8 picture of shape {(*self._size, 3)}, received "
                f"{image.dtype} {image.shape}"
            )
        shown_s = self._n_frames / self._fps if time_s is None else time_s
        tick = round(shown_s * _TICK_HZ)
        if tick <= self._last_tick:
            raise VideoWriteError(
                f"Expected a time after {self._last_tick / _TICK_HZ:.5f} s, received {shown_s} s"
            )
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
        frame.pts, frame.time_base = tick, Fraction(1, _TICK_HZ)
        with _translated_errors(self._path):
            self._container.mux(self._stream.encode(frame))
        self._last_tick = tick
        self._n_frames += 1

    def finish(self) -> None:
        """Write what the encoder still holds and the file's index.

        Raises:
            VideoWriteError: There was no picture at all, or the disk is full.
        """
        if self._n_frames == 0:
            raise VideoWriteError("A video needs at least one picture, received none")
        with _translated_errors(self._path):
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def abandon(self) -> None:
        """Close the file without caring for what is in it."""
        with suppress(FFmpegError, OSError):
            self._container.close()


@contextmanager
def open_writer(
    path: Path, size: tuple[int, int], fps: float, crf: int = DEFAULT_CRF
) -> Iterator[VideoWriter]:
    """Open a video for writing; the file takes its name when the block ends without an error.

    Until then the pictures go to ``NAME.part`` beside it, which is removed on any error, so that
    a reader never meets half a video and an earlier file of the name stays whole.

    Args:
        path: An ``.mp4`` file; missing folders are made.
        size: (H, W), both even, as H.264's usual color sampling needs.
        fps: Nominal frames a second.
        crf: x264's constant rate factor.

    Raises:
        VideoWriteError: The file cannot be written: odd size, no such place, disk full.
    """
    if min(size) < 2 or size[0] % 2 or size[1] % 2 or fps <= 0:
        raise VideoWriteError(
            f"Expected an even size and fps > 0 for {path}, received size={size}, fps={fps}"
        )
    try:
        with _translated_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = VideoWriter(path, size, fps, crf)
        try:
            yield writer
            writer.finish()
        finally:
            writer.abandon()
        with _translated_errors(path):
            find_part(path).replace(path)
    finally:
        with suppress(OSError):
            find_part(path).unlink()


@contextmanager
def _translated_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (FFmpegError, OSError) as error:
        raise VideoWriteError(
            f"{show_path(path)} could not be written: {error.strerror or error}. Check that the "
            f"folder may be written to and that the disk is not full."
        ) from error
