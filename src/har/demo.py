"""A first look at a shipped model, then all of it from nothing: on synthetic recordings and clips.

`take_first_look` needs no training packages and is done within a minute; `learn_from_clips` makes
clips, prepares them, trains, measures and recognizes a recording with what it has trained.
"""

from __future__ import annotations

import base64
import csv
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from har.bundle_files import find_bundle
from har.config import (
    RECIPES,
    DecodeConfig,
    OutputsConfig,
    PredictConfig,
    PrepareConfig,
    SynthConfig,
    TrainConfig,
    update_config,
)
from har.events.matching import compute_ious
from har.files import add_ending
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.progress import Say
from har.render.sheet import write_synthetic_sheet
from har.render.text import encode_picture
from har.render.thumbnails import find_peak_s
from har.render.timeline import draw_timeline
from har.reports.results import write_video_outputs
from har.result import VideoResult
from har.synthetic.clips import write_clips
from har.synthetic.recordings import write_recordings
from har.types import Event
from har.video.file.reader import open_video

if TYPE_CHECKING:
    from har.inference.clips import EvaluationResult

SHIPPED = "three-class"
FIRST = SynthConfig(n_recordings=1, recording_min=0.5, size=(540, 720), variety=0.0, seed=21)
"""The recording of the first look: one of some dozens, taken because there is much to see in it."""

FIRST_RULES = {"hitting_self": {"onset": 0.3, "offset": 0.2}}
"""The shipped thresholds hardly ever find hitting oneself; these show what it looks like found."""

CLIPS = SynthConfig(n_clips=420, n_scenes=70, n_recordings=1, recording_min=1.0, variety=0.0)
PICTURES = PrepareConfig(long_side=128)


@dataclass(frozen=True)
class Matches:
    """Events against the truth of a recording: one that overlaps an act of its label is right.

    Attributes:
        n_true: Acts that should be found.
        n_found: Those that an event of their label overlaps.
        n_false: Events that overlap no act of their label.
    """

    n_true: int
    n_found: int
    n_false: int


@dataclass(frozen=True)
class Recognized:
    """A synthetic recording, what was found in it, and where the files are."""

    recording: VideoResult
    matches: Matches
    paths: dict[str, Path]
    wall_s: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "recording": self.recording.to_json(),
            "matches": asdict(self.matches),
            "paths": {name: str(path) for name, path in self.paths.items()},
            "wall_s": round(self.wall_s, 1),
        }


@dataclass(frozen=True)
class DemoResult:
    """What a model measures that was trained on synthetic clips, and what it finds."""

    test: EvaluationResult
    found: Recognized

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"test": self.test.to_json(), **self.found.to_json()}


def take_first_look(folder: Path, say: Say) -> Recognized:
    """Draw a short recording, recognize it with a shipped model, and write all that shows it.

    Args:
        folder: Gets ``first_look/`` and ``results/first_look.*``; a recording that is there from
            an earlier run is not drawn again.
        say: Told of each step before it begins.
    """
    began_s = time.perf_counter()
    say(f"drawing a recording of {60 * FIRST.recording_min:.0f} s (about 10 s)")
    truth = write_recordings(folder / "first_look", FIRST, jobs=1)
    say(f"recognizing it with the shipped model {SHIPPED!r}, drawing what it found (about 20 s)")
    base = folder / "results" / "first_look"
    recognizer = Recognizer(find_bundle(Path(SHIPPED)))
    decode = replace(recognizer.info.decode, labels=FIRST_RULES)
    found = _recognize(recognizer, truth, base, began_s, decode)
    picture = add_ending(base, ".svg")
    write_glance(picture, found.recording, found.paths["annotated video"], decode)
    return Recognized(
        found.recording,
        found.matches,
        {"picture": picture, **found.paths},
        time.perf_counter() - began_s,
    )


