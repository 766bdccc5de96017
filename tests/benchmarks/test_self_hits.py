"""The benchmark of hitting oneself: rhythm that is re-aimed, controls, thresholds, measures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from half_real.acts import ACTS, put_beside
from har.pose.features import N_OWN, compute_window
from self_hits_parts.features import COLUMNS, SCORES, compute_contact, mirror_features
from self_hits_parts.generator import draw_actor
from self_hits_parts.judge import bootstrap_share, compute_auc, find_threshold
from self_hits_parts.people import Person, View, mirror, show
from self_hits_parts.reaimed import aim_swing, cut_swing, draw_aim, find_turns
from self_hits_parts.samples import resample
from three_class.arm_body import ArmBody
from three_class.settings import SequencesConfig
from three_class.strokes import find_target

RATE_HZ = 30.0
N = 90


def build_person() -> Person:
    """Return someone who stands and beats the air before them once a second, in meters."""
    times = np.arange(N) / RATE_HZ
    still = np.zeros((N, 1))
    shoulders = np.stack(
        [np.add(still, [0.19, 0.0, 3.0]), np.add(still, [-0.19, 0.0, 3.0])], axis=1
    )
    hips = np.stack([np.add(still, [0.1, 0.5, 3.0]), np.add(still, [-0.1, 0.5, 3.0])], axis=1)
    knees = np.add(hips, [0.0, 0.45, 0.0])
    wrists = np.add(shoulders, [0.0, 0.1, -0.4])
    wrists[:, 0, 1] += 0.15 * np.cos(2 * np.pi * times)
    elbows = np.add(shoulders, [0.05, 0.2, -0.1])
    axes = np.tile(np.array([[1.0, 0, 0], [0, -1.0, 0], [0, 0, -1.0]]), (N, 1, 1))
    bones = np.array([[0.3, 0.26], [0.3, 0.26]])
    head = np.add(still, [0.0, -0.25, 2.95])
    body = ArmBody(shoulders, elbows, wrists, hips, knees, head, axes, 0.56, bones)
    return Person("test", "one", "beat", RATE_HZ, body, None, np.add(knees, [0.0, 0.4, 0.0]))


def test_turns_of_a_real_rhythm_are_its_beats() -> None:
    way = np.zeros((N, 3))
    way[:, 1] = 0.3 * np.cos(2 * np.pi * np.arange(N) / 30)
    assert find_turns(way[:, 1], 0.15).tolist() == [0, 15, 30, 45, 60, 75, 89]
    swing = cut_swing(way, RATE_HZ)
    assert swing is not None
    assert set(np.diff(swing.beats)) == {30}
    assert swing.size == pytest.approx(0.6, rel=0.1)
    assert cut_swing(np.zeros((N, 3)) + 1e-3 * way, RATE_HZ) is None


def test_a_rhythm_that_is_re_aimed_lands_at_its_target_at_every_beat() -> None:
    person = build_person()
    way = (person.body.wrists[:, 0] - person.body.shoulders.mean(axis=1)) / 0.56 * [1, -1, -1]
    swing = cut_swing(way, RATE_HZ)
    assert swing is not None
    aim = replace(
        draw_aim(person, swing, 0, np.random.default_rng(0)),
        part="head",
        normal=np.array([1.0, 0.0, 0.0]),
        way=np.array([1.0, 0.0, 0.0]),
        hand=0.1,
        is_double=False,
    )
    moved, share = aim_swing(person, swing, aim, is_control=False)
    target = find_target(person.body, replace(aim, shift=np.zeros(3)), 0)
    landed = [beat for beat in swing.beats if share[beat] == 1.0]
    assert landed
    np.testing.assert_allclose(moved.wrists[landed, 0], target[landed], atol=0.02)
    away = np.linalg.norm(moved.wrists[:, 0] - target, axis=1)[share == 1.0]
    assert away.max() > 0.15
    control, _ = aim_swing(person, swing, aim, is_control=True)
    gaps = np.linalg.norm(control.wrists[landed, 0] - target[landed], axis=1)
    assert gaps.min() > 0.1


def test_a_mirror_image_has_the_features_of_a_mirror_image() -> None:
    person = build_person()
    points = show(person, person.body, np.zeros(N), View(yaw_rad=0.4))
    plain = compute_window(resample(points, RATE_HZ, 10.0)[:, None], 10.0).features
    turned = compute_window(resample(mirror(points), RATE_HZ, 10.0)[:, None], 10.0).features
    np.testing.assert_allclose(mirror_features(plain[..., :N_OWN]), turned[..., :N_OWN], atol=1e-3)


def test_measures_know_no_keypoint_score_and_are_finite() -> None:
    assert not set(COLUMNS) & set(SCORES)
    rng = np.random.default_rng(0)
    features = rng.normal(size=(3, 25, N_OWN)).astype(np.float32)
    changed = features.copy()
    changed[..., list(SCORES)] = 0.0
    np.testing.assert_array_equal(compute_contact(features, 10.0), compute_contact(changed, 10.0))
    assert np.isfinite(compute_contact(np.zeros_like(features), 10.0)).all()


def test_a_threshold_lets_one_in_a_hundred_near_misses_of_all_domains_alike_pass() -> None:
    scores = np.concatenate([np.arange(100.0), np.arange(10.0)])
    domains = np.array(["many"] * 100 + ["few"] * 10)
    threshold = find_threshold(scores, domains)
    above = scores > threshold
    assert threshold == 97.0
    assert above[domains == "many"].mean() / 2 + above[domains == "few"].mean() / 2 == 0.01


def test_figures_by_hand() -> None:
    assert compute_auc(np.array([2.0, 1.0]), np.array([1.0, 0.0])) == 0.875
    share, low, high = bootstrap_share(np.array(["a", "a", "b"]), np.array([True, True, False]))
    assert (share, low, high) == (pytest.approx(2 / 3), 0.0, 1.0)


def test_drawn_arms_beside_the_body_are_moved_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    for name in ("hit_side", "hit_chest", "hit_thigh"):
        gesture = ACTS[name].draw(rng, 0.5)
        beside = put_beside(gesture, 0.2)
        moved = np.subtract(beside.at, gesture.at)
        assert np.linalg.norm(moved) > 0.4
        np.testing.assert_allclose(np.subtract(beside.away, gesture.away), moved)
        assert replace(beside, at=gesture.at, away=gesture.away) == gesture


def test_the_generators_control_differs_in_the_hands_alone() -> None:
    config = SequencesConfig(seed=3)
    hit, control = (draw_actor(config, 1, flag) for flag in (False, True))
    assert hit is not None
    assert control is not None
    assert (hit.scene, hit.style, hit.span_s) == (control.scene, control.style, control.span_s)
    assert hit.points.shape == control.points.shape
    assert not np.array_equal(hit.points, control.points)
