"""Every moment has one outcome, and the times add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from har.config import DecodeConfig
from har.events.decoder import decode_events
from har.events.summary import (
    NOTHING,
    UNCERTAIN_ROW,
    add_totals,
    compute_states,
    compute_totals,
)
from har.types import Event, Scores

LABELS = ("play", "hit", "kick")
PLAY, HIT, KICK = range(3)


def _make_scores(rows: list[tuple[float, float, float]]) -> Scores:
    return Scores(LABELS, np.arange(len(rows)) + 0.5, np.array(rows, np.float32), 1.0)


def test_each_row_has_the_outcome_worked_out_by_hand() -> None:
    scores = _make_scores(
        [
            (0.2, 0.8, 0.0),  # in an event
            (0.9, 0.1, 0.0),  # bridged, so in it
            (0.2, 0.8, 0.0),
            (0.5, 0.5, 0.0),  # between the thresholds
            (0.8, 0.1, 0.1),  # background
            (0.4, 0.3, 0.3),  # no label reaches its threshold
            (0.0, 0.0, 0.0),  # is uncertain
            (0.1, 0.0, 0.9),  # too short for an event
        ]
    )
    config = DecodeConfig("play", min_s=2.0, merge_gap_s=1.5, tail=0.0)
    events = decode_events(scores, config)
    assert [(event.label, event.onset_s, event.offset_s) for event in events] == [("hit", 0, 4)]
    found = compute_states(scores, events, config).tolist()
    assert found == [HIT, HIT, HIT, HIT, NOTHING, NOTHING, UNCERTAIN_ROW, UNCERTAIN_ROW]


def test_rules_of_a_label_and_the_missing_background_count() -> None:
    scores = _make_scores([(0.5, 0.3, 0.2), (0.2, 0.45, 0.35)])
    own = {"kick": {"onset": 0.9, "offset": 0.3}}
    assert compute_states(scores, [], DecodeConfig("play", labels=own)).tolist() == [
        NOTHING,
        UNCERTAIN_ROW,
    ]
    config = DecodeConfig("play", onset=0.6, offset=0.5, labels=own)
    assert compute_states(scores, [], config).tolist() == [NOTHING, UNCERTAIN_ROW]
    assert compute_states(scores, [], DecodeConfig("", 0.6, 0.5)).tolist() == [
        UNCERTAIN_ROW,
        NOTHING,
    ]


def test_of_events_at_once_the_stronger_one_counts() -> None:
    scores = _make_scores([(0.0, 0.6, 0.4), (0.1, 0.45, 0.45), (0.0, 0.4, 0.6)])
    events = [Event("hit", 0.0, 3.0, 0.5), Event("kick", 0.0, 3.0, 0.5)]
    assert compute_states(scores, events, DecodeConfig("play")).tolist() == [HIT, HIT, KICK]
    assert compute_states(scores, events[::-1], DecodeConfig("play")).tolist() == [
        HIT,
        KICK,
        KICK,
    ]


def test_totals_are_counts_times_and_rates() -> None:
    scores = _make_scores([(0.1, 0.9, 0.0)] * 4 + [(0.9, 0.1, 0.0)] * 5 + [(0.0, 0.0, 0.0)])
    events = [Event("hit", 0.0, 1.0, 0.9), Event("hit", 1.5, 4.0, 0.9)]
    found = compute_totals(scores, events, DecodeConfig("play"), 10.0)
    assert found.to_json() == {
        "duration_s": 10.0,
        "labels": [
            {"label": "hit", "n_events": 2, "total_s": 3.5, "per_hour": 720.0},
            {"label": "kick", "n_events": 0, "total_s": 0.0, "per_hour": 0.0},
        ],
        "nothing_s": 5.0,
        "uncertain_s": 1.0,
    }
    both = add_totals([found, found])
    assert (both.duration_s, both.nothing_s, both.uncertain_s) == (20.0, 10.0, 2.0)
    assert [(item.n_events, item.total_s, item.per_hour) for item in both.labels] == [
        (4, 7.0, 720.0),
        (0, 0.0, 0.0),
    ]


def test_a_lone_picture_has_no_rate() -> None:
    scores = Scores(LABELS, np.array([0.0]), np.array([[0.1, 0.9, 0.0]], np.float32), 0.0)
    found = compute_totals(scores, decode_events(scores, DecodeConfig("play")), DecodeConfig(), 0.0)
    assert [item.per_hour for item in found.labels] == [0.0, 0.0, 0.0]


@given(
    rows=st.lists(
        st.sampled_from([(0.1, 0.9, 0.0), (0.5, 0.1, 0.4), (0.9, 0.1, 0.0), (0.0, 0.0, 0.0)]),
        min_size=1,
        max_size=40,
    ),
    min_s=st.sampled_from([0.0, 2.0, 5.0]),
)
def test_times_add_up_to_the_recording(rows: list, min_s: float) -> None:
    scores, config = _make_scores(rows), DecodeConfig("play", min_s=min_s)
    events = decode_events(scores, config)
    total = compute_totals(scores, events, config, float(len(rows)))
    parts = [item.total_s for item in total.labels]  # at these scores no two overlap
    assert sum(parts) + total.nothing_s + total.uncertain_s == pytest.approx(len(rows))
