import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har.pose.pooling import pool_people

LOGITS = np.array([[1.0, 2.0, 0.0], [0.0, 5.0, 1.0], [3.0, 1.0, 7.0]])
CONFIDENCE = np.array([0.6, 0.3, 0.5])


def test_any_takes_each_label_from_whoever_shows_it_most_against_background():
    pooled = pool_people(LOGITS, CONFIDENCE, "any", 0, 0.2)
    # against background: (0, 1, -1), (0, 5, 1), (0, -2, 4)
    assert pooled.logits.tolist() == [0.0, 5.0, 4.0]
    assert pooled.leaders.tolist() == [0, 1, 2]  # all are equal in background: the most confident
    assert pooled.confidence == 0.6


def test_mean_is_weighted_by_confidence():
    pooled = pool_people(LOGITS, CONFIDENCE, "mean", 0, 0.2)
    expected = (0.6 * LOGITS[0] + 0.3 * LOGITS[1] + 0.5 * LOGITS[2]) / 1.4
    np.testing.assert_allclose(pooled.logits, expected)
    assert pooled.leaders.tolist() == [2, 1, 2]


def test_who_is_not_sure_enough_is_left_out():
    pooled = pool_people(LOGITS, CONFIDENCE, "any", 0, 0.5)
    assert pooled.logits.tolist() == [0.0, 1.0, 4.0]
    assert pooled.leaders.tolist() == [0, 0, 2]


@pytest.mark.parametrize("rule", ["any", "mean"])
def test_nobody_is_zeros(rule):
    for logits, confidence in ((np.zeros((0, 3)), np.zeros(0)), (LOGITS, CONFIDENCE / 10)):
        pooled = pool_people(logits, confidence, rule, 0, 0.2)
        assert pooled.logits.tolist() == [0.0, 0.0, 0.0]
        assert pooled.leaders.tolist() == [-1, -1, -1]
        assert pooled.confidence == 0.0


@pytest.mark.parametrize("rule", ["any", "mean"])
def test_a_confidence_of_nought_is_nobody_even_without_a_limit(rule):
    assert pool_people(LOGITS, np.zeros(3), rule, 0, 0.0).leaders.tolist() == [-1, -1, -1]


@pytest.mark.parametrize("rule", ["any", "mean"])
@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_order_of_people_changes_nothing(rule, n_people, seed):
    rng = np.random.default_rng(seed)
    logits, confidence = rng.normal(size=(n_people, 4)), rng.uniform(0.0, 1.0, n_people)
    order = rng.permutation(n_people)
    pooled = pool_people(logits, confidence, rule, 1, 0.2)
    again = pool_people(logits[order], confidence[order], rule, 1, 0.2)
    np.testing.assert_allclose(again.logits, pooled.logits, atol=1e-12)
    assert again.confidence == pooled.confidence
    assert [order[row] if row >= 0 else -1 for row in again.leaders] == pooled.leaders.tolist()
