from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest
from bodies import MIRRORED
from hypothesis import given, settings
from hypothesis import strategies as st

import half_real
from half_real.acts import (
    ACTS,
    RATE_HZ,
    Gesture,
    Rhythm,
    build_keys,
    draw_rhythm,
)
from half_real.arm import (
    Key,
    SyntheticArm,
    compute_jitter,
    draw_arm,
    follow_keys,
    solve_arm,
)
from half_real.body import (
    Body,
    compute_axes,
    estimate_body,
    smooth_course,
)
from half_real.crude_rule import score_by_rule
from half_real.sequences import (
    HalfReal,
    RealClip,
    build_half_real,
    compose_half_real,
    judge_body,
)
from har.errors import NoClipsError
from har.pose.keypoints import INDEX, Tracks

TORSO_PX = 60.0
AWAY_FROM_HEAD = ("wave", "point", "clap", "stretch", "rest", "high_five")

# A person of 60 px from neck to hips who faces the camera: the left hand is on the right.
STANDING = {
    "nose": (0, -18),
    "left_eye": (3, -21),
    "left_ear": (8, -19),
    "left_shoulder": (22, 0),
    "left_elbow": (26, 38),
    "left_wrist": (28, 72),
    "left_hip": (14, 60),
    "left_knee": (15, 110),
    "left_ankle": (15, 155),
}


def standing(n_steps: int = 40, jitter_px: float = 0.5, score: float = 0.8) -> np.ndarray:
    """Return (T, 17, 3) of someone who stands at x 160, y 60."""
    points = np.zeros((n_steps, 17, 3), dtype=np.float32)
    for name, (x, y) in STANDING.items():
        points[:, INDEX[name]] = (x, y, score)
        points[:, MIRRORED[INDEX[name]]] = (-x, y, score)
    rng = np.random.default_rng(3)
    points[..., :2] += np.array([160, 60])
    points[..., :2] += rng.normal(0, jitter_px, points[..., :2].shape)
    return points


def clip_of(*people: np.ndarray, name: str = "a", group: str = "g") -> RealClip:
    tracks = Tracks(np.stack(people, axis=1), np.arange(1, len(people) + 1))
    return RealClip(name, "point", group, tracks)


@pytest.fixture
def body() -> Body:
    return estimate_body(standing(jitter_px=0.0), pitch_rad=0.0)


def test_axes_of_someone_who_faces_the_right_edge():
    left, up, front = compute_axes(np.array([np.pi / 2]), 0.0, np.array([[0.0, -1.0]]))
    np.testing.assert_allclose(front, [[1, 0, 0]], atol=1e-12)
    np.testing.assert_allclose(left, [[0, 0, 1]], atol=1e-12)
    np.testing.assert_allclose(up, [[0, -1, 0]], atol=1e-12)


@given(yaw=st.floats(-3.1, 3.1), pitch=st.floats(0.0, 0.6), roll=st.floats(-1.5, 1.5))
def test_axes_stay_square_and_lean_as_seen(yaw: float, pitch: float, roll: float):
    seen_up = np.array([[np.sin(roll), -np.cos(roll)]])
    axes = np.concatenate(compute_axes(np.array([yaw]), pitch, seen_up))
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-9)
    np.testing.assert_allclose(axes[1, :2], seen_up[0] * np.cos(pitch), atol=1e-9)


def test_body_of_someone_who_faces_the_camera(body: Body):
    np.testing.assert_allclose(body.torso_px, TORSO_PX, rtol=1e-5)
    np.testing.assert_allclose(body.up, np.tile([0, -1, 0], (40, 1)), atol=1e-4)
    assert (body.front[:, 2] < -0.9).all()  # towards the camera
    assert (body.left[:, 0] > 0.9).all()
    np.testing.assert_allclose(body.shoulders[0, 0, :2], [182, 60], atol=1e-3)
    np.testing.assert_allclose(body.anchors["nose"][0, :2], [160, 42], atol=1e-3)
    assert (body.anchors["nose"][:, 2] < body.anchors["head"][:, 2]).all()
    np.testing.assert_allclose(body.anchors["head"][0, :2], [160, 41], atol=1e-3)


