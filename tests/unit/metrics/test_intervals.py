from __future__ import annotations

import numpy as np
import pytest

from har.metrics.intervals import bootstrap_figures, to_value


def test_whole_groups_are_drawn():
    seen = []

    def count(weights: np.ndarray) -> np.ndarray:
        seen.append(weights.tolist())
        return np.array([float(weights.sum())])

    bootstrap_figures(count, ["a", "b", "a"], "clips", "", n_resamples=200)
    assert seen[0] == [1, 1, 1]
    assert {tuple(weights) for weights in seen[1:]} == {(1, 1, 1), (2, 0, 2), (0, 2, 0)}


def test_a_figure_is_left_out_where_it_is_not_defined():
    def share(weights: np.ndarray) -> np.ndarray:
        return np.array([np.nan if weights[0] == 0 else 1.0, np.nan])

    first, second = bootstrap_figures(share, ["a", "b"], "clips", "no clip", n_resamples=400)
    assert (first.mean, first.low, first.high) == (1.0, 1.0, 1.0)
    assert first.n_undefined / 400 == pytest.approx(1 / 4, abs=0.08)
    assert (second.mean, second.low, second.reason) == (None, None, "no clip")


def test_one_group_says_why_there_is_no_interval():
    (figure,) = bootstrap_figures(lambda n: n[:1] * 0.5, ["x"], "recordings", "")
    assert figure.to_json() == {"mean": 0.5, "ci95": None, "reason": figure.reason}
    assert "all recordings are of one group ('x')" in figure.reason


def test_nan_is_no_value():
    assert (to_value(float("nan")), to_value(np.float64(0.5))) == (None, 0.5)
