"""`har predict`."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import (
    PATH,
    cluster_options,
    decode_option,
    exact_option,
    format_engines,
    guard_option,
    json_option,
    parse_shard,
    path_option,
    poses_options,
    precision_option,
    privacy_options,
    read_file_list,
    set_option,
    use_streams_option,
)
from har.cli.events import say_totals
from har.cli.output import print_json, say, say_table, warn
from har.config import FetchConfig
from har.errors import VideoError
from har.progress import ProgressBar, format_duration

if TYPE_CHECKING:
    from har import DecodeConfig, Model, Result
    from har.inference.folder import Standing


class SpeedBar:
    """Print what a run starts with, then show its standing, inside its ``with`` block."""

    def __init__(self) -> None:
        self._bar: ProgressBar | None = None
        self._began_s = 0.0

    def __enter__(self) -> SpeedBar:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def start(self, model: Model, decode: DecodeConfig) -> None:
        """Print what the model is and open the bar."""
        _say_model(model, decode)
        self._bar, self._began_s = ProgressBar(1.0, "recognizing"), time.monotonic()

    def show(self, standing: Standing) -> None:
        """Move the bar."""
        if self._bar is not None:
            self._bar.note(format_standing(standing, time.monotonic() - self._began_s))
            self._bar.move_to(standing.share)


def format_standing(standing: Standing, elapsed_s: float) -> str:
    """Return what a bar says beside itself.

    >>> from har.inference.folder import Standing
    >>> format_standing(Standing(done_s=600.0, share=0.25, n_done=1, n_videos=3), 30.0)
    '10:00 of video, 20.0x real time, 1:30 left, 1 of 3 videos'
    """
    parts = [f"{format_duration(standing.done_s)} of video"]
    if elapsed_s > 0:
        parts.append(f"{standing.done_s / elapsed_s:.1f}x real time")
    if standing.share > 0:
        parts.append(f"{format_duration(elapsed_s * (1 / standing.share - 1))} left")
    if standing.n_videos > 1:
        parts.append(f"{standing.n_done} of {standing.n_videos} videos")
    return ", ".join(parts)


@click.command()
@click.argument("videos", nargs=-1, required=True, type=PATH, callback=read_file_list)
@path_option(
    "--bundle",
    "model",
    help="A trained model's folder, or the name of one that comes with har.  "
    "[default: models/har, else fight]",
)
@use_streams_option
@path_option(
    "--out",
    default="results/predict",
    help="Events, scores, timeline and annotated video of each video.",
)
@click.option("--annotate", is_flag=True, help="Write an annotated video of each, too.")
@click.option("--thumbnails", is_flag=True, help="Write a picture of each event, too.")
@privacy_options()
@click.option(
    "--keep",
    multiple=True,
    type=click.Choice(["keypoints", "features"]),
    help="keypoints: write people's keypoints of each, and nothing that shows people; features: "
    "write what the frame CNN gives, for models with another head. Once each.",
)
@poses_options("--size")
@decode_option
@set_option
@exact_option
@precision_option
@click.option(
    "--jobs",
    type=int,
    default=0,
    show_default=True,
    help="Cores to use, and videos at once where there are several; 0 means all.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Also do videos anew whose files are there from the same settings.",
)
@click.option(
    "--to",
    help="Write all events in this format, too: boris, elan, csv and others of 'har convert'.",
)
@click.option(
    "--parquet",
    is_flag=True,
    help="Write all events and scores in --out as Parquet, too, for DuckDB, pandas and Spark.",
)
@click.option(
    "--shard",
    metavar="I/N",
    callback=lambda _, __, text: parse_shard(text),
    help="Do part I of N of the videos only, for job arrays; all may share --out.",
)
@cluster_options
@path_option("--scratch", help="Where videos of object stores lie while they are worked on.")
@click.option(
    "--max-gb",
    type=float,
    default=FetchConfig.max_gb,
    show_default=True,
    help="Larger files of object stores are left out.",
)
@guard_option
@json_option
def predict(videos: tuple[Path, ...], out: Path, as_json: bool, **options: Any) -> None:
    """Recognize actions in videos or folders of videos, and when they happen.

    Keypoints of other tools (DeepLabCut, SLEAP, OpenPose, COCO, MediaPipe, .npz) may stand where a
    video does, for models with a pose stream, and so may features that --keep features wrote, for
    models with the same frame CNN.

    Videos may be in an object store: s3://BUCKET/FOLDER, gs://BUCKET/a.mp4.

    With - for a video, files are read from standard input, one a line or separated by NUL.

    With --on ray the machines of a Ray cluster do it, with --shard a job of many its part.

    A run that was stopped goes on: videos that are done, and have not changed since, are passed
    over, unless the bundle or the settings are other ones.
    """
    import har

    with SpeedBar() as bar:
        found = har.predict(videos, out=out, on_start=bar.start, progress=bar.show, **options)
    if as_json:
        print_json(found.to_json())
    if found.recognized:
        _say_results(found.recognized, found.model.info.pose is not None)
        say_totals(found.totals)
        say(f"Events, scores and timelines: {out}")
    if found.n_unchanged:
        n_found = len(found.stems)
        say(f"{found.n_unchanged} of {n_found} were done before and have not changed; see --again")
    if not found.results:
        say("None of the videos are in this shard")
    elif not found.recognized:
        raise VideoError("None of the videos could be recognized; see the reasons above")


_MOST_NAMED = 5
_USUAL_ENGINE = "onnxruntime fp32"
_STREAMS = {
    "motion": "motion in the picture",
    "pose": "people's keypoints; uncertain where nobody is seen well enough",
    "both": "motion in the picture and people's keypoints",
}


def _say_model(model: Model, decode: DecodeConfig) -> None:
    info = model.info
    synthetic = "; it has learned from synthetic clips only" if info.synthetic_data else ""
    say(
        f"Model {model.path}: {', '.join(info.labels)}, trained up to stage {info.stage}{synthetic}"
    )
    say(f"Input: {_STREAMS[info.stream_names]}")
    if (text := format_engines(model.engines)) != _USUAL_ENGINE:
        say(f"Engine: {text}")
    background = f"; {decode.background} is background and makes none" if decode.background else ""
    own = f"; rules of their own: {', '.join(decode.labels)}" if decode.labels else ""
    say(
        f"Events start at a score of {decode.onset:g}, end under {decode.offset:g}{background}{own}"
    )


def _format_speed(speed: float) -> str:
    return f"{speed:.0f}x" if speed >= 10 else f"{speed:.1f}x"


def _say_results(results: Sequence[Result], knows_people: bool) -> None:
    header = ["video", "length", "label", "prob", "events", "speed"]
    rows: list[list[object]] = [
        [
            result.info.path.name,
            f"{result.duration_s:.1f} s",
            result.label,
            f"{result.prob:.2f}",
            len(result.events),
            _format_speed(result.duration_s / max(result.wall_s, 1e-9)),
        ]
        for result in results
    ]
    if knows_people:
        header += ["subjects", "targets", "uncertain"]
        for row, result in zip(rows, results, strict=True):
            row.append(sum(event.subject > 0 for event in result.events))
            row.append(sum(event.target > 0 for event in result.events))
            row.append(f"{result.uncertain_share:.0%}")
    say_table(header, rows)
    if knows_people:
        say("subjects, targets: events of which it is known who acts, and on whom")
    for note in dict.fromkeys(result.note for result in results if result.note):
        paths = [str(result.info.path) for result in results if result.note == note]
        more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
        warn(f"{', '.join(paths[:_MOST_NAMED])}{more}: {note}")
