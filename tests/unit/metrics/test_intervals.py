from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from har.metrics.intervals import (
    FEW_GROUPS,
    Rate,
    Share,
    bootstrap_figures,
    compute_exact_ends,
    to_value,
    warn_few_groups,
)


def test_whole_groups_are_drawn():
    seen = []

    def count(weights: np.ndarray) -> np.ndarray:
        seen.append(weights.tolist())
        return np.array([float(weights.sum())])

    bootstrap_figures(count, ["a", "b", "a"], "clips", "", n_resamples=200)
    assert seen[0] == [1, 1, 1]
    drawn, left_out = seen[1:201], seen[201:]
    assert {tuple(weights) for weights in drawn} == {(1, 1, 1), (2, 0, 2), (0, 2, 0)}
    assert left_out == [[0, 1, 0], [1, 0, 1]]


def test_a_figure_is_left_out_where_it_is_not_defined():
    def share(weights: np.ndarray) -> np.ndarray:
        return np.array([np.nan if weights[0] == 0 else weights[0] / weights.sum(), np.nan])

    first, second = bootstrap_figures(share, ["a", "b"], "clips", "no clip", n_resamples=400)
    assert (first.mean, first.low, first.high) == (0.5, 0.5, 1.0)  # a once or twice
    assert first.n_undefined / 400 == pytest.approx(1 / 4, abs=0.08)
    assert (second.mean, second.low, second.reason) == (None, None, "no clip")


def test_no_width_is_no_interval():
    (figure,) = bootstrap_figures(lambda n: np.array([1.0]), ["a", "b", "c"], "clips", "")
    assert (figure.mean, figure.low) == (1.0, None)
    assert "the same in every resample" in figure.reason


def test_one_group_says_why_there_is_no_interval():
    (figure,) = bootstrap_figures(lambda n: n[:1] * 0.5, ["x"], "recordings", "")
    assert figure.to_json() == {"mean": 0.5, "ci95": None, "reason": figure.reason}
    assert "all recordings are of one group ('x')" in figure.reason


def test_nan_is_no_value():
    assert (to_value(float("nan")), to_value(np.float64(0.5))) == (None, 0.5)


def mean_of(values: np.ndarray):
    return lambda weights: np.array([weights @ values / weights.sum()])


def test_ends_are_moved_for_skew_as_scipy_does():
    values = np.random.default_rng(3).exponential(size=25)
    (ours,) = bootstrap_figures(mean_of(values), [str(k) for k in range(25)], "", "", 20_000)
    theirs = stats.bootstrap((values,), np.mean, n_resamples=20_000, rng=1).confidence_interval
    assert ours.method == "BCa"
    assert (ours.low, ours.high) == pytest.approx(tuple(theirs), abs=0.02)
    (rough,) = bootstrap_figures(
        mean_of(values), [str(k) for k in range(25)], "", "", 20_000, rough=[0]
    )
    plain = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=20_000, rng=1)
    assert rough.method == "percentile"
    assert (rough.low, rough.high) == pytest.approx(tuple(plain.confidence_interval), abs=0.02)
    assert ours.low > rough.low
    assert ours.high > rough.high


@pytest.mark.parametrize(("n_hits", "n"), [(0, 5), (1, 1), (3, 7), (80, 100), (999, 5000)])
def test_exact_ends_are_those_of_scipy(n_hits, n):
    theirs = stats.binomtest(n_hits, n).proportion_ci(method="exact")
    assert compute_exact_ends(n_hits, n) == pytest.approx(tuple(theirs), abs=1e-9)


def test_a_share_of_single_items_is_exact_and_keeps_its_value():
    hits = np.array([1, 1, 1, 0, 1, 1, 1, 0, 1, 1])
    known = {0: Share(hits, np.ones(10))}
    (figure,) = bootstrap_figures(mean_of(hits), "abcdefghij", "", "", known=known)
    # Clopper and Pearson, 8 of 10: .444 to .975, as tables have it.
    assert figure.method == "exact"
    assert (figure.mean, figure.low, figure.high) == pytest.approx((0.8, 0.4439, 0.9748), abs=1e-4)
    (clustered,) = bootstrap_figures(mean_of(hits), "aabbcdefgh", "", "", known=known)
    assert clustered.method == "BCa"


def test_all_right_in_every_group_is_no_proof_of_perfection():
    ones = np.ones(12)
    (figure,) = bootstrap_figures(
        mean_of(ones), "aaabbbcccddd", "", "", known={0: Share(ones, ones)}
    )
    # Four groups count as four items: low end .025 ** (1 / 4).
    assert (figure.low, figure.high) == pytest.approx((0.025**0.25, 1.0))


def test_no_false_alarm_leaves_room_for_some():
    known = {0: Rate(np.zeros(4), np.full(4, 0.5))}
    (figure,) = bootstrap_figures(lambda n: np.array([0.0]), "abcd", "", "", known=known)
    assert (figure.mean, figure.low) == (0.0, 0.0)
    assert figure.high == pytest.approx(-np.log(0.025) / 2)


def test_few_groups_are_said_and_enough_are_not():
    assert warn_few_groups(FEW_GROUPS - 1).startswith("Only 9 groups")
    assert [warn_few_groups(FEW_GROUPS), warn_few_groups(1)] == ["", ""]
