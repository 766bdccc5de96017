from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from har.errors import ConfigError
from har.metrics.events import (
    EVENT_FIGURES,
    CodedRecording,
    EventMetrics,
    compute_event_metrics,
)
from har.types import Event


def event(onset_s: float, offset_s: float, score: float = 1.0, label: str = "hit") -> Event:
    return Event(label, onset_s, offset_s, score)


def means(metrics: EventMetrics) -> dict[str, float | None]:
    return {name: figure.mean for name, figure in metrics.overall.figures.items()}


def compute(*recordings: CodedRecording, labels: tuple[str, ...] = ("hit",)) -> EventMetrics:
    return compute_event_metrics(labels, recordings, n_resamples=50)


@pytest.fixture
def two() -> tuple[CodedRecording, CodedRecording]:
    # a: acts [0, 10) and [20, 30); found [0, 10) tIoU 1, [24, 34) tIoU 6/14 = .43, [50, 51) false.
    # b: act [0, 10); found [8, 12) tIoU 2/12 = .17, and nothing else.
    a = CodedRecording(
        "a",
        (event(0, 10), event(20, 30)),
        (event(0, 10, 0.9), event(24, 34, 0.8), event(50, 51, 0.7)),
        1800.0,
    )
    return a, CodedRecording("b", (event(0, 10),), (event(8, 12, 0.6),), 5400.0)


def test_counts_and_ratios_by_hand(two):
    found = means(compute(*two))
    # 3 acts, 4 events; pairs: 3 at 0.1, 2 at 0.25, 1 at 0.5
    assert found["f1@0.1"] == pytest.approx(2 * 3 / 7)
    assert found["f1@0.25"] == pytest.approx(2 * 2 / 7)
    assert found["f1@0.5"] == pytest.approx(2 * 1 / 7)
    assert (found["precision"], found["recall"]) == pytest.approx((3 / 4, 1.0))
    assert found["false_alarms_per_hour"] == pytest.approx(1 / 2)


def test_onset_errors_are_signed_with_quartiles(two):
    found = means(compute(*two))
    # errors 0, 4 and 8: median 4, quartiles halfway
    names = ("onset_error_q1_s", "onset_error_s", "onset_error_q3_s")
    assert [found[name] for name in names] == [2.0, 4.0, 6.0]
    early = CodedRecording("c", (event(5, 10),), (event(4, 10),), 60.0)
    assert means(compute(early))["onset_error_s"] == -1.0


def test_average_precision_by_hand(two):
    found = means(compute(*two))
    # By score: hit at tIoU 1, at .43, a false one, one at .17; of 3 acts.
    # Up to .4 two are right: 1/3 * 1 + 1/3 * 1. From .5 on one: 1/3.
    assert found["ap@0.3"] == found["ap@0.4"] == pytest.approx(2 / 3)
    assert found["ap@0.5"] == found["ap@0.6"] == found["ap@0.7"] == pytest.approx(1 / 3)
    assert found["ap"] == pytest.approx((2 * 2 / 3 + 3 * 1 / 3) / 5)


def test_average_precision_is_interpolated_from_the_right():
    # By score: false, right, false, right; precisions 0, 1/2, 1/3, 2/4 -> the best later: 1/2, 1/2.
    acts = (event(0, 1), event(10, 11))
    found = (event(20, 21, 0.9), event(0, 1, 0.8), event(30, 31, 0.7), event(10, 11, 0.6))
    assert means(compute(CodedRecording("a", acts, found, 60.0)))["ap@0.5"] == pytest.approx(0.5)


def test_the_better_scored_of_two_events_takes_the_act():
    act = (event(0, 10),)
    found = (event(0, 10, 0.2), event(0, 9, 0.9))
    metrics = compute(CodedRecording("a", act, found, 3600.0))
    assert means(metrics)["ap@0.5"] == 1.0
    assert means(metrics)["false_alarms_per_hour"] == 1.0


def test_one_event_over_everything_is_no_way_out():
    acts = tuple(event(60.0 * k, 60.0 * k + 2.0) for k in range(10))
    found = means(compute(CodedRecording("a", acts, (event(0, 600),), 600.0)))
    assert (found["recall"], found["precision"]) == (0.0, 0.0)
    assert found["false_alarms_per_hour"] == pytest.approx(6.0)


def test_all_labels_are_pooled_but_average_precision_is_their_mean():
    acts = (event(0, 1), event(10, 11), event(20, 21, label="kick"))
    found = (event(0, 1, 0.9), event(20, 21, 0.8, "kick"), event(30, 31, 0.7, "kick"))
    metrics = compute(CodedRecording("a", acts, found, 3600.0), labels=("hit", "kick"))
    own, kick = (item.figures for item in metrics.per_label)
    assert (own["recall"].mean, kick["recall"].mean) == (0.5, 1.0)
    assert (own["ap"].mean, kick["ap"].mean) == (0.5, 1.0)
    assert means(metrics)["recall"] == pytest.approx(2 / 3)
    assert means(metrics)["ap"] == pytest.approx(0.75)
    assert (metrics.overall.n_true, metrics.overall.n_found) == (3, 3)


