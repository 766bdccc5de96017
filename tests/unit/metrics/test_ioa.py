"""Worked examples of the sources, and others worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har.metrics.ioa import (
    IOA_FIGURES,
    compute_exact_count,
    compute_interval_by_interval,
    compute_ioa,
    compute_mean_count,
    compute_mean_duration,
    compute_scored_interval,
    compute_smaller_share,
    count_onsets,
    find_scored,
    measure_time_s,
)
from har.types import Event


def spans(*pairs: tuple[float, float]) -> list[Event]:
    return [Event("hit", onset_s, offset_s, 1.0) for onset_s, offset_s in pairs]


def moments(*times_s: float) -> list[Event]:
    return spans(*((time_s, time_s + 1.0) for time_s in times_s))


def name(values: np.ndarray) -> dict[str, float]:
    return dict(zip(IOA_FIGURES, values.tolist(), strict=True))


def test_counts_of_reed_and_azulay():
    # Figure 1: 15 intervals of a minute. One observer counts 1, 1, 1 and 2 in the first four, the
    # other 1 in the fourth and 4 in the last: 100 % by total count, 70 % by mean count (10.5 / 15),
    # 66.7 % by exact agreement (10 / 15).
    first = moments(5, 65, 125, 185, 200)
    second = moments(190, 845, 855, 865, 875)
    found = name(compute_ioa(first, second, 900.0, 60.0))
    assert found["total_count"] == 1.0
    assert found["mean_count_per_interval"] == pytest.approx(0.70)
    assert found["exact_count_per_interval"] == pytest.approx(10 / 15)


def test_intervals_of_reed_and_azulay():
    # Figure 2: 7 intervals; disagreement in the first and the last, nothing in 2 to 4, both in 5
    # and 6: 71.4 % interval by interval, 50 % scored, 60 % unscored.
    first = np.array([True, False, False, False, True, True, False])
    second = np.array([False, False, False, False, True, True, True])
    assert compute_interval_by_interval(first, second) == pytest.approx(5 / 7)
    assert compute_scored_interval(first, second) == pytest.approx(2 / 4)
    assert compute_scored_interval(~first, ~second) == pytest.approx(3 / 5)


def test_durations_by_hand():
    # Occurrences of 3 and 4 s, 4 and 4 s, 4 and 5 s: (.75 + 1 + .8) / 3; in all 11 of 13 s.
    first = spans((0, 3), (10, 14), (20, 24))
    second = spans((0, 4), (10, 14), (20, 25))
    found = name(compute_ioa(first, second, 30.0, 10.0))
    assert found["mean_duration_per_occurrence"] == pytest.approx(0.85)
    assert found["total_duration"] == pytest.approx(11 / 13)
    # One that the second observer did not code agrees by 0.
    assert compute_mean_duration([*first, *spans((28, 30))], second) == pytest.approx(2.55 / 4)


def test_an_event_counts_where_it_begins_and_scores_what_it_overlaps():
    events = spans((9.5, 20.0), (30.0, 30.5))
    assert count_onsets(events, 35.0, 10.0).tolist() == [1, 0, 0, 1]  # the last has 5 s
    assert find_scored(events, 35.0, 10.0).tolist() == [True, True, False, True]
    assert count_onsets(moments(0.3 - 1e-9), 1.0, 0.1).tolist()[3] == 1  # 0.3 / 0.1 is 2.9999...


def test_what_agrees_on_nothing_is_not_defined_but_intervals_are():
    found = name(compute_ioa([], [], 30.0, 10.0))
    assert [key for key, value in found.items() if np.isnan(value)] == [
        "total_count",
        "scored_interval",
        "total_duration",
        "mean_duration_per_occurrence",
    ]
    assert found["interval_by_interval"] == found["unscored_interval"] == 1.0
    missed = name(compute_ioa(moments(3), [], 30.0, 10.0))
    assert missed["total_count"] == missed["total_duration"] == missed["scored_interval"] == 0.0
    assert missed["mean_count_per_interval"] == pytest.approx(2 / 3)


def test_small_formulas():
    assert compute_smaller_share(50, 40) == 0.8
    assert compute_mean_count(np.array([2, 3, 0]), np.array([3, 3, 1])) == pytest.approx(5 / 9)
    assert compute_exact_count(np.array([2, 3, 0]), np.array([3, 3, 1])) == pytest.approx(1 / 3)
    assert measure_time_s(spans((5, 6), (0, 4), (1, 2))) == 5.0


drawn = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 9)), max_size=6).map(
    lambda pairs: spans(*((float(at), float(at + long)) for at, long in sorted(pairs)))
)


@settings(max_examples=80, deadline=None)
@given(drawn, drawn, st.sampled_from([1.0, 7.0, 10.0, 100.0]))
def test_properties(first, second, interval_s):
    values = compute_ioa(first, second, 60.0, interval_s)
    defined = values[np.isfinite(values)]
    assert ((defined >= 0) & (defined <= 1 + 1e-12)).all()
    assert np.allclose(values, compute_ioa(second, first, 60.0, interval_s), equal_nan=True)
    same = compute_ioa(first, first, 60.0, interval_s)
    assert np.allclose(same[np.isfinite(same)], 1.0)