def test_body_of_someone_in_profile_faces_where_the_nose_is():
    points = standing()
    points[..., 0] = 160 + 0.1 * (points[..., 0] - 160)
    points[:, 0, 0] += 20
    assert (estimate_body(points, 0.0).front[:, 0] > 0.8).all()
    points[:, 0, 0] -= 40
    assert (estimate_body(points, 0.0).front[:, 0] < -0.8).all()


def test_a_camera_that_looks_down_sees_the_trunk_shorter():
    seen = estimate_body(standing(), pitch_rad=np.pi / 3)
    np.testing.assert_allclose(seen.torso_px, 2 * TORSO_PX, rtol=0.02)


def test_smoothing_fills_unseen_steps_from_their_neighbors():
    course = np.array([[0.0, 2.0, 0.9], [99.0, 99.0, 0.0], [4.0, 2.0, 0.9]])
    np.testing.assert_allclose(smooth_course(course, 1.5)[1], [2.0, 2.0], atol=1e-6)


@settings(max_examples=40)
@given(
    out=st.floats(-1.5, 1.5),
    up=st.floats(-1.5, 1.5),
    front=st.floats(-1.5, 1.5),
    swivel=st.floats(0.0, 1.6),
    side=st.integers(0, 1),
)
def test_bones_keep_their_lengths(out: float, up: float, front: float, swivel: float, side: int):
    body = estimate_body(standing(5, jitter_px=0.0), pitch_rad=0.2)
    key = Key(0.0, "shoulder", (out, up, front))
    goal = follow_keys(body, side, [key], np.arange(5) / 10)
    elbow, wrist = solve_arm(body, side, goal, swivel)
    upper, fore = body.bones[side][:, None] * body.torso_px
    np.testing.assert_allclose(
        np.linalg.norm(elbow - body.shoulders[:, side], axis=1), upper, rtol=1e-6
    )
    np.testing.assert_allclose(np.linalg.norm(wrist - elbow, axis=1), fore, rtol=1e-6)


def test_elbow_worked_out_by_hand(body: Body):
    # Upper arm and forearm of 0.66 and 0.58 torsos, the hand one torso ahead of the shoulder: the
    # elbow is (1 + 0.66^2 - 0.58^2) / 2 = 0.5496 torsos ahead and 0.3654 torsos below, and back by
    # nothing, for the way back lies along the line.
    bones = np.tile([0.66, 0.58], (2, 1))
    body = Body(body.left, body.up, body.front, body.torso_px, body.shoulders, body.anchors, bones)
    goal = follow_keys(body, 0, [Key(0.0, "shoulder", (0.0, 0.0, 1.0))], np.zeros(40))
    elbow, wrist = solve_arm(body, 0, goal, swivel_rad=0.0)
    np.testing.assert_allclose(wrist, goal, atol=1e-3)
    offset = (elbow - body.shoulders[:, 0]) / TORSO_PX
    np.testing.assert_allclose((offset * body.front).sum(axis=1), 0.5496, atol=1e-3)
    np.testing.assert_allclose((offset * body.up).sum(axis=1), -0.3654, atol=1e-3)


def test_a_hand_follows_its_keys(body: Body):
    keys = [
        Key(0.0, "nose", (0.0, 0.0, 0.0)),
        Key(1.0, "nose", (0.0, 0.5, 0.0), "strike"),
        Key(2.0, "nose", (0.0, 0.0, 0.0), "rebound"),
    ]
    way = follow_keys(body, 0, keys, np.arange(40) / 10)
    height = (42 - way[:, 1]) / TORSO_PX
    np.testing.assert_allclose(
        height[[0, 5, 10, 15, 20, 39]], [0, 0.125, 0.5, 0.125, 0, 0], atol=1e-3
    )


def test_rhythm_starts_and_ends_the_made_arm():
    rhythm = Rhythm((1.0, 2.0), 0.2, 0.05, start_s=0.8, end_s=2.2, raise_s=0.4, reach=0.5)
    share = rhythm.compute_share(np.array([0.0, 0.4, 0.6, 0.8, 2.2, 2.4, 2.6, 3.0]))
    np.testing.assert_allclose(share, [0, 0, 0.5, 1, 1, 0.5, 0, 0], atol=1e-9)
    assert rhythm.compute_period() == 1.0


