"""One label's scores to events, row after row, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from har.config import TAIL_S, LabelRule
from har.types import TIME_EPS_S, Event


@dataclass(frozen=True)
class Rows:
    """Successive rows of one label.

    Attributes:
        times_s: (n,) float64, the middle of each row's time step.
        values: (n,) float32 scores; 0 where the model is uncertain.
        is_known: (n,) bool, False where the model is uncertain.
        smooth: (n,) float32, the scores that are compared with thresholds.
    """

    times_s: np.ndarray
    values: np.ndarray
    is_known: np.ndarray
    smooth: np.ndarray

    def __len__(self) -> int:
        return len(self.times_s)

    def __getitem__(self, rows: slice) -> Rows:
        return Rows(self.times_s[rows], self.values[rows], self.is_known[rows], self.smooth[rows])

    def join(self, later: Rows) -> Rows:
        """Return these rows and those after them."""
        return Rows(
            np.concatenate([self.times_s, later.times_s]),
            np.concatenate([self.values, later.values]),
            np.concatenate([self.is_known, later.is_known]),
            np.concatenate([self.smooth, later.smooth]),
        )


EMPTY = Rows(np.zeros(0), np.zeros(0, np.float32), np.zeros(0, bool), np.zeros(0, np.float32))
"""No rows."""


class Smoother:
    """Gives each row the mean of itself and the known rows among ``n_side`` on each side.

    At the ends of a run of rows the mean is over what there is. A row of which nothing is known
    stays so and counts for no other. A row's mean is summed in one order, however the rows are cut.
    """

    def __init__(self, n_side: int) -> None:
        """Start without rows."""
        self._n_side = n_side
        self._held = EMPTY
        self._n_given = 0
        """How many of the held rows were given before; later ones still need them."""

    def push(self, rows: Rows) -> Rows:
        """Take the next rows and return those whose neighbors are all there now."""
        if self._n_side == 0:
            return rows
        self._held = self._held.join(rows)
        return self._give(max(len(self._held) - self._n_side, self._n_given))

    def flush(self) -> Rows:
        """Return the rows that still waited; what comes next begins anew."""
        given = self._give(len(self._held))
        self._held, self._n_given = EMPTY, 0
        return given

    def _give(self, end: int) -> Rows:
        means = _compute_means(self._held, self._n_side)
        given = replace(self._held, smooth=means)[self._n_given : end]
        first = max(end - self._n_side, 0)
        self._held, self._n_given = self._held[first:], end - first
        return given


def _compute_means(rows: Rows, n_side: int) -> np.ndarray:
    values = np.pad(np.where(rows.is_known, rows.values, 0).astype(np.float64), n_side)
    weights = np.pad(rows.is_known.astype(np.float64), n_side)
    sums, counts = np.zeros(len(rows)), np.zeros(len(rows))
    for shift in range(2 * n_side + 1):
        sums += values[shift : shift + len(rows)]
        counts += weights[shift : shift + len(rows)]
    return np.where(rows.is_known, sums / np.maximum(counts, 1.0), 0.0).astype(np.float32)


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
        """Start an empty stream of rows that each stand for ``step_s``."""
        self._label, self._rule, self._step_s = label, rule, step_s
        self._smoother = Smoother(_count_steps(rule.smooth_s, step_s) // 2)
        self._n_tail = max(_count_steps(TAIL_S, step_s), 1)
        self._recent, self._start = EMPTY, _Edge(0.0, 0, 0.0)
        """The last rows that were compared with the thresholds, and the edge before them."""
        self._draft: _Draft | None = None

    def push(self, rows: Rows) -> list[Event]:
        """Take rows that follow those before; return the events that are final now."""
        return self._follow(self._smoother.push(rows))

    def interrupt(self) -> list[Event]:
        """End what goes on with the last row: the next one will not follow it."""
        events = self._follow(self._smoother.flush())
        if self._draft is not None and self._draft.offset is None:
            self._end_run(self._draft, self._recent_ruler(), self._recent.smooth)
        return events

    def flush(self) -> list[Event]:
        """End the stream and return the event that still waited, if one did."""
        return self.interrupt() + self._release()

    @property
    def open(self) -> Event | None:
        """The event that is not final, up to where it is certain to last; None if too short."""
        draft = self._draft
        if draft is None:
            return None
        end = draft.end or self._find_end(draft, self._recent_ruler(), self._recent.smooth)
        return self._to_event(draft, end)

    def _recent_ruler(self) -> _Ruler:
        return _Ruler(self._recent, self._start, self._step_s)

    def _follow(self, rows: Rows) -> list[Event]:
        """Take rows that are ready to be compared with the thresholds."""
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
        """Begin a run: of the event that there is, if it is near enough, or of a new one."""
        events = self._release() if self._is_over(onset.time_s, TIME_EPS_S) else []
        if self._draft is None:
            self._draft = _Draft(onset)
        self._draft.offset = self._draft.end = None
        return events

    def _end_run(self, draft: _Draft, ruler: _Ruler, smooth: np.ndarray) -> None:
        """End the run behind the rows whose scores are ``smooth``."""
        draft.offset = ruler.after(len(smooth) - 1)
        draft.end = self._find_end(draft, ruler, smooth)

    def _find_end(self, draft: _Draft, ruler: _Ruler, smooth: np.ndarray) -> _Edge:
        """Return the end, drawn in, of an event whose last rows have the scores ``smooth``.

        With later rows it is never earlier: the highest score is nearer to the end, or is lower.
        """
        n_rows = min(ruler.after(len(smooth) - 1).n_rows - draft.onset.n_rows, self._n_tail)
        tail = smooth[-n_rows:]
        near = np.flatnonzero(tail >= self._rule.tail * float(tail.max()))
        return ruler.after(len(smooth) - n_rows + int(near[-1]))

    def _is_over(self, time_s: float, slack_s: float) -> bool:
        """Return if there is an event to which a run from ``time_s`` on is not to be joined."""
        offset = self._draft.offset if self._draft else None
        return offset is not None and (time_s - offset.time_s >= self._rule.merge_gap_s - slack_s)

    def _release(self) -> list[Event]:
        draft, self._draft = self._draft, None
        event = self._to_event(draft, draft.end) if draft and draft.end else None
        return [event] if event else []

    def _to_event(self, draft: _Draft, end: _Edge) -> Event | None:
        """Return the event up to an edge; None if it is too short."""
        if end.time_s - draft.onset.time_s < self._rule.min_s - TIME_EPS_S:
            return None
        return Event(
            label=self._label,
            onset_s=round(max(draft.onset.time_s, 0.0), 6),
            offset_s=round(end.time_s, 6),
            score=round((end.total - draft.onset.total) / (end.n_rows - draft.onset.n_rows), 6),
        )


def _count_steps(length_s: float, step_s: float) -> int:
    """Return the steps in a length; none where a lone picture has no length at all."""
    return round(length_s / step_s) if step_s > 0 else 0


def _find_turns(values: np.ndarray, rule: LabelRule, is_on: bool) -> list[int]:
    """Return the rows at which a run begins or has ended, by turns."""
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
