"""`har predict`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import extra, json_option, print_json, say, say_table
from har.contract import BUNDLE_FILE
from har.errors import BundleNotFoundError, VideoError

if TYPE_CHECKING:
    from har.inference.recording import VideoResult
    from har.runtime.recognizer import Recognizer

DEFAULT_BUNDLES = (Path("models/har"), Path("demo/models/har"))


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--bundle", type=click.Path(path_type=Path), help="A trained model's folder.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("results/predict"),
    show_default=True,
    help="Events, scores, timeline and annotated video of each video.",
)
@click.option("--annotate", is_flag=True, help="Also write an annotated video.")
@json_option
def predict(
    videos: tuple[Path, ...], bundle: Path | None, out: Path, annotate: bool, as_json: bool
) -> None:
    """Recognise actions in videos or folders of videos, and say when they happen."""
    from har.inference.recording import find_videos