def learn_from_clips(folder: Path, say: Say, progress: bool = True) -> DemoResult:
    """Make clips, prepare them, train all stages, measure, recognize another recording.

    Args:
        folder: Gets everything; a second run in it only does what is missing.
        say: Told of each step before it begins, with about how long it takes on two cores.
        progress: Show progress bars.
    """
    from har.dataset.prepare import prepare
    from har.dataset.store import Store
    from har.inference.clips import evaluate_bundle
    from har.reports.store import write_report
    from har.training.run import Run
    from har.training.stages import train_all

    began_s = time.perf_counter()
    say(f"1/5 making {CLIPS.n_clips} labeled clips and a recording (about 1 minute)")
    manifest = write_clips(folder / "data", CLIPS, progress=progress)
    write_synthetic_sheet(folder / "data" / "sheet.png", manifest)
    truth = write_recordings(folder / "recordings", CLIPS, progress=progress)
    say("2/5 preparing the clips: read, checked, split by scene (some seconds)")
    prepared = prepare(manifest, folder / "store", PICTURES, progress)
    write_report(prepared.report, prepared.store)
    store = Store.load(folder / "store")
    say("3/5 training the CNN, then the LSTM, then both together (about 3 minutes)")
    run = Run(folder / "models" / "har", folder / "results", None, progress, say)
    train_all(update_config(TrainConfig(), RECIPES["tiny"]), store, run)
    say("4/5 measuring on test clips, of scenes that training has not met (some seconds)")
    test = evaluate_bundle(run.bundle_dir, store, "test", progress)
    page = test.save(folder / "results" / "evaluate")
    say("5/5 recognizing the recording with the new model (some seconds)")
    recognizer, base = Recognizer(run.bundle_dir), folder / "results" / "recording"
    found = _recognize(recognizer, truth, base, began_s, recognizer.info.decode)
    paths = {
        "clips": folder / "data" / "sheet.png",
        "graphs": folder / "results",
        "report": page,
        **found.paths,
        "model": run.bundle_dir,
    }
    wall_s = time.perf_counter() - began_s
    return DemoResult(test, Recognized(found.recording, found.matches, paths, wall_s))


def _recognize(
    recognizer: Recognizer, truth: Path, base: Path, began_s: float, decode: DecodeConfig
) -> Recognized:
    """Recognize the one recording beside a truth file; its files begin with ``base``."""
    video = next(truth.parent.glob("*.mp4"))
    config = PredictConfig(keep_places=True)
    result = recognize_video(recognizer, video, config=config, decode=decode)
    write_video_outputs(base, result, decode, OutputsConfig(annotate=True))
    paths = {
        "timeline": add_ending(base, ".timeline.svg"),
        "annotated video": add_ending(base, ".annotated.mp4"),
        "events": add_ending(base, ".events.csv"),
        "reference coding": truth,
    }
    matches = count_matches(result.events, read_truth(truth, decode.background))
    return Recognized(result, matches, paths, time.perf_counter() - began_s)


def write_glance(path: Path, result: VideoResult, annotated: Path, decode: DecodeConfig) -> None:
    """Write one picture: the timeline, and under it frames of the annotated video.

    Args:
        path: A ``.svg`` file.
        result: What was found; shown are the peaks of the best event of each of two labels, or the
            middle of the recording where there are no events.
        annotated: The annotated video.
        decode: The rules that made the events.

    Raises:
        OutputError: The picture cannot be written.
        VideoError: The annotated video cannot be read.
    """
    picture, times_s = draw_timeline(result, decode), choose_moments(result)
    top, width = picture.height, picture.width / len(times_s)
    for place, time_s in enumerate(times_s):
        frame = _read_frame(annotated, time_s, round(width))
        data = base64.b64encode(encode_picture(frame, ".jpg")).decode("ascii")
        picture.height = top + frame.shape[0]
        picture.add(
            "image",
            href=f"data:image/jpeg;base64,{data}",
            x=place * width,
            y=top,
            width=width,
            height=frame.shape[0],
        )
    picture.write(path)


def choose_moments(result: VideoResult) -> list[float]:
    """Return the peaks of the best event of each of up to two labels, in order of time, seconds."""
    best: dict[str, Event] = {}
    for event in sorted(result.events, key=lambda event: -event.score):
        best.setdefault(event.label, event)
    peaks = sorted(find_peak_s(event, result.scores) for event in list(best.values())[:2])
    return peaks or [0.5 * result.duration_s]


def _read_frame(video: Path, time_s: float, width_px: int) -> np.ndarray:
    """Return the frame at a time, (H, W, 3) uint8 RGB, ``width_px`` wide."""
    with open_video(video, color="rgb", start_s=time_s) as reader:
        image = next(iter(reader)).image
    height_px = round(image.shape[0] * width_px / image.shape[1])
    return cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)


def read_truth(path: Path, background: str) -> list[Event]:
    """Return the acts in the truth file of one recording, those of the background left out."""
    with path.open(newline="", encoding="utf-8") as file:
        return [
            Event(row["label"], float(row["start_s"]), float(row["end_s"]), 1.0)
            for row in csv.DictReader(file)
            if row["label"] != background
        ]


def count_matches(events: Sequence[Event], truth: Sequence[Event]) -> Matches:
    """Count which acts were found and which events are false.

    >>> act, event = Event("hit", 1.0, 2.0, 1.0), Event("hit", 1.5, 3.0, 0.9)
    >>> count_matches([event, Event("hit", 5.0, 6.0, 0.8)], [act, Event("kick", 1.0, 3.0, 1.0)])
    Matches(n_true=2, n_found=1, n_false=1)
    """
    overlaps = compute_ious(events, truth) > 0.0
    return Matches(
        n_true=len(truth),
        n_found=int(overlaps.any(axis=0).sum()),
        n_false=int((~overlaps.any(axis=1)).sum()),
    )
