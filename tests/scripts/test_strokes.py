"""Strokes onto the own body: a hit touches, its control does not, bones keep their lengths."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from har.pose.keypoints import INDEX
from three_class.arm_body import ArmBody, lift_body
from three_class.self_hits import AWAY, TOUCH, draw_own_hits, draw_sound
from three_class.strokes import (
    compute_back,
    compute_clearance,
    compute_share,
    draw_stroke,
    ease,
    find_target,
    move_arms,
    put_hand,
)

RATE_HZ = 10.0
N = 40
STANDING = {
    "nose": (100, 50),
    "left_eye": (103, 47),
    "right_eye": (97, 47),
    "left_ear": (107, 50),
    "right_ear": (93, 50),
    "left_shoulder": (119, 75),
    "right_shoulder": (81, 75),
    "left_elbow": (125, 105),
    "right_elbow": (75, 105),
    "left_wrist": (127, 130),
    "right_wrist": (73, 130),
    "left_hip": (110, 125),
    "right_hip": (90, 125),
    "left_knee": (111, 165),
    "right_knee": (89, 165),
    "left_ankle": (111, 200),
    "right_ankle": (89, 200),
}


def build_track(n: int = N) -> np.ndarray:
    points = np.zeros((n, 17, 3), dtype=np.float32)
    for name, place in STANDING.items():
        points[:, INDEX[name]] = (*place, 0.9)
    points[..., 0] += np.sin(np.arange(n) / 5.0)[:, None]
    return points


@pytest.fixture
def body() -> ArmBody:
    return lift_body(build_track(), RATE_HZ)


def measure_bones(body: ArmBody, side: int) -> np.ndarray:
    chain = body.shoulders[:, side], body.elbows[:, side], body.wrists[:, side]
    return np.stack([np.linalg.norm(b - a, axis=1) for a, b in pairwise(chain)])


def test_a_person_who_faces_the_camera_is_lifted_as_one_who_does(body: ArmBody) -> None:
    left, up, front = body.axes[N // 2]
    np.testing.assert_allclose(left, (1, 0, 0), atol=0.05)
    np.testing.assert_allclose(up, (0, -1, 0), atol=0.02)
    np.testing.assert_allclose(front, (0, 0, -1), atol=0.05)
    assert body.arm == pytest.approx(1.24 * 50, rel=0.02)
    np.testing.assert_allclose(
        body.wrists[:, 0, :2], build_track()[:, INDEX["left_wrist"], :2], atol=1e-4
    )


def test_a_hit_touches_and_its_control_does_not(body: ArmBody) -> None:
    rng = np.random.default_rng(0)
    for _ in range(12):
        found = draw_sound(body, RATE_HZ, rng)
        assert found is not None
        stroke, (hit, control) = found
        shown = hit[1] > 0.98
        bodies = hit[0], control[0]
        near = [compute_clearance(b, b.wrists[:, stroke.side])[shown].min() for b in bodies]
        assert near[0] <= TOUCH < AWAY <= near[1]
        np.testing.assert_array_equal(hit[1], control[1])


def test_the_hand_is_at_the_target_when_a_stroke_lands(body: ArmBody) -> None:
    stroke = replace(
        draw_stroke(body, 4.0, np.random.default_rng(1)),
        side=0,
        part="head",
        normal=np.array([1.0, 0.0, 0.0]),
        hand=0.1,
        beats_s=np.array([1.5, 2.5]),
        is_double=False,
    )
    moved, share = move_arms(body, stroke, np.arange(N) / RATE_HZ, is_control=False)
    target = find_target(body, replace(stroke, shift=np.zeros(3)), 0)
    for step in (15, 25):
        assert share[step] == 1.0
        np.testing.assert_allclose(moved.wrists[step, 0], target[step], atol=0.02 * body.arm)
        assert target[step, 0] - body.head[step, 0] == pytest.approx(0.25 * body.arm, rel=0.05)


def test_bones_keep_their_lengths_and_the_other_arm_and_time_stay(body: ArmBody) -> None:
    stroke = replace(draw_stroke(body, 4.0, np.random.default_rng(2)), is_double=False)
    moved, share = move_arms(body, stroke, np.arange(N) / RATE_HZ, is_control=True)
    bones = measure_bones(moved, stroke.side)[:, share == 1.0]
    np.testing.assert_allclose(bones, body.bones[stroke.side][:, None] * np.ones_like(bones))
    still = share == 0.0
    for part in ("elbows", "wrists"):
        before, after = getattr(body, part), getattr(moved, part)
        np.testing.assert_array_equal(after[:, 1 - stroke.side], before[:, 1 - stroke.side])
        np.testing.assert_allclose(after[still], before[still], atol=1e-3 * body.arm)


def test_a_hand_out_of_reach_stays_on_the_line_from_the_shoulder(body: ArmBody) -> None:
    far = body.shoulders[:, 1] + [0.0, -500.0, 0.0]
    moved = put_hand(body, 1, far, np.ones(N), 0.5)
    np.testing.assert_allclose(
        moved.wrists[:, 1] - body.shoulders[:, 1], [[0.0, -body.arm, 0.0]] * N, atol=1e-4
    )


def test_a_stroke_comes_with_least_jerk_and_lands_at_speed(body: ArmBody) -> None:
    stroke = replace(
        draw_stroke(body, 4.0, np.random.default_rng(3)),
        beats_s=np.array([1.0]),
        stroke_s=0.2,
        dwell_s=0.1,
        back_s=0.3,
        beyond=0.0,
    )
    back = compute_back(stroke, np.array([0.5, 0.8, 0.9, 1.0, 1.1, 1.25, 1.4]))
    np.testing.assert_allclose(back, [1, 1, 0.5, 0, 0, 0.5, 1], atol=1e-9)
    hard = replace(stroke, beyond=0.5)
    just_before = compute_back(hard, np.array([0.99]))[0]
    assert just_before > 10 * compute_back(stroke, np.array([0.99]))[0]
    assert compute_share(stroke, np.array([0.8, 1.4])).tolist() == [1.0, 1.0]
    assert ease(np.array([0.25]))[0] == pytest.approx(0.103515625)


def test_own_hits_differ_from_their_controls_in_the_arms_alone() -> None:
    tracks = [(build_track(), "a"), (build_track(5), "too short"), (0 * build_track(), "nobody")]
    hit, control = draw_own_hits(tracks, RATE_HZ, np.random.default_rng(4))
    assert (hit.is_hit, control.is_hit) == (True, False)
    assert hit.group == control.group == "a"
    assert hit.span_s == control.span_s
    arms = [INDEX[f"{s}_{p}"] for s in ("left", "right") for p in ("elbow", "wrist")]
    others = [joint for joint in range(17) if joint not in arms]
    np.testing.assert_array_equal(hit.points[:, others], control.points[:, others])
    assert np.abs(hit.points[:, arms] - control.points[:, arms]).max() > 5.0
