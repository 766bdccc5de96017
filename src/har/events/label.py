"""One label's scores to events, row after row, in constant memory.

smoothing       mean over neighbours                late by half of ``smooth_s``
hysteresis      rows to runs                        not late
joining         runs to events                      a run waits until ``merge_gap_s`` has passed
drawing in      both ends to where the score is near its height; looks at `EDGE_S` of each
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.config import TAIL_S, LabelRule
from har.events.smoothing import EMPTY, Rows, Smoother
from har.types import Event

_TIME_EPS_S = 1e-6


@dataclass(frozen=True)
class _Edge:
    """A moment between two rows, the number of rows before it, and the sum of their scores."""

    time_s: float
    n_rows: int
    total: float


class _Ruler:
    """Gives the edges of successive rows."""

    def __init__(self, rows: Rows, start: _Edge, step_s: float) -> None:
        self._rows, self._start, self._half_s = rows, start, step_s / 2
        self._totals = np.add.accumulate(np.append(start.total, rows.values))

    def before(self, row: int) -> _Edge:
        time_s = float(self._rows.times_s[row]) - self._half_s
        return _Edge(time_s, self._start.n_rows + row, float(self._totals[row]))

    def after(self, row: int) -> _Edge:
        time_s = float(self._rows.times_s[row]) + self._half_s
        return _Edge(time_s, self._start.n_rows + row + 1, float(self._totals[row + 1]))


@dataclass
class _Draft:
    """Joined runs that may still grow.

    Attributes:
        onset: Where the first run began.
        offset: Where the last run ended; None while one goes on.
        end: The same, drawn in.
    """

    onset: _Edge
    offset: _Edge | None = None
    end: _Edge | None = None


class LabelDecoder:
    """Gives the events of one label; how the rows are cut into pushes makes no difference."""

    def __init__(self, label: str, rule: LabelRule, step_s: float) -> None:
        """Starts an empty stream of rows that each speak for ``step_s``."""
        self._label, self._rule, self._step_s = label, rule, step_s
        self._smoother = Smoother(_count_steps(rule.smooth_s, step_s) // 2)
        self._n_tail = max(_count_steps(TAIL_S, step_s), 1)
        self._recent, self._start = EMPTY, _Edge(0.0, 0, 0.0)
        """The last rows that were compared with the thresholds, and the edge before them."""
        self._draft: _Draft | None = None

    def push(self, rows: Rows) -> list[Event]:
        """Takes rows that follow those before; gives the events that nothing can change now."""
        return self._follow(self._smoother.push(rows))

    def interrupt(self) -> list[Event]:
        """Ends what goes on with the last row: the next one will not follow it."""
        events = self._follow(self._smoother.flush())
        if self._draft is not None and self._draft.offset is None:
            self._end_run(self._draft, self._recent_ruler(), self._recent.smooth)
        return events

    def flush(self) -> list[Event]:
        """Ends the stream and gives the event that still waited, if one did."""
        return self.interrupt() + self._release()

    @property
    def open(self) -> Event | None:
        """The event that is not final, up to where it is sure to go, if that is long enough."""
        draft = self._draft
        if draft is None:
            return None
        end = draft.end or self._find_end(draft, self._recent_ruler(), self._recent.smooth)
        return self._to_event(draft, end)

    def _recent_ruler(self) -> _Ruler:
        return _Ruler(self._recent, self._start, self._step_s)

    def _follow(self, rows: Rows) -> list[Event]:
        """Takes rows that are ready to be compared with the thresholds."""
        if len(rows) == 0:
            return []
        held, n_before = self._recent.join(rows), len(self._recent)
        ruler, events = _Ruler(held, self._start, self._step_s), list[Event]()
        is_on = self._draft is not None and self._draft.offset is None
        for turn in _find_turns(rows.smooth, self._rule, is_on):
            row = n_before + turn
            if self._draft is not None and self._draft.offset is None:
                self._end_run(self._draft, ruler, held.smooth[:row])
            else:
                events += self._begin_run(ruler.before(row))
        if self._is_over(ruler.after(len(held) - 1).time_s, 0.0):
            events += self._release()
        first = max(len(held) - self._n_tail, 0)
        self._recent, self._start = held[first:], ruler.before(first)
        return events

    def _begin_run(self, onset: _Edge) -> list[Event]:
        """Begins a run: of the event that there is, if it is near enough, or of a new one."""
        events = self._release() if self._is_over(onset.time_s, _TIME_EPS_S) else []
        if self._draft is None:
            self._draft = _Draft(onset)
        self._draft.offset = self._draft.end = None
        return events

    def _end_run(self, draft: _Draft, ruler: _Ruler, smooth: np.ndarray) -> None:
        """Ends the run behind the rows whose scores are ``smooth``."""
        draft.offset = ruler.after(len(smooth) - 1)
        draft.end = self._find_end(draft, ruler, smooth)

    def _find_end(self, draft: _Draft, ruler: _Ruler, smooth: np.ndarray) -> _Edge:
        """Gives the end, drawn in, of an event whose last rows have the scores ``smooth``.

        With later rows it is never earlier: the highest score is nearer to the end, or is lower.
        """
        n_rows = min(ruler.after(len(smooth) - 1).n_rows - draft.onset.n_rows, self._n_tail)
        tail = smooth[-n_rows:]
        near = np.flatnonzero(tail >= self._rule.tail * float(tail.max()))
        return ruler.after(len(smooth) - n_rows + int(near[-1]))

    def _is_over(self, time_s: float, slack_s: float) -> bool:
        """Says if there is an event to which a run from ``time_s`` on is not to be joined."""
        offset = self._draft.offset if self._draft else None
        return offset is not None and (time_s - offset.time_s >= self._rule.merge_gap_s - slack_s)

    def _release(self) -> list[Event]:
        draft, self._draft = self._draft, None
        event = self._to_event(draft, draft.end) if draft and draft.end else None
        return [event] if event else []

    def _to_event(self, draft: _Draft, end: _Edge) -> Event | None:
        """Gives the event up to an edge; None if it is too short."""
        if end.time_s - draft.onset.time_s < self._rule.min_s - _TIME_EPS_S:
            return None
        return Event(
            label=self._label,
            onset_s=round(max(draft.onset.time_s, 0.0), 6),
            offset_s=round(end.time_s, 6),
            score=round((end.total - draft.onset.total) / (end.n_rows - draft.onset.n_rows), 6),
        )


def _count_steps(length_s: float, step_s: float) -> int:
    """Gives the steps in a length; none where a lone picture has no length at all."""
    return round(length_s / step_s) if step_s > 0 else 0


def _find_turns(values: np.ndarray, rule: LabelRule, is_on: bool) -> list[int]:
    """Gives the rows at which a run begins or has ended, by turns."""
    ups, downs = np.flatnonzero(values >= rule.onset), np.flatnonzero(values < rule.offset)
    turns: list[int] = []
    row = 0
    while True:
        wanted = downs if is_on else ups
        place = int(np.searchsorted(wanted, row))
        if place == len(wanted):
            return turns
        row, is_on = int(wanted[place]), not is_on
        turns.append(row)
