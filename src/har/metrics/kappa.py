"""Agreement beyond chance, and of the order of events: kappa, alpha, the edit score.

The unit is a bin of time. A bin has the labels that are coded at its middle: so a label keeps its
share of the time, and an event is missed only where it is shorter than a bin.

Sources: J. Cohen, "A coefficient of agreement for nominal scales", Educational and Psychological
Measurement 20, 1960; J. Cohen, "Weighted kappa", Psychological Bulletin 70, 1968; K. Krippendorff,
"Computing Krippendorff's alpha-reliability", 2011; time units: R. Bakeman and V. Quera, Sequential
Analysis and Observational Methods for the Behavioral Sciences, 2011, "time-unit kappa".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from har.types import TIME_EPS_S, Event

Weights = Literal["none", "linear", "quadratic"]


def sample_bins(events: Sequence[Event], duration_s: float, bin_s: float) -> np.ndarray:
    """Return (N,) bool: in the middle of which bins an event is.

    A bin at the end of which the recording does not reach the middle is left out, but there is one
    bin at least.

    >>> sample_bins([Event("hit", 1.0, 2.6, 1.0)], 4.0, 1.0).tolist()
    [False, True, True, False]
    """
    inside = np.zeros(max(math.ceil(duration_s / bin_s - 0.5 - TIME_EPS_S), 1), dtype=bool)
    for event in events:
        first, last = (
            max(math.ceil(time_s / bin_s - 0.5 - TIME_EPS_S), 0)
            for time_s in (event.onset_s, event.offset_s)
        )
        inside[first:last] = True
    return inside


def count_table(first: np.ndarray, second: np.ndarray, n_codes: int) -> np.ndarray:
    """Return (C, C) counts of what two observers coded: rows are the first's codes.

    Args:
        first: (N,) int64 codes from 0.
        second: (N,) the other observer's.
        n_codes: C.

    >>> count_table(np.array([0, 1, 1]), np.array([0, 1, 0]), 2).tolist()
    [[1, 0], [1, 1]]
    """
    cells = np.bincount(first * n_codes + second, minlength=n_codes * n_codes)
    return cells.reshape(n_codes, n_codes)


def compute_kappa(table: np.ndarray, weights: Weights = "none") -> np.ndarray:
    """Return Cohen's kappa: 1 is perfect, 0 what chance gives, below 0 worse than that.

    With weights, codes are steps of a scale, and a disagreement counts by how many steps it is
    (linear) or by their square (quadratic).

    Args:
        table: (..., C, C) counts or shares: rows are the first observer's codes.
        weights: How a disagreement counts.

    Returns:
        (...) float64; NaN where both observers gave everything one and the same code.

    Source: Cohen, 1960; with weights Cohen, 1968, kappa = 1 - observed / expected disagreement.

    >>> compute_kappa(np.array([[20, 5], [10, 15]])).round(3).item()
    0.4
    """
    steps = np.abs(np.subtract.outer(*[np.arange(table.shape[-1])] * 2)).astype(np.float64)
    apart = {"none": steps > 0, "linear": steps, "quadratic": steps**2}[weights]
    rows, columns = table.sum(axis=-1), table.sum(axis=-2)
    n = rows.sum(axis=-1)
    expected = np.einsum("...i,...j,ij->...", rows, columns, apart.astype(np.float64))
    return _subtract_ratio(n * (table * apart).sum(axis=(-2, -1)), expected)


def count_coincidences(codes: np.ndarray, n_codes: int) -> np.ndarray:
    """Return Krippendorff's (C, C) coincidences: pairs of codes that one unit was given.

    Args:
        codes: (M, N) int64 of M observers and N units; below 0 where an observer gave none.
        n_codes: C.

    Source: Krippendorff, 2011, step B: each unit's pairs, divided by its observers less one.

    >>> count_coincidences(np.array([[0, 1, 1], [0, 0, -1]]), 2).tolist()
    [[2.0, 1.0], [1.0, 0.0]]
    """
    given = (codes[:, :, None] == np.arange(n_codes)).sum(axis=0).astype(np.float64)
    n_given = given.sum(axis=1)
    given = given[n_given > 1]
    shares = given / (n_given[n_given > 1] - 1)[:, None]
    return shares.T @ given - np.diag(shares.sum(axis=0))


def compute_alpha(coincidences: np.ndarray) -> np.ndarray:
    """Return Krippendorff's alpha of nominal codes: 1 is perfect, 0 what chance gives.

    Args:
        coincidences: (..., C, C); those of two observers who coded all are their table and its
            mirror image.

    Returns:
        (...) float64; NaN where there is only one code.

    Source: Krippendorff, 2011, step D.

    >>> codes = np.array([[0, 1, 0, 0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 0, 0, 1, 0, 0, 0, 0]])
    >>> compute_alpha(count_coincidences(codes, 2)).round(3).item()
    0.095
    """
    given = coincidences.sum(axis=-1)
    n = given.sum(axis=-1)
    differ = n - np.trace(coincidences, axis1=-2, axis2=-1)
    return _subtract_ratio((n - 1) * differ, n**2 - (given**2).sum(axis=-1))


def _subtract_ratio(observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """Return 1 - observed / expected, NaN where nothing is expected."""
    is_defined = expected > 0
    return np.where(is_defined, 1.0 - observed / np.where(is_defined, expected, 1.0), np.nan)


def compute_edit_score(first: Sequence[str], second: Sequence[str]) -> float:
    """Return how alike the order of two codings' labels is: 1 is the same, 0 nothing.

    It is 1 less the insertions, deletions and exchanges that turn one into the other, divided by
    the longer one's length; when events are does not count.

    Returns:
        From 0 to 1; NaN where both are empty.

    Source: segmental edit score, C. Lea et al., "Segmental spatiotemporal CNNs for fine-grained
    action segmentation", ECCV 2016, and "Temporal convolutional networks for action segmentation
    and detection", CVPR 2017 (there in percent); V. Levenshtein, 1966.

    >>> compute_edit_score(["hit", "kick", "hit"], ["hit", "hit"]).__round__(3)
    0.667
    """
    longer = max(len(first), len(second))
    if longer == 0:
        return math.nan
    names = {label: place for place, label in enumerate({*first, *second})}
    ours, theirs = (np.array([names[label] for label in labels]) for labels in (first, second))
    steps = np.arange(len(theirs) + 1)
    row = steps
    for place, label in enumerate(ours, start=1):
        changed = np.minimum(row[1:] + 1, row[:-1] + (theirs != label))
        row = np.minimum.accumulate(np.concatenate([[place], changed]) - steps) + steps
    return 1.0 - int(row[-1]) / longer
