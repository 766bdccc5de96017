from __future__ import annotations

import itertools

import numpy as np
import pytest
from coded import make_recording
from hypothesis import given, settings
from hypothesis import strategies as st

from har.config import DecodeConfig, TuneConfig
from har.errors import ConfigError
from har.metrics.alarms import count_alarms
from har.metrics.grid import choose_rules, compute_budget, count_rules
from har.metrics.tuning import tune_decode
from har.types import Event

BASE = DecodeConfig(background="playing")
SMALL = TuneConfig(
    onsets=(0.3, 0.6, 0.75, 0.85),
    offset_ratios=(1.0,),
    min_s=(0.0, 2.0),
    merge_gap_s=(0.5,),
    smooth_s=(0.0,),
)


def recordings(n: int = 6):
    """In each an act scored .8, one of .7 that lasts 4 s, and false peaks of .7, 1 s long."""
    spans = [(10, 14, 0.8), (100, 104, 0.7), (200, 201, 0.7), (300, 301, 0.7)]
    return [make_recording(f"r{k}", spans, [(10, 14), (100, 104)]) for k in range(n)]


def test_the_rule_finds_all_that_lengths_can_tell():
    result = tune_decode(recordings(), BASE, SMALL)
    rule = result.decode.rule("hit")
    assert (rule.onset, rule.min_s) == (0.6, 2.0)  # 0.6 is nearest to the usual among 0.3 and 0.6
    (label,) = result.per_label
    assert (label.n_true, label.n_hits, label.n_false) == (12, 12, 0)
    assert (result.recall.mean, result.false_alarms_per_hour.mean) == (1.0, 0.0)
    (warning,) = result.warnings
    assert warning.startswith("Only 6 groups of recordings")


def test_fewer_are_found_where_alarms_cost_too_much():
    spans = [(10, 14, 0.8), (100, 104, 0.7), (200, 204, 0.7), (300, 304, 0.7)]
    items = [make_recording(f"r{k}", spans, [(10, 14), (100, 104)]) for k in range(6)]
    strict = tune_decode(items, BASE, SMALL)  # 2 an hour, where 4 would come
    assert strict.decode.rule("hit").onset == 0.75
    assert (strict.per_label[0].n_hits, strict.per_label[0].n_false) == (6, 0)
    lax = tune_decode(
        items, BASE, TuneConfig(4.0, (0.3, 0.6, 0.75), (1.0,), (0.0,), (0.5,), (0.0,))
    )
    assert (lax.per_label[0].n_hits, lax.per_label[0].n_false) == (12, 12)


def test_each_group_is_judged_by_the_choice_of_the_others():
    # Only in r0 there are false alarms at .7: without r0 the low threshold is chosen, and r0 pays.
    quiet = [make_recording(f"r{k}", [(10, 14, 0.7)], [(10, 14)]) for k in range(1, 6)]
    loud = [(10, 14, 0.7), *((30.0 * k, 30.0 * k + 4, 0.7) for k in range(1, 21))]
    items = [make_recording("r0", loud, [(10, 14)]), *quiet]
    result = tune_decode(items, BASE, SMALL)
    assert result.per_label[0].n_hits == 0  # chosen on all: silence
    assert result.false_alarms_per_hour.mean == pytest.approx(20 / 3)
    assert result.recall.mean == pytest.approx(1 / 6)  # of the loud one only
    assert (result.recall.low, result.recall.high) != (None, None)


def test_the_same_input_gives_the_same_choice():
    assert tune_decode(recordings(), BASE, SMALL) == tune_decode(recordings(), BASE, SMALL)


def test_too_short_a_set_gives_a_warning():
    result = tune_decode(recordings(2), BASE, SMALL)
    few, warning = result.warnings
    assert few.startswith("Only 2 groups of recordings")
    assert "1 h cannot support 2 false alarms per hour" in warning
    assert "could be 3 an hour" in warning
    assert "at least 1.5 h" in warning
    enough = tune_decode(recordings(10), BASE, SMALL)  # 5 h
    assert enough.warnings == ()
    # No false alarm in 5 h: up to -ln(.025) / 5 an hour may be true (Garwood).
    assert enough.false_alarms_per_hour.high == pytest.approx(3.6889 / 5, abs=1e-4)


