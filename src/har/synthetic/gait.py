"""Steps: how feet swing about a root that moves over the floor."""

from __future__ import annotations

import numpy as np

from har.synthetic.easing import ease_smooth

FULL_STEP_M_S = 0.4
"""From this speed on steps have their full length."""


def compute_steps(root: np.ndarray, step_m: float, rate_hz: float) -> tuple[np.ndarray, np.ndarray]:
    """Gives how feet swing about a root that moves: a foot on the floor stays where it is.

    Args:
        root: (T, 2) metres.
        step_m: Length of one step in metres.
        rate_hz: Times a second.

    Returns:
        (T, 2, 2) ankles' offsets on the floor and (T, 2) lift, in metres, left and right. At
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
    """Gives the running mean over an odd number ``n`` of rows, edges repeated."""
    first, last = np.repeat(values[:1], n // 2, axis=0), np.repeat(values[-1:], n // 2, axis=0)
    sums = np.cumsum(np.concatenate([np.zeros_like(values[:1]), first, values, last]), axis=0)
    return (sums[n:] - sums[:-n]) / n
