import numpy as np
import pytest
from bodies import MIRRORED, stand, wander
from hypothesis import given, settings
from hypothesis import strategies as st

from har.pose.features import (
    JOINTS,
    MIN_JOINT_SCORE,
    MIN_SEEN,
    N_FEATURES,
    N_JOINTS,
    N_OWN,
    N_PAIR,
    SEEN_COLUMN,
    PoseWindow,
    compute_window,
)
from har.pose.keypoints import INDEX

RATE_HZ = 10.0
TRUNK = 0.3
"""Of `stand`, in body heights: hips at 0.5, shoulders at 0.8."""
PLACES = slice(0, 2 * N_JOINTS)
SCORES = slice(2 * N_JOINTS, 3 * N_JOINTS)
SPEEDS = slice(3 * N_JOINTS, 5 * N_JOINTS)
TRUNK_SPEED = slice(5 * N_JOINTS, 5 * N_JOINTS + 2)
WRISTS_TO_OWN = slice(SEEN_COLUMN + 1, SEEN_COLUMN + 13)
PAIR_SEEN = N_OWN + 3 * N_JOINTS + 2
LIMBS_TO_THEM = slice(PAIR_SEEN + 1, PAIR_SEEN + 26)
THEM_SPEED = slice(PAIR_SEEN + 26, PAIR_SEEN + 51)

seeds = st.integers(0, 2**32 - 1)
quick = settings(max_examples=25, deadline=None)


def window_of(*people):
    """The window of (T, 17, 3) people, one a column."""
    return compute_window(np.stack(people, axis=1).astype(np.float32), RATE_HZ)


def hold(body, n_steps=5):
    return np.stack([body] * n_steps)


def places_of(features):
    return features[..., PLACES].reshape(*features.shape[:-1], N_JOINTS, 2)


def same(window: PoseWindow, again: PoseWindow, atol=2e-3):
    np.testing.assert_array_equal(window.columns, again.columns)
    np.testing.assert_array_equal(window.others, again.others)
    np.testing.assert_allclose(window.features, again.features, atol=atol)
    np.testing.assert_allclose(window.confidence, again.confidence, atol=1e-6)


def mirror(points, width=320.0):
    mirrored = points[..., list(MIRRORED), :].copy()
    mirrored[..., 0] = width - mirrored[..., 0]
    return mirrored


# Numbers worked out by hand


def test_sizes():
    assert N_JOINTS == len(JOINTS) == 13
    assert N_FEATURES == N_OWN + N_PAIR
    assert SEEN_COLUMN == 67
    assert (N_OWN, N_PAIR) == (92, 142)


def test_places_are_from_the_middle_of_the_trunk_in_trunks():
    window = window_of(hold(stand(100, 150, 120.0)))
    places = places_of(window.features[0, 2])
    middle = 0.65  # of the height, between hips at 0.5 and shoulders at 0.8
    for name, (across, up) in {
        "left_wrist": (0.15, 0.47),
        "right_hip": (-0.07, 0.5),
        "left_ankle": (0.08, 0.03),
    }.items():
        expected = np.array([across, up - middle]) / TRUNK
        np.testing.assert_allclose(places[JOINTS.index(name)], expected, atol=1e-5)
    head_up = (0.92 + 2 * 0.94 + 2 * 0.93) / 5  # all five of the face are as sure
    np.testing.assert_allclose(places[0], [0.0, (head_up - middle) / TRUNK], atol=1e-5)
    np.testing.assert_allclose(window.features[0, :, SCORES], 0.8, atol=1e-6)
    np.testing.assert_allclose(window.features[0, :, SPEEDS], 0.0, atol=1e-4)


def test_speeds_are_trunks_a_second():
    walk = np.stack([stand(100 + 3 * step, 150 - 6 * step, 100.0) for step in range(9)])
    window = window_of(walk)
    # 3 and 6 px a step of 0.1 s, trunk 30 px
    np.testing.assert_allclose(window.features[0, :, TRUNK_SPEED], [[1.0, 2.0]] * 9, atol=1e-4)
    np.testing.assert_allclose(window.features[0, :, SPEEDS], 0.0, atol=1e-4)


