"""Reading video files: the only place that opens them.

A video is decoded once, front to back, with constant memory. Frames that thinning leaves out are
decoded but never converted. Times come from the presentation timestamps (see `har.video.clock`).
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import av
import av.error
from av.container import InputContainer

from har import windows
from har.errors import (
    NoVideoStreamError,
    VideoDecodeError,
    VideoNotFoundError,
    VideoOpenError,
)
from har.types import Color, Frame, VideoInfo
from har.video.clock import FrameClock
from har.video.picture import PictureMaker

_SEEK_FROM_S = 5.0
_SEEK_EARLY_S = 1.0
_MISSING_S = 0.25
_MISSING_PART = 0.05
_TIME_EPS_S = 1e-6
_MIN_FPS, _MAX_FPS = 0.01, 1000
_CLOCK_TIME = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_OPTIONS = {"protocol_whitelist": "file"}  # a playlist must not fetch anything from a network


def probe_video(path: Path) -> VideoInfo:
    """Gives what the container says about its first video stream, without decoding it all.

    Raises:
        VideoNotFoundError: There is no such file.
        VideoOpenError: The file is empty, unreadable or not a video.
        NoVideoStreamError: The file holds no pictures.
    """
    with open_video(path, n_threads=1) as reader:
        return reader.info


def open_video(
    path: Path,
    size: tuple[int, int] | None = None,
    color: Color = "rgb",
    max_rate_hz: float = math.inf,
    *,
    start_s: float = 0.0,
    end_s: float | None = None,
    n_threads: int = 0,
) -> VideoReader:
    """Opens a video to be read once, frame by frame, in a ``with`` block.

    Args:
        path: A file of any format that FFmpeg reads.
        size: (H, W) of the letterboxed pictures, or None for the video's own pixels. Rotation
            metadata is applied in both cases, pixel aspect only with a size.
        color: ``gray`` gives (H, W) uint8 in 0..255, ``rgb`` (H, W, 3).
        max_rate_hz: Faster videos are thinned to this many frames a second.
        start_s: Earlier frames are left out; seconds from the video's first frame.
        end_s: Frames from here on are left out; None reads to the end.
        n_threads: Threads of the decoder; 0 leaves it to FFmpeg.

    Raises:
        VideoNotFoundError: There is no such file.
        VideoOpenError: The file is empty, unreadable or not a video.
        NoVideoStreamError: The file holds no pictures.
    """
    return VideoReader(path, size, color, max_rate_hz, (start_s, end_s), n_threads)


class VideoReader:
    """An open video; made by `open_video`. Iterate it once, inside its ``with`` block.

    Frames that cannot be decoded are passed over and the rest is still given; when the readable
    end is reached the iteration raises `VideoDecodeError` with the time of the first damage, also
    where the container promised clearly more than there was.

    Attributes:
        info: What the container says.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int] | None,
        color: Color,
        max_rate_hz: float,
        span_s: tuple[float, float | None],
        n_threads: int,
    ) -> None:
        self._max_rate_hz = max_rate_hz
        self._start_s, self._end_s = span_s
        self._source = _Source(path, n_threads)
        self._frames = self._source.iter_frames()
        self._first = next(self._frames, None)
        self.info = self._source.describe(self._first)
        self._pictures = PictureMaker(
            size, color, self.info.rotation_deg, self._source.pixel_aspect
        )

    @property
    def damaged_s(self) -> float | None:
        """Time of the first damage met so far, in seconds; None if there is none."""
        return self._source.damaged_s

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        """Gives the frames in the order of their times.

        Raises:
            VideoDecodeError: After the last readable frame, if something was damaged.
        """
        clock, frames = self._start()
        end_s = math.inf if self._end_s is None else self._end_s - _TIME_EPS_S
        last_kept_s, index = None, 0
        for frame in frames:
            time_s = clock.read_time(self._source.read_stamp(frame))
            self._source.now_s = clock.next_s
            if time_s is None or time_s < self._start_s - _TIME_EPS_S:
                continue
            if time_s >= end_s:
                break
            if windows.is_kept(time_s, last_kept_s, self._max_rate_hz):
                yield Frame(index, time_s, self._pictures.make_picture(frame))
                last_kept_s, index = time_s, index + 1
        else:
            self._source.check_length(clock.next_s)
        self._source.check_damage()

    def _start(self) -> tuple[FrameClock, Iterator[av.VideoFrame]]:
        first, frames = self._first, self._frames
        if first is None:
            return FrameClock(self.info.fps), iter(())
        origin_s = self._source.origin_s
        if self._start_s >= _SEEK_FROM_S and origin_s is not None:
            found = self._source.seek(origin_s + self._start_s)
            if found is not None:
                return FrameClock(self.info.fps, origin_s), found
            self._source.reopen()
            return FrameClock(self.info.fps), self._source.iter_frames()
        return FrameClock(self.info.fps), itertools.chain([first], frames)


