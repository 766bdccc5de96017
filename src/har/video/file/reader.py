"""Reading video files: the only place that opens them.

A video is decoded once, front to back, with constant memory. Frames that thinning leaves out are
decoded but never converted. Times come from the presentation timestamps (`har.video.file.clock`).
"""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from har.errors import VideoDecodeError
from har.parallel import Closing
from har.sampling.times import is_due
from har.types import TIME_EPS_S, Color, Frame, VideoInfo
from har.video.file.clock import FrameClock
from har.video.file.picture import PictureMaker
from har.video.file.source import VideoSource, read_orientation
from har.video.geometry import Letterbox, Orientation

if TYPE_CHECKING:
    import av
    import numpy as np


Decoded = tuple["av.VideoFrame", float, int]
"""A frame as the decoder has it, its time in seconds, and the number of its segment."""
_SEEK_FROM_S = 5.0
_NAMED_GAPS = 5


def probe_video(path: Path) -> VideoInfo:
    """Return what the container says about its first video stream, without decoding it all.

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
    """Open a video to be read once, frame by frame, in a ``with`` block.

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
        VideoOpenError: The file is empty, unreadable, not a video, coded in a way that nothing here
            can decode, or has pictures over `har.config.MAX_PICTURE_PIXELS`.
        NoVideoStreamError: The file holds no pictures.
    """
    return VideoReader(path, size, color, max_rate_hz, (start_s, end_s), n_threads)


class VideoReader(Closing):
    """An open video; made by `open_video`. Iterate it once, inside its ``with`` block.

    Frames that cannot be decoded are passed over and the rest is still given; when the readable
    end is reached the iteration raises `VideoDecodeError` with the time of the first damage, also
    where the container promised clearly more than there was.

    Frames keep their true times. Where the next one comes much later than frames usually do, that
    is a gap: it ends a segment and begins the next one (`Frame.segment`).

    Attributes:
        info: What the container says.
        notes: What is to be known of what was read, complete after the last frame: where gaps are,
            and a length that is not the container's.
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
        self._path = path
        self._n_threads = n_threads
        self._max_rate_hz = max_rate_hz
        self._start_s, self._end_s = span_s
        self._source = VideoSource(path, n_threads)
        self._frames = self._source.iter_frames()
        self._first = next(self._frames, None)
        self.info = self._source.describe(self._first)
        self.notes: list[str] = []
        orientation = Orientation() if self._first is None else read_orientation(self._first)
        self._is_sideways = orientation.is_sideways
        self._pictures = PictureMaker(size, color, orientation, self._source.pixel_aspect)

    @property
    def damaged_s(self) -> float | None:
        """Time of the first damage met so far, in seconds; None if there is none."""
        return self._source.damaged_s

    @property
    def letterbox(self) -> Letterbox:
        """Where the video is seen in the pictures that are given out; the rest is bars."""
        sides = (self.info.height, self.info.width)
        return self._pictures.find_place(*(sides[::-1] if self._is_sideways else sides))[1]

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        """Return the frames in the order of their times.

        Raises:
            VideoDecodeError: After the last readable frame, if something was damaged.
        """
        return self.make_frames(self.iter_decoded())

    def make_frames(self, decoded: Iterable[Decoded]) -> Iterator[Frame]:
        """Return the frames of what `iter_decoded` gave, which may come from another thread.

        Raises:
            VideoDecodeError: After the last readable frame, if something was damaged.
        """
        index = 0
        for frame, time_s, segment in decoded:
            image = self._make_picture(frame, time_s)
            if image is not None:
                yield Frame(index, time_s, image, segment)
                index += 1
        self._source.check_damage()

    def iter_decoded(self) -> Iterator[Decoded]:
        """Return the frames that are looked at, as the decoder has them.

        What follows, the pictures, can then be made beside the decoding of the next ones.
        """
        clock, frames = self._start()
        end_s = math.inf if self._end_s is None else self._end_s - TIME_EPS_S
        last_s = None
        stamped = ((frame, self._source.read_stamp(frame)) for frame in frames)
        for frame, time_s in clock.iter_times(stamped):
            self._source.now_s = clock.next_s
            if time_s is None or time_s < self._start_s - TIME_EPS_S:
                continue
            if time_s >= end_s:
                break
            if is_due(time_s, last_s, self._max_rate_hz):
                yield frame, time_s, len(clock.gaps)
                last_s = time_s
        else:
            difference = self._source.check_length(clock.next_s)
            self.notes += [difference] if difference and not clock.gaps else []
        self._note_gaps(clock)

    def _make_picture(self, frame: av.VideoFrame, time_s: float) -> np.ndarray | None:
        """Return the picture of a frame; None, with the place noted, where there can be none."""
        try:
            return self._pictures.make_picture(frame)
        except VideoDecodeError as error:
            self._source.note_unusable(str(error), time_s)
            return None

    def _note_gaps(self, clock: FrameClock) -> None:
        end_s = math.inf if self._end_s is None else self._end_s
        gaps = [gap for gap in clock.gaps if gap[1] >= self._start_s and gap[0] < end_s]
        if not gaps:
            return
        named = [f"from {begin_s:.2f} to {end_s:.2f} s" for begin_s, end_s in gaps[:_NAMED_GAPS]]
        more = [f"{len(gaps) - _NAMED_GAPS} more"] if len(gaps) > _NAMED_GAPS else []
        self.notes.append(
            f"there are no frames {', '.join([*named, *more])}: the recorder was away or its clock"
            f" was set; {clock.read_s:.2f} s were read"
        )

    def _start(self) -> tuple[FrameClock, Iterator[av.VideoFrame]]:
        first = self._first
        if first is None:
            return FrameClock(self.info.fps), iter(())
        frames = self._source.check_first(first, self._frames)
        origin_s = self._source.origin_s
        if self._start_s >= _SEEK_FROM_S and origin_s is not None:
            found = self._source.seek(origin_s + self._start_s)
            if found is not None:
                return FrameClock(self.info.fps, origin_s), found
            if self._source.has_sought:
                self._source.close()
                self._source = VideoSource(self._path, self._n_threads)
                return self._start_over()
        return FrameClock(self.info.fps), frames

    def _start_over(self) -> tuple[FrameClock, Iterator[av.VideoFrame]]:
        """Read from the beginning after a seek has failed."""
        frames = self._source.iter_frames()
        first = next(frames, None)
        ahead = iter(()) if first is None else self._source.check_first(first, frames)
        return FrameClock(self.info.fps), ahead