def test_bouts_show_two_beats_in_the_window_and_keep_to_the_rates():
    rng = np.random.default_rng(0)
    rhythms = [draw_rhythm(2.4, rng) for _ in range(400)]
    bouts = [rhythm for rhythm in rhythms if len(rhythm.beats_s) > 1]
    shown = [sum(0 <= beat_s <= 2.4 for beat_s in rhythm.beats_s) for rhythm in bouts]
    periods = [rhythm.compute_period() for rhythm in bouts]
    assert 0.05 < 1 - len(bouts) / len(rhythms) < 0.2
    assert np.mean(np.array(shown) >= 2) > 0.98
    assert 1 / RATE_HZ[1] * 0.7 < min(periods) < max(periods) < 1 / RATE_HZ[0] * 1.5


@given(seed=st.integers(0, 10_000), name=st.sampled_from(sorted(ACTS)))
def test_keys_ascend(seed: int, name: str):
    rng = np.random.default_rng(seed)
    rhythm = draw_rhythm(2.4, rng)
    keys = build_keys(ACTS[name].draw(rng, rhythm.reach), rhythm, rng)
    assert np.diff([key.time_s for key in keys]).min(initial=1.0) > 0


def test_hits_and_near_misses_share_their_timing():
    rhythm = Rhythm((0.5, 1.0, 1.5), 0.15, 0.05, 0.35, 1.7, 0.4, 0.5)
    rng = np.random.default_rng(0)
    for name in ("hit_face", "wave", "scratch_head", "clap"):
        keys = build_keys(ACTS[name].draw(rng, rhythm.reach), rhythm, rng)
        times = [key.time_s for key in keys]
        assert times == sorted(set(times))
        assert set(rhythm.beats_s) <= set(times)


def contact_distance(body: Body, name: str, anchor: str, side: int, seed: int) -> float:
    """Return how near, in torsos of the picture, the wrist comes to an anchor at the beats."""
    rng = np.random.default_rng(seed)
    rhythm = Rhythm((1.0, 2.0, 3.0), 0.2, 0.1, 0.8, 3.2, 0.4, 0.5)
    gesture: Gesture = ACTS[name].draw(rng, rhythm.reach)
    way = follow_keys(body, side, build_keys(gesture, rhythm, rng), np.arange(40) / 10)
    wrist = solve_arm(body, side, way, gesture.swivel_rad)[1]
    apart = np.linalg.norm((wrist - body.anchors[anchor])[[10, 20, 30], :2], axis=1)
    return float(apart.max() / TORSO_PX)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    ("name", "anchor", "reach"),
    [
        ("hit_side", "head", 0.5),
        ("hit_crown", "head", 0.6),
        ("hit_forehead", "head", 0.45),
        ("hit_face", "nose", 0.35),
        ("hit_chest", "chest", 0.4),
    ],
)
def test_hits_land_in_the_picture(
    body: Body, name: str, anchor: str, reach: float, side: int, seed: int
):
    assert contact_distance(body, name, anchor, side, seed) < reach


@pytest.mark.parametrize("side", [0, 1])
def test_a_hit_on_the_thigh_lands_on_the_own_side(body: Body, side: int):
    anchor = ("left_thigh", "right_thigh")[side]
    assert contact_distance(body, "hit_thigh", anchor, side, 0) < 0.45


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", AWAY_FROM_HEAD)
def test_gestures_in_the_air_stay_off_the_head(name: str, seed: int):
    points = standing(jitter_px=0.0)
    points[..., 0] = 160 + 0.1 * (points[..., 0] - 160)  # in profile the front is in the picture
    points[:, 0, 0] += 13
    body = estimate_body(points, 0.0)
    rng = np.random.default_rng(seed)
    rhythm = Rhythm((1.0, 2.0, 3.0), 0.2, 0.1, 0.8, 3.2, 0.4, 0.5)
    gesture = ACTS[name].draw(rng, rhythm.reach)
    way = follow_keys(body, 0, build_keys(gesture, rhythm, rng), np.arange(40) / 10)
    wrist = solve_arm(body, 0, way, gesture.swivel_rad)[1]
    assert np.linalg.norm(wrist - body.anchors["nose"], axis=1).min() > 0.3 * TORSO_PX


