"""The report on events beside a reference coding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from har.files import write_json
from har.metrics.alarms import AlarmCurve
from har.metrics.events import EventMetrics, LabelMetrics
from har.metrics.intervals import Interval
from har.metrics.outcomes import EventMatch, Kind, RecordingCounts
from har.progress import format_count
from har.render.charts import Axis, LineChart, draw_interval
from har.render.svg import name_colors
from har.render.text import format_time
from har.render.timeline import Lane, draw_lanes, to_bar
from har.reports.facts import list_versions
from har.reports.limits import list_limits
from har.reports.page import (
    Cell,
    Chart,
    Facts,
    Figure,
    Headline,
    Page,
    Part,
    Points,
    Section,
    Table,
    Text,
    format_figure,
    format_interval,
    format_share,
    render_fragment,
    write_page,
)
from har.reports.scoring import EventScore
from har.types import Event

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
_EXPLAINED = (
    "A found and a coded event are paired one to one where they overlap enough; the overlap (tIoU) "
    "is the time that they share as a part of the time that they cover together. Precision, "
    "recall, false alarms and onset errors are at an overlap of 0.1. Onset errors above 0 are late."
)
_MOST_TIMELINES = 12
_MOST_MATCHES = 500
_LEAST_RATE_END = 10.0

_ORDER: tuple[Kind, ...] = ("miss", "false alarm", "hit")


@dataclass(frozen=True)
class EventReport:
    """The content of a report on events.

    Attributes:
        title: Its heading.
        protocol: How the figures were measured, in a sentence.
        metrics: All figures.
        matches: Every hit, miss and false alarm; empty where only figures are known.
        recordings: The same, counted for each recording, the worst first.
        curves: Recall against false alarms, one a label.
        notes: Sentences that a reader must see.
        facts: Where the events are from, by name.
        command: Makes the page again.
    """

    title: str
    protocol: str
    metrics: EventMetrics
    matches: Sequence[EventMatch] = ()
    recordings: Sequence[RecordingCounts] = ()
    curves: Sequence[AlarmCurve] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    command: str = ""


def build_event_page(report: EventReport) -> Page:
    """Return the page of a report; all text in it may hold any character."""
    metrics = report.metrics
    labels = [item.label for item in metrics.per_label]
    sections = [
        Section("Result", [_build_headline(metrics)]),
        Section("Figures", [_list_figures(metrics.overall, _EXPLAINED)]),
        Section("By label", _list_labels(metrics.per_label)),
        Section("Recall against false alarms", _describe_curves(report.curves)),
        Section("Recordings", _describe_recordings(report.recordings)),
        Section("Model and person over time", _draw_recordings(report, labels)),
        Section("Hits, misses and false alarms", describe_matches(report.matches)),
        Section("Data", [Facts({**report.facts, **list_versions()}, report.command)]),
        Section("Limits", [Points(list_limits(labels))]),
    ]
    return Page(
        kind="Events against a reference coding",
        title=report.title,
        lead=report.protocol,
        sections=sections,
        notes=report.notes,
    )


def _build_headline(metrics: EventMetrics) -> Part:
    overall = metrics.overall
    recall, precision, rate, late = (
        overall.figures[name]
        for name in ("recall", "precision", "false_alarms_per_hour", "onset_error_s")
    )
    figures = [
        Figure("Recall", recall, _explain_recall(overall)),
        Figure("Precision", precision, _explain_precision(overall)),
        Figure("False alarms per hour", rate, _explain_rate(rate), is_share=False),
        Figure("Onset error (s)", late, _explain_onset(late), is_share=False),
    ]
    return Headline(tuple(figure for figure in figures if figure.interval.mean is not None))


def _explain_recall(metrics: LabelMetrics) -> str:
    recall = metrics.figures["recall"].mean or 0.0
    n_missed = metrics.n_true - round(recall * metrics.n_true)
    return f"Of {metrics.n_true} events that a person coded, {n_missed} would have been missed."


def _explain_precision(metrics: LabelMetrics) -> str:
    precision = metrics.figures["precision"].mean or 0.0
    n_false = metrics.n_found - round(precision * metrics.n_found)
    return f"Of {metrics.n_found} events that were found, {n_false} are false alarms."


def _explain_rate(rate: Interval) -> str:
    if not rate.mean:
        return "Nobody is called to a moment at which nothing happens."
    return f"A reviewer is called for nothing about every {format_time(3600 / rate.mean)} of video."


def _explain_onset(error: Interval) -> str:
    if error.mean is None:
        return ""
    word = "late" if error.mean >= 0 else "early"
    return f"Half of the found events begin at least {abs(error.mean):.2f} s {word}."


def _list_figures(metrics: LabelMetrics, meaning: str = "", fold: str = "") -> Part:
    rows: list[list[Cell]] = []
    for name in (*SHARES, *AMOUNTS):
        figure = metrics.figures[name]
        bar = draw_interval(figure, name=NAMES[name]) if name in SHARES else ""
        rows.append([NAMES[name], format_figure(figure.mean), format_interval(figure), bar])
    counts = (
        f"{format_count(metrics.n_true, 'event')} coded, "
        f"{format_count(metrics.n_found, 'event')} found."
    )
    header = ("measure", "figure", "95 % interval", "0 to 1")
    name = metrics.label or "All labels"
    return Table(header, rows, name, "" if fold else f"{counts} {meaning}", fold=fold)


_IN_SHORT = ("f1@0.1", "precision", "recall", "false_alarms_per_hour", "onset_error_s")


def _list_labels(per_label: Sequence[LabelMetrics]) -> list[Part]:
    """Return the main figures of each label, least found first, and all of them on demand."""
    if len(per_label) < 2:
        return []
    ranked = sorted(per_label, key=lambda item: item.figures["recall"].mean or 0.0)
    rows: list[list[Cell]] = [
        [
            item.label,
            item.n_true,
            item.n_found,
            *(format_figure(item.figures[name].mean) for name in _IN_SHORT),
        ]
        for item in ranked
    ]
    header = ("label", "coded", "found", "F1", "precision", "recall", "false / h", "onset (s)")
    worst = ranked[0]
    share = format_share(worst.figures["recall"].mean or 0.0)
    meaning = f"Least found is {worst.label}: {share} of them."
    tables = [_list_figures(item, fold=f"All figures of {item.label}") for item in ranked]
    return [Table(header, rows, "By label", meaning), *tables]


def _describe_curves(curves: Sequence[AlarmCurve]) -> list[Part]:
    """Return recall over false alarms per hour, one line a label, the settings in use as a ring."""
    if not curves:
        return []
    greatest = max(point.false_alarms_per_hour for curve in curves for point in curve.points)
    end = max(2.0 * greatest, _LEAST_RATE_END)
    in_use = [
        f"{curve.label}: {format_share(curve.chosen.recall)} found at "
        f"{curve.chosen.false_alarms_per_hour:.3g} an hour"
        for curve in curves
    ]
    chart = LineChart(
        "Recall against false alarms per hour",
        "One line a label over all start thresholds. In use: " + "; ".join(in_use),
        Axis("false alarms per hour", 0.0, end, is_log=True),
        Axis("recall: share of coded events found", percent=True),
    )
    for number, (curve, name) in enumerate(zip(curves, in_use, strict=True)):
        best, chosen = curve.best_points, curve.chosen
        points = [(point.false_alarms_per_hour, point.recall) for point in best]
        chart.add_line([*points, (end, best[-1].recall)], number, name, step=True)
        chart.add_dots([(p.false_alarms_per_hour, p.recall) for p in curve.points], number)
        chart.add_dots([(chosen.false_alarms_per_hour, chosen.recall)], number, 6, "ring")
    meaning = (
        f"What finding more costs, over all start thresholds (onset) and {curves[0].hours:.3g} h: "
        "the line steps from one best threshold to the next, the ring is the settings in use. "
        "A ring under its line says that another threshold finds more at no more false alarms. "
        "Above one an hour the axis is logarithmic."
    )
    return [Chart(chart, meaning)]


def _describe_recordings(recordings: Sequence[RecordingCounts]) -> list[Part]:
    if not recordings:
        return []
    rows: list[list[Cell]] = [
        [
            item.video,
            "n/a" if item.duration_s is None else format_time(item.duration_s),
            item.n_hits,
            item.n_misses,
            item.n_false,
        ]
        for item in recordings
    ]
    worst = recordings[0]
    meaning = f"Most wrong in {worst.video}: {worst.n_misses} missed, {worst.n_false} false."
    header = ("recording", "length", "hits", "misses", "false alarms")
    return [Table(header, rows, "Recordings, worst first", meaning)]


def _draw_recordings(report: EventReport, labels: Sequence[str]) -> list[Part]:
    """Return a timeline a recording, those with the most errors first."""
    by_video: dict[str, list[EventMatch]] = {}
    for match in report.matches:
        by_video.setdefault(match.video, []).append(match)
    ranked = [item for item in report.recordings if item.video in by_video]
    drawn = [
        _draw_recording(item, by_video[item.video], labels) for item in ranked[:_MOST_TIMELINES]
    ]
    if not drawn:
        return []
    text = "Filled bars have a partner on the other side; open bars are misses and false alarms."
    if len(ranked) > _MOST_TIMELINES:
        text += f" The {_MOST_TIMELINES} recordings with the most errors are drawn."
    return [Text(text), *drawn]


def _draw_recording(
    counts: RecordingCounts, matches: Sequence[EventMatch], labels: Sequence[str]
) -> Part:
    colors = name_colors(tuple(labels))
    lanes = []
    for label in labels:
        own = [match for match in matches if match.label == label]
        sides = ([match.coded for match in own], [match.found for match in own])
        for name, side in zip(("person", "model"), sides, strict=True):
            bars = [
                to_bar(event, is_open=match.kind != "hit")
                for match, event in zip(own, side, strict=True)
                if event
            ]
            if own:
                lanes.append(Lane(label, colors[label], bars, name))
    ends_s = [event.offset_s for match in matches for event in (match.coded, match.found) if event]
    summary = ", ".join(
        (
            _count(counts.n_hits, "hit", "hits"),
            _count(counts.n_misses, "miss", "misses"),
            _count(counts.n_false, "false alarm", "false alarms"),
        )
    )
    title = f"{counts.video}: person and model over time"
    svg = draw_lanes(title, summary, lanes, counts.duration_s or max(ends_s))
    return Chart(svg, f"{summary}.", counts.video, is_wide=True)


def _count(n: int, one: str, more: str) -> str:
    return f"{n} {one if n == 1 else more}"


def describe_matches(matches: Sequence[EventMatch]) -> list[Part]:
    """Return the table of every hit, miss and false alarm: errors first, each with its place."""
    if not matches:
        return []
    ranked = sorted(matches, key=lambda match: (_ORDER.index(match.kind), match.video))
    rows = [_list_match(match) for match in ranked[:_MOST_MATCHES]]
    more = len(ranked) - len(rows)
    meaning = (
        "Misses first, then false alarms, then hits. The overlap of an error is the greatest with "
        "any event of its label on the other side: above 0, an event was found there, but it is "
        "too short, too long or too late, or it has another partner."
    )
    if more:
        meaning += f" {more} more are in matches.csv."
    header = ("recording", "what", "label", "coded", "found", "overlap", "onset error (s)", "score")
    return [Table(header, rows, "Every hit, miss and false alarm", meaning, n_text=5, n_open=20)]


def _list_match(match: EventMatch) -> list[Cell]:
    spans = ["" if event is None else _show_span(event) for event in (match.coded, match.found)]
    late = "" if match.onset_error_s is None else f"{match.onset_error_s:+.2f}"
    score = f"{match.found.score:.2f}" if match.found else ""
    return [match.video, match.kind, match.label, *spans, f"{match.overlap:.2f}", late, score]


def _show_span(event: Event) -> str:
    return f"{format_time(event.onset_s, 1)} to {format_time(event.offset_s, 1)}"


def write_event_score(
    out_dir: Path,
    result: EventScore,
    title: str,
    facts: Mapping[str, str] | None = None,
    command: str = "",
) -> Path:
    """Write ``metrics.json`` and ``report.html``.

    Args:
        out_dir: It is created.
        result: What was compared.
        title: Of the page.
        facts: Where the events are from, by name.
        command: Makes the page again.

    Returns:
        The page's path.

    Raises:
        OutputError: A file cannot be written.
    """
    write_json(out_dir / "metrics.json", result.to_json())
    report = replace(_describe_score(result, title), facts=facts or {}, command=command)
    write_page(out_dir / "report.html", build_event_page(report))
    return out_dir / "report.html"


def render_score(result: EventScore) -> str:
    """Return the page for a notebook."""
    report = _describe_score(result, ", ".join(item.label for item in result.metrics.per_label))
    return render_fragment(build_event_page(report))


def _describe_score(result: EventScore, title: str) -> EventReport:
    metrics = result.metrics
    length = "of unknown length" if metrics.hours is None else f"{metrics.hours:.3g} h long"
    return EventReport(
        title=title,
        protocol=(
            f"{format_count(metrics.n_recordings, 'recording')} in "
            f"{format_count(metrics.n_groups, 'group')}, {length}. Intervals "
            "are 95 %, over groups of recordings drawn whole."
        ),
        metrics=metrics,
        matches=result.matches,
        recordings=result.recordings,
        curves=result.curves,
        notes=(*result.warnings, *result.notes),
    )
