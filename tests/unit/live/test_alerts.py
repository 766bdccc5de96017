"""Which events become alerts, on sequences made by hand and drawn at random."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moments import NOON, make_event, make_scores

from har.config import AlertsConfig, DecodeConfig
from har.live.alerts import AlertRules
from har.live.messages import Alert, LiveEvent


def _rules(config: AlertsConfig, zone: tzinfo | None = None) -> AlertRules:
    return AlertRules(config, DecodeConfig(background="playing", onset=0.5, offset=0.25), zone)


def test_event_that_is_sure_and_long_enough_alerts_once() -> None:
    rules = _rules(AlertsConfig(score=0.7, min_s=1.0))
    opened = make_event(length_s=1.0, is_open=True)
    alert = rules.on_event(opened)
    assert alert == Alert(opened, NOON + timedelta(seconds=11))
    assert rules.on_scores(make_scores([11.5, 12.5], [0.9, 0.9])) == []
    assert rules.on_event(make_event(length_s=3.0)) is None


@pytest.mark.parametrize(
    ("event", "alerts"),
    [
        (make_event(score=0.7, length_s=1.0), True),
        (make_event(score=0.69), False),
        (make_event(length_s=0.99), False),
    ],
)
def test_bounds_of_score_and_length_are_included(event: LiveEvent, alerts: bool) -> None:
    assert (_rules(AlertsConfig(score=0.7, min_s=1.0)).on_event(event) is not None) is alerts


def test_lasting_event_alerts_as_soon_as_it_is_long_enough() -> None:
    rules = _rules(AlertsConfig(score=0.5, min_s=4.0))
    assert rules.on_event(make_event(length_s=2.0, score=0.9, is_open=True)) is None
    assert rules.on_scores(make_scores([11.5, 12.5], [0.1, 0.6])) == []  # 11.5 s was in the event
    assert rules.on_scores(make_scores([], [])) == []
    assert rules.on_scores(make_scores([13.5], [0.9], camera="yard")) == []
    (alert,) = rules.on_scores(make_scores([13.5], [0.3]))
    assert alert.event.event.offset_s == 14.0
    assert alert.event.event.score == pytest.approx((0.9 * 2 + 0.6 + 0.3) / 4)
    assert alert.raised_at == NOON + timedelta(seconds=14)


def test_low_scores_count_only_once_the_event_goes_on() -> None:
    rules = _rules(AlertsConfig(score=0.3, min_s=3.0))
    assert rules.on_event(make_event(length_s=2.0, score=0.8, is_open=True)) is None
    assert rules.on_scores(make_scores([12.5, 13.5, 14.5], [0.2, 0.1, 0.2])) == []
    (alert,) = rules.on_scores(make_scores([15.5, 16.5], [0.7, 0.1]))
    assert alert.event.event.offset_s == 16.0
    assert alert.event.event.score == pytest.approx((0.8 * 2 + 0.2 + 0.1 + 0.2 + 0.7) / 6)


def test_short_event_does_not_alert_by_the_silence_after_it() -> None:
    rules = _rules(AlertsConfig(score=0.1, min_s=3.0))
    assert rules.on_event(make_event(length_s=2.0, is_open=True)) is None
    assert rules.on_scores(make_scores([12.5, 13.5, 14.5], [0.2, 0.2, 0.2])) == []
    assert rules.on_event(make_event(length_s=2.0)) is None


def test_event_that_outlasts_the_cool_down_alerts_then() -> None:
    rules = _rules(AlertsConfig(min_s=1.0, cool_down_s=10.0))
    assert rules.on_event(make_event(onset_s=0.0, length_s=2.0)) is not None
    assert rules.on_event(make_event(onset_s=5.0, length_s=2.0, is_open=True)) is None
    assert rules.on_scores(make_scores([7.5, 8.5, 9.5, 10.5], [0.9] * 4)) == []
    (alert,) = rules.on_scores(make_scores([11.5], [0.9]))
    assert alert.event.event.onset_s == 5.0


def test_cool_down_is_for_one_camera_and_one_label() -> None:
    rules = _rules(AlertsConfig(cool_down_s=600.0))
    assert rules.on_event(make_event(onset_s=10.0)) is not None
    assert rules.on_event(make_event(onset_s=20.0)) is None
    assert rules.on_event(make_event(onset_s=20.0, camera="yard")) is not None
    other = make_event(onset_s=20.0)
    other = replace(other, event=replace(other.event, label="push"))
    assert rules.on_event(other) is not None


def test_cool_down_does_not_heed_a_clock_that_is_set() -> None:
    rules = _rules(AlertsConfig(cool_down_s=60.0))
    assert rules.on_event(make_event(onset_s=0.0)) is not None
    assert rules.on_event(make_event(onset_s=30.0, start=NOON + timedelta(hours=5))) is None
    assert rules.on_event(make_event(onset_s=60.0, start=NOON - timedelta(hours=5))) is not None


def test_label_has_its_own_rule_and_can_be_silent() -> None:
    rules = _rules(AlertsConfig(score=0.99, labels={"hit": {"score": 0.5}}))
    assert rules.on_event(make_event(score=0.6)) is not None
    rules = _rules(AlertsConfig(labels={"hit": {"on": False}}))
    assert rules.on_event(make_event(score=1.0, length_s=60)) is None


@pytest.mark.parametrize(
    ("hour", "minute", "is_quiet"),
    [(21, 59, False), (22, 0, True), (0, 0, True), (6, 29, True), (6, 30, False), (12, 0, False)],
)
def test_quiet_hours_cross_midnight_in_local_time(hour: int, minute: int, is_quiet: bool) -> None:
    zone = timezone(timedelta(hours=2))
    start = datetime(2025, 7, 1, hour, minute, tzinfo=zone).astimezone(UTC)
    config = AlertsConfig(quiet=({"hours": "22:00-06:30", "cameras": ["hall"]},))
    event = make_event(onset_s=0.0, start=start)
    assert (_rules(config, zone).on_event(event) is None) is is_quiet
    assert _rules(config, zone).on_event(replace(event, camera="yard")) is not None


def test_event_that_goes_on_when_quiet_hours_end_alerts_then() -> None:
    config = AlertsConfig(quiet=({"hours": "11:00-12:00"},))
    rules = _rules(config, UTC)
    start = NOON - timedelta(seconds=3)
    assert rules.on_event(make_event(0.0, 2.0, is_open=True, start=start)) is None
    (alert,) = rules.on_scores(make_scores([2.5], [0.9]))
    assert alert.raised_at == NOON


lengths = st.floats(0.1, 30.0)
gaps = st.floats(0.1, 4000.0)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(gaps, lengths, st.floats(0, 1), st.sampled_from(["hall", "yard"])), max_size=40
    ),
    st.floats(0.0, 7200.0),
)
def test_never_two_in_a_cool_down_and_none_in_quiet_hours(
    drawn: list[tuple[float, float, float, str]], cool_down_s: float
) -> None:
    config = AlertsConfig(
        score=0.3, min_s=1.0, cool_down_s=cool_down_s, quiet=({"hours": "12:30-14:15"},)
    )
    rules, alerts = _rules(config, UTC), list[Alert]()
    now_s = 0.0
    for gap_s, length_s, score, camera in drawn:
        now_s += gap_s
        opened = make_event(now_s, min(length_s, 0.5), score, is_open=True, camera=camera)
        alerts += filter(None, [rules.on_event(opened)])
        times_s = np.arange(now_s + 0.5, now_s + length_s, 1.0).tolist()
        alerts += rules.on_scores(make_scores(times_s, [score] * len(times_s), camera))
        alerts += filter(None, [rules.on_event(make_event(now_s, length_s, score, camera=camera))])
        now_s += length_s
    raised = defaultdict(list)
    for alert in alerts:
        assert not (
            alert.raised_at.replace(hour=12, minute=30, second=0, microsecond=0)
            <= alert.raised_at
            < alert.raised_at.replace(hour=14, minute=15, second=0, microsecond=0)
        )
        raised[alert.event.camera].append(alert.event.event.offset_s)
        assert alert.event.event.score >= 0.3
    for times_s in raised.values():
        assert all(b - a >= cool_down_s - 1e-6 for a, b in pairwise(times_s))
    keys = [(alert.event.camera, alert.event.event.onset_s) for alert in alerts]
    assert len(keys) == len(set(keys))
