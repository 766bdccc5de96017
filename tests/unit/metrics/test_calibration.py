"""Calibration against numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.errors import ConfigError, NoClipsError
from har.metrics.calibration import (
    apply_temperature,
    calibrate_folds,
    compute_ece,
    compute_reliability,
    find_best_accuracy,
    fit_temperature,
)


def two(first):
    """Return (N, 2) probabilities from those of the first label."""
    return np.stack([np.array(first), 1.0 - np.array(first)], axis=1)


def test_a_temperature_undoes_logits_that_were_multiplied():
    # 3 of 4 right at probability 0.75 is calibrated; three times the logits needs temperature 3
    truth = np.array([0, 0, 0, 1])
    honest = two([0.75] * 4)
    assert fit_temperature(truth, honest) == pytest.approx(1.0, abs=1e-6)
    assert fit_temperature(truth, apply_temperature(honest, 1 / 3)) == pytest.approx(3.0, abs=1e-6)


def test_a_perfect_model_gets_the_lowest_temperature():
    assert fit_temperature(np.array([0, 1]), two([0.6, 0.4])) == pytest.approx(0.5, abs=1e-6)


@given(st.floats(0.01, 0.99), st.floats(0.2, 5.0))
def test_a_temperature_never_changes_which_label_is_said(first, temperature):
    scaled = apply_temperature(two([first]), temperature)
    assert scaled.sum() == pytest.approx(1.0)
    assert (scaled[0, 0] - 0.5) * (first - 0.5) >= 0


def test_reliability_by_hand():
    truth = np.array([0, 0, 1, 1])
    bins = compute_reliability(truth, two([0.95, 0.92, 0.91, 0.35]))
    assert [item.n_clips for item in bins] == [0, 0, 0, 0, 0, 0, 1, 0, 0, 3]
    assert bins[9].confidence == pytest.approx((0.95 + 0.92 + 0.91) / 3)
    assert bins[9].accuracy == pytest.approx(2 / 3)
    assert bins[0].accuracy is None
    # three clips off by 0.9267 - 0.6667, one by 1 - 0.65
    assert compute_ece(bins) == pytest.approx((3 * 0.26 + 0.35) / 4)


def test_best_threshold_in_hindsight():
    truth = np.array([0, 0, 1, 1])
    assert find_best_accuracy(truth, two([0.9, 0.3, 0.2, 0.1])) == 1.0
    assert find_best_accuracy(truth, two([0.9, 0.1, 0.2, 0.15])) == 0.75
    # equal scores cannot be told apart by any threshold
    assert find_best_accuracy(np.array([0, 1, 1]), two([0.4, 0.4, 0.4])) == pytest.approx(2 / 3)


def test_a_fold_is_scaled_by_the_temperature_of_the_others():
    truth = np.array([0, 0, 0, 1, 0, 0, 0, 1])
    probs = np.concatenate([two([0.75] * 4), apply_temperature(two([0.75] * 4), 0.5)])
    folds = np.array([0] * 4 + [1] * 4)
    found = calibrate_folds(truth, probs[None], folds[None])
    # fold 0 is divided by 2, that of fold 1; fold 1 stays as it is: both are made worse
    said = 0.75**0.5 / (0.75**0.5 + 0.25**0.5), 0.9
    expected = 0.5 * abs(0.75 - said[0]) + 0.5 * abs(0.75 - said[1])
    assert found.ece == pytest.approx(expected, abs=1e-5)
    assert found.ece_before == pytest.approx(0.5 * abs(0.75 - 0.9), abs=1e-5)
    assert found.accuracy == found.best_accuracy == 0.75


def test_more_labels_have_no_single_threshold():
    probs = np.full((1, 3, 3), 1 / 3)
    found = calibrate_folds(np.arange(3), probs, np.zeros((1, 3), int))
    assert found.best_accuracy is None


def test_what_does_not_fit_is_refused():
    with pytest.raises(NoClipsError):
        fit_temperature(np.array([], int), np.zeros((0, 2)))
    with pytest.raises(ConfigError, match="Expected probs of 2 clips"):
        compute_reliability(np.array([0, 1]), np.zeros((3, 2)))
