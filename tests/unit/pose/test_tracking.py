from itertools import permutations

import numpy as np
import pytest
from bodies import MIRRORED, detect, stand
from hypothesis import given, settings
from hypothesis import strategies as st

from har.pose.keypoints import MAX_PEOPLE, Detections
from har.pose.tracking import (
    LOST_S,
    MIN_POINT_SCORE,
    MIN_SCORE,
    START_SCORE,
    assign,
    compute_distances,
    compute_extents,
    find_people,
    track_people,
)

RATE_HZ = 10.0
HEIGHT = 100.0


def track(steps):
    return track_people(detect(steps), RATE_HZ)


def where(tracks):
    """(N, P) x of each person's nose, NaN where not seen."""
    nose = tracks.points[:, :, 0]
    return np.where(nose[..., 2] > 0, nose[..., 0], np.nan)


# Distances


def test_distance_is_that_of_shared_sure_keypoints_in_body_sizes():
    a = np.zeros((1, 17, 3))
    a[0, :4] = [[0, 0, 0.9], [40, 0, 0.9], [0, 90, 0.9], [40, 90, 0.9]]  # 40 x 90: size 60
    b = a.copy()
    b[0, :, :2] += (3, 4)
    b[0, 3] = (500, 500, 0.1)  # uncertain: does not count, neither for the size
    assert compute_extents(a).tolist() == [60.0]
    assert compute_distances(a, b)[0, 0] == pytest.approx(5 / 60)


def test_distance_of_bodies_that_share_too_little_is_that_of_their_middles():
    a, b = stand(0, 0, HEIGHT)[None], stand(30, 40, HEIGHT)[None]
    b[0, 2:, 2] = MIN_POINT_SCORE / 2
    size = compute_extents(a)[0]
    assert compute_distances(a, b)[0, 0] == pytest.approx(50 / size)


def test_a_flat_body_has_a_third_of_its_length():
    lying = np.zeros((1, 17, 3))
    lying[0, :3] = [[0, 5, 0.9], [60, 5, 0.9], [90, 5, 0.9]]
    assert compute_extents(lying).tolist() == [30.0]


def test_bodies_without_extent_are_no_division_by_zero():
    points = np.zeros((2, 17, 3))
    points[1, :, 0] = 7.0
    assert compute_distances(points[:1], points[1:]).tolist() == [[7.0]]


# Matching


def total_of_best(distances, limit):
    """The least total by trying all orders of columns, some of which stand for nobody."""
    n_rows, n_columns = distances.shape
    padded = np.full((n_rows, n_columns + n_rows), limit)
    padded[:, :n_columns] = np.where(distances <= limit, distances, np.inf)
    orders = permutations(range(n_columns + n_rows), n_rows)
    return min(sum(padded[row, column] for row, column in enumerate(order)) for order in orders)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 3), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_assign_finds_the_least_total(n_rows, n_columns, seed):
    distances = np.random.default_rng(seed).uniform(0.0, 1.5, (n_rows, n_columns))
    pairs = assign(distances, 0.9)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(distances[pair] <= 0.9 for pair in pairs)
    total = sum(distances[pair] for pair in pairs) + 0.9 * (n_rows - len(pairs))
    assert total == pytest.approx(total_of_best(distances, 0.9))


def test_assign_prefers_the_pair_that_the_nearest_first_would_break():
    # Both have moved by half the gap between them: the first is now near the second's place.
    assert assign(np.array([[0.5, 0.45], [1.5, 0.5]]), 0.9) == [(0, 0), (1, 1)]


def test_assign_without_rows_or_columns():
    assert assign(np.zeros((0, 3)), 0.9) == []
    assert assign(np.zeros((3, 0)), 0.9) == []


# Who is a person


def test_people_come_surest_first_and_weak_ones_not_at_all():
    bodies = [stand(0, 150, HEIGHT, 0.4), stand(100, 150, HEIGHT), stand(200, 150, HEIGHT, 0.09)]
    found = detect([bodies])
    assert find_people(found.points[0], found.scores[0]) == [1, 0]


def test_one_body_seen_twice_is_one_person():
    steps = [
        [stand(100 + step, 150, HEIGHT, 0.5), stand(104 + step, 148, 1.05 * HEIGHT, 0.7)]
        for step in range(10)
    ]
    tracks = track(steps)
    assert tracks.ids.tolist() == [1]
    np.testing.assert_allclose(where(tracks)[:, 0], 104 + np.arange(10), rtol=1e-6)


