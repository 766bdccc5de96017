"""What is behind the figures of clips: every threshold of each class, every group, every error.

Of all thresholds on a class's probability, with counts of the class against the rest:

    recall, true positive rate    TP / (TP + FN)
    false positive rate           FP / (FP + TN)
    precision                     TP / (TP + FP)
    average precision             sum over thresholds of precision times the gain in recall

Source: T. Fawcett, An introduction to ROC analysis, Pattern Recognition Letters 27, 2006.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ThresholdCurve:
    """One class against the rest over all thresholds, from the strictest to the loosest.

    Attributes:
        label: The class.
        n_true: Predictions whose clip is of the class, over all seeds.
        recall: (M,) float64 ascending, from 0 to 1.
        false_positive_rate: (M,) float64 ascending, from 0 to 1.
        precision: (M,) float64; the first is that of the second.
        auc: Area under recall over the false positive rate.
        average_precision: See above.
    """

    label: str
    n_true: int
    recall: np.ndarray
    false_positive_rate: np.ndarray
    precision: np.ndarray
    auc: float
    average_precision: float


@dataclass(frozen=True)
class GroupAccuracy:
    """How many clips of a group are classified right.

    Attributes:
        group: Its name.
        n_clips: Its clips.
        accuracy: Share of them that is right, averaged over seeds.
    """

    group: str
    n_clips: int
    accuracy: float


def compute_threshold_curves(
    labels: Sequence[str], truth: np.ndarray, probs: np.ndarray
) -> tuple[ThresholdCurve, ...]:
    """Return the curve of each class that some, but not all, clips are of.

    Args:
        labels: K names.
        truth: (N,) int class indices.
        probs: (S, N, K) of S seeds, whose predictions are put together.

    >>> one, two = compute_threshold_curves(
    ...     ("a", "b"), np.array([0, 1, 1]), np.array([[[0.9, 0.1], [0.4, 0.6], [0.95, 0.05]]]))
    >>> two.auc, two.recall.tolist(), two.false_positive_rate.tolist()
    (0.5, [0.0, 0.5, 0.5, 1.0], [0.0, 0.0, 1.0, 1.0])
    """
    everyone, merged = np.tile(truth, len(probs)), probs.reshape(-1, probs.shape[-1])
    curves = (
        _compute_curve(label, everyone == place, merged[:, place])
        for place, label in enumerate(labels)
        if 0 < (everyone == place).sum() < len(everyone)
    )
    return tuple(curves)


def _compute_curve(label: str, is_true: np.ndarray, scores: np.ndarray) -> ThresholdCurve:
    order = np.argsort(-scores, kind="stable")
    last_of_level = np.r_[np.diff(scores[order]) < 0, True]
    hits = np.cumsum(is_true[order])[last_of_level]
    n_said = (np.arange(len(scores)) + 1)[last_of_level]
    recall = np.r_[0.0, hits / is_true.sum()]
    rate = np.r_[0.0, (n_said - hits) / (~is_true).sum()]
    precision = hits / n_said
    return ThresholdCurve(
        label=label,
        n_true=int(is_true.sum()),
        recall=recall,
        false_positive_rate=rate,
        precision=np.r_[precision[0], precision],
        auc=float(np.trapezoid(recall, rate)),
        average_precision=float((np.diff(recall) * precision).sum()),
    )


def compute_group_accuracy(
    truth: np.ndarray, probs: np.ndarray, groups: Sequence[str]
) -> tuple[GroupAccuracy, ...]:
    """Return the accuracy of each group, the worst first, of equal ones the larger first.

    Args:
        truth: (N,) int class indices.
        probs: (S, N, K) of S seeds.
        groups: N names.

    >>> probs = np.array([[[0.9, 0.1], [0.8, 0.2]]])
    >>> compute_group_accuracy(np.array([0, 1]), probs, ("x", "y"))[0]
    GroupAccuracy(group='y', n_clips=1, accuracy=0.0)
    """
    is_right = (probs.argmax(axis=-1) == truth).mean(axis=0)
    names, places = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    sizes = np.bincount(places)
    shares = np.bincount(places, is_right) / sizes
    order = np.lexsort((names, -sizes, shares))
    return tuple(GroupAccuracy(str(names[k]), int(sizes[k]), float(shares[k])) for k in order)


def find_worst_errors(truth: np.ndarray, probs: np.ndarray, at_most: int) -> list[int]:
    """Return the places of clips that are taken for another class, the most confident error first.

    Args:
        truth: (N,) int class indices.
        probs: (N, K).
        at_most: So many at most.

    >>> find_worst_errors(np.array([0, 0, 1]), np.array([[0.4, 0.6], [0.1, 0.9], [0.2, 0.8]]), 9)
    [1, 0]
    """
    wrong = np.flatnonzero(probs.argmax(axis=1) != truth)
    confidence = probs[wrong].max(axis=1)
    return wrong[np.argsort(-confidence, kind="stable")][:at_most].tolist()


def find_best_epoch(losses: Sequence[float]) -> int | None:
    """Return the index of the lowest loss, the last of several as low; None where none is finite.

    >>> find_best_epoch([0.9, 0.5, float("nan"), 0.5, 0.6])
    3
    """
    finite = [(loss, -epoch) for epoch, loss in enumerate(losses) if np.isfinite(loss)]
    return -min(finite)[1] if finite else None
