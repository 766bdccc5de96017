"""Synthetic recordings of three acts, and a small model that has learnt from synthetic clips."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from har.bundle import BUNDLE_FILE, load_info
from har.config import RECIPES, TrainConfig, update_config
from har.dataset.prepare import prepare
from har.demo import CLIPS, PICTURES
from har.events.files import load_scores, save_scores
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.interchange.coding import read_coding
from har.metrics.alarms import ScoredRecording
from har.synthetic.clips import write_clips
from har.synthetic.recordings import write_recordings
from har.training.run import Run
from har.training.stages import train_all
from recordings_parts.judge import Judged, judge
from recordings_parts.real import Settings

_N_FOLDS = 2


def measure_synthetic(out: Path, settings: Settings) -> dict[str, Any]:
    """Make clips and recordings of other scenes, train, recognize and judges.

    Rules for one half of the recordings are chosen on the other half.

    Args:
        out: Gets everything; what is there already is not made again.
        settings: Number of recordings (``n_folds`` times ``n_recordings``) and their length.
    """
    n_recordings = max(settings.n_folds * settings.n_recordings, _N_FOLDS)
    minutes = settings.compose.length_s / 60.0
    config = replace(CLIPS, n_recordings=n_recordings, recording_min=minutes)
    manifest = write_clips(out / "clips", config, progress=True)
    truth = write_recordings(out / "recordings", config, progress=True)
    bundle = out / "models" / "bundle"
    if not (bundle / BUNDLE_FILE).is_file():
        store = prepare(manifest, out / "store", PICTURES, progress=True).store
        trained = out / "training" / "bundle"
        recipe = update_config(TrainConfig(), RECIPES["tiny"])
        train_all(recipe, store, Run(trained, out / "results"))
        bundle.parent.mkdir(parents=True, exist_ok=True)
        trained.replace(bundle)
    items = []
    for number, coded in enumerate(read_coding(truth).videos):
        video = truth.parent / coded.video
        scores = out / "scores" / f"{video.stem}.{video.stat().st_mtime_ns}.csv"
        if not scores.is_file():
            save_scores(scores, recognize_video(Recognizer(bundle), video).scores)
        recording = ScoredRecording(video.name, load_scores(scores), coded.events)
        items.append(Judged(recording, f"half{number % _N_FOLDS}"))
    return judge(items, load_info(bundle).decode, settings.rates, out, "Synthetic recordings")