def test_jitter_is_what_a_parabola_leaves():
    steps = np.arange(20.0)
    course = np.stack([steps**2, 3 * steps, np.full(20, 0.9)], axis=1)
    np.testing.assert_allclose(compute_jitter(course, np.full(20, 9.0)), 0, atol=1e-8)
    course[10, 1] += 7.0
    jitter = compute_jitter(course, np.full(20, 9.0))
    # The parabola through seven steps follows a third of one outlier; 7 * 2 / 3 * 1.22.
    np.testing.assert_allclose(jitter[10], [0, 7 * 2 / 3 * 1.22], atol=1e-8)
    limited = compute_jitter(course, np.full(20, 2.0))
    np.testing.assert_allclose(limited[10], [0, 2.0], atol=1e-8)


def made_arm(body: Body, share: np.ndarray) -> SyntheticArm:
    way = follow_keys(body, 0, [Key(0.0, "shoulder", (0.6, 0.4, 0.1))], np.arange(40) / 10)
    return SyntheticArm(0, *solve_arm(body, 0, way, 0.5), share)


def test_an_arm_that_is_not_made_is_the_real_one(body: Body):
    points = standing()
    arm = made_arm(body, np.zeros(40))
    drawn = draw_arm(points, body, arm, 10.0, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn, points)


def test_a_made_arm_is_projected_with_the_real_jitter_and_score(body: Body):
    points = standing(jitter_px=0.5)
    arm = made_arm(body, np.ones(40))
    drawn = draw_arm(points, body, arm, 10.0, np.random.default_rng(0))
    wrist = INDEX["left_wrist"]
    off = drawn[:, wrist, :2] - arm.wrist[:, :2]
    jitter = compute_jitter(points[:, wrist], np.full(40, 99.0))
    np.testing.assert_allclose(off, jitter, atol=1e-3)
    np.testing.assert_allclose(drawn[:, wrist, 2], 0.8, atol=1e-6)
    others = [row for row in range(17) if row not in (wrist, INDEX["left_elbow"])]
    np.testing.assert_array_equal(drawn[:, others], points[:, others])


def test_missing_joints_and_missing_people_stay_missing(body: Body):
    points = standing()
    points[5:8] = 0.0
    wrist = INDEX["left_wrist"]
    points[20:24, wrist, 2] = 0.02
    drawn = draw_arm(points, body, made_arm(body, np.ones(40)), 10.0, np.random.default_rng(0))
    np.testing.assert_array_equal(drawn[5:8], 0.0)
    np.testing.assert_array_equal(drawn[20:24, wrist], points[20:24, wrist])
    assert (drawn[24:, wrist, 0] != points[24:, wrist, 0]).all()


def test_a_hand_behind_the_head_is_less_sure(body: Body):
    points = standing(jitter_px=0.0)
    scores = {}
    for name, front in (("before", 0.4), ("behind", -0.3)):
        way = follow_keys(body, 0, [Key(0.0, "head", (0.05, 0.05, front))], np.arange(40) / 10)
        arm = SyntheticArm(0, body.shoulders[:, 0], way, np.ones(40))
        drawn = draw_arm(points, body, arm, 10.0, np.random.default_rng(0))
        scores[name] = drawn[20, INDEX["left_wrist"], 2]
    assert scores["before"] == pytest.approx(0.8 * 0.8)
    assert scores["behind"] == pytest.approx(0.4 * 0.8)


def test_a_trio_differs_in_the_arm_alone():
    bystander = standing()
    bystander[..., 0] -= 80
    clip = clip_of(standing(60), np.concatenate([bystander, bystander[:20]]))
    rng = np.random.default_rng(5)
    hit, near_miss, alone = compose_half_real(clip, 0, ("hit_face", "wave"), 10.0, rng)
    assert (hit.kind, near_miss.kind, alone.kind) == ("hit", "near_miss", "alone")
    assert 25 <= len(alone.points) <= 50
    arms = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("elbow", "wrist")]
    rest = [row for row in range(17) if row not in arms]
    for made in (hit, near_miss):
        np.testing.assert_array_equal(made.points[:, 0, rest], alone.points[:, 0, rest])
        np.testing.assert_array_equal(made.points[:, 1], alone.points[:, 1])
        assert not np.array_equal(made.points[:, 0, arms], alone.points[:, 0, arms])


