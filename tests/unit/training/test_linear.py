"""The linear branch is the solution of a regularized logistic regression, and is held there."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from har.config import TemporalConfig
from har.network.heads import get_linear_branch, get_step_inputs
from har.training.linear import (
    release_linear_branch,
    solve_linear_branch,
    start_head,
)

CONFIG = TemporalConfig(units=4, recent_steps=3, linear_c=0.1)


def draw_variants(targets, seed=0):
    """Two variants a clip, of 4 to 9 steps and 5 features, whose mean depends on the class."""
    rng = np.random.default_rng(seed)
    return [
        [rng.normal(0.7 * target, 1.0, (rng.integers(4, 10), 5)).astype("f2") for _ in range(2)]
        for target in targets
    ]


def find_means(head, variants):
    inputs = get_step_inputs(head)
    return np.stack(
        [np.asarray(inputs(v[None].astype("f4")))[0].mean(0) for c in variants for v in c]
    )


@pytest.mark.parametrize("n_labels", [2, 3])
def test_a_new_head_says_what_the_regression_says_of_means(n_labels):
    targets = np.arange(24) % n_labels
    variants = draw_variants(targets)
    head = start_head(CONFIG, variants, targets, n_labels)
    means = find_means(head, variants)
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000)
    known = model.fit(means, np.repeat(targets, 2)).predict_proba(means)
    logits = [np.asarray(head(v[None].astype("f4")))[0].mean(0) for c in variants for v in c]
    exponents = np.exp(logits)
    found = exponents / exponents.sum(axis=1, keepdims=True)
    assert np.abs(found - known).max() < 1e-3
    assert (known.argmax(1) == np.repeat(targets, 2)).mean() > 0.7


def test_clips_of_weight_0_change_nothing():
    targets = np.array([0, 1] * 4)
    variants = draw_variants(targets)
    head = start_head(CONFIG, variants, targets, 2)

    def solve(n_clips, weights):
        solve_linear_branch(head, variants[:n_clips], targets[:n_clips], 0.1, weights)
        return get_linear_branch(head).get_weights()[0]

    without, alike = solve(6, np.ones(6)), solve(8, None)
    assert np.array_equal(alike, solve(8, np.ones(8)))
    with_nothing = solve(8, np.array([1.0] * 6 + [0.0] * 2))
    assert np.abs(with_nothing - without).max() < 1e-3 < np.abs(alike - without).max()


def test_the_path_is_held_until_it_is_released():
    targets = np.array([0, 1] * 4)
    head = start_head(CONFIG, draw_variants(targets), targets, 2)
    assert not get_linear_branch(head).trainable
    release_linear_branch(head)
    assert get_linear_branch(head).trainable


def test_a_class_without_clips_gets_a_low_bias_and_no_weights():
    targets = np.array([0, 2] * 4)
    head = start_head(CONFIG, draw_variants(targets), targets, 3)
    kernel, bias = get_linear_branch(head).get_weights()
    assert not kernel[:, 1].any()
    assert bias[1] == pytest.approx(-np.log(9))
    assert kernel[:, [0, 2]].any(axis=0).all()


def test_one_class_alone_leaves_the_head_undecided():
    targets = np.zeros(3, int)
    variants = draw_variants(targets)
    head = start_head(CONFIG, variants, targets, 2)
    assert not np.asarray(head(variants[0][0][None].astype("f4"))).any()
    assert get_linear_branch(head).trainable


def test_classes_count_alike_however_many_clips_they_have():
    calm, hit = np.full((4, 1), -1.0, "f2"), np.full((4, 1), 1.0, "f2")
    even = TemporalConfig(units=4, recent_steps=1)
    head = start_head(even, [[calm], [hit]], np.array([0, 1]), 2)
    targets = np.array([0, 1, 1, 1])
    solve_linear_branch(head, [[calm], [hit], [hit], [hit]], targets, 1.0)
    kernel, bias = get_linear_branch(head).get_weights()
    assert (kernel[:, 1] > 0.1).all()
    assert bias == pytest.approx([0.0, 0.0], abs=1e-3)  # the two lie at equal distance from 0
