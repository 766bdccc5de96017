"""A body in 3D: its joints from a few controls, within joint limits.

World axes in meters: x and y lie on the floor, z points up. A person's own axes are forward, left
and up. The first 17 joints are COCO's keypoints in COCO's order; hands and toes follow.

Solving goes in two steps, because hands reach for places on bodies: `solve_base` sets trunk, head
and legs of everyone, then `solve_joints` adds the arms.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import dataclass

import numpy as np

from har.synthetic.body import (
    ELBOW_FLEX,
    JOINT,
    KNEE_FLEX,
    N_JOINTS,
    SIDE_SIGNS,
    Body,
    compute_span,
)
from har.synthetic.curves import (
    compute_running_mean,
    compute_steps,
    ease_smooth,
    rotate,
)

TRUNK_LIMITS = np.radians([[-20.0, 75.0], [-35.0, 35.0], [-50.0, 50.0]])
HEAD_LIMITS = np.radians([[-75.0, 75.0], [-45.0, 60.0], [-35.0, 35.0]])


@dataclass
class Controls:
    """What moves a body, at T times. Angles in radians, places in meters.

    Attributes:
        root: (T, 2) point on the floor under the person; steps follow from how it moves.
        yaw: (T,) direction faced, counter-clockwise from x.
        hips: (T,) height of the hips.
        shift: (T, 2) hips aside from the root (forward, left): weight shifting without steps.
        trunk: (T, 3) lean forward, lean to the right, twist to the left.
        head: (T, 3) turn left, drop, tilt right.
        feet: (T, 2, 3) ankles from the root in own axes, before steps are added.
        kick: (T, 2, 4) place in the world and, last, how far the foot is drawn to it, 0 to 1.
        elbows: (T, 2) how far elbows are raised sideways, 0 hanging to 1 level.
        rate_hz: Times a second.
    """

    root: np.ndarray
    yaw: np.ndarray
    hips: np.ndarray
    shift: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    feet: np.ndarray
    kick: np.ndarray
    elbows: np.ndarray
    rate_hz: float

    @classmethod
    def standing(cls, body: Body, n: int, rate_hz: float) -> Controls:
        """Return a person who stands still at the origin, facing along x."""
        feet = np.zeros((n, 2, 3))
        feet[:, :, 1] = SIDE_SIGNS * 0.55 * body.hip_width
        feet[:, :, 2] = body.ankle
        hips = np.full(n, body.stand_height)
        zeros = [np.zeros((n, *shape)) for shape in ((2,), (), (2,), (3,), (3,), (2, 4), (2,))]
        root, yaw, shift, trunk, head, kick, elbows = zeros
        return cls(root, yaw, hips, shift, trunk, head, feet, kick, elbows, rate_hz)

    def window(self, span: slice) -> Controls:
        """Return the controls of some of the times; what is written there is written here too."""
        names = [item.name for item in dataclasses.fields(self) if item.name != "rate_hz"]
        return Controls(**{name: getattr(self, name)[span] for name in names}, rate_hz=self.rate_hz)

    def at(self, index: int) -> Controls:
        """Return a copy that holds one moment only (T = 1)."""
        return copy.deepcopy(self.window(slice(index, index + 1)))


@dataclass(frozen=True)
class Base:
    """Trunk, head and legs at T times; what hands reach for is measured on it.

    Attributes:
        pelvis: (T, 3) middle of the hips.
        facing: (T, 3, 3) own axes of the hips as columns: forward, left, up.
        trunk: (T, 3, 3) own axes of the chest.
        head: (T, 3, 3) own axes of the head.
        shoulders: (T, 2, 3) left, right.
        skull: (T, 3) middle of the head.
        legs: (T, 2, 4, 3) hip, knee, ankle, toe.
    """

    pelvis: np.ndarray
    facing: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    shoulders: np.ndarray
    skull: np.ndarray
    legs: np.ndarray

    def on_trunk(self, forward: float, left: float, up: float) -> np.ndarray:
        """Return (T, 3) a place that moves with the chest, in meters from the pelvis."""
        return self.pelvis + self.trunk @ np.array([forward, left, up])

    def on_head(self, forward: float, left: float, up: float) -> np.ndarray:
        """Return (T, 3) a place that moves with the head, in meters from its middle."""
        return self.skull + self.head @ np.array([forward, left, up])


def solve_base(body: Body, controls: Controls) -> Base:
    """Return trunk, head and legs; angles beyond a joint's limit are held at it."""
    trunk_angles = np.clip(controls.trunk, TRUNK_LIMITS[:, 0], TRUNK_LIMITS[:, 1])
    head_angles = np.clip(controls.head, HEAD_LIMITS[:, 0], HEAD_LIMITS[:, 1])
    facing = rotate("z", controls.yaw)
    lean, roll, twist = trunk_angles.T
    trunk = facing @ rotate("y", lean) @ rotate("x", roll) @ rotate("z", twist)
    turn, drop, tilt = head_angles.T
    head = trunk @ rotate("z", turn) @ rotate("y", drop) @ rotate("x", tilt)
    ankles = _place_ankles(body, controls, facing)
    pelvis = _place_pelvis(body, controls, facing, ankles)
    neck = pelvis + body.trunk * trunk[..., 2]
    half_width = 0.5 * body.shoulder_width * SIDE_SIGNS
    shoulders = neck[:, None] + half_width[:, None] * trunk[:, None, :, 1]
    skull = neck + body.neck * trunk[..., 2] + 0.95 * body.head[2] * head[..., 2]
    skull = skull + 0.12 * body.head[0] * head[..., 0]
    legs = _solve_legs(body, pelvis, facing, ankles)
    return Base(pelvis, facing, trunk, head, shoulders, skull, legs)


