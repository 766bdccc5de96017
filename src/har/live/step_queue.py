"""Time steps on their way from a camera's thread to recognition: the newest win."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from har.sampling.stacks import Stack
from har.types import StreamName


@dataclass(frozen=True)
class Step:
    """What one or more consecutive time steps compare.

    Attributes:
        stack: Their pictures, and how many steps they are.
        arrived_s: When the frame came that made them complete, on the monotonic clock.
        n_passed: Steps among them that were passed over, and take later pictures than theirs.
    """

    stack: Stack
    arrived_s: float
    n_passed: int = 0


@dataclass
class Part:
    """Steps of one segment of a camera, each list in the order of time.

    Attributes:
        number: The segment's.
        begun_s: Where its time 0 is on the camera's timeline.
        steps: Of each stream of the bundle.
        span_s: Its length, once it has ended.
    """

    number: int
    begun_s: float
    steps: dict[StreamName, list[Step]] = field(default_factory=dict)
    span_s: float | None = None


class StepQueue:
    """Holds the steps of one camera until they are taken.

    Where they wait too long the oldest is passed over: the next one then stands for it too, so the
    steps that are taken are always as many as there were, each at its time.
    """

    def __init__(self, most: Mapping[StreamName, int], wake: threading.Event) -> None:
        """Start empty.

        Args:
            most: Steps of each stream that may wait, at least 1.
            wake: Is set when something can be taken.
        """
        self._most, self._wake = most, wake
        self._lock = threading.Lock()
        self._parts: list[Part] = []
        self._n_dropped = 0

    @property
    def n_dropped(self) -> int:
        """Step that were passed over, in all."""
        return self._n_dropped

    def begin(self, number: int, begun_s: float) -> None:
        """Begin a segment."""
        with self._lock:
            self._parts.append(self._start_part(number, begun_s))

    def _start_part(self, number: int, begun_s: float) -> Part:
        return Part(number, begun_s, {name: [] for name in self._most})

    def put(self, steps: Mapping[StreamName, Iterable[Step]]) -> None:
        """Add steps to the segment that goes on."""
        with self._lock:
            waiting = self._parts[-1].steps
            for name, added in steps.items():
                waiting[name] += added
                self._n_dropped += _shorten(waiting[name], self._most[name])
            has_steps = any(waiting.values())
        if has_steps:
            self._wake.set()

    def end(self, span_s: float) -> None:
        """End the segment that goes on; it is ``span_s`` long."""
        with self._lock:
            self._parts[-1].span_s = span_s
        self._wake.set()

    def clear(self) -> None:
        """Let go of all that waits, and of the segment that goes on."""
        with self._lock:
            self._parts = []

    def take(self) -> list[Part]:
        """Return all that waits, by segmentes; one that goes on is given in several parts."""
        with self._lock:
            taken = self._parts
            last = taken[-1] if taken else None
            goes_on = last is not None and last.span_s is None
            self._parts = [self._start_part(last.number, last.begun_s)] if last and goes_on else []
        return [part for part in taken if any(part.steps.values()) or part.span_s is not None]


def _shorten(steps: list[Step], most: int) -> int:
    """Let the oldest steps be spoken for by the ones after them; return how many more those are."""
    n_over = len(steps) - most
    if n_over <= 0:
        return 0
    heir, passed = steps[n_over], steps[:n_over]
    n_passed = sum(step.stack.n_steps for step in passed)
    is_still = heir.stack.is_still and all(step.stack.is_still for step in passed)
    n_steps = heir.stack.n_steps + n_passed
    stack = replace(heir.stack, n_steps=n_steps, is_still=is_still)
    steps[: n_over + 1] = [Step(stack, heir.arrived_s, heir.n_passed + n_passed)]
    return n_passed - sum(step.n_passed for step in passed)
