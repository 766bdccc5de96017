"""The page that a person reads after events were compared with a truth, and the curve on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from har.evaluation.alarms import AlarmCurve
from har.evaluation.events import EventMetrics, LabelMetrics
from har.evaluation.report import (
    Picture,
    format_figure,
    render_bar,
    render_limits,
    render_picture,
    render_shell,
)
from har.files import replacing, write_text

SHARES = ("f1@0.1", "f1@0.25", "f1@0.5", "precision", "recall", "ap@0.5", "ap")
AMOUNTS = ("false_alarms_per_hour", "onset_error_s", "onset_error_q1_s", "onset_error_q3_s")
NAMES = {
    "f1@0.1": "F1 at tIoU 0.1",
    "f1@0.25": "F1 at tIoU 0.25",
    "f1@0.5": "F1 at tIoU 0.5",
    "precision": "Precision",
    "recall": "Recall",
    "ap@0.5": "Average precision at tIoU 0.5",
    "ap": "Average precision, tIoU 0.3 to 0.7",
    "false_alarms_per_hour": "False alarms per hour",
    "onset_error_s": "Onset error, median (s)",
    "onset_error_q1_s": "Onset error, 1st quartile (s)",
    "onset_error_q3_s": "Onset error, 3rd quartile (s)",
}
_COLORS = ("#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Told apart by people with any colour vision. Source: M. Okabe and K. Ito, 2008."""
_INK = "#22303c"
_LINEAR_UNTIL = 1.0
_TICKS = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_DPI = 130


@dataclass(frozen=True)
class EventReport:
    """What a report on events says.

    Attributes:
        title: Its heading.
        protocol: How the figures were measured, in a sentence.
        metrics: All figures.
        pictures: Shown in this order.
        notes: Sentences that a reader must not miss.
    """

    title: str
    protocol: str
    metrics: EventMetrics
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()


def write_event_report(path: Path, report: EventReport) -> None:
    """Writes a report as one HTML file: pictures inside, no script, no link to elsewhere."""
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


_EXPLAINED = (
    "A found event and an act are paired one to one where they overlap enough; tIoU is what they "
    "share as a part of what they cover together. Precision, recall, false alarms and onset errors "
    "are at a tIoU of 0.1. Onset errors above 0 are late. Intervals are over groups of recordings, "
    "drawn whole."
)


def _render_label(metrics: LabelMetrics, caption: str) -> str:
    counts = f"{metrics.n_true} acts coded, {metrics.n_found} events found. "
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


def write_curves(path: Path, curves: Sequence[AlarmCurve]) -> None:
    """Draws recall against false alarms per hour, one line a label, what is in use as a ring.

    The line steps from one best point to the next; all points are there, faintly. Up to one false
    alarm an hour the axis is even, above it each step is a factor.

    Args:
        path: The PNG to write; its folder is made.
        curves: At least one.

    Raises:
        OutputError: The file cannot be written.
    """
    figure = Figure(figsize=(7.4, 4.8), layout="constrained")
    axes = figure.add_subplot()
    greatest = max(p.false_alarms_per_hour for curve in curves for p in curve.points)
    end = max(2.0 * greatest, 10.0)
    for number, curve in enumerate(curves):
        _draw_curve(axes, curve, _COLORS[number % len(_COLORS)], end)
    axes.set_xscale("symlog", linthresh=_LINEAR_UNTIL)
    axes.set_xlim(-0.05, end)
    axes.set_xticks([tick for tick in _TICKS if tick <= end], minor=False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_tick_params(which="minor", length=0)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("false alarms per hour")
    axes.set_ylabel("recall: share of acts that are found")
    axes.set_title(
        f"What a threshold gives, over {curves[0].hours:.3g} h; ring: the rule in use",
        size=10.5,
        color=_INK,
        loc="left",
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    with replacing(path) as part:
        figure.savefig(part, dpi=_DPI, format="png", bbox_inches="tight", pad_inches=0.12)


def _draw_curve(axes: Axes, curve: AlarmCurve, color: str, end: float) -> None:
    best, chosen = curve.best_points, curve.chosen
    rates = [*(point.false_alarms_per_hour for point in best), end]
    recalls = [*(point.recall for point in best), best[-1].recall]
    axes.plot(rates, recalls, color=color, drawstyle="steps-post", linewidth=1.8)
    axes.plot(
        [point.false_alarms_per_hour for point in curve.points],
        [point.recall for point in curve.points],
        ".",
        color=color,
        alpha=0.3,
        markersize=4,
    )
    text = f"{chosen.recall:.0%} found at {chosen.false_alarms_per_hour:.3g} an hour"
    axes.plot(
        [chosen.false_alarms_per_hour],
        [chosen.recall],
        "o",
        color=color,
        markersize=10,
        fillstyle="none",
        markeredgewidth=2,
        clip_on=False,
        label=f"{curve.label.replace('$', '')}: {text} ({curve.n_true} acts)",
    )
