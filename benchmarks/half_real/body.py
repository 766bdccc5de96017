"""A tracked person's trunk, head and shoulders in three dimensions, guessed from the picture.

Camera coordinates: x to the right and y down in pixels of the picture, z away from the camera in
the same unit. Projection is weak perspective: z is left out. Lengths named "in torsos" are in units
of the way from the middle of the shoulders to the middle of the hips, about half a meter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import INDEX

SHOULDERS = (INDEX["left_shoulder"], INDEX["right_shoulder"])
ELBOWS = (INDEX["left_elbow"], INDEX["right_elbow"])
WRISTS = (INDEX["left_wrist"], INDEX["right_wrist"])
HIPS = (INDEX["left_hip"], INDEX["right_hip"])
KNEES = (INDEX["left_knee"], INDEX["right_knee"])
EARS = (INDEX["left_ear"], INDEX["right_ear"])
NOSE = INDEX["nose"]
FACE = tuple(range(5))

SHOULDER_WIDTH = 0.75
"""In torsos: the widest that people facing the camera show."""
NOSE_AHEAD = 0.22
"""In torsos: from the middle of the ears forward to the nose, seen from the side."""
_NOSE_BEFORE_NECK = 0.36
_HEAD_ABOVE = 0.3
_HEAD_AHEAD = 0.1
_TRUNK_SIGMA_STEPS = 1.5
_FACING_SIGMA_STEPS = 4.0


@dataclass(frozen=True)
class Body:
    """What an arm is hung on, at T steps, in camera coordinates.

    Attributes:
        left: (T, 3) unit vector to the person's left.
        up: (T, 3) unit vector from the hips to the shoulders.
        front: (T, 3) unit vector out of the chest.
        torso_px: (T,) length of the trunk in pixels.
        shoulders: (T, 2, 3) left and right shoulder.
        anchors: Places that a hand goes to, (T, 3) each: ``head`` (between the ears), ``nose``,
            ``chest`` (its skin, a third down the trunk), ``left_thigh``, ``right_thigh``.
        bones: (2, 2) lengths in torsos: upper arm and forearm of the left and the right arm.
    """

    left: np.ndarray
    up: np.ndarray
    front: np.ndarray
    torso_px: np.ndarray
    shoulders: np.ndarray
    anchors: dict[str, np.ndarray]
    bones: np.ndarray


def estimate_body(points: np.ndarray, pitch_rad: float) -> Body:
    """Return a person's trunk, head and shoulders in three dimensions.

    The trunk turns about its own axis by as much as the shoulders are narrower than they could be;
    to which side, the nose tells. Shoulders, nose and head stay where they are in the picture; only
    their depth is guessed.

    Args:
        points: (T, 17, 3) keypoints of one person; steps without the person are zeros and are
            filled from their neighbors.
        pitch_rad: How far the camera looks down; one picture is uncertain.
    """
    smooth = {
        index: smooth_course(points[:, index], _TRUNK_SIGMA_STEPS)
        for index in (*SHOULDERS, *HIPS, *KNEES, *EARS, NOSE)
    }
    neck = (smooth[SHOULDERS[0]] + smooth[SHOULDERS[1]]) / 2
    trunk = neck - (smooth[HIPS[0]] + smooth[HIPS[1]]) / 2
    length = np.maximum(np.linalg.norm(trunk, axis=1), 1.0)
    seen_up = trunk / length[:, None]
    torso_px = length / np.cos(pitch_rad)
    yaw = _estimate_yaw(points, smooth, seen_up, torso_px)
    left, up, front = compute_axes(yaw, pitch_rad, seen_up)
    size = torso_px[:, None]

    origin = np.concatenate([neck, np.zeros((len(neck), 1))], axis=1)
    sides = SHOULDER_WIDTH / 2 * size * left
    shoulders = np.stack([origin + sides, origin - sides], axis=1)
    shoulders[..., :2] = np.stack([smooth[index] for index in SHOULDERS], axis=1)
    head = origin + size * (_HEAD_ABOVE * up + _HEAD_AHEAD * front)
    head[:, :2] = (smooth[EARS[0]] + smooth[EARS[1]]) / 2
    nose = head + size * NOSE_AHEAD * front
    nose[:, :2] = smooth[NOSE]
    anchors = {"head": head, "nose": nose, "chest": origin + size * (0.2 * front - 0.3 * up)}
    for side, name in enumerate(("left_thigh", "right_thigh")):
        hip, knee = smooth[HIPS[side]], smooth[KNEES[side]]
        place = origin + size * (0.15 * front - 1.2 * up)
        place[:, :2] = hip + 0.3 * (knee - hip) + 0.12 * size * front[:, :2]
        anchors[name] = place
    return Body(left, up, front, torso_px, shoulders, anchors, _measure_bones(points, length))


def _estimate_yaw(
    points: np.ndarray, smooth: dict[int, np.ndarray], seen_up: np.ndarray, torso_px: np.ndarray
) -> np.ndarray:
    """Return (T,) radians: 0 faces the camera, pi / 2 the right edge of the picture."""
    across = np.stack([-seen_up[:, 1], seen_up[:, 0]], axis=1)
    neck = (smooth[SHOULDERS[0]] + smooth[SHOULDERS[1]]) / 2
    ears = (smooth[EARS[0]] + smooth[EARS[1]]) / 2

    def measure(vector: np.ndarray) -> np.ndarray:
        return (vector * across).sum(axis=1) / torso_px

    width = measure(smooth[SHOULDERS[0]] - smooth[SHOULDERS[1]]) / SHOULDER_WIDTH
    cosine = np.clip(width, -1.0, 1.0)
    beside = measure(smooth[NOSE] - ears) / NOSE_AHEAD + measure(smooth[NOSE] - neck) / (
        _NOSE_BEFORE_NECK
    )
    weights = (points[..., 2].max(axis=1) > 0).astype(float)
    turned = smooth_course(
        np.stack([cosine, np.tanh(2 * beside) * np.sqrt(1 - cosine**2), weights], axis=1),
        _FACING_SIGMA_STEPS,
    )
    return np.arctan2(turned[:, 1], turned[:, 0])


def compute_axes(
    yaw_rad: np.ndarray, pitch_rad: float, seen_up: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the trunk's left, up and front as (T, 3) unit vectors of camera coordinates.

    Args:
        yaw_rad: (T,) as the person turns: 0 faces the camera, pi / 2 the picture's right edge.
        pitch_rad: How far the camera looks down.
        seen_up: (T, 2) unit vector of the trunk in the picture, from hips to shoulders.

    >>> left, up, front = compute_axes(np.zeros(1), 0.0, np.array([[0.0, -1.0]]))
    >>> left[0].tolist(), up[0].tolist(), front[0].tolist()
    ([1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, -1.0])
    """
    sine, cosine = np.sin(pitch_rad), np.cos(pitch_rad)
    flat = np.zeros_like(yaw_rad)
    up = np.stack([flat, flat - cosine, flat - sine], axis=1)
    front = np.stack([np.sin(yaw_rad), np.cos(yaw_rad) * sine, -np.cos(yaw_rad) * cosine], axis=1)
    left = np.cross(up, front)

    def lean(vectors: np.ndarray) -> np.ndarray:
        x, y = vectors[:, 0], vectors[:, 1]
        along = np.stack([-seen_up[:, 1] * x - seen_up[:, 0] * y], axis=1)
        down = np.stack([seen_up[:, 0] * x - seen_up[:, 1] * y], axis=1)
        return np.concatenate([along, down, vectors[:, 2:]], axis=1) + 0.0

    return lean(left), lean(up), lean(front)


