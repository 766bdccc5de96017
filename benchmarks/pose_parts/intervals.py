"""Figures with intervals, for statistics that the package itself has no need of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata
from scipy.stats import t as student

from har.metrics.intervals import Interval

Figure = dict[str, Any]
N_RESAMPLES = 1000


def bootstrap(
    groups: Sequence[str], compute: Callable[[np.ndarray], float], seed: int = 0
) -> Figure:
    """Return a figure with its 95 % interval over groups, drawn whole with replacement.

    Args:
        groups: N names.
        compute: Gives the figure of some rows of the N, NaN where it is not defined on them.
        seed: Same seed, same interval.
    """
    mean = compute(np.arange(len(groups)))
    names, member_of = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if len(names) < 2 or not np.isfinite(mean):
        reason = "not defined" if len(names) > 1 else "all of one group"
        shown = float(mean) if np.isfinite(mean) else None
        return Interval(shown, None, None, reason=reason).to_json()
    rows = [np.flatnonzero(member_of == group) for group in range(len(names))]
    draws = np.random.default_rng(seed).integers(len(names), size=(N_RESAMPLES, len(names)))
    values = np.array([compute(np.concatenate([rows[group] for group in draw])) for draw in draws])
    defined = values[np.isfinite(values)]
    low, high = np.quantile(defined, (0.025, 0.975))
    n_undefined = len(values) - len(defined)
    return Interval(float(mean), float(low), float(high), n_undefined).to_json()


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
