"""Windows of people as keypoints: whose they are, how they are changed, what describes them."""

import numpy as np
import pytest
from bodies import stand, wander

from har.pose.features import compute_window
from har.pose.keypoints import INDEX
from three_class.people import (
    N_STEPS,
    RATE_HZ,
    People,
    compute_features,
    take_synthetic,
    take_tracked,
    vary,
)
from three_class.sequences import draw_sequences
from three_class.settings import SequencesConfig

PLAYING = 2


def make_tracks(n_steps: int, n_people: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    people = [wander(rng, n_steps, 80.0 + 70 * person) for person in range(n_people)]
    return np.stack(people, axis=1).astype(np.float32)


def take(tracks: np.ndarray, label: int = PLAYING) -> People:
    window = compute_window(tracks[:N_STEPS], RATE_HZ)
    return take_tracked([tracks], [[window]], [[0]], [label], ["here"])


@pytest.mark.parametrize(("n_steps", "n_people"), [(25, 2), (25, 1), (9, 3)])
def test_features_of_many_are_those_of_each_window(n_steps, n_people):
    tracks = make_tracks(n_steps, n_people)
    window = compute_window(tracks, RATE_HZ)
    features = compute_features(take(tracks).points)
    np.testing.assert_array_equal(features[:, :n_steps], window.features)
    assert not features[:, n_steps:].any()


def test_one_who_is_alone_has_no_other():
    people = take(make_tracks(25, 1))
    assert len(people) == 1
    assert not people.points[0, 1].any()


def test_windows_of_several_are_numbered_anew():
    one, two = take(make_tracks(25, 2)), take(make_tracks(25, 1, seed=1))
    assert People.join([one, two]).windows.tolist() == [0, 0, 1]


def test_nothing_but_the_side_changes_without_strength():
    points = take(make_tracks(25, 2)).points
    changed = vary(np.repeat(points, 20, axis=0), np.random.default_rng(0), strength=0.0)
    left, right = INDEX["left_wrist"], INDEX["right_wrist"]
    same = (changed == np.repeat(points, 20, axis=0)).all(axis=(1, 2, 3, 4))
    assert 0 < same.sum() < len(changed)
    mirrored = changed[~same][0]
    source = points[np.flatnonzero(~same)[0] // 20]
    np.testing.assert_array_equal(mirrored[..., left, 0], -source[..., right, 0])
    np.testing.assert_array_equal(mirrored[..., left, 1:], source[..., right, 1:])


def test_who_is_not_seen_stays_unseen_and_all_values_are_finite():
    points = np.repeat(take(make_tracks(25, 2)).points, 30, axis=0)
    points[:, 1, 10:] = 0.0
    changed = vary(points, np.random.default_rng(1))
    assert not changed[:, 1, 20:, :, 2].any()
    assert (changed[:, 0, :, :, 2].max(axis=-1) > 0).all()
    assert np.isfinite(compute_features(changed)).all()


def test_a_hand_is_moved_along_the_arm_only():
    body = np.stack([stand(100, 150, 100)] * N_STEPS)[None, None].astype(np.float32)
    points = np.repeat(np.concatenate([body, body], axis=1), 200, axis=0)
    changed = vary(points, np.random.default_rng(2))
    elbow, wrist = (changed[..., INDEX[f"left_{name}"], :2] for name in ("elbow", "wrist"))
    length = np.linalg.norm(wrist - elbow, axis=-1)[:, 0].mean(axis=1)
    usual = np.linalg.norm((points[0, 0, 0, 7] - points[0, 0, 0, 9])[:2])
    assert 0.75 < length.min() / usual < 0.97
    assert 1.1 < length.max() / usual < 1.5


def test_synthetic_actors_have_their_label_and_others_play():
    sequences = draw_sequences(SequencesConfig(n_sequences=48), jobs=1)
    people = take_synthetic(sequences, PLAYING)
    assert set(people.labels.tolist()) == {0, 1, 2}
    assert len(set(people.groups.tolist())) <= 8
    assert people.points.shape[1:] == (2, N_STEPS, 17, 3)
    hits = people.points[people.labels == 0]
    assert (hits[:, 1, ..., 2].max(axis=(1, 2)) > 0).mean() > 0.9
