"""FFmpeg's demuxer and decoder for one file: the border where PyAV's errors are translated."""

from __future__ import annotations

import itertools
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
from av.container import InputContainer
from av.stream import Disposition

from har.errors import (
    NoVideoStreamError,
    VideoDecodeError,
    VideoError,
    VideoNotFoundError,
    VideoOpenError,
)
from har.types import VideoInfo

_SEEK_EARLY_S = 1.0
_MISSING_S = 0.25
_MISSING_PART = 0.05
_MIN_FPS, _MAX_FPS = 0.01, 1000
_CLOCK_TIME = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")
_OPTIONS = {"protocol_whitelist": "file"}  # a playlist must not fetch anything from a network


@dataclass(frozen=True)
class _Damage:
    """Where the reader was when it met damage, and the damaged packet's timestamp if it has one."""

    met_s: float
    stamp_s: float | None


class VideoSource:
    """FFmpeg's demuxer and decoder for one file, with its errors translated.

    Attributes:
        now_s: Where the reader is; names the place of damage that has no timestamp of its own.
        origin_s: Timestamp of the video's first frame, or None before it or without one.
    """

    def __init__(self, path: Path, n_threads: int) -> None:
        self.now_s = 0.0
        self.origin_s: float | None = None
        self._damage: _Damage | None = None
        self._path = path
        self._n_decoded = 0
        self._has_sought = False
        self._container = open_container(path)
        self._stream = find_stream(self._container, path)
        self._tick_s = float(self._stream.time_base) if self._stream.time_base else None
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = n_threads

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def read_stamp(self, item: av.VideoFrame | av.Packet) -> float | None:
        """Return the presentation timestamp in seconds, or the decoding one, or None."""
        stamp = item.dts if item.pts is None else item.pts
        return None if stamp is None or self._tick_s is None else stamp * self._tick_s

    def iter_frames(self) -> Iterator[av.VideoFrame]:
        """Return all frames that can be decoded from here on; damage is noted, not raised."""
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
        """Return the frames from a point not after ``stamp_s``, or None where that failed."""
        if self._tick_s is None:
            return None
        try:
            self._container.seek(int((stamp_s - _SEEK_EARLY_S) / self._tick_s), stream=self._stream)
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
    def damaged_s(self) -> float | None:
        """Where the first damage was met, in seconds from the first frame, or None."""
        if self._damage is None:
            return None
        if self._damage.stamp_s is None or self.origin_s is None:
            return self._damage.met_s
        return max(self._damage.stamp_s - self.origin_s, 0.0)

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height; 1 where absent or absurd."""
        return read_pixel_aspect(self._stream)

    def describe(self, first: av.VideoFrame | None) -> VideoInfo:
        """Return what the container says; the first frame carries the rotation."""
        rotation_deg = 0 if first is None else read_rotation_deg(first)
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
        """Note damage where the file ended clearly before what its container promises."""
        duration_s, n_promised = self._read_duration(), self._stream.frames
        missing_s = 0.0 if duration_s is None else duration_s - end_s
        is_short = missing_s > max(_MISSING_S, _MISSING_PART * (duration_s or 0.0))
        if is_short and n_promised and not self._has_sought:
            is_short = self._n_decoded < (1 - _MISSING_PART) * n_promised
        if is_short:
            self._note_damage(None)

    def check_damage(self) -> None:
        """Raise what was noted.

        Raises:
            VideoDecodeError: Some part could not be decoded.
        """
        if self.damaged_s is not None:
            raise VideoDecodeError(
                f"{self._path} is damaged or cut off at {self.damaged_s:.2f} s; the frames that"
                " can be decoded were given; repair or replace the file"
            )

    def _note_damage(self, packet: av.Packet | None) -> None:
        if self._damage is None:
            stamp_s = None if packet is None else self.read_stamp(packet)
            self._damage = _Damage(self.now_s, stamp_s)

    def _read_duration(self) -> float | None:
        stream, container = self._stream, self._container
        if stream.duration is not None and self._tick_s is not None:
            return stream.duration * self._tick_s
        tag = stream.metadata.get("DURATION", "")
        if match := _CLOCK_TIME.fullmatch(tag):
            hours, minutes, seconds = (float(part) for part in match.groups())
            return hours * 3600 + minutes * 60 + seconds
        if container.duration is not None and len(container.streams) == 1:
            return container.duration / av.time_base
        return None


def open_container(path: Path) -> InputContainer:
    """Open a file and nothing else.

    Raises:
        VideoNotFoundError: There is no such file.
        VideoOpenError: It is empty, unreadable or not a video.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise VideoOpenError(f"{path} is a folder or device; give a video file")
        if found.st_size == 0:
            raise VideoOpenError(f"{path} cannot be read as a video: the file is empty")
        return av.open(f"file:{path}", options=_OPTIONS)
    except VideoError:
        raise
    except FileNotFoundError as error:
        raise VideoNotFoundError(
            f"There is no video {path}; check the name and the folder"
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        raise VideoOpenError(
            f"{path} cannot be read as a video; FFmpeg says: {error.strerror}"
        ) from error


def find_stream(container: InputContainer, name: Path | str) -> av.VideoStream:
    """Return the first stream of moving pictures.

    Args:
        container: Is closed where there is none.
        name: What messages call it.

    Raises:
        NoVideoStreamError: There is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:  # the cover of a song
            return stream
    container.close()
    raise NoVideoStreamError(
        f"{name} holds no moving pictures, only sound or data; give a file with video"
    )


def read_pixel_aspect(stream: av.VideoStream) -> float:
    """Return the width of a stream's pixels over their height; 1 where absent or absurd."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 0.25 <= aspect <= 4.0 else 1.0


def read_rotation_deg(frame: av.VideoFrame) -> int:
    """Return the clockwise turn, 0, 90, 180 or 270, that a frame is to be shown with."""
    return round(-frame.rotation / 90) % 4 * 90
