"""Joints of people that other tools have found, the public way for poses of such tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from har.pose.adapters.arrays import project
from har.pose.adapters.names import map_joints
from har.pose.keypoints import Detections, to_detections
from har.pose.tracking import track_people
from har.sampling.times import compute_nearest_indices, compute_step_times
from three_class.people import RATE_HZ

_MEDIAPIPE_PX = (480, 640)


def sample_poses(points: np.ndarray, fps: float, size: tuple[int, int] | None = None) -> np.ndarray:
    """Return tracks (N, P, 17, 3) of keypoints (T, P, 17, 2 or 3), sampled as the product does."""
    found = to_detections(points, size)
    steps_s = compute_step_times(len(points) / fps, RATE_HZ)
    rows = compute_nearest_indices((np.arange(len(points)) + 0.5) / fps, steps_s)
    return track_people(Detections(found.points[rows], found.scores[rows]), RATE_HZ).points


def to_coco(points: np.ndarray, joints: Sequence[str]) -> np.ndarray:
    """Return (T, P, 17, 3) keypoints of joints in space or of MediaPipe's landmarks.

    Args:
        points: (T, P, J, 3) in space, or (T, P, J, 4) x, y, z and visibility.
        joints: J names.
    """
    columns, _ = map_joints(joints)
    if points.shape[-1] == 4:
        places = points[..., :2] * np.array(_MEDIAPIPE_PX[::-1])
        scores = points[..., 3].clip(0, 1)
    else:
        places, _ = project(points.astype(np.float64), tuple(joints))
        scores = np.asarray(np.isfinite(places).all(axis=-1), dtype=np.float64)
    values = np.concatenate([places, scores[..., None]], axis=-1)[:, :, columns]
    return np.where((columns >= 0)[:, None], np.nan_to_num(values), 0.0).astype(np.float32)


def iter_motion(path: Path) -> Iterator[tuple[np.ndarray, float, str, str, tuple[str, ...]]]:
    """Yield (T, P, J, D) points, frames a second, action, subject and joints of each sequence.

    Args:
        path: Sequences end to end in ``points``, the first row of each in ``starts``, and for each
            ``fps``, ``action`` and ``subject``; ``joints`` are J names.
    """
    with np.load(path, allow_pickle=False) as file:
        arrays = {key: file[key] for key in file}
    joints, starts = tuple(arrays["joints"].tolist()), arrays["starts"]
    for row, (action, subject) in enumerate(zip(arrays["action"], arrays["subject"], strict=True)):
        points = arrays["points"][starts[row] : starts[row + 1]]
        yield points, float(arrays["fps"][row]), str(action), str(subject), joints
