from __future__ import annotations

import pytest
from coded import make_recording

from har.config import DecodeConfig
from har.metrics.alarms import AlarmCurve, AlarmPoint, compute_curves, count_alarms

RULE = DecodeConfig(background="playing", onset=0.6, offset=0.3)


@pytest.fixture
def recordings():
    # Acts at 10 and 100, scored .9 and .7; false peaks of .8 and .5. Half an hour each.
    first = make_recording(
        "a", [(10, 14, 0.9), (50, 54, 0.8), (100, 104, 0.7)], [(10, 14), (100, 104)]
    )
    return [first, make_recording("b", [(20, 24, 0.5)], [])]


def test_counts_by_hand(recordings):
    hits, false = count_alarms(recordings, ["hit"], RULE)
    assert (hits.tolist(), false.tolist()) == ([[2, 0]], [[1, 0]])


def test_hours_are_those_of_the_scores(recordings):
    assert recordings[0].hours == pytest.approx(0.5)


def test_the_curve_goes_through_every_level(recordings):
    (curve,) = compute_curves(recordings, ["hit"], RULE)
    assert (curve.label, curve.n_true, curve.hours) == ("hit", 2, pytest.approx(1.0))
    at = {round(point.threshold or 0, 2): point for point in curve.points}
    assert (at[0.9].recall, at[0.9].false_alarms_per_hour) == pytest.approx((0.5, 0.0))
    assert (at[0.8].recall, at[0.8].false_alarms_per_hour) == pytest.approx((0.5, 1.0))
    assert (at[0.7].recall, at[0.7].false_alarms_per_hour) == pytest.approx((1.0, 1.0))
    assert (at[0.5].recall, at[0.5].false_alarms_per_hour) == pytest.approx((1.0, 2.0))
    # One event as long as the recording is no act.
    assert (at[0.05].recall, at[0.05].false_alarms_per_hour) == pytest.approx((0.0, 2.0))
    assert [point.threshold for point in curve.points] == sorted(
        (point.threshold for point in curve.points), reverse=True
    )


def test_the_rule_in_use_is_marked(recordings):
    (curve,) = compute_curves(recordings, ["hit"], RULE)
    assert curve.chosen == AlarmPoint(0.6, 1.0, pytest.approx(1.0))


def test_a_label_keeps_its_own_lengths_and_ratio(recordings):
    own = {"hit": {"min_s": 5.0}}
    (curve,) = compute_curves(recordings, ["hit"], DecodeConfig(background="playing", labels=own))
    assert max(point.recall for point in curve.points) == 0.0  # no peak is as long as 5 s


def test_best_points_find_more_for_more_alarms():
    points = [AlarmPoint(t, r, f) for t, r, f in ((0.9, 0.2, 0), (0.8, 0.1, 1), (0.7, 0.5, 1))]
    curve = AlarmCurve("hit", 10, 1.0, (*points, AlarmPoint(0.1, 0.4, 9)), points[0])
    assert curve.best_points == (points[0], points[2])
