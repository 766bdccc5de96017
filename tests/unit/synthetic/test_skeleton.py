from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from har.synthetic.body import ELBOW_FLEX, JOINT, JOINT_NAMES, Body, draw_body, make_body
from har.synthetic.curves import compute_steps
from har.synthetic.skeleton import Controls, solve_base, solve_joints, solve_two_bones

ADULT = make_body(1.7, 1.0)
CHILD = make_body(1.1, 0.1)
PLACES = npst.arrays(np.float64, (5, 2, 3), elements=st.floats(-1.5, 2.0))
ANGLES = npst.arrays(np.float64, (5, 3), elements=st.floats(-1.5, 1.5))


def bone_lengths(joints: np.ndarray) -> dict[str, np.ndarray]:
    """(T,) length of each bone that a body's measures fix."""
    bones = {}
    for side in ("left", "right"):
        chain = ("shoulder", "elbow", "wrist", "hand"), ("hip", "knee", "ankle")
        for names in chain:
            for start, end in pairwise(names):
                ends = [joints[..., JOINT[f"{side}_{name}"], :] for name in (start, end)]
                bones[f"{side}_{end}"] = np.linalg.norm(ends[1] - ends[0], axis=-1)
    return bones


def expected_lengths(body: Body) -> dict[str, float]:
    lengths = {"elbow": body.upper_arm, "wrist": body.forearm, "hand": body.hand}
    return lengths | {"knee": body.thigh, "ankle": body.shank}


def flexion(joints: np.ndarray, start: str, hinge: str, end: str) -> np.ndarray:
    first, second = (
        joints[..., JOINT[b], :] - joints[..., JOINT[a], :]
        for a, b in ((start, hinge), (hinge, end))
    )
    cosine = (first * second).sum(axis=-1)
    cosine = cosine / np.linalg.norm(first, axis=-1) / np.linalg.norm(second, axis=-1)
    return np.arccos(np.clip(cosine, -1.0, 1.0))


def test_the_first_seventeen_joints_are_coco():
    assert JOINT_NAMES[0] == "nose"
    assert JOINT_NAMES[5:7] == ("left_shoulder", "right_shoulder")
    assert JOINT_NAMES[15:17] == ("left_ankle", "right_ankle")
    assert len(JOINT_NAMES) == 21


def test_someone_who_stands_still():
    controls = Controls.standing(ADULT, 3, 25.0)
    base = solve_base(ADULT, controls)
    joints = solve_joints(ADULT, base, np.zeros((3, 2, 3)), controls.elbows, 25.0)
    shoulder, hip, ankle = (
        joints[0, JOINT[f"left_{name}"]] for name in ("shoulder", "hip", "ankle")
    )
    assert shoulder[2] == pytest.approx(ADULT.stand_height + ADULT.trunk)
    assert hip.tolist() == pytest.approx([0.0, 0.5 * ADULT.hip_width, ADULT.stand_height])
    assert ankle[2] == pytest.approx(ADULT.ankle)
    assert joints[0, JOINT["nose"], 0] > joints[0, JOINT["left_ear"], 0]
    crown = base.skull[0, 2] + ADULT.head[2]
    assert crown == pytest.approx(ADULT.stature, rel=0.03)


def test_children_have_bigger_heads_and_shorter_legs():
    assert CHILD.head[2] / CHILD.stature > 1.3 * ADULT.head[2] / ADULT.stature
    assert CHILD.thigh / CHILD.stature < 0.92 * ADULT.thigh / ADULT.stature


@settings(max_examples=60, deadline=None)
@given(PLACES, ANGLES, ANGLES, st.integers(0, 50))
def test_bones_keep_their_length_and_hinges_their_limits(hands, trunk, head, seed):
    body = draw_body(np.random.default_rng(seed), seed % 2 == 0)
    controls = Controls.standing(body, 5, 25.0)
    controls.trunk[:], controls.head[:] = trunk, head
    joints = solve_joints(body, solve_base(body, controls), hands, controls.elbows, 25.0)
    for name, length in bone_lengths(joints).items():
        assert length == pytest.approx(expected_lengths(body)[name.split("_")[1]], rel=1e-6)
    for side in ("left", "right"):
        elbow = flexion(joints, f"{side}_shoulder", f"{side}_elbow", f"{side}_wrist")
        assert (elbow > ELBOW_FLEX[0] - 1e-6).all()
        assert (elbow < ELBOW_FLEX[1] + 1e-6).all()


@settings(max_examples=60, deadline=None)
@given(PLACES)
def test_a_limb_reaches_what_it_can_and_points_at_what_it_cannot(targets):
    start, target = np.zeros((5, 3)), targets[:, 0]
    pole = np.tile(np.array([[0.1, 0.2, -1.0]]), (5, 1))
    _, end = solve_two_bones(start, target, pole, (0.3, 0.25), (0.0, 2.8))
    distance = np.linalg.norm(target, axis=-1)
    near = (distance > 0.12) & (distance < 0.549)
    assert end[near] == pytest.approx(target[near])
    far = distance > 0.55
    assert np.linalg.norm(end[far], axis=-1) == pytest.approx(np.full(far.sum(), 0.55))
    assert np.cross(end[far], target[far]) == pytest.approx(np.zeros((far.sum(), 3)), abs=1e-9)


def test_hands_stay_out_of_the_own_head_and_trunk():
    controls = Controls.standing(ADULT, 1, 25.0)
    base = solve_base(ADULT, controls)
    inside = np.stack([base.skull + 0.03, base.on_trunk(0.05, 0.0, 0.6 * ADULT.trunk)], axis=1)
    joints = solve_joints(ADULT, base, inside, controls.elbows, 25.0)
    at_head = joints[0, JOINT["left_hand"]] - base.skull[0]
    assert np.linalg.norm(at_head / np.array(ADULT.head)) >= 0.999
    at_chest = joints[0, JOINT["right_hand"]] - base.pelvis[0]
    assert at_chest[0] >= 0.99 * ADULT.trunk_radii[0]


def test_the_lean_is_held_at_its_limit():
    controls = Controls.standing(ADULT, 2, 25.0)
    controls.trunk[:, 0] = np.radians([75.0, 120.0])
    skulls = solve_base(ADULT, controls).skull
    assert skulls[0] == pytest.approx(skulls[1])


def test_a_foot_on_the_floor_stays_where_it_is():
    """At a steady walk of 1 m/s one foot always rests while the other swings."""
    root = np.zeros((100, 2))
    root[:, 0] = np.arange(100) / 50.0
    along, lift = compute_steps(root, 0.5, 50.0)
    speed = np.abs(np.diff(root[:, None, 0] + along[..., 0], axis=0))[10:-10] * 50.0
    resting = lift[10:-11] == 0.0
    assert resting.any(axis=1).all()
    assert speed[resting & (lift[11:-10] == 0.0)].max() < 0.02
    assert lift.max() == pytest.approx(0.15, rel=0.05)


def test_nobody_steps_on_the_spot():
    along, lift = compute_steps(np.zeros((20, 2)), 0.5, 25.0)
    assert not along.any()
    assert not lift.any()
