# pyright: reportArgumentType=false
"""The pose stream's part of the LSTM stage: a head over people's keypoints, from clips' labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from har.config import TrainConfig, find_background
from har.dataset.store import Store
from har.network.bundle import load_pose
from har.network.pose import (
    PeopleClassifier,
    build_pose_head,
    copy_weights,
    match_shape,
    set_pose_scale,
)
from har.pose.features import PoseWindow
from har.runtime.detector import compute_detector_hash
from har.training.features import compute_model_hash
from har.training.fit import FitPlace, History, fit_model
from har.training.people import PeopleBatches, PeopleSampling, load_clip_windows, stack_features
from har.training.plan import ClipSplit, say_plan
from har.training.run import Run, compute_fingerprint, set_seed
from har.types import PoseSpec


def build_pose_spec(config: TrainConfig, store: Store) -> PoseSpec:
    """Gives the input contract of the pose stream for a store's labels."""
    background = find_background(store.labels)
    return config.pose.pose_spec(store.labels, background, compute_detector_hash())


def match_source(config: TrainConfig, source: Path | None) -> TrainConfig:
    """Gives the settings with the shape of the pose head of the bundle that training starts from.

    Layers of another shape could not be taken over.

    Raises:
        BundleNotFoundError: There is no bundle at ``source``.
        BundleIntegrityError: It is damaged.
        BundleMismatchError: It has no pose stream.
    """
    if source is None:
        return config
    _, learnt = load_pose(source)
    return replace(config, pose=match_shape(config.pose, learnt))


def start_pose_head(
    config: TrainConfig,
    spec: PoseSpec,
    labels: tuple[str, ...],
    clips: list[list[PoseWindow]],
    source: Path | None,
) -> tuple[keras.Model, list[str]]:
    """Builds the head and gives it a scale, or what a bundle has learnt before.

    Args:
        config: Its `pose` part has the shape of the head of ``source``, see `match_source`.
        spec: The input contract.
        labels: In the order of the outputs.
        clips: The windows of each clip to learn from.
        source: A bundle, or None.

    Returns:
        The head and the names of the layers that came from ``source``.

    Raises:
        BundleNotFoundError: There is no bundle at ``source``.
        BundleIntegrityError: It is damaged.
        BundleMismatchError: It has no pose stream.
    """
    head = build_pose_head(config.pose, spec, labels, find_background(labels))
    set_pose_scale(head, stack_features(clips))
    if source is None:
        return head, []
    info, learnt = load_pose(source)
    return head, copy_weights(head, learnt, info.labels == labels)


def get_background_index(labels: tuple[str, ...]) -> int:
    """Gives the place of the background label, 0 where there is none."""
    return labels.index(find_background(labels) or labels[0])


def train_pose_head(
    config: TrainConfig, store: Store, run: Run, clips: ClipSplit
) -> tuple[PoseSpec, keras.Model, History]:
    """Trains the pose head on a store's clips; only clips have labels, people have none.

    Raises:
        BundleMismatchError: The bundle to start from has no pose stream.
    """
    set_seed(config.seed)
    spec = build_pose_spec(config, store)
    fit = config.pose.fit
    what = f"learns people's keypoints over windows of {spec.window_s:g} s"
    say_plan(run, "lstm", what, fit, clips)
    found = load_clip_windows(store, clips.train, spec, run.progress)
    _say_sureness(run, found, spec)
    head, copied = start_pose_head(config, spec, store.labels, found, run.source)
    if run.source is not None:
        run.say(f"lstm: {len(copied)} layers of the pose head start from {run.source}")
    model = PeopleClassifier(head, spec, get_background_index(store.labels))
    history = fit_model(
        model,
        _build_batches(config, store, clips, found, spec, run),
        fit,
        FitPlace(
            run.stage_dir("lstm") / "pose",
            compute_fingerprint("pose", config, store.data_hash, compute_model_hash(head)),
            run.progress,
        ),
    )
    return spec, head, history


def _say_sureness(run: Run, clips: list[list[PoseWindow]], spec: PoseSpec) -> None:
    best = [max((float(w.sureness.max(initial=0.0)) for w in clip), default=0.0) for clip in clips]
    n_weak = int(np.sum(np.array(best) < spec.min_sureness))
    if n_weak:
        run.say(f"lstm: in {n_weak} of {len(clips)} clips nobody's keypoints are sure enough")


def _build_batches(
    config: TrainConfig,
    store: Store,
    clips: ClipSplit,
    found: list[list[PoseWindow]],
    spec: PoseSpec,
    run: Run,
) -> tuple[PeopleBatches, PeopleBatches | None]:
    targets, n_labels = store.label_indices, len(store.labels)
    sampling = PeopleSampling.of(config.pose, config.seed)
    train = PeopleBatches(found, targets[list(clips.train)], n_labels, spec, sampling)
    if not clips.val:
        return train, None
    fixed = PeopleSampling.of(config.pose, config.seed, training=False)
    val = load_clip_windows(store, clips.val, spec, run.progress)
    return train, PeopleBatches(val, targets[list(clips.val)], n_labels, spec, fixed)
