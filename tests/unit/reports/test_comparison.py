from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from har.errors import ConfigError, OutputError
from har.files import write_json
from har.metrics.events import CodedRecording, compute_event_metrics
from har.reports.comparison import (
    compare,
    explain_difference,
    explain_mcnemar,
    read_evaluation,
    write_comparison,
)
from har.reports.predictions import read_predictions, write_predictions
from har.types import Clip, Event

LABELS = ("noFight", "Fight")
CLIPS = [
    Clip(f"id{k}", Path(f"=x/{k}.mp4"), LABELS[k % 2], f"g{k // 2}", end_s=None) for k in range(8)
]


def make_probs(wrong: set[int], n_seeds: int = 1) -> np.ndarray:
    second = [0.9 if (k % 2 == 1) != (k in wrong) else 0.1 for k in range(len(CLIPS))]
    one = np.stack([1 - np.array(second), second], axis=1).astype(np.float32)
    return np.stack([one] * n_seeds)


@pytest.fixture
def folder(tmp_path):
    write_predictions(
        tmp_path / "a" / "predictions.csv", LABELS, CLIPS, make_probs({0, 1, 2, 5})[0]
    )
    write_predictions(tmp_path / "b" / "grouped_predictions.csv", LABELS, CLIPS, make_probs({2}, 3))
    return tmp_path


def test_predictions_survive_the_disk(tmp_path):
    probs = np.random.default_rng(0).dirichlet([1, 1], size=(2, 8)).astype(np.float32)
    write_predictions(tmp_path / "p.csv", LABELS, CLIPS, probs)
    found = read_predictions(tmp_path / "p.csv")
    assert (found.labels, found.groups[:3]) == (LABELS, ("g0", "g0", "g1"))
    assert found.clip_ids == tuple(clip.clip_id for clip in CLIPS)
    assert np.array_equal(found.probs.astype(np.float32), probs)
    with (tmp_path / "p.csv").open(newline="") as file:
        row = next(csv.DictReader(file))
    assert (row["video"], row["label"], row["seed"]) == ("'=x/0.mp4", "noFight", "0")
    assert row["predicted"] == LABELS[int(probs[0, 0].argmax())]


