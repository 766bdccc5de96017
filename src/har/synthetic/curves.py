"""Smooth curves over time, turns and steps: what motions are put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

Ease = Callable[[np.ndarray], np.ndarray]


def ease_smooth(u: np.ndarray) -> np.ndarray:
    """Return the minimum-jerk course from 0 to 1: at rest at both ends.

    Args:
        u: Share of the time that has passed, any shape; held within [0, 1].

    Source: Flash and Hogan, The coordination of arm movements, J. Neuroscience 5, 1985.

    >>> ease_smooth(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    u = np.clip(u, 0.0, 1.0)
    return u**3 * (10.0 - 15.0 * u + 6.0 * u**2)


def ease_strike(u: np.ndarray) -> np.ndarray:
    """Return a blow's course from 0 to 1: starts at rest and is fastest when it lands.

    >>> ease_strike(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.25, 1.0]
    """
    return np.clip(u, 0.0, 1.0) ** 2


def ease_rebound(u: np.ndarray) -> np.ndarray:
    """Return the course back from a blow: fastest at once, then coming to rest.

    >>> ease_rebound(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.75, 1.0]
    """
    return 1.0 - (1.0 - np.clip(u, 0.0, 1.0)) ** 2


def compute_pulse(times_s: np.ndarray, center_s: float, width_s: float) -> np.ndarray:
    """Return a raised-cosine bump: 1 at ``center_s``, 0 from half of ``width_s`` away on.

    >>> compute_pulse(np.array([0.0, 1.0, 1.5, 2.0]), 1.0, 2.0).round(3).tolist()
    [0.0, 1.0, 0.5, 0.0]
    """
    u = np.clip((times_s - center_s) / max(width_s, 1e-6), -0.5, 0.5)
    return 0.5 + 0.5 * np.cos(2.0 * np.pi * u)


def compute_blow(times_s: np.ndarray, contact_s: float, stroke_s: float) -> np.ndarray:
    """Return the course of one blow: 0, then faster and faster to 1 at the contact, and back.

    >>> compute_blow(np.array([0.0, 0.5, 1.0, 1.5, 2.0]), 1.0, 1.0).tolist()
    [0.0, 0.25, 1.0, 0.25, 0.0]
    """
    u = (times_s - contact_s) / stroke_s
    return np.where(u < 0.0, ease_strike(1.0 + u), 1.0 - ease_rebound(u))


def compute_plateau(times_s: np.ndarray, start_s: float, end_s: float, ramp_s: float) -> np.ndarray:
    """Return a smooth gate: 0 before ``start_s``, 1 after a ramp, 0 again from ``end_s`` on.

    >>> compute_plateau(np.array([0.0, 1.0, 2.0, 3.0]), 0.0, 3.0, 1.0).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    ramp_s = max(min(ramp_s, (end_s - start_s) / 2), 1e-6)
    return ease_smooth((times_s - start_s) / ramp_s) * ease_smooth((end_s - times_s) / ramp_s)


def draw_wander(
    rng: np.random.Generator, times_s: np.ndarray, period_s: float, n: int
) -> np.ndarray:
    """Draw slow smooth wandering: three sines a channel, near the given period.

    Returns:
        (T, n) float64, mostly within [-1, 1].
    """
    rates_hz = rng.uniform(0.6, 1.7, size=(3, n)) / period_s
    phases = rng.uniform(0.0, 2.0 * np.pi, size=(3, n))
    weights = rng.uniform(0.15, 0.6, size=(3, n))
    angles = 2.0 * np.pi * rates_hz * times_s[:, None, None] + phases
    return (weights * np.sin(angles)).sum(axis=1)


def compute_travel(
    times_s: np.ndarray, keys: Sequence[tuple[float, np.ndarray, Ease]]
) -> np.ndarray:
    """Return the way through all keys, (T, 3) meters.

    Args:
        times_s: (T,) ascending seconds.
        keys: At least one, in order of time: when something is where, (T, 3) so that the place may
            move, and its course from the key before. Before the first and after the last that
            key's place is kept.
    """
    way = keys[0][1].copy()
    for (start_s, start, _), (end_s, end, ease) in pairwise(keys):
        inside = times_s >= start_s
        share = ease((times_s[inside] - start_s) / max(end_s - start_s, 1e-6))[:, None]
        way[inside] = (1.0 - share) * start[inside] + share * end[inside]
    return way


PLANES = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}
"""The axes that a turn about an axis carries into each other."""


def rotate(axis: str, angles: np.ndarray) -> np.ndarray:
    """Return (T, 3, 3) turns about an axis by ``angles`` (T,) in radians, y towards z about x."""
    first, second = PLANES[axis]
    turns = np.broadcast_to(np.eye(3), (len(angles), 3, 3)).copy()
    turns[:, first, first] = turns[:, second, second] = np.cos(angles)
    turns[:, second, first] = np.sin(angles)
    turns[:, first, second] = -np.sin(angles)
    return turns


FULL_STEP_M_S = 0.4
"""From this speed on steps have their full length."""


def compute_steps(root: np.ndarray, step_m: float, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how feet swing about a root that moves: a foot on the floor stays where it is.

    Args:
        root: (T, 2) meters.
        step_m: Length of one step in meters.
        rate_hz: Times a second.

    Returns:
        (T, 2, 2) ankles' offsets on the floor and (T, 2) lift, in meters, left and right. At
        rest both are 0.
    """
    moves = np.diff(root, axis=0, prepend=root[:1])
    lengths = np.linalg.norm(moves, axis=-1)
    n_smooth = 2 * round(0.1 * rate_hz) + 1
    direction = compute_running_mean(moves, n_smooth)
    direction = direction / np.maximum(np.linalg.norm(direction, axis=-1, keepdims=True), 1e-9)
    share = (np.cumsum(lengths)[:, None] / (2.0 * step_m) + np.array([0.0, 0.5])) % 1.0
    swing = ease_smooth(2.0 * share - 1.0)
    along = np.where(share < 0.5, 0.5 - 2.0 * share, swing - 0.5) * step_m
    lift = np.where(share < 0.5, 0.0, np.sin(np.pi * (2.0 * share - 1.0))) * 0.3 * step_m
    speed_m_s = compute_running_mean(lengths[:, None], n_smooth) * rate_hz
    gate = ease_smooth(speed_m_s / FULL_STEP_M_S)
    return along[..., None] * direction[:, None] * gate[..., None], lift * gate


def compute_running_mean(values: np.ndarray, n: int) -> np.ndarray:
    """Return the running mean over an odd number ``n`` of rows, edges repeated."""
    first, last = np.repeat(values[:1], n // 2, axis=0), np.repeat(values[-1:], n // 2, axis=0)
    sums = np.cumsum(np.concatenate([np.zeros_like(values[:1]), first, values, last]), axis=0)
    return (sums[n:] - sums[:-n]) / n
