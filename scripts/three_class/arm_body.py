"""People whose arms can be moved: their joints in three dimensions, seen or guessed from pictures.

Coordinates: x to the right and y down in the picture, z away from the camera, in any one unit.
Offsets are local: outwards to the arm's side, up and to the front, in lengths of the arm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from har.pose.keypoints import INDEX

PAIRS = {
    part: (INDEX[f"left_{part}"], INDEX[f"right_{part}"])
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ear")
}
_NOSE = INDEX["nose"]

_SHOULDERS_OF_TRUNK = 0.75
_ARM_OF_TRUNK = 1.24
_NOSE_OF_TRUNK = 0.22
_UPPER_SHARE = 0.53
"""Usual measures. Source: `benchmarks/half_real/body.py`, from people who are seen facing on."""
SMOOTH_S = 0.15


@dataclass(frozen=True)
class ArmBody:
    """One person at T times.

    Attributes:
        shoulders: (T, 2, 3), left first, as all pairs.
        elbows: (T, 2, 3).
        wrists: (T, 2, 3).
        hips: (T, 2, 3).
        knees: (T, 2, 3).
        head: (T, 3) middle of the head.
        axes: (T, 3, 3) unit vectors: to the person's left, up, out of the chest.
        arm: Length of the arm: the unit of all offsets.
        bones: (2, 2) lengths of upper arm and forearm of the left and the right arm.
        has_thighs: Whether hips and knees are seen rather than guessed.
    """

    shoulders: np.ndarray
    elbows: np.ndarray
    wrists: np.ndarray
    hips: np.ndarray
    knees: np.ndarray
    head: np.ndarray
    axes: np.ndarray
    arm: float
    bones: np.ndarray
    has_thighs: bool = True

    def cut(self, span: slice) -> ArmBody:
        """Return some of the times."""
        names = ("shoulders", "elbows", "wrists", "hips", "knees", "head", "axes")
        return replace(self, **{name: getattr(self, name)[span] for name in names})

    def turn(self, offsets: np.ndarray, side: int) -> np.ndarray:
        """Return local (..., 3) offsets, the same or one a time, as (T, 3) in this unit."""
        signs = np.array([1.0 if side == 0 else -1.0, 1.0, 1.0])
        return self.arm * ((offsets * signs)[..., None, :] @ self.axes)[..., 0, :]


def lift_body(points: np.ndarray, rate_hz: float, has_thighs: bool = True) -> ArmBody:
    """Guess a person in three dimensions from the picture.

    The trunk turns by as much as the shoulders are narrower than they could be; to which side, the
    nose tells. What is seen stays where it is; only depth is guessed.

    Args:
        points: (T, 17, 3) keypoints of someone who is seen throughout.
        rate_hz: Steps a second.
        has_thighs: Whether hips and knees can be relied on.
    """
    found = points.astype(np.float64)
    smooth = smooth_course(found[..., :2], found[..., 2], SMOOTH_S * rate_hz)
    neck, hips = (smooth[:, list(PAIRS[part])].mean(axis=1) for part in ("shoulder", "hip"))
    trunk = neck - hips
    size = max(float(np.quantile(np.linalg.norm(trunk, axis=1), 0.7)), 1.0)
    up = trunk / np.maximum(np.linalg.norm(trunk, axis=1, keepdims=True), 1e-6)
    across = np.stack([-up[:, 1], up[:, 0]], axis=1)

    def along(ends: np.ndarray) -> np.ndarray:
        return (ends * across).sum(axis=1) / size

    left, right = (smooth[:, joint] for joint in PAIRS["shoulder"])
    ears = smooth[:, list(PAIRS["ear"])].mean(axis=1)
    cosine = np.clip(along(left - right) / _SHOULDERS_OF_TRUNK, -1.0, 1.0)
    beside = (along(smooth[:, _NOSE] - ears) + along(smooth[:, _NOSE] - neck)) / _NOSE_OF_TRUNK
    yaw = np.arctan2(np.tanh(beside) * np.sqrt(1.0 - cosine**2), cosine)
    yaw = np.arctan2(*(_smooth(f(yaw)[:, None], 4 * SMOOTH_S * rate_hz)[:, 0] for f in _TRIG))
    sine, cosine = np.sin(yaw)[:, None], np.cos(yaw)[:, None]
    flat = np.zeros_like(sine)
    axes = np.stack(
        [
            np.concatenate([cosine * across, sine], axis=1),
            np.concatenate([up, flat], axis=1),
            np.concatenate([sine * across, -cosine], axis=1),
        ],
        axis=1,
    )
    arm = _ARM_OF_TRUNK * size
    deep = {part: _place_pair(smooth, part) for part in ("shoulder", "hip", "knee")}
    for part, width in (("shoulder", 0.5), ("hip", 0.3), ("knee", 0.3)):
        depth = width * _SHOULDERS_OF_TRUNK * size * axes[:, 0, 2]
        deep[part][:, 0, 2], deep[part][:, 1, 2] = depth, -depth
    middle = np.concatenate([ears, 0.08 * arm * axes[:, 2, 2:]], axis=1)
    bones = np.tile([_UPPER_SHARE * arm, (1.0 - _UPPER_SHARE) * arm], (2, 1))
    shoulders = deep["shoulder"]
    shoulders[..., :2] = found[:, list(PAIRS["shoulder"]), :2]
    elbows = _reach_forward(shoulders, found[:, list(PAIRS["elbow"]), :2], axes, bones[:, 0])
    wrists = _reach_forward(elbows, found[:, list(PAIRS["wrist"]), :2], axes, bones[:, 1])
    return ArmBody(
        shoulders, elbows, wrists, deep["hip"], deep["knee"], middle, axes, arm, bones, has_thighs
    )


_TRIG = (np.sin, np.cos)


def _place_pair(smooth: np.ndarray, part: str) -> np.ndarray:
    pair = smooth[:, list(PAIRS[part])]
    return np.concatenate([pair, np.zeros((*pair.shape[:2], 1))], axis=2)


def _reach_forward(
    near: np.ndarray, far: np.ndarray, axes: np.ndarray, bones: np.ndarray
) -> np.ndarray:
    """Return (T, 2, 3) ends of bones, seen at (T, 2, 2), that point to where the chest does."""
    short = np.linalg.norm(far - near[..., :2], axis=2)
    deep = np.sqrt(np.maximum(bones**2 - short**2, 0.0))
    depth = near[..., 2] + np.where(axes[:, 2, 2] < 0, -1.0, 1.0)[:, None] * deep
    return np.concatenate([far, depth[..., None]], axis=2)


def smooth_course(places: np.ndarray, scores: np.ndarray, sigma_steps: float) -> np.ndarray:
    """Return (T, J, 2) courses without jitter: Gaussian means, weighted by (T, J) scores."""
    steps = np.arange(len(places))
    apart = np.subtract.outer(steps, steps) / max(sigma_steps, 1e-3)
    near = np.exp(-0.5 * apart**2) + 1e-9 / (1.0 + apart**2)
    weights = near @ np.maximum(scores, 1e-6)
    return (
        np.einsum("st,tjd->sjd", near, places * np.maximum(scores, 1e-6)[..., None])
        / (weights[..., None])
    )


def _smooth(values: np.ndarray, sigma_steps: float) -> np.ndarray:
    """Return (T, D) values as Gaussian means over time."""
    return smooth_course(values[:, None], np.ones((len(values), 1)), sigma_steps)[:, 0]
