"""Reading video files: the only place that opens them.

A video is decoded once, front to back, with constant memory. Frames that thinning leaves out are
decoded but never converted. Times come from the presentation timestamps (`har.video.file.clock`).
"""

from __future__ import annotations

import itertools
import math
import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from har.parallel import Closing
from har.sampling.times import is_due
from har.types import TIME_EPS_S, Color, Frame, VideoInfo
from har.video.file.clock import FrameClock
from har.video.file.picture import PictureMaker
from har.video.file.source import VideoSource
from har.video.geometry import Letterbox

if TYPE_CHECKING:
    import av


_SEEK_FROM_S = 5.0


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
        VideoOpenError: The file is empty, unreadable or not a video.
        NoVideoStreamError: The file holds no pictures.
    """
    return VideoReader(path, size, color, max_rate_hz, (start_s, end_s), n_threads)


class VideoReader(Closing):
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
        self._path = path
        self._n_threads = n_threads
        self._max_rate_hz = max_rate_hz
        self._start_s, self._end_s = span_s
        self._source = VideoSource(path, n_threads)
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

    @property
    def letterbox(self) -> Letterbox:
        """Where the video is seen in the pictures that are given out; the rest is bars."""
        sides = (self.info.height, self.info.width)
        is_sideways = self.info.rotation_deg in (90, 270)
        return self._pictures.find_place(*(sides[::-1] if is_sideways else sides))[1]

    def close(self) -> None:
        """Close the file."""
        self._source.close()

    def __iter__(self) -> Iterator[Frame]:
        """Return the frames in the order of their times.

        Raises:
            VideoDecodeError: After the last readable frame, if something was damaged.
        """
        clock, frames = self._start()
        end_s = math.inf if self._end_s is None else self._end_s - TIME_EPS_S
        last_s, index = None, 0
        for frame in frames:
            time_s = clock.read_time(self._source.read_stamp(frame))
            self._source.now_s = clock.next_s
            if time_s is None or time_s < self._start_s - TIME_EPS_S:
                continue
            if time_s >= end_s:
                break
            if is_due(time_s, last_s, self._max_rate_hz):
                yield Frame(index, time_s, self._pictures.make_picture(frame))
                last_s, index = time_s, index + 1
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
            self._source.close()
            self._source = VideoSource(self._path, self._n_threads)
            return FrameClock(self.info.fps), self._source.iter_frames()
        return FrameClock(self.info.fps), itertools.chain([first], frames)


_POLL_S = 0.1


@dataclass(frozen=True)
class _End:
    """What comes after the last frame: why there is none, if that was an error."""

    error: BaseException | None


class _Reader(threading.Thread):
    """Fills a queue until the frames end or it is told to stop; waits while the queue is full."""

    def __init__(self, frames: Iterable[Frame], n_ahead: int) -> None:
        super().__init__(name="reader", daemon=True)
        self._frames = frames
        self._queue: queue.Queue[Frame | _End] = queue.Queue(n_ahead)
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

    def iter_frames(self) -> Iterator[Frame]:
        """Return what is read, in order; then raises what reading raised."""
        while True:
            item = self._queue.get()
            if isinstance(item, Frame):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return

    def stop(self) -> None:
        """End the thread; frames that nobody took are dropped."""
        self._is_stopped.set()
        self.join()

    def _put(self, item: Frame | _End) -> bool:
        while not self._is_stopped.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return True
        return False


@contextmanager
def read_ahead(frames: Iterable[Frame], n_ahead: int) -> Iterator[Iterator[Frame]]:
    """Return the same frames in the same order, decoded beside what is done with them.

    What reading raises is raised where the frame after the last one would have come. At the end of
    the ``with`` block, however it ends, reading stops and its thread is gone.

    Args:
        frames: Such as an open `VideoReader`; used by the thread alone meanwhile.
        n_ahead: Frames that may wait; reading pauses while there are as many.
    """
    reader = _Reader(frames, n_ahead)
    reader.start()
    try:
        yield reader.iter_frames()
    finally:
        reader.stop()
