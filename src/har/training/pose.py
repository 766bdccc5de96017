# pyright: reportArgumentType=false
"""The pose stream's part of the LSTM stage: a head over people's keypoints, from clips' labels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from har.config import FitConfig, PoseConfig, TrainConfig, find_background
from har.dataset.store import Store
from har.network.bundle import load_pose
from har.network.pose import (
    LINEAR_PATH,
    PeopleClassifier,
    build_pose_head,
    copy_weights,
    get_linear_path,
    match_shape,
    set_pose_scale,
)
from har.pose.features import PoseWindow
from har.runtime.detector import compute_detector_hash
from har.training.features import compute_model_hash
from har.training.fit import FitPlace, History, fit_model
from har.training.linear import solve_pose_path
from har.training.people import PeopleBatches, PeopleSampling, load_clip_windows, stack_features
from har.training.plan import ClipSplit, say_plan
from har.training.run import Run, compute_fingerprint, set_seed
from har.types import PoseSpec


def build_pose_spec(config: TrainConfig, store: Store) -> PoseSpec:
    """Gives the input contract of the pose stream for a store's labels."""
    background = find_background(store.labels)
    return config.pose.pose_spec(store.labels, background, compute_detector_hash())


def match_source(config: TrainConfig, source: Path | None, labels: tuple[str, ...]) -> TrainConfig:
    """Gives the settings with the shape of the pose head of the bundle that training starts from.

    Layers of another shape could not be taken over. A linear path for all labels is no such layer:
    where none of ``labels`` is told from one body alone, it stays as the settings say.

    Raises:
        BundleNotFoundError: There is no bundle at ``source``.
        BundleIntegrityError: It is damaged.
        BundleMismatchError: It has no pose stream.
    """
    if source is None:
        return config
    _, learnt = load_pose(source)
    shaped = match_shape(config.pose, learnt)
    if not set(labels) & set(config.pose.own_labels):
        shaped = replace(shaped, linear=config.pose.linear)
    return replace(config, pose=shaped)


def start_pose_head(
    config: TrainConfig,
    spec: PoseSpec,
    labels: tuple[str, ...],
    clips: list[list[PoseWindow]],
    targets: np.ndarray,
    source: Path | None,
) -> tuple[keras.Model, list[str]]:
    """Builds the head and gives it a scale and a solved linear path, or what a bundle has learnt.

    Args:
        config: Its `pose` part has the shape of the head of ``source``, see `match_source`.
        spec: The input contract.
        labels: In the order of the outputs.
        clips: The windows of each clip to learn from.
        targets: (N,) class index of every clip.
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
    copied: list[str] = []
    if source is not None:
        info, learnt = load_pose(source)
        copied = copy_weights(head, learnt, info.labels == labels)
    if LINEAR_PATH not in copied:
        solve_pose_path(head, clips, targets, spec, config.pose.linear_c)
    return head, copied


def choose_fit(config: PoseConfig, head: keras.Model) -> FitConfig:
    """Gives the optimisation that suits a head: beside a solved path less is left to learn."""
    return config.fit if get_linear_path(head) is None else config.solved_fit


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
    found = load_clip_windows(store, clips.train, spec, run.progress)
    _say_sureness(run, found, spec)
    targets = store.label_indices[list(clips.train)]
    head, copied = start_pose_head(config, spec, store.labels, found, targets, run.source)
    if run.source is not None:
        run.say(f"lstm: {len(copied)} layers of the pose head start from {run.source}")
    fit = choose_fit(config.pose, head)
    what = f"learns people's keypoints over windows of {spec.window_s:g} s"
    say_plan(run, "lstm", what, fit, clips)
    model = PeopleClassifier(head, spec, get_background_index(store.labels))
    batches = _build_batches(config, store, clips, found, spec, fit, run)
    val, start = batches[1], head.get_weights()
    before = compute_loss(model, val) if val is not None and is_path_solved(head) else None
    history = fit_model(
        model,
        batches,
        fit,
        FitPlace(
            run.stage_dir("lstm") / "pose",
            compute_fingerprint("pose", config, store.data_hash, compute_model_hash(head)),
            run.progress,
        ),
    )
    if before is not None and val is not None and compute_loss(model, val) >= before:
        run.say(
            "lstm: the order of steps tells no more than keypoints' spread; it is not listened to"
        )
        head.set_weights(start)
    return spec, head, history


def is_path_solved(head: keras.Model) -> bool:
    """Says whether a head speaks by a solved linear path, beside which the rest may learn."""
    path = get_linear_path(head)
    return path is not None and not path.trainable


def compute_loss(model: PeopleClassifier, batches: PeopleBatches) -> float:
    """Gives the mean cross-entropy of windows by their weights."""
    total, count = 0.0, 0.0
    for index in range(len(batches)):
        inputs, truth, weights = batches[index]
        logits = np.asarray(keras.ops.convert_to_numpy(model(inputs)), dtype=np.float64)
        losses = np.logaddexp.reduce(logits, axis=1) - (logits * truth).sum(axis=1)
        total, count = total + float(losses @ weights), count + float(weights.sum())
    return total / count


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
    fit: FitConfig,
    run: Run,
) -> tuple[PeopleBatches, PeopleBatches | None]:
    targets, n_labels = store.label_indices, len(store.labels)
    sampling = PeopleSampling.of(config.pose, fit, config.seed)
    train = PeopleBatches(found, targets[list(clips.train)], n_labels, spec, sampling)
    if not clips.val:
        return train, None
    fixed = PeopleSampling.of(config.pose, fit, config.seed, training=False)
    val = load_clip_windows(store, clips.val, spec, run.progress)
    return train, PeopleBatches(val, targets[list(clips.val)], n_labels, spec, fixed)