def test_a_hand_at_the_head_is_at_distance_nought_and_came_near_at_its_speed():
    steps = []
    for step in range(9):
        body = stand(100, 150, 100.0)
        head = body[:5, :2].mean(axis=0)
        body[INDEX["left_wrist"], :2] = head + np.array([0.0, 3.0 * (8 - step)])
        steps.append(body)
    features = window_of(np.stack(steps)).features[0]
    to_head = features[:, WRISTS_TO_OWN][:, 0]
    speeds = features[:, WRISTS_TO_OWN.stop : N_OWN]
    np.testing.assert_allclose(to_head[4], 3.0 * 4 / 30, atol=1e-5)
    np.testing.assert_allclose(to_head[8], 0.0, atol=1e-5)
    np.testing.assert_allclose(speeds[4, 0], -1.0, atol=1e-4)


def test_the_other_is_seen_from_the_own_trunk():
    me, them = stand(100, 150, 100.0), stand(160, 150, 100.0, 0.6)
    features = window_of(hold(me), hold(them)).features[0, 2]
    theirs = features[N_OWN : N_OWN + 2 * N_JOINTS].reshape(N_JOINTS, 2)
    own = places_of(features)
    np.testing.assert_allclose(theirs - own, [[60 / 30, 0.0]] * N_JOINTS, atol=1e-5)
    np.testing.assert_allclose(features[N_OWN + 26 : N_OWN + 39], 0.6, atol=1e-6)
    assert features[PAIR_SEEN] == 1.0
    # own left wrist, at 15 px, to their right wrist, at 60 - 15 px; targets: ..., left, right wrist
    to_them = features[LIMBS_TO_THEM].reshape(5, 5)
    assert to_them[0, 4] == pytest.approx(30 / 30, abs=1e-5)


def test_closing_speed_of_who_walks_up_to_another():
    me = np.stack([stand(100 + 3 * step, 150, 100.0) for step in range(9)])
    features = window_of(me, hold(stand(200, 150, 100.0), 9)).features
    heads = np.array([2 * 5 + 0, 4 * 5 + 0])  # ankle and head among the limbs, to their head
    np.testing.assert_allclose(features[0, 4, THEM_SPEED][heads[1]], -1.0, atol=1e-4)
    np.testing.assert_allclose(features[1, 4, THEM_SPEED][heads[1]], -1.0, atol=1e-4)


def test_confidence_is_the_mean_score_of_the_upper_body_over_all_steps():
    body = hold(stand(100, 150, 100.0, 0.8), 4)
    body[:, [INDEX["left_knee"], INDEX["right_ankle"]], 2] = 0.0  # legs do not count
    body[3] = 0.0
    assert window_of(body).confidence.tolist() == pytest.approx([0.6])


# Who is described


def test_nobody():
    window = compute_window(np.zeros((25, 0, 17, 3), np.float32), RATE_HZ)
    assert window.features.shape == (0, 25, N_FEATURES)
    assert len(window.columns) == len(window.others) == len(window.confidence) == 0


def test_who_is_seen_too_little_is_left_out():
    often, seldom = hold(stand(100, 150, 100.0), 20), hold(stand(160, 150, 100.0), 20)
    often[int(20 * MIN_SEEN) :] = 0.0
    seldom[int(20 * MIN_SEEN) - 1 :] = 0.0
    window = window_of(seldom, often)
    assert window.columns.tolist() == [1]
    assert window.others.tolist() == [-1]


@pytest.mark.parametrize("n_people", range(1, 7))
def test_any_number_of_people_gives_as_many_features(n_people):
    rng = np.random.default_rng(n_people)
    window = window_of(*(wander(rng, 25, 60.0 * place) for place in range(n_people)))
    assert window.features.shape == (n_people, 25, N_FEATURES)
    assert window.features.dtype == np.float32
    assert np.isfinite(window.features).all()


def test_one_step_has_no_speeds():
    window = window_of(stand(100, 150, 100.0)[None], stand(160, 150, 100.0)[None])
    assert window.features.shape == (2, 1, N_FEATURES)
    assert not window.features[:, 0, SPEEDS].any()
    assert not window.features[:, 0, THEM_SPEED].any()
    assert window.features[:, 0, PLACES].any()