def test_a_mirror_image_beside_a_person_is_a_second_one():
    def reflect(points, wall):
        mirrored = points[list(MIRRORED)]
        mirrored[:, 0] = 2 * wall - mirrored[:, 0]
        return mirrored

    steps = []
    for step in range(20):
        person = stand(100 + 2 * step, 150, HEIGHT)
        steps.append([person, reflect(person, 165) * (1, 1, 0.8)])
    tracks = track(steps)
    assert tracks.ids.tolist() == [1, 2]
    np.testing.assert_allclose(where(tracks)[:, 0] + where(tracks)[:, 1], 330, rtol=1e-6)


# Following


def test_nobody():
    tracks = track([[]] * 5)
    assert tracks.points.shape == (5, 0, 17, 3)
    assert tracks.ids.shape == (0,)


def test_one_step():
    tracks = track([[stand(100, 150, HEIGHT), stand(200, 150, HEIGHT, 0.7)]])
    assert tracks.points.shape == (1, 2, 17, 3)
    assert where(tracks).tolist() == [[100.0, 200.0]]  # the surer one is the first


def test_points_are_given_on_as_they_were_seen():
    found = detect([[stand(100, 150, HEIGHT), stand(220, 150, HEIGHT, 0.7)]])
    tracks = track_people(found, RATE_HZ)
    np.testing.assert_array_equal(tracks.points[0], found.points[0, :2])


@pytest.mark.parametrize("rate_hz", [5.0, 10.0, 24.0])
def test_who_returns_in_time_keeps_the_number(rate_hz):
    n_away = round(LOST_S * rate_hz)
    for away, ids in ((n_away, [1]), (n_away + 1, [1, 2])):
        seen = [stand(100, 150, HEIGHT)]
        tracks = track_people(detect([seen] * 3 + [[]] * away + [seen] * 3), rate_hz)
        assert tracks.ids.tolist() == ids
        assert np.isnan(where(tracks)[3 : 3 + away]).all()


def test_who_returns_elsewhere_is_someone_else():
    tracks = track([[stand(100, 150, HEIGHT)]] * 3 + [[]] * 3 + [[stand(260, 150, HEIGHT)]] * 3)
    assert tracks.ids.tolist() == [1, 2]


def test_a_weak_person_is_followed_but_does_not_start():
    weak = stand(100, 150, HEIGHT, (MIN_SCORE + START_SCORE) / 2)
    assert track([[weak]] * 5).ids.tolist() == []
    tracks = track([[stand(100, 150, HEIGHT)], *[[weak]] * 5])
    assert tracks.ids.tolist() == [1]
    assert not np.isnan(where(tracks)).any()


def test_a_person_without_any_sure_keypoint_is_followed_by_the_middle():
    steps = []
    for step in range(15):
        blurred = stand(100 + 3 * step, 150, HEIGHT, MIN_POINT_SCORE - 0.02)
        other = stand(220, 150, HEIGHT, MIN_POINT_SCORE - 0.03)
        steps.append([blurred, other])
    tracks = track(steps)
    assert tracks.ids.tolist() == [1, 2]
    np.testing.assert_allclose(where(tracks)[:, 0], 100 + 3 * np.arange(15), rtol=1e-6)


def test_the_seventh_pushes_out_the_weakest_who_keeps_the_number():
    bodies = [stand(60.0 * place, 150, HEIGHT, 0.9 - 0.05 * place) for place in range(6)]
    seventh = stand(420, 150, HEIGHT, 0.9)
    five = [*bodies[:5], seventh]  # the network has no room for the sixth
    tracks = track([bodies] * 5 + [five] * 8 + [bodies] * 5)
    assert tracks.ids.tolist() == [1, 2, 3, 4, 5, 6, 7]
    xs = where(tracks)
    assert np.isnan(xs[5:13, 5]).all()
    np.testing.assert_array_equal(xs[13:, 5], 300.0)
    np.testing.assert_array_equal(xs[5:13, 6], 420.0)
    np.testing.assert_array_equal(xs[:, :5], [[0.0, 60.0, 120.0, 180.0, 240.0]] * 18)


def walk_across(n_hidden, seed):
    """Two who pass each other; the one behind is not seen for some steps in the middle."""
    rng = np.random.default_rng(seed)
    steps = []
    for step in range(31):
        front = stand(100 + 6 * step, 150, HEIGHT)
        behind = stand(100 + 6 * (30 - step), 145, 0.9 * HEIGHT, 0.6)
        bodies = [front] if abs(step - 15) < n_hidden / 2 else [front, behind]
        for body in bodies:
            body[:, :2] += rng.normal(0.0, 0.015 * HEIGHT, (17, 2))
        steps.append(bodies[:: rng.choice([-1, 1])])
    return steps


