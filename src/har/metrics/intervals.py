"""Figures with their 95 % intervals: drawn from whole groups, exact for shares of single items.

BCa            whole groups are drawn again and again; the percentiles are moved for bias and skew
percentile     the same without that, where it is not defined or there is nothing to move
exact          Clopper and Pearson's, for a share of items that do not depend on each other, and
               for 0 % and 100 %, of which every resample is the same; for a rate of 0, Garwood's
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

_LEVEL = (0.025, 0.975)
_NORMAL = NormalDist()

FEW_GROUPS = 10
"""Intervals over fewer groups are too narrow, and users are warned.

Source: ``benchmarks/intervals.py`` (1,500 samples of a mean over groups; normal, skewed, shares):
a 95 % interval holds the true value in 79 to 86 of 100 samples of 5 groups, in 84 to 90 of 8, in 87
to 92 of 10 and in 92 to 95 of 30.
"""

_CONSTANT = "it is the same in every resample, so how much it varies is not known"

Method = Literal["", "BCa", "percentile", "exact"]


@dataclass(frozen=True)
class Interval:
    """A figure with its 95 % interval.

    Attributes:
        mean: The figure on everything, averaged over seeds where there are several; None where it
            is not defined.
        low: The lower end, or None where there is no interval.
        high: The upper end, or None.
        n_undefined: Resamples that were left out because the figure is not defined on them.
        reason: Why there is no interval, empty where there is one.
        method: How the ends were found.
    """

    mean: float | None
    low: float | None
    high: float | None
    n_undefined: int = 0
    reason: str = ""
    method: Method = ""

    def to_json(self) -> dict[str, Any]:
        """Return ``mean`` and ``ci95``, and ``reason`` where there is no interval."""
        if self.low is None:
            return {"mean": self.mean, "ci95": None, "reason": self.reason}
        ends = [self.low, self.high]
        return {
            "mean": self.mean,
            "ci95": ends,
            "n_undefined": self.n_undefined,
            "method": self.method,
        }


@dataclass(frozen=True)
class Share:
    """The counts behind a figure that is a plain share.

    Attributes:
        hits: (N,) what counts for the share, of each item; a mean over seeds where there are some.
        totals: (N,) of how many, of each item.
    """

    hits: np.ndarray
    totals: np.ndarray


@dataclass(frozen=True)
class Rate:
    """The counts behind a rate, such as false alarms an hour.

    Attributes:
        counts: (N,) of each item.
        amounts: (N,) hours or the like, of each item.
    """

    counts: np.ndarray
    amounts: np.ndarray


def bootstrap_figures(
    compute: Callable[[np.ndarray], np.ndarray],
    groups: Sequence[str],
    what: str,
    undefined: str,
    n_resamples: int = 1000,
    seed: int = 0,
    known: Mapping[int, Share | Rate] | None = None,
    rough: Collection[int] = (),
) -> list[Interval]:
    """Return some figures with 95 % intervals over groups.

    Whole groups are drawn with replacement. Resamples on which a figure is not defined are left
    out of its interval and counted. With fewer than two groups there is no interval, nor where all
    resamples give the same: an interval without width would claim that nothing is left to doubt.

    Args:
        compute: Takes (N,) whole numbers, how often each item counts, and gives (M,) figures, NaN
            where one is not defined.
        groups: N names, N >= 1: items of one group depend on each other and are drawn together.
        what: What the items are, such as ``clips``.
        undefined: The reason given for a figure that is not defined.
        n_resamples: Resamples.
        seed: Same seed, same intervals.
        known: By the place of a figure, its counts. The interval of a share is exact where no group
            has more than one of what is counted, or where it is 0 or 1 (then a group counts as
            one); that of a rate where it is 0.
        rough: Places of figures that leap when a group goes, such as medians: percentiles only.

    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 14 (BCa,
    acceleration by the jackknife); Field and Welsh, Bootstrapping clustered data, JRSS B 69, 2007,
    for drawing whole groups.

    >>> values = np.array([0.0, 1.0, 1.0])
    >>> mean, = bootstrap_figures(lambda n: np.array([n @ values / n.sum()]), "abb", "", "")
    >>> round(mean.mean, 3), mean.low, mean.high
    (0.667, 0.0, 1.0)
    """
    means = compute(np.ones(len(groups), dtype=np.int64))
    names, member_of = np.unique(np.asarray(list(groups), dtype=str), return_inverse=True)
    n = len(names)
    if n < 2:
        reason = f"all {what} are of one group ({str(names[0])!r}); an interval needs two or more"
        return [Interval(to_value(mean), None, None, reason=reason) for mean in means]
    draws = np.random.default_rng(seed).integers(n, size=(n_resamples, n))
    values = np.array([compute(np.bincount(draw, minlength=n)[member_of]) for draw in draws])
    without = np.full((0, len(means)), np.nan)
    if n <= n_resamples:  # with very many groups both kinds of ends are alike
        without = np.array([compute((member_of != group).astype(np.int64)) for group in range(n)])
    found = []
    for k, mean in enumerate(means):
        exact = _find_exact(float(mean), (known or {}).get(k), member_of)
        others = without[:0, k] if k in rough else without[:, k]
        found.append(exact or _find_ends(float(mean), values[:, k], others, undefined))
    return found


def compute_exact_ends(n_hits: int, n: int) -> tuple[float, float]:
    """Return the ends of the exact 95 % interval of a share of items that are independent.

    Args:
        n_hits: From 0 to ``n``.
        n: At least 1.

    Source: C. J. Clopper and E. S. Pearson, Biometrika 26, 1934.

    >>> [round(end, 3) for end in compute_exact_ends(10, 10)]
    [0.692, 1.0]
    """
    low = 0.0 if n_hits == 0 else 1.0 - _find_upper(n - n_hits, n)
    return low, 1.0 if n_hits == n else _find_upper(n_hits, n)


def _find_upper(n_hits: int, n: int) -> float:
    """Return the share at which so few hits have a chance of 2.5 %."""
    counts = np.arange(n_hits + 1)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1.0, n + 1)))])
    ways = logs[n] - logs[counts] - logs[n - counts]
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        chances = ways + counts * np.log(middle) + (n - counts) * np.log1p(-middle)
        low, high = (middle, high) if np.exp(chances).sum() > _LEVEL[0] else (low, middle)
    return (low + high) / 2


def warn_few_groups(n_groups: int, what: str = "groups") -> str:
    """Return a sentence for the user where intervals over so few groups mislead, else nothing.

    With fewer than two there is no interval, and its reason is given instead.

    >>> warn_few_groups(30)
    ''
    """
    if n_groups >= FEW_GROUPS or n_groups < 2:
        return ""
    return (
        f"Only {n_groups} {what}: intervals over so few are too narrow to be relied on (of 95 % "
        f"intervals over 5, about 80 to 85 of 100 hold the true value); {FEW_GROUPS} or more are "
        "needed"
    )


def to_value(figure: float) -> float | None:
    """Return a plain number, or None for NaN."""
    return None if np.isnan(figure) else float(figure)


def _find_exact(mean: float, known: Share | Rate | None, member_of: np.ndarray) -> Interval | None:
    """Return the exact interval of a figure where there is one.

    Source, for a rate of 0: F. Garwood, Biometrika 28, 1936.
    """
    match known:
        case Share(hits, totals) if totals.sum() > 0:
            by_group, n_hits = np.bincount(member_of, totals), float(hits.sum())
            n = float(by_group.sum())
            if by_group.max() <= 1 and np.array_equal(hits, np.round(hits)):
                ends = compute_exact_ends(int(n_hits), int(n))
                return Interval(mean, *ends, method="exact")
            if n_hits in (0.0, n):
                n_groups = int((by_group > 0).sum())
                ends = compute_exact_ends(n_groups if n_hits else 0, n_groups)
                return Interval(mean, *ends, method="exact")
        case Rate(counts, amounts) if counts.sum() == 0 and amounts.sum() > 0:
            high = -math.log(_LEVEL[0]) / float(amounts.sum())
            return Interval(mean, 0.0, high, method="exact")
    return None


def _find_ends(mean: float, values: np.ndarray, without: np.ndarray, undefined: str) -> Interval:
    defined = values[np.isfinite(values)]
    n_undefined = len(values) - len(defined)
    if not np.isfinite(mean) or len(defined) == 0:
        return Interval(to_value(mean), None, None, n_undefined, undefined)
    if np.ptp(defined) <= 1e-12:
        return Interval(float(mean), None, None, n_undefined, _CONSTANT)
    moved = _move_levels(mean, defined, without)
    low, high = np.quantile(defined, moved or _LEVEL)
    method: Method = "BCa" if moved else "percentile"
    return Interval(float(mean), float(low), float(high), n_undefined, method=method)


def _move_levels(
    mean: float, values: np.ndarray, without: np.ndarray
) -> tuple[float, float] | None:
    """Return the percentiles of the BCa interval, or None where they are not defined.

    Args:
        mean: The figure on everything.
        values: (B,) on resamples.
        without: (G,) without one group each; empty where it must not be used.
    """
    below = float(np.mean(values < mean) + np.mean(values <= mean)) / 2
    gaps = without.mean() - without if len(without) else without
    spread = float((gaps**2).sum())
    if not 0.0 < below < 1.0 or not np.isfinite(spread) or spread <= 1e-24:
        return None
    bias, skew = _NORMAL.inv_cdf(below), float((gaps**3).sum()) / (6 * spread**1.5)
    reach = [bias + _NORMAL.inv_cdf(level) for level in _LEVEL]
    if any(1 - skew * z <= 0 for z in reach):
        return None
    low, high = (_NORMAL.cdf(bias + z / (1 - skew * z)) for z in reach)
    return low, high
