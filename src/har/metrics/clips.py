"""How well clips are classified: figures, and their intervals over groups.

With counts of one class against the rest, TP, FP, FN:

    accuracy    clips whose most probable label is the true one / all clips
    precision   TP / (TP + FP)
    recall      TP / (TP + FN)
    F1          2 TP / (2 TP + FP + FN)
    AUC         chance that a clip of the class is scored above a clip of another, ties half

A figure whose denominator is 0 is None, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.errors import ConfigError, NoClipsError
from har.metrics.intervals import Interval, Share, bootstrap_figures, to_value

METRICS = ("accuracy", "macro_f1", "auc")
_UNDEFINED = "a class has no clip, so the figure is not defined"


@dataclass(frozen=True)
class ClassMetrics:
    """One class against the rest.

    Attributes:
        precision: None where no clip was predicted to be of the class.
        recall: None where no clip is of the class.
        f1: None where neither is the case.
        support: Clips that are of the class.
    """

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


@dataclass(frozen=True)
class ClipMetrics:
    """How well a set of clips was classified.

    Attributes:
        labels: K names in the model's order.
        n_clips: Clips that were scored.
        accuracy: In [0, 1].
        macro_f1: Mean F1 over the classes that occur as true or as predicted labels.
        auc: In [0, 1]. With two classes that of the second, ``labels[1]``; with more the mean
            over classes, each against the rest. None where a class has no clip.
        per_class: K entries in the order of ``labels``.
        confusion: K rows of K counts: row is the truth, column the prediction.
    """

    labels: tuple[str, ...]
    n_clips: int
    accuracy: float
    macro_f1: float
    auc: float | None
    per_class: tuple[ClassMetrics, ...]
    confusion: tuple[tuple[int, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; None where a figure is not defined."""
        return asdict(self)


