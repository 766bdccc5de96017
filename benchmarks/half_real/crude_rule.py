"""A crude rule for hitting oneself, to measure recognizers against: no training, no threshold.

A wrist that closes fast on the own nose, again and again, is the whole of it.
"""

from __future__ import annotations

import numpy as np

from har.pose.keypoints import INDEX

NEAR = 0.7
"""In torsos: a wrist that ends nearer to the nose has come to the head."""
SLOW = 1.0
"""Torsos a second: slower closing counts for nothing."""
_SEEN_POINT = 0.1
_TRUNK = [INDEX[name] for name in ("left_shoulder", "right_shoulder", "left_hip", "right_hip")]


def score_by_rule(points: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return each person a score: 0 and up, higher where the head is struck more and faster.

    Every time that a wrist turns back near the nose counts with the speed at which it came beyond
    `SLOW`; the two wrists are added.

    Args:
        points: (T, P, 17, 3) as in `har.pose.keypoints.Tracks`.
        rate_hz: Steps a second.

    Returns:
        (P,) float64; 0 for who is seen in fewer than three steps.
    """
    return np.array([_score_person(points[:, row], rate_hz) for row in range(points.shape[1])])


def _score_person(points: np.ndarray, rate_hz: float) -> float:
    points = points[points[..., 2].max(axis=1) > 0]
    if len(points) < 3:
        return 0.0
    shoulders, hips = points[:, _TRUNK[:2], :2].mean(axis=1), points[:, _TRUNK[2:], :2].mean(axis=1)
    torso_px = max(float(np.median(np.linalg.norm(shoulders - hips, axis=1))), 1.0)
    nose = points[:, INDEX["nose"]]
    total = 0.0
    for name in ("left_wrist", "right_wrist"):
        wrist = points[:, INDEX[name]]
        is_seen = np.minimum(wrist[:, 2], nose[:, 2]) >= _SEEN_POINT
        distance = np.linalg.norm(wrist[:, :2] - nose[:, :2], axis=1)[is_seen] / torso_px
        total += _sum_strokes(distance, rate_hz)
    return total


def _sum_strokes(distance: np.ndarray, rate_hz: float) -> float:
    """Sum how fast the strokes come that end near, over the (N,) course of a distance."""
    speed = -np.diff(distance) * rate_hz
    turns = np.flatnonzero((speed[:-1] > 0) & (speed[1:] <= 0)) + 1
    near = turns[distance[turns] < NEAR]
    came = np.maximum(speed[near - 1], speed[np.maximum(near - 2, 0)])
    return float(np.maximum(came - SLOW, 0).sum())
