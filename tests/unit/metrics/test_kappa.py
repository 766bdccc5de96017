from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from har.metrics.kappa import (
    compute_alpha,
    compute_edit_score,
    compute_kappa,
    count_coincidences,
    count_table,
    sample_bins,
)
from har.types import Event

COHEN = np.array([[88, 14, 18], [10, 40, 10], [2, 6, 12]])
"""Two judges, 200 patients, three diagnoses: the example of Cohen, 1968."""


def test_kappa_of_cohen():
    # Observed 140 of 200, by chance 60 + 18 + 4 = 82: 58 / 118.
    assert compute_kappa(COHEN).item() == pytest.approx(0.492, abs=5e-4)


def test_weighted_kappas_by_hand():
    # The same table. By chance: 60 36 24 / 30 18 12 / 10 6 4.
    # Linear: 1 * (14 + 10 + 10 + 6) + 2 * (18 + 2) = 80, by chance 84 + 68 = 152.
    assert compute_kappa(COHEN, "linear").item() == pytest.approx(1 - 80 / 152)
    # Quadratic: 40 + 4 * 20 = 120, by chance 84 + 4 * 34 = 220.
    assert compute_kappa(COHEN, "quadratic").item() == pytest.approx(1 - 120 / 220)


def test_kappa_of_one_code_alone_is_not_defined():
    assert np.isnan(compute_kappa(np.array([[9, 0], [0, 0]])))
    assert compute_kappa(np.array([[0, 9], [0, 0]])).item() == 0.0


def test_several_tables_at_once():
    both = np.stack([COHEN, COHEN.T])
    assert compute_kappa(both).shape == (2,)
    assert compute_kappa(both, "linear") == pytest.approx(1 - 80 / 152)


@settings(max_examples=100, deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda n: st.lists(
            st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1, max_size=40
        ).map(lambda pairs: (n, np.array(pairs)))
    )
)
def test_kappa_is_that_of_scikit_learn(example):
    n, pairs = example
    first, second = pairs.T
    table = count_table(first, second, n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it divides by 0 where kappa is not defined
        for ours, theirs in (("none", None), ("linear", "linear"), ("quadratic", "quadratic")):
            expected = cohen_kappa_score(first, second, labels=list(range(n)), weights=theirs)
            assert compute_kappa(table, ours).item() == pytest.approx(expected, nan_ok=True)


def alpha(*rows: str) -> float:
    names = {code: place for place, code in enumerate(sorted(set("".join(rows)) - {"."}))}
    codes = np.array([[names.get(code, -1) for code in row] for row in rows])
    return compute_alpha(count_coincidences(codes, len(names))).item()


def test_alpha_of_krippendorff_two_observers():
    # Krippendorff 2011, A: binary, .095; B: five nominal codes, .692.
    assert alpha("0100000010", "1110010000") == pytest.approx(0.095, abs=5e-4)
    assert alpha("aabbdcccedda", "babbbccceddd") == pytest.approx(0.692, abs=5e-4)


def test_alpha_of_krippendorff_four_observers_with_gaps():
    # Krippendorff 2011, C: 4 observers, 12 units, 7 codes missing; nominal alpha .743.
    found = alpha("123321412...", "1233224125.3", ".3332342251.", "12332441251.")
    assert found == pytest.approx(0.743, abs=5e-4)


def test_coincidences_of_two_are_their_table_and_its_mirror_image():
    first, second = np.array([0, 1, 1, 2, 0]), np.array([0, 1, 2, 2, 1])
    table = count_table(first, second, 3)
    found = count_coincidences(np.stack([first, second]), 3)
    assert found == pytest.approx(table + table.T)


def test_one_code_alone_has_no_alpha():
    assert np.isnan(alpha("aaa", "aaa"))
    assert np.isnan(alpha("a..", ".ab"))  # no unit has two codes


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-1, 3)] * 3), min_size=1, max_size=30))
def test_alpha_by_its_definition(units):
    # 1 - observed / expected disagreement, counted pair by pair.
    codes = np.array(units).T
    paired = [[code for code in unit if code >= 0] for unit in units]
    paired = [unit for unit in paired if len(unit) > 1]
    every = [code for unit in paired for code in unit]
    observed = sum(
        sum(a != b for i, a in enumerate(unit) for j, b in enumerate(unit) if i != j)
        / (len(unit) - 1)
        for unit in paired
    )
    expected = sum(a != b for a in every for b in every)
    found = compute_alpha(count_coincidences(codes, 4)).item()
    if expected == 0:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(1 - observed * (len(every) - 1) / expected)


def test_bins_have_what_is_at_their_middle():
    def sample(*spans: tuple[float, float], duration_s: float = 4.0) -> list[bool]:
        events = [Event("hit", onset_s, offset_s, 1.0) for onset_s, offset_s in spans]
        return sample_bins(events, duration_s, 1.0).tolist()

    assert sample((0.5, 1.5)) == [True, False, False, False]  # middles: .5, 1.5, 2.5, 3.5
    assert sample((0.6, 1.4)) == [False] * 4  # too short to be met
    assert sample((2.0, 9.0)) == [False, False, True, True]
    assert sample(duration_s=4.4) == [False] * 4
    assert sample(duration_s=4.6) == [False] * 5
    assert sample((0, 9), duration_s=0.2) == [True]


def test_edit_scores_by_hand():
    assert compute_edit_score("abc", "abc") == 1.0
    assert compute_edit_score("abc", "ac") == pytest.approx(1 - 1 / 3)
    assert compute_edit_score("abab", "baba") == pytest.approx(1 - 2 / 4)  # one out, one in
    assert compute_edit_score("kitten", "sitting") == pytest.approx(1 - 3 / 7)
    assert compute_edit_score("", "ab") == 0.0
    assert np.isnan(compute_edit_score("", ""))


@settings(max_examples=60, deadline=None)
@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_edit_score_is_levenshteins(first, second):
    def distance(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        return min(
            distance(a[1:], b) + 1, distance(a, b[1:]) + 1, distance(a[1:], b[1:]) + (a[0] != b[0])
        )

    if first or second:
        expected = 1 - distance(first, second) / max(len(first), len(second))
        assert compute_edit_score(first, second) == pytest.approx(expected)
