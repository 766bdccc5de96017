"""The three training stages, each ``(config, store, run) -> BundleInfo``.

    train_cnn       the per-frame CNN classifies single time steps
    train_lstm      the head learns on that CNN's features, which are computed once
    train_system    both together at a low rate, batch-norm statistics frozen

Each reads the bundle that the one before left in ``run.bundle_dir`` and replaces it when done.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import keras

from har.bundle import BUNDLE_FILE, BundleInfo, MotionContract, PoseContract, load_info
from har.config import TrainConfig
from har.dataset.store import Store
from har.errors import BundleMismatchError, ConfigError
from har.inference.model import Recognizer
from har.network.pose_head import copy_weights
from har.network.saving import load_models, load_pose
from har.network.temporal_head import (
    build_clip_classifier,
    build_cnn,
    build_frame_head,
    freeze_cnn,
    set_feature_scale,
)
from har.training.batches import FeatureBatches, Sampling
from har.training.features import FeatureCache, Views, compute_model_hash
from har.training.fit import FitPlace, fit_model
from har.training.linear import release_linear_branch, solve_linear_branch, start_head
from har.training.pixels import PixelStage
from har.training.pose import match_source, train_pose_head
from har.training.run import (
    ClipSplit,
    Models,
    Run,
    compute_fingerprint,
    describe_recipe,
    finish_stage,
    load_for,
    say_plan,
    set_seed,
    split_clips,
    start_info,
)
from har.types import PictureSpec


def train_cnn(config: TrainConfig, store: Store, run: Run) -> BundleInfo:
    """Stage 1: trains the CNN to classify single time steps; no epochs keep it as it starts.

    Raises:
        ConfigError: A setting does not fit the store.
        NoClipsError: There are too few clips to learn from.
    """
    _need_motion(config, "cnn")
    _spare_other_streams(config, run)
    set_seed(config.seed)
    spec = config.input.window_spec(store.size, store.max_rate_hz)
    clips = split_clips(store, spec.pictures)
    cnn = build_cnn(
        config.cnn.backbone, spec, pooling=config.cnn.pooling, downsample=config.cnn.downsample
    )
    if run.source is not None:
        _start_cnn(cnn, config, run.source)
        run.say(f"cnn: starts from {run.source}")
    n_features = int(cnn.output_shape[-1])
    head = build_frame_head(n_features, len(store.labels), config.temporal.dropout)
    backbone, pooling = config.cnn.backbone, config.cnn.pooling
    motion = MotionContract(spec, n_features, backbone, "frame", pooling)
    info = start_info(config, store, "cnn", motion)
    from_scratch = config.cnn.backbone == "tiny"
    freeze_cnn(cnn, config.cnn.train_from, train_batch_norm=from_scratch)
    stage = PixelStage(config, store, run, info, clips)
    if not from_scratch:
        set_feature_scale(head, stage.compute_features(cnn))
    history = stage.fit(cnn, head)
    return finish_stage(run, store, clips, info, Models(cnn, head), history)


def train_lstm(config: TrainConfig, store: Store, run: Run) -> BundleInfo:
    """Stage 2: trains the temporal heads, on the features of the CNN, on keypoints, or both.

    The pose stream needs no first stage: its CNN comes ready-made.

    Raises:
        BundleNotFoundError: The CNN stage has left no bundle.
        BundleMismatchError: The bundle was made for other labels or pictures.
    """
    if config.streams != "motion":
        config = match_source(config, run.source, store.labels)
    if config.streams == "pose":
        return _train_pose_alone(config, store, run)
    set_seed(config.seed)
    info, cnn, _ = load_for(store, run)
    motion = info.require_motion()
    clips = split_clips(store, info.pictures)
    fit = config.temporal.fit
    say_plan(run, "lstm", f"learns over windows of {motion.spec.window_s:g} s", fit, clips)
    model_hash = compute_model_hash(cnn)
    encode = Recognizer(run.bundle_dir).compute_features
    cache = FeatureCache(store, motion.spec, encode, model_hash, config.augment, run.progress)
    sampling = Sampling(motion.spec.n_steps, 1, fit.batch_clips, True, config.seed)
    views = cache.load_views(clips.train, config.temporal.n_views)
    targets = store.label_indices[list(clips.train)]
    head = start_head(config.temporal, views, targets, len(store.labels))
    if run.source is not None:
        learnt, _, learnt_head = load_models(run.source)
        same_labels = learnt.labels == store.labels
        copied = copy_weights(head, learnt_head, same_labels)
        if same_labels:
            release_linear_branch(head)
        else:
            solve_linear_branch(head, views, targets, config.temporal.linear_c)
        run.say(f"lstm: {len(copied)} layers of the head start from {run.source}")
    start = compute_model_hash(head)
    history = fit_model(
        build_clip_classifier(head, motion.n_features),
        _build_feature_batches(views, cache, store, clips, sampling),
        fit,
        FitPlace(
            run.stage_dir("lstm"),
            compute_fingerprint("lstm", config, store.data_hash, model_hash, start),
            run.progress,
        ),
    )
    release_linear_branch(head)
    motion = replace(motion, temporal=config.temporal.kind)
    info = replace(info, stage="lstm", motion=motion, pose=None, recipe=describe_recipe(config))
    if config.streams == "motion":
        return finish_stage(run, store, clips, info, Models(cnn, head), history)
    pose_spec, pose, _ = train_pose_head(config, store, run, clips)
    info = replace(info, pose=PoseContract(pose_spec, info.pictures, config.pose.weight))
    return finish_stage(run, store, clips, info, Models(cnn, head, pose), history)


def _train_pose_alone(config: TrainConfig, store: Store, run: Run) -> BundleInfo:
    _spare_other_streams(config, run)
    pictures = PictureSpec(store.size, store.color, store.max_rate_hz)
    clips = split_clips(store, pictures)
    pose_spec, pose, history = train_pose_head(config, store, run, clips)
    contract = PoseContract(pose_spec, pictures, config.pose.weight)
    info = start_info(config, store, "lstm", pose=contract)
    return finish_stage(run, store, clips, info, Models(pose=pose), history)


def train_system(config: TrainConfig, store: Store, run: Run) -> BundleInfo:
    """Stage 3: trains CNN and head together; keeps what stage 2 left if that validates better.

    Raises:
        BundleNotFoundError: There is no bundle.
        BundleMismatchError: It has no temporal head yet, or does not fit the store.
    """
    _need_motion(config, "system")
    set_seed(config.seed)
    info, cnn, head = load_for(store, run)
    pose = load_pose(run.bundle_dir)[1] if info.pose is not None else None
    if info.stage == "cnn":
        raise BundleMismatchError(
            f"The bundle {run.bundle_dir} has no temporal head yet; run 'har train lstm' first"
        )
    clips = split_clips(store, info.pictures)
    freeze_cnn(cnn, config.cnn.train_from)
    info = replace(info, stage="system", recipe=describe_recipe(config))
    stage = PixelStage(config, store, run, info, clips)
    loss_before, before = stage.compute_val_loss(cnn, head), (cnn.get_weights(), head.get_weights())
    history = stage.fit(cnn, head)
    if history and loss_before is not None and min(history["val_loss"]) >= loss_before:
        run.say("system: no epoch validated better than the lstm stage; its weights are kept")
        cnn.set_weights(before[0])
        head.set_weights(before[1])
    return finish_stage(run, store, clips, info, Models(cnn, head, pose), history)


def _start_cnn(cnn: keras.Model, config: TrainConfig, source: Path) -> None:
    """Return the CNN the weights of the bundle that training starts from."""
    info, learnt, _ = load_models(source)
    motion = info.require_motion()
    if motion.backbone != config.cnn.backbone or learnt.count_params() != cnn.count_params():
        raise BundleMismatchError(
            f"The bundle {source} has the CNN {motion.backbone!r} for input {motion.spec.input!r}, "
            f"the recipe asks for {config.cnn.backbone!r} and {config.input.input!r}; choose the "
            f"recipe that it was trained with"
        )
    cnn.set_weights(learnt.get_weights())


def _spare_other_streams(config: TrainConfig, run: Run) -> None:
    """Refuse to put a model of keypoints alone in the place of one of motion, or the reverse."""
    if not (run.bundle_dir / BUNDLE_FILE).is_file():
        return
    there = load_info(run.bundle_dir).stream_names
    if (there == "pose") != (config.streams == "pose"):
        raise ConfigError(
            f"The bundle {run.bundle_dir} looks at {there!r}; one of {config.streams!r} would "
            f"replace it and lose what it has learnt. Name another folder with --out, or delete it"
        )


def _need_motion(config: TrainConfig, stage: str) -> None:
    if config.streams == "pose":
        raise ConfigError(
            f"Stage {stage!r} trains the CNN of the motion stream, which --streams pose does not "
            f"have: its own CNN comes ready-made. Run 'har train lstm --streams pose'"
        )


def _build_feature_batches(
    views: Views, cache: FeatureCache, store: Store, clips: ClipSplit, sampling: Sampling
) -> tuple[FeatureBatches, FeatureBatches | None]:
    n_labels = len(store.labels)
    train = FeatureBatches(views, store.label_indices[list(clips.train)], n_labels, sampling)
    if not clips.val:
        return train, None
    fixed = replace(sampling, training=False)
    val_views = cache.load_views(clips.val, 1)
    return train, FeatureBatches(val_views, store.label_indices[list(clips.val)], n_labels, fixed)


STAGES: dict[str, Callable[[TrainConfig, Store, Run], BundleInfo]] = {
    "cnn": train_cnn,
    "lstm": train_lstm,
    "system": train_system,
}


def train_all(config: TrainConfig, store: Store, run: Run) -> BundleInfo:
    """Run the three stages one after the other; return what the last one left.

    A recipe without epochs for the joint stage ends with the second.
    """
    if config.streams != "pose":
        train_cnn(config, store, run)
    info = train_lstm(config, store, run)
    has_joint = config.streams != "pose" and config.system.fit.epochs > 0
    return train_system(config, store, run) if has_joint else info
