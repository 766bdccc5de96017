"""The page that a person reads after clips were evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from har.files import write_text
from har.metrics.clips import METRICS, ClipMetrics
from har.metrics.intervals import Interval
from har.reports.page import (
    Picture,
    format_figure,
    render_bar,
    render_limits,
    render_picture,
    render_shell,
)

_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "auc": "AUC"}


@dataclass(frozen=True)
class ClipReport:
    """The content of a report on clips.

    Attributes:
        title: Its heading.
        protocol: How the figures were measured, in a sentence.
        metrics: The figures by class and their counts.
        intervals: The headline figures, by names of `har.metrics.clips.METRICS`.
        baseline: What file format alone (size, rate, length) reaches on the same clips, by the same
            names; empty where it was not measured.
        pictures: Shown in this order.
        warnings: Sentences that a reader must see, such as that a protocol leaks.
        is_synthetic: The clips are synthetic, not filmed; marked beside every figure.
    """

    title: str
    protocol: str
    metrics: ClipMetrics
    intervals: Mapping[str, Interval]
    baseline: Mapping[str, float | None] = field(default_factory=dict)
    pictures: tuple[Picture, ...] = ()
    warnings: tuple[str, ...] = ()
    is_synthetic: bool = False


def write_clip_report(path: Path, report: ClipReport) -> None:
    """Write a report as one HTML file: pictures inside, no script, no link to elsewhere.

    Args:
        path: The file to write; its folder is created.
        report: All text in it may hold any character.
    """
    write_text(path, render_shell(escape(report.title), [render_body(report)]))


def render_body(report: ClipReport) -> str:
    """Return the HTML of a report without the page around it, as a notebook takes it."""
    warnings = list(report.warnings)
    if report.is_synthetic:
        warnings.insert(
            0,
            "These clips are synthetic (rendered by har), not filmed. The figures show that "
            "training works, not how well real people are recognized.",
        )
    badge = ' <span class="synthetic">synthetic</span>' if report.is_synthetic else ""
    parts = [
        f"<h1>{escape(report.title)}{badge}</h1>",
        f'<p class="lead">{escape(report.protocol)}</p>',
        *(f'<p class="note">{escape(text)}</p>' for text in warnings),
        f"<h2>Result{badge}</h2>",
        _render_headline(report),
        f"<h2>By class{badge}</h2>",
        _render_classes(report.metrics),
        *(render_picture(picture, badge) for picture in report.pictures),
    ]
    return "\n".join(parts)


def _render_headline(report: ClipReport) -> str:
    rows = [_render_headline_row(name, report) for name in METRICS if name in report.intervals]
    labels = report.metrics.labels
    auc = f"that of {labels[1]}" if len(labels) == 2 else "the mean of each class against the rest"
    baseline = (
        " The chance level from file format (shortcut baseline, upright line) is what picture "
        "size, frame rate and length alone reach; a figure near it is no sign that actions are "
        "recognized."
        if report.baseline
        else ""
    )
    return (
        "<table>\n<tr><th></th><th>figure</th><th>95 % interval</th><th>0 to 1</th>"
        f"{'<th>chance level</th>' if report.baseline else ''}</tr>\n"
        + "\n".join(rows)
        + f"\n<caption>{report.metrics.n_clips} clips. Intervals are over groups, drawn whole. "
        f"AUC is {escape(auc)}.{baseline}</caption>\n</table>"
    )


def _render_headline_row(name: str, report: ClipReport) -> str:
    interval, baseline = report.intervals[name], report.baseline.get(name)
    return (
        f'<tr><th>{_NAMES[name]}</th><td class="figure">{format_figure(interval.mean)}</td>'
        f"{render_limits(interval)}"
        f"<td>{render_bar(interval, baseline)}</td>"
        f"{f'<td>{format_figure(baseline)}</td>' if report.baseline else ''}</tr>"
    )


def _render_classes(metrics: ClipMetrics) -> str:
    rows = [
        f"<tr><th>{escape(entry.label)}</th><td>{format_figure(entry.precision)}</td>"
        f"<td>{format_figure(entry.recall)}</td><td>{format_figure(entry.f1)}</td>"
        f"<td>{entry.support}</td></tr>"
        for entry in metrics.per_class
    ]
    return (
        "<table>\n<tr><th>class</th><th>precision</th><th>recall</th><th>F1</th>"
        "<th>clips</th></tr>\n" + "\n".join(rows) + "\n</table>"
    )
