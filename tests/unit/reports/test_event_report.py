from __future__ import annotations

import cv2
import numpy as np

from har.metrics.alarms import AlarmCurve, AlarmPoint
from har.metrics.events import CodedRecording, compute_event_metrics
from har.reports.events import EventReport, write_event_report
from har.reports.figures import write_curves
from har.reports.page import Picture
from har.types import Event

ORANGE, WHITE = np.array([213, 94, 0]), 255


def curve(*points: tuple[float, float], chosen: tuple[float, float]) -> AlarmCurve:
    made = [AlarmPoint(0.5, recall, rate) for rate, recall in points]
    return AlarmCurve("a $label", 10, 2.0, tuple(made), AlarmPoint(None, chosen[1], chosen[0]))


def find_orange(path) -> np.ndarray:
    picture = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB).astype(int)
    return np.argwhere(np.abs(picture - ORANGE).sum(axis=2) < 20)


def test_better_recall_is_higher_up(tmp_path):
    for name, recall in (("low", 0.2), ("high", 0.9)):
        made = curve((0.0, recall), (5.0, recall), chosen=(0.0, recall))
        write_curves(tmp_path / f"{name}.png", [made])
    low, high = (find_orange(tmp_path / f"{name}.png") for name in ("low", "high"))
    # The line is the row with the most orange; rows count downwards.
    assert np.bincount(high[:, 0]).argmax() < np.bincount(low[:, 0]).argmax() - 100


def test_no_alarm_at_all_still_makes_a_picture(tmp_path):
    write_curves(tmp_path / "c.png", [curve((0.0, 0.0), chosen=(0.0, 0.0))] * 2)
    assert (tmp_path / "c.png").stat().st_size > 5000


def test_the_page_has_figures_notes_and_pictures_and_nothing_from_elsewhere(tmp_path):
    acts = (Event("hit", 0, 1, 1.0), Event("<kick>", 5, 6, 1.0))
    items = [CodedRecording(name, acts, acts[:1], 1800.0) for name in "ab"]
    metrics = compute_event_metrics(("hit", "<kick>"), items, n_resamples=20)
    write_curves(tmp_path / "c.png", [curve((0.0, 0.5), chosen=(1.0, 0.5))])
    report = EventReport("T & T", "how", metrics, (Picture("A curve", tmp_path / "c.png"),), ("N",))
    write_event_report(tmp_path / "r.html", report)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "T &amp; T" in page
    assert "&lt;kick&gt;" in page
    assert "<kick>" not in page
    assert "data:image/png;base64," in page
    assert "4 events coded, 2 events found" in page
    assert "0.500" in page  # recall over all labels
    assert "://" not in page