def solve_joints(
    body: Body, base: Base, hands: np.ndarray, elbows: np.ndarray, rate_hz: float
) -> np.ndarray:
    """Return all joints.

    Args:
        body: Measures.
        base: Trunk, head and legs.
        hands: (T, 2, 3) where the middles of the hands shall be; what is out of reach is
            approached as far as the elbow's limits allow, what is inside the own trunk or head
            is moved to its surface.
        elbows: (T, 2) as in `Controls`.
        rate_hz: Times a second.

    Returns:
        (T, J, 3) meters.
    """
    joints = np.empty((len(hands), N_JOINTS, 3))
    depth, width, height = body.head
    face = {
        "nose": (1.08 * depth, 0.0, -0.12 * height),
        "left_eye": (0.86 * depth, 0.42 * width, 0.12 * height),
        "right_eye": (0.86 * depth, -0.42 * width, 0.12 * height),
        "left_ear": (-0.05 * depth, width, -0.02 * height),
        "right_ear": (-0.05 * depth, -width, -0.02 * height),
    }
    for name, offset in face.items():
        joints[:, JOINT[name]] = base.on_head(*offset)
    hands = _keep_outside(body, base, hands)
    for side, word in enumerate(("left", "right")):
        shoulder = base.shoulders[:, side]
        pole = _elbow_pole(base, side, elbows[:, side])
        pole = _steady_pole(pole, hands[:, side] - shoulder, rate_hz)
        forearm = body.forearm + body.hand
        elbow, hand = solve_two_bones(
            shoulder, hands[:, side], pole, (body.upper_arm, forearm), ELBOW_FLEX
        )
        joints[:, JOINT[f"{word}_shoulder"]] = shoulder
        joints[:, JOINT[f"{word}_elbow"]] = elbow
        joints[:, JOINT[f"{word}_wrist"]] = elbow + (hand - elbow) * (body.forearm / forearm)
        joints[:, JOINT[f"{word}_hand"]] = hand
        for part, name in enumerate(("hip", "knee", "ankle", "toe")):
            joints[:, JOINT[f"{word}_{name}"]] = base.legs[:, side, part]
    return joints


def solve_two_bones(
    start: np.ndarray,
    target: np.ndarray,
    pole: np.ndarray,
    lengths: tuple[float, float],
    flex: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray]:
    """Return the hinge and the end of a limb of two bones that reaches for a target.

    Args:
        start: (T, 3) shoulder or hip.
        target: (T, 3) where the end shall be.
        pole: (T, 3) direction that the hinge bends towards; any length.
        lengths: Meters of the upper and the lower bone.
        flex: Least and greatest bend of the hinge in radians, 0 straight.

    Returns:
        (T, 3) hinge and (T, 3) end. A target out of reach is approached on the straight way.

    >>> hinge, end = solve_two_bones(
    ...     np.zeros((1, 3)), np.array([[3.0, 4.0, 0.0]]), np.array([[0.0, 0.0, 1.0]]),
    ...     (5.0, 5.0), (0.0, 3.1))
    >>> hinge.round(3).tolist(), end.round(3).tolist()
    ([[1.5, 2.0, 4.33]], [[3.0, 4.0, 0.0]])
    """
    upper, lower = lengths
    away = target - start
    distance = np.linalg.norm(away, axis=-1, keepdims=True)
    along = away / np.maximum(distance, 1e-9)
    reach = np.clip(
        distance, compute_span(upper, lower, flex[1]), compute_span(upper, lower, flex[0])
    )
    aside = pole - (pole * along).sum(axis=-1, keepdims=True) * along
    aside = aside / np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-9)
    foot = (upper**2 - lower**2 + reach**2) / (2.0 * reach)
    height = np.sqrt(np.maximum(upper**2 - foot**2, 0.0))
    return start + foot * along + height * aside, start + reach * along


