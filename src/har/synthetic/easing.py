"""Smooth curves over time that motions are put together from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Ease = Callable[[np.ndarray], np.ndarray]


def ease_smooth(u: np.ndarray) -> np.ndarray:
    """Gives the minimum-jerk course from 0 to 1: at rest at both ends.

    Args:
        u: Share of the time that has passed, any shape; held within [0, 1].

    Source: Flash and Hogan, The coordination of arm movements, J. Neuroscience 5, 1985.

    >>> ease_smooth(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def ease_strike(u: np.ndarray) -> np.ndarray:
    """Gives a blow's course from 0 to 1: starts at rest and is fastest when it lands.

    >>> ease_strike(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.25, 1.0]
    """
    return np.clip(u, 0.0, 1.0) ** 2


def ease_rebound(u: np.ndarray) -> np.ndarray:
    """Gives the course back from a blow: fastest at once, then coming to rest.

    >>> ease_rebound(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.75, 1.0]
    """
    return 1.0 - (1.0 - np.clip(u, 0.0, 1.0)) ** 2


def compute_pulse(times_s: np.ndarray, centre_s: float, width_s: float) -> np.ndarray:
    """Gives a raised-cosine bump: 1 at ``centre_s``, 0 from half of ``width_s`` away on.

    >>> compute_pulse(np.array([0.0, 1.0, 1.5, 2.0]), 1.0, 2.0).round(3).tolist()
    [0.0, 1.0, 0.5, 0.0]
    """
    u = np.clip((times_s - centre_s) / max(width_s, 1e-6), -0.5, 0.5)
    return 0.5 + 0.5 * np.cos(2.0 * np.pi * u)


def compute_blow(times_s: np.ndarray, contact_s: float, stroke_s: float) -> np.ndarray:
    """Gives the course of one blow: 0, then faster and faster to 1 at the contact, and back.

    >>> compute_blow(np.array([0.0, 0.5, 1.0, 1.5, 2.0]), 1.0, 1.0).tolist()
    [0.0, 0.25, 1.0, 0.25, 0.0]
    """
    u = (times_s - contact_s) / stroke_s
    return np.where(u < 0.0, ease_strike(1.0 + u), 1.0 - ease_rebound(u))


def compute_plateau(times_s: np.ndarray, start_s: float, end_s: float, ramp_s: float) -> np.ndarray:
    """Gives a smooth gate: 0 before ``start_s``, 1 after a ramp, 0 again from ``end_s`` on.

    >>> compute_plateau(np.array([0.0, 1.0, 2.0, 3.0]), 0.0, 3.0, 1.0).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    ramp_s = max(min(ramp_s, (end_s - start_s) / 2), 1e-6)
    return ease_smooth((times_s - start_s) / ramp_s) * ease_smooth((end_s - times_s) / ramp_s)


def draw_wander(
    rng: np.random.Generator, times_s: np.ndarray, period_s: float, n: int
) -> np.ndarray:
    """Draws slow smooth wandering: three sines a channel, near the given period.

    Returns:
        (T, n) float64, mostly within [-1, 1].
    """
    rates_hz = rng.uniform(0.6, 1.7, size=(3, n)) / period_s
    phases = rng.uniform(0.0, 2.0 * np.pi, size=(3, n))
    weights = rng.uniform(0.15, 0.6, size=(3, n))
    angles = 2.0 * np.pi * rates_hz * times_s[:, None, None] + phases
    return (weights * np.sin(angles)).sum(axis=1)


@dataclass(frozen=True)
class Key:
    """Where something shall be at a time, and how it gets there from the key before.

    Attributes:
        time_s: When it is there.
        where: (T, 3) metres: the place at every time, so that it may move.
        ease: Course from the key before to this one.
    """

    time_s: float
    where: np.ndarray
    ease: Ease = ease_smooth


def compute_travel(times_s: np.ndarray, keys: list[Key]) -> np.ndarray:
    """Gives the way through all keys.

    Args:
        times_s: (T,) ascending seconds.
        keys: At least one, in order of time; before the first and after the last that key's place
            is kept.

    Returns:
        (T, 3) metres.
    """
    way = keys[0].where.copy()
    for before, after in pairwise(keys):
        inside = times_s >= before.time_s
        span_s = max(after.time_s - before.time_s, 1e-6)
        share = after.ease((times_s[inside] - before.time_s) / span_s)[:, None]
        way[inside] = (1.0 - share) * before.where[inside] + share * after.where[inside]
    return way
