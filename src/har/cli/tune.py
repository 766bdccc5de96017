"""`har tune` and `har score-events`: recordings whose events a person has coded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import PATH, decode_option, guard_option, json_option, map_option, path_option
from har.cli.output import format_interval, print_json, say, say_result, say_table, warn
from har.config import TuneConfig
from har.config.decode import RULE_FIELDS
from har.progress import format_count

if TYPE_CHECKING:
    from har.metrics.events import EventMetrics
    from har.metrics.intervals import Interval
    from har.metrics.outcomes import RecordingCounts
    from har.metrics.tuning import TuneResult


@click.command()
@click.argument("scores", nargs=-1, required=True, type=PATH)
@click.option(
    "--reference",
    "truth",
    required=True,
    type=PATH,
    help="Table of the reference coding: video,label,start,end; or a BORIS aggregated export.",
)
@map_option
@click.option("--annotator", default="", help="Whose coded events count, where several coded.")
@click.option(
    "--false-alarms-per-hour",
    type=float,
    default=TuneConfig.false_alarms_per_hour,
    show_default=True,
    help="At most as many, of all labels together.",
)
@path_option("--out", help="Write the rules as JSON, for --decode of other commands.")
@path_option("--bundle", "model", help="Start from this bundle's rules and write them there.")
@json_option
def tune(
    scores: tuple[Path, ...], out: Path | None, model: Path | None, as_json: bool, **options: Any
) -> None:
    """Choose when scores become events, for a number of false alarms per hour.

    SCORES are files that 'har predict' wrote, or folders of them, of recordings that the model has
    not learned from and that a person has coded in full. The choice finds the most coded events
    within that number of false alarms; what to expect is measured on recordings that are left out
    of the choice one by one.
    """
    import har

    result = har.tune(scores, out=out, model=model, progress=True, **options)
    if as_json:
        print_json(result.to_json())
    _say_tuned(result)
    for text in result.notes:
        say(text)
    for text in result.warnings:
        warn(text)
    for place in filter(None, (out, model)):
        say(f"Rules written to {place}")


def _say_tuned(result: TuneResult) -> None:
    rows: list[list[object]] = [
        [
            item.label,
            *(f"{getattr(item.rule, name):g}" for name in RULE_FIELDS),
            f"{item.n_hits} of {item.n_true}",
            item.n_false,
        ]
        for item in result.per_label
    ]
    say_table(["label", *RULE_FIELDS, "found", "false alarms"], rows)
    say_result(
        f"Chosen on {format_count(result.n_recordings, 'recording')}, {result.hours:.3g} h, "
        "for at most "
        f"{result.target:g} false alarms per hour; the counts are of the same recordings"
    )
    say_result("On recordings that had no part in the choice, 95 % intervals:")
    say_result(f"  recall                 {format_interval(result.recall.to_json())}")
    say_result(
        f"  false alarms per hour  {format_interval(result.false_alarms_per_hour.to_json())}"
    )


@click.command("score-events")
@click.argument("predicted", type=PATH)
@click.argument("truth", metavar="REFERENCE", type=PATH)
@click.option(
    "--scores",
    multiple=True,
    type=PATH,
    help="Files of scores or folders of them, for the curve over all thresholds.",
)
@decode_option
@click.option("--label", "labels", multiple=True, help="Only this one; once a label.")
@map_option
@click.option("--annotator", default="", help="Whose coded events count, where several coded.")
@path_option("--out", default="results/score-events", help="Figures and a page to read.")
@guard_option
@json_option
def score_events(out: Path, as_json: bool, **options: Any) -> None:
    """Compare found events with the reference coding of a person.

    PREDICTED is the results.json of 'har predict' or the events.json of 'har events', which know
    all videos and their lengths, or a CSV of events. REFERENCE is a table (CSV or Excel) with the
    columns video, label, start_s and end_s, or the aggregated export of BORIS. The curve keeps the
    lengths, gaps and smoothing of --decode, and its ratio of offset to onset.
    """
    import har

    result = har.score_events(out=out, **options)
    if as_json:
        print_json(result.to_json())
    _say_metrics(result.metrics)
    _say_recordings(result.recordings)
    _say_meaning(result.metrics)
    for text in result.notes:
        say(text)
    for text in result.warnings:
        warn(text)
    say(f"Every hit, miss and false alarm with its place: {out / 'matches.csv'}")
    say(f"Page: {out / 'report.html'}")


def _say_metrics(metrics: EventMetrics) -> None:
    from har.reports.events import AMOUNTS, NAMES, SHARES

    length = "length not known" if metrics.hours is None else f"{metrics.hours:.3g} h"
    say_result(
        f"{format_count(metrics.n_recordings, 'recording')} in "
        f"{format_count(metrics.n_groups, 'group')}, {length}"
    )
    columns = [("all", metrics.overall)] if len(metrics.per_label) > 1 else []
    columns += [(item.label, item) for item in metrics.per_label]
    names = (*SHARES, *AMOUNTS)
    figures = [[_format(item.figures[name]) for _, item in columns] for name in names]
    rows: list[list[object]] = [
        ["Events coded", *(item.n_true for _, item in columns)],
        ["Events found", *(item.n_found for _, item in columns)],
        *([NAMES[name], *row] for name, row in zip(names, figures, strict=True)),
    ]
    say_table(["", *(label for label, _ in columns)], rows)
    reason = metrics.overall.figures["f1@0.1"].reason
    if reason:
        say_result(f"There are no intervals: {reason}")


_MOST_RECORDINGS = 10


def _say_recordings(recordings: Sequence[RecordingCounts]) -> None:
    """Print the worst recordings."""
    rows: list[list[object]] = [
        [item.video, item.n_hits, item.n_misses, item.n_false]
        for item in recordings[:_MOST_RECORDINGS]
    ]
    say_table(["recording, worst first", "found", "missed", "false alarms"], rows)


def _say_meaning(metrics: EventMetrics) -> None:
    """Print what the figures of all labels mean, in sentences."""
    figures, n_true = metrics.overall.figures, metrics.overall.n_true
    recall, rate = figures["recall"].mean, figures["false_alarms_per_hour"].mean
    late_s = figures["onset_error_s"].mean
    if recall is not None:
        say(f"Of {n_true} coded events {recall:.0%} were found.")
    if rate is not None:
        say(f"In an hour of recording {rate:.3g} events were found that nobody had coded.")
    if late_s is not None:
        when = "late" if late_s >= 0 else "early"
        say(f"Half of the events that were found begin at least {abs(late_s):.2f} s {when}.")


def _format(figure: Interval) -> str:
    if figure.mean is None:
        return "-"
    if figure.low is None or figure.high is None:
        return f"{figure.mean:.3f}"
    return f"{figure.mean:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
