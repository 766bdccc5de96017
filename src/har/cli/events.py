"""`har events`, and the table of totals."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import PATH, decode_option, guard_option, json_option, path_option, set_option
from har.cli.output import print_json, say, say_table

if TYPE_CHECKING:
    from har.events.summary import Totals

_HOUR_S, _MINUTE_S = 3600.0, 60.0
_PER_HOUR_FROM_S = 1800.0
"""Rates of shorter recordings are said per minute."""


@click.command()
@click.argument("scores", nargs=-1, required=True, type=PATH)
@path_option(
    "--bundle", "model", help="Start from the rules of this trained model; else from har's own."
)
@decode_option
@set_option
@path_option("--out", default="results/events", help="Gets the events as CSV, JSON and WebVTT.")
@guard_option
@json_option
def events(scores: tuple[Path, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Cut events again from saved scores, in a moment.

    SCORES are files that 'har predict' wrote, or folders of them. Neither the video nor the network
    is needed.
    """
    import har

    found = har.recut(scores, out=out, **options)
    if as_json:
        print_json(found.to_json())
    say_table(
        ["video", "length", "events"],
        [[item.stem, f"{item.totals.duration_s:.1f} s", len(item.events)] for item in found.videos],
    )
    say_totals(found.totals)
    say(f"Events: {out}")


def say_totals(totals: Totals) -> None:
    """Print how often and how long each label was found, and the time in which none was."""
    is_long = totals.duration_s >= _PER_HOUR_FROM_S
    unit, part = ("per hour", 1.0) if is_long else ("per minute", _MINUTE_S / _HOUR_S)
    rows: list[list[object]] = [
        [item.label, item.n_events, *_share(item.total_s, totals), f"{item.per_hour * part:.2f}"]
        for item in totals.labels
    ]
    rest: list[list[object]] = [
        [name, "", *_share(length_s, totals), ""]
        for name, length_s in (("(nothing)", totals.nothing_s), ("(uncertain)", totals.uncertain_s))
    ]
    say_table(["label", "events", "total", "share", unit], rows + rest)


def _share(length_s: float, totals: Totals) -> tuple[str, str]:
    return f"{length_s:.1f} s", f"{length_s / max(totals.duration_s, 1e-9):.1%}"
