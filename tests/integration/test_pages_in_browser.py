"""Reports in a real browser: quiet, closed to the outside, readable by everyone, on any screen."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browser import Browser
from stores import make_store

import har
from har.dataset.baseline import ShortcutBaseline
from har.dataset.store import Store
from har.metrics.agreement import Agreement
from har.metrics.alarms import AlarmCurve, AlarmPoint
from har.metrics.clips import bootstrap_metrics
from har.metrics.events import CodedRecording, compute_event_metrics
from har.metrics.outcomes import count_recordings, list_matches
from har.reports.agreement_page import AgreementReport, build_agreement_page
from har.reports.clips import ClipReport, build_clip_page
from har.reports.events import EventReport, build_event_page
from har.reports.page import render_fragment, write_page
from har.types import Event

pytestmark = pytest.mark.browser

PAGES = ("clips", "events", "agreement", "notebook")
AXE = "axe-core@4"
PROBLEMS = """
axe.run().then(found => found.violations
  .filter(item => ["serious", "critical"].includes(item.impact))
  .map(item => [item.id, item.nodes.map(node => node.html)]))
"""


@pytest.fixture(scope="module")
def axe(tmp_path_factory) -> str:
    """The checks of accessibility, from npm."""
    folder = tmp_path_factory.mktemp("axe")
    assert shutil.which("npm"), "these tests need npm"
    words = ("npm", "install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, AXE)
    subprocess.run(words, check=True, capture_output=True)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as window:
        yield window


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[str, Path]:
    """A report of each kind with everything that one can have."""
    folder = tmp_path_factory.mktemp("pages")
    store = make_store(folder)
    clips = _make_clip_report(store)
    write_page(folder / "clips.html", build_clip_page(clips, store))
    write_page(folder / "events.html", build_event_page(_make_event_report()))
    agreed = AgreementReport(_agree(), {"Coding 1": "a.csv"}, "har agree a.csv b.csv")
    write_page(folder / "agreement.html", build_agreement_page(agreed))
    fragment = render_fragment(build_clip_page(clips))
    head = (
        '<!doctype html><html lang="en"><title>Notebook</title>'
        '<meta name="viewport" content="width=device-width">'
    )
    (folder / "notebook.html").write_text(f"{head}<body>{fragment}</body></html>", encoding="utf-8")
    return {name: folder / f"{name}.html" for name in PAGES}


def _make_clip_report(store: Store) -> ClipReport:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1, (2, len(store.clips))) + 2 * store.label_indices - 1
    second = 1 / (1 + np.exp(-logits))
    probs = np.stack([1 - second, second], axis=-1)
    groups = [clip.group for clip in store.clips]
    figure = {"mean": 0.8, "ci95": [0.7, 0.9]}
    figures = dict.fromkeys(("accuracy", "macro_f1", "auc"), figure)
    long = "a_very_long_value_without_a_gap_" * 6
    return ClipReport(
        kind="Cross-validation",
        title="moves, rests and a title that is longer than a phone is wide",
        protocol="Grouped.",
        labels=store.labels,
        clips=[replace(clip, group=f"{clip.group} {long[:70]}") for clip in store.clips],
        truth=store.label_indices,
        probs=probs,
        intervals=bootstrap_metrics(store.label_indices, probs, groups, n_resamples=20),
        baseline=ShortcutBaseline(0.6, 0.6, 0.5),
        warnings=("Random splits leak.",),
        is_synthetic=True,
        histories={"lstm": {"loss": [0.9, 0.4], "val_loss": [0.8, 0.6], "accuracy": [0.5, 0.9]}},
        crossval={"grouped": figures, "random": figures},
        per_fold=[{"seed": 0, "fold": 0, "n_clips": 3, **dict.fromkeys(figures, 0.7)}],
        facts={"Hash": long},
        recipe={"cnn": {"backbone": "lite0"}},
        command=f"har crossval --store {long}",
    )


def _make_event_report() -> EventReport:
    recordings = [
        CodedRecording(
            f"recording {k} with a long name.mp4",
            (Event("hitting others", 10, 14, 1.0), Event("hitting self", 50, 52, 1.0)),
            (Event("hitting others", 11, 14, 0.91, 1, 2), Event("hitting self", 90, 91, 0.62)),
            1800.0,
        )
        for k in range(3)
    ]
    labels = ("hitting others", "hitting self")
    metrics = compute_event_metrics(labels, recordings, n_resamples=20)
    points = (AlarmPoint(0.9, 0.4, 0.0), AlarmPoint(0.5, 0.8, 30.0))
    curves = [AlarmCurve(label, 3, 1.5, points, AlarmPoint(None, 0.5, 2.0)) for label in labels]
    matches = list_matches(labels, recordings)
    counts = count_recordings(matches, recordings)
    return EventReport("Events", "How.", metrics, matches, counts, curves, ("A note.",))


def _agree() -> Agreement:
    film = (har.Media("a recording with a long name.mp4", duration_s=600.0),)
    tables = []
    for number, score in ((1, None), (2, None), (3, 0.9)):
        events = (
            har.CodedEvent(film[0].video, at + number, at + 9.0, "hitting others", score=score)
            for at in (5.0, 90.0, 300.0)[: 4 - number]
        )
        tables.append(har.EventTable(tuple(events), film, labels=("hitting others",)))
    return har.agree(*tables)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_can_be_read(name, width, theme, pages, browser, axe):
    browser.open(pages[name], width, theme)
    browser.evaluate("document.querySelectorAll('details').forEach(item => item.open = true)")
    assert browser.messages == []
    assert [url for url in browser.requests if not url.startswith("data:")] == [
        pages[name].as_uri()
    ]
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    ground = browser.evaluate(
        "getComputedStyle(document.querySelector('.har-report')).backgroundColor"
    )
    assert ground == ("rgb(255, 255, 255)" if theme == "light" else "rgb(17, 23, 29)")
    browser.evaluate(f"{axe}; 0")
    assert browser.evaluate(PROBLEMS) == []


def test_paper_is_white_and_folded_tables_are_printed(pages, browser):
    browser.open(pages["clips"], 1280, "dark", media="print")
    shown = "getComputedStyle(document.querySelector('{}')).{}"
    ground = browser.evaluate(shown.format(".har-report", "backgroundColor"))
    assert ground == "rgb(255, 255, 255)"
    assert browser.evaluate(shown.format("nav", "display")) == "none"
    assert browser.evaluate("document.querySelector('details table').offsetHeight") > 20
