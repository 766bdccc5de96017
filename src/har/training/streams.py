"""The streams of a model in training: what they have in common, and which of them a model has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

import numpy as np

from har.bundle import BundleInfo
from har.config import TrainConfig
from har.dataset.store import Store
from har.errors import ConfigError
from har.inference.detector import PoseDetector
from har.inference.fusion import StreamLogits
from har.network.parts import NO_PARTS, OwnParts, build_own_head, compute_structure_hash
from har.network.temporal_head import build_cnn
from har.pose.keypoints import Detections
from har.sampling.times import compute_nearest_indices, compute_span_s, compute_step_times
from har.training.clips import ClipSplit
from har.training.features import compute_model_hash
from har.training.fit import Fitted
from har.training.motion import MotionTraining
from har.training.people import compute_windows
from har.training.pose import PoseTraining, build_pose_spec
from har.training.run import Run, compute_fingerprint
from har.training.start import choose_known_streams
from har.types import PoseSpec, Streams


class StreamTraining(Protocol):
    """One stream of a model in training: builds, trains and scores its head, and describes it."""

    @property
    def models(self) -> dict[str, Any]:
        """What a bundle keeps, by the arguments of `save_bundle`."""
        ...

    def describe(self, info: BundleInfo) -> BundleInfo:
        """Return the contract of a bundle with this stream in it."""
        ...

    def fit(self, clips: ClipSplit, seed: int, run: Run | None = None) -> Fitted:
        """Train a new head; with a run, write logs and tell what happens."""
        ...

    def compute_logits(self, clips: Sequence[int]) -> StreamLogits:
        """Return what the head of the last `fit` says of some clips."""
        ...


def build_streams(
    config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS, load: bool = False
) -> dict[str, StreamTraining]:
    """Return the streams of a recipe by their part of `Run.epochs`, motion first.

    Args:
        config: Says which streams.
        store: The clips.
        run: Where things are.
        parts: Of the motion stream.
        load: Take the CNN that is in ``run.bundle_dir``; else start with a new one.

    Raises:
        ConfigError: A part has no stream to be in, or does not fit.
        BundleNotFoundError: There is no bundle to load, or none to start from.
        BundleMismatchError: It does not fit the store or lacks a stream.
    """
    streams: dict[str, StreamTraining] = {}
    if config.streams != "pose":
        open_motion = MotionTraining.load if load else MotionTraining.build
        streams["lstm"] = open_motion(config, store, run, parts)
    elif parts != NO_PARTS:
        raise ConfigError(
            "A backbone or head of one's own is part of the motion stream, which a model with "
            "streams 'pose' does not have; train with streams 'motion' or 'both'"
        )
    if config.streams != "motion":
        streams["pose"] = PoseTraining(config, store, run)
    return streams


def describe_parts(parts: OwnParts, config: TrainConfig, store: Store) -> dict[str, str]:
    """Return a hash of each part that is given as an object, so that runs are told apart.

    Raises:
        ConfigError: A part does not fit.
    """
    found = {}
    spec = config.input.window_spec(store.size, store.max_rate_hz)
    if parts.backbone is not None:
        own = parts.backbone
        found["backbone"] = compute_fingerprint(
            compute_structure_hash(own), compute_model_hash(own)
        )
    if parts.head is not None:
        backbone = config.cnn.backbone if parts.backbone is None else parts.backbone
        cnn = build_cnn(backbone, spec, weights=False, downsample=config.cnn.downsample)
        sizes = (spec.n_steps, int(cnn.output_shape[-1]), len(store.labels))
        found["head"] = compute_structure_hash(build_own_head(parts.head, *sizes))
    return found


N_CLIPS, N_STEPS = 8, 10
"""Clips that are sampled, and steps of each."""
MIN_CONFIDENCE = 0.35
"""With a median below this, keypoints tell too little to be worth their time.

Source: docs/decisions/009-pose-stream.md.
"""


def settle_streams(
    config: TrainConfig, store: Store, run: Run, streams: Streams | Literal["auto"]
) -> TrainConfig:
    """Return the settings with the streams that were chosen, or that fit the data; say which.

    On ``auto`` they are those of the bundle that training starts from. Without one the keypoints of
    a few clips decide: both streams where people are seen well, else motion alone.

    Raises:
        BundleMismatchError: The bundle to start from lacks one of the streams.
        ConfigError: Motion is to be learned from clips that are keypoints.
    """
    n_without = len(store.keypoint_clips)
    if n_without or run.source is not None:
        settled = choose_known_streams(config, store, run.source, streams)
        if n_without:
            run.say(f"streams: pose, for {n_without} clips are keypoints without pictures")
        elif streams == "auto":
            run.say(f"streams: {settled.streams}, as in {run.source}; choose with --streams")
        return settled
    if streams != "auto":
        return replace(config, streams=streams)
    spec = build_pose_spec(config, store)
    chosen = np.unique(np.linspace(0, len(store.clips) - 1, N_CLIPS).round().astype(int))
    confidence = float(np.median([_measure(store, int(clip), spec) for clip in chosen]))
    found: Streams = "both" if confidence >= MIN_CONFIDENCE else "motion"
    why = "confident enough" if found == "both" else "too low in confidence"
    run.say(
        f"streams: {found}, for keypoints are {why} here (median {confidence:.2f} in {len(chosen)} "
        f"clips, at least {MIN_CONFIDENCE} is needed); choose with --streams"
    )
    return replace(config, streams=found)


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
