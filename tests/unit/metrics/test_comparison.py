from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from har.errors import ConfigError
from har.metrics.comparison import compare_clips, compare_events, compute_mcnemar
from har.metrics.events import RecordingLabelCounts

NAMES = ("old", "new")


def probs(*right: bool) -> np.ndarray:
    """Return predictions of clips of the second of two labels."""
    return np.array([[[0.2, 0.8] if one else [0.8, 0.2] for one in right]])


@pytest.mark.parametrize(("n_first", "n_second"), [(0, 0), (1, 0), (2, 8), (15, 4), (30, 31)])
def test_mcnemar_is_the_binomial_test_of_scipy(n_first, n_second):
    first = np.array([True] * n_first + [False] * n_second + [True, False])
    second = np.array([False] * n_first + [True] * n_second + [True, False])
    found = compute_mcnemar(first, second)
    assert (found.n_both, found.n_neither) == (1, 1)
    assert (found.n_first, found.n_second) == (n_first, n_second)
    expected = stats.binomtest(n_first, n_first + n_second).pvalue if n_first + n_second else 1.0
    assert found.p == pytest.approx(expected)


def test_clips_by_hand():
    # Groups a (3 clips) and b (2): the new one has two more of a right, one fewer of b.
    old = probs(True, False, False, True, True)
    new = probs(True, True, True, True, False)
    found = compare_clips(NAMES, np.ones(5, dtype=int), old, new, list("aaabb"))
    accuracy = found.figures["accuracy"]
    assert (accuracy.first, accuracy.second) == pytest.approx((3 / 5, 4 / 5))
    assert accuracy.difference.mean == pytest.approx(1 / 5)
    # Resamples: a twice +2/3, b twice -1/2.
    ends = (accuracy.difference.low, accuracy.difference.high)
    assert ends == pytest.approx((-1 / 2, 2 / 3))
    assert (found.mcnemar.n_first, found.mcnemar.n_second) == (1, 2)
    rows = [(item.group, item.n, item.first, item.second) for item in found.per_group]
    assert rows == [("b", 2, 1.0, 0.5), ("a", 3, pytest.approx(1 / 3), 1.0)]


def test_what_is_hard_for_both_does_not_widen_the_difference():
    # In each of 20 groups the new one is right on exactly one clip more.
    rng = np.random.default_rng(1)
    n_right = rng.integers(0, 9, size=20)
    old = np.concatenate([np.arange(10) < n for n in n_right])
    new = np.concatenate([np.arange(10) < n + 1 for n in n_right])
    groups = np.repeat([f"g{k:02d}" for k in range(20)], 10).tolist()
    truth = np.ones(200, dtype=int)
    found = compare_clips(NAMES, truth, probs(*old), probs(*new), groups)
    gap = found.figures["accuracy"].difference
    assert gap.mean == pytest.approx(0.1)
    assert gap.low is None  # the same in every resample
    assert "same in every resample" in gap.reason


def test_several_seeds_are_averaged():
    first = np.concatenate([probs(True, False), probs(True, True)])
    found = compare_clips(NAMES, np.ones(2, dtype=int), first, probs(False, False), ["a", "b"])
    assert found.figures["accuracy"].first == pytest.approx(3 / 4)
    assert found.per_group[0].group == "a"


def counts(name: str, n_true: int, n_found: int, n_pairs: int, hours: float = 1.0, label="hit"):
    return RecordingLabelCounts(
        name, name, label, n_true, n_found, (n_pairs, n_pairs, 0), 3600 * hours
    )


def test_events_by_hand():
    old = [counts("a", 4, 4, 2), counts("b", 2, 3, 1)]
    new = [counts("a", 4, 4, 4), counts("b", 2, 1, 1)]
    found = compare_events(NAMES, old, new)
    f1 = found.figures["f1@0.1"]
    assert (f1.first, f1.second) == pytest.approx((2 * 3 / 13, 2 * 5 / 11))
    assert f1.difference.mean == pytest.approx(10 / 11 - 6 / 13)
    rate = found.figures["false_alarms_per_hour"]
    assert (rate.first, rate.second, rate.difference.mean) == (2.0, 0.0, -2.0)
    assert found.figures["recall"].difference.mean == pytest.approx(5 / 6 - 3 / 6)
    assert found.mcnemar is None
    assert [(item.group, item.n) for item in found.per_group] == [("b", 2), ("a", 4)]
    assert found.per_group[0].second == pytest.approx(2 / 3)


def test_labels_are_added_up_and_an_unknown_length_leaves_rates_out():
    unknown = RecordingLabelCounts("a", "a", "hit", 1, 1, (1, 1, 1), None)
    kick = counts("b", 1, 0, 0, label="kick")
    found = compare_events(NAMES, [unknown, kick], [unknown, kick])
    assert found.figures["recall"].first == 0.5
    assert found.figures["false_alarms_per_hour"].difference.mean is None
    with pytest.raises(ConfigError, match="both evaluations have"):
        compare_events(NAMES, [], [])
