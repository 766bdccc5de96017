"""Where synthetic people's keypoints are in the picture, and which of them are out of sight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import INDEX, N_KEYPOINTS
from har.synthetic.body import Body
from har.synthetic.camera import Camera

_SHOULDERS = [INDEX["left_shoulder"], INDEX["right_shoulder"]]
_HIPS = [INDEX["left_hip"], INDEX["right_hip"]]
_EARS = [INDEX["left_ear"], INDEX["right_ear"]]
_FACE = slice(0, 5)
_ARMS = slice(INDEX["left_elbow"], INDEX["right_wrist"] + 1)

N_COVERS = 4
"""Parts of a body that cover others: trunk, head, left leg, right leg."""

EDGE = (0.85, 1.15)
"""A point so many radii from the middle of a cover is wholly behind it, or not at all."""

BEHIND_OWN = 0.3
BEHIND_OTHER_M = 0.06
"""How far behind the middle of a cover a point is out of sight: in the cover's radii, in meters."""

MIN_DEPTH_M = 0.3


@dataclass(frozen=True)
class Sight:
    """What there is to be seen of P people at N steps.

    Attributes:
        points: (N, P, 17, 2) pixels of the picture, also of what is out of sight.
        hidden: (N, P, 17) from 0, in plain view, to 1, covered by a body or out of the picture.
        turned: (N, P) from 0, facing the camera or away from it, to 1, seen from the side.
        stature_px: (N, P) pixels that the person's height would take when standing upright.
        size: (H, W) of the picture.
    """

    points: np.ndarray
    hidden: np.ndarray
    turned: np.ndarray
    stature_px: np.ndarray
    size: tuple[int, int]


def compute_sight(
    joints: np.ndarray, bodies: tuple[Body, ...], camera: Camera, moves_px: np.ndarray
) -> Sight:
    """Look at synthetic people through a camera.

    Args:
        joints: (N, P, J, 3) meters; the first 17 of J are COCO's keypoints.
        bodies: P measures.
        camera: How it is filmed.
        moves_px: (N, 2) how far the picture is moved at each step: cropping and shaking.
    """
    points, depth = camera.project(joints[:, :, :N_KEYPOINTS])
    points = points + moves_px[:, None, None]
    scale = camera.scale_px(depth.mean(axis=2))
    stature_m = np.array([body.stature for body in bodies])
    covers = _build_covers(points, depth, scale, bodies)
    hidden = _compute_covered(points, depth, covers)
    hidden[_is_outside(points, camera.size) | (depth < MIN_DEPTH_M)] = 1.0
    across = joints[:, :, _SHOULDERS[0]] - joints[:, :, _SHOULDERS[1]]
    across = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    turned = np.abs(across @ camera.axes[2])
    return Sight(points, hidden, turned, scale * stature_m, camera.size)


@dataclass(frozen=True)
class _Covers:
    """Capsules that bodies cover others with, (N, P, 4, ...)."""

    starts: np.ndarray  # (N, P, 4, 3) pixels and meters ahead
    ends: np.ndarray
    radii_px: np.ndarray  # (N, P, 4)
    radii_m: np.ndarray  # (P, 4)


def _build_covers(
    points: np.ndarray, depth: np.ndarray, scale: np.ndarray, bodies: tuple[Body, ...]
) -> _Covers:
    placed = np.concatenate([points, depth[..., None]], axis=-1)
    neck, pelvis = placed[:, :, _SHOULDERS].mean(axis=2), placed[:, :, _HIPS].mean(axis=2)
    head = placed[:, :, _EARS].mean(axis=2)
    left, right = (
        [INDEX[f"{side}_{part}"] for part in ("hip", "ankle")] for side in ("left", "right")
    )
    starts = np.stack([neck, head, placed[:, :, left[0]], placed[:, :, right[0]]], axis=2)
    ends = np.stack([pelvis, head, placed[:, :, left[1]], placed[:, :, right[1]]], axis=2)
    radii_m = np.array([_cover_radii(body) for body in bodies])
    radii_px = scale[..., None] * radii_m
    width = np.linalg.norm(points[:, :, _SHOULDERS[0]] - points[:, :, _SHOULDERS[1]], axis=-1)
    radii_px[..., 0] = np.maximum(radii_px[..., 0], 0.45 * width)
    return _Covers(starts, ends, radii_px, radii_m)


def _cover_radii(body: Body) -> tuple[float, ...]:
    leg = 0.04 * body.stature
    return body.trunk_radii[0], 0.5 * (body.head[0] + body.head[1]), leg, leg


def _compute_covered(points: np.ndarray, depth: np.ndarray, covers: _Covers) -> np.ndarray:
    """Return (N, P, 17) how far each point is behind the capsules of all."""
    axis = covers.ends - covers.starts
    flat = axis[..., :2]
    length = np.maximum((flat**2).sum(axis=-1), 1e-6)
    away = points[:, :, :, None, None] - covers.starts[:, None, None, :, :, :2]
    share = np.clip((away * flat[:, None, None]).sum(axis=-1) / length[:, None, None], 0.0, 1.0)
    gap = np.linalg.norm(away - share[..., None] * flat[:, None, None], axis=-1)
    reach = gap / np.maximum(covers.radii_px, 1e-6)[:, None, None]
    inside = np.clip((EDGE[1] - reach) / (EDGE[1] - EDGE[0]), 0.0, 1.0)
    middle = covers.starts[:, None, None, :, :, 2] + share * axis[:, None, None, :, :, 2]
    behind = depth[:, :, :, None, None] - middle  # (N, P, 17, P', 4)
    people = np.arange(points.shape[1])
    limit = np.full((len(people), N_KEYPOINTS, len(people), N_COVERS), BEHIND_OTHER_M)
    limit[people, :, people] = _OWN_LIMITS * covers.radii_m[:, None]
    return (inside * (behind > limit)).max(axis=(3, 4))


def _build_own_limits() -> np.ndarray:
    """Return (17, 4): how many radii behind the middle of an own cover a point must be."""
    limits = np.full((N_KEYPOINTS, N_COVERS), np.inf)
    limits[_ARMS, :2] = BEHIND_OWN
    limits[_FACE, 1] = BEHIND_OWN
    return limits


_OWN_LIMITS = _build_own_limits()


def _is_outside(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    height, width = size
    x, y = points[..., 0], points[..., 1]
    return (x < 0.0) | (x >= width) | (y < 0.0) | (y >= height)
