"""Frame times from presentation timestamps that may be absent, repeated or restarted."""

from __future__ import annotations

DEFAULT_FPS = 25.0
"""Assumed where neither the frames nor the container say anything about time."""

_RESTART_S = 1.0


class FrameClock:
    """Turns the timestamps of consecutive frames into strictly ascending seconds.

    - A frame without a timestamp comes one nominal interval after the one before.
    - A frame not later than the one before, by less than a second, is a repeat or jitter: it has
      no time and is to be dropped.
    - A step back by a second or more is a restarted clock (joined recordings): time goes on one
      nominal interval after the frame before.

    Args:
        fps: Nominal frames a second, or None where unknown.
        origin_s: Timestamp that is time 0; None makes it the first frame's.
    """

    def __init__(self, fps: float | None, origin_s: float | None = None) -> None:
        self._interval_s = 1.0 / (fps or DEFAULT_FPS)
        self._origin_s = origin_s
        self._last_s: float | None = None

    @property
    def last_s(self) -> float | None:
        """Time of the last frame that was not dropped, or None before the first."""
        return self._last_s

    @property
    def next_s(self) -> float:
        """When a frame without a timestamp would come."""
        return 0.0 if self._last_s is None else self._last_s + self._interval_s

    def read_time(self, stamp_s: float | None) -> float | None:
        """Return the next frame's time in seconds, or None where it is to be dropped.

        >>> clock = FrameClock(fps=10.0)
        >>> [clock.read_time(stamp) for stamp in (5.0, None, 5.05, 5.25, 0.0, 0.5)]
        [0.0, 0.1, None, 0.25, 0.35, 0.85]
        """
        time_s = self.next_s
        if stamp_s is not None:
            if self._origin_s is None or self._has_restarted(stamp_s):
                self._origin_s = stamp_s - time_s
            time_s = stamp_s - self._origin_s
        if self._last_s is not None and time_s <= self._last_s:
            return None
        self._last_s = time_s
        return time_s

    def _has_restarted(self, stamp_s: float) -> bool:
        if self._last_s is None or self._origin_s is None:
            return False
        return stamp_s - self._origin_s <= self._last_s - _RESTART_S
