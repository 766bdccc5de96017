"""A camera's timestamps on one timeline that never goes back, whatever the camera's clock does.

The timeline counts seconds since the camera's first packet. A segment of it is ruled by the
camera's own clock, which is more even than the times at which packets arrive; where that clock
jumps, a new segment begins at the time of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass

_BACK_S = 0.5
"""A step back by less is no jump: packets come in the order of decoding, not of showing."""

_FORGET = 0.9
"""Part of the widest step that still counts with the next packet."""

_BEHIND_FOR_S = 2.0
"""A clock is behind only when packets were late for this long, though nothing waited."""

_DRIFT = 1e-3
"""Seconds a second by which the least delay is forgotten: far more than a clock drifts."""


@dataclass(frozen=True)
class TimelineSegment:
    """A part of the timeline that one clock rules.

    Attributes:
        number: From 0.
        offset_s: What is to be added to the camera's timestamps.
        note: Why it began; empty for the first.
    """

    number: int
    offset_s: float
    note: str = ""


@dataclass(frozen=True)
class Placed:
    """Where one packet is.

    Attributes:
        segment: Whose offset holds for the packet's timestamps.
        arrived_s: On the machine's monotonic clock.
        time_s: On the timeline.
        late_s: How much later it came than the promptest packets did, 0 or more.
    """

    segment: TimelineSegment
    arrived_s: float
    time_s: float
    late_s: float


class Timeline:
    """Places packets as they arrive. One serves all connections of a camera."""

    def __init__(self, jump_s: float) -> None:
        """Start before the first packet.

        Args:
            jump_s: A clock that leaps by more than this against the machine's has jumped.
        """
        self._jump_s = jump_s
        self._origin_s: float | None = None
        self._segment: TimelineSegment | None = None
        self._n_stretches = 0
        self._last: tuple[float, float] | None = None
        self._last_sent_s: float | None = None
        self._widest_s = self._highest_s = 0.0
        self._least_s = 0.0
        self._last_time_s = 0.0
        self._delay_s = 0.0
        self._before = (0.0, 0.0)
        self._behind_since_s: float | None = None
        self._waited_s = 0.0

    def restart(self) -> None:
        """Return that the next packet comes from a new connection: its clock may be another one."""
        self._segment = self._last = self._behind_since_s = None

    def place(
        self,
        stamp_s: float | None,
        arrived_s: float,
        waited_s: float,
        sent_s: float | None = None,
    ) -> Placed:
        """Return the place of the next packet in the order of decoding.

        Args:
            stamp_s: When it is shown, by the camera's clock; None takes the time of arrival.
            arrived_s: On the machine's monotonic clock.
            waited_s: How long the reader had to wait for it: next to nothing where packets wait for
                the reader.
            sent_s: When it is decoded, by the camera's clock, which never goes back by itself; None
                where that is not known.
        """
        if self._origin_s is None:
            self._origin_s = arrived_s
        stamp_s = arrived_s if stamp_s is None else stamp_s
        note = self._find_jump(stamp_s, arrived_s, sent_s)
        decoded_s = stamp_s if sent_s is None else sent_s
        note = note or self._find_lag(decoded_s, arrived_s, waited_s)
        segment = self._segment
        if segment is None or note:
            segment = self._begin(stamp_s, arrived_s - self._origin_s, note)
            self._least_s = arrived_s - self._origin_s - decoded_s - segment.offset_s
        time_s = stamp_s + segment.offset_s
        delay_s = arrived_s - self._origin_s - time_s
        elapsed_s = 0.0 if self._last is None else arrived_s - self._last[1]
        self._delay_s = min(self._delay_s + _DRIFT * elapsed_s, delay_s)
        late_s = arrived_s - self._origin_s - decoded_s - segment.offset_s
        self._least_s = min(self._least_s + _DRIFT * elapsed_s, late_s)
        if self._last is not None and not note:
            step_s = min(abs(stamp_s - self._last[0]), self._jump_s)
            self._widest_s = max(step_s, _FORGET * self._widest_s)
        self._highest_s = stamp_s if note or self._last is None else max(self._highest_s, stamp_s)
        self._last, self._last_sent_s = (stamp_s, arrived_s), sent_s
        self._last_time_s = max(self._last_time_s, time_s)
        return Placed(segment, arrived_s, time_s, late_s - self._least_s)

    def find_arrival_s(self, time_s: float) -> float:
        """Return when, on the monotonic clock, what is at a time of the timeline was filmed.

        It is when the packet would have come with the least delay.
        """
        begun_s, delay_before_s = self._before
        delay_s = delay_before_s if time_s < begun_s else self._delay_s
        return (self._origin_s or 0.0) + time_s + delay_s

    def _begin(self, stamp_s: float, now_s: float, note: str) -> TimelineSegment:
        """Begin a segment at the time of arrival, but after all that was before."""
        begin_s = max(now_s, self._last_time_s + _BACK_S if self._n_stretches else 0.0)
        segment = TimelineSegment(self._n_stretches, begin_s - stamp_s, note)
        self._n_stretches += 1
        self._segment, self._behind_since_s = segment, None
        self._before = (begin_s, self._delay_s)
        self._delay_s = now_s - begin_s
        return segment

    def _find_jump(self, stamp_s: float, arrived_s: float, sent_s: float | None) -> str:
        """Return how the camera's clock has jumped, empty for not at all.

        Packets come in the order of decoding: the rarer frames are, the further do times of showing
        go to and fro.
        """
        if self._last is None:
            return ""
        ahead_s, elapsed_s = stamp_s - self._highest_s, arrived_s - self._last[1]
        if ahead_s > elapsed_s + self._jump_s:
            return f"its clock leapt ahead by {ahead_s - elapsed_s:.1f} s"
        step_s = stamp_s - self._last[0]
        tolerated_s = max(_BACK_S, self._widest_s)
        if sent_s is not None and self._last_sent_s is not None:
            step_s, tolerated_s = sent_s - self._last_sent_s, _BACK_S
        return f"its clock went back by {-step_s:.1f} s" if step_s < -tolerated_s else ""

    def _find_lag(self, decoded_s: float, arrived_s: float, waited_s: float) -> str:
        """Tell a clock that fell behind from packets that are late because they had to wait."""
        if self._segment is None or self._origin_s is None or self._last is None:
            return ""
        late_s = arrived_s - self._origin_s - decoded_s - self._segment.offset_s - self._least_s
        if late_s <= self._jump_s:
            self._behind_since_s = None
        elif self._behind_since_s is None:
            self._behind_since_s, self._waited_s = arrived_s, 0.0
        else:
            self._waited_s += waited_s
            behind_s = arrived_s - self._behind_since_s
            if behind_s > _BEHIND_FOR_S and self._waited_s > behind_s / 2:
                return f"its clock fell behind by {late_s:.1f} s"
        return ""
