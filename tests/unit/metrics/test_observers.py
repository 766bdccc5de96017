"""Two, three and four observers, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from har.config import AgreeConfig
from har.errors import ConfigError
from har.metrics.agreement import AGREEMENT_FIGURES, ObservedRecording, Observer
from har.metrics.observers import compute_agreement
from har.types import Event

ANN, BEN, EVA = Observer("Ann"), Observer("Ben"), Observer("Eva")
MODEL = Observer("fight", is_model=True)


def code(label: str, *spans: tuple[float, float]) -> tuple[Event, ...]:
    return tuple(Event(label, onset_s, offset_s, 1.0) for onset_s, offset_s in spans)


def compute(observers, recordings, labels=("hit",), **changes):
    return compute_agreement(observers, labels, recordings, AgreeConfig(**changes), n_resamples=80)


def means(item) -> dict[str, float | None]:
    return {name: figure.mean for name, figure in item.figures.items()}


@pytest.fixture
def two() -> list[ObservedRecording]:
    # a, 20 s: hits 0-5 and 12-14 against 1-5: bins 20, both 4, Ann alone 3.
    # b, 30 s: a kick 3-6 that both have, and a hit 20-30 of Ben alone.
    kick = code("kick", (3, 6))
    return [
        ObservedRecording("a", 20.0, (code("hit", (0, 5), (12, 14)), code("hit", (1, 5)))),
        ObservedRecording("b", 30.0, (kick, kick + code("hit", (20, 30)))),
    ]


def test_figures_of_a_pair_by_hand(two):
    (pair,) = compute([ANN, BEN], two, ("hit", "kick")).pairs
    hit, kick = (means(item) for item in pair.per_label)
    # Total count: 1 / 2 in a, 0 / 1 in b.
    assert hit["total_count"] == pytest.approx((1 / 2 + 0) / 2)
    # Intervals of 10 s: a has 1 1 against 1 0, b has 0 0 0 against 0 0 1.
    assert hit["mean_count_per_interval"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert hit["interval_by_interval"] == pytest.approx((1 / 2 + 2 / 3) / 2)
    assert hit["scored_interval"] == pytest.approx((1 / 2 + 0) / 2)
    assert hit["unscored_interval"] == pytest.approx((0 + 2 / 3) / 2)
    assert hit["total_duration"] == pytest.approx((4 / 7 + 0) / 2)
    assert hit["mean_duration_per_occurrence"] == pytest.approx((0.8 / 2 + 0) / 2)
    # Bins of both: 50; both 4, Ann alone 3, Ben alone 10, neither 33.
    by_chance = (7 * 14 + 43 * 36) / 50
    assert hit["kappa"] == pytest.approx((37 - by_chance) / (50 - by_chance))
    # Alpha: 100 codes, 21 of them hits; 26 of 100 coincidences differ.
    assert hit["alpha"] == pytest.approx(1 - 99 * 26 / (100**2 - 21**2 - 79**2))
    # Counts of the five intervals, Ann 1 1 0 0 0, Ben 1 0 0 0 1.
    counts = ([1, 1, 0, 0, 0], [1, 0, 0, 0, 1])
    assert hit["kappa_linear"] == pytest.approx(cohen_kappa_score(*counts))
    assert (hit["recall"], hit["precision"]) == (1 / 2, 1 / 2)
    assert hit["f1@0.5"] == pytest.approx(2 * 1 / 4)
    assert hit["onset_error_s"] == 1.0
    assert (kick["total_count"], kick["kappa"], kick["f1@0.5"]) == (1.0, 1.0, 1.0)
    assert "edit" not in hit


def test_all_labels_together(two):
    (pair,) = compute([ANN, BEN], two, ("hit", "kick")).pairs
    both = means(pair.overall)
    assert set(both) == set(AGREEMENT_FIGURES)
    # In a only hits (1/2), in b hit 0 and kick 1: 1/2.
    assert both["total_count"] == pytest.approx((1 / 2 + 1 / 2) / 2)
    # Orders: hit hit against hit: 1/2; kick against kick hit: 1/2.
    assert both["edit"] == pytest.approx(1 / 2)
    first, second = ["n"] * 50, ["n"] * 50
    first[0:5], first[12:14], second[1:5] = "hhhhh", "hh", "hhhh"
    first[23:26] = second[23:26] = "kkk"
    second[40:50] = "hhhhhhhhhh"
    assert both["kappa"] == pytest.approx(cohen_kappa_score(first, second))
    assert both["recall"] == pytest.approx(2 / 3)


def test_labels_that_are_there_together_are_a_code_of_their_own():
    # 4 bins: Ann has hit, hit and kick, kick, nothing; Ben hit, hit, kick, nothing.
    ann = code("hit", (0, 2)) + code("kick", (1, 3))
    ben = code("hit", (0, 2)) + code("kick", (2, 3))
    (pair,) = compute([ANN, BEN], [ObservedRecording("a", 4.0, (ann, ben))], ("hit", "kick")).pairs
    expected = cohen_kappa_score(["h", "hk", "k", "n"], ["h", "h", "k", "n"])
    assert means(pair.overall)["kappa"] == pytest.approx(expected)


def test_each_recording_has_its_figures_and_counts(two):
    found = compute([ANN, BEN], two, ("hit", "kick"))
    rows = {(item.recording, item.label): item for item in found.per_recording}
    assert len(rows) == 2 * 3
    a = rows["a", "hit"]
    assert (a.n_first, a.n_second, a.group) == (2, 1, "a")
    assert a.figures["total_count"] == 0.5
    by_chance = (7 * 4 + 13 * 16) / 20
    assert a.figures["kappa"] == pytest.approx((17 - by_chance) / (20 - by_chance))
    assert rows["a", "kick"].figures["total_count"] is None
    assert rows["b", ""].n_second == 2
    assert rows["b", ""].figures["edit"] == 0.5


def test_budgets(two):
    found = compute([ANN, BEN], two, ("hit", "kick"))
    hits = {(item.observer, item.recording): item for item in found.budgets if item.label == "hit"}
    ann = hits["Ann", ""]
    assert (ann.n_events, ann.time_s) == (2, 7.0)
    assert ann.per_minute == pytest.approx(2 / (50 / 60))
    assert ann.time_share == pytest.approx(7 / 50)
    assert (hits["Ben", "b"].n_events, hits["Ben", "b"].time_share) == (1, pytest.approx(1 / 3))


def test_the_ceiling_of_people_stands_beside_the_model():
    # Total counts: people 2/3, 1, 2/3 -> 7/9; model with them 1/2, 1/3, 1/3 -> ... by hand below.
    first = tuple(code("hit", *((10.0 * k, 10.0 * k + 2) for k in range(n))) for n in (2, 3, 3, 1))
    second = tuple(code("hit", *((10.0 * k, 10.0 * k + 2) for k in range(n))) for n in (1, 1, 1, 1))
    recordings = [ObservedRecording("a", 60.0, first), ObservedRecording("b", 60.0, second)]
    found = compute([ANN, BEN, EVA, MODEL], recordings)
    overall, hit = found.ceilings
    people, model = (2 / 3 + 2 / 3 + 1) / 3, (1 / 2 + 1 / 3 + 1 / 3) / 3
    people, model = (people + 1) / 2, (model + 1) / 2  # in b all agree
    assert overall.people["total_count"].mean == pytest.approx(people)
    assert hit.model["total_count"].mean == pytest.approx(model)
    assert hit.difference["total_count"].mean == pytest.approx(model - people)
    assert hit.difference["total_count"].high == pytest.approx(0.0)  # b twice
    kinds = [pair.kind for pair in found.pairs]
    assert (kinds.count("people"), kinds.count("model")) == (3, 3)
    everyone, humans = found.alphas
    assert everyone.observers == ("Ann", "Ben", "Eva", "fight")
    assert humans.observers == ("Ann", "Ben", "Eva")
    # 120 bins, b all alike. In a: bins with hits of people 2 2 | 2 2 | - 2 of 3 observers.
    n, hits = 360, 4 + 6 + 6 + 6
    differ = 2 * (1 * 2 * 2 / 2)  # two bins with one observer against two
    assert humans.overall.mean == pytest.approx(
        1 - (n - 1) * differ / (n**2 - hits**2 - (n - hits) ** 2)
    )


def test_without_two_people_there_is_no_ceiling(two):
    assert compute([ANN, MODEL], two).ceilings == ()
    assert compute([ANN, BEN], two).ceilings == ()
    assert compute([ANN, BEN], two).alphas == ()


def test_what_cannot_be_compared_is_refused(two):
    for observers, labels, recordings in (
        ([ANN], ["hit"], two),
        ([ANN, BEN], [], two),
        ([ANN, BEN], ["hit"], []),
    ):
        with pytest.raises(ConfigError, match="two observers or more"):
            compute_agreement(observers, labels, recordings)
    with pytest.raises(ConfigError, match="interval_s"):
        AgreeConfig(interval_s=0.0)


def test_json_is_plain_and_the_same_again(two):
    found = compute(
        [ANN, BEN, MODEL],
        [ObservedRecording(item.name, item.duration_s, (*item.codings, ())) for item in two],
    )
    text = json.dumps(found.to_json(), allow_nan=False)
    assert json.loads(text)["interval_s"] == 10.0
    again = compute(
        [ANN, BEN, MODEL],
        [ObservedRecording(item.name, item.duration_s, (*item.codings, ())) for item in two],
    )
    assert json.dumps(again.to_json()) == text


@st.composite
def draw_recordings(draw):
    def draw_events() -> tuple[Event, ...]:
        spans = draw(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=5))
        return tuple(
            Event(draw(st.sampled_from(["hit", "kick"])), float(at), float(at + long), 1.0)
            for at, long in spans
        )

    n = draw(st.integers(1, 3))
    return [ObservedRecording(f"r{k}", 50.0, (draw_events(), draw_events())) for k in range(n)]


@settings(max_examples=30, deadline=None)
@given(draw_recordings())
def test_kappa_over_bins_is_that_of_scikit_learn(recordings):
    found = compute_agreement([ANN, BEN], ["hit", "kick"], recordings, n_resamples=1)
    bins = [[], []]
    for recording in recordings:
        for place, coding in enumerate(recording.codings):
            for middle in np.arange(50) + 0.5:
                here = {e.label for e in coding if e.onset_s <= middle < e.offset_s}
                bins[place].append("+".join(sorted(here)) or "-")
    same_code = len(set(bins[0]) | set(bins[1])) == 1
    ours = found.pairs[0].overall.figures["kappa"].mean
    assert ours == (None if same_code else pytest.approx(cohen_kappa_score(*bins)))
    turned = compute_agreement(
        [BEN, ANN],
        ["hit", "kick"],
        [ObservedRecording(r.name, r.duration_s, r.codings[::-1]) for r in recordings],
        n_resamples=1,
    )
    for name in ("total_count", "kappa", "alpha", "edit", "f1@0.25"):
        back = turned.pairs[0].overall.figures[name].mean
        mine = found.pairs[0].overall.figures[name].mean
        assert back == (None if mine is None else pytest.approx(mine))
