"""Synthetic people as keypoints, and what a pose network would give for a row of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from har.pose.keypoints import KEYPOINTS, MAX_PEOPLE, N_KEYPOINTS, Detections

_PLACES = {
    "nose": (0.0, -0.92),
    "left_eye": (0.02, -0.94),
    "right_eye": (-0.02, -0.94),
    "left_ear": (0.04, -0.93),
    "right_ear": (-0.04, -0.93),
    "left_shoulder": (0.11, -0.8),
    "right_shoulder": (-0.11, -0.8),
    "left_elbow": (0.14, -0.63),
    "right_elbow": (-0.14, -0.63),
    "left_wrist": (0.15, -0.47),
    "right_wrist": (-0.15, -0.47),
    "left_hip": (0.07, -0.5),
    "right_hip": (-0.07, -0.5),
    "left_knee": (0.08, -0.27),
    "right_knee": (-0.08, -0.27),
    "left_ankle": (0.08, -0.03),
    "right_ankle": (-0.08, -0.03),
}
MIRRORED = (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15)
"""Where each keypoint is found in a mirrored picture."""

BODY = np.array([_PLACES[name] for name in KEYPOINTS])
"""(17, 2) of one who stands, in body heights from between the feet, y down."""


def stand(x: float, y: float, height: float, score: float = 0.8) -> np.ndarray:
    """Return (17, 3) keypoints of one who stands at a place in pixels."""
    points = np.full((N_KEYPOINTS, 3), score)
    points[:, :2] = BODY * height + (x, y)
    return points


def wander(rng: np.random.Generator, n_steps: int, x: float, height: float = 100.0) -> np.ndarray:
    """Return (n_steps, 17, 3): one who stands about x and moves every joint a little."""
    points = np.stack([stand(x, 150.0, height)] * n_steps)
    points[..., :2] += rng.normal(0.0, 0.04 * height, (n_steps, N_KEYPOINTS, 2)).cumsum(axis=0) / 3
    points[..., 2] = rng.uniform(0.3, 0.9, (n_steps, N_KEYPOINTS))
    return points


def detect(steps: Sequence[Sequence[np.ndarray]]) -> Detections:
    """Return what is seen of the (17, 3) bodies of each step; a person's score is the mean one."""
    points = np.zeros((len(steps), MAX_PEOPLE, N_KEYPOINTS, 3), dtype=np.float32)
    scores = np.zeros((len(steps), MAX_PEOPLE), dtype=np.float32)
    for row, bodies in enumerate(steps):
        for place, body in enumerate(bodies):
            points[row, place] = body
            scores[row, place] = body[:, 2].mean()
    return Detections(points, scores)


def draw_body(is_up: bool, x: float = 320.0) -> np.ndarray:
    """Return (17, 2) pixels of one who stands, hands up or down."""
    body = stand(x, 420.0, 380.0)[:, :2]
    if is_up:
        for side in ("left", "right"):
            body[KEYPOINTS.index(f"{side}_wrist"), 1] = 40.0
    return body


def save_body(
    path: Path, is_up: bool = True, n_frames: int = 60, fps: float = 30.0, x: float = 320.0
) -> Path:
    """Write one who stands, in har's own form of keypoints."""
    path.parent.mkdir(parents=True, exist_ok=True)
    points = np.repeat(draw_body(is_up, x)[None, None], n_frames, axis=0)
    np.savez(path, points=points, joints=KEYPOINTS, fps=fps)
    return path
