"""What live pictures are: values that every kind of camera shares.

Everything reads its camera for as long as it is there and none connects anew: that is up to who
reads (`har.live.feed`).

    har.video.camera.packets    streams of a network, files played at their own speed
    har.video.camera.webcam     webcams
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from har.config import WatchConfig
from har.sampling.times import is_due
from har.types import Frame, PictureSpec
from har.video.camera.timeline import Placed, Timeline, TimelineSegment
from har.video.file.picture import PictureMaker
from har.video.file.source import read_orientation

if TYPE_CHECKING:
    import av


@dataclass
class Summary:
    """What has come from a camera so far, over all its connections.

    Attributes:
        n_frames: Frames that were decoded.
        n_damaged: Packets, and reads, that gave nothing but an error.
        n_skipped: Packets that were not decoded because the machine did not keep up.
        notes: What happened, oldest first; whoever tells it takes it away.
    """

    n_frames: int = 0
    n_damaged: int = 0
    n_skipped: int = 0
    notes: deque[str] = field(default_factory=deque)


@dataclass(frozen=True)
class LiveSetup:
    """How a camera is read; the same for all its connections.

    Attributes:
        name: What messages call it, and the tap.
        pictures: Their size, color and highest rate.
        config: When it counts as gone.
        tap: Listens to packets or, of a webcam, pictures.
        timeline: Is told of all packets.
        summary: Counts.
        stop: Once it is set, reading ends soon.
    """

    name: str
    pictures: PictureSpec
    config: WatchConfig
    tap: PacketTap | None = None
    timeline: Timeline = field(default_factory=lambda: Timeline(WatchConfig.jump_s))
    summary: Summary = field(default_factory=Summary)
    stop: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class LiveFrame:
    """One picture.

    Attributes:
        segment: The part of the timeline it is in; where it changes, time steps begin anew.
        begun_s: Place on the timeline of the segment's first frame.
        time_s: Seconds since the segment's first frame.
        arrived_s: When its packet came, on the monotonic clock.
        image: uint8 of the setup's size and color.
    """

    segment: TimelineSegment
    begun_s: float
    time_s: float
    arrived_s: float
    image: np.ndarray


class LiveSource(Protocol):
    """An open camera; iterate it once, inside its ``with`` block."""

    def __enter__(self) -> LiveSource: ...

    def __exit__(self, *_: object) -> None: ...

    def __iter__(self) -> Iterator[LiveFrame]:
        """Return frames in the order of their times until the camera ends or is told to stop.

        Raises:
            CameraError: It has stopped sending.
        """
        ...


class SegmentPictures:
    """Frames to pictures whose times ascend within their segment; others are left out."""

    def __init__(self, setup: LiveSetup) -> None:
        self._pictures = setup.pictures
        self._maker: PictureMaker | None = None
        self._segment: TimelineSegment | None = None
        self._first_stamp_s = 0.0
        self._last_s: float | None = None

    def make(
        self, frame: av.VideoFrame, placed: Placed, stamp_s: float, aspect: float
    ) -> LiveFrame | None:
        """Return the picture of the next decoded frame, None where it is left out.

        Args:
            frame: As it was decoded.
            placed: Where its packet is.
            stamp_s: When it is shown, by the camera's clock.
            aspect: Width of its pixels over their height.
        """
        segment = placed.segment
        if self._segment is None or segment.number > self._segment.number:
            self._segment, self._first_stamp_s, self._last_s = segment, stamp_s, None
        time_s = stamp_s - self._first_stamp_s
        is_past = self._last_s is not None and time_s <= self._last_s
        if segment is not self._segment or is_past:
            return None
        if not is_due(time_s, self._last_s, self._pictures.max_rate_hz):
            return None
        if self._maker is None:
            pictures, orientation = self._pictures, read_orientation(frame)
            self._maker = PictureMaker(pictures.size, pictures.color, orientation, aspect)
        self._last_s = time_s
        begun_s = self._first_stamp_s + segment.offset_s
        image = self._maker.make_picture(frame)
        return LiveFrame(segment, begun_s, time_s, placed.arrived_s, image)


class PacketTap(Protocol):
    """Gets everything that cameras send; called from the cameras' threads, one thread a camera.

    ``time_s`` is on the camera's timeline, as the onsets of its events are: seconds since its first
    frame, which never goes back, also after the camera was lost and found again.
    """

    def open(self, camera: str, stream: av.VideoStream) -> None:
        """A camera that sends packets is there, again after each reconnection or change of size.

        Args:
            camera: Its name.
            stream: Tells how its packets are coded; may be read until the next call for the camera
                and not after the camera was lost.
        """
        ...

    def push(self, camera: str, packet: av.Packet, time_s: float) -> None:
        """The next packet that has a time, in the order of decoding; may be kept for ever."""
        ...

    def push_frame(self, camera: str, frame: Frame) -> None:
        """The next picture of a webcam, RGB in its own size, which sends no packets."""
        ...
