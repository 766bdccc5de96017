"""The report on clips has every figure with its sentence, and leaves out what is not known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pages import Page as Read
from stores import make_stored_clip

from har.dataset.baseline import ShortcutBaseline
from har.metrics.clips import bootstrap_metrics
from har.reports.clips import ClipReport, build_clip_page
from har.reports.page import render_page

GROUPS = ("a", "b", "c", "a", "b", "c")
TRUTH = np.array([0, 0, 0, 1, 1, 1])
SECOND = np.array([0.1, 0.2, 0.8, 0.7, 0.9, 0.6])
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def report() -> ClipReport:
    probs = np.stack([1 - SECOND, SECOND], axis=1)[None]
    clips = [
        make_stored_clip(f"c{k}.mp4", ("play", "hit")[TRUTH[k]], group)
        for k, group in enumerate(GROUPS)
    ]
    return ClipReport(
        kind="Evaluation",
        title="Fights",
        protocol="Grouped 3-fold cross-validation.",
        labels=("play", "hit"),
        clips=clips,
        truth=TRUTH,
        probs=probs,
        intervals=bootstrap_metrics(TRUTH, probs, GROUPS),
        baseline=ShortcutBaseline(0.61, 0.55, 0.5),
        facts={"Model": "models/har"},
        command="har evaluate x",
    )


def read(report: ClipReport) -> Read:
    page = Read(render_page(build_clip_page(report)))
    page.check()
    return page


def test_the_headline_stands_beside_its_interval_chance_and_meaning(report):
    page, accuracy = read(report), report.intervals["accuracy"]
    assert "0.833" in page.text
    assert f"{accuracy.low:.3f} to {accuracy.high:.3f}" in page.text
    assert "chance level 0.610" in page.text
    assert "Of 100 such clips about 83 are called what they are" in page.text
    assert "Of 100 pairs of clips, one hit and one play, about 78" in page.text  # 7 of 9 pairs


def test_classes_confusion_groups_and_errors_are_counted(report):
    page = read(report)
    assert page.find_row("hit")[:4] == ["0.750", "1.000", "0.857", "3"]
    assert "Least found is play: 67 % of its clips." in page.text
    assert "play is taken for hit, 1 of 3 times" in page.text
    groups = [row for row in page.rows if row and row[0] in GROUPS]
    assert [row[:3] for row in groups] == [
        ["c", "0.500", "2"],
        ["a", "1.000", "2"],
        ["b", "1.000", "2"],
    ]
    assert "falls to 50 % in c (2 clips); 2 of 3 groups" in page.text
    assert page.find_row("c2.mp4") == ["play", "hit", "c", "0.80"]


def test_areas_under_the_curves_and_reliability_are_those_of_the_metrics(report):
    page = read(report)
    assert page.find_row("hit")  # by class
    areas = [row for row in page.rows if row and row[0] == "hit" and len(row) == 4]
    # Right order in 7 of 9 pairs; precision at the three hits 1, 2/3, 3/4 in falling order.
    assert areas[-1] == ["hit", "0.778", f"{(1 + 2 / 3 + 3 / 4) / 3:.3f}", "50 %"]
    # Gaps 0.4, 0.3, twice 0.3 and twice 0.1: confident by 0.9 0.8 0.8 0.7 0.9 0.6, one 0.8 wrong.
    assert page.find_row("80 % to 90 %") == ["0.800", "0.500", "2"]
    assert "off by 0.250 on average" in page.text


def test_what_is_not_known_is_left_out(report):
    bare = replace(report, baseline=None, facts={}, recipe={})
    text = read(bare).text
    for word in ("chance level 0", "Training", "Cross-validation", "seed"):
        assert word not in text
    one = replace(bare, clips=[replace(clip, group="a") for clip in report.clips])
    assert "By group" not in read(one).text


def test_training_folds_and_both_protocols_are_shown_where_known(report):
    figure = {"mean": 0.8, "ci95": [0.7, 0.9]}
    found = dict.fromkeys(("accuracy", "macro_f1", "auc"), figure)
    leaking = {**found, "accuracy": {"mean": 0.95, "ci95": None}}
    fold = {"seed": 0, "fold": 0, "n_clips": 3, "accuracy": 0.7, "macro_f1": 0.6, "auc": None}
    history = {"loss": [0.9, 0.4], "accuracy": [0.5, 0.9], "val_loss": [0.8, 0.6]}
    page = read(
        replace(
            report,
            histories={"lstm": history},
            crossval={"grouped": found, "random": leaking},
            per_fold=[{**fold, "accuracy": 0.9, "fold": 1}, fold],
            recipe={"cnn": {"backbone": "lite0"}, "seed": 0},
        )
    )
    assert "From 0.900 to 0.400 in training; in validation to 0.600" in page.text
    assert "Random splits differ by +0.150 in accuracy" in page.text
    assert page.find_row("random")[0] == "0.950"
    assert "goes from 0.700 to 0.900" in page.text
    assert page.find_row("seed 0, fold 1") == ["0.700", "0.600", "n/a", "3"]
    assert "cnn.backbone" in page.text


def test_seeds_are_counted_together(report):
    wrong = 1 - report.probs
    twice = np.concatenate([report.probs, wrong])
    page = read(replace(report, probs=twice, intervals=bootstrap_metrics(TRUTH, twice, GROUPS)))
    assert page.find_row("hit")[3] == "6"
    assert "Each clip counts 2 times, once a seed." in page.text


def test_a_figure_near_chance_is_called_so(report):
    assert "lies above both" in read(report).text or "does not lie above" in read(report).text
    low = replace(report, baseline=ShortcutBaseline(0.99, 0.9, 0.5))
    assert "does not lie above both" in read(low).text


def test_synthetic_clips_and_few_groups_are_named(report):
    page = read(replace(report, is_synthetic=True))
    assert "not filmed" in page.text
    assert page.list_names("span").count("badge") == 1 + page.list_names("section").count(None)
    assert "Only 3 groups" in page.text
    assert "badge" not in read(report).list_names("span")


def test_why_there_is_no_interval_is_said(report):
    alone = bootstrap_metrics(TRUTH, report.probs, ["cam"] * 6)
    text = read(replace(report, intervals=alone)).text
    assert "95 % interval: none: all clips are of one group ('cam')" in text


def test_labels_groups_and_files_are_escaped(report):
    labels = (EVIL, f"b{EVIL}")
    clips = [make_stored_clip(f"{EVIL[1:8]}.mp4", labels[k], EVIL) for k in TRUTH]
    clips[0] = replace(clips[0], group="other")
    page = read(
        replace(
            report,
            labels=labels,
            clips=clips,
            title=EVIL,
            facts={EVIL: EVIL},
            recipe={EVIL: EVIL},
            command=EVIL,
            warnings=(EVIL,),
        )
    )
    assert page.text.count("alert(1)") > 20
