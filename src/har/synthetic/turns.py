"""Turns about the axes, as (T, 3, 3) matrices."""

from __future__ import annotations

import numpy as np


def rotate_x(angles: np.ndarray) -> np.ndarray:
    """Gives turns that carry y towards z; ``angles`` (T,) in radians."""
    return _turn(angles, 1, 2)


def rotate_y(angles: np.ndarray) -> np.ndarray:
    """Gives turns that carry z towards x; ``angles`` (T,) in radians."""
    return _turn(angles, 2, 0)


def rotate_z(angles: np.ndarray) -> np.ndarray:
    """Gives turns that carry x towards y; ``angles`` (T,) in radians."""
    return _turn(angles, 0, 1)


def _turn(angles: np.ndarray, first: int, second: int) -> np.ndarray:
    """Gives (T, 3, 3) turns that carry axis ``first`` towards axis ``second``."""
    turns = np.broadcast_to(np.eye(3), (len(angles), 3, 3)).copy()
    turns[:, first, first] = turns[:, second, second] = np.cos(angles)
    turns[:, second, first] = np.sin(angles)
    turns[:, first, second] = -np.sin(angles)
    return turns
