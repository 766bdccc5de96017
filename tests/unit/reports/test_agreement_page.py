"""The report on agreement: every figure with its sentence, a lane for each observer."""

from __future__ import annotations

import pytest
from pages import Page as Read

import har
from har.interchange.events import CodedEvent, EventTable, Media
from har.metrics.agreement import Agreement
from har.reports.agreement_page import AgreementReport, build_agreement_page
from har.reports.page import render_page

FILM = (Media("a&b.mp4", duration_s=60.0), Media("quiet.mp4", duration_s=30.0))


def code(*starts_s: float, label: str = "<hit>", score: float | None = None) -> EventTable:
    events = (CodedEvent("a&b.mp4", at, at + 2, label, score=score) for at in starts_s)
    return EventTable(tuple(events), FILM, labels=("<hit>",))


def read(found: Agreement) -> Read:
    page = Read(render_page(build_agreement_page(AgreementReport(found, {"Coding": "x"}, "har"))))
    page.check()
    return page


@pytest.fixture
def pair() -> Agreement:
    return har.agree(code(5, 20), code(5))


def test_each_figure_stands_with_what_it_means(pair):
    page = read(pair)
    value, _, meaning = page.find_row("Total count")
    assert value == "50 %"
    assert meaning.startswith("In a recording the smaller number of events of a behavior")
    assert page.find_row("Recall")[0] == "50 %"
    assert "All figures of" not in page.text, "the figures of the only pair are open"


def test_recordings_are_ranked_and_drawn_with_a_lane_an_observer(pair):
    page = read(pair)
    names = [row[0] for row in page.rows if row and row[0].endswith(".mp4")]
    assert names == ["a&b.mp4", "quiet.mp4"]
    assert page.find_row("a&b.mp4")[:3] == ["coding 1, coding 2", "2", "1"]
    assert page.html.count("observers over time</title>") == 1, "nothing to draw in the other"
    assert page.list_names("rect").count("fill s0") == 3
    assert "Events in 1:00: coding 1 2, coding 2 1." in page.text


def test_what_each_coded_is_listed(pair):
    rows = [row for row in read(pair).rows if row and row[0] == "<hit>" and len(row) == 6]
    # 4 s and 2 s of 90 s, 2 events and 1 in 1.5 minutes
    assert [row[1:] for row in rows] == [
        ["coding 1", "2", "1.33", "0:04.0", "4.4 %"],
        ["coding 2", "1", "0.67", "0:02.0", "2.2 %"],
    ]


def test_people_stand_beside_the_model():
    page = read(har.agree(code(5, 20), code(5, 20), code(5, score=0.9)))
    assert page.find_row("Total count") == ["100 %", "50 %", "-50 %"]
    assert "Krippendorff's alpha: coding 1, coding 2, coding 3" in page.text
    assert "All figures of coding 1 and coding 3" in page.text