class _Source:
    """FFmpeg's demuxer and decoder for one file, with its errors translated.

    Attributes:
        now_s: Where the reader is; names the place of damage that has no timestamp of its own.
        origin_s: Timestamp of the video's first frame, or None before it or without one.
        damaged_s: Where the first damage was met, in seconds from the first frame, or None.
    """

    def __init__(self, path: Path, n_threads: int) -> None:
        self._path = path
        self._n_threads = n_threads
        self.reopen()

    def reopen(self) -> None:
        """Starts again at the file's beginning."""
        self.now_s = 0.0
        self.origin_s: float | None = None
        self.damaged_s: float | None = None
        self._n_decoded = 0
        self._has_sought = False
        self._container = _open_container(self._path)
        if not self._container.streams.video:
            self._container.close()
            raise NoVideoStreamError(
                f"{self._path} holds no pictures, only sound or data; give a file with video"
            )
        self._stream = self._container.streams.video[0]
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = self._n_threads

    def close(self) -> None:
        self._container.close()

    def read_stamp(self, item: av.VideoFrame | av.Packet) -> float | None:
        """Gives the presentation timestamp in seconds, or the decoding one, or None."""
        stamp = item.dts if item.pts is None else item.pts
        time_base = self._stream.time_base
        return None if stamp is None or time_base is None else float(stamp * time_base)

    def iter_frames(self) -> Iterator[av.VideoFrame]:
        """Gives all frames that can be decoded from here on; damage is noted, not raised."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                self._note_damage(None)
                packet = None
            yield from self._decode(packet)
            if packet is None:
                return

    def _decode(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        try:
            frames = self._stream.decode(packet)
        except av.error.EOFError:  # flushed before
            return []
        except av.error.FFmpegError:
            self._note_damage(packet)
            return []
        if packet is not None and packet.is_corrupt:
            self._note_damage(packet)
        if self._n_decoded == 0 and frames:
            self.origin_s = self.read_stamp(frames[0])
        self._n_decoded += len(frames)
        return frames

    def seek(self, stamp_s: float) -> Iterator[av.VideoFrame] | None:
        """Gives the frames from a point not after ``stamp_s``, or None where that failed."""
        time_base = self._stream.time_base
        if time_base is None:
            return None
        try:
            self._container.seek(int((stamp_s - _SEEK_EARLY_S) / time_base), stream=self._stream)
        except av.error.FFmpegError:
            return None
        self._has_sought = True
        frames = self.iter_frames()
        first = next(frames, None)
        found_s = None if first is None else self.read_stamp(first)
        if first is None or found_s is None or found_s > stamp_s:
            return None
        return itertools.chain([first], frames)

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height; 1 where absent or absurd."""
        aspect = float(self._stream.sample_aspect_ratio or 1)
        return aspect if 0.25 <= aspect <= 4.0 else 1.0

    def describe(self, first: av.VideoFrame | None) -> VideoInfo:
        """Gives what the container says; the first frame carries the rotation."""
        rotation_deg = 0 if first is None else round(-first.rotation / 90) % 4 * 90
        context = self._stream.codec_context
        width, height = (first or context).width, (first or context).height
        if rotation_deg in (90, 270):
            width, height = height, width
        rate = self._stream.average_rate or self._stream.guessed_rate
        return VideoInfo(
            path=self._path,
            width=width,
            height=height,
            fps=float(rate) if rate and _MIN_FPS <= rate <= _MAX_FPS else None,
            duration_s=self._read_duration(),
            n_frames=self._stream.frames or None,
            rotation_deg=rotation_deg,
            codec=context.name,
        )

    def check_length(self, end_s: float) -> None:
        """Notes damage where the file ended clearly before what its container promises."""
        duration_s, n_promised = self._read_duration(), self._stream.frames
        missing_s = 0.0 if duration_s is None else duration_s - end_s
        is_short = missing_s > max(_MISSING_S, _MISSING_PART * (duration_s or 0.0))
        if is_short and n_promised and not self._has_sought:
            is_short = self._n_decoded < (1 - _MISSING_PART) * n_promised
        if is_short:
            self._note_damage(None)

    def check_damage(self) -> None:
        """Raises what was noted.

        Raises:
            VideoDecodeError: Some part could not be decoded.
        """
        if self.damaged_s is not None:
            raise VideoDecodeError(
                f"{self._path} is damaged or cut off at {self.damaged_s:.2f} s; the frames that"
                " can be decoded were given; repair or replace the file"
            )

    def _note_damage(self, packet: av.Packet | None) -> None:
        if self.damaged_s is not None:
            return
        self.damaged_s = self.now_s
        stamp_s = None if packet is None else self.read_stamp(packet)
        if stamp_s is not None and self.origin_s is not None:
            self.damaged_s = max(stamp_s - self.origin_s, 0.0)

    def _read_duration(self) -> float | None:
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
        tag = stream.metadata.get("DURATION", "")
        if match := _CLOCK_TIME.fullmatch(tag):
            hours, minutes, seconds = (float(part) for part in match.groups())
            return hours * 3600 + minutes * 60 + seconds
        if container.duration is not None and len(container.streams) == 1:
            return container.duration / av.time_base
        return None


def _open_container(path: Path) -> InputContainer:
    if not path.exists():
        raise VideoNotFoundError(f"There is no video {path}; check the name and the folder")
    try:
        return av.open(f"file:{path}", options=_OPTIONS)
    except (av.error.FFmpegError, OSError) as error:
        size = path.stat().st_size if path.is_file() else None
        detail = "the file is empty" if size == 0 else f"FFmpeg says: {error.strerror}"
        raise VideoOpenError(f"{path} cannot be read as a video: {detail}") from error
