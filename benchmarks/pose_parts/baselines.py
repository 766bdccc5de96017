"""What duration and bare speed alone tell: baselines that must stand beside every figure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier

from half_real.sequences import RealClip
from har.pose.keypoints import INDEX

_SEEN = 0.15
_MIN_STEPS = 4
_HEAD = tuple(range(5))
_WRISTS = (INDEX["left_wrist"], INDEX["right_wrist"])
_TRUNK = [INDEX[f"{side}_{part}"] for part in ("shoulder", "hip") for side in ("left", "right")]


def compute_baselines(
    clips: Sequence[RealClip], durations_s: np.ndarray, rate_hz: float
) -> dict[str, np.ndarray]:
    """Return the (N, D) numbers of each baseline."""
    baselines = {"duration": durations_s[:, None]}
    for name, joints in (("head_speed", _HEAD), ("wrist_speed", _WRISTS)):
        baselines[name] = np.array(
            [measure_speed(clip.tracks.points, joints, rate_hz) for clip in clips]
        )
    return baselines


def measure_speed(points: np.ndarray, joints: Sequence[int], rate_hz: float) -> tuple[float, ...]:
    """Return median, 90th percentile and maximum speed, of the fastest person and as people's mean.

    Speeds are in trunks a second, those of all the joints taken together.

    Args:
        points: (T, P, 17, 3) as in `har.pose.keypoints.Tracks`.
        joints: Whose speed; steps between which a joint is uncertain do not count.
        rate_hz: Steps a second.
    """
    found = [
        _measure_person(points[:, person], joints, rate_hz) for person in range(points.shape[1])
    ]
    speeds = np.array([speed for speed in found if speed is not None])
    if not len(speeds):
        return (0.0,) * 6
    return (*speeds.max(axis=0).tolist(), *speeds.mean(axis=0).tolist())


def _measure_person(
    points: np.ndarray, joints: Sequence[int], rate_hz: float
) -> tuple[float, ...] | None:
    seen = points[points[..., 2].max(axis=1) > 0]
    trunk = seen[:, _TRUNK[:2], :2].mean(axis=1) - seen[:, _TRUNK[2:], :2].mean(axis=1)
    own = points[:, list(joints)]
    is_seen = (own[1:, :, 2] >= _SEEN) & (own[:-1, :, 2] >= _SEEN)
    if len(seen) < _MIN_STEPS or is_seen.sum() < _MIN_STEPS:
        return None
    unit_px = max(float(np.median(np.linalg.norm(trunk, axis=1))), 4.0)
    speed = np.linalg.norm(np.diff(own[..., :2], axis=0), axis=-1)[is_seen] * rate_hz / unit_px
    return float(np.median(speed)), float(np.quantile(speed, 0.9)), float(speed.max())


def predict_held_out(values: np.ndarray, targets: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Return (N, K) probabilities of a small forest for clips of folds it was not trained on.

    Args:
        values: (N, D).
        targets: (N,) int from 0 to K - 1.
        folds: (N,) int.
    """
    probs = np.zeros((len(targets), int(targets.max()) + 1))
    for fold in np.unique(folds):
        test = folds == fold
        trees = ExtraTreesClassifier(200, min_samples_leaf=3, random_state=0)
        trees.fit(values[~test], targets[~test])
        probs[np.ix_(test, trees.classes_)] = trees.predict_proba(values[test])
    return probs
