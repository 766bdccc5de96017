"""Before a stage: which clips it uses, what it will do and how long that is likely to take."""

from __future__ import annotations

import time
from dataclasses import dataclass

import keras
import numpy as np

from har.config import FitConfig
from har.dataset.store import Store
from har.errors import ConfigError, NoClipsError, SplitError
from har.training.batches import ClipBatches
from har.training.run import Run
from har.types import WindowSpec

_BACKWARD_FACTOR = 3.0
"""A training step costs about this many forward passes; docs/decisions/008-training.md."""

_FEW_CLIPS = 20


@dataclass(frozen=True)
class ClipSplit:
    """Positions in ``store.clips``; ``val`` is empty where the groups allow no validation."""

    train: tuple[int, ...]
    val: tuple[int, ...]


def split_clips(store: Store, spec: WindowSpec) -> ClipSplit:
    """Gives the clips to learn from and to validate on.

    Raises:
        ConfigError: The store's colour is not what the input needs.
        NoClipsError: A class has no clip to learn from.
    """
    if store.color != spec.color:
        raise ConfigError(
            f"Input {spec.input!r} needs {spec.color} frames, the store {store.path} holds "
            f"{store.color} ones; run 'har prepare' with --color {spec.color}"
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
    """Gives about how many seconds an epoch of training on pixels takes, from one forward pass."""
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
    """Tells what a stage will do, on how much, for how long, and where it will write."""
    text = f"{stage}: {what}; {len(clips.train)} clips to learn from, {len(clips.val)} to validate"
    run.say(f"{text}; at most {fit.epochs} epochs")
    if epoch_s is not None:
        run.say(f"{stage}: likely up to {epoch_s * fit.epochs / 60:.1f} minutes")
    if not clips.val:
        run.say(f"{stage}: no validation clips, so all epochs are run and the last one is kept")
    if len(clips.train) < _FEW_CLIPS:
        run.say(f"{stage}: {len(clips.train)} clips are few; expect a wide uncertainty")
    run.say(f"{stage}: logs in {run.stage_dir(stage)}, bundle in {run.bundle_dir}")
