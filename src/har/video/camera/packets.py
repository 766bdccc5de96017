"""Cameras that send packets: streams of a network, and files played at their own speed.

The only place that opens streams of a network.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import av
import av.error
from av.codec.context import Flags
from av.container import InputContainer
from av.format import Flags as FormatFlags

from har.errors import CameraError, VideoDecodeError
from har.files import show_path
from har.parallel import Closing
from har.video.camera.frames import LiveFrame, LiveSetup, SegmentPictures
from har.video.camera.timeline import Placed
from har.video.file.clock import DEFAULT_FPS, StampRule
from har.video.file.opening import ODD_METADATA, build_options, find_stream, open_container
from har.video.file.source import read_pixel_aspect

_MAX_BROKEN_READS = 100
"""Damaged reads in a row after which a stream is given up."""

_LONGEST_WAIT_S = 60.0
"""A file whose frames are further apart is not played at its own speed, but at once."""

_HTTP = "http,https,httpproxy,crypto,tcp,tls"
_RTSP = "rtsp,rtsps,rtp,srtp,udp,tcp,tls"
_PROTOCOLS = {
    "http": _HTTP,
    "https": _HTTP,
    "rtsp": _RTSP,
    "rtsps": _RTSP,
    "rtp": "rtp,srtp,udp",
    "udp": "udp",
    "tcp": "tcp",
    "srt": "srt",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmps,tls,tcp",
}
"""By the address's own: what it names may be opened by no other, least of all files from here."""


def open_stream(url: str, setup: LiveSetup) -> PacketSource:
    """Open a stream of a network, such as ``rtsp://``; one that has a length is played as a file.

    Raises:
        CameraError: It cannot be reached, or sends no pictures. No message holds the address, in
            which there may be a password.
    """
    scheme = url.partition(":")[0].lower()
    options = build_options(_PROTOCOLS.get(scheme, scheme)) | {"analyzeduration": "1000000"}
    if url.startswith("rtsp"):
        options |= {"rtsp_transport": "tcp", "allowed_media_types": "video"}
    timeout = (setup.config.connect_s, setup.config.lost_s)
    try:
        container = av.open(url, options=options, timeout=timeout, **ODD_METADATA)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise CameraError(
            f"{setup.name} cannot be reached: {reason}; check its address, user and "
            "password, and that it is switched on"
        ) from None  # FFmpeg's error holds the address
    is_paced = container.duration is not None and url.startswith("http")
    pace = _Pace(1.0, setup.config.jump_s) if is_paced else None
    return PacketSource(container, setup, pace)


def open_played(path: Path, setup: LiveSetup, speed: float = 1.0) -> PacketSource:
    """Open a file that is then read as if a camera filmed it.

    Args:
        path: A file of any format that FFmpeg reads.
        setup: How it is read.
        speed: Seconds of the video in a second.

    Raises:
        VideoError: The file cannot be opened, or holds no pictures.
    """
    pace = _Pace(speed, setup.config.jump_s)
    return PacketSource(open_container(path), setup, pace, path)


