"""`har agree`: codings of the same recordings by people, or by people and a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import PATH, json_option, map_option, path_option
from har.cli.output import print_json, say, say_result, say_table
from har.config import AgreeConfig
from har.progress import format_count

if TYPE_CHECKING:
    from har.metrics.agreement import Agreement, Ceiling


@click.command()
@click.argument("codings", nargs=-1, required=True, type=PATH)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="NAME",
    help="Observer or file that is a model's; results of har are known as such. Once a model.",
)
@click.option(
    "--interval",
    "interval_s",
    default=AgreeConfig.interval_s,
    show_default=True,
    metavar="SECONDS",
    help="Of interval agreement.",
)
@click.option(
    "--bin",
    "bin_s",
    default=AgreeConfig.bin_s,
    show_default=True,
    metavar="SECONDS",
    help="Time bins of kappa and alpha.",
)
@click.option(
    "--point",
    "point_s",
    default=AgreeConfig.point_s,
    show_default=True,
    metavar="SECONDS",
    help="Length, in figures of time, of events of which only the moment was coded.",
)
@click.option("--label", "labels", multiple=True, help="Only this one; once a label.")
@map_option
@path_option("--media", help="Folder of the videos, for lengths that no coding has.")
@path_option(
    "--out",
    default="results/agree",
    help="Figures, tables by recording and label, and a page to read.",
)
@json_option
def agree(codings: tuple[Path, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Compare codings of the same recordings by people, or by people and a model.

    CODINGS are two files or more, in any format that har reads: tables (CSV, Excel), exports of
    coding tools, or the results.json of 'har predict'. One file is enough where its column
    annotator names several. Only recordings that all observers coded count.
    """
    import har

    found = har.agree(*codings, out=out, **options)
    if as_json:
        print_json(found.to_json())
    _say_budgets(found)
    if len(found.pairs) == 1:
        _say_pair(found)
    else:
        _say_pairs(found)
    for text in found.notes:
        say(text)
    say(f"Tables by recording and label: {out}")
    say(f"Page: {out / 'report.html'}")


def _say_budgets(found: Agreement) -> None:
    say_result(
        f"{format_count(found.n_recordings, 'recording')} in "
        f"{format_count(found.n_groups, 'group')}, {found.hours:.3g} h, coded "
        f"by all of {', '.join(item.name for item in found.observers)}"
    )
    rows = [
        [
            *(item.label, item.observer, item.n_events, f"{item.per_minute:.2f}"),
            *(f"{item.time_s:.1f}", f"{item.time_share:.1%}"),
        ]
        for item in sorted(found.budgets, key=lambda item: item.label)
        if not item.recording
    ]
    say_table(["label", "observer", "events", "a minute", "seconds", "of the time"], rows)
    say_result("")


def _say_pair(found: Agreement) -> None:
    """Print the figures of the only pair, by label, and what each means."""
    from har.reports.agreement_text import NAMES, explain_pair, format_figure

    (pair,) = found.pairs
    columns = [("all", pair.overall)] if len(pair.per_label) > 1 else []
    columns += [(item.label, item) for item in pair.per_label]
    rows = [
        [
            shown,
            *(
                format_figure(name, item.figures[name]) if name in item.figures else ""
                for _, item in columns
            ),
        ]
        for name, shown in NAMES.items()
    ]
    say_table([f"{pair.first} and {pair.second}", *(label for label, _ in columns)], rows)
    say_result("")
    for name, sentence in explain_pair(found, pair):
        say_result(f"{NAMES[name]}: {sentence}")


_MEANS = ("total_count", "interval_by_interval", "kappa", "f1@0.1")
"""Figures of which a sentence compares the model with people; the table has all."""


def _say_pairs(found: Agreement) -> None:
    """Print the figures of all pairs, and people beside the model where there are both."""
    from har.reports.agreement_text import NAMES, explain_pair, format_figure, format_value

    pairs = [(f"{item.first} and {item.second}", item.overall.figures) for item in found.pairs]
    rows = [
        [shown, *(format_value(name, figures[name].mean) for _, figures in pairs)]
        for name, shown in NAMES.items()
    ]
    say_table(["", *(who for who, _ in pairs)], rows)
    for item in found.alphas:
        who = ", ".join(item.observers)
        say_result(f"Krippendorff's alpha of {who}: {format_figure('alpha', item.overall)}")
    if found.ceilings:
        say_result("")
        _say_ceiling(found.ceilings[0])
    first = found.pairs[0]
    say_result("")
    say_result(f"What the figures mean, of {first.first} and {first.second}:")
    for name, sentence in explain_pair(found, first):
        say_result(f"{NAMES[name]}: {sentence}")


def _say_ceiling(ceiling: Ceiling) -> None:
    from har.reports.agreement_text import NAMES, explain_ceiling, format_figure

    parts = (ceiling.people, ceiling.model, ceiling.difference)
    rows = [
        [shown, *(format_figure(name, part[name]) for part in parts)]
        for name, shown in NAMES.items()
        if name in ceiling.people
    ]
    say_table(["", "people with each other", "model with people", "difference"], rows)
    for sentence in filter(None, (explain_ceiling(ceiling, name) for name in _MEANS)):
        say_result(sentence)
