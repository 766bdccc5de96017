"""From nothing to a trained, measured model and a recognized recording, all on synthetic clips."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from har.config import RECIPES, PrepareConfig, SynthConfig, TrainConfig, update_config
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.events.files import write_events_csv
from har.events.matching import compute_ious
from har.inference.clips import EvaluationResult, evaluate_bundle, write_evaluation
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.render.annotate import write_annotated
from har.render.timeline import write_timeline
from har.reports.store import write_report
from har.result import VideoResult
from har.synthetic.clips import write_clips, write_sheet
from har.synthetic.recordings import write_recordings
from har.training.run import Run
from har.training.stages import train_all
from har.types import Event

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
class DemoResult:
    """What the demo measured and where it left things."""

    test: EvaluationResult
    recording: VideoResult
    matches: Matches
    paths: dict[str, Path]
    wall_s: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "synthetic_data": True,
            "test": self.test.to_json(),
            "recording": self.recording.to_json(),
            "matches": asdict(self.matches),
            "paths": {name: str(path) for name, path in self.paths.items()},
            "wall_s": round(self.wall_s, 1),
        }


def run_demo(folder: Path, say: Callable[[str], None], progress: bool = True) -> DemoResult:
    """Make clips, prepare them, train all stages, measure, recognize a synthetic recording.

    Args:
        folder: Gets everything; a second run in it only does what is missing.
        say: Takes each line that tells a person what happens.
        progress: Show progress bars.
    """
    began_s = time.perf_counter()
    say(f"1/5 making {CLIPS.n_clips} clips and a recording")
    manifest = write_clips(folder / "data", CLIPS, progress=progress)
    write_sheet(folder / "data" / "sheet.png", manifest)
    truth = write_recordings(folder / "recordings", CLIPS, progress=progress)
    say("2/5 preparing")
    prepared = prepare(manifest, folder / "store", PICTURES, progress)
    write_report(prepared.report, prepared.store)
    store = Store.load(folder / "store")
    say("3/5 training")
    run = Run(folder / "models" / "har", folder / "results", None, progress, say)
    train_all(update_config(TrainConfig(), RECIPES["tiny"]), store, run)
    say("4/5 measuring on test clips: scenes that training has not met")
    test = evaluate_bundle(run.bundle_dir, store, "test", progress)
    page = write_evaluation(folder / "results" / "evaluate", test)
    say("5/5 recognizing the recording")
    recognizer = Recognizer(run.bundle_dir)
    recording = recognize_video(recognizer, next(truth.parent.glob("*.mp4")))
    paths = {
        "clips": folder / "data" / "sheet.png",
        "graphs": folder / "results",
        "report": page,
        "timeline": folder / "results" / "recording.timeline.png",
        "annotated video": folder / "results" / "recording.annotated.mp4",
        "events": folder / "results" / "recording.events.csv",
        "truth": truth,
        "bundle": run.bundle_dir,
    }
    write_timeline(paths["timeline"], recording, recognizer.info.decode)
    write_annotated(paths["annotated video"], recording, recognizer.info.decode)
    write_events_csv(paths["events"], [(str(recording.info.path), recording.events)])
    matches = count_matches(recording.events, read_truth(truth, recognizer.info.decode.background))
    return DemoResult(test, recording, matches, paths, time.perf_counter() - began_s)


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