class PacketSource(Closing):
    """A camera that sends packets, each decoded by one thread: the caller's.

    What cannot be decoded is counted and passed over. Where decoding does not keep up, packets are
    passed over up to a key frame that is in time.
    """

    def __init__(
        self,
        container: InputContainer,
        setup: LiveSetup,
        pace: _Pace | None,
        path: Path | None = None,
    ) -> None:
        """Take over an open container.

        Args:
            container: Is closed at the end of the ``with`` block.
            setup: How it is read.
            pace: Holds packets back to their time; None where they come at theirs.
            path: Of the file, where it is one.

        Raises:
            NoVideoStreamError: It sends no pictures.
            VideoOpenError: It sends pictures that cannot be decoded or are too large.
        """
        self._container, self._setup, self._pace = container, setup, pace
        self._stream = find_stream(container, setup.name if path is None else show_path(path), path)
        self._stream.thread_type = "NONE"
        self._stream.codec_context.flags |= Flags.copy_opaque
        self._tick_s = float(self._stream.time_base or 0)
        has_none = bool(
            container.format.flags & FormatFlags.no_timestamps.value
        )  # FFmpeg makes them up
        self._has_times = not has_none and self._tick_s > 0
        is_decoded_order = container.format.name == "avi"
        self._stamps = StampRule(self._tick_s if self._has_times else None, is_decoded_order)
        self._shown_s: deque[float] = deque(maxlen=2)
        self._packets = container.demux(self._stream)
        self._pictures = SegmentPictures(setup)
        self._size: tuple[int, int] | None = None
        self._is_behind = False
        setup.timeline.restart()
        if setup.tap is not None:
            setup.tap.open(setup.name, self._stream)

    def close(self) -> None:
        """Close the connection."""
        self._container.close()

    def __iter__(self) -> Iterator[LiveFrame]:
        """As of `LiveSource`."""
        shown_s = time.monotonic()
        for packet in self._iter_packets():
            frames = self._decode(packet)
            self._setup.summary.n_frames += len(frames)
            for frame in frames:
                self._check_size(frame)
                if (made := self._make(frame)) is not None:
                    yield made
                    shown_s = time.monotonic()
            self._check_shown(time.monotonic() - shown_s)

    def _check_shown(self, blind_s: float) -> None:
        """Return up a camera whose packets make no new picture: garbage, or times that stand still.

        Raises:
            CameraError: It has sent none for too long.
        """
        if self._pace is None and blind_s > self._setup.config.lost_s:
            raise CameraError(
                f"{self._setup.name} sends packets, but has shown nothing new for {blind_s:.1f} s"
            )

    def _iter_packets(self) -> Iterator[av.Packet | None]:
        """Return packets to be decoded, with their place as ``opaque``; None at the end."""
        setup = self._setup
        while (read := self._read()) is not None:
            packet, waited_s = read
            shown_s, sent_s = self._read_stamps(packet)
            if self._pace is not None:
                waited_s += self._pace.wait(sent_s, setup.stop)
            if setup.stop.is_set():
                return
            if self._has_times and shown_s is None:
                yield packet  # what it shows has no time, but others need it to be decoded
                continue
            placed = setup.timeline.place(shown_s, time.monotonic(), waited_s, sent_s)
            if setup.tap is not None:
                setup.tap.push(setup.name, packet, placed.time_s)
            if self._is_in_time(packet, placed):
                packet.opaque = placed
                yield packet
        yield None

    def _read(self) -> tuple[av.Packet, float] | None:
        """Return the next packet and how long it was waited for, None at the end.

        Raises:
            CameraError: The camera has stopped sending, or sends nothing but garbage.
        """
        for _ in range(_MAX_BROKEN_READS):
            begun_s = time.monotonic()
            try:
                packet = next(self._packets, None)
            except IndexError:  # of PyAV, at the end, where a stream had begun after the opening
                return None
            except av.error.InvalidDataError:
                self._setup.summary.n_damaged += 1
                self._packets = self._container.demux(self._stream)
                continue
            except av.error.FFmpegError as error:
                raise CameraError(self._explain(error)) from None
            if packet is None or packet.size == 0:
                return None
            return packet, time.monotonic() - begun_s
        raise CameraError(f"{self._setup.name} sends nothing that can be read")

    def _explain(self, error: av.error.FFmpegError) -> str:
        if isinstance(error, av.error.ExitError | av.error.TimeoutError):
            return f"{self._setup.name} sent nothing for {self._setup.config.lost_s:g} s"
        return f"{self._setup.name} stopped sending: {error.strerror}"

    def _read_stamps(self, packet: av.Packet) -> tuple[float | None, float | None]:
        """Return when a packet is shown and when it is decoded, by the camera's clock."""
        if not self._has_times:
            return None, None
        shown = packet.dts if packet.pts is None else packet.pts
        sent = packet.pts if packet.dts is None else packet.dts
        return (
            None if shown is None else shown * self._tick_s,
            None if sent is None else sent * self._tick_s,
        )

    def _is_in_time(self, packet: av.Packet, placed: Placed) -> bool:
        """Tell whether a packet is to be decoded; one that is late waits for a key frame."""
        is_late = placed.late_s > self._setup.config.max_late_s
        if is_late or (self._is_behind and not packet.is_keyframe):
            self._is_behind = True
            self._setup.summary.n_skipped += 1
            return False
        self._is_behind = False
        return True

    def _decode(self, packet: av.Packet | None) -> list[av.VideoFrame]:
        try:
            return self._stream.decode(packet)
        except av.error.EOFError:
            return []
        except av.error.FFmpegError:
            self._setup.summary.n_damaged += 1
            return []

    def _check_size(self, frame: av.VideoFrame) -> None:
        size = (frame.height, frame.width)
        if self._size is not None and size != self._size:
            self._setup.summary.notes.append(
                f"the picture is {size[1]}x{size[0]} now, was {self._size[1]}x{self._size[0]}"
            )
            if self._setup.tap is not None:
                self._setup.tap.open(self._setup.name, self._stream)
        self._size = size

    def _read_shown(self, frame: av.VideoFrame, placed: Placed) -> float:
        """Return when a frame is shown, by the camera's clock."""
        shown_s = self._stamps.read(frame)
        if shown_s is None and self._has_times and len(self._shown_s) == 2:
            shown_s = 2 * self._shown_s[1] - self._shown_s[0]
        if shown_s is None:
            shown_s = placed.time_s - placed.segment.offset_s
        self._shown_s.append(shown_s)
        return shown_s

    def _make(self, frame: av.VideoFrame) -> LiveFrame | None:
        placed = frame.opaque
        if not isinstance(placed, Placed):
            return None
        stamp_s = self._read_shown(frame, placed)
        try:
            return self._pictures.make(frame, placed, stamp_s, read_pixel_aspect(self._stream))
        except VideoDecodeError:
            self._setup.summary.n_damaged += 1
            return None


class _Pace:
    """Holds packets back until it is their time, but not over a gap in the recording."""

    def __init__(self, speed: float, jump_s: float) -> None:
        self._speed, self._jump_s = speed, jump_s
        self._start: tuple[float, float] | None = None
        self._last_s = self._usual_s = 0.0

    def wait(self, stamp_s: float | None, stop: threading.Event) -> float:
        """Wait and return for how long; a packet without a time comes a frame after the last."""
        now_s = time.monotonic()
        stamp_s = self._last_s + 1 / DEFAULT_FPS if stamp_s is None else stamp_s
        step_s = stamp_s - self._last_s
        usual_s = min(2 * self._usual_s, _LONGEST_WAIT_S)
        if self._start is None or step_s < 0 or step_s > max(self._jump_s, usual_s):
            self._start = (now_s, stamp_s)
        self._last_s, self._usual_s = stamp_s, max(step_s, 0.0)
        due_s = self._start[0] + (stamp_s - self._start[1]) / self._speed
        if due_s > now_s:
            stop.wait(due_s - now_s)
        return time.monotonic() - now_s
