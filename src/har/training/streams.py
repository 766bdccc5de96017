"""Which streams a model takes, where the user leaves it to the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from har.bundle import load_info
from har.config import TrainConfig
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.inference.detector import PoseDetector
from har.pose.keypoints import Detections
from har.sampling.times import compute_nearest_indices, compute_span_s, compute_step_times
from har.training.pose import build_pose_spec, compute_windows
from har.training.run import Run
from har.types import PoseSpec, Streams

N_CLIPS, N_STEPS = 8, 10
"""Clips that are looked at, and steps of each."""
SURE_ENOUGH = 0.35
"""With a median below this, keypoints say too little to be worth their time.

Source: docs/decisions/009-pose-stream.md.
"""


def settle_streams(
    config: TrainConfig, store: Store, run: Run, streams: Streams | Literal["auto"]
) -> TrainConfig:
    """Return the settings with the streams that were asked for, or that fit the data; says which.

    On ``auto`` they are those of the bundle that training starts from. Without one the keypoints of
    a few clips are looked at: both streams where people are seen well, else motion alone.

    Raises:
        BundleMismatchError: The bundle to start from lacks one of the streams.
    """
    if run.source is not None:
        return _settle_as_learnt(config, run, run.source, streams)
    if streams != "auto":
        return replace(config, streams=streams)
    spec = build_pose_spec(config, store)
    chosen = np.unique(np.linspace(0, len(store.clips) - 1, N_CLIPS).round().astype(int))
    confidence = float(np.median([_measure(store, int(clip), spec) for clip in chosen]))
    found: Streams = "both" if confidence >= SURE_ENOUGH else "motion"
    why = "confident enough" if found == "both" else "too low in confidence"
    run.say(
        f"streams: {found}, for keypoints are {why} here (median {confidence:.2f} in {len(chosen)} "
        f"clips, {SURE_ENOUGH} is asked for); choose with --streams"
    )
    return replace(config, streams=found)


def _settle_as_learnt(
    config: TrainConfig, run: Run, source: Path, streams: Streams | Literal["auto"]
) -> TrainConfig:
    learnt = load_info(source).stream_names
    if streams == "auto":
        run.say(f"streams: {learnt}, as in {source}; choose with --streams")
        return replace(config, streams=learnt)
    if learnt not in ("both", streams):
        raise BundleMismatchError(
            f"The bundle {source} has learnt streams {learnt!r}, asked for are {streams!r}; start "
            f"from it with --streams {learnt}"
        )
    return replace(config, streams=streams)


def _measure(store: Store, clip: int, spec: PoseSpec) -> float:
    """Return the confidence of a clip's most confident person, 0 where nobody is seen."""
    clip_id = store.clips[clip].clip_id
    times_s = store.load_times(clip_id)
    steps_s = compute_step_times(compute_span_s(times_s), spec.rate_hz)[:N_STEPS]
    detector, frames = PoseDetector(), store.open_frames(clip_id)
    indices = compute_nearest_indices(times_s, steps_s)
    found = [detector.detect(np.asarray(frames[index])) for index in indices]
    detections = Detections(np.stack([p for p, _ in found]), np.stack([s for _, s in found]))
    best = [w.confidence.max(initial=0.0) for w in compute_windows(detections, spec, spec.n_steps)]
    return float(max(best))
