"""The three training stages, each ``(config, store, run) -> BundleInfo``.

    train_cnn       the per-frame CNN classifies single time steps
    train_lstm      the heads learn: motion on that CNN's features, which are computed once, and
                    pose on keypoints, whose CNN comes ready-made
    train_system    CNN and head of the motion stream together at a low rate

Each reads the bundle that the one before left in ``run.bundle_dir`` and replaces it when done.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from har.bundle import BundleInfo, load_info
from har.config import TrainConfig
from har.dataset.store import Store
from har.errors import ConfigError
from har.network.parts import NO_PARTS, OwnParts
from har.network.saving import load_pose
from har.training.clips import split_clips
from har.training.motion import MotionTraining
from har.training.run import Run, describe_recipe, finish_stage, set_seed, start_info
from har.training.streams import build_streams, describe_parts


class TrainStage(Protocol):
    """Trains one stage, or all."""

    def __call__(
        self, config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
    ) -> BundleInfo:
        """Train and leave a bundle in ``run.bundle_dir``; return its contract."""
        ...


def train_cnn(
    config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
) -> BundleInfo:
    """Stage 1: train the CNN to classify single time steps; no epochs keep it as it starts.

    Raises:
        ConfigError: A setting or a part does not fit the store.
        NoClipsError: There are too few clips to learn from.
    """
    _check_source(run, parts)
    set_seed(config.seed)
    clips = split_clips(store)
    motion = MotionTraining.build(config, store, run, parts)
    if run.source is not None:
        motion.start_from(run.source)
        run.say(f"cnn: starts from {run.source}")
    recipe = describe_recipe(config, describe_parts(parts, config, store))
    fitted = motion.fit_cnn(clips, run)
    info = motion.describe(start_info(config, store, "cnn", recipe))
    return finish_stage(run, store, clips, info, motion.models, {"cnn": fitted})


def train_lstm(
    config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
) -> BundleInfo:
    """Stage 2: train the temporal heads, on the features of the CNN, on keypoints, or both.

    Raises:
        ConfigError: A part does not fit.
        BundleNotFoundError: The CNN stage has left no bundle.
        BundleMismatchError: The bundle is of other labels or pictures.
    """
    if config.streams == "pose":
        _check_source(run, parts)
    set_seed(config.seed)
    streams = build_streams(config, store, run, parts, load=True)
    clips = split_clips(store)
    recipe = describe_recipe(config, describe_parts(parts, config, store))
    info = start_info(config, store, "lstm", recipe)
    if "lstm" in streams:
        info = replace(load_info(run.bundle_dir), stage="lstm", recipe=recipe, pose=None)
    models, fitted = {}, {}
    for name, stream in streams.items():
        fitted[name] = stream.fit(clips, config.seed, run)
        info, models = stream.describe(info), models | stream.models
    return finish_stage(run, store, clips, info, models, fitted)


def train_system(
    config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
) -> BundleInfo:
    """Stage 3: train CNN and head together; keep what stage 2 left if that validates better.

    Raises:
        BundleNotFoundError: There is no bundle.
        BundleMismatchError: It has no temporal head yet, or does not fit the store.
    """
    set_seed(config.seed)
    motion = MotionTraining.load(config, store, run, parts)
    info = load_info(run.bundle_dir)
    kept = {} if info.pose is None else {"pose": load_pose(run.bundle_dir)[1]}
    clips = split_clips(store)
    recipe = describe_recipe(config, describe_parts(parts, config, store))
    fitted = motion.fit_jointly(clips, run)
    info = replace(info, stage="system", recipe=recipe)
    return finish_stage(run, store, clips, info, motion.models | kept, {"system": fitted})


def train_all(
    config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
) -> BundleInfo:
    """Train the stages one after the other; return the contract that the last one left.

    A recipe without epochs for the joint stage ends with the second, one of the pose stream alone
    has only that.

    Raises:
        ConfigError: A setting or a part does not fit the store.
        NoClipsError: There are too few clips to learn from.
    """
    has_motion = config.streams != "pose"
    inner = replace(run, keeps_states=True)
    if has_motion:
        train_cnn(config, store, inner, parts)
    info = train_lstm(config, store, inner, parts)
    if has_motion and config.system.fit.epochs > 0:
        info = train_system(config, store, inner, parts)
    run.clear_states("cnn", "lstm", "system")
    return info


STAGES: dict[str, TrainStage] = {
    "cnn": train_cnn,
    "lstm": train_lstm,
    "system": train_system,
    "all": train_all,
}


def _check_source(run: Run, parts: OwnParts) -> None:
    if run.source is not None and parts != NO_PARTS:
        raise ConfigError(
            f"A backbone or head that is given as an object has the weights to start from, so "
            f"training cannot also start from {run.source}; leave out one of the two"
        )
