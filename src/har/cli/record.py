"""`har record`."""

from __future__ import annotations

import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from har.cli.common import PATH, json_option
from har.cli.output import print_json, say, say_table
from har.config import CaptureConfig, Posture
from har.errors import ConfigError
from har.progress import format_count

if TYPE_CHECKING:
    from har.capture.session import CaptureResult

SAFETY = """\
Before you begin
  - Adults only, and only those who want to. Everyone in the picture has agreed to be filmed.
  - Taps are soft: flat hand or loose fist, no force, nothing that leaves a mark. Never on an eye,
    the throat or a sore place. Leave out whatever you do not like.
  - Stop at once at any pain or unease: Ctrl-C ends the session, what is kept stays.
  - Nothing leaves this machine. Clips and pictures of you are in {out}.
    'har record {out} --delete PERSON' deletes all that someone is in.
  - --person, --partner and --place are ids such as p1: do not use real names.
"""


_FIGURE = re.compile(r" \(\.?\d[\d.]*\)")
"""A score in a reason: takes that were left out alike are told together."""


@click.command()
@click.argument("out", type=PATH)
@click.option(
    "--source",
    default="0",
    show_default=True,
    help="Number of a camera, or a film of the script that --list prints.",
)
@click.option("--person", default=CaptureConfig.person, show_default=True, help="Id; no real name.")
@click.option("--place", default=CaptureConfig.place, show_default=True, help="Id of the room.")
@click.option("--partner", default="", help="Id of a second person; adds takes of two people.")
@click.option(
    "--only",
    "postures",
    multiple=True,
    type=click.Choice(get_args(Posture)),
    help="Part of the session; can be given again for a second part.",
)
@click.option(
    "--ready",
    "ready_s",
    default=CaptureConfig.ready_s,
    show_default=True,
    help="Seconds to read what to do.",
)
@click.option("--seed", default=CaptureConfig.seed, show_default=True, help="Draws the order.")
@click.option("--list", "lists", is_flag=True, help="Print the script with its times, and end.")
@click.option("--delete", metavar="PERSON", help="Delete every take someone is in, and end.")
@json_option
def record(
    out: Path, source: str, lists: bool, delete: str | None, as_json: bool, **options: Any
) -> None:
    """Record a first test set of your own: soft staged taps and everyday gestures.

    Leads a willing adult through some 66 takes of four seconds before a webcam (a quarter of an
    hour; 84 takes with a partner), checks at once that people and hands are seen, and writes
    labeled clips with one manifest in OUT. Run again, it records only what is missing; run with
    another --person or --place, it adds to OUT. The person with the place is the group.

    Soft taps only, adults only, stop at any pain. Staged taps by adults show whether the software
    sees hands that go to the body; they are not the behavior of anyone in need.
    """
    if delete is not None:
        _delete(out, delete, as_json)
        return
    options["postures"] = options["postures"] or CaptureConfig.postures
    config = CaptureConfig(**options)
    if lists:
        _list(config, as_json)
        return
    say(SAFETY.format(out=out))
    result = _run(out, source, options)
    if as_json:
        print_json(result.to_json())
    _say_result(result, out)


def _delete(out: Path, person: str, as_json: bool) -> None:
    from har.capture.folder import delete_person

    gone = delete_person(out, person)
    if as_json:
        print_json({"deleted": [row.path for row in gone]})
    say(
        f"Deleted {format_count(len(gone), 'clip')} with {person} and the sheets of their sessions."
    )
    say("Delete as well any store that 'har prepare' made of them, and backups.")


def _list(config: CaptureConfig, as_json: bool) -> None:
    from har.capture.script import PART_WORDS, plan_slots

    slots = plan_slots(config)
    if as_json:
        print_json(
            [
                {"start_s": slot.start_s, "end_s": slot.end_s, "take": slot.take.name}
                | {"label": slot.take.label, "cue": slot.take.cue}
                for slot in slots
            ]
        )
        return
    posture = ""
    for slot in slots:
        if slot.take.posture != posture:
            posture = slot.take.posture
            click.echo(f"\n{PART_WORDS[posture]}\n")
        click.echo(f"{_clock(slot.start_s)} to {_clock(slot.end_s)}  {slot.take.cue}")
    say()
    say("Start the film and the clock together, do each take within its time, do not cut the film.")
    say(
        "Then give it with --source FILM and the same --person, --partner, --only, --ready, --seed."
    )


def _clock(time_s: float) -> str:
    return f"{int(time_s // 60):02d}:{time_s % 60:04.1f}"


def _run(out: Path, source: str, options: dict[str, Any]) -> CaptureResult:
    import har

    if source.isdecimal():
        if not sys.stdin.isatty():
            raise ConfigError(
                "A camera session talks with you: run it in a terminal, or give a film"
            )
        question = "All this is so, and everyone in the picture is willing"
        click.confirm(question, abort=True, err=True)
    return har.record(out, source, **options, guide=_Terminal(), on_start=_say_enlarge)


def _say_enlarge() -> None:
    say("Enlarge the letters of this window so that they can be read from where you stand.")


class _Terminal:
    """Tells people on standard error; lines that are replaced and sounds only on a terminal."""

    def __init__(self) -> None:
        self._is_terminal = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self.show("")
        say(text)

    def show(self, text: str) -> None:
        """Show a line that the next one replaces, cut to the terminal's width."""
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            click.echo(f"\r\x1b[K{text[:width]}", nl=False, err=True)

    def ring(self) -> None:
        """Ring the terminal's bell."""
        if self._is_terminal:
            click.echo("\a", nl=False, err=True)

    def wait(self, text: str) -> None:
        """Show a line and wait for Enter."""
        self.say(f"\n{text}")
        say("Press Enter when you are ready, then take your place; Ctrl-C ends the session.")
        sys.stdin.readline()


def _say_result(result: CaptureResult, out: Path) -> None:
    values = result.to_json()
    say(
        f"{values['n_there']} of {values['n_takes']} takes of this session are there, "
        f"{values['n_new']} of them new; {len(result.refused)} were left out"
    )
    reasons = [re.sub(_FIGURE, "", item.reason) for item in result.refused]
    for reason, number in Counter(reasons).most_common():
        taken = zip(result.refused, reasons, strict=True)
        names = [item.take for item, own in taken if own == reason]
        more = f" and {number - 3} more" if number > 3 else ""
        say(f"  {reason}: {', '.join(names[:3])}{more}")
    whole: dict[str, Any] = values["all"]
    say(
        f"All sessions: {format_count(whole['n_clips'], 'clip')}, "
        f"{format_count(whole['n_groups'], 'group')}"
    )
    if not whole["n_clips"]:
        return
    say_table(["class", "clips"], list(whole["labels"].items()))
    if result.sheet is not None:
        say(f"Look at what was kept: {result.sheet}")
    store = out / ".store"
    say("Next, to measure a bundle on these takes, or to train it further on them:")
    say(f"  har prepare {out} --store {store}")
    say(f"  har evaluate BUNDLE --store {store} --split all")
    say(f"  har train all --store {store} --from BUNDLE --out models/mine")
