"""A person's measures: joints, bones and proportions from small child to adult."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

JOINT_NAMES = (
    *("nose", "left_eye", "right_eye", "left_ear", "right_ear"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_hand", "right_hand", "left_toe", "right_toe"),
)
"""Order of joints in every array; the first 17 are the keypoints of COCO."""

JOINT = {name: index for index, name in enumerate(JOINT_NAMES)}
N_JOINTS = len(JOINT_NAMES)
LEFT, RIGHT = 0, 1
SIDE_SIGNS = np.array([1.0, -1.0])

ELBOW_FLEX = (np.radians(4.0), np.radians(150.0))
KNEE_FLEX = (np.radians(1.0), np.radians(150.0))


@dataclass(frozen=True)
class Body:
    """One person's measures in meters.

    ``forearm`` ends at the wrist and ``hand`` reaches from there to the middle of the hand;
    ``head`` is (half depth, half width, half height) and ``trunk_radii`` (half depth, half width).
    """

    stature: float
    ankle: float
    shank: float
    thigh: float
    trunk: float
    neck: float
    head: tuple[float, float, float]
    hip_width: float
    shoulder_width: float
    upper_arm: float
    forearm: float
    hand: float
    foot: float
    trunk_radii: tuple[float, float]
    is_child: bool

    @property
    def arm_reach(self) -> float:
        """Greatest distance from the shoulder to the middle of the hand."""
        return compute_span(self.upper_arm, self.forearm + self.hand, ELBOW_FLEX[0])

    @property
    def stand_height(self) -> float:
        """Height of the hips when standing at ease."""
        return self.ankle + 0.985 * (self.shank + self.thigh)

    @property
    def hand_radius(self) -> float:
        """Half the thickness of a hand."""
        return 0.024 * self.stature


def make_body(stature: float, age: float, build: float = 1.0) -> Body:
    """Return a body with proportions between adult and small child.

    Args:
        stature: Meters from floor to crown.
        age: 1 adult, 0 a child of three: bigger head, shorter legs.
        build: Thickness of the trunk, 1 the usual.

    Source: adult segment lengths as shares of stature from Drillis and Contini 1966, as printed
    in Winter, Biomechanics and Motor Control of Human Movement; a small child's head takes about
    a fifth of its height (Muller and others on growth, any anatomy atlas).
    """
    child = 1.0 - age
    head_height = stature * (0.130 + 0.058 * child)
    leg = stature * (0.491 - 0.065 * child)
    arm = stature * (1.0 - 0.06 * child)
    return Body(
        stature=stature,
        ankle=0.039 * stature,
        shank=0.5 * leg,
        thigh=0.5 * leg,
        trunk=stature * (0.288 + 0.008 * child),
        neck=0.050 * stature,
        head=(0.43 * head_height, 0.37 * head_height, 0.5 * head_height),
        hip_width=0.110 * stature,
        shoulder_width=0.215 * stature,
        upper_arm=0.186 * arm,
        forearm=0.146 * arm,
        hand=0.045 * arm,
        foot=0.125 * stature,
        trunk_radii=(0.066 * stature * build, 0.096 * stature * build),
        is_child=age < 0.75,
    )


def draw_body(rng: np.random.Generator, child_age: float | None) -> Body:
    """Draw a child of about an age (0 for 3 years to 0.6 for 11), or an adult for None."""
    build, older = float(rng.uniform(0.9, 1.25)), float(rng.uniform(-0.12, 0.12))
    if child_age is not None:
        age = float(np.clip(child_age + older, 0.0, 0.6))
        return make_body(0.98 + 0.75 * age + float(rng.normal(0.0, 0.03)), age, build)
    return make_body(float(np.clip(rng.normal(1.70, 0.09), 1.5, 1.95)), 1.0, build)


def compute_span(upper: float, lower: float, flex: float) -> float:
    """Return the distance between the ends of two bones whose hinge is bent by ``flex`` radians.

    >>> compute_span(3.0, 4.0, 0.0), round(compute_span(3.0, 4.0, np.pi / 2), 3)
    (7.0, 5.0)
    """
    return float(np.sqrt(upper**2 + lower**2 + 2.0 * upper * lower * np.cos(flex)))
