"""`har demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import PATH, json_option
from har.cli.output import format_interval, print_json, say, say_table

if TYPE_CHECKING:
    from har.demo import Recognized

NEXT = """\
What to do next

  You code behavior: when does it happen, for how long, how often?
    har predict RECORDING.mp4 --annotate
    har score-events results/predict/results.json YOUR_CODING.csv

  You have cameras:
    har watch 0                       a webcam; or rtsp://...
    har predict RECORDING.mp4 --thumbnails

  You train models:
    har prepare data/                 one folder a class, in it the clips
    har train all
    har evaluate models/har
"""


@click.command()
@click.argument("folder", type=PATH, default=Path("demo"))
@click.option("--quick", is_flag=True, help="Stop after the first look; nothing is trained.")
@json_option
def demo(folder: Path, quick: bool, as_json: bool) -> None:
    """See what it does within a minute, then try all of it on synthetic clips (6 minutes).

    First a shipped model recognizes a short recording that is drawn now: timeline, annotated
    video, events. Then the demo makes clips, trains a model on them, measures it, and recognizes
    another recording with it. No file of yours is read, and figures on synthetic clips do not
    hold for real people.
    """
    import har

    say("A first look, within a minute")
    done = har.run_demo(
        folder, quick=quick, say=_say_step, on_first_look=lambda first: _say_first(first, quick)
    )
    result = done.to_json()
    if as_json:
        print_json(result)
    if not quick:
        _say_result(result)
    say(NEXT)
    if quick:
        say("The same command without --quick also makes clips, trains and measures.")


def _say_step(text: str) -> None:
    say(f"  {text}")


def _say_first(found: Recognized, quick: bool) -> None:
    first = found.to_json()
    matches = first["matches"]
    say()
    rows = [
        [
            event["label"],
            f"{event['onset_s']:.1f} s",
            f"{event['offset_s']:.1f} s",
            f"{event['score']:.2f}",
        ]
        for event in first["recording"]["events"]
    ]
    say_table(["event", "from", "to", "score"], rows)
    say(
        f"{matches['n_found']} of {matches['n_true']} true events found, {matches['n_false']} "
        f"false, in {first['wall_s']:.0f} s; the recording was chosen to show something"
    )
    say()
    _say_paths(first["paths"])
    say()
    if not quick:
        say("Now all of it from nothing, about 5 minutes; Ctrl-C stops, the same command goes on")


def _say_result(result: dict[str, Any]) -> None:
    test, matches = result["test"], result["matches"]
    say()
    rows = [
        ["test accuracy (synthetic clips)", format_interval(test["accuracy"])],
        ["test AUC (synthetic clips)", format_interval(test["auc"])],
        ["test clips, scenes", f"{test['n_clips']}, {test['n_groups']}"],
        ["shortcut baseline, accuracy", f"{test['baseline']['accuracy']:.3f}"],
        [
            "true events found in the synthetic recording",
            f"{matches['n_found']} of {matches['n_true']}",
        ],
        ["false events in it", matches["n_false"]],
        ["minutes", f"{result['wall_s'] / 60:.1f}"],
    ]
    say_table(["what", "value"], rows)
    say()
    _say_paths(result["paths"])
    say("Synthetic clips show that all of it works; figures on them do not hold for real people.")
    say()


def _say_paths(paths: dict[str, str]) -> None:
    say_table(["look at", "where"], list(paths.items()))
