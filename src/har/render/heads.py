"""Where heads are, from bodies as keypoints."""

from __future__ import annotations

import numpy as np

from har.pose.keypoints import INDEX
from har.pose.tracking import MIN_POINT_SCORE, compute_extents

_FACE = slice(0, 5)
_EYES = [INDEX["left_eye"], INDEX["right_eye"]]
_EARS = [INDEX["left_ear"], INDEX["right_ear"]]
_SHOULDERS = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]

_OF_TRUNK, _OF_SHOULDERS, _OF_BODY = 0.38, 0.45, 0.2
"""A head's radius, hair and all, in lengths of the trunk, the shoulders, the whole body: those of
small children, whose heads are largest."""
_OF_EARS, _OF_EYES = 0.95, 2.2
_LEAST_PX = 3.0
_MARGIN, _DOUBT = 1.15, 0.6
_GUESSED = 1.6


def find_heads(points: np.ndarray, away_s: float = 0.0) -> np.ndarray:
    """Return circles that cover the head of a body, (N, 3): x, y and radius in pixels.

    Where the face is not seen, the head is looked for over the shoulders and where the network
    thinks the face to be. Circles grow with how uncertain the keypoints are.

    Args:
        points: (17, 3) as in `har.pose.keypoints.Detections`, in pixels of the picture.
        away_s: Seconds since, or until, they were seen: the head may have moved.

    Returns:
        At least one circle.

    >>> body = np.zeros((17, 3))
    >>> body[[3, 4]] = [[110.0, 50.0, 1.0], [90.0, 50.0, 1.0]]
    >>> find_heads(body).round(2).tolist()
    [[100.0, 50.0, 21.85]]
    """
    radius = _measure(points)
    face = points[_FACE]
    seen = face[face[:, 2] >= MIN_POINT_SCORE]
    if len(seen):
        middle = seen[:, :2].mean(axis=0)
        spread = np.linalg.norm(seen[:, :2] - middle, axis=1).max()
        grown = max(radius, 1.3 * spread) * (_MARGIN + _DOUBT * (1.0 - seen[:, 2].mean()))
        circles = [(*middle, grown)]
    else:
        circles = [(*place, _GUESSED * radius) for place in _guess(points, radius)]
    found = np.array(circles, dtype=np.float64)
    found[:, 2] *= 1.0 + min(away_s, 2.0)
    return found


def _measure(points: np.ndarray) -> float:
    """Return the radius of the head of a body."""
    found = [_LEAST_PX, _OF_BODY * float(compute_extents(points[None])[0])]
    pairs = ((_SHOULDERS, _OF_SHOULDERS), (_EARS, _OF_EARS), (_EYES, _OF_EYES))
    for pair, share in pairs:
        if (points[pair, 2] >= MIN_POINT_SCORE).all():
            found.append(share * float(np.linalg.norm(np.diff(points[pair, :2], axis=0))))
    neck, waist = _middle(points, _SHOULDERS), _middle(points, _HIPS)
    if neck is not None and waist is not None:
        found.append(_OF_TRUNK * float(np.linalg.norm(neck - waist)))
    return max(found)


def _guess(points: np.ndarray, radius: float) -> list[np.ndarray]:
    """Return where the head may be of a body without a face."""
    face = points[_FACE, :2].mean(axis=0)
    neck, waist = _middle(points, _SHOULDERS), _middle(points, _HIPS)
    if neck is None:
        return [face]
    up = np.array([0.0, -1.0]) if waist is None else neck - waist
    over = neck + up * (1.1 * radius / max(float(np.linalg.norm(up)), 1e-6))
    return [over, face] if np.linalg.norm(face - neck) <= 4 * radius else [over]


def _middle(points: np.ndarray, pair: list[int]) -> np.ndarray | None:
    seen = points[pair]
    seen = seen[seen[:, 2] >= MIN_POINT_SCORE]
    return seen[:, :2].mean(axis=0) if len(seen) else None
