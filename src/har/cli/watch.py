"""`har watch`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import (
    decode_option,
    exact_option,
    format_engines,
    path_option,
    precision_option,
    privacy_options,
    set_option,
    use_streams_option,
)
from har.cli.output import is_verbose, print_json, say, say_result, say_table, unlogged, warn
from har.errors import VideoError
from har.progress import format_count

if TYPE_CHECKING:
    from har import Model
    from har.live.screen import Dashboard, Lines, Summary

_MANY_DROPPED = 0.1
"""Time steps that were dropped, for each frame, above which a watch says so at its end."""


@click.command()
@click.argument("sources", metavar="[SOURCE]...", nargs=-1, envvar="HAR_WATCH_SOURCES")
@path_option("--bundle", "model", help="A trained model's folder.")
@use_streams_option
@path_option("--out", default="results/watch", help="Event log (journal), alerts and their clips.")
@path_option(
    "--config",
    "settings",
    help="TOML file: cameras, rules of alerts, quiet hours, clips, notifications.",
)
@decode_option
@set_option
@click.option(
    "--notify",
    multiple=True,
    metavar="URL",
    envvar="HAR_NOTIFY",
    help="Send alerts to this Apprise address (json://, mqtt://, mailto://, ...). Other users of "
    "the machine can read command lines: the variable HAR_NOTIFY or --config hides it.",
)
@click.option(
    "--keep-days",
    type=float,
    help="Delete alerts, clips and lines of the event log that are older; nothing when left out.",
)
@privacy_options(None)
@click.option(
    "--metrics-port", type=int, help="Serve /healthz and /metrics (Prometheus) on 127.0.0.1."
)
@exact_option
@precision_option
@click.option("--loop", is_flag=True, help="Files begin anew when they have ended, for trials.")
@click.option(
    "--check",
    "check_only",
    is_flag=True,
    help="Check all settings and the model, say what is wrong with them, and watch nothing.",
)
@click.option("--duration", "duration_s", type=click.FloatRange(0, min_open=True), help="Seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print the event log as lines of JSON.")
def watch(sources: tuple[str, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Watch live cameras, write down events, and raise alerts for a person to review.

    A SOURCE is a webcam's number, an address (rtsp://, http://), or a video file, which is played
    at its own speed; NAME=SOURCE gives it a name. Other users of the machine can read command
    lines: the variable HAR_WATCH_SOURCES (separated by blanks) or the table [sources] of --config
    hides addresses with passwords; either is used where no SOURCE is given.

    Nothing leaves this machine unless --notify or the config file names an address. Ctrl-C ends the
    watch and writes what is open.

    An aid for people who look; never an unattended alarm.
    """
    import har

    if not sources and options["settings"] is None:
        raise click.UsageError(
            "Missing argument 'SOURCE...': a webcam's number, an address or a video file; or give "
            "a file with a table [sources] as --config"
        )

    def say_start(model: Model, names: Sequence[str]) -> None:
        if options["check_only"]:
            say_result(f"All settings are right, to watch {', '.join(names)} with {model.path}")
            return
        say(f"Watching {', '.join(names)} with {model.path}; writing to {out}")
        say(f"Engine: {format_engines(model.engines)}")

    with unlogged(), _open_screen(as_json) as screen:
        summary = har.watch(
            sources,
            out=out,
            on_start=say_start,
            screen=screen,
            on_line=_print_line if as_json else None,
            **options,
        )
    if options["check_only"]:
        return
    if as_json:
        print_json(summary.to_json(), indent=None)
    _say_summary(summary, out)
    if not any(state.n_frames for state in summary.states.values()):
        raise VideoError("No camera or file gave a picture; see the reasons above")


def _print_line(line: str) -> None:
    """Print a line of the event log with all that is not ASCII as escapes, for any terminal."""
    print_json(json.loads(line), indent=None)


def _open_screen(as_json: bool) -> Dashboard | Lines:
    """Return the dashboard on a terminal, plain lines elsewhere and where rich is not installed."""
    from har.live.screen import Lines

    if as_json or is_verbose() or not sys.stderr.isatty():
        return Lines(say)
    try:
        from rich.console import Console

        from har.live.screen import Dashboard
    except ModuleNotFoundError:
        return Lines(say)
    return Dashboard(Console(stderr=True))


def _say_summary(summary: Summary, out: Path) -> None:
    from har.live.screen import count_of

    rows = [
        [
            name,
            state.n_frames,
            state.n_dropped,
            state.n_reconnects,
            _format_counts(count_of(summary.events, name)),
            _format_counts(count_of(summary.alerts, name)),
        ]
        for name, state in summary.states.items()
    ]
    say_table(["camera", "frames", "dropped", "reconnects", "events", "alerts"], rows)
    say(f"Event log and alerts for review: {out}")
    _warn_of_dropped(summary)
    if summary.n_undelivered:
        warn(
            f"{format_count(summary.n_undelivered, 'notification')} could not be delivered; "
            "the alerts are there"
        )


def _warn_of_dropped(summary: Summary) -> None:
    late = [
        f"{name} ({format_count(state.n_dropped, 'time step')})"
        for name, state in summary.states.items()
        if state.n_dropped > state.n_frames * _MANY_DROPPED
    ]
    if late:
        warn(
            f"This machine did not keep up with {', '.join(late)}: what happened then may be "
            "missed, and clips may lack it. Close other programs, watch fewer cameras or their "
            "small streams, or take a model of motion alone"
        )


def _format_counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {label}" for label, count in sorted(counts.items())) or "-"
