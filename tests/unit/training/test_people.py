"""Windows of people: cut alike, drawn alike, and nobody is a case like any other."""

import numpy as np
import pytest
from bodies import detect, stand, wander
from crowds import make_crowd_store, see_nobody, write_keypoints

from har.config import PoseConfig
from har.pose.features import N_FEATURES, SEEN_COLUMN, PoseWindow
from har.training.people import (
    TRAIN_HOP,
    PeopleBatches,
    PeopleSampling,
    compute_windows,
    count_people,
    load_clip_windows,
    stack_features,
    stack_people,
)

SPEC = PoseConfig(n_steps=6).pose_spec(("fight", "normal"), "normal", "hash")


def make_windows(n_people, n_steps=10, seed=0, hop=2):
    rng = np.random.default_rng(seed)
    people = [wander(rng, n_steps, 80.0 * (place + 1)) for place in range(n_people)]
    steps = [[person[step] for person in people] for step in range(n_steps)]
    return compute_windows(detect(steps), SPEC, hop)


def make_window(confidence, n_steps=6):
    """Return a window whose people's features are all 1, 2, 3 ..."""
    n_people = len(confidence)
    features = np.ones((n_people, n_steps, N_FEATURES), np.float32)
    features *= np.arange(1, n_people + 1, dtype=np.float32)[:, None, None]
    columns = np.arange(n_people)
    return PoseWindow(features, columns, columns - 1, np.array(confidence, np.float32))


def make_batches(clips, training=True, jitter=0.1, seed=0, per_clip=3):
    targets = np.arange(len(clips)) % 2
    return PeopleBatches(
        clips, targets, 2, SPEC, PeopleSampling(per_clip, 4, jitter, seed, training)
    )


def test_weights_of_clips_reach_the_batches():
    clips = [[make_window([0.9])] for _ in range(4)]
    how, targets = PeopleSampling(1, 4, 0.0, 0, training=False), np.array([0, 0, 1, 1])
    batches = PeopleBatches(clips, targets, 2, SPEC, how, np.array([1.0, 0.0, 0.5, 0.25]))
    assert batches[0][2].tolist() == pytest.approx([2, 0, 4 / 3, 2 / 3])


@pytest.mark.parametrize(
    ("n_steps", "n_windows", "length"), [(1, 1, 1), (5, 1, 5), (6, 1, 6), (10, 3, 6), (11, 4, 6)]
)
def test_windows_cover_the_clip_and_the_last_one_ends_with_it(n_steps, n_windows, length):
    found = make_windows(2, n_steps)
    assert [window.features.shape for window in found] == [(2, length, N_FEATURES)] * n_windows


def test_a_window_of_one_step_may_be_hopped_over():
    spec = PoseConfig(n_steps=1).pose_spec(("a", "b"), "", "hash")
    steps = [[stand(100, 150, 100)]] * 3
    assert len(compute_windows(detect(steps), spec, TRAIN_HOP)) == 3


def test_people_are_followed_from_the_first_step_on():
    steps = [[stand(100, 150, 100), stand(200, 150, 100)] for _ in range(12)]
    steps[5:] = [bodies[::-1] for bodies in steps[5:]]
    columns = [window.columns.tolist() for window in compute_windows(detect(steps), SPEC, 6)]
    assert columns == [[0, 1], [0, 1]]


def test_more_people_than_the_network_gives_at_once():
    """Six at a time, of whom one leaves and another comes."""
    places = [60.0 * place for place in range(1, 8)]
    steps = [[stand(x, 150, 50) for x in places[:6]]] * 4
    steps += [[stand(x, 150, 50) for x in places[1:]]] * 4
    (window,) = compute_windows(
        detect(steps), PoseConfig(n_steps=8).pose_spec(("a", "b"), "", ""), 4
    )
    assert len(window.confidence) == count_people([window]) == 7


