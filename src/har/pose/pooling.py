"""What the people of a window show, taken together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.types import PeopleRule


@dataclass(frozen=True)
class Pooled:
    """One answer for all people of a window.

    Attributes:
        logits: (K,) float64; zeros where nobody's keypoints are sure enough.
        leaders: (K,) int64: row of the person who shows each label most, of equals the surest; -1
            where there is nobody.
        sureness: From 0 to 1, 0 where nobody is sure enough.
    """

    logits: np.ndarray
    leaders: np.ndarray
    sureness: float


def pool_people(
    logits: np.ndarray,
    sureness: np.ndarray,
    rule: PeopleRule,
    background: int,
    min_sureness: float,
) -> Pooled:
    """Gives one answer for the people of a window, whatever their order.

    Args:
        logits: (P, K), P may be 0.
        sureness: (P,) from 0 to 1.
        rule: ``any`` takes each label from whoever shows it most against the background, which
            itself is 0; ``mean`` is the mean by sureness.
        background: Index of the background label; only ``any`` looks at it.
        min_sureness: Who is less sure is left out, and whoever's sureness is 0.

    >>> logits = np.array([[0.0, 2.0], [1.0, 4.0], [9.0, 9.0]])
    >>> pool_people(logits, np.array([0.5, 0.5, 0.1]), "any", 0, 0.2).logits.tolist()
    [0.0, 3.0]
    >>> pool_people(logits, np.array([0.5, 0.5, 0.1]), "mean", 0, 0.2).logits.tolist()
    [0.5, 3.0]
    """
    order = np.argsort(-sureness, kind="stable")
    sure = order[(sureness[order] >= min_sureness) & (sureness[order] > 0.0)]
    n_labels = logits.shape[1]
    if len(sure) == 0:
        return Pooled(np.zeros(n_labels), np.full(n_labels, -1, dtype=np.int64), 0.0)
    kept, weights = logits[sure].astype(np.float64), sureness[sure].astype(np.float64)
    against = kept - kept[:, [background]] if rule == "any" else kept
    leaders = sure[against.argmax(axis=0)]
    pooled = against.max(axis=0) if rule == "any" else np.average(kept, axis=0, weights=weights)
    return Pooled(pooled, leaders, float(weights.max()))