def test_events_of_other_labels_and_recordings_never_pair():
    acts = CodedRecording("a", (event(0, 1),), (event(0, 1, label="kick"),), 60.0)
    other = CodedRecording("b", (), (event(0, 1),), 60.0)
    assert means(compute(acts, other, labels=("hit", "kick")))["f1@0.1"] == 0.0


def test_what_is_not_defined_is_none():
    found = means(compute(CodedRecording("a", (), (event(0, 1),))))
    assert (found["recall"], found["ap"], found["onset_error_s"]) == (None, None, None)
    assert found["false_alarms_per_hour"] is None  # the length is not known
    assert found["precision"] == 0.0
    silent = means(compute(CodedRecording("a", (event(0, 1),), (), 60.0)))
    assert (silent["precision"], silent["recall"], silent["ap"]) == (None, 0.0, 0.0)
    assert silent["false_alarms_per_hour"] == 0.0


def test_a_label_without_acts_does_not_count_in_the_mean():
    acts = CodedRecording("a", (event(0, 1),), (event(0, 1), event(5, 6, label="kick")), 60.0)
    assert means(compute(acts, labels=("hit", "kick")))["ap"] == 1.0


def test_nothing_to_compare_is_refused():
    with pytest.raises(ConfigError, match="received 0 and 1"):
        compute_event_metrics(("hit",), [])
    with pytest.raises(ConfigError, match="received 1 and 0"):
        compute_event_metrics((), [CodedRecording("a", (), ())])


def test_intervals_are_over_groups(two):
    a, b = two
    metrics = compute_event_metrics(("hit",), two)
    recall = metrics.overall.figures["precision"]
    # Two groups: a resample is a twice (2/3), both (3/4) or b twice (1).
    assert (recall.low, recall.high) == pytest.approx((2 / 3, 1.0))
    same = [replace(a, group="child 1"), replace(b, group="child 1")]
    alone = compute_event_metrics(("hit",), same)
    assert (alone.n_groups, alone.overall.figures["precision"].low) == (1, None)
    assert "child 1" in alone.overall.figures["precision"].reason


def test_json_has_every_figure(two):
    values = compute(*two).to_json()
    assert set(EVENT_FIGURES) < set(values["overall"])
    assert values["hours"] == 2.0
    assert [item["label"] for item in values["per_label"]] == ["hit"]


@st.composite
def recordings(draw) -> list[CodedRecording]:
    def draw_events() -> tuple[Event, ...]:
        starts = draw(st.lists(st.integers(0, 40), max_size=6))
        spans = [draw(st.sampled_from([1, 2, 5, 9])) for _ in starts]
        labels = [draw(st.sampled_from(["hit", "kick"])) for _ in starts]
        scores = [draw(st.sampled_from([0.2, 0.5, 0.9])) for _ in starts]
        return tuple(
            event(start, start + span, score, label)
            for start, span, score, label in zip(starts, spans, scores, labels, strict=True)
        )

    n = draw(st.integers(1, 3))
    return [CodedRecording(f"r{k}", draw_events(), draw_events(), 600.0) for k in range(n)]


@settings(max_examples=40, deadline=None)
@given(recordings())
def test_properties_of_all_figures(items):
    figures = means(compute_event_metrics(("hit", "kick"), items, n_resamples=1))
    shares = [figures[name] for name in figures if name.startswith(("f1", "ap", "prec", "rec"))]
    assert all(share is None or 0.0 <= share <= 1.0 for share in shares)
    if figures["f1@0.5"] is not None:
        assert figures["f1@0.1"] >= figures["f1@0.25"] >= figures["f1@0.5"]
    # Turning the tables turns precision and recall, and leaves F1.
    turned = [replace(item, truth=item.found, found=item.truth) for item in items]
    back = means(compute_event_metrics(("hit", "kick"), turned, n_resamples=1))
    assert back["f1@0.25"] == figures["f1@0.25"]
    assert (back["precision"], back["recall"]) == (figures["recall"], figures["precision"])
    # What is found exactly is right.
    exact = [replace(item, found=item.truth) for item in items]
    best = means(compute_event_metrics(("hit", "kick"), exact, n_resamples=1))
    assert {best["f1@0.5"], best["recall"], best["precision"]} <= {1.0, None}
    assert best["false_alarms_per_hour"] == 0.0


@settings(max_examples=30, deadline=None)
@given(recordings(), st.randoms())
def test_the_order_of_events_says_nothing(items, random):
    def shuffle(events: tuple[Event, ...]) -> tuple[Event, ...]:
        return tuple(random.sample(events, len(events)))

    mixed = [replace(item, truth=shuffle(item.truth), found=shuffle(item.found)) for item in items]
    names = ("f1@0.1", "f1@0.25", "f1@0.5", "precision", "recall", "false_alarms_per_hour")
    before = means(compute_event_metrics(("hit", "kick"), items, n_resamples=1))
    after = means(compute_event_metrics(("hit", "kick"), mixed, n_resamples=1))
    assert [after[name] for name in names] == [before[name] for name in names]
