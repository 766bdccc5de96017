"""One training run: where it writes, what it says, what makes it repeatable, what it leaves."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har.bundle import BundleInfo, MotionContract, PoseContract, Stage, load_info, save_info
from har.config import DecodeConfig, FitConfig, TrainConfig, find_background
from har.dataset.store import Store
from har.errors import BundleMismatchError, ConfigError, NoClipsError, SplitError
from har.files import write_json
from har.inference.clips import recognize_clips
from har.inference.model import Recognizer
from har.metrics.clips import compute_clip_metrics
from har.network.saving import load_models, save_bundle
from har.reports.figures import write_history
from har.training.batches import ClipBatches
from har.training.fit import History
from har.types import PictureSpec


def say_on_stderr(text: str) -> None:
    """Print a line for the person who runs the command; standard output is for machines."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        bundle_dir: The bundle that each stage leaves behind.
        results_dir: Graphs, logs and the state of an interrupted stage; one folder a stage.
        source: A bundle whose weights training starts from, or None.
        progress: Show progress bars.
        say: Takes each line that tells a person what happens.
    """

    bundle_dir: Path
    results_dir: Path
    source: Path | None = None
    progress: bool = True
    say: Callable[[str], None] = say_on_stderr

    def stage_dir(self, stage: str) -> Path:
        """Return the folder of one stage, made if need be."""
        folder = self.results_dir / stage
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def set_seed(seed: int) -> None:
    """Seed Python, NumPy and the backend, so that a run can be repeated."""
    keras.utils.set_random_seed(seed)


def compute_fingerprint(*parts: Any) -> str:
    """Return a short hash of settings and data: only under the same one is a run resumed."""
    plain = [
        dataclasses.asdict(part)
        if dataclasses.is_dataclass(part) and not isinstance(part, type)
        else part
        for part in parts
    ]
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe_recipe(config: TrainConfig) -> dict[str, Any]:
    """Return all settings as plain values for the bundle."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


_BACKWARD_FACTOR = 3.0
"""A training step costs about this many forward passes; docs/decisions/008-training.md."""

_FEW_CLIPS = 20


@dataclass(frozen=True)
class ClipSplit:
    """Positions in ``store.clips``; ``val`` is empty where the groups allow no validation."""

    train: tuple[int, ...]
    val: tuple[int, ...]


def split_clips(store: Store, pictures: PictureSpec) -> ClipSplit:
    """Return the clips to learn from and to validate on.

    Raises:
        ConfigError: The store's color is not what the input needs.
        NoClipsError: A class has no clip to learn from.
    """
    if store.color != pictures.color:
        raise ConfigError(
            f"This recipe takes {pictures.color} frames, the store {store.path} holds "
            f"{store.color} ones; run 'har prepare' with --color {pictures.color}"
        )
    train = tuple(int(clip) for clip in store.indices("train"))
    counts = np.bincount(store.label_indices[list(train)], minlength=len(store.labels))
    missing = [label for label, n in zip(store.labels, counts, strict=True) if n == 0]
    if missing or len(store.labels) < 2:
        raise NoClipsError(
            f"Expected two or more classes with clips to learn from in {store.path}, received "
            f"{dict(zip(store.labels, counts.tolist(), strict=True))}; add clips and prepare again"
        )
    try:
        val = tuple(int(clip) for clip in store.indices("val"))
    except SplitError:
        val = ()
    return ClipSplit(train, val)


def measure_epoch_s(cnn: keras.Model, batches: ClipBatches) -> float:
    """Return about how many seconds an epoch of training on pixels takes, from one forward pass."""
    (values, _), _, _ = batches[0]
    stacks = values.reshape(-1, *values.shape[2:])
    cnn(stacks)
    began = time.perf_counter()
    cnn(stacks)
    return (time.perf_counter() - began) * _BACKWARD_FACTOR * len(batches)


