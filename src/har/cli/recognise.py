"""`har predict`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from har.cli.common import json_option, print_json, say, say_table
from har.contract import BUNDLE_FILE
from har.errors import BundleNotFoundError, ConfigError, VideoError

if TYPE_CHECKING:
    from har.config import DecodeConfig
    from har.contract import BundleInfo
    from har.inference.recording import VideoResult

DEFAULT_BUNDLES = (Path("models/har"), Path("demo/models/har"))


@click.command()
@click.argument("videos", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--bundle",
    type=click.Path(path_type=Path),
    help="A trained model's folder.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("results/predict"),
    show_default=True,
    help="Events, scores, timeline and annotated video of each video.",
)
@click.option("--annotate", is_flag=True, help="Write an annotated video of each, too.")
@json_option
def predict(
    videos: tuple[Path, ...], bundle: Path | None, out: Path, annotate: bool, as_json: bool
) -> None:
    """Recognise actions in videos or folders of videos, and say when they happen."""
    from har.config import PredictConfig
    from har.dataset.catalog import Reject
    from har.inference.outputs import compute_output_stems, to_json, write_events_csv, write_json
    from har.inference.recording import VideoResult, find_videos, iter_results
    from har.runtime.recognizer import Recognizer

    for video in videos:
        if (video / BUNDLE_FILE).is_file():
            raise ConfigError(f"{video} is a bundle, no video; name it with --bundle {video}")
    bundle = bundle or find_bundle()
    recognizer = Recognizer(bundle)
    _say_bundle(bundle, recognizer.info)
    paths, rejects = find_videos(videos)
    stems = compute_output_stems(paths)
    results, outcomes = [], list[VideoResult | Reject](rejects)
    with _Speed() as speed:
        config = PredictConfig(keep_people=annotate)
        found = iter_results(recognizer, paths, config=config, progress=speed.update)
        for stem, outcome in zip(stems, found, strict=True):
            outcomes.append(outcome)
            if isinstance(outcome, VideoResult):
                results.append(outcome)
                _write_pictures(out / stem, outcome, recognizer.info.decode, annotate)
    write_events_csv(out / "events.csv", results)
    write_json(out / "results.json", outcomes)
    if as_json:
        print_json(to_json(outcomes))
    if results:
        _say_results(results, recognizer.has_pose, out)
    for outcome in outcomes:
        if isinstance(outcome, Reject):
            say(f"Left out {outcome.path}: {outcome.reason}")
    if not results:
        raise VideoError("None of the videos could be recognised; see the reasons above")


def find_bundle() -> Path:
    """Gives the bundle that is used when none is named: one's own, else the demo's.

    Raises:
        BundleNotFoundError: There is neither.
    """
    for path in DEFAULT_BUNDLES:
        if (path / BUNDLE_FILE).is_file():
            return path
    raise BundleNotFoundError(
        f"No bundle was named and there is none in {' or '.join(map(str, DEFAULT_BUNDLES))}; "
        "train one with 'har train all', try 'har demo', or name one with --bundle"
    )


_STREAMS = {
    "motion": "motion in the picture",
    "pose": "people's keypoints; where nobody is seen well enough it says that it cannot tell",
    "both": "motion in the picture and people's keypoints",
}


def _say_bundle(bundle: Path, info: BundleInfo) -> None:
    made = "; it has learnt from made clips only" if info.made_data else ""
    say(f"Bundle {bundle}: {', '.join(info.labels)}, trained up to stage {info.stage}{made}")
    say(f"It looks at {_STREAMS[info.streams]}")
    decode = info.decode
    background = f"; {decode.background} is background and makes none" if decode.background else ""
    say(f"Events start at a score of {decode.onset:g}, end under {decode.offset:g}{background}")


def _write_pictures(base: Path, result: VideoResult, decode: DecodeConfig, annotate: bool) -> None:
    from har.inference.annotate import write_annotated
    from har.inference.outputs import save_scores
    from har.inference.pictures import write_timeline

    save_scores(base.with_name(f"{base.name}.scores.csv"), result.scores)
    write_timeline(base.with_name(f"{base.name}.timeline.png"), result, decode)
    if annotate:
        write_annotated(base.with_name(f"{base.name}.annotated.mp4"), result, decode)


def _say_results(results: list[VideoResult], knows_people: bool, out: Path) -> None:
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
        header += ["subjects", "targets", "cannot tell"]
        for row, result in zip(rows, results, strict=True):
            row.append(sum(event.subject > 0 for event in result.events))
            row.append(sum(event.target > 0 for event in result.events))
            row.append(f"{result.unknown_share:.0%}")
    say_table(header, rows)
    if knows_people:
        say("subjects, targets: events of which it is known who acts, and on whom")
    for result in results:
        if result.note:
            say(f"{result.info.path}: {result.note}")
    say(f"Events, scores and timelines: {out}")


class _Speed:
    """A bar of seconds of video, with the speed in times real time."""

    def __enter__(self) -> _Speed:
        from tqdm import tqdm

        shape = "{n:.0f} s of video in {elapsed} {postfix}"
        self._bar = tqdm(bar_format=shape, leave=False, mininterval=0.5)
        self._last_s = 0.0
        return self

    def update(self, done_s: float, total_s: float | None) -> None:
        """Moves the bar to a time of the video that is read."""
        step_s = done_s - self._last_s if done_s >= self._last_s else done_s
        self._last_s = done_s
        if total_s is not None:
            self._bar.set_postfix_str(f"{done_s:.0f} of {total_s:.0f} s", refresh=False)
        self._bar.update(step_s)

    def __exit__(self, *_: object) -> None:
        self._bar.close()
