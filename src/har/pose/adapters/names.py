"""The one table of joints' names: what other tools call the model's 17 keypoints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from har.pose.keypoints import INDEX, KEYPOINTS, N_KEYPOINTS

_PARTS = {
    "eye": ("eye",),
    "ear": ("ear",),
    "shoulder": ("shoulder", "shldr", "sho"),
    "elbow": ("elbow", "elb"),
    "wrist": ("wrist", "wri"),
    "hip": ("hip",),
    "knee": ("knee", "kne"),
    "ankle": ("ankle", "ank"),
}
_SIDES = {"left": ("left", "l"), "right": ("right", "r")}
_MPII = {"1": "right", "2": "left"}
"""DeepLabCut's model of people counts sides so, as MPII orders them."""
_INSTEAD_OF_NOSE = ("head", "face", "headcenter", "forehead")
"""Middles of the head stand for the nose where there is none, the first of them that is there."""
_KNOWN_OTHERS = re.compile(
    "(left|right|l|r)?"
    "(neck|pelvis|root|hips?(c|center|centre)|mid(dle)?hips?|(shoulders?|sho)(center|centre)|spine"
    "[a-z]*[0-9]?|chest|thorax|torso|belly|clavicle|head(top|end)?|top(of)?head|chin|jaw|forehead"
    "|mouth|hand(tip)?|thumb|index|pinky|palm|foot|footindex|heel|(big|small)?toe(base|end)?"
    "|eye(i|o|inner|outer))(left|right|l|r|[12])?"
)
"""Joints that tools have and the model does not use, without a word about them."""

COCO_18 = (
    *("nose", "neck", "right_shoulder", "right_elbow", "right_wrist", "left_shoulder"),
    *("left_elbow", "left_wrist", "right_hip", "right_knee", "right_ankle", "left_hip"),
    *("left_knee", "left_ankle", "right_eye", "left_eye", "right_ear", "left_ear"),
)
BODY_25 = (
    *COCO_18[:8],
    *("mid_hip", "right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle"),
    *COCO_18[14:],
    *("left_big_toe", "left_small_toe", "left_heel"),
    *("right_big_toe", "right_small_toe", "right_heel"),
)
MEDIAPIPE = (
    *("nose", "left_eye_inner", "left_eye", "left_eye_outer"),
    *("right_eye_inner", "right_eye", "right_eye_outer", "left_ear", "right_ear"),
    *("mouth_left", "mouth_right", "left_shoulder", "right_shoulder", "left_elbow", "right_elbow"),
    *("left_wrist", "right_wrist", "left_pinky", "right_pinky", "left_index", "right_index"),
    *("left_thumb", "right_thumb", "left_hip", "right_hip", "left_knee", "right_knee"),
    *("left_ankle", "right_ankle", "left_heel", "right_heel"),
    *("left_foot_index", "right_foot_index"),
)
BY_COUNT = {17: KEYPOINTS, 18: COCO_18, 25: BODY_25, 33: MEDIAPIPE}
"""Joints in order where a file has no names: COCO, OpenPose's two models, MediaPipe.

Source: OpenPose, doc/02_output.md; MediaPipe, Pose Landmarker guide.
"""


def simplify(name: str) -> str:
    """Return a name without case, blanks and marks.

    >>> simplify("Shoulder.Left"), simplify("L_Wrist")
    ('shoulderleft', 'lwrist')
    """
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _iter_names() -> Iterator[tuple[str, str]]:
    yield "nose", "nose"
    for part, words in _PARTS.items():
        for word in words:
            for side, marks in _SIDES.items():
                for mark in marks:
                    yield f"{mark}{word}", f"{side}_{part}"
                    yield f"{word}{mark}", f"{side}_{part}"
        for number, side in _MPII.items():
            yield f"{part}{number}", f"{side}_{part}"


TABLE = dict(_iter_names())
"""Simplified name to keypoint; the whole of what is known."""


def map_joints(
    names: Sequence[str], given: Mapping[str, str] | None = None
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Find the model's keypoints among the joints of a file.

    Args:
        names: Of the file's J joints.
        given: Names in the file to keypoints, or to an empty text for none; they go first.

    Returns:
        (17,) int64 index of the joint that is each keypoint, -1 for none; and what the user should
        know, in words.

    Raises:
        ValueError: A given name is not in the file, or its keypoint is none of the model's.

    >>> columns, notes = map_joints(["Head", "WristLeft", "tail"], {})
    >>> columns[[0, 9, 10]].tolist(), notes[0]
    ([0, 1, -1], 'joints that are not known and not used: tail')
    """
    columns = np.full(N_KEYPOINTS, -1, dtype=np.int64)
    simple = [simplify(name) for name in names]
    taken = _apply_given(columns, names, simple, given or {})
    unknown, twice = [], []
    for joint, name in enumerate(simple):
        keypoint = TABLE.get(name)
        if joint in taken or (keypoint is None and _KNOWN_OTHERS.fullmatch(name)):
            continue
        if keypoint is None:
            unknown += [] if name in _INSTEAD_OF_NOSE else [names[joint]]
        elif columns[INDEX[keypoint]] < 0:
            columns[INDEX[keypoint]] = joint
        else:
            twice.append(names[joint])
    for name in _INSTEAD_OF_NOSE:
        if columns[INDEX["nose"]] < 0 and name in simple and simple.index(name) not in taken:
            columns[INDEX["nose"]] = simple.index(name)
    missing = [name for name, joint in zip(KEYPOINTS, columns, strict=True) if joint < 0]
    notes = (
        _describe("joints that are not known and not used", unknown),
        _describe("joints that are left out, for another one is the same keypoint", twice),
        _describe("keypoints that are missing", missing),
    )
    return columns, tuple(filter(None, notes))


def _apply_given(
    columns: np.ndarray, names: Sequence[str], simple: Sequence[str], given: Mapping[str, str]
) -> set[int]:
    """Set the columns of given names; return the joints that are settled by them."""
    taken: set[int] = set()
    by_name = {simplify(name): name for name in KEYPOINTS}
    for name, target in given.items():
        if simplify(name) not in simple:
            raise ValueError(f"there is no joint {name!r}; there are: {', '.join(names)[:500]}")
        joint = simple.index(simplify(name))
        taken.add(joint)
        if not target:
            continue
        keypoint = by_name.get(simplify(target)) or TABLE.get(simplify(target))
        if keypoint is None:
            raise ValueError(
                f"{target!r}, given for {name!r}, is no keypoint of the model; those are: "
                f"{', '.join(KEYPOINTS)}"
            )
        columns[INDEX[keypoint]] = joint
    return taken


def _describe(what: str, names: Sequence[str]) -> str:
    return f"{what}: {', '.join(names)[:300]}" if names else ""
