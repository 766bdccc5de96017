from __future__ import annotations

import json
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from har.errors import ConfigError, NoClipsError
from har.metrics.clips import (
    ClipMetrics,
    bootstrap_metrics,
    compute_clip_metrics,
)

LABELS = ("self", "others", "play")


def one_hot(predicted: list[int], n_classes: int) -> np.ndarray:
    return np.eye(n_classes)[predicted]


def binary(scores: list[float]) -> np.ndarray:
    second = np.array(scores)
    return np.stack([1 - second, second], axis=1)


@pytest.fixture
def three() -> ClipMetrics:
    #            prediction: self others play
    # truth self   (3 clips)    2      1    0
    # truth others (2 clips)    0      1    1
    # truth play   (1 clip)     1      0    0
    truth = np.array([0, 0, 0, 1, 1, 2])
    return compute_clip_metrics(LABELS, truth, one_hot([0, 0, 1, 1, 2, 0], 3))


def test_counts_and_ratios_by_hand(three):
    assert three.n_clips == 6
    assert three.confusion == ((2, 1, 0), (0, 1, 1), (1, 0, 0))
    assert three.accuracy == pytest.approx(3 / 6)
    own, others, play = three.per_class
    assert (own.precision, own.recall, own.f1) == pytest.approx((2 / 3, 2 / 3, 4 / 6))
    assert (others.precision, others.recall, others.f1) == pytest.approx((1 / 2, 1 / 2, 2 / 4))
    assert (play.precision, play.recall, play.f1) == (0.0, 0.0, 0.0)
    assert [entry.support for entry in three.per_class] == [3, 2, 1]
    assert three.macro_f1 == pytest.approx((4 / 6 + 2 / 4 + 0) / 3)


def test_auc_of_three_classes_is_the_mean_over_one_against_the_rest(three):
    # Scores are 0 or 1. self: 3 clips scored 1 1 0 against 0 0 1 -> wins 4, ties 4, of 9.
    # others: 1 0 against 1 0 0 0 -> wins 3, ties 4, of 8. play: 0 against 0 0 0 0 1.
    own, others, play = (4 + 4 / 2) / 9, (3 + 4 / 2) / 8, (0 + 4 / 2) / 5
    assert three.auc == pytest.approx((own + others + play) / 3)


def test_auc_of_two_classes_is_that_of_the_second_with_ties_half():
    truth = np.array([0, 0, 1, 1])
    metrics = compute_clip_metrics(("play", "hit"), truth, binary([0.1, 0.6, 0.6, 0.9]))
    assert metrics.auc == pytest.approx((1 + 0.5 + 1 + 1) / 4)
    turned = compute_clip_metrics(("play", "hit"), 1 - truth, binary([0.1, 0.6, 0.6, 0.9]))
    assert turned.auc == pytest.approx(1 - 3.5 / 4)


def test_equal_probabilities_go_to_the_first_class():
    metrics = compute_clip_metrics(("a", "b"), np.array([0, 1]), np.full((2, 2), 0.5))
    assert metrics.confusion == ((1, 0), (1, 0))


def test_what_is_not_defined_is_none():
    # No clip is "self" and none is predicted so; no clip is "play" but one is predicted so.
    metrics = compute_clip_metrics(LABELS, np.array([1, 1]), one_hot([1, 2], 3))
    own, others, play = metrics.per_class
    assert (own.precision, own.recall, own.f1) == (None, None, None)
    assert (others.precision, others.recall) == (1.0, 0.5)
    assert (play.precision, play.recall, play.f1) == (0.0, None, 0.0)
    assert metrics.auc is None
    assert metrics.macro_f1 == pytest.approx((2 / 3 + 0) / 2)  # "self" does not occur at all


def test_json_is_plain(three):
    values = json.loads(json.dumps(three.to_json(), allow_nan=False))
    assert values["confusion"] == [[2, 1, 0], [0, 1, 1], [1, 0, 0]]
    assert values["per_class"][0]["label"] == "self"
    intervals = bootstrap_metrics(np.array([1, 1, 1]), binary([0.1, 0.2, 0.3]), ["a", "b", "b"])
    plain = {name: interval.to_json() for name, interval in intervals.items()}
    assert json.loads(json.dumps(plain, allow_nan=False))["auc"]["ci95"] is None


