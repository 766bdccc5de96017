"""FFmpeg's demuxer and decoder for one file: the border where PyAV's errors are translated."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from har.errors import VideoDecodeError, VideoOpenError
from har.files import show_path
from har.types import VideoInfo
from har.video.file.clock import StampRule
from har.video.file.opening import explain_limit, find_stream, open_container
from har.video.geometry import Orientation, find_orientation

_SEEK_EARLY_S = 1.0
_MISSING_S = 0.25
_MISSING_PART = 0.05
_DIFFERENT_S = 1.0
_MIN_FPS, _MAX_FPS = 0.01, 1000
_FAR_FROM_AVERAGE = 3.0
_N_AHEAD = 8
"""Frames that show whether stamps are out of order: as many as lie between two P frames."""
_JOINT_PACKETS = 2
"""FFmpeg marks a packet that is up to so many before the one at which recordings are joined."""
_CLOCK_TIME = re.compile(r"(\d+):(\d+):(\d+(?:\.\d+)?)")


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
        has_sought: Whether a seek was tried.
    """

    def __init__(self, path: Path, n_threads: int) -> None:
        self.now_s = 0.0
        self.origin_s: float | None = None
        self._damage: _Damage | None = None
        self._path = path
        self._suspect: av.Packet | None = None
        self._n_behind = 0
        self._last_dts: int | None = None
        self._n_decoded = 0
        self._why = ""
        self.has_sought = False
        self._container = open_container(path)
        self._stream = find_stream(self._container, show_path(path), path)
        self._tick_s = float(self._stream.time_base) if self._stream.time_base else None
        self._stamps = StampRule(self._tick_s, self._container.format.name == "avi")
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = n_threads

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def read_stamp(self, frame: av.VideoFrame) -> float | None:
        """Return when the next frame is shown, in seconds of the stream's clock, or None."""
        return self._stamps.read(frame)

    def check_first(
        self, first: av.VideoFrame, frames: Iterator[av.VideoFrame]
    ) -> Iterator[av.VideoFrame]:
        """Return the same frames, once it is known which of their stamps are right."""
        ahead = [first]
        if self._stream.codec_context.has_b_frames:
            ahead += itertools.islice(frames, _N_AHEAD - 1)
            self._stamps.check_first(ahead)
            self.origin_s = self._stamps.peek(first)
        return itertools.chain(ahead, frames)

    def iter_frames(self) -> Iterator[av.VideoFrame]:
        """Return all frames that can be decoded from here on; damage is noted, not raised."""
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except IndexError:  # of PyAV, at the end, where a stream had begun after the opening
                packets = self._container.demux(self._stream)
                continue
            except (av.error.FFmpegError, OSError):
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
        except av.error.FFmpegError as error:
            self._note_damage(packet)
            if isinstance(error, av.error.ArgumentError) and self._n_decoded == 0:
                self._check_size(error)
            return []
        self._note_corruption(packet)
        if self._n_decoded == 0 and frames:
            self.origin_s = self._stamps.peek(frames[0])
        self._n_decoded += len(frames)
        return frames

    def _check_size(self, error: av.error.FFmpegError) -> None:
        """Raise where FFmpeg does not even know a size: it refuses those over the limit."""
        if not self._stream.codec_context.width:
            raise VideoOpenError(
                f"{show_path(self._path)} has pictures of a size that cannot be right, or"
                f" {explain_limit()}"
            ) from error

    def _note_corruption(self, packet: av.Packet | None) -> None:
        """Note a packet that is marked as broken, unless recordings are joined right behind it.

        There the counters of an MPEG stream do not follow each other, and that is no damage.
        """
        dts = None if packet is None else packet.dts
        if self._suspect is not None:
            self._n_behind += 1
            if dts is not None and self._last_dts is not None and dts < self._last_dts:
                self._suspect = None
            elif packet is None or self._n_behind > _JOINT_PACKETS:
                self._note_damage(self._suspect)
                self._suspect = None
        self._last_dts = dts
        if packet is not None and packet.is_corrupt and self._suspect is None:
            self._suspect, self._n_behind = packet, 0

    def seek(self, stamp_s: float) -> Iterator[av.VideoFrame] | None:
        """Return the frames from a point not after ``stamp_s``, or None where that failed.

        It is not tried where a stamp can occur twice, as in recordings that were joined.
        """
        if self._tick_s is None or not self._has_unique_stamps():
            return None
        try:
            self._container.seek(int((stamp_s - _SEEK_EARLY_S) / self._tick_s), stream=self._stream)
        except av.error.FFmpegError:
            return None
        self.has_sought = True
        self._stamps.restart()
        frames = self.iter_frames()
        first = next(frames, None)
        found_s = None if first is None else self._stamps.peek(first)
        if first is None or found_s is None or found_s > stamp_s:
            return None
        return itertools.chain([first], frames)

    def _has_unique_stamps(self) -> bool:
        name = self._container.format.name
        if name == "avi":  # it counts its frames
            return True
        if "mp4" in name:  # a file in fragments may be joined of several
            return self._stream.frames > 0
        if "matroska" not in name:
            return False
        places = [entry.pos for entry in self._stream.index_entries]
        return places == sorted(places)

    @property
    def damaged_s(self) -> float | None:
        """Where the first damage was met, in seconds from the first frame, or None."""
        if self._damage is None:
            return None
        met_s, stamp_s = self._damage.met_s, self._damage.stamp_s
        if stamp_s is None or self.origin_s is None:
            return met_s
        place_s = max(stamp_s - self.origin_s, 0.0)
        return met_s if place_s < met_s - _SEEK_EARLY_S else place_s  # the clock has restarted

    @property
    def pixel_aspect(self) -> float:
        """Width of a pixel over its height; 1 where absent or absurd."""
        return read_pixel_aspect(self._stream)

    def describe(self, first: av.VideoFrame | None) -> VideoInfo:
        """Return what the container says; the first frame carries the orientation."""
        orientation = Orientation() if first is None else read_orientation(first)
        context = self._stream.codec_context
        width, height = (first or context).width, (first or context).height
        if orientation.is_sideways:
            width, height = height, width
        return VideoInfo(
            path=self._path,
            width=width,
            height=height,
            fps=self._read_rate(),
            duration_s=self._read_duration(),
            n_frames=self._stream.frames or None,
            rotation_deg=orientation.rotation_deg,
            codec=context.name,
            is_mirrored=orientation.is_mirrored,
        )

    def _read_rate(self) -> float | None:
        """Return the nominal rate: not the mean where a gap makes it far too low."""
        rates = [
            float(rate or 0) for rate in (self._stream.average_rate, self._stream.guessed_rate)
        ]
        average, guessed = (rate if _MIN_FPS <= rate <= _MAX_FPS else None for rate in rates)
        if average is None or average >= 1:
            return average or guessed
        return guessed if guessed and guessed > _FAR_FROM_AVERAGE * average else average

    def check_length(self, end_s: float) -> str:
        """Note damage where the file ended clearly before what its container promises.

        Returns:
            What is to be known where the two differ and nothing is damaged.
        """
        duration_s, n_promised = self._read_duration(), self._stream.frames
        if duration_s is None:
            return ""
        tolerated_s = max(_MISSING_S, _MISSING_PART * duration_s)
        is_short = duration_s - end_s > tolerated_s
        has_all = n_promised and self._n_decoded >= (1 - _MISSING_PART) * n_promised
        if is_short and (self.has_sought or not has_all):
            self._note_damage(None)
        elif abs(duration_s - end_s) > max(tolerated_s, _DIFFERENT_S):
            return (
                f"the container gives a length of {duration_s:.2f} s, its frames last {end_s:.2f}"
                " s, which is what counts"
            )
        return ""

    def check_damage(self) -> None:
        """Raise what was noted.

        Raises:
            VideoDecodeError: Some part could not be decoded.
        """
        if self.damaged_s is not None:
            raise VideoDecodeError(
                f"{show_path(self._path)} is damaged or cut off at {self.damaged_s:.2f} s"
                f"{self._why}; the frames that can be decoded were given; repair or replace it"
            )

    def note_unusable(self, why: str, time_s: float) -> None:
        """Note the time of a decoded frame that cannot be made a picture of."""
        if self._damage is None:
            self._damage = _Damage(time_s, None)
        self._why = self._why or f": {why}"

    def _note_damage(self, packet: av.Packet | None) -> None:
        if self._damage is None:
            stamp_s = None if packet is None else self._read_packet_stamp(packet)
            self._damage = _Damage(self.now_s, stamp_s)

    def _read_packet_stamp(self, packet: av.Packet) -> float | None:
        stamp = packet.dts if packet.pts is None else packet.pts
        return None if stamp is None or self._tick_s is None else stamp * self._tick_s

    def _read_duration(self) -> float | None:
        stream, container = self._stream, self._container
        if stream.duration is not None and self._tick_s is not None:
            return stream.duration * self._tick_s
        tag = stream.metadata.get("DURATION", "")
        if match := _CLOCK_TIME.fullmatch(tag):
            hours, minutes, seconds = (float(part) for part in match.groups())
            return self._read_end(hours * 3600 + minutes * 60 + seconds)
        if container.duration is not None and len(container.streams) == 1:
            return self._read_end(container.duration / av.time_base)
        return None

    def _read_end(self, end_s: float) -> float:
        """Return a length where a container gives, as Matroska does, the stamp of the end."""
        has_ends = self._container.format.name.startswith(("matroska", "flv"))
        origin_s = self.origin_s if has_ends else None
        return end_s - origin_s if origin_s is not None and 0 < origin_s < end_s else end_s


def read_pixel_aspect(stream: av.VideoStream) -> float:
    """Return the width of a stream's pixels over their height; 1 where absent or absurd."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 0.25 <= aspect <= 4.0 else 1.0


def read_orientation(frame: av.VideoFrame) -> Orientation:
    """Return how a frame is to be turned and mirrored, by its display matrix."""
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None:
        return Orientation()
    a, b, _, c, d = np.frombuffer(data, np.int32)[:5].tolist()  # type: ignore[call-overload]
    return find_orientation(a, b, c, d)
