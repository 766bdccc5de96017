"""The page that a person reads after an evaluation: one HTML file with nothing outside it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from har.files import write_text
from har.metrics.clips import METRICS, ClipMetrics
from har.metrics.intervals import Interval

INK, FAINT, EDGE = "#22303c", "#52616e", "#e3e8ec"
ACCENT, WARNING = "#2f6db3", "#d9702b"
"""Colors of pages and charts: text, secondary text, lines, figures, and what a reader must see."""

_NAMES = {"accuracy": "Accuracy", "macro_f1": "Macro F1", "auc": "AUC"}
_BAR_PX = 240

_STYLE = (
    f":root {{ color-scheme: light; --ink: {INK}; --faint: {FAINT}; --edge: {EDGE}; "
    f"--warning: {WARNING}; }}"
    """
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: #fff;
       max-width: 56rem; margin: 2.5rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; }
.lead { color: var(--faint); margin: 0 0 1.2rem; }
.note { border-left: 4px solid var(--warning); background: #fdf3ec;
        padding: .6rem 1rem; margin: .7rem 0; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; white-space: nowrap; font-weight: 600; color: var(--faint);
     font-size: .85rem; }
th, td { padding: .45rem .8rem .45rem 0; border-bottom: 1px solid var(--edge); }
td.figure { font-size: 1.25rem; font-weight: 600; }
td.why { color: var(--faint); font-size: .9rem; }
caption { caption-side: bottom; text-align: left; color: var(--faint); font-size: .85rem;
          padding-top: .5rem; }
svg { display: block; }
figure { margin: 2.2rem 0; }
figure img { max-width: 100%; height: auto; }
figcaption { color: var(--faint); font-size: .9rem; }
.synthetic { background: var(--warning); color: #fff; border-radius: .3rem; padding: .05rem .5rem;
        font-size: .8rem; font-weight: 600; }
"""
)


@dataclass(frozen=True)
class Picture:
    """A PNG file and what it shows."""

    caption: str
    path: Path


@dataclass(frozen=True)
class Report:
    """The content of a report.

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


def write_report(path: Path, report: Report) -> None:
    """Write a report as one HTML file: pictures inside, no script, no link to elsewhere.

    Args:
        path: The file to write; its folder is created.
        report: All text in it may hold any character.
    """
    write_text(path, _render_page(report))


def _render_page(report: Report) -> str:
    warnings = list(report.warnings)
    if report.is_synthetic:
        warnings.insert(
            0,
            "These clips are synthetic (rendered by har), not filmed. The figures show that "
            "training works, not how well real people are recognized.",
        )
    title = escape(report.title)
    badge = ' <span class="synthetic">synthetic</span>' if report.is_synthetic else ""
    parts = [
        f"<h1>{title}{badge}</h1>",
        f'<p class="lead">{escape(report.protocol)}</p>',
        *(f'<p class="note">{escape(text)}</p>' for text in warnings),
        f"<h2>Result{badge}</h2>",
        _render_headline(report),
        f"<h2>By class{badge}</h2>",
        _render_classes(report.metrics),
        *(render_picture(picture, badge) for picture in report.pictures),
    ]
    return render_shell(title, parts)


def render_shell(title: str, parts: Sequence[str]) -> str:
    """Return a whole page of a title and HTML parts, all of them escaped already."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">\n"
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _render_headline(report: Report) -> str:
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


def _render_headline_row(name: str, report: Report) -> str:
    interval, baseline = report.intervals[name], report.baseline.get(name)
    return (
        f'<tr><th>{_NAMES[name]}</th><td class="figure">{format_figure(interval.mean)}</td>'
        f"{render_limits(interval)}"
        f"<td>{render_bar(interval, baseline)}</td>"
        f"{f'<td>{format_figure(baseline)}</td>' if report.baseline else ''}</tr>"
    )


def render_limits(interval: Interval) -> str:
    """Return a cell with a figure's interval, or with the reason that there is none."""
    if interval.low is None or interval.high is None:
        return f'<td class="why">none: {escape(interval.reason)}</td>'
    return f"<td>{interval.low:.3f} to {interval.high:.3f}</td>"


def render_bar(interval: Interval, baseline: float | None) -> str:
    """Draw the figure as a dot on its interval and the baseline as a line, from 0 to 1."""
    marks = [f'<rect x="0" y="9" width="{_BAR_PX}" height="2" fill="{EDGE}"/>']
    if interval.low is not None and interval.high is not None:
        left, width = _BAR_PX * interval.low, _BAR_PX * (interval.high - interval.low)
        marks.append(
            f'<rect x="{left:.1f}" y="6" width="{max(width, 1):.1f}" height="8" rx="4" '
            'fill="#a9c7e6"/>'
        )
    if baseline is not None:
        marks.append(
            f'<rect x="{_BAR_PX * baseline - 1:.1f}" y="1" width="2" height="18" fill="#7b8894"/>'
        )
    if interval.mean is not None:
        marks.append(f'<circle cx="{_BAR_PX * interval.mean:.1f}" cy="10" r="5" fill="{ACCENT}"/>')
    return (
        f'<svg width="{_BAR_PX + 12}" height="20" viewBox="-6 0 {_BAR_PX + 12} 20" '
        f'aria-hidden="true">{"".join(marks)}</svg>'
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


def render_picture(picture: Picture, badge: str) -> str:
    """Return a picture with its caption, the file's bytes inside."""
    data = base64.b64encode(picture.path.read_bytes()).decode("ascii")
    caption = escape(picture.caption)
    return (
        f'<figure><img alt="{caption}" src="data:image/png;base64,{data}">'
        f"<figcaption>{caption}{badge}</figcaption></figure>"
    )


def format_figure(value: float | None) -> str:
    """Return a figure to three digits."""
    return "n/a" if value is None else f"{value:.3f}"