def smooth_course(course: np.ndarray, sigma_steps: float) -> np.ndarray:
    """Return the course of a point without its jitter: a Gaussian mean, weighted by the scores.

    Args:
        course: (T, 3): x, y and a score, 0 where unseen.
        sigma_steps: Width of the mean.

    Returns:
        (T, 2); unseen steps are filled from the seen ones around them.
    """
    steps = np.arange(len(course))
    apart = np.subtract.outer(steps, steps) / sigma_steps
    weights = (np.exp(-(apart**2) / 2) + 1e-9 / (1 + apart**2)) * course[:, 2]
    return weights @ course[:, :2] / np.maximum(weights.sum(axis=1, keepdims=True), 1e-12)


def _measure_bones(points: np.ndarray, torso_px: np.ndarray) -> np.ndarray:
    """Return the (2, 2) longest that the arms' bones are seen, within what people have."""
    usual = np.array([0.66, 0.58])
    bones = np.tile(usual, (2, 1))
    pairs = (SHOULDERS, ELBOWS), (ELBOWS, WRISTS)
    for side in range(2):
        for bone, (near, far) in enumerate(pairs):
            ends = points[:, [near[side], far[side]]]
            is_seen = ends[..., 2].min(axis=1) > 0.3
            if is_seen.sum() >= 5:
                lengths = np.linalg.norm(ends[:, 0, :2] - ends[:, 1, :2], axis=1) / torso_px
                seen = np.percentile(lengths[is_seen], 90)
                bones[side, bone] = np.clip(seen, 0.85 * usual[bone], 1.1 * usual[bone])
    return bones
