"""`har convert`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from har.cli.common import PATH, guard_option, json_option, map_option
from har.cli.output import print_json, say, say_table
from har.progress import format_count


def _parse_columns(_: object, __: object, texts: Sequence[str]) -> dict[str, str]:
    """Read ``FIELD=COLUMN``, several in one text by commas, too."""
    columns: dict[str, str] = {}
    for text in (part for item in texts for part in item.split(",")):
        field, equals, column = text.partition("=")
        if not equals or not field.strip() or not column.strip():
            raise click.BadParameter(
                f"expected FIELD=COLUMN such as start=Onset, received {text!r}"
            )
        columns[field.strip().lower()] = column.strip()
    return columns


@click.command()
@click.argument("sources", nargs=-1, required=True, type=PATH)
@click.argument("out", type=PATH)
@click.option("--from", "source_format", help="Format of the sources, if it is not found.")
@click.option("--to", "out_format", help="Format of OUT, if its ending is not enough.")
@click.option(
    "--columns",
    multiple=True,
    metavar="FIELD=COLUMN",
    callback=_parse_columns,
    help="Which column of a table is which, such as start=Onset,end=Offset,label=Code.",
)
@click.option("--fps", type=float, help="Frames a second, for formats that count frames.")
@click.option("--video", default="", help="The video of all events, where a file names none.")
@click.option("--points", type=float, help="Seconds that point events get; else they stay points.")
@click.option("--replace", is_flag=True, help="Write over OUT where it is a file that exists.")
@guard_option
@map_option
@json_option
def convert(
    sources: tuple[Path, ...], out: Path, replace: bool, as_json: bool, **options: Any
) -> None:
    """Turn coded events of one tool into those of another: BORIS, ELAN, tables and more.

    SOURCES are files or folders of them, also the results.json of 'har predict'; all go into OUT.
    """
    import har
    from har.errors import OutputError

    if out.is_file() and not replace:
        raise OutputError(
            f"{out} exists already, and what was coded in it would be lost; give OUT, the last "
            "name, another one, or add --replace"
        )
    done = har.convert(sources, out, **options)
    values = done.to_json()
    if as_json:
        print_json(values)
    say_table(["label", "events"], list(values["labels"].items()))
    for note in done.notes:
        say(note)
    place = f"{out} (a folder, with a file for each video)" if out.is_dir() else str(out)
    say(
        f"{format_count(values['n_events'], 'event')} of "
        f"{format_count(values['n_videos'], 'video')}: {place}"
    )
