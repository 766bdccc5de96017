"""Events and their people worked out by hand, and what holds of all of them."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.config import DecodeConfig
from har.errors import ConfigError
from har.events.decoder import decode_events, name_people
from har.types import Event, People, Scores

STEP_S = 0.5
PLAIN = DecodeConfig(onset=0.6, offset=0.4, min_s=0.0, merge_gap_s=0.0, tail=0.0)


def _make_scores(values: list[float]) -> Scores:
    """Return scores of ``hit`` beside ``play``, one row every half second."""
    hit = np.array(values, dtype=np.float32)
    times_s = (np.arange(len(hit)) + 0.5) * STEP_S
    return Scores(("play", "hit"), times_s, np.stack([1 - hit, hit], axis=1), STEP_S)


def _decode(values: list[float], **changes: float) -> list[tuple[float, float]]:
    plain = {"min_s": 0.0, "merge_gap_s": 0.0, "tail": 0.0}
    config = DecodeConfig(**{**plain, "background": "play", **changes})
    events = decode_events(_make_scores(values), config)
    return [(event.onset_s, event.offset_s) for event in events]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([], []),
        ([0.5, 0.59], []),
        ([0.6], [(0.0, 0.5)]),
        ([0.1, 0.6, 0.1], [(0.5, 1.0)]),
        # Between the thresholds an event goes on but does not start.
        ([0.5, 0.7, 0.5, 0.4, 0.39, 0.5], [(0.5, 2.0)]),
        ([0.5, 0.5, 0.9], [(1.0, 1.5)]),
        ([0.9, 0.1, 0.9, 0.1], [(0.0, 0.5), (1.0, 1.5)]),
    ],
)
def test_hysteresis(values: list[float], expected: list[tuple[float, float]]) -> None:
    assert _decode(values) == expected


def test_gaps_shorter_than_the_limit_are_bridged() -> None:
    values = [0.9, 0.1, 0.9, 0.1, 0.1, 0.9]
    assert _decode(values, merge_gap_s=0.5) == [(0.0, 0.5), (1.0, 1.5), (2.5, 3.0)]
    assert _decode(values, merge_gap_s=0.75) == [(0.0, 1.5), (2.5, 3.0)]
    assert _decode(values, merge_gap_s=1.25) == [(0.0, 3.0)]


def test_short_events_are_dropped_after_bridging() -> None:
    values = [0.9, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9]
    assert _decode(values, min_s=0.5) == [(0.0, 0.5), (1.0, 1.5), (3.0, 3.5)]
    assert _decode(values, min_s=0.6) == []
    assert _decode(values, min_s=0.6, merge_gap_s=0.75) == [(0.0, 1.5)]


def test_the_score_is_the_mean_over_the_event_and_what_it_bridges() -> None:
    scores = _make_scores([0.9, 0.0, 0.6, 0.1])
    (event,) = decode_events(scores, DecodeConfig("play", 0.6, 0.4, 0.0, 0.6, tail=0.0))
    assert event == Event("hit", 0.0, 1.5, 0.5)


def test_every_label_but_the_background_makes_events() -> None:
    scores = _make_scores([0.9, 0.1])
    assert decode_events(scores, PLAIN) == (
        Event("hit", 0.0, 0.5, 0.9),
        Event("play", 0.5, 1.0, 0.9),
    )
    assert [event.label for event in decode_events(scores, DecodeConfig("hit", min_s=0.5))] == [
        "play"
    ]


def test_a_background_that_is_no_label_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"\('play', 'hit'\).*'none'"):
        decode_events(_make_scores([0.9]), DecodeConfig(background="none"))


def test_the_end_is_drawn_in_to_where_the_score_was_near_its_height() -> None:
    # The height is 1.0: rows of 0.8 and of 0.7 are the ends.
    values = [0.6, 0.9, 0.5, 1.0, 0.8, 0.7, 0.5, 0.1]
    assert _decode(values) == [(0.0, 3.5)]
    assert _decode(values, tail=0.7) == [(0.0, 3.0)]
    assert _decode(values, tail=0.8) == [(0.0, 2.5)]
    assert _decode(values, tail=1.0) == [(0.0, 2.0)]


def test_the_end_is_set_from_what_is_near_it_only() -> None:
    values = [1.0, 1.0, 0.5, 0.5, 0.5, 0.6, 0.5]
    assert _decode(values, tail=1.0) == [(0.0, 3.0)]  # the height is more than 2 s before the end
    assert _decode(values[:5], tail=1.0) == [(0.0, 1.0)]


def test_an_event_may_be_too_short_once_it_is_drawn_in() -> None:
    values = [1.0, 0.5, 0.5, 0.1]
    assert _decode(values, min_s=1.5) == [(0.0, 1.5)]
    assert _decode(values, tail=0.75, min_s=0.5) == [(0.0, 0.5)]
    assert _decode(values, tail=0.75, min_s=0.6) == []


levels = st.lists(st.sampled_from([0.0, 0.3, 0.45, 0.55, 0.65, 0.8, 1.0]), max_size=80)
limits = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, 2.0])
thresholds = st.sampled_from([0.3, 0.4, 0.5, 0.6, 0.7, 1.0])


@given(
    values=levels,
    pair=st.tuples(thresholds, thresholds).map(sorted),
    min_s=limits,
    merge_gap_s=limits,
)
def test_what_holds_of_all_events(
    values: list[float], pair: list[float], min_s: float, merge_gap_s: float
) -> None:
    scores = _make_scores(values)
    events = decode_events(
        scores, DecodeConfig("play", pair[1], pair[0], min_s, merge_gap_s, tail=0.0)
    )
    for event in events:
        assert 0 <= event.onset_s < event.offset_s <= len(values) * STEP_S
        assert event.offset_s - event.onset_s >= min_s
        assert 0 <= event.score <= 1
        inside = (scores.times_s > event.onset_s) & (scores.times_s < event.offset_s)
        assert event.score == pytest.approx(scores.values[inside, 1].mean(), abs=1e-5)
        assert scores.values[inside, 1][0] >= np.float32(pair[1])
        assert scores.values[inside, 1][-1] >= np.float32(pair[0])
    for before, after in pairwise(events):
        assert after.onset_s - before.offset_s >= max(merge_gap_s, STEP_S)


@given(values=levels)
def test_without_limits_every_row_at_the_onset_is_in_an_event(values: list[float]) -> None:
    scores = _make_scores(values)
    events = decode_events(scores, DecodeConfig("play", 0.6, 0.4, 0.0, 0.0, tail=0.0))
    for time_s, value in zip(scores.times_s, scores.values[:, 1], strict=True):
        inside = any(event.onset_s <= time_s < event.offset_s for event in events)
        assert inside if value >= np.float32(0.6) else not inside or value >= np.float32(0.4)


def _name(values: list[float], subjects: list[int], targets: list[int], own=()) -> list[tuple]:
    """Return the people of the events of ``hit``; ``play`` names someone else throughout."""
    scores = _make_scores(values)
    numbers = [np.stack([np.full(len(n), 9), np.array(n)], axis=1) for n in (subjects, targets)]
    scores = Scores(
        scores.labels,
        scores.times_s,
        scores.values,
        STEP_S,
        People(*numbers, np.ones(len(values), np.float32)),
    )
    events = decode_events(scores, DecodeConfig("play", min_s=0.0, merge_gap_s=0.0))
    named = name_people(events, scores, own)
    assert [(e.label, e.onset_s, e.offset_s, e.score) for e in named] == [
        (e.label, e.onset_s, e.offset_s, e.score) for e in events
    ]
    return [(event.subject, event.target) for event in named]


@pytest.mark.parametrize(
    ("values", "subjects", "targets", "expected"),
    [
        ([0.9, 0.9, 0.9], [2, 1, 2], [1, 2, 1], [(2, 1)]),
        # By weight: 0.9 against 0.4 + 0.4.
        ([0.9, 0.4, 0.4], [2, 1, 1], [1, 2, 2], [(2, 1)]),
        # The target is that of the subject's own rows.
        ([0.8, 0.8, 0.8, 0.8, 0.8], [1, 1, 1, 2, 2], [3, 3, 2, 5, 5], [(1, 3)]),
        # Rows outside the event do not count, each event has its own people.
        ([0.9, 0.1, 0.7, 0.1], [1, 2, 3, 2], [2, 1, 0, 1], [(1, 2), (3, 0)]),
        # Nobody is an answer, too.
        ([0.9, 0.9, 0.9], [0, 0, 1], [0, 0, 2], [(0, 0)]),
        ([0.9, 0.9, 0.9], [1, 1, 1], [0, 0, 2], [(1, 0)]),
        # The lower number of two as strong.
        ([0.9, 0.9], [2, 1], [1, 2], [(1, 2)]),
        ([0.1], [1], [1], []),
    ],
)
def test_most_rows_say_who(
    values: list[float], subjects: list[int], targets: list[int], expected: list[tuple[int, int]]
) -> None:
    assert _name(values, subjects, targets) == expected
    assert _name(values, subjects, targets, {"hit"}) == [(subject, 0) for subject, _ in expected]


def test_without_people_events_stay_as_they_are() -> None:
    scores = _make_scores([0.9, 0.9])
    events = decode_events(scores, PLAIN)
    assert name_people(events, scores, ()) == events


def test_rows_that_cannot_tell_end_an_event_and_make_none() -> None:
    values = np.array([[0.1, 0.9], [0.0, 0.0], [0.0, 0.0], [0.1, 0.9]], np.float32)
    scores = Scores(("play", "hit"), (np.arange(4) + 0.5) * STEP_S, values, STEP_S)
    assert scores.is_uncertain.tolist() == [False, True, True, False]
    events = decode_events(scores, PLAIN)
    assert [(event.onset_s, event.offset_s) for event in events] == [(0.0, 0.5), (1.5, 2.0)]


@given(values=levels, tail=st.sampled_from([0.5, 0.75, 1.0]))
def test_an_end_is_drawn_in_by_all_that_is_low_and_no_more(
    values: list[float], tail: float
) -> None:
    scores, shared = _make_scores(values), ("play", 0.6, 0.4, 0.0, 0.5)
    whole = decode_events(scores, DecodeConfig(*shared, tail=0.0))
    drawn_in = decode_events(scores, DecodeConfig(*shared, tail=tail))
    for outer, inner in zip(whole, drawn_in, strict=True):
        assert inner.onset_s == outer.onset_s
        rows = slice(*np.searchsorted(scores.times_s, [outer.onset_s, outer.offset_s]))
        hit = scores.values[rows, 1]
        n_low = round((outer.offset_s - inner.offset_s) / STEP_S)
        last_ones = hit[::-1][:4]
        assert (last_ones[:n_low] < tail * last_ones.max()).all()
        assert last_ones[n_low] >= tail * last_ones.max()
        assert inner.score == pytest.approx(hit[: len(hit) - n_low].mean(), abs=1e-5)


@given(values=levels, seed=st.integers(0, 99))
def test_people_are_those_that_some_row_names(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    subjects = rng.integers(0, 4, len(values)).tolist()
    targets = [(subject + 1) if subject else 0 for subject in subjects]
    for subject, target in _name(values, subjects, targets):
        assert subject in subjects
        assert target == (subject + 1 if subject else 0)
