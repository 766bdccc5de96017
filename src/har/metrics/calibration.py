"""Whether probabilities are calibrated, and the one number that makes them so.

With n clips, sorted into bins by the probability of the predicted label:

    expected calibration error    mean of |accuracy - mean probability| over bins, by their clips
    temperature                   what logits are divided by to make the true labels most likely

Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.errors import ConfigError, NoClipsError

N_BINS = 10
_LEAST, _MOST = 0.5, 20.0
"""Few clips that are all right would fit any sharpness: twice as sharp is the most they get."""
_N_HALVINGS = 60
_SMALLEST_PROB = 1e-12


@dataclass(frozen=True)
class ReliabilityBin:
    """Clips that were predicted with about the same probability.

    Attributes:
        low: From this probability on.
        high: Up to this one; the last bin includes it.
        n_clips: In the bin; those of several seeds all count.
        confidence: Mean probability of the predicted labels, None in an empty bin.
        accuracy: Share of them that is true, None in an empty bin.
    """

    low: float
    high: float
    n_clips: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True)
class Calibration:
    """How far probabilities can be trusted, out of fold.

    Attributes:
        temperature: That of all clips together, for a model that is trained on all of them.
        ece: Expected calibration error, each fold at the temperature of the other folds.
        ece_before: The same at temperature 1.
        accuracy: Of the label with the greatest probability.
        best_accuracy: With two labels, at the threshold that is best in hindsight; else None.
        bins: The reliability diagram behind ``ece``.
    """

    temperature: float
    ece: float
    ece_before: float
    accuracy: float
    best_accuracy: float | None
    bins: tuple[ReliabilityBin, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def calibrate_folds(truth: np.ndarray, probs: np.ndarray, folds: np.ndarray) -> Calibration:
    """Calibrate out-of-fold probabilities; a fold's own clips never choose its temperature.

    Args:
        truth: (N,) int class indices.
        probs: (S, N, K) out-of-fold probabilities of S seeds.
        folds: (S, N) int: each clip's fold.

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other.
    """
    _check(truth, probs)
    scaled = np.stack([_scale_by_others(truth, *one) for one in zip(probs, folds, strict=True)])
    everyone = np.tile(truth, len(probs))
    merged, merged_before = scaled.reshape(-1, probs.shape[2]), probs.reshape(-1, probs.shape[2])
    bins = compute_reliability(everyone, merged)
    hindsight = [find_best_accuracy(truth, one) for one in scaled] if probs.shape[2] == 2 else []
    return Calibration(
        temperature=fit_temperature(everyone, merged_before),
        ece=compute_ece(bins),
        ece_before=compute_ece(compute_reliability(everyone, merged_before)),
        accuracy=float((merged.argmax(axis=1) == everyone).mean()),
        best_accuracy=float(np.mean(hindsight)) if hindsight else None,
        bins=bins,
    )


def _scale_by_others(truth: np.ndarray, probs: np.ndarray, folds: np.ndarray) -> np.ndarray:
    scaled = np.empty_like(probs, dtype=np.float64)
    for fold in np.unique(folds):
        own = folds == fold
        others = ~own if not own.all() else own
        scaled[own] = apply_temperature(probs[own], fit_temperature(truth[others], probs[others]))
    return scaled


def fit_temperature(truth: np.ndarray, probs: np.ndarray) -> float:
    """Return the temperature at which the true labels are most likely.

    Args:
        truth: (N,) int class indices.
        probs: (N, K) probabilities at temperature 1.

    Returns:
        From 0.5 to 20: where nothing was wrong, or nothing right, there is no best one.

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other.

    >>> half_right = np.array([[0.9, 0.1], [0.9, 0.1]])
    >>> round(fit_temperature(np.array([0, 1]), half_right), 2)
    20.0
    """
    _check(truth, probs[None])
    logits = np.log(np.maximum(probs.astype(np.float64), _SMALLEST_PROB))
    of_truth = logits[np.arange(len(truth)), truth].sum()
    low, high = 1.0 / _MOST, 1.0 / _LEAST
    for _ in range(_N_HALVINGS):  # the likelihood is concave in 1 / temperature: halve its slope
        middle = 0.5 * (low + high)
        expected = (apply_temperature(probs, 1.0 / middle) * logits).sum()
        low, high = (middle, high) if of_truth > expected else (low, middle)
    return float(2.0 / (low + high))


def apply_temperature(probs: np.ndarray, temperature: float) -> np.ndarray:
    """Return (N, K) float64 probabilities of the same logits at another temperature.

    >>> apply_temperature(np.array([[0.8, 0.2]]), 2.0).round(3).tolist()
    [[0.667, 0.333]]
    """
    logits = np.log(np.maximum(probs.astype(np.float64), _SMALLEST_PROB)) / temperature
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def compute_reliability(truth: np.ndarray, probs: np.ndarray) -> tuple[ReliabilityBin, ...]:
    """Sort clips into equal bins of the probability of the predicted label.

    Args:
        truth: (N,) int class indices.
        probs: (N, K).

    Raises:
        NoClipsError: N is 0.
        ConfigError: The arrays do not fit each other.
    """
    _check(truth, probs[None])
    confidence, is_true = probs.max(axis=1), probs.argmax(axis=1) == truth
    place = np.minimum((confidence * N_BINS).astype(int), N_BINS - 1)
    edges = np.linspace(0.0, 1.0, N_BINS + 1)
    bins = []
    for index in range(N_BINS):
        own = place == index
        mean = (float(confidence[own].mean()), float(is_true[own].mean())) if own.any() else None
        predicted, right = mean or (None, None)
        low, high = float(edges[index]), float(edges[index + 1])
        bins.append(ReliabilityBin(low, high, int(own.sum()), predicted, right))
    return tuple(bins)


def compute_ece(bins: tuple[ReliabilityBin, ...]) -> float:
    """Return the expected calibration error of a reliability diagram.

    >>> compute_ece((ReliabilityBin(0.5, 1.0, 4, 0.9, 0.75),)).__round__(2)
    0.15
    """
    total = sum(item.n_clips for item in bins)
    gaps = (
        item.n_clips * abs(item.accuracy - item.confidence)
        for item in bins
        if item.accuracy is not None and item.confidence is not None
    )
    return sum(gaps) / total


def find_best_accuracy(truth: np.ndarray, probs: np.ndarray) -> float:
    """Return the accuracy at the threshold that suits these very clips best.

    Args:
        truth: (N,) int, 0 or 1.
        probs: (N, 2).

    >>> find_best_accuracy(np.array([0, 1, 1]), np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3]]))
    1.0
    """
    order = np.argsort(probs[:, 1], kind="stable")
    scores, is_second = probs[order, 1], truth[order] == 1
    n_right = np.cumsum(np.r_[is_second.sum(), np.where(is_second, -1, 1)])
    is_cut = np.r_[True, scores[1:] > scores[:-1], True]
    return float(n_right[is_cut].max() / len(truth))


def _check(truth: np.ndarray, probs: np.ndarray) -> None:
    if len(truth) == 0:
        raise NoClipsError("There are no clips to calibrate on")
    if probs.ndim != 3 or probs.shape[1] != len(truth) or probs.shape[2] < 2:
        raise ConfigError(
            f"Expected probs of {len(truth)} clips and two labels or more, received {probs.shape}"
        )
