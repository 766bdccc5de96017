"""Reads frames in a thread of its own, a little ahead of who takes them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from har.types import Frame

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
        """Reads; whatever goes wrong is put into the queue, to be raised where frames are taken."""
        error: BaseException | None = None
        try:
            for frame in self._frames:
                if not self._put(frame):
                    return
        except BaseException as caught:  # noqa: BLE001  a thread's border
            error = caught
        self._put(_End(error))

    def iter_frames(self) -> Iterator[Frame]:
        """Gives what is read, in order; then raises what reading raised."""
        while True:
            item = self._queue.get()
            if isinstance(item, Frame):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return

    def stop(self) -> None:
        """Ends the thread; frames that nobody took are dropped."""
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
    """Gives the same frames in the same order, decoded beside what is done with them.

    What reading raises is raised where the frame after the last one would have come. At the end of
    the ``with`` block, however it ends, reading stops and its thread is gone.

    Args:
        frames: Such as an open `har.video.reader.VideoReader`; used by the thread alone meanwhile.
        n_ahead: Frames that may wait; reading pauses while there are as many.
    """
    reader = _Reader(frames, n_ahead)
    reader.start()
    try:
        yield reader.iter_frames()
    finally:
        reader.stop()