def test_the_surest_come_first_and_who_is_unsure_is_no_one():
    features, confidence, mask = stack_people([make_window([0.3, 0.9, 0.1])], SPEC, 3)
    assert (features.shape, confidence.dtype, mask.tolist()) == (
        (1, 3, 6, N_FEATURES),
        np.float32,
        [[1.0] * 6],
    )
    assert features[0, :, 0, 0].tolist() == [2.0, 1.0, 3.0]
    np.testing.assert_allclose(confidence, [[0.9, 0.3, 0.0]])


def test_short_windows_and_empty_places_are_padded_with_nothing():
    nobody = PoseWindow(np.zeros((0, 2, N_FEATURES), np.float32), *[np.zeros(0, np.int64)] * 3)
    features, confidence, mask = stack_people([make_window([0.5], 2), nobody], SPEC, 2)
    assert mask.tolist() == [[1, 1, 0, 0, 0, 0]] * 2
    assert features[0, 0, :2].all()
    assert not features[0, 0, 2:].any()
    assert not features[0, 1].any()
    assert not features[1].any()
    assert confidence.tolist() == [[0.5, 0.0], [0.0, 0.0]]


def test_counting_and_stacking_nobody():
    assert count_people([]) == 1
    nobody = compute_windows(detect([[]] * 10), SPEC, 2)
    assert count_people(nobody) == 1
    assert stack_features([nobody, nobody]).tolist() == [[0.0] * N_FEATURES]


def test_an_epoch_draws_as_often_from_each_clip_and_always_alike():
    clips = [make_windows(2, n_steps, seed=n_steps) for n_steps in (3, 10, 40)]
    first, second = make_batches(clips), make_batches(clips)
    assert len(first) == 3  # nine windows, four in a batch
    for epoch in (0, 1):
        first.set_epoch(epoch)
        second.set_epoch(epoch)
        for index in range(3):
            for ours, theirs in zip(first[index][0], second[index][0], strict=True):
                np.testing.assert_array_equal(ours, theirs)
    classes = np.concatenate([first[index][1].argmax(axis=1) for index in range(3)])
    assert np.bincount(classes).tolist() == [6, 3]
    weights = np.concatenate([first[index][2] for index in range(3)])
    assert weights.mean() == pytest.approx(1.0)
    third = make_batches(clips, seed=1)
    assert not np.array_equal(third[0][0][0], make_batches(clips)[0][0][0])


def test_validation_takes_every_window_in_order_and_unchanged():
    clips = [make_windows(1, 10, seed=1), make_windows(3, 7, seed=2)]
    batches = make_batches(clips, training=False)
    windows = [window for clip in clips for window in clip]
    values = [batches[index] for index in range(len(batches))]
    features = np.concatenate([item[0][0] for item in values])
    assert features.shape == (len(windows), 3, 6, N_FEATURES)
    expected, _, _ = stack_people(windows, SPEC, 3)
    np.testing.assert_array_equal(features, expected)
    assert np.concatenate([item[1] for item in values]).argmax(axis=1).tolist() == [0, 0, 0, 1, 1]


def test_noise_is_only_where_there_is_somebody():
    clips = [make_windows(2, 6), make_windows(1, 3)]
    plain, noisy = make_batches(clips, jitter=0.0), make_batches(clips, jitter=0.5)
    for index in range(len(plain)):
        (before, *_), _, _ = plain[index]
        (after, *_), _, _ = noisy[index]
        assert not after[before == 0].any()
        np.testing.assert_array_equal(after[..., SEEN_COLUMN], before[..., SEEN_COLUMN])
        assert np.mean(after != before) > 0.1


def test_a_store_s_windows_come_from_its_keypoints(tmp_path):
    store = make_crowd_store(tmp_path, n_groups=2)
    spec = PoseConfig(n_steps=6).pose_spec(store.labels, "playing", "hash")
    found = load_clip_windows(store, [3, 0], spec)
    assert [len(clip) for clip in found] == [6, 6]
    assert {len(window.confidence) for clip in found for window in clip} == {2}
    write_keypoints(store, see_nobody)
    assert count_people(load_clip_windows(store, [0], spec)[0]) == 1
