"""`har compare`: two evaluations of the same clips or recordings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from har.cli.common import PATH, json_option, path_option
from har.cli.output import format_interval, print_json, say, say_result, say_table
from har.progress import format_count

if TYPE_CHECKING:
    from har.metrics.comparison import Comparison

_N_GROUPS = 10


@click.command()
@click.argument("first", type=PATH)
@click.argument("second", type=PATH)
@path_option("--out", default="results/compare", help="Figures, and a table by group.")
@json_option
def compare(first: Path, second: Path, out: Path, as_json: bool) -> None:
    """Compare two evaluations of the same clips or recordings: is one better?

    FIRST and SECOND are folders of 'har evaluate', 'har crossval' or 'har score-events'. Clips, or
    recordings and labels, that only one of them has are left out.
    """
    import har

    found = har.compare(first, second, out=out)
    if as_json:
        print_json(found.to_json())
    _say_figures(found)
    for text in found.notes:
        say(text)
    say(f"Figures, and a table by group: {out}")


def _say_figures(found: Comparison) -> None:
    from har.reports.comparison import NAMES, explain_difference, explain_mcnemar

    say_result(
        f"{found.n} {found.kind if found.kind == 'clips' else 'recordings'} in "
        f"{format_count(found.n_groups, 'group')}; first: {found.first}, second: {found.second}"
    )
    rows = [
        [
            NAMES[name],
            *(_three(item.first), _three(item.second)),
            format_interval(item.difference.to_json()),
        ]
        for name, item in found.figures.items()
    ]
    say_table(["", "first", "second", "difference [95 % over groups]"], rows)
    for name in found.figures:
        if sentence := explain_difference(found, name):
            say_result(sentence)
    if sentence := explain_mcnemar(found):
        say_result(sentence)
    say_result("")
    what = "accuracy" if found.kind == "clips" else "F1"
    groups = [
        [item.group, item.n, _three(item.first), _three(item.second)]
        for item in found.per_group[:_N_GROUPS]
    ]
    n = "clips" if found.kind == "clips" else "coded events"
    say_table(["group, losses first", n, f"{what}, first", f"{what}, second"], groups)


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
