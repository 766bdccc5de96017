"""Figures with intervals, for statistics that the package itself has no need of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from har.metrics.intervals import Interval, bootstrap_figures

Figure = dict[str, Any]


def bootstrap(
    groups: Sequence[str], compute: Callable[[np.ndarray], float], seed: int = 0
) -> Figure:
    """Return a figure with its 95 % interval over groups, drawn whole with replacement.

    Args:
        groups: N names.
        compute: Gives the figure of some rows of the N, NaN where it is not defined on them.
        seed: Same seed, same interval.
    """
    (figure,) = bootstrap_figures(
        lambda weights: np.array([compute(np.repeat(np.arange(len(weights)), weights))]),
        groups,
        "rows",
        "not defined",
        seed=seed,
    )
    return figure.to_json()


def bootstrap_mean(groups: Sequence[str], values: np.ndarray) -> Figure:
    """Return the mean of (N,) values with its interval over groups, and how many there are."""
    figure = bootstrap(groups, lambda rows: float(values[rows].mean()) if len(rows) else np.nan)
    return {"n": len(values), **figure}


def bootstrap_auc(groups: Sequence[str], truth: np.ndarray, scores: np.ndarray) -> Figure:
    """Return the AUC of scores, averaged over their leading axis if they have one.

    Args:
        groups: N names.
        truth: (N,) bool.
        scores: (N,) or (S, N).
    """
    by_seed = np.atleast_2d(scores)
    return bootstrap(groups, lambda rows: compute_auc(truth[rows], by_seed[:, rows]))


def compute_auc(truth: np.ndarray, by_seed: np.ndarray) -> float:
    """Return the mean AUC of (S, N) scores, NaN where all rows are of one kind.

    >>> compute_auc(np.array([False, True, True]), np.array([[0.1, 0.1, 0.9]]))
    0.75
    """
    n_wanted, n_others = int(truth.sum()), int((~truth).sum())
    if not n_wanted or not n_others:
        return float("nan")
    rank_sums = rankdata(by_seed, axis=1)[:, truth].sum(axis=1)
    won = rank_sums - n_wanted * (n_wanted + 1) / 2
    return float(np.mean(won / (n_wanted * n_others)))


def compute_recall_at(hits: np.ndarray, rests: np.ndarray, false_share: float) -> float:
    """Return the share of hits above the score that ``false_share`` of the rest exceed.

    >>> compute_recall_at(np.array([1.0, 3.0]), np.arange(3.0), 0.0)
    0.5
    """
    if not len(hits) or not len(rests):
        return float("nan")
    return float((hits > find_cut(rests, false_share)).mean())


def find_cut(rests: np.ndarray, false_share: float) -> float:
    """Return the lowest of the scores that at most ``false_share`` of them exceed."""
    return float(np.quantile(rests, 1.0 - false_share, method="higher"))


def compute_paired(differences: Sequence[float]) -> Figure:
    """Return the mean of paired differences with Student's 95 % interval over the pairs."""
    values = np.asarray(differences, dtype=float)
    mean = float(values.mean())
    if len(values) < 2:
        return Interval(mean, None, None, reason="one pair only").to_json()
    reach = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(mean, mean - reach, mean + reach).to_json()
