"""Bodies as keypoints: COCO's 17, in COCO's order, as the pose network gives them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KEYPOINTS = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
)
"""Source: T.-Y. Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014."""

N_KEYPOINTS = len(KEYPOINTS)
MAX_PEOPLE = 6
"""The pose network gives no more in one picture."""

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