@pytest.mark.parametrize("n_hidden", [0, 3, 5, 7])
def test_two_who_cross_keep_their_numbers(n_hidden):
    for seed in range(10):
        tracks = track(walk_across(n_hidden, seed))
        assert tracks.ids.tolist() == [1, 2]
        xs = where(tracks)
        assert np.all(np.abs(xs[[0, -1], 0] - [100, 280]) < 10)
        assert np.all(np.abs(xs[[0, -1], 1] - [280, 100]) < 10)


def shake(steps, moves):
    return [
        [np.column_stack([body[:, :2] + move, body[:, 2]]) for body in bodies]
        for bodies, move in zip(steps, moves, strict=True)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_a_shaking_camera_does_not_exchange_neighbors(seed):
    pair = [stand(100, 150, HEIGHT), stand(150, 150, HEIGHT, 0.7), stand(200, 150, HEIGHT, 0.6)]
    moves = np.random.default_rng(seed).normal(0.0, 0.05 * HEIGHT, (40, 2))
    tracks = track(shake([pair] * 40, moves))
    assert tracks.ids.tolist() == [1, 2, 3]
    still = where(tracks) - moves[:, :1]
    np.testing.assert_allclose(still, [[100, 150, 200]] * 40, rtol=1e-4)


@pytest.mark.parametrize("motion_crop", [0.7, 1.35])
def test_numbers_survive_a_sudden_motion_crop(motion_crop):
    middle = np.array([160.0, 120.0, 0.0])
    pair = [stand(120, 170, HEIGHT), stand(180, 170, HEIGHT, 0.7)]
    nearer = [(body - middle) * (motion_crop, motion_crop, 1) + middle for body in pair]
    tracks = track([pair] * 10 + [nearer] * 10)
    assert tracks.ids.tolist() == [1, 2]
    assert np.all(np.diff(where(tracks), axis=1) > 0)


def test_after_a_cut_to_another_view_there_are_new_people():
    pair = [stand(60, 150, HEIGHT), stand(120, 150, HEIGHT, 0.7)]
    moves = np.repeat([[0.0, 0.0], [180.0, 0.0]], 8, axis=0)
    assert track(shake([pair] * 16, moves)).ids.tolist() == [1, 2, 3, 4]


def random_scene(seed, n_steps=25):
    """Up to six walkers who come, go and are missed, in a random order at each step."""
    rng = np.random.default_rng(seed)
    starts, speeds = rng.uniform(30, 600, 6), rng.uniform(-6, 6, 6)
    steps = []
    for step in range(n_steps):
        bodies = [
            stand(start + speed * step, 150, HEIGHT, rng.uniform(0.12, 0.9))
            for start, speed in zip(starts, speeds, strict=True)
            if rng.random() < 0.8
        ]
        steps.append(bodies)
    return detect(steps)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_detections_changes_nothing(seed):
    scene = random_scene(seed)
    order = np.random.default_rng(seed).permuted(np.tile(np.arange(MAX_PEOPLE), (25, 1)), axis=1)
    rows = np.arange(25)[:, None]
    shuffled = Detections(scene.points[rows, order], scene.scores[rows, order])
    tracks, again = track_people(scene, RATE_HZ), track_people(shuffled, RATE_HZ)
    np.testing.assert_array_equal(tracks.ids, again.ids)
    np.testing.assert_array_equal(tracks.points, again.points)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.5, 2.0]))
def test_a_frame_of_another_size_gives_the_same_numbers(seed, scale):
    scene = random_scene(seed)
    larger = Detections(scene.points * np.float32([scale, scale, 1.0]), scene.scores)
    tracks, again = track_people(scene, RATE_HZ), track_people(larger, RATE_HZ)
    np.testing.assert_array_equal(tracks.ids, again.ids)
    np.testing.assert_array_equal(tracks.points * np.float32([scale, scale, 1.0]), again.points)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 24))
def test_what_comes_later_changes_nothing_before(seed, n_steps):
    scene = random_scene(seed)
    whole = track_people(scene, RATE_HZ)
    part = track_people(Detections(scene.points[:n_steps], scene.scores[:n_steps]), RATE_HZ)
    assert part.ids.tolist() == whole.ids[: len(part.ids)].tolist()
    np.testing.assert_array_equal(part.points, whole.points[:n_steps, : len(part.ids)])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_nobody_is_in_two_tracks(seed):
    scene = random_scene(seed)
    tracks = track_people(scene, RATE_HZ)
    for seen in tracks.points:
        noses = seen[seen[:, 0, 2] > 0, 0, 0]
        assert len(np.unique(noses)) == len(noses)
