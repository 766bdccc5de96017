"""What the people of a window show, taken together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.types import PeopleRule


@dataclass(frozen=True)
class Pooled:
    """One answer for all people of a window.

    Attributes:
        logits: (K,) float64; zeros where nobody's keypoints are confident enough.
        leaders: (K,) int64: row of the person who shows each label most, of equals the most
            confident; -1 where there is nobody.
        confidence: From 0 to 1, 0 where nobody is confident enough.
    """

    logits: np.ndarray
    leaders: np.ndarray
    confidence: float


def pool_steps(
    logits: np.ndarray, seen: np.ndarray, rule: PeopleRule, background: int
) -> np.ndarray:
    """Return one answer for the steps of a window, person by person.

    Args:
        logits: (P, T, K).
        seen: (P, T) above 0 where the person is seen, else 0; other steps do not count.
        rule: ``any`` lets some strong steps decide for a window (the mean in the exponent, of
            logits against the background), for an action is often shorter than a window; ``mean``
            is the mean.
        background: Index of the background label; only ``any`` needs it.

    Returns:
        (P, K) float64, zeros for a person who is never seen.

    >>> logits, seen = np.array([[[0.0, 0.0], [0.0, 9.0]]]), np.ones((1, 2))
    >>> pool_steps(logits, seen, "mean", 0)[0].tolist()
    [0.0, 4.5]
    >>> pool_steps(logits, seen, "any", 0)[0].round(1).tolist()
    [0.0, 8.3]
    """
    is_seen, logits = seen[..., None] > 0, logits.astype(np.float64)
    n_seen = np.maximum(is_seen.sum(axis=1), 1)
    if rule == "mean":
        return np.where(is_seen, logits, 0.0).sum(axis=1) / n_seen
    against = np.where(is_seen, logits - logits[..., [background]], -np.inf)
    pooled = np.logaddexp.reduce(against, axis=1) - np.log(n_seen)
    return np.where(is_seen.any(axis=1), pooled, 0.0)


def pool_people(
    logits: np.ndarray,
    confidence: np.ndarray,
    rule: PeopleRule,
    background: int,
    min_confidence: float,
) -> Pooled:
    """Return one answer for the people of a window, whatever their order.

    Args:
        logits: (P, K), P may be 0.
        confidence: (P,) from 0 to 1.
        rule: ``any`` takes each label from whoever shows it most against the background, which
            itself is 0; ``mean`` is the mean by confidence.
        background: Index of the background label; only ``any`` needs it.
        min_confidence: Who is less confident is left out, and whoever's confidence is 0.

    >>> logits = np.array([[0.0, 2.0], [1.0, 4.0], [9.0, 9.0]])
    >>> pool_people(logits, np.array([0.5, 0.5, 0.1]), "any", 0, 0.2).logits.tolist()
    [0.0, 3.0]
    >>> pool_people(logits, np.array([0.5, 0.5, 0.1]), "mean", 0, 0.2).logits.tolist()
    [0.5, 3.0]
    """
    order = np.argsort(-confidence, kind="stable")
    confident = order[(confidence[order] >= min_confidence) & (confidence[order] > 0.0)]
    n_labels = logits.shape[1]
    if len(confident) == 0:
        return Pooled(np.zeros(n_labels), np.full(n_labels, -1, dtype=np.int64), 0.0)
    own, weights = logits[confident].astype(np.float64), confidence[confident].astype(np.float64)
    against = own - own[:, [background]] if rule == "any" else own
    leaders = confident[against.argmax(axis=0)]
    pooled = against.max(axis=0) if rule == "any" else np.average(own, axis=0, weights=weights)
    return Pooled(pooled, leaders, float(weights.max()))
