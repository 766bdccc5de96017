from __future__ import annotations

import itertools

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from har.events.matching import compute_ious, match_events
from har.types import Event


def hit(onset_s: float, offset_s: float, label: str = "hit") -> Event:
    return Event(label, onset_s, offset_s, 1.0)


def count_by_trying(allowed: np.ndarray) -> int:
    """The most pairs, found by trying every assignment."""
    n_rows, n_columns = allowed.shape
    columns = [*range(n_columns), *[None] * n_rows]
    return max(
        sum(c is not None and bool(allowed[r, c]) for r, c in enumerate(chosen))
        for chosen in itertools.permutations(columns, n_rows)
    )


def test_overlap_by_hand():
    truth = [hit(0.0, 4.0), hit(10.0, 12.0)]
    found = [hit(2.0, 6.0), hit(10.0, 12.0), hit(4.0, 5.0), hit(0.0, 4.0, "kick")]
    expected = [[2 / 6, 0], [0, 1], [0, 0], [0, 0]]  # touching is no overlap, labels must agree
    np.testing.assert_allclose(compute_ious(found, truth), expected)


def test_no_events_give_empty_overlaps():
    assert compute_ious([], [hit(0, 1)]).shape == (0, 1)
    assert compute_ious([hit(0, 1)], []).shape == (1, 0)
    assert match_events(compute_ious([], []), 0.5) == {}


def test_an_act_is_found_once_however_often_it_is_hit():
    ious = compute_ious([hit(0.0, 2.0), hit(2.0, 4.0)], [hit(0.0, 4.0)])
    assert match_events(ious, 0.5) == {0: 0}


def test_the_closest_pair_comes_first_and_others_move_on():
    # Row 0 fits both, row 1 only column 0, which row 0 took for its greater overlap.
    ious = np.array([[0.9, 0.3], [0.5, 0.0]])
    assert match_events(ious, 0.25) == {0: 1, 1: 0}
    assert match_events(ious, 0.4) == {0: 0}


def test_a_long_chain_of_changed_partners():
    # Each row prefers the column that the next one needs; the last row needs the first's.
    n = 1200  # more than Python may call itself
    ious = np.zeros((n, n))
    for row in range(n - 1):
        ious[row, row], ious[row, row + 1] = 0.6, 0.5
    ious[n - 1, 0] = 0.5
    assert len(match_events(ious, 0.5)) == n


def test_overlap_of_exactly_the_least_counts():
    assert match_events(compute_ious([hit(0.0, 0.3)], [hit(0.1, 0.3)]), 2 / 3) == {0: 0}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.2, 0.5, 0.8]), min_size=3, max_size=3), max_size=4)
)
def test_there_are_as_many_pairs_as_can_be(rows):
    ious = np.array(rows).reshape(len(rows), 3)
    pairs = match_events(ious, 0.5)
    assert all(ious[row, column] >= 0.5 for row, column in pairs.items())
    assert len(set(pairs.values())) == len(pairs)
    assert len(pairs) == count_by_trying(ious >= 0.5)