@st.composite
def predictions(draw) -> tuple[np.ndarray, np.ndarray]:
    n_classes = draw(st.integers(2, 4))
    # Every class has a clip, as scikit-learn's AUC asks for; few levels make many ties.
    extra = draw(st.lists(st.integers(0, n_classes - 1), max_size=20))
    truth = np.array([*range(n_classes), *extra])
    rows = st.lists(st.integers(1, 4), min_size=n_classes, max_size=n_classes)
    raw = np.array([draw(rows) for _ in truth], dtype=float)
    return truth, raw / raw.sum(axis=1, keepdims=True)


@given(predictions())
@settings(max_examples=100, deadline=None)
def test_same_as_scikit_learn(drawn):
    truth, probs = drawn
    n_classes = probs.shape[1]
    labels = tuple("abcd"[:n_classes])
    metrics = compute_clip_metrics(labels, truth, probs)
    predicted = probs.argmax(axis=1)
    ids = list(range(n_classes))
    assert metrics.accuracy == pytest.approx(sk.accuracy_score(truth, predicted))
    assert metrics.macro_f1 == pytest.approx(sk.f1_score(truth, predicted, average="macro"))
    assert np.array_equal(metrics.confusion, sk.confusion_matrix(truth, predicted, labels=ids))
    if n_classes == 2:
        expected = sk.roc_auc_score(truth, probs[:, 1])
    else:
        expected = sk.roc_auc_score(truth, probs, multi_class="ovr")
    assert metrics.auc == pytest.approx(expected)
    nan = sk.precision_recall_fscore_support(truth, predicted, labels=ids, zero_division=np.nan)
    for entry, precision, recall, support in zip(metrics.per_class, *nan[:2], nan[3], strict=True):
        assert entry.precision == (None if np.isnan(precision) else pytest.approx(precision))
        assert (entry.recall, entry.support) == (pytest.approx(recall), support)


@pytest.mark.parametrize(
    ("truth", "probs"),
    [
        (np.array([0, 1, 0]), np.full((2, 2), 0.5)),
        (np.array([0, 2]), np.full((2, 2), 0.5)),
        (np.array([0, -1]), np.full((2, 2), 0.5)),
        (np.array([0.0, 1.0]), np.full((2, 2), 0.5)),
        (np.array([0, 1]), np.full((2, 3), 0.5)),
        (np.array([0, 1]), np.array([[0.5, 0.5], [np.nan, 0.5]])),
        (np.array([0, 1]), np.array([0.5, 0.5])),
    ],
)
def test_arrays_that_do_not_fit_are_refused(truth, probs):
    with pytest.raises(ConfigError, match="Expected"):
        compute_clip_metrics(("a", "b"), truth, probs)


def test_one_label_is_refused():
    with pytest.raises(ConfigError, match="two labels or more"):
        compute_clip_metrics(("a",), np.array([0]), np.ones((1, 1)))


def test_no_clips_is_said_so():
    with pytest.raises(NoClipsError):
        compute_clip_metrics(("a", "b"), np.array([], dtype=int), np.zeros((0, 2)))


def test_two_groups_give_the_three_possible_resamples():
    # Group "good" is all right, group "bad" all wrong: resamples have accuracy 0, 0.5 or 1,
    # with chances 1/4, 1/2, 1/4, so the interval is [0, 1].
    truth = np.array([0, 1, 0, 1])
    intervals = bootstrap_metrics(
        truth, one_hot([0, 1, 1, 0], 2), ["good", "good", "bad", "bad"], n_resamples=200
    )
    accuracy = intervals["accuracy"]
    assert (accuracy.mean, accuracy.low, accuracy.high) == (0.5, 0.0, 1.0)
    assert accuracy.n_undefined == 0


def test_groups_are_drawn_whole_and_count_their_clips():
    # Resamples of {3 right clips, 1 wrong clip}: accuracy 1, 3/4 or 0, never another value.
    truth = np.zeros(4, dtype=int)
    intervals = bootstrap_metrics(truth, one_hot([0, 0, 0, 1], 2), ["a", "a", "a", "b"])
    assert intervals["accuracy"].mean == 0.75
    assert (intervals["accuracy"].low, intervals["accuracy"].high) == (0.0, 1.0)


