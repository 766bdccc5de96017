"""`har forget`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from har.cli.common import PATH, json_option
from har.cli.output import print_json, say, say_table, warn


@click.command()
@click.argument("folders", nargs=-1, required=True, type=PATH)
@click.option("--subject", default="", metavar="ID", help="A person, also as a group of clips.")
@click.option("--video", default="", help="A recording: its path, or its name alone.")
@click.option("--before", metavar="DATE", help="What was written before, such as 2025-07-01.")
@click.option("--dry-run", is_flag=True, help="Remove nothing; say what would be.")
@click.option("--db", "database", help="URL of a review's database that is not below FOLDERS.")
@json_option
def forget(folders: tuple[Path, ...], as_json: bool, **options: Any) -> None:
    """Remove a person or a recording from all that har has written.

    Pictures, keypoints, scores, events and verdicts go, everywhere below FOLDERS: of prepared
    clips, results, recorded takes, alerts and reviews. Links are not followed. One of --subject,
    --video and --before is needed.

    Videos that har has not written stay, and so do models; what is left is listed.
    """
    import har

    done = har.forget(folders, **options)
    if as_json:
        print_json(done.to_json())
        return
    if not done.removed:
        say("Nothing of it was found")
    else:
        rows = [[item.kind, item.path, item.what] for item in done.removed]
        say_table(["would go" if done.is_dry else "gone", "file", "what of it"], rows)
    for item in done.left:
        warn(f"Left: {item.path} ({item.kind}): {item.what}")
