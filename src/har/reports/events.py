"""The page that a person reads after events were compared with a truth, and the curve on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from har.config import BACKGROUND_NAMES, DecodeConfig, find_background
from har.errors import ConfigError
from har.events.files import SCORES_ENDING, find_scores, load_scores
from har.files import replacing, write_json, write_text
from har.interchange.coding import (
    VideoEvents,
    find_video,
    list_labels,
    read_events_csv,
    read_results,
)
from har.metrics.alarms import AlarmCurve, AlarmPoint, ScoredRecording, compute_curves
from har.metrics.events import CodedRecording, EventMetrics, LabelMetrics, compute_event_metrics
from har.reports.page import (
    Picture,
    format_figure,
    render_bar,
    render_limits,
    render_picture,
    render_shell,
)

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
"""Told apart by people with any color vision. Source: M. Okabe and K. Ito, 2008."""
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
    """Draw recall against false alarms per hour, one line a label, what is in use as a ring.

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


_N_NAMED = 5
_UNCODED = "Not in the truth, so they count as recordings in which nothing happens"


@dataclass(frozen=True)
class EventScore:
    """How well events agree with a truth.

    Attributes:
        metrics: Figures with intervals over recordings.
        curves: One a label, where scores were given.
        notes: Which videos were on one side only, and how they count.
    """

    metrics: EventMetrics
    curves: tuple[AlarmCurve, ...]
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har score-events --json`` prints."""
        curves = [curve.to_json() for curve in self.curves]
        return {**self.metrics.to_json(), "curves": curves, "notes": list(self.notes)}


def score_events(
    predicted: Path,
    truth: Path,
    scores: Sequence[Path] = (),
    labels: Sequence[str] = (),
    decode: DecodeConfig | None = None,
) -> EventScore:
    """Compare recognized events with those that a person coded.

    Args:
        predicted: ``results.json`` of `har predict` or ``events.json`` of `har events`, which also
            know how long each video is and which ones have no event, or a CSV of events.
        truth: A CSV of events, see `har.interchange.coding`.
        scores: Files of scores, or folders of them: for the curve, and for lengths that
            ``predicted`` does not know.
        labels: Those that count; none means all that occur and are no background.
        decode: The rule in use, for the curve; the defaults when None.

    Raises:
        ManifestError: A CSV cannot be understood.
        OutputError: The results or the scores cannot be read.
        ConfigError: A name stands for several videos, or there is nothing to compare.
    """
    is_complete = predicted.suffix.lower() == ".json"
    found = read_results(predicted) if is_complete else read_events_csv(predicted)
    coded = read_events_csv(truth)
    scored, scored_notes = load_scored(scores, coded)
    lengths_s = {item.name: item.hours * 3600.0 for item in scored}
    recordings, notes = _pair(found, coded, is_complete, lengths_s)
    chosen = list(labels) or list_labels(coded, found, BACKGROUND_NAMES)
    metrics = compute_event_metrics(chosen, recordings)
    curves = _compute_curves(scored, chosen, decode, metrics)
    spelt = _compare_spelling(coded, found)
    return EventScore(metrics, curves, tuple(dict.fromkeys((*notes, *scored_notes, *spelt))))


def _compare_spelling(coded: Sequence[VideoEvents], found: Sequence[VideoEvents]) -> list[str]:
    """Return a note for each label that both sides have, but not in the same letters."""
    true, said = (
        {event.label for video in videos for event in video.events} for videos in (coded, found)
    )
    return [
        f"The truth says {label!r}, the results say {other!r}: these count as two labels; spell "
        f"them alike"
        for label in sorted(true - said)
        for other in sorted(said - true)
        if label.casefold() == other.casefold()
    ]


def load_scored(
    paths: Iterable[Path], coded: Sequence[VideoEvents]
) -> tuple[list[ScoredRecording], list[str]]:
    """Read files of scores and join them with a truth.

    Args:
        paths: Files that `har predict` wrote, or folders: then all in them that end in
            ``.scores.csv``.
        coded: The truth. A recording that it does not name counts as one without any act.

    Returns:
        The recordings, by name, and notes about videos that are on one side only.

    Raises:
        OutputError: A file cannot be read, or a folder holds none.
        ConfigError: Two files are of one video, or a name stands for several.
    """
    by_video = {video.video: video for video in coded}
    recordings, taken = [], dict[str, Path]()
    for path in find_scores(paths):
        name = path.name.removesuffix(SCORES_ENDING)
        video = find_video(name, by_video)
        truth = by_video[video] if video else VideoEvents(name, ())
        if truth.video in taken:
            raise ConfigError(
                f"{taken[truth.video]} and {path} are both scores of {truth.video}; give one"
            )
        taken[truth.video] = path
        scored = ScoredRecording(truth.video, load_scores(path), truth.events, truth.group)
        recordings.append(scored)
    if not recordings:
        return [], []
    uncoded = [video for video in taken if video not in by_video]
    unscored = [video for video in by_video if video not in taken]
    return recordings, [
        *_note(_UNCODED, uncoded),
        *_note("Coded but without scores, so they are left out of what scores give", unscored),
    ]


def _pair(
    found: Sequence[VideoEvents],
    coded: Sequence[VideoEvents],
    is_complete: bool,
    lengths_s: dict[str, float],
) -> tuple[list[CodedRecording], list[str]]:
    """Join both sides by the videos' names."""
    by_video = {video.video: video for video in coded}
    recordings, uncoded, taken = [], [], set[str]()
    for video in found:
        name = find_video(video.video, by_video)
        if name is None:
            uncoded.append(video.video)
        elif name in taken:
            raise ConfigError(f"Several videos of the results are {name} of the truth")
        truth = by_video[name] if name else VideoEvents(video.video, ())
        taken.add(truth.video)
        duration_s = video.duration_s or lengths_s.get(truth.video)
        recordings.append(
            CodedRecording(truth.video, truth.events, video.events, duration_s, truth.group)
        )
    missing = [name for name in by_video if name not in taken]
    notes = _note(_UNCODED, uncoded)
    if is_complete:
        return recordings, [*notes, *_note("Coded but not recognized, so left out", missing)]
    recordings += [
        CodedRecording(name, by_video[name].events, (), lengths_s.get(name), by_video[name].group)
        for name in missing
    ]
    return recordings, notes


