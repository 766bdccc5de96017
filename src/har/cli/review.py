"""`har review`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from har.cli.common import PATH, path_option, privacy_options
from har.cli.output import say_result


@click.command()
@click.argument("sources", nargs=-1, required=True, type=PATH)
@click.option(
    "--db",
    "database",
    help="Database of the verdicts: sqlite:///FILE or postgresql+psycopg://...  "
    "[default: review.db in the first folder]",
)
@path_option("--coding", help="A coding to show beside the model's events, in any format.")
@path_option("--bundle", "model", help="Recognizes videos first, and is what Learn starts from.")
@click.option(
    "--background", default="", help="Label of rejected events where the model has none of its own."
)
@click.option(
    "--samples",
    default=3,
    show_default=True,
    help="Random samples of each recording to watch for what was missed.",
)
@click.option("--sample-s", default=20.0, show_default=True, help="Seconds of one.")
@click.option("--seed", default=0, show_default=True, help="Draws the samples.")
@privacy_options()
@click.option("--port", default=0, help="On this machine's loopback; 0 takes a free one.")
@click.option("--open", "open_browser", is_flag=True, help="Open the page in a browser.")
def review(sources: tuple[Path, ...], **options: Any) -> None:
    """Look at what was found and mend it, in a browser on this machine.

    SOURCES are folders that 'har predict' wrote, folders of 'har watch', whose alerts come into the
    same queue, or videos, which are recognized first. The page is reached from this machine only,
    by the address that is printed. It runs until Ctrl+C.
    """
    import har

    har.open_review(sources, on_start=_say_address, **options)


def _say_address(address: str) -> None:
    say_result(f"Review: {address}")
