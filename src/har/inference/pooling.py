"""Logits of overlapping windows to one row of logits a time step."""

from __future__ import annotations

import numpy as np


def compute_step_logits(
    window_logits: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int
) -> np.ndarray:
    """Gives each step the mean of the logits of all windows that cover it.

    A window speaks with one voice: the mean of its steps' logits, which is what training taught
    to be right for a clip. Why not each step's own logits: docs/decisions/007-scores-and-events.md.

    Args:
        window_logits: (W, K), the mean over each window's real steps.
        starts: (W,) first step of each window; together they cover every step.
        n_steps: Steps in a window.
        n_total: N, steps in all; windows reach no further.

    Returns:
        (N, K) float64.

    >>> compute_step_logits(np.array([[1.0], [3.0]]), np.array([0, 2]), 3, 5).ravel().tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """
    changes = np.zeros((n_total + 1, window_logits.shape[1] + 1))
    voices = np.column_stack([window_logits, np.ones(len(window_logits))])
    np.add.at(changes, starts, voices)
    np.add.at(changes, np.minimum(starts + n_steps, n_total), -voices)
    sums = np.cumsum(changes[:-1], axis=0)
    return sums[:, :-1] / np.round(sums[:, -1:])


def find_strongest(
    strengths: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int
) -> np.ndarray:
    """Gives for each step and label the window over the step that shows the label most.

    Args:
        strengths: (W, K), 0 or more.
        starts: (W,) first step of each window.
        n_steps: Steps in a window.
        n_total: N, steps in all; windows reach no further.

    Returns:
        (N, K) int64 rows of windows, the earlier of two as strong; -1 where no window with a
        strength above 0 is over the step.

    >>> find_strongest(np.array([[0.2], [0.7], [0.0]]), np.array([0, 1, 3]), 2, 5).ravel().tolist()
    [0, 1, 1, -1, -1]
    """
    best = np.zeros((n_total, strengths.shape[1]))
    rows = np.full(best.shape, -1, dtype=np.int64)
    for row, (start, strength) in enumerate(zip(starts, strengths, strict=True)):
        span = slice(start, start + n_steps)
        is_better = strength > best[span]
        rows[span][is_better] = row
        best[span] = np.maximum(best[span], strength)
    return rows
