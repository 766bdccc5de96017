"""Events by their times."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from har.types import Event


class EventFinder:
    """Finds the events of a time without looking at all of them, of which an hour has many."""

    def __init__(self, events: Sequence[Event]) -> None:
        """Takes events in any order; those of one label must not overlap."""
        by_label: dict[str, list[Event]] = {}
        for event in sorted(events, key=lambda event: event.onset_s):
            by_label.setdefault(event.label, []).append(event)
        self._by_label = {
            label: (own, [event.onset_s for event in own], [event.offset_s for event in own])
            for label, own in by_label.items()
        }

    def find(self, labels: Iterable[str], low_s: float, high_s: float) -> list[Event]:
        """Gives events of some labels, label by label, that are there in a stretch of time.

        Args:
            labels: Others are left out.
            low_s: Events that have ended by then are left out.
            high_s: Events that begin after it are left out.

        >>> finder = EventFinder([Event("hit", 1.0, 2.0, 0.9), Event("hit", 3.0, 4.0, 0.8)])
        >>> [event.onset_s for event in finder.find(["hit", "kick"], 2.0, 3.0)]
        [3.0]
        """
        found: list[Event] = []
        for label in labels:
            events, onsets_s, offsets_s = self._by_label.get(label, ([], [], []))
            found += events[bisect_right(offsets_s, low_s) : bisect_right(onsets_s, high_s)]
        return found