def test_the_set_is_the_same_from_the_same_seed():
    clips = [clip_of(standing(60), name=name, group=name) for name in "ab"]
    first, again = (build_half_real(clips, 10.0, seed=4, n_hits=13, n_alone=5) for _ in range(2))
    other = build_half_real(clips, 10.0, seed=5, n_hits=13, n_alone=5)
    kinds = [sample.kind for sample in first.samples]
    assert [kinds.count(kind) for kind in ("hit", "near_miss", "alone")] == [13, 13, 5]
    assert len({sample.act for sample in first.samples if sample.kind == "near_miss"}) == 13
    assert {sample.group for sample in first.samples} == {"a", "b"}
    assert all(same(a, b) for a, b in zip(first.samples, again.samples, strict=True))
    assert not all(same(a, b) for a, b in zip(first.samples, other.samples, strict=True))


def same(a: HalfReal, b: HalfReal) -> bool:
    return a.act == b.act and np.array_equal(a.points, b.points)


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (standing(60), ""),
        (standing(15), "seen too briefly"),
        (np.zeros((40, 17, 3), dtype=np.float32), "seen too briefly"),
        (standing() * np.array([0.2, 0.2, 1.0], dtype=np.float32), "too small"),
        (standing(score=0.2), "trunk uncertain"),
    ],
)
def test_bodies_are_judged(points: np.ndarray, reason: str):
    assert judge_body(points) == reason


def test_lost_people_unsure_heads_and_unsure_arms_are_left_out():
    lost, faceless, armless = standing(), standing(), standing()
    lost[10:20] = 0.0
    faceless[:, :5, 2] = 0.1
    armless[:, 7:11, 2] = 0.1
    found = [judge_body(points) for points in (lost, faceless, armless)]
    assert found == ["lost too often", "head uncertain", "arms uncertain"]


def test_left_out_people_are_counted():
    brief = standing(60)
    brief[15:] = 0.0
    clips = [clip_of(standing(60), brief)]
    made = build_half_real(clips, 10.0, seed=0, n_hits=2, n_alone=1)
    assert (made.n_bodies, made.left_out) == (1, {"seen too briefly": 1})
    with pytest.raises(NoClipsError, match="seen too briefly"):
        build_half_real([clip_of(standing(15))], 10.0, seed=0)


def test_a_short_stay_is_played_there_and_back():
    clip = clip_of(standing(20))
    *_, alone = compose_half_real(clip, 0, ("hit_face", "wave"), 10.0, np.random.default_rng(0))
    assert len(alone.points) == 25
    np.testing.assert_array_equal(alone.points[20:, 0], standing(20)[[18, 17, 16, 15, 14]])


def test_the_rule_counts_fast_returns_near_the_nose():
    still = standing(30, jitter_px=0.0)
    hitting = still.copy()
    wrist = INDEX["left_wrist"]
    # The wrist goes from one torso below the nose to the nose in one step, four times: each comes
    # at 10 torsos a second, 9 of which count.
    hitting[:, wrist, :2] = still[:, 0, :2] + (0, TORSO_PX)
    hitting[[5, 11, 17, 23], wrist, :2] = still[0, 0, :2]
    scores = score_by_rule(np.stack([still, hitting], axis=1), 10.0)
    np.testing.assert_allclose(scores, [0.0, 36.0], rtol=1e-4)
    assert score_by_rule(np.zeros((30, 0, 17, 3)), 10.0).shape == (0,)


def test_nothing_is_shared_with_the_generator():
    modules = sorted(Path(half_real.__file__).parent.glob("[a-z]*.py"))
    assert len(modules) == 5
    for module in modules:
        tree = ast.parse(module.read_text(encoding="utf-8"))
        imported = {
            name
            for node in ast.walk(tree)
            for name in (
                [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
        }
        assert not any("synthetic" in name for name in imported)
