"""`har predict`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from har.bundle import BUNDLE_FILE, find_bundle
from har.cli.common import (
    build_decode,
    decode_option,
    json_option,
    print_json,
    read_file_list,
    say,
    say_table,
    set_option,
)
from har.cli.events import say_totals
from har.cli.output import warn
from har.errors import ConfigError, VideoError
from har.progress import ProgressBar, format_duration

if TYPE_CHECKING:
    from har.bundle import BundleInfo
    from har.config import DecodeConfig
    from har.inference.folder import Standing
    from har.result import VideoResult


class SpeedBar(ProgressBar):
    """Shows a run's standing."""

    def __init__(self) -> None:
        super().__init__(1.0, "recognizing")
        self._began_s = time.monotonic()

    def show(self, standing: Standing) -> None:
        """Move the bar."""
        self.note(format_standing(standing, time.monotonic() - self._began_s))
        self.move_to(standing.share)


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
@click.argument(
    "videos", nargs=-1, required=True, type=click.Path(path_type=Path), callback=read_file_list
)
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help="A trained model's folder, or the name of one that comes with har.  "
    "[default: models/har, else fight]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("results/predict"),
    show_default=True,
    help="Events, scores, timeline and annotated video of each video.",
)
@click.option("--annotate", is_flag=True, help="Write an annotated video of each, too.")
@click.option("--thumbnails", is_flag=True, help="Write a picture of each event, too.")
@decode_option
@set_option
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
@json_option
def predict(
    videos: tuple[Path, ...],
    bundle: Path | None,
    out: Path,
    annotate: bool,
    thumbnails: bool,
    rules: Path | None,
    changes: tuple[str, ...],
    jobs: int,
    again: bool,
    as_json: bool,
) -> None:
    """Recognize actions in videos or folders of videos, and say when they happen.

    With - for a video, files are read from standard input, one a line or separated by NUL.

    A run that was stopped goes on: videos that are done, and have not changed since, are passed
    over, unless the bundle or the settings are other ones.
    """
    from har.bundle import load_info
    from har.config import OutputsConfig, PredictConfig
    from har.dataset.catalog import Reject
    from har.events.decoder import check_labels
    from har.inference.folder import Plan, VideoJob, recognize_folder
    from har.inference.video import find_videos
    from har.reports import results as outputs
    from har.result import VideoResult

    for video in videos:
        if (video / BUNDLE_FILE).is_file():
            raise ConfigError(f"{video} is a bundle, no video; name it with --bundle {video}")
    bundle = find_bundle(bundle)
    info = load_info(bundle)
    decode = build_decode(info.decode, rules, changes)
    check_labels(info.labels, decode)
    _say_bundle(bundle, info, decode)
    paths, rejects = find_videos(videos)
    stems = outputs.compute_output_stems(paths, outputs.find_taken_stems(out))
    jobs_of = [VideoJob(path, out / stem) for path, stem in zip(paths, stems, strict=True)]
    wants = OutputsConfig(annotate, thumbnails)
    plan = Plan(
        bundle,
        write=partial(outputs.write_video_outputs, decode=decode, outputs=wants),
        outputs=str(wants),
        config=PredictConfig(keep_places=annotate or thumbnails, jobs=jobs),
        decode=decode,
    )
    with SpeedBar() as bar:
        found = {
            item.job: item for item in recognize_folder(plan, jobs_of, again, progress=bar.show)
        }
    finished = [found[job] for job in jobs_of]
    outcomes = [*rejects, *(item.outcome for item in finished)]
    results = [outcome for outcome in outcomes if isinstance(outcome, VideoResult)]
    by_path = {job.path: job.base.name for job in jobs_of}
    outputs.write_folder_outputs(out, outcomes, by_path, decode)
    if as_json:
        print_json(outputs.to_json(outcomes, by_path, decode))
    if results:
        _say_results(results, info.pose is not None)
        say_totals(outputs.add_up(results, decode))
        say(f"Events, scores and timelines: {out}")
    if n_kept := sum(item.is_kept for item in finished):
        say(f"{n_kept} of {len(finished)} were done before and have not changed; see --again")
    for outcome in outcomes:
        if isinstance(outcome, Reject):
            warn(f"Left out {outcome.path}: {outcome.reason}")
    if not results:
        raise VideoError("None of the videos could be recognized; see the reasons above")


_STREAMS = {
    "motion": "motion in the picture",
    "pose": "people's keypoints; where nobody is seen well enough it says that it is uncertain",
    "both": "motion in the picture and people's keypoints",
}


def _say_bundle(bundle: Path, info: BundleInfo, decode: DecodeConfig) -> None:
    made = "; it has learnt from synthetic clips only" if info.synthetic_data else ""
    say(f"Bundle {bundle}: {', '.join(info.labels)}, trained up to stage {info.stage}{made}")
    say(f"It looks at {_STREAMS[info.stream_names]}")
    background = f"; {decode.background} is background and makes none" if decode.background else ""
    own = f"; rules of their own: {', '.join(decode.labels)}" if decode.labels else ""
    say(
        f"Events start at a score of {decode.onset:g}, end under {decode.offset:g}{background}{own}"
    )


def _say_results(results: list[VideoResult], knows_people: bool) -> None:
    header = ["video", "length", "label", "prob", "events", "speed"]
    rows: list[list[object]] = [
        [
            result.info.path.name,
            f"{result.duration_s:.1f} s",
            result.label,
            f"{result.prob:.2f}",
            len(result.events),
            f"{result.duration_s / max(result.wall_s, 1e-9):.0f}x",
        ]
        for result in results
    ]
    if knows_people:
        header += ["subjects", "targets", "is uncertain"]
        for row, result in zip(rows, results, strict=True):
            row.append(sum(event.subject > 0 for event in result.events))
            row.append(sum(event.target > 0 for event in result.events))
            row.append(f"{result.uncertain_share:.0%}")
    say_table(header, rows)
    if knows_people:
        say("subjects, targets: events of which it is known who acts, and on whom")
    for result in results:
        if result.note:
            say(f"{result.info.path}: {result.note}")
