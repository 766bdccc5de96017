"""Frame times from presentation timestamps that may be absent, wrong, repeated or restarted."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from statistics import median_low
from typing import Protocol, TypeVar

from har.config import GAP_S, LONGEST_INTERVAL_S, RARE_TIMES

DEFAULT_FPS = 25.0
"""Assumed where neither the frames nor the container say anything about time."""

_RESTART_S = 1.0
_N_INTERVALS = 5

Item = TypeVar("Item")


class Stamped(Protocol):
    """What has timestamps: a decoded frame."""

    @property
    def pts(self) -> int | None:
        """When it is shown, in ticks."""
        ...

    @property
    def dts(self) -> int | None:
        """When the packet that gave it was decoded, in ticks."""
        ...


class StampRule:
    """Reads when frames are shown, by that one of their two stamps that is less often wrong.

    A stamp is wrong where it is not later than the one of the frame before. Some files give the
    times of decoding as those of showing; then the other one, which only comes a little late, is
    right.

    Source: FFmpeg's best effort timestamp, libavcodec/decode.c, ``guess_correct_pts``.
    """

    def __init__(self, tick_s: float | None, is_decoded_order: bool = False) -> None:
        """Start before the first frame.

        Args:
            tick_s: Seconds of a tick; None where the stream has no times.
            is_decoded_order: The container knows no times of showing, as AVI.
        """
        self._tick_s = tick_s
        self._n_wrong = [1 if is_decoded_order else 0, 0]
        self._last: list[int | None] = [None, None]

    def check_first(self, frames: Sequence[Stamped]) -> None:
        """Judge the stamps of the first frames, so that none of them is read wrongly."""
        for frame in frames:
            self._judge(frame)
        self.restart()

    def restart(self) -> None:
        """Forget the frame before: the next one may be anywhere."""
        self._last = [None, None]

    def read(self, frame: Stamped) -> float | None:
        """Return when the next frame is shown, in seconds of the stream's clock, or None."""
        self._judge(frame)
        return self.peek(frame)

    def peek(self, frame: Stamped) -> float | None:
        """Return what `read` would, by what is known so far."""
        if self._tick_s is None:
            return None
        if self._n_wrong[0] > self._n_wrong[1]:
            return None if frame.dts is None else frame.dts * self._tick_s
        stamp = frame.dts if frame.pts is None else frame.pts
        return None if stamp is None else stamp * self._tick_s

    def _judge(self, frame: Stamped) -> None:
        for kind, stamp in enumerate((frame.pts, frame.dts)):
            last = self._last[kind]
            if stamp is not None:
                self._n_wrong[kind] += last is not None and stamp <= last
                self._last[kind] = stamp


class FrameClock:
    """Turns the timestamps of consecutive frames into strictly ascending seconds.

    - A frame without a timestamp comes one nominal interval after the one before.
    - A frame not later than the one before, by less than a second, is a repeat or jitter: it has
      no time and is to be dropped.
    - A step back by a second or more is a restarted clock (joined recordings): time goes on one
      nominal interval after the frame before.
    - A leap ahead over `har.config.GAP_S`, unless frames come as rarely, is a gap: it ends a
      segment and begins the next one. A leap of one frame alone is a wrong stamp, and none.

    Args:
        fps: Nominal frames a second, or None where unknown.
        origin_s: Timestamp that is time 0; None makes it the first frame's.

    Attributes:
        gaps: Last time before and first time after each gap, in seconds.
    """

    def __init__(self, fps: float | None, origin_s: float | None = None) -> None:
        self._interval_s = 1.0 / (fps or DEFAULT_FPS)
        self._origin_s = origin_s
        self._last_s: float | None = None
        self._intervals_s = deque([self._interval_s], maxlen=_N_INTERVALS)
        self._read_s = 0.0
        self._n_frames = 0
        self.gaps: list[tuple[float, float]] = []

    @property
    def next_s(self) -> float:
        """When a frame without a timestamp would come."""
        return 0.0 if self._last_s is None else self._last_s + self._interval_s

    @property
    def read_s(self) -> float:
        """Length of what came so far, without its gaps: each frame stands for a mean interval."""
        n_steps = self._n_frames - 1 - len(self.gaps)
        return self._read_s * self._n_frames / n_steps if n_steps > 0 else 0.0

    def iter_times(
        self, stamped: Iterable[tuple[Item, float | None]]
    ) -> Iterator[tuple[Item, float | None]]:
        """Return items with their times, as of `read_time`; a leap waits for the one after it.

        >>> clock = FrameClock(fps=10.0)
        >>> [time for _, time in clock.iter_times(enumerate((0.0, 0.1, 900.0, 0.3, 60.0, 60.1)))]
        [0.0, 0.1, 0.2, 0.3, 60.0, 60.1]
        >>> clock.gaps
        [(0.3, 60.0)]
        """
        held: tuple[Item, float | None] | None = None
        for item, stamp_s in stamped:
            if held is not None:
                yield held[0], self.read_time(None if self._goes_on(stamp_s) else held[1])
                held = None
            if self._find_leap_s(stamp_s):
                held = (item, stamp_s)
            else:
                yield item, self.read_time(stamp_s)
        if held is not None:
            yield held[0], self.read_time(held[1])

    def read_time(self, stamp_s: float | None) -> float | None:
        """Return the next frame's time in seconds, or None where it is to be dropped.

        >>> clock = FrameClock(fps=10.0)
        >>> [clock.read_time(stamp) for stamp in (5.0, None, 5.05, 5.25, 0.0, 0.5)]
        [0.0, 0.1, None, 0.25, 0.35, 0.85]
        """
        leap_s, time_s = self._find_leap_s(stamp_s), self.next_s
        if stamp_s is not None:
            if self._origin_s is None or self._is_restart(stamp_s):
                self._origin_s = stamp_s - time_s
            time_s = stamp_s - self._origin_s
        if self._last_s is not None:
            if time_s <= self._last_s:
                return None
            self._intervals_s.append(time_s - self._last_s)
            if leap_s:
                self.gaps.append((self._last_s, time_s))
            else:
                self._read_s += time_s - self._last_s
        self._n_frames += 1
        self._last_s = time_s
        return time_s

    def _is_restart(self, stamp_s: float) -> bool:
        if self._last_s is None or self._origin_s is None:
            return False
        return stamp_s - self._origin_s <= self._last_s - _RESTART_S

    def _find_leap_s(self, stamp_s: float | None) -> float:
        """Return how long a gap is that ends with a stamp, 0 where there is none."""
        if self._last_s is None or self._origin_s is None or stamp_s is None:
            return 0.0
        step_s = stamp_s - self._origin_s - self._last_s
        if step_s <= GAP_S:
            return 0.0
        is_rare = step_s <= RARE_TIMES * median_low(self._intervals_s)
        return 0.0 if is_rare and step_s <= LONGEST_INTERVAL_S else step_s

    def _goes_on(self, stamp_s: float | None) -> bool:
        """Tell whether a stamp follows the last time, as if there had been no leap."""
        if self._last_s is None or self._origin_s is None or stamp_s is None:
            return False
        is_ahead = stamp_s - self._origin_s > self._last_s
        return is_ahead and not self._find_leap_s(stamp_s)
