"""The report on events: figures, the place of every error, and both sides over time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pages import Page as Read

from har.metrics.alarms import AlarmCurve, AlarmPoint
from har.metrics.events import CodedRecording, compute_event_metrics
from har.metrics.outcomes import count_recordings, list_matches
from har.reports.events import EventReport, build_event_page
from har.reports.page import render_page
from har.types import Event

LABELS = ("hit", "<kick>")
CODED = (Event("hit", 10, 14, 1.0), Event("<kick>", 50, 52, 1.0))
FOUND = (Event("hit", 11, 14, 0.91), Event("<kick>", 90, 91, 0.62), Event("other", 3, 4, 0.5))


def curve(*points: tuple[float, float], chosen: tuple[float, float]) -> AlarmCurve:
    drawn = [AlarmPoint(0.5, recall, rate) for rate, recall in points]
    return AlarmCurve("a $label", 10, 2.0, tuple(drawn), AlarmPoint(None, chosen[1], chosen[0]))


@pytest.fixture
def report() -> EventReport:
    recordings = (
        CodedRecording("a&b.mp4", CODED, FOUND, 1800.0),
        CodedRecording("fine.mp4", CODED[:1], FOUND[:1], 1800.0),
        CodedRecording("empty.mp4", (), (), 60.0),
    )
    metrics = compute_event_metrics(LABELS, recordings, n_resamples=20)
    matches = list_matches(LABELS, recordings)
    counts = count_recordings(matches, recordings)
    return EventReport("T & T", "how", metrics, matches, counts, notes=("Mind this.",))


def read(report: EventReport) -> Read:
    page = Read(render_page(build_event_page(report)))
    page.check()
    return page


def test_the_headline_says_what_a_reviewer_would_see(report):
    text = read(report).text
    assert "Of 3 events that a person coded, 1 would have been missed." in text
    assert "Of 3 events that were found, 1 are false alarms." in text
    # One in 3660 s.
    assert "A reviewer is called for nothing about every 1:01:00 of video." in text
    assert "Half of the found events begin at least 1.00 s late." in text
    assert "Mind this." in text


def test_every_error_is_listed_with_its_place_before_the_hits(report):
    page = read(report)
    rows = [row for row in page.rows if len(row) == 8 and row[1] in {"miss", "false alarm", "hit"}]
    assert rows == [
        ["a&b.mp4", "miss", "<kick>", "0:50.0 to 0:52.0", "", "0.00", "", ""],
        ["a&b.mp4", "false alarm", "<kick>", "", "1:30.0 to 1:31.0", "0.00", "", "0.62"],
        ["a&b.mp4", "hit", "hit", "0:10.0 to 0:14.0", "0:11.0 to 0:14.0", "0.75", "+1.00", "0.91"],
        ["fine.mp4", "hit", "hit", "0:10.0 to 0:14.0", "0:11.0 to 0:14.0", "0.75", "+1.00", "0.91"],
    ]


def test_recordings_are_counted_worst_first_and_drawn(report):
    page = read(report)
    names = [row[0] for row in page.rows if row and row[0].endswith(".mp4") and len(row) == 5]
    assert names == ["a&b.mp4", "empty.mp4", "fine.mp4"]
    assert page.find_row("a&b.mp4") == ["30:00", "1", "1", "1"]
    assert "1 hit, 1 miss, 1 false alarm." in page.text
    assert page.html.count("person and model over time</title>") == 2, (
        "nothing to draw in the third"
    )
    assert page.list_names("rect").count("open s1") == 2
    assert page.list_names("rect").count("fill s0") == 4


def test_labels_stand_beside_each_other_where_there_are_some(report):
    page = read(report)
    assert page.find_row("<kick>")[:5] == ["1", "1", "0.000", "0.000", "0.000"]
    assert "Least found is <kick>: 0 % of them." in page.text
    one = compute_event_metrics(("hit",), [CodedRecording("a", CODED, FOUND)], n_resamples=20)
    assert "By label" not in read(replace(report, metrics=one)).text


def test_the_curve_steps_up_and_rings_the_settings_in_use(report):
    assert "Recall against false alarms" not in read(report).text
    drawn = curve((0.0, 0.5), (5.0, 0.9), chosen=(1.0, 0.5))
    page = read(replace(report, curves=(drawn, drawn)))
    assert "a $label: 50 % found at 1 an hour" in page.text
    (ring, _) = [attributes for tag, attributes in page.tags if attributes.get("r") == "6"]
    assert ring["class"] == "ring s0"


def test_no_alarm_at_all_still_makes_a_picture(report):
    page = read(replace(report, curves=(curve((0.0, 0.0), chosen=(0.0, 0.0)),)))
    assert "0 % found at 0 an hour" in page.text


def test_figures_alone_make_a_page(report):
    page = read(replace(report, matches=(), recordings=()))
    assert "Recordings" not in page.text
    assert "3 events coded, 3 events found." in page.text