def test_the_other_is_whoever_the_hands_and_feet_come_nearest_to():
    reaching = stand(100, 150, 100.0)
    reaching[INDEX["right_wrist"], :2] = (55, 80)
    people = [stand(145, 150, 100.0), reaching, stand(50, 150, 100.0)]
    window = window_of(*(hold(body) for body in people))
    assert window.others.tolist() == [1, 2, 1]


def test_others_are_named_by_their_columns():
    passing = hold(stand(130, 150, 100.0), 10)
    passing[2:] = 0.0
    window = window_of(passing, hold(stand(100, 150, 100.0), 10), hold(stand(180, 150, 100.0), 10))
    assert window.columns.tolist() == [1, 2]
    assert window.others.tolist() == [2, 1]


def test_two_who_are_never_there_together_are_no_pair():
    first, second = hold(stand(100, 150, 100.0), 10), hold(stand(160, 150, 100.0), 10)
    first[5:], second[:5] = 0.0, 0.0
    window = window_of(first, second)
    assert window.others.tolist() == [-1, -1]
    assert not window.features[:, :, N_OWN:].any()


# What must not change the answer


@quick
@given(seeds, st.floats(-500, 500), st.floats(-500, 500))
def test_a_shift_of_the_picture_changes_nothing(seed, across, down):
    rng = np.random.default_rng(seed)
    people = [wander(rng, 25, x) for x in (100.0, 150.0)]
    people[1][8:12] = 0.0
    move = np.array([across, down, 0.0])
    moved = [np.where(body[..., 2:] > 0, body + move, 0.0) for body in people]
    same(window_of(*people), window_of(*moved))


@quick
@given(seeds, st.floats(0.3, 8.0))
def test_a_larger_picture_changes_nothing(seed, scale):
    rng = np.random.default_rng(seed)
    people = [wander(rng, 25, x) for x in (100.0, 150.0)]
    same(window_of(*people), window_of(*(body * (scale, scale, 1.0) for body in people)))


@quick
@given(seeds)
def test_of_two_in_a_mirrored_picture_nothing_changes(seed):
    rng = np.random.default_rng(seed)
    people = [wander(rng, 25, x) for x in (100.0, 150.0)]
    same(window_of(*people), window_of(*(mirror(body) for body in people)))


@quick
@given(seeds)
def test_one_alone_in_a_mirrored_picture_is_mirrored(seed):
    body = wander(np.random.default_rng(seed), 25, 100.0)
    features, mirrored = window_of(body).features, window_of(mirror(body)).features
    swapped = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11]
    expected = places_of(features)[:, :, swapped] * (-1, 1)
    np.testing.assert_allclose(places_of(mirrored), expected, atol=2e-3)
    np.testing.assert_allclose(mirrored[..., SCORES], features[..., SCORES][..., swapped])
    speed = features[..., TRUNK_SPEED] * (-1, 1)
    np.testing.assert_allclose(mirrored[..., TRUNK_SPEED], speed, atol=2e-3)
    # both wrists to head, neck, belly, left and right thigh, and each other
    wrists = features[..., WRISTS_TO_OWN].reshape(1, 25, 2, 6)[:, :, ::-1][..., [0, 1, 2, 4, 3, 5]]
    found = mirrored[..., WRISTS_TO_OWN].reshape(1, 25, 2, 6)
    np.testing.assert_allclose(found, wrists, atol=2e-3)


@quick
@given(seeds, st.integers(2, 6), st.randoms(use_true_random=False))
def test_the_order_of_people_changes_the_order_of_rows_alone(seed, n_people, random):
    rng = np.random.default_rng(seed)
    people = [wander(rng, 25, 45.0 * place) for place in range(n_people)]
    order = list(range(n_people))
    random.shuffle(order)
    window, again = window_of(*people), window_of(*(people[place] for place in order))
    np.testing.assert_array_equal(again.features, window.features[order])
    np.testing.assert_array_equal(again.confidence, window.confidence[order])
    assert [order[other] for other in again.others] == window.others[order].tolist()


