from __future__ import annotations

import base64
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from har.metrics.clips import bootstrap_metrics, compute_clip_metrics
from har.reports.clips import ClipReport, write_clip_report
from har.reports.figures import write_confusion
from har.reports.page import Picture

VOID = {"meta", "img", "rect", "circle", "br"}


class Page(HTMLParser):
    """The page's text and tags; fails on a tag that is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.open = "", [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


@pytest.fixture
def report() -> ClipReport:
    truth = np.array([0, 0, 0, 1, 1, 1])
    second = np.array([0.1, 0.2, 0.8, 0.7, 0.9, 0.6])
    probs = np.stack([1 - second, second], axis=1)
    return ClipReport(
        title="Fights",
        protocol="Grouped 3-fold cross-validation.",
        metrics=compute_clip_metrics(("play", "hit"), truth, probs),
        intervals=bootstrap_metrics(truth, probs, ["a", "b", "c", "a", "b", "c"]),
        baseline={"accuracy": 0.61},
    )


def read_page(path, report: ClipReport) -> tuple[str, Page]:
    write_clip_report(path, report)
    html = path.read_text(encoding="utf-8")
    return html, Page(html)


def test_figures_intervals_and_floor_stand_side_by_side(tmp_path, report):
    html, page = read_page(tmp_path / "new" / "report.html", report)
    rows = re.findall(r"<tr><th>(.*?)</th>(.*?)</tr>", html)
    cells = {name: re.findall(r"<td[^>]*>([^<]+)</td>", row) for name, row in rows}
    accuracy = report.intervals["accuracy"]
    assert cells["Accuracy"] == ["0.833", f"{accuracy.low:.3f} to {accuracy.high:.3f}", "0.610"]
    assert cells["AUC"][0] == "0.778"  # (3 + 3 + 1) of 9 pairs
    assert cells["AUC"][-1] == "n/a"
    assert cells["hit"] == ["0.750", "1.000", "0.857", "3"]
    assert "Grouped 3-fold" in page.text
    assert "AUC is that of hit." in page.text


def test_without_a_floor_there_is_no_column_for_it(tmp_path, report):
    _, page = read_page(tmp_path / "r.html", replace(report, baseline={}))
    assert "baseline" not in page.text


def test_made_clips_are_named_beside_every_figure(tmp_path, report):
    _, filmed = read_page(tmp_path / "r.html", report)
    assert "synthetic" not in filmed.text
    picture = tmp_path / "c.png"
    write_confusion(picture, ("a", "b"), report.metrics.confusion)
    shown = replace(report, is_synthetic=True, pictures=(Picture("Counts", picture),))
    _, made = read_page(tmp_path / "m.html", shown)
    # The title, both tables and the picture.
    assert [attrs.get("class") for _, attrs in made.tags].count("synthetic") == 4
    assert "not filmed" in made.text


def test_why_there_is_no_interval_is_said(tmp_path, report):
    alone = bootstrap_metrics(np.array([0, 1]), np.eye(2), ["cam", "cam"])
    _, page = read_page(tmp_path / "r.html", replace(report, intervals=alone))
    assert "none: all clips are of one group ('cam')" in page.text


def test_text_is_escaped(tmp_path, report):
    evil = '<script>alert("1")</script>&'
    metrics = compute_clip_metrics((evil, f"b{evil}"), np.array([0, 1]), np.eye(2))
    intervals = bootstrap_metrics(np.array([0, 1]), np.eye(2), [evil, evil])
    picture = tmp_path / "c.png"
    write_confusion(picture, ("a", "b"), metrics.confusion)
    html, page = read_page(
        tmp_path / "r.html",
        ClipReport(evil, evil, metrics, intervals, {}, (Picture(evil, picture),), (evil,)),
    )
    assert "<script" not in html
    assert page.text.count('alert("1")') >= 7
    image = next(attrs for tag, attrs in page.tags if tag == "img")
    assert image["alt"] == evil


def test_the_page_holds_its_pictures_and_needs_nothing_else(tmp_path, report):
    picture = tmp_path / "c.png"
    write_confusion(picture, ("a", "b"), report.metrics.confusion)
    html, page = read_page(
        tmp_path / "r.html", replace(report, pictures=(Picture("Counts", picture),))
    )
    image = next(attrs for tag, attrs in page.tags if tag == "img")
    kind, data = image["src"].split(",", 1)
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == picture.read_bytes()
    assert {tag for tag, _ in page.tags} & {"script", "link", "iframe", "a"} == set()
    assert "http:" not in html
    assert "https:" not in html