def _place_ankles(body: Body, controls: Controls, facing: np.ndarray) -> np.ndarray:
    ankles = np.einsum("tij,tsj->tsi", facing, controls.feet)
    ankles[..., :2] += controls.root[:, None]
    step_m = 0.3 * body.stature
    along, lift = compute_steps(controls.root, step_m, controls.rate_hz)
    ankles[..., :2] += along
    ankles[..., 2] += lift
    weight = controls.kick[..., 3:]
    return (1.0 - weight) * ankles + weight * controls.kick[..., :3]


def _place_pelvis(
    body: Body, controls: Controls, facing: np.ndarray, ankles: np.ndarray
) -> np.ndarray:
    pelvis = np.einsum("tij,tj->ti", facing[:, :, :2], controls.shift)
    pelvis[:, :2] += controls.root
    flat = np.linalg.norm(ankles[..., :2] - pelvis[:, None, :2], axis=-1)
    leg = 0.995 * (body.shank + body.thigh)
    ceiling = ankles[..., 2] + np.sqrt(np.maximum(leg**2 - flat**2, (0.3 * leg) ** 2))
    pelvis[:, 2] = np.minimum(controls.hips, _soft_min(ceiling))
    return pelvis


def _solve_legs(
    body: Body, pelvis: np.ndarray, facing: np.ndarray, ankles: np.ndarray
) -> np.ndarray:
    legs = np.empty((len(pelvis), 2, 4, 3))
    forward, left, up = facing[..., 0], facing[..., 1], facing[..., 2]
    for side, sign in enumerate(SIDE_SIGNS):
        hip = pelvis + 0.5 * sign * body.hip_width * left
        pole = forward + 0.5 * up + 0.15 * sign * left
        knee, ankle = solve_two_bones(
            hip, ankles[:, side], pole, (body.thigh, body.shank), KNEE_FLEX
        )
        toe = ankle + body.foot * (forward + 0.15 * sign * left) - 0.7 * body.ankle * up
        legs[:, side] = np.stack([hip, knee, ankle, toe], axis=1)
    return legs


def _elbow_pole(base: Base, side: int, raised: np.ndarray) -> np.ndarray:
    forward, left, up = base.trunk[..., 0], base.trunk[..., 1], base.trunk[..., 2]
    outward = SIDE_SIGNS[side] * left
    hanging = -0.45 * forward + 0.5 * outward - 0.75 * up
    level = -0.7 * forward + 0.7 * outward + 0.3 * up
    return (1.0 - raised)[:, None] * hanging + raised[:, None] * level


def _steady_pole(pole: np.ndarray, reach: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the pole's part across the reach, evened out over a fifth of a second.

    Where an arm points along its pole that part vanishes and would turn over at once; there the
    moments before and after decide.
    """
    along = reach / np.maximum(np.linalg.norm(reach, axis=-1, keepdims=True), 1e-9)
    across = pole - (pole * along).sum(axis=-1, keepdims=True) * along
    return compute_running_mean(across, 2 * round(0.1 * rate_hz) + 1)


def _keep_outside(body: Body, base: Base, hands: np.ndarray) -> np.ndarray:
    """Move hands out of the own trunk and head, to the nearest surface in their direction."""
    depth, width = body.trunk_radii
    local = np.einsum("tji,tsj->tsi", base.trunk, hands - base.pelvis[:, None])
    high = ease_smooth(local[..., 2] / (0.15 * body.trunk))
    high = high * ease_smooth((1.05 * body.trunk - local[..., 2]) / (0.15 * body.trunk))
    norm = np.hypot(local[..., 0] / depth, local[..., 1] / width)
    grow = 1.0 + high * (np.maximum(1.0 / np.maximum(norm, 0.2), 1.0) - 1.0)
    local[..., :2] *= grow[..., None]
    hands = base.pelvis[:, None] + np.einsum("tij,tsj->tsi", base.trunk, local)
    local = np.einsum("tji,tsj->tsi", base.head, hands - base.skull[:, None])
    norm = np.linalg.norm(local / np.array(body.head), axis=-1)
    local *= np.maximum(1.0 / np.maximum(norm, 0.2), 1.0)[..., None]
    return base.skull[:, None] + np.einsum("tij,tsj->tsi", base.head, local)


def _soft_min(values: np.ndarray) -> np.ndarray:
    return -np.log(np.exp(-60.0 * values).mean(axis=-1)) / 60.0