@pytest.mark.parametrize(
    "text",
    ["", "clip_id,seed\n", "clip_id,group,label,seed,prob:a,prob:b\nx,g,a,0,1,0\nx,g,a,0,1,0\n",
     "clip_id,group,label,seed,prob:a,prob:b\nx,g,a,0,nan,0\n", "\0"],
)  # fmt: skip
def test_a_damaged_table_is_refused(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(OutputError, match="cannot be read as predictions"):
        read_predictions(tmp_path / "p.csv")


def test_an_evaluation_and_a_cross_validation(folder):
    first, second = (read_evaluation(folder / name) for name in ("a", "b"))
    found = compare(first, second, ("a", "b"))
    accuracy = found.figures["accuracy"]
    assert (accuracy.first, accuracy.second) == pytest.approx((4 / 8, 7 / 8))
    assert (found.n, found.n_groups) == (8, 4)
    assert (found.mcnemar.n_first, found.mcnemar.n_second) == (0, 3)
    assert found.mcnemar.p == pytest.approx(0.25)
    assert found.notes[-1].startswith("Only 4 groups")
    # Gains by group: 2, 0, 1 and 0 of 2 clips; a resample of the second and the last has none.
    assert explain_difference(found, "accuracy").endswith("do not show that either is better.")
    assert explain_mcnemar(found).startswith("McNemar: a alone is right on 0 clips, b alone on 3")
    write_comparison(folder / "out", found)
    values = json.loads((folder / "out" / "comparison.json").read_text())
    assert values["figures"]["accuracy"]["second"] == pytest.approx(7 / 8)
    assert len((folder / "out" / "groups.csv").read_text().splitlines()) == 5
    other = read_evaluation(folder / "b" / "grouped.json")  # what stands beside its predictions
    assert np.array_equal(other.probs, second.probs)


def test_only_shared_clips_count_and_labels_may_stand_in_another_order(folder):
    path = folder / "c" / "predictions.csv"
    turned = make_probs({2})[0][3:, ::-1]
    write_predictions(path, LABELS[::-1], CLIPS[3:], turned)
    found = compare(*(read_evaluation(folder / name) for name in "ac"), ("a", "c"))
    assert (found.n, found.figures["accuracy"].second) == (5, 1.0)
    assert found.notes[0] == "Only in a, so left out: id0, id1, id2"
    wrong = [replace(clip, label="Fight") for clip in CLIPS]
    write_predictions(path, LABELS, wrong, make_probs(set())[0])
    with pytest.raises(ConfigError, match="The clip id0 is 'noFight' in a and 'Fight' in c"):
        compare(*(read_evaluation(folder / name) for name in "ac"), ("a", "c"))
    write_predictions(path, LABELS, [replace(CLIPS[0], clip_id="z")], make_probs(set())[0][:1])
    with pytest.raises(ConfigError, match="no clip in common"):
        compare(*(read_evaluation(folder / name) for name in "ac"), ("a", "c"))


def score(folder: Path, *found: float, n_true: int = 2) -> None:
    """Write figures of recordings with coded events at 0 and 10 s and found ones at some times."""
    truth = tuple(Event("hit", 10.0 * k, 10.0 * k + 2, 1.0) for k in range(n_true))
    events = tuple(Event("hit", at, at + 2, 0.9) for at in found)
    items = [CodedRecording(name, truth, events, 60.0) for name in "xyz"]
    write_json(folder / "metrics.json", compute_event_metrics(["hit"], items).to_json())


def test_scored_events(folder):
    score(folder / "e", 0.0)
    score(folder / "f", 0.0, 10.0)
    found = compare(*(read_evaluation(folder / name) for name in "ef"), ("e", "f"))
    assert found.kind == "events"
    f1 = found.figures["f1@0.5"]
    assert (f1.first, f1.second) == pytest.approx((2 / 3, 1.0))
    assert "there is no interval" in explain_difference(found, "f1@0.5")  # alike everywhere
    assert explain_mcnemar(found) == ""
    score(folder / "f", 0.0, n_true=3)
    with pytest.raises(ConfigError, match="x has 2 coded events of 'hit' in e and 3 in f"):
        compare(*(read_evaluation(folder / name) for name in "ef"), ("e", "f"))
    with pytest.raises(ConfigError, match="one evaluates clips, the other events"):
        compare(*(read_evaluation(folder / name) for name in "ae"), ("a", "e"))


def test_what_is_no_evaluation_is_refused(tmp_path):
    for text in ("{}", "[", '{"per_recording": [{"name": "a"}]}'):
        (tmp_path / "metrics.json").write_text(text)
        with pytest.raises(OutputError, match="cannot be read as an evaluation"):
            read_evaluation(tmp_path)
    with pytest.raises(OutputError, match="run the command again"):
        read_evaluation(tmp_path / "none")


COUNTS = {"name": "a", "group": "a", "label": "hit", "n_true": 2, "n_found": 3, "duration_s": 60.0}


@pytest.mark.parametrize(
    "changes",
    [{"n_pairs": [3, 1, 1]}, {"n_pairs": [1, 1, -1]}, {"duration_s": -5}, {"duration_s": "nan"}],
)
def test_counts_that_cannot_be_are_refused(tmp_path, changes):
    values = {"per_recording": [COUNTS | {"n_pairs": [2, 1, 0]} | changes]}
    write_json(tmp_path / "metrics.json", values)
    with pytest.raises(OutputError, match="cannot be read as an evaluation: ValueError"):
        read_evaluation(tmp_path)


def test_a_recording_that_stands_twice_is_refused(tmp_path):
    write_json(tmp_path / "metrics.json", {"per_recording": [COUNTS | {"n_pairs": [2, 1, 0]}] * 2})
    twice = read_evaluation(tmp_path)
    with pytest.raises(ConfigError, match="A has a recording and label twice"):
        compare(twice, twice, ("A", "B"))