def test_time_is_seconds_not_steps():
    slow = np.stack([stand(100 + 4 * step, 150, 100.0) for step in range(12)])
    fast = np.stack([stand(100 + 2 * step, 150, 100.0) for step in range(24)])
    a = compute_window(slow[:, None].astype(np.float32), 10.0).features[0, 6]
    b = compute_window(fast[:, None].astype(np.float32), 20.0).features[0, 12]
    np.testing.assert_allclose(a[TRUNK_SPEED], b[TRUNK_SPEED], atol=1e-4)


# What is missing


def test_a_missing_joint_is_drawn_from_the_steps_around():
    walk = np.stack([stand(100 + 3 * step, 150, 100.0) for step in range(12)])
    holed = walk.copy()
    wrist = INDEX["left_wrist"]
    holed[4:7, wrist] = (900.0, -900.0, MIN_JOINT_SCORE - 0.01)
    whole, found = window_of(walk).features[0], window_of(holed).features[0]
    score = SCORES.start + JOINTS.index("left_wrist")
    np.testing.assert_allclose(found[4:7, score], MIN_JOINT_SCORE - 0.01, atol=1e-6)
    found[4:7, score] = whole[4:7, score]
    np.testing.assert_allclose(found, whole, atol=1e-3)


def test_a_joint_missing_at_an_end_stays_where_it_was():
    body = hold(stand(100, 150, 100.0), 8)
    body[5:, INDEX["right_wrist"]] = 0.0
    places = places_of(window_of(body).features[0])
    np.testing.assert_allclose(places[7], places[0], atol=1e-5)


def test_a_joint_never_seen_is_put_into_the_middle_of_the_others():
    body = hold(stand(100, 150, 100.0), 8)
    body[:, INDEX["left_ankle"]] = (900.0, 900.0, 0.05)
    places = places_of(window_of(body).features[0, 3])
    ankle = JOINTS.index("left_ankle")
    np.testing.assert_allclose(places[ankle], np.delete(places, ankle, axis=0).mean(axis=0))


def test_steps_at_which_a_person_is_not_seen_are_zeros():
    rng = np.random.default_rng(0)
    gone, there = wander(rng, 20, 100.0), wander(rng, 20, 150.0)
    gone[6:10] = 0.0
    features = window_of(gone, there).features
    assert not features[0, 6:10].any()
    assert not features[1, 6:10, N_OWN:].any()
    assert features[0, [5, 10], SEEN_COLUMN].tolist() == [1.0, 1.0]
    assert features[1, :, SEEN_COLUMN].tolist() == [1.0] * 20
    assert features[1, :, PAIR_SEEN].tolist() == [1.0] * 6 + [0.0] * 4 + [1.0] * 10


def test_a_person_of_whom_nothing_is_sure_is_described_by_what_was_seen():
    body = wander(np.random.default_rng(0), 20, 100.0)
    body[..., 2] = MIN_JOINT_SCORE - 0.05
    sure = body.copy()
    sure[..., 2] = 0.9
    for seen in (body, sure):
        seen[6:10] = 0.0
    window, expected = window_of(body), window_of(sure)
    assert window.confidence[0] < MIN_JOINT_SCORE
    no_scores = np.r_[0 : SCORES.start, SCORES.stop : N_FEATURES]
    found = window.features[..., no_scores]
    np.testing.assert_allclose(found, expected.features[..., no_scores], atol=1e-3)


def test_wild_keypoints_stay_within_limits():
    rng = np.random.default_rng(0)
    wild = rng.uniform(-2000, 2000, (2, 25, 17, 3))
    wild[..., 2] = rng.uniform(0, 1, (2, 25, 17))
    point = np.zeros((25, 17, 3))
    point[..., 2] = 0.9  # a body without any extent
    features = window_of(*wild, point).features
    assert np.isfinite(features).all()
    assert np.abs(features[..., PLACES]).max() <= 6.0
    assert np.abs(features[..., SPEEDS]).max() <= 12.0
    assert np.abs(features).max() <= 12.0
