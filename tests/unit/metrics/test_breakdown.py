"""What is behind the figures, by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.metrics.breakdown import (
    compute_group_accuracy,
    compute_threshold_curves,
    find_worst_errors,
)


def test_a_curve_takes_equal_scores_together():
    truth = np.array([1, 0, 1, 0])
    second = np.array([0.9, 0.5, 0.5, 0.1])
    probs = np.stack([1 - second, second], axis=-1)[None]
    (_, curve) = compute_threshold_curves(("a", "b"), truth, probs)
    assert curve.recall.tolist() == [0.0, 0.5, 1.0, 1.0]
    assert curve.false_positive_rate.tolist() == [0.0, 0.0, 0.5, 1.0]
    assert curve.precision.tolist() == [1.0, 1.0, pytest.approx(2 / 3), 0.5]
    assert curve.auc == 0.875
    assert curve.average_precision == pytest.approx(0.5 + 0.5 * 2 / 3)


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 20), st.integers(0, 20)), min_size=3),
)
def test_areas_are_those_of_scikit_learn(rows):
    metrics = pytest.importorskip("sklearn.metrics")
    truth = np.array([row[0] for row in rows])
    scores = np.array([[a, b, 40 - a - b] for _, a, b in rows]) / 40
    labels = ("a", "b", "c")
    for curve in compute_threshold_curves(labels, truth, scores[None]):
        place = labels.index(curve.label)
        is_true = truth == place
        assert curve.n_true == is_true.sum()
        assert curve.auc == pytest.approx(metrics.roc_auc_score(is_true, scores[:, place]))
        expected = metrics.average_precision_score(is_true, scores[:, place])
        assert curve.average_precision == pytest.approx(expected)


def test_a_class_without_clips_or_with_all_of_them_has_no_curve():
    probs = np.full((1, 3, 2), 0.5)
    assert compute_threshold_curves(("a", "b"), np.zeros(3, int), probs) == ()


def test_groups_are_averaged_over_seeds_and_ranked():
    truth = np.array([0, 0, 1, 1])
    right, wrong = [[0.9, 0.1]] * 2 + [[0.1, 0.9]] * 2, [[0.1, 0.9]] * 4
    found = compute_group_accuracy(truth, np.array([right, wrong]), ["x", "x", "z", "y"])
    assert [(item.group, item.n_clips, item.accuracy) for item in found] == [
        ("x", 2, 0.5),
        ("y", 1, 1.0),
        ("z", 1, 1.0),
    ]


def test_the_most_confident_error_comes_first_and_no_right_clip_at_all():
    probs = np.array([[0.4, 0.6], [0.1, 0.9], [0.1, 0.9], [0.9, 0.1]])
    assert find_worst_errors(np.array([0, 0, 1, 0]), probs, 9) == [1, 0]
    assert find_worst_errors(np.array([0, 0, 1, 0]), probs, 1) == [1]
    assert find_worst_errors(np.array([1, 1, 1, 0]), probs, 9) == []
