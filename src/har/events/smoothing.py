"""A mean over neighbouring rows, a fixed number of rows late."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Rows:
    """Successive rows of one label.

    Attributes:
        times_s: (n,) float64, the middle of each row's stretch.
        values: (n,) float32 scores; 0 where nothing can be told.
        is_known: (n,) bool, False where nothing can be told.
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
        """Gives these rows and those after them."""
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

    At the ends of a stretch the mean is over what there is. A row of which nothing is known stays
    so and counts for no other. A row's mean is summed in one order, however the rows are cut.
    """

    def __init__(self, n_side: int) -> None:
        """Starts an empty stretch."""
        self._n_side = n_side
        self._held = EMPTY
        self._n_given = 0
        """How many of the held rows were given before; later ones still need them."""

    def push(self, rows: Rows) -> Rows:
        """Takes the next rows and gives those whose neighbours are all there now."""
        if self._n_side == 0:
            return rows
        self._held = self._held.join(rows)
        return self._give(max(len(self._held) - self._n_side, self._n_given))

    def flush(self) -> Rows:
        """Gives the rows that still waited; what comes next is a stretch of its own."""
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
