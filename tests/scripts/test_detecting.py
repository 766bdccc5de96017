import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.pose.keypoints import INDEX
from three_class.detecting import MIN_SCORE, detect_people, draw_noise, draw_spells, draw_steady
from three_class.sight import Sight

RATE_HZ = 10.0


def stand(n_steps, middles, stature_px=120.0, size=(192, 320)):
    """People who stand still, arms hanging, as a Sight without anything hidden."""
    heights = [-0.42, -0.44, -0.44, -0.43, -0.43, -0.31, -0.31, -0.15, -0.15, 0.0, 0.0]
    heights += [0.02, 0.02, 0.25, 0.25, 0.46, 0.46]
    wide = [0.0, 0.01, -0.01, 0.03, -0.03, *(0.1, -0.1) * 3, *(0.06, -0.06) * 3]
    body = stature_px * np.stack([wide, heights], axis=-1)
    points = np.stack([body + middle for middle in middles])
    points = np.broadcast_to(points, (n_steps, *points.shape)).copy()
    shape = (n_steps, len(middles))
    return Sight(points, np.zeros((*shape, 17)), np.zeros(shape), np.full(shape, stature_px), size)


def detect(sight, seed=0):
    noise = draw_noise(np.random.default_rng(seed), len(sight.points), 3, RATE_HZ)
    return detect_people(sight, noise, RATE_HZ)


def detect_often(sight, n=40):
    """Detections of many recordings of the same people, one after the other."""
    found = [detect(sight, seed) for seed in range(n)]
    points = np.concatenate([detections.points for detections, _ in found])
    scores = np.concatenate([detections.scores for detections, _ in found])
    return points, scores, np.concatenate([owners for _, owners in found])


def test_the_same_noise_and_people_give_the_same_detections():
    sight = stand(20, [(100, 96), (200, 96)])
    first, second = detect(sight, 3), detect(sight, 3)
    assert (first[0].points == second[0].points).all()
    assert (first[1] == second[1]).all()
    assert (detect(sight, 4)[0].points != first[0].points).any()


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_detections_are_well_formed(seed, n_people):
    sight = stand(8, [(60 + 90 * who, 96) for who in range(n_people)])
    detections, owners = detect(sight, seed)
    assert detections.points.shape == (8, 6, 17, 3)
    assert detections.points.dtype == detections.scores.dtype == np.float32
    given_ones = detections.scores > 0
    assert (detections.scores[given_ones] >= MIN_SCORE).all()
    assert (detections.points[~given_ones] == 0).all()
    assert (np.diff(detections.scores, axis=1) <= 0).all(), "the most confident first"
    assert (owners[~given_ones] == -1).all()
    assert owners.max() < n_people
    for row in owners:
        assert len(set(row[row >= 0])) == (row >= 0).sum(), "each person at most once"
    assert np.isfinite(detections.points).all()


def test_owners_name_the_person_at_that_place():
    sight = stand(20, [(80, 96), (240, 96)])
    points, _, owners = detect_often(sight)
    for who, middle_x in ((0, 80), (1, 240)):
        middles = points[owners == who][:, INDEX["left_shoulder"] : INDEX["right_hip"] + 1, 0]
        assert np.abs(np.median(middles, axis=1) - middle_x).max() < 40


def test_small_people_score_less_and_tiny_ones_are_lost():
    def mean_score(stature_px):
        _, scores, owners = detect_often(stand(10, [(160, 96)], stature_px))
        return scores[owners == 0].sum() / (10 * 40)

    large, middle, small, tiny = (mean_score(px) for px in (160.0, 70.0, 40.0, 12.0))
    assert large > middle > small > tiny
    assert 0.45 < large < 0.65
    assert 0.30 < middle < 0.50
    assert tiny < 0.12


def test_hidden_wrists_score_less_and_are_farther_off():
    sight = stand(20, [(160, 96)])
    sight.hidden[:, :, INDEX["left_wrist"]] = 1.0
    points, _, owners = detect_often(sight)
    found = points[owners == 0]
    true = sight.points[0, 0]
    off = np.linalg.norm(found[..., :2] - true, axis=-1).mean(axis=0)
    hidden, plain = INDEX["left_wrist"], INDEX["right_wrist"]
    assert found[:, hidden, 2].mean() < 0.6 * found[:, plain, 2].mean()
    assert off[hidden] > 2.0 * off[plain]


def test_a_fast_hand_is_blurred():
    still, fast = stand(20, [(160, 96)]), stand(20, [(160, 96)])
    wrist = INDEX["left_wrist"]
    fast.points[::2, :, wrist, 0] += 30.0
    fast.points[::4, :, wrist, 0] += 30.0
    score = [
        found[owners == 0][:, wrist, 2].mean()
        for found, _, owners in (detect_often(still), detect_often(fast))
    ]
    assert score[1] < 0.85 * score[0]


def test_of_two_at_one_place_the_hidden_one_is_seldom_given():
    apart, together = stand(10, [(80, 96), (240, 96)]), stand(10, [(158, 96), (162, 96)])
    for sight in (apart, together):
        sight.hidden[:, 1] = 0.7
    seen = [(detect_often(sight)[2] == 1).any(axis=1).mean() for sight in (apart, together)]
    assert seen[1] < 0.6 * seen[0]


def test_left_and_right_are_taken_for_each_other_only_from_the_side():
    def share_swapped(turned):
        sight = stand(40, [(160, 96)])
        sight.turned[:] = turned
        points, _, owners = detect_often(sight)
        hips = points[owners == 0][:, [INDEX["left_hip"], INDEX["right_hip"]], 0]
        return (hips[:, 0] < hips[:, 1]).mean()

    assert share_swapped(0.0) < 0.01
    assert 0.03 < share_swapped(1.0) < 0.3


def test_false_people_belong_to_nobody():
    _, scores, owners = detect_often(stand(30, [(160, 96)]), n=60)
    false = (scores > 0) & (owners < 0)
    assert 0.01 < false.any(axis=1).mean() < 0.3
    assert scores[false].mean() < 0.5 * scores[owners == 0].mean()


@pytest.mark.parametrize("steady", [0.0, 0.5, 0.9])
def test_steady_noise_has_unit_size_and_the_correlation_asked_for(steady):
    values = draw_steady(np.random.default_rng(0), 400, (200,), steady)
    assert values.std() == pytest.approx(1.0, abs=0.02)
    assert (values[1:] * values[:-1]).mean() == pytest.approx(steady, abs=0.02)


def test_spells_last_as_long_and_are_as_many_as_asked_for():
    spells = draw_spells(np.random.default_rng(0), (2000, 50), 0.02, 4.0)
    starts = (spells[1:] & ~spells[:-1]).sum()
    assert spells[1:].sum() / starts == pytest.approx(4.0, rel=0.1)
    assert starts / (~spells[:-1]).sum() == pytest.approx(0.02, rel=0.1)
    assert spells[0].mean() == pytest.approx(0.08 / 1.08, abs=0.1)


def test_one_step_is_enough():
    detections, owners = detect(stand(1, [(160, 96)]))
    assert detections.points.shape == (1, 6, 17, 3)
    assert owners.shape == (1, 6)
