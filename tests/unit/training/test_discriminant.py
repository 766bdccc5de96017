"""The linear branch of a pose head is a linear discriminant, in the scale of what it left out."""

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from har.config import PoseConfig
from har.network.heads import get_linear_branch, get_step_inputs, set_feature_scale
from har.network.pose_head import PeopleClassifier, build_pose_head
from har.pose.features import N_FEATURES, SCORE_COLUMNS, SEEN_COLUMN, PoseWindow
from har.training.discriminant import calibrate, solve_discriminant, solve_pose_branch

POSE = PoseConfig(units=2)
SPEC = POSE.pose_spec(("calm", "fight"), "", "hash")
SURE = np.array([0.8, 0.4, 0.1], "f4")  # the last one is not confident enough


def draw_people(target, rng, confidence=SURE):
    """A window of people of 6 steps, the third of which nobody shows."""
    features = rng.normal(0.5 * target, 1.0, (len(confidence), 6, N_FEATURES)).astype("f4")
    features[..., SEEN_COLUMN] = 1.0
    features[:, 2] = 0.0
    row = np.arange(len(confidence))
    return PoseWindow(features, row, -np.ones_like(row), confidence)


def mean_of_people(head, window):
    steps = np.asarray(get_step_inputs(head)(window.features))
    people = steps[:, [0, 1, 3, 4, 5]].mean(axis=1)
    return (0.8 * people[0] + 0.4 * people[1]) / 1.2


def standardize(rows, targets):
    """Center and scale by moments of which each class is a half."""
    own = 0.5 / np.bincount(targets)[targets]
    mean = own @ rows
    deviation = np.sqrt(own @ np.square(rows - mean) + 1e-2)
    return (rows - mean) / deviation


@pytest.mark.parametrize("shrinkage", [0.1, 0.6])
def test_it_is_the_shrunken_discriminant_of_equally_likely_classes(shrinkage):
    rng = np.random.default_rng(0)
    targets = np.repeat([0, 1], [12, 5])
    rows = rng.normal(targets[:, None] * 0.8, [0.5, 1.0, 3.0], (17, 3))
    kernel, bias = solve_discriminant(rows, targets, np.ones(17), shrinkage, 2)
    known = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage, priors=[0.5, 0.5])
    expected = known.fit(standardize(rows, targets), targets).decision_function(
        standardize(rows, targets)
    )
    found = rows @ kernel + bias
    np.testing.assert_allclose(found[:, 1] - found[:, 0], expected, rtol=1e-4, atol=1e-4)


def test_a_row_of_weight_two_counts_as_two_and_a_class_without_rows_stays_low():
    rng = np.random.default_rng(1)
    rows, targets = rng.normal(size=(8, 3)), np.array([0, 0, 0, 0, 2, 2, 2, 2])
    twice = solve_discriminant(rows, targets, np.array([2.0, *[1.0] * 7]), 0.3, 3)
    again = solve_discriminant(
        np.concatenate([rows[:1], rows]), np.append(0, targets), np.ones(9), 0.3, 3
    )
    np.testing.assert_allclose(twice[0], again[0], atol=1e-10)
    assert not twice[0][:, 1].any()
    assert (rows @ twice[0] + twice[1])[:, 1].max() < (rows @ twice[0] + twice[1]).max(axis=1).min()


def make_clips(n=20, seed=4):
    rng = np.random.default_rng(seed)
    targets = np.arange(n) % 2
    return [[draw_people(target, rng) for _ in range(2)] for target in targets], targets