def say_plan(
    run: Run,
    stage: str,
    what: str,
    fit: FitConfig,
    clips: ClipSplit,
    epoch_s: float | None = None,
) -> None:
    """Tell what a stage will do, on how much, for how long, and where it will write."""
    text = f"{stage}: {what}; {len(clips.train)} clips to learn from, {len(clips.val)} to validate"
    run.say(f"{text}; at most {fit.epochs} epochs")
    if epoch_s is not None:
        run.say(f"{stage}: likely up to {epoch_s * fit.epochs / 60:.1f} minutes")
    if not clips.val:
        run.say(f"{stage}: no validation clips, so all epochs are run and the last one is kept")
    if len(clips.train) < _FEW_CLIPS:
        run.say(f"{stage}: {len(clips.train)} clips are few; expect a wide uncertainty")
    run.say(f"{stage}: logs in {run.stage_dir(stage)}, bundle in {run.bundle_dir}")


_ITEMS = {"cnn": "single time step", "lstm": "window", "system": "window"}
"""What one item of a stage's graphs is; the figures after a stage are of whole clips."""


@dataclass(frozen=True)
class Models:
    """What a bundle holds; a stream that it does not have has none."""

    cnn: keras.Model | None = None
    head: keras.Model | None = None
    pose: keras.Model | None = None


def start_info(
    config: TrainConfig,
    store: Store,
    stage: Stage,
    motion: MotionContract | None = None,
    pose: PoseContract | None = None,
) -> BundleInfo:
    """Return the contract of a bundle whose training begins with a stage."""
    return BundleInfo(
        stage=stage,
        labels=store.labels,
        motion=motion,
        pose=pose,
        decode=DecodeConfig(background=find_background(store.labels)),
        data_hash=store.data_hash,
        synthetic_data=store.is_synthetic,
        recipe=describe_recipe(config),
    )


def load_for(store: Store, run: Run) -> tuple[BundleInfo, keras.Model, keras.Model]:
    """Load the bundle that the stage before left, if it fits the store.

    Raises:
        BundleNotFoundError: There is none.
        BundleMismatchError: It has other labels, or takes other pictures.
    """
    info, cnn, head = load_models(run.bundle_dir)
    for what, theirs, ours in (
        ("labels", info.labels, store.labels),
        ("picture size", info.pictures.size, store.size),
        ("color", info.pictures.color, store.color),
    ):
        if theirs != ours:
            raise BundleMismatchError(
                f"The bundle {run.bundle_dir} has {what} {theirs}, the store {store.path} {ours}; "
                f"start anew with 'har train cnn', or name another --out"
            )
    return info, cnn, head


def finish_stage(
    run: Run,
    store: Store,
    clips: ClipSplit,
    info: BundleInfo,
    models: Models,
    history: History,
) -> BundleInfo:
    """Save the bundle, measure it on the validation clips, writes graphs and figures."""
    stage_dir = run.stage_dir(info.stage)
    info = save_bundle(run.bundle_dir, info, models.cnn, models.head, models.pose)
    val = _validate(run, store, clips)
    info = replace(info, metrics={**info.metrics, f"{info.stage}.val": val})
    save_info(run.bundle_dir, info)
    if history:
        write_history(stage_dir / "history.png", history)
    write_json(stage_dir / "metrics.json", {"history": history, "val": val})
    graphs = f", graphs (by {_ITEMS[info.stage]}) in {stage_dir}" if history else ""
    run.say(f"{info.stage}: {_sum_up(val)}; bundle in {run.bundle_dir}{graphs}")
    return load_info(run.bundle_dir)


def _validate(run: Run, store: Store, clips: ClipSplit) -> dict[str, Any]:
    if not clips.val:
        return {}
    answers = recognize_clips(Recognizer(run.bundle_dir), store, clips.val, run.progress)
    truth = store.label_indices[list(clips.val)]
    metrics = compute_clip_metrics(store.labels, truth, answers.probs)
    n_uncertain = int(answers.is_uncertain.sum())
    return {"n_clips": len(clips.val), "n_uncertain": n_uncertain, **metrics.to_json()}


def _sum_up(val: dict[str, Any]) -> str:
    if not val:
        return "nothing to validate on"
    unknown = f", of {val['n_uncertain']} it is uncertain" if val["n_uncertain"] else ""
    return f"accuracy {val['accuracy']:.3f} on {val['n_clips']} validation clips{unknown}"
