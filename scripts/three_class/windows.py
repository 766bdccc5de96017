"""Whose tracks are those of synthetic people."""

from __future__ import annotations

import numpy as np

from har.pose.keypoints import Detections, Tracks

MIN_OWNED = 0.7
"""A track must be the same true person for at least this share of its steps."""


def find_owners(tracks: Tracks, detections: Detections, owners: np.ndarray) -> np.ndarray:
    """Return which true person each track follows.

    Args:
        tracks: Of the detections.
        detections: Of N steps.
        owners: (N, 6) whose each detection is, -1 for false people.

    Returns:
        (P,) int64; -1 where a track is no one person for most of its steps.
    """
    found = np.full(len(tracks.ids), -1, dtype=np.int64)
    same = np.all(tracks.points[:, :, None] == detections.points[:, None], axis=(3, 4))
    seen = tracks.points[..., 2].max(axis=-1) > 0
    for column in range(len(tracks.ids)):
        steps, rows = np.nonzero(same[:, column] & seen[:, column, None])
        counts = np.bincount(owners[steps, rows] + 1, minlength=2)
        best = int(counts[1:].argmax())
        if counts[1:].max() >= MIN_OWNED * max(seen[:, column].sum(), 1):
            found[column] = best
    return found
