"""Which found events are which true ones: overlap in time, and pairs of one to one."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterable, Sequence

import numpy as np

from har.types import Event

_EPS = 1e-9


def compute_ious(found: Sequence[Event], truth: Sequence[Event]) -> np.ndarray:
    """Return the temporal intersection over union of each found event with each true one.

    Args:
        found: F events.
        truth: T events.

    Returns:
        (F, T) float64 in [0, 1]; 0 where the labels differ or the events only touch.

    >>> coded = Event("hit", 1.0, 3.0, 1.0)
    >>> compute_ious([Event("hit", 2.0, 5.0, 0.9), Event("kick", 1.0, 3.0, 0.9)], [coded]).tolist()
    [[0.25], [0.0]]
    """
    onsets, offsets = _to_arrays(found)
    true_onsets, true_offsets = _to_arrays(truth)
    ends = np.minimum(offsets[:, None], true_offsets[None, :])
    shared = np.maximum(ends - np.maximum(onsets[:, None], true_onsets[None, :]), 0.0)
    spans = (offsets - onsets)[:, None] + (true_offsets - true_onsets)[None, :]
    alike = np.array([[event.label == true.label for true in truth] for event in found], dtype=bool)
    union = np.maximum(spans - shared, np.finfo(np.float64).tiny)
    return np.where(alike.reshape(shared.shape), shared / union, 0.0)


def _to_arrays(events: Sequence[Event]) -> tuple[np.ndarray, np.ndarray]:
    onsets = np.array([event.onset_s for event in events], dtype=np.float64)
    return onsets, np.array([event.offset_s for event in events], dtype=np.float64)


def match_events(ious: np.ndarray, min_iou: float) -> dict[int, int]:
    """Pair found events with true ones, each with at most one, so that there are most pairs.

    Pairs are taken by falling overlap; then, where a found event could be paired if others changed
    their partner, they do. The number of pairs is so the greatest possible, in whatever order the
    events come.

    Args:
        ious: (F, T) from `compute_ious`.
        min_iou: Least overlap of a pair, above 0.

    Returns:
        For each found event that has a partner, its row, the partner's column.

    Source: augmenting paths, C. Berge, "Two theorems in graph theory", PNAS 43, 1957. Most pairs of
    one to one is also how sound events are scored: C. Raffel et al., "mir_eval", ISMIR 2014.

    >>> match_events(np.array([[0.9, 0.5], [0.6, 0.0]]), 0.5)
    {0: 1, 1: 0}
    """
    rows, columns = np.nonzero(ious >= max(min_iou - _EPS, _EPS))
    order = np.lexsort((columns, rows, -ious[rows, columns]))
    pairs = list(zip(rows[order].tolist(), columns[order].tolist(), strict=True))
    partners: dict[int, list[int]] = {}
    owner: dict[int, int] = {}
    matched: dict[int, int] = {}
    for row, column in pairs:
        partners.setdefault(row, []).append(column)
        if row not in matched and column not in owner:
            matched[row], owner[column] = column, row
    for row in sorted(partners.keys() - matched.keys()):
        _augment(row, partners, matched, owner)
    return dict(sorted(matched.items()))


def _augment(
    start: int, partners: dict[int, list[int]], matched: dict[int, int], owner: dict[int, int]
) -> None:
    """Find a row a partner by having others move on, if that is possible."""
    reached_by: dict[int, int] = {}
    queue = deque([start])
    while queue:
        row = queue.popleft()
        for column in partners[row]:
            if column in reached_by:
                continue
            reached_by[column] = row
            if column not in owner:
                _flip(column, reached_by, matched, owner)
                return
            queue.append(owner[column])


def _flip(
    column: int, reached_by: dict[int, int], matched: dict[int, int], owner: dict[int, int]
) -> None:
    freed: int | None = column
    while freed is not None:
        row = reached_by[freed]
        before = matched.get(row)
        matched[row], owner[freed] = freed, row
        freed = before


class EventFinder:
    """Finds the events of a time without looking at all of them, of which an hour has many."""

    def __init__(self, events: Sequence[Event]) -> None:
        """Take events in any order; those of one label must not overlap."""
        by_label: dict[str, list[Event]] = {}
        for event in sorted(events, key=lambda event: event.onset_s):
            by_label.setdefault(event.label, []).append(event)
        self._by_label = {
            label: (own, [event.onset_s for event in own], [event.offset_s for event in own])
            for label, own in by_label.items()
        }

    def find(self, labels: Iterable[str], low_s: float, high_s: float) -> list[Event]:
        """Return events of some labels, label by label, that are there in a span of time.

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
