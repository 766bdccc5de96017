"""Bodies as keypoints: COCO's 17, in COCO's order, as the pose network gives them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.errors import ConfigError

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""Source: T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014."""

N_KEYPOINTS = len(KEYPOINTS)
MAX_PEOPLE = 6
"""The pose network gives no more in one picture."""

_LARGEST_SHARE = 2.0
"""Coordinates up to here are shares of the picture: people reach over its edge by less."""
_MAX_SIDE_PX = 65_535
_MAX_PLACE_PX = 1e6

INDEX = {name: index for index, name in enumerate(KEYPOINTS)}


@dataclass(frozen=True)
class Detections:
    """The output of the pose network at N time steps, people in no lasting order.

    Attributes:
        points: (N, 6, 17, 3) float32: x and y in pixels of its input picture (square
            pixels, origin at its upper left), and the keypoint's score from 0 to 1. Zeros where
            there is no person.
        scores: (N, 6) float32 from 0 to 1: how confident the network is of the person; 0 for none.
    """

    points: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Tracks:
    """The same people, each in a column of their own.

    Attributes:
        points: (N, P, 17, 3) float32 as in `Detections`; zeros where a person is not seen.
        ids: (P,) int64: each person's number within the recording, from 1, never used again.
    """

    points: np.ndarray
    ids: np.ndarray


def to_detections(
    points: np.ndarray, size: tuple[int, int] | None = None, least_score: float = 0.0
) -> Detections:
    """Return keypoints of another tool as the shipped pose network would give them.

    Args:
        points: (T, P, 17, 3) or (T, P, 17, 2); NaN or zeros where nothing is seen.
        size: (H, W) in pixels, where points are shares of the picture.
        least_score: Of a person of whom a keypoint is seen, from 0 to 1; the score is else the mean
            of the keypoints' confidence.

    Raises:
        ConfigError: The shape or the values are others, or ``size`` is missing.

    >>> points = np.full((1, 1, 17, 2), 0.5)
    >>> found = to_detections(points, (100, 200))
    >>> found.points.shape, found.points[0, 0, 0].tolist(), found.scores[0].tolist()
    ((1, 1, 17, 3), [100.0, 50.0, 1.0], [1.0])
    """
    shape = points.shape
    if len(shape) != 4 or shape[2] != N_KEYPOINTS or shape[3] not in (2, 3):
        raise ConfigError(
            f"Expected keypoints of (T, P, {N_KEYPOINTS}, 3) or (T, P, {N_KEYPOINTS}, 2) in COCO's "
            f"order, received {shape}"
        )
    if points.dtype.kind not in "fiu":
        raise ConfigError(f"Expected keypoints that are numbers, received {points.dtype}")
    beyond = np.abs(points[..., :2]) > _MAX_PLACE_PX
    if beyond.any():
        raise ConfigError(
            f"Expected coordinates of keypoints up to {_MAX_PLACE_PX:g}, and NaN where one is not "
            f"seen, received {points[..., :2][beyond][0]:g} and {beyond.sum() - 1} more beyond it"
        )
    values = np.asarray(points, dtype=np.float32)
    places = values[..., :2]
    is_seen = np.logical_and(np.isfinite(values).all(axis=-1), places.any(axis=-1))
    confidence = values[..., 2] if shape[3] == 3 else np.ones(shape[:3], dtype=np.float32)
    confidence = np.where(is_seen | np.isinf(confidence), confidence, 0).astype(np.float32)
    if confidence.size and not 0 <= confidence.min() <= confidence.max() <= 1:
        raise ConfigError(
            f"Expected the confidence of keypoints from 0 to 1, received from {confidence.min():g} "
            f"to {confidence.max():g}"
        )
    places = np.where(np.expand_dims(is_seen, -1), places, 0).astype(np.float32)
    if places.any() and np.abs(places).max() <= _LARGEST_SHARE:
        if size is None:
            raise ConfigError(
                "The keypoints are shares of the picture, not pixels: name its size=(H, W), so "
                "that their shape is known"
            )
        if not all(1 <= side <= _MAX_SIDE_PX for side in size):
            raise ConfigError(
                f"Expected size=(H, W) from 1 to {_MAX_SIDE_PX} pixels, received size={size!r}"
            )
        places = places * np.array([size[1], size[0]], dtype=np.float32)
    found = np.concatenate([places, confidence[..., None]], axis=-1)
    scores = confidence.mean(axis=-1)
    scores = np.where(scores > 0, np.maximum(scores, np.float32(least_score)), scores)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :MAX_PEOPLE]
    return Detections(
        np.take_along_axis(found, order[..., None, None], axis=1),
        np.take_along_axis(scores, order, axis=1),
    )