_POLL_S = 0.1
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class _End:
    """What comes after the last frame: why there is none, if that was an error."""

    error: BaseException | None


class _Reader(threading.Thread, Generic[_Item]):
    """Fills a queue until the frames end or it is told to stop; waits while the queue is full."""

    def __init__(self, frames: Iterable[_Item], n_ahead: int) -> None:
        super().__init__(name="reader", daemon=True)
        self._frames = frames
        self._queue: queue.Queue[_Item | _End] = queue.Queue(n_ahead)
        self._is_stopped = threading.Event()

    def run(self) -> None:
        """Read; whatever goes wrong is put into the queue, to be raised where frames are taken."""
        error: BaseException | None = None
        try:
            for frame in self._frames:
                if not self._put(frame):
                    return
        except BaseException as caught:  # noqa: BLE001  a thread's border
            error = caught
        self._put(_End(error))

    def iter_frames(self) -> Iterator[_Item]:
        """Return what is read, in order; then raises what reading raised."""
        while True:
            item = self._queue.get()
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return

    def stop(self) -> None:
        """End the thread; frames that nobody took are dropped."""
        self._is_stopped.set()
        self.join()

    def _put(self, item: _Item | _End) -> bool:
        while not self._is_stopped.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False


@contextmanager
def read_ahead(frames: Iterable[_Item], n_ahead: int) -> Iterator[Iterator[_Item]]:
    """Return the same frames in the same order, decoded beside what is done with them.

    What reading raises is raised where the frame after the last one would have come. At the end of
    the ``with`` block, however it ends, reading stops and its thread is gone.

    Args:
        frames: Such as an open `VideoReader`, or what it decodes; used by the thread alone
            meanwhile.
        n_ahead: Frames that may wait; reading pauses while there are as many.
    """
    reader = _Reader(frames, n_ahead)
    reader.start()
    try:
        yield reader.iter_frames()
    finally:
        reader.stop()
