"""Logits of overlapping windows to one row of logits a time step."""

from __future__ import annotations

import numpy as np


def compute_step_logits(
    window_logits: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int, first: int = 0
) -> np.ndarray:
    """Gives each step the mean of the logits of all windows that cover it.

    A window speaks with one voice: the mean of its steps' logits, which is what training taught
    to be right for a clip. Why not each step's own logits: docs/decisions/007-scores-and-events.md.
    A step's logits are summed in the order of its windows, so any stretch of steps gets to the bit
    what all steps at once get.

    Args:
        window_logits: (W, K), the mean over each window's real steps.
        starts: (W,) first step of each window; together they cover every step that is asked for.
        n_steps: Steps in a window.
        n_total: Steps in all; what windows say of later ones is left out.
        first: Steps before this one are left out.

    Returns:
        (N, K) float64, N being ``n_total - first``.

    >>> compute_step_logits(np.array([[1.0], [3.0]]), np.array([0, 2]), 3, 5).ravel().tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """
    sums = np.zeros((n_total - first, window_logits.shape[1]))
    counts = np.zeros(len(sums))
    for start, logits in zip(starts, window_logits, strict=True):
        span = slice(max(start - first, 0), max(start + n_steps - first, 0))
        sums[span] += logits
        counts[span] += 1
    return sums / counts[:, None]


def find_strongest(
    strengths: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int, first: int = 0
) -> np.ndarray:
    """Gives for each step and label the window over the step that shows the label most.

    Args:
        strengths: (W, K), 0 or more.
        starts: (W,) first step of each window.
        n_steps: Steps in a window.
        n_total: Steps in all; what windows say of later ones is left out.
        first: Steps before this one are left out.

    Returns:
        (N, K) int64 rows of windows, N being ``n_total - first``, the earlier of two as strong; -1
        where no window with a strength above 0 is over the step.

    >>> find_strongest(np.array([[0.2], [0.7], [0.0]]), np.array([0, 1, 3]), 2, 5).ravel().tolist()
    [0, 1, 1, -1, -1]
    """
    best = np.zeros((n_total - first, strengths.shape[1]))
    rows = np.full(best.shape, -1, dtype=np.int64)
    for row, (start, strength) in enumerate(zip(starts, strengths, strict=True)):
        span = slice(max(start - first, 0), max(start + n_steps - first, 0))
        is_better = strength > best[span]
        rows[span][is_better] = row
        best[span] = np.maximum(best[span], strength)
    return rows