def compute_clip_metrics(
    labels: tuple[str, ...], truth: np.ndarray, probs: np.ndarray
) -> ClipMetrics:
    """Compare predicted probabilities with the true labels.

    A clip is predicted to be of its most probable class, the first of several as probable.

    Args:
        labels: K >= 2 names in the model's order.
        truth: (N,) int, indices into ``labels``.
        probs: (N, K) float, finite.

    >>> metrics = compute_clip_metrics(
    ...     ("play", "hit"), np.array([0, 0, 1, 1]),
    ...     np.array([[0.9, 0.1], [0.4, 0.6], [0.3, 0.7], [0.2, 0.8]]))
    >>> metrics.accuracy, metrics.auc, metrics.confusion
    (0.75, 1.0, ((1, 1), (0, 2)))

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other or the labels.
    """
    if probs.ndim == 2 and probs.shape[1] != len(labels):
        raise ConfigError(
            f"Expected probs of {len(labels)} columns for labels {labels}, received {probs.shape}"
        )
    ranked = _rank(truth, probs[None])[0]
    ones = np.ones(len(truth))
    accuracy, macro_f1, auc = ranked.compute(ones)
    confusion = ranked.compute_confusion(ones).astype(int)
    return ClipMetrics(
        labels=labels,
        n_clips=len(truth),
        accuracy=accuracy,
        macro_f1=macro_f1,
        auc=to_value(auc),
        per_class=tuple(_class_metrics(label, confusion, k) for k, label in enumerate(labels)),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def bootstrap_metrics(
    truth: np.ndarray,
    probs: np.ndarray,
    groups: Sequence[str],
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return accuracy, macro F1 and AUC with 95 % intervals over groups.

    Where a cross-validation was repeated with several seeds, each figure is computed for each seed
    and averaged over seeds; whole groups are drawn once for all seeds, since the seeds saw the same
    clips. AUC is not defined where a class was not drawn. See `bootstrap_figures`.

    Args:
        truth: (N,) int class indices.
        probs: (N, K) float, or (S, N, K) of S seeds.
        groups: N names: clips of one group depend on each other and are drawn together.
        n_resamples: Resamples.
        seed: Same seed, same intervals.

    Returns:
        An `Interval` by each name in `METRICS`.

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other.
    """
    ranked = _rank(truth, probs[None] if probs.ndim == 2 else probs)
    if len(groups) != len(truth):
        raise ConfigError(f"Expected {len(truth)} groups, one a clip, received {len(groups)}")
    hits = np.mean([one.truth == one.predicted for one in ranked], axis=0)
    figures = bootstrap_figures(
        lambda weights: _average(ranked, weights),
        groups,
        "clips",
        _UNDEFINED,
        n_resamples,
        seed,
        known={METRICS.index("accuracy"): Share(hits, np.ones(len(hits)))},
    )
    return dict(zip(METRICS, figures, strict=True))


def bootstrap_difference(
    truth: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    groups: Sequence[str],
    n_resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """Return how much larger accuracy, macro F1 and AUC of one set of predictions are.

    Both are measured on the same resamples (paired bootstrap), so that what is hard for both does
    not widen the interval.

    Args:
        truth: (N,) int class indices.
        first: (N, K) float, or (S, N, K) of S seeds.
        second: The predictions that are compared with them, of as many seeds or others.
        groups: As of `bootstrap_metrics`.
        n_resamples: Resamples.
        seed: Same seed, same intervals.

    Returns:
        Second less first, an `Interval` by each name in `METRICS`.

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other.
    """
    one, other = (_rank(truth, p[None] if p.ndim == 2 else p) for p in (first, second))
    figures = bootstrap_figures(
        lambda weights: _average(other, weights) - _average(one, weights),
        groups,
        "clips",
        _UNDEFINED,
        n_resamples,
        seed,
    )
    return dict(zip(METRICS, figures, strict=True))


@dataclass(frozen=True)
class _Ranked:
    """One set of predictions, prepared for being weighted again and again.

    Attributes:
        truth: (N,) int.
        predicted: (N,) int.
        levels: (K, N) int, the rank of each clip's score for each class, equal scores alike.
    """

    truth: np.ndarray
    predicted: np.ndarray
    levels: np.ndarray

    def compute(self, weights: np.ndarray) -> tuple[float, float, float]:
        """Return accuracy, macro F1 and AUC, each clip counted ``weights`` times."""
        confusion = self.compute_confusion(weights)
        hits = np.diag(confusion)
        margins = confusion.sum(axis=0) + confusion.sum(axis=1)  # 2 TP + FP + FN
        f1 = 2 * hits[margins > 0] / margins[margins > 0]
        return float(hits.sum() / confusion.sum()), float(f1.mean()), self._compute_auc(weights)

    def compute_confusion(self, weights: np.ndarray) -> np.ndarray:
        """Return (K, K) counts, truth by prediction."""
        n = len(self.levels)
        cells = np.bincount(self.truth * n + self.predicted, weights, minlength=n * n)
        return cells.reshape(n, n)

    def _compute_auc(self, weights: np.ndarray) -> float:
        classes = (1,) if len(self.levels) == 2 else range(len(self.levels))
        return float(np.mean([_auc(self.truth == k, self.levels[k], weights) for k in classes]))


def _rank(truth: np.ndarray, probs_by_seed: np.ndarray) -> list[_Ranked]:
    _check_arrays(truth, probs_by_seed)
    return [
        _Ranked(
            truth=np.asarray(truth),
            predicted=probs.argmax(axis=1),
            levels=np.stack([np.unique(scores, return_inverse=True)[1] for scores in probs.T]),
        )
        for probs in probs_by_seed
    ]


def _check_arrays(truth: np.ndarray, probs_by_seed: np.ndarray) -> None:
    if truth.ndim != 1 or probs_by_seed.ndim != 3 or probs_by_seed.shape[1] != len(truth):
        raise ConfigError(
            "Expected label indices of shape (N,) and probs of (N, K) for each seed, received "
            f"{truth.shape} and {probs_by_seed.shape[1:]}"
        )
    if len(truth) == 0:
        raise NoClipsError("There are no clips to score; choose a split that has some")
    n_classes = probs_by_seed.shape[2]
    if n_classes < 2:
        raise ConfigError(f"Expected two labels or more, received {n_classes}")
    if not np.issubdtype(truth.dtype, np.integer) or truth.min() < 0 or truth.max() >= n_classes:
        raise ConfigError(
            f"Expected label indices from 0 to {n_classes - 1}, received {truth.dtype} from "
            f"{truth.min()} to {truth.max()}"
        )
    if not np.isfinite(probs_by_seed).all():
        raise ConfigError("Expected finite probs, received some that are not numbers")


def _auc(positive: np.ndarray, levels: np.ndarray, weights: np.ndarray) -> float:
    """Area under the ROC curve as the Mann-Whitney statistic; NaN where a side has no weight.

    Source: Hanley and McNeil, Radiology 143, 1982.
    """
    n_levels = levels.max() + 1
    above = np.bincount(levels, weights * positive, minlength=n_levels)
    below = np.bincount(levels, weights * ~positive, minlength=n_levels)
    n_pairs = above.sum() * below.sum()
    if n_pairs == 0:
        return float("nan")
    n_won = above @ (np.cumsum(below) - below / 2)
    return float(n_won / n_pairs)


def _average(ranked: list[_Ranked], weights: np.ndarray) -> np.ndarray:
    return np.mean([one.compute(weights) for one in ranked], axis=0)


def _class_metrics(label: str, confusion: np.ndarray, k: int) -> ClassMetrics:
    hits, support, n_predicted = confusion[k, k], confusion[k].sum(), confusion[:, k].sum()
    return ClassMetrics(
        label=label,
        precision=_ratio(hits, n_predicted),
        recall=_ratio(hits, support),
        f1=_ratio(2 * hits, support + n_predicted),
        support=int(support),
    )


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