def test_the_branch_is_that_of_what_sure_people_show_where_they_are_seen():
    clips, targets = make_clips()
    weak = PoseWindow(np.zeros((0, 6, N_FEATURES), "f4"), *[np.zeros(0, int)] * 3)
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    known = solve_pose_branch(head, [*clips, [weak]], np.append(targets, 1), SPEC, 0.3)
    means = np.stack([mean_of_people(head, clip[0]) for clip in clips])  # every second window
    kernel, _ = get_linear_branch(head).get_weights()
    with_sizes = bool(kernel[-means.shape[1] // 3 :].any())
    used = means if with_sizes else means[:, : 2 * means.shape[1] // 3]
    expected, _ = solve_discriminant(used, targets, np.ones(len(means)), 0.3, 2)
    kernel = kernel[: len(expected)]
    scale = (kernel * expected).sum() / np.square(expected).sum()  # the temperature
    assert scale > 0
    np.testing.assert_allclose(kernel, scale * expected, atol=1e-3 * np.abs(kernel).max())
    assert not get_linear_branch(head).trainable
    assert [len(part) for part in known] == [2] * 20 + [1]
    assert not known[-1].any()


@pytest.mark.parametrize("by_sign", [True, False])
def test_clips_that_are_left_out_decide_whether_sizes_count(by_sign):
    rng = np.random.default_rng(2)
    clips, targets = [], np.arange(40) % 2
    for target in targets:
        window = draw_people(0, rng, np.array([0.8], "f4"))
        seen = window.features[..., SEEN_COLUMN] > 0
        turned = np.where(rng.random((1, 6)) < 0.5, -1.0, 1.0)
        shift = 2.0 * target - 1.0 if by_sign else (2.0 * target + 1.0) * turned
        window.features[..., 40:60] += (seen * shift)[..., None]
        clips.append([window])
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    set_feature_scale(head, np.concatenate([c[0].features[0] for c in clips]))
    solve_pose_branch(head, clips, targets, SPEC, 0.3)
    kernel, _ = get_linear_branch(head).get_weights()
    assert bool(kernel[2 * len(kernel) // 3 :].any()) is not by_sign


def test_what_it_says_unseen_does_not_know_the_label():
    clips, targets = make_clips(40)
    folds = np.arange(40) // 8
    drawn = np.random.default_rng(0).integers(2, size=40)  # labels that nothing tells
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    known = solve_pose_branch(head, clips, drawn, SPEC, 0.3, folds=folds)
    unseen = np.array([part[0].argmax() for part in known]) == drawn
    model = PeopleClassifier(head, SPEC, 0)
    windows = [clip[0] for clip in clips]
    features = np.stack([window.features for window in windows])
    batch = features, np.tile(np.where(SURE > 0.2, SURE, 0), (40, 1)), np.ones((40, 6), "f4")
    seen = np.asarray(model(batch)).argmax(axis=1) == drawn
    assert seen.mean() > 0.9 > 0.75 > unseen.mean()
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    known = solve_pose_branch(head, clips, targets, SPEC, 0.3, folds=folds)
    assert np.mean([part[0].argmax() for part in known] == targets) > 0.95


def test_with_one_clip_of_each_class_nothing_is_known_unseen_and_the_branch_still_tells():
    clips, targets = make_clips(2)
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    known = solve_pose_branch(head, clips, targets, SPEC, 0.3)
    assert not np.concatenate(known).any()
    model = PeopleClassifier(head, SPEC, 0)
    for (window, _), target in zip(clips, targets, strict=True):
        batch = window.features[None], np.array([[0.8, 0.4, 0.0]], "f4"), np.ones((1, 6), "f4")
        assert np.asarray(model(batch)).argmax() == target


@pytest.mark.parametrize("spread", [0.02, 1.0, 300.0])
def test_calibrated_logits_are_those_of_the_least_loss(spread):
    rng = np.random.default_rng(0)
    targets = rng.integers(3, size=200)
    logits = spread * (np.eye(3)[targets] + rng.normal(0, 0.7, (200, 3)))
    loss, scale = calibrate(logits, targets)

    def measure(by):
        scaled = logits / by
        return np.mean(np.logaddexp.reduce(scaled, axis=1) - scaled[np.arange(200), targets])

    assert loss == pytest.approx(measure(scale), abs=1e-6)
    assert measure(0.9 * scale) > loss
    assert measure(1.1 * scale) > loss


def test_known_logits_stand_in_the_place_of_the_branch():
    clips, targets = make_clips()
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    solve_pose_branch(head, clips, targets, SPEC, 0.3)
    model, window = PeopleClassifier(head, SPEC, 0), clips[0][0]
    batch = window.features[None], np.array([[0.8, 0.4, 0.0]], "f4"), np.ones((1, 6), "f4")
    said = np.array([[3.0, -1.0]], "f4")
    np.testing.assert_allclose(model((*batch, said)), said, atol=1e-6)  # nothing is learned yet
    assert np.abs(np.asarray(model(batch)) - said).max() > 0.1


def test_heads_and_clips_without_anything_to_solve_stay_as_they_are():
    rng = np.random.default_rng(4)
    without = PoseConfig(units=2, linear=False)
    head = build_pose_head(without, SPEC, ("calm", "fight"))
    assert solve_pose_branch(head, [[draw_people(0, rng)]], np.zeros(1, int), SPEC, 0.3) is None
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    assert solve_pose_branch(head, [[draw_people(1, rng)]], np.ones(1, int), SPEC, 0.3) is None
    assert not any(weight.any() for weight in get_linear_branch(head).get_weights())


def test_a_new_head_takes_no_scores():
    head = build_pose_head(POSE, SPEC, ("calm", "fight"))
    rng = np.random.default_rng(0)
    for layer in head.layers:
        layer.set_weights([rng.uniform(0.1, 0.2, w.shape) for w in layer.get_weights()])
    features = rng.normal(size=(1, 6, N_FEATURES)).astype("f4")
    features[..., SEEN_COLUMN] = 1.0
    other = features.copy()
    other[..., sorted(SCORE_COLUMNS)] += 1.0
    np.testing.assert_array_equal(head(features), head(other))
    other[..., 0] += 1.0
    assert np.abs(np.asarray(head(features)) - np.asarray(head(other))).max() > 1e-3
