"""How windows, and streams, are joined: pure functions of logits and confidence.

Recordings, clips of a store, live cameras and the folds of a cross-validation all use these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

_NO_CONFIDENCE = 1e-9
"""Sums of windows' confidence that are only rounding."""


@dataclass(frozen=True)
class StreamLogits:
    """What a stream, or a whole model, says at N moments or of N clips.

    Attributes:
        logits: (N, K); zeros where it is uncertain.
        confidence: (N,) from 0 to 1: how far they can be trusted; 0 where it is uncertain.
    """

    logits: np.ndarray
    confidence: np.ndarray

    @classmethod
    def uncertain(cls, n_moments: int, n_labels: int) -> StreamLogits:
        """Return what stands where nothing is known."""
        return cls(np.zeros((n_moments, n_labels)), np.zeros(n_moments))

    @classmethod
    def join(cls, parts: Sequence[StreamLogits]) -> StreamLogits:
        """Return the moments of several one after another."""
        logits = np.concatenate([part.logits for part in parts])
        return cls(logits, np.concatenate([part.confidence for part in parts]))

    def take(self, rows: np.ndarray) -> StreamLogits:
        """Return other moments."""
        return StreamLogits(self.logits[rows], self.confidence[rows])


def fuse_logits(outputs: Sequence[StreamLogits], weights: Sequence[float]) -> StreamLogits:
    """Join the streams of a model.

    The first stream counts whole. Of each other one the logits are added, times its weight and its
    confidence. All of it is uncertain only where every stream is.

    Args:
        outputs: Of the streams, at the same moments.
        weights: Of the streams after the first.

    >>> motion = StreamLogits(np.array([[0.0, 1.0]]), np.array([1.0]))
    >>> pose = StreamLogits(np.array([[4.0, 0.0]]), np.array([0.25]))
    >>> fuse_logits([motion, pose], [2.0]).logits.tolist()
    [[2.0, 1.0]]
    """
    logits = outputs[0].logits
    for other, weight in zip(outputs[1:], weights, strict=True):
        logits = logits + (weight * other.confidence)[:, None] * other.logits
    return StreamLogits(logits, reduce(np.maximum, (stream.confidence for stream in outputs)))


def pool_windows(logits: np.ndarray, confidence: np.ndarray) -> StreamLogits:
    """Return one answer for several windows: the mean of each as far as it is confident.

    Args:
        logits: (W, K).
        confidence: (W,) from 0 to 1.

    Returns:
        One moment: (1, K) logits and (1,) mean confidence.

    >>> pool_windows(np.array([[4.0], [9.0]]), np.array([0.5, 0.0]))
    StreamLogits(logits=array([[4.]]), confidence=array([0.25]))
    """
    return _divide(_weigh(logits, confidence).mean(axis=0, keepdims=True))


def pool_at_steps(
    logits: np.ndarray,
    confidence: np.ndarray,
    starts: np.ndarray,
    n_steps: int,
    n_total: int,
    first: int = 0,
) -> StreamLogits:
    """Return for each step one answer for the windows over it, as far as each is confident.

    Args:
        logits: (W, K) of the windows, each as one.
        confidence: (W,) from 0 to 1.
        starts: (W,) first step of each window; together they cover every step that is asked for.
        n_steps: Steps in a window.
        n_total: Steps in all; what windows say of later ones is left out.
        first: Steps before this one are left out.

    Returns:
        N moments, N being ``n_total - first``.
    """
    weighed = _weigh(logits, confidence)
    return _divide(compute_step_logits(weighed, starts, n_steps, n_total, first))


def _weigh(logits: np.ndarray, confidence: np.ndarray) -> np.ndarray:
    """Return (W, K + 1): each window's logits times its confidence, and the confidence."""
    return np.column_stack([logits * confidence[:, None], confidence])


def _divide(sums: np.ndarray) -> StreamLogits:
    """Divide the means of (N, K + 1) logits times confidence, and confidence, by each other."""
    confidence = np.where(sums[:, -1] > _NO_CONFIDENCE, sums[:, -1], 0.0)
    divisor = np.where(confidence > 0, confidence, 1.0)
    return StreamLogits(np.where(confidence > 0, sums[:, :-1].T / divisor, 0.0).T, confidence)


def compute_step_logits(
    window_logits: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int, first: int = 0
) -> np.ndarray:
    """Return each step the mean of the logits of all windows that cover it.

    A window counts as one: the mean of its steps' logits, which is what training taught
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
    """Return for each step and label the window over the step that shows the label most.

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