def test_resamples_without_a_class_are_left_out_and_counted():
    # Only group "c" has a clip of class 1: (2/3)^3 of resamples miss it, (1/3)^3 are all of it.
    truth = np.array([0, 0, 1])
    auc = bootstrap_metrics(truth, binary([0.2, 0.4, 0.9]), ["a", "b", "c"])["auc"]
    assert (auc.mean, auc.low, auc.high) == (1.0, None, None)  # 1 in all others: no width
    assert "the same in every resample" in auc.reason
    assert auc.n_undefined / 1000 == pytest.approx((2 / 3) ** 3 + (1 / 3) ** 3, abs=0.05)


def test_one_group_has_no_interval_and_says_why():
    intervals = bootstrap_metrics(np.array([0, 1]), binary([0.1, 0.9]), ["cam 1", "cam 1"])
    assert intervals["accuracy"].mean == 1.0
    assert intervals["accuracy"].low is None
    assert "one group ('cam 1')" in intervals["accuracy"].reason


def test_a_class_without_clips_has_no_auc_and_says_why():
    auc = bootstrap_metrics(np.array([1, 1, 1]), binary([0.1, 0.9, 0.4]), ["a", "b", "c"])["auc"]
    assert (auc.mean, auc.low) == (None, None)
    assert "a class has no clip" in auc.reason


def test_wrong_number_of_groups_is_refused():
    with pytest.raises(ConfigError, match="Expected 2 groups"):
        bootstrap_metrics(np.array([0, 1]), binary([0.1, 0.9]), ["a"])


def noisy_data(n_clips: int = 240, n_groups: int = 30) -> tuple[np.ndarray, np.ndarray, list[str]]:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n_clips)
    scores = 1 / (1 + np.exp(-(truth * 2 - 1 + rng.normal(0, 1.5, (3, n_clips)))))
    groups = [f"g{index}" for index in rng.integers(0, n_groups, n_clips)]
    return truth, np.stack([1 - scores, scores], axis=2), groups


def test_repeats_average_the_figures_of_all_seeds():
    truth, probs, groups = noisy_data()
    together = bootstrap_metrics(truth, probs, groups, n_resamples=50)
    each = [compute_clip_metrics(("a", "b"), truth, one) for one in probs]
    assert together["accuracy"].mean == pytest.approx(np.mean([m.accuracy for m in each]))
    assert together["macro_f1"].mean == pytest.approx(np.mean([m.macro_f1 for m in each]))
    assert together["auc"].mean == pytest.approx(np.mean([m.auc for m in each]))


def test_equal_seeds_give_the_interval_of_one():
    truth, probs, groups = noisy_data()
    repeated = bootstrap_metrics(truth, np.repeat(probs[:1], 3, axis=0), groups, 100, seed=4)
    single = bootstrap_metrics(truth, probs[0], groups, 100, seed=4)
    for name, interval in single.items():
        assert repeated[name].mean == pytest.approx(interval.mean)
        assert repeated[name].low == pytest.approx(interval.low)
        assert repeated[name].high == pytest.approx(interval.high)


def test_the_seed_repeats_the_interval():
    truth, probs, groups = noisy_data()
    first = bootstrap_metrics(truth, probs[0], groups, 100, seed=1)
    assert first == bootstrap_metrics(truth, probs[0], groups, 100, seed=1)
    assert first != bootstrap_metrics(truth, probs[0], groups, 100, seed=2)


def test_interval_of_independent_clips_is_the_textbook_one():
    # One clip a group: accuracy p of n clips has a 95 % interval of about +-1.96 sqrt(p(1-p)/n).
    n, p = 400, 0.8
    predicted = (np.arange(n) >= n * p).astype(int).tolist()
    truth = np.zeros(n, dtype=int)
    groups = [str(index) for index in range(n)]
    accuracy = bootstrap_metrics(truth, one_hot(predicted, 2), groups)["accuracy"]
    half = 1.96 * np.sqrt(p * (1 - p) / n)
    assert (accuracy.low, accuracy.high) == pytest.approx((p - half, p + half), abs=0.008)


def test_a_thousand_resamples_are_quick():
    truth, probs, groups = noisy_data()
    start_s = time.perf_counter()
    bootstrap_metrics(truth, probs[0], groups)
    assert time.perf_counter() - start_s < 2.0
