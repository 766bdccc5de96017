"""Figures with their 95 % intervals, by drawing whole groups again and again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval.

    Attributes:
        mean: The figure on everything, averaged over seeds where there are several; None where it
            is not defined.
        low: 2.5th percentile over resamples, or None where there is no interval.
        high: 97.5th percentile, or None.
        n_undefined: Resamples that were left out because the figure is not defined on them.
        reason: Why there is no interval, empty where there is one.
    """

    mean: float | None
    low: float | None
    high: float | None
    n_undefined: int = 0
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return ``mean`` and ``ci95``, and ``reason`` where there is no interval."""
        if self.low is None:
            return {"mean": self.mean, "ci95": None, "reason": self.reason}
        return {"mean": self.mean, "ci95": [self.low, self.high], "n_undefined": self.n_undefined}


def bootstrap_figures(
    compute: Callable[[np.ndarray], np.ndarray],
    groups: Sequence[str],
    what: str,
    undefined: str,
    n_resamples: int = 1000,
    seed: int = 0,
) -> list[Interval]:
    """Return some figures with 95 % intervals over groups.

    Whole groups are drawn with replacement. Resamples on which a figure is not defined are left
    out of its interval and counted. With fewer than two groups there is no interval.

    Args:
        compute: Takes (N,) whole numbers, how often each item counts, and gives (M,) figures, NaN
            where one is not defined.
        groups: N names, N >= 1: items of one group depend on each other and are drawn together.
        what: What the items are, such as ``clips``.
        undefined: The reason given for a figure that is not defined.
        n_resamples: Resamples.
        seed: Same seed, same intervals.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, percentile interval;
    Field and Welsh, Bootstrapping clustered data, JRSS B 69, 2007, for drawing whole groups.

    >>> values = np.array([0.0, 1.0, 1.0])
    >>> mean, = bootstrap_figures(lambda n: np.array([n @ values / n.sum()]), "abb", "", "")
    >>> round(mean.mean, 3), mean.low, mean.high
    (0.667, 0.0, 1.0)
    """
    means = compute(np.ones(len(groups), dtype=np.int64))
    names, member_of = np.unique(np.asarray(list(groups), dtype=str), return_inverse=True)
    if len(names) < 2:
        reason = f"all {what} are of one group ({str(names[0])!r}); an interval needs two or more"
        return [Interval(to_value(mean), None, None, reason=reason) for mean in means]
    draws = np.random.default_rng(seed).integers(len(names), size=(n_resamples, len(names)))
    values = np.array(
        [compute(np.bincount(draw, minlength=len(names))[member_of]) for draw in draws]
    )
    return [_summarize(means[k], values[:, k], undefined) for k in range(len(means))]


def to_value(figure: float) -> float | None:
    """Return a plain number, or None for NaN."""
    return None if np.isnan(figure) else float(figure)


def _summarize(mean: float, values: np.ndarray, undefined: str) -> Interval:
    defined = values[np.isfinite(values)]
    n_undefined = len(values) - len(defined)
    if not np.isfinite(mean) or len(defined) == 0:
        return Interval(to_value(mean), None, None, n_undefined, undefined)
    low, high = np.quantile(defined, _LEVEL)
    return Interval(float(mean), float(low), float(high), n_undefined)