def test_a_rate_that_no_rule_keeps_gives_a_warning():
    items = [make_recording("r0", [(10, 14, 0.9), (30, 34, 0.9)], [(10, 14)], 7200.0)]
    config = TuneConfig(0.1, (0.3,), (1.0,), (0.0,), (0.5,), (0.0,))
    result = tune_decode(items, BASE, config)
    assert any("the strictest give 0.5" in text for text in result.warnings)
    assert result.recall.mean is None
    assert "made the choice" in result.recall.reason


def test_what_nobody_coded_keeps_its_rule():
    item = recordings(1)[0]
    base = DecodeConfig(labels={"playing": {"onset": 0.97}})
    result = tune_decode([item], base, SMALL)
    assert result.decode.rule("playing").onset == 0.97
    assert any("Nobody coded playing" in text for text in result.warnings)


def test_what_cannot_be_tuned_on_is_refused():
    with pytest.raises(ConfigError, match="at least one"):
        tune_decode([], BASE, SMALL)
    silent = make_recording("a", [], [])
    with pytest.raises(ConfigError, match="no event"):
        tune_decode([silent], BASE, SMALL)
    kicks = type(silent)("b", silent.scores, (Event("kick", 0, 1, 1.0),))
    with pytest.raises(ConfigError, match="kick"):
        tune_decode([kicks], BASE, SMALL)


def test_counts_of_a_rule_are_those_of_its_events():
    rng = np.random.default_rng(0)
    spans = [
        (float(s), float(s + rng.integers(1, 6)), float(rng.random())) for s in range(5, 500, 9)
    ]
    items = [make_recording("a", spans, [span[:2] for span in spans[::3]], 600.0)]
    counts = count_rules(items, ["hit"], BASE, TuneConfig(onsets=(0.3, 0.6, 0.9)))
    assert len(counts.rules) == 3 * 3 * 4 * 3 * 3
    for place in range(0, len(counts.rules), 7):
        (rule,) = counts.rules[place]
        decode = DecodeConfig("playing", **{name: getattr(rule, name) for name in vars(rule)})
        hits, false = count_alarms(items, ["hit"], decode)
        assert (counts.hits[place, 0, 0], counts.false[place, 0, 0]) == (hits[0, 0], false[0, 0])


def test_the_nearest_rules_come_first():
    counts = count_rules(recordings(1), ["hit"], BASE, TuneConfig(onsets=(0.1, 0.6)))
    (first,) = counts.rules[0]
    assert (first.onset, first.min_s, first.merge_gap_s, first.smooth_s) == (0.6, 0.5, 0.5, 0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 3).flatmap(
        lambda k: st.lists(
            st.tuples(
                st.lists(st.integers(0, 4), min_size=k, max_size=k),
                st.lists(st.integers(0, 4), min_size=k, max_size=k),
            ),
            min_size=1,
            max_size=5,
        )
    ),
    st.integers(0, 10),
)
def test_the_choice_is_the_best_of_all(rows, budget):
    recalls = np.array([row[0] for row in rows]) / 4
    false = np.array([row[1] for row in rows])
    n_rules, n_labels = recalls.shape
    chosen = choose_rules(recalls, false, budget)
    places = np.arange(n_labels)

    def sums(rules):
        return recalls[list(rules), places].sum(), false[list(rules), places].sum()

    tried = [sums(rules) for rules in itertools.product(range(n_rules), repeat=n_labels)]
    within = [(gain, -cost) for gain, cost in tried if cost <= budget]
    gain, cost = sums(chosen)
    if within:
        assert (gain, -cost) == max(within)
    else:
        assert cost == min(cost for _, cost in tried)


def test_a_budget_is_whole_and_forgives_rounding():
    assert (compute_budget(2.0, 0.4), compute_budget(2.0, 0.9999999999)) == (0, 2)


def test_rules_that_find_nothing_and_large_amounts_are_said_in_words():
    items = [make_recording(f"r{k}", [(10, 14, 0.2)], [(100, 104)]) for k in range(2)]
    result = tune_decode(items, BASE, TuneConfig(0.001, (0.5,), (1.0,), (0.0,), (0.5,), (0.0,)))
    assert result.warnings[-1] == (
        "The rules of hit find none of its 2 coded events: no settings that were tried do, within "
        "0.001 false alarms per hour. Allow more of them, or leave the label out"
    )
    assert "at least 3000 h would be enough" in result.warnings[1]
