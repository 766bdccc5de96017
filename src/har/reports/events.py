"""The page that a person reads after events were compared with a reference coding."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from pathlib import Path

from har.files import write_json, write_text
from har.metrics.events import EventMetrics, LabelMetrics
from har.reports.figures import write_curves
from har.reports.page import (
    Picture,
    format_figure,
    render_bar,
    render_limits,
    render_picture,
    render_shell,
)
from har.reports.scoring import EventScore

SHARES = ("f1@0.1", "f1@0.25", "f1@0.5", "precision", "recall", "ap@0.5", "ap")
AMOUNTS = ("false_alarms_per_hour", "onset_error_s", "onset_error_q1_s", "onset_error_q3_s")
NAMES = {
    "f1@0.1": "F1 at overlap (tIoU) 0.1",
    "f1@0.25": "F1 at overlap 0.25",
    "f1@0.5": "F1 at overlap 0.5",
    "precision": "Precision",
    "recall": "Recall",
    "ap@0.5": "Average precision at overlap 0.5",
    "ap": "Average precision, overlap 0.3 to 0.7",
    "false_alarms_per_hour": "False alarms per hour",
    "onset_error_s": "Onset error, median (s)",
    "onset_error_q1_s": "Onset error, 1st quartile (s)",
    "onset_error_q3_s": "Onset error, 3rd quartile (s)",
}


@dataclass(frozen=True)
class EventReport:
    """The content of a report on events.

    Attributes:
        title: Its heading.
        protocol: How the figures were measured, in a sentence.
        metrics: All figures.
        pictures: Shown in this order.
        notes: Sentences that a reader must see.
    """

    title: str
    protocol: str
    metrics: EventMetrics
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def write_event_report(path: Path, report: EventReport) -> None:
    """Write a report as one HTML file: pictures inside, no script, no link to elsewhere."""
    title, metrics = escape(report.title), report.metrics
    labels = metrics.per_label if len(metrics.per_label) > 1 else ()
    parts = [
        f"<h1>{title}</h1>",
        f'<p class="lead">{escape(report.protocol)}</p>',
        *(f'<p class="note">{escape(text)}</p>' for text in report.notes),
        "<h2>Result</h2>",
        _render_label(metrics.overall, _EXPLAINED),
        *(render_picture(picture, "") for picture in report.pictures),
    ]
    for label in labels:
        parts += [f"<h2>{escape(label.label)}</h2>", _render_label(label, "")]
    write_text(path, render_shell(title, parts))


def render_score(result: EventScore) -> str:
    """Return the figures for a notebook, of all labels and of each."""
    labels = result.metrics.per_label if len(result.metrics.per_label) > 1 else ()
    parts = [_render_label(result.metrics.overall, _EXPLAINED)]
    for label in labels:
        parts += [f"<h4>{escape(label.label)}</h4>", _render_label(label, "")]
    texts = (*result.warnings, *result.notes)
    return "".join([*parts, *(f"<p>{escape(text)}</p>" for text in texts)])


_EXPLAINED = (
    "A found and a coded event are paired one to one where they overlap enough; the overlap (tIoU) "
    "is the time that they share as a part of the time that they cover together. Precision, "
    "recall, false alarms and onset errors are at an overlap of 0.1. Onset errors above 0 are "
    "late. Intervals are over groups of recordings, drawn whole."
)


def _render_label(metrics: LabelMetrics, caption: str) -> str:
    counts = f"{metrics.n_true} events coded, {metrics.n_found} events found. "
    rows = [_render_row(metrics, name) for name in (*SHARES, *AMOUNTS)]
    return (
        "<table>\n<tr><th></th><th>figure</th><th>95 % interval</th><th>0 to 1</th></tr>\n"
        + "\n".join(rows)
        + f"\n<caption>{counts}{caption}</caption>\n</table>"
    )


def _render_row(metrics: LabelMetrics, name: str) -> str:
    interval = metrics.figures[name]
    bar = render_bar(interval, None) if name in SHARES else ""
    return (
        f'<tr><th>{NAMES[name]}</th><td class="figure">{format_figure(interval.mean)}</td>'
        f"{render_limits(interval)}<td>{bar}</td></tr>"
    )


def write_event_score(out_dir: Path, result: EventScore, title: str) -> Path:
    """Write ``metrics.json``, ``curve.png`` where there are scores, and ``report.html``.

    Returns:
        The page's path.

    Raises:
        OutputError: A file cannot be written.
    """
    write_json(out_dir / "metrics.json", result.to_json())
    pictures: tuple[Picture, ...] = ()
    if result.curves:
        curve = out_dir / "curve.png"
        write_curves(curve, result.curves)
        pictures = (
            Picture(
                "Recall against false alarms per hour, over all start thresholds (onset)", curve
            ),
        )
    metrics = result.metrics
    length = "of unknown length" if metrics.hours is None else f"{metrics.hours:.3g} h long"
    report = EventReport(
        title=title,
        protocol=(
            f"{metrics.n_recordings} recordings in {metrics.n_groups} groups, {length}; 95 % "
            f"intervals by bootstrap over groups"
        ),
        metrics=metrics,
        pictures=pictures,
        notes=(*result.warnings, *result.notes),
    )
    page = out_dir / "report.html"
    write_event_report(page, report)
    return page