def _note(what: str, videos: Sequence[str]) -> list[str]:
    if not videos:
        return []
    more = f" and {len(videos) - _N_NAMED} more" if len(videos) > _N_NAMED else ""
    return [f"{what}: {', '.join(videos[:_N_NAMED])}{more}"]


def _compute_curves(
    scored: Sequence[ScoredRecording],
    labels: Sequence[str],
    decode: DecodeConfig | None,
    metrics: EventMetrics,
) -> tuple[AlarmCurve, ...]:
    """Return the curves; the operating point on them is that of the events themselves."""
    if not scored:
        return ()
    known = [label for label in labels if all(label in item.scores.labels for item in scored)]
    rule = decode or DecodeConfig(find_background(scored[0].scores.labels))
    curves = compute_curves(scored, known, rule) if known else ()
    by_label = {item.label: item.figures for item in metrics.per_label}
    return tuple(_mark_events(curve, by_label[curve.label]) for curve in curves)


def _mark_events(curve: AlarmCurve, figures: dict[str, Any]) -> AlarmCurve:
    recall, rate = figures["recall"].mean, figures["false_alarms_per_hour"].mean
    if recall is None or rate is None:
        return curve
    return replace(curve, chosen=AlarmPoint(None, recall, rate))


def write_event_score(out_dir: Path, result: EventScore, title: str) -> Path:
    """Write ``metrics.json``, ``curve.png`` where there are scores, and ``report.html``.

    Returns:
        The page's path.

    Raises:
        OutputError: A file cannot be written.
    """
    from har.reports.events import EventReport, write_curves, write_event_report

    write_json(out_dir / "metrics.json", result.to_json())
    pictures: tuple[Picture, ...] = ()
    if result.curves:
        curve = out_dir / "curve.png"
        write_curves(curve, result.curves)
        pictures = (
            Picture("Recall against false alarms per hour, over all thresholds of onset", curve),
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
        notes=result.notes,
    )
    page = out_dir / "report.html"
    write_event_report(page, report)
    return page
