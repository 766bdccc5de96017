"""One training run: where it writes, what it says, what makes it repeatable, what it leaves."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras

from har.bundle import BundleInfo, Stage, load_info, save_info
from har.config import DecodeConfig, FitConfig, TrainConfig, find_background
from har.dataset.store import Store
from har.files import write_json
from har.inference.clips import recognize_clips
from har.inference.model import Recognizer
from har.learned import build_mark, join_marks
from har.metrics.clips import compute_clip_metrics
from har.network.saving import save_bundle
from har.progress import Say, format_count, say_on_stderr
from har.reports.figures import write_history
from har.training.batches import ClipBatches
from har.training.card import write_card
from har.training.clips import ClipSplit
from har.training.fit import Fitted, clear_state
from har.training.start import describe_settings

Recipe = dict[str, Any]
"""All training settings, as `BundleInfo.recipe` holds them."""


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        bundle_dir: The bundle that each stage leaves behind.
        results_dir: Graphs, logs and the state of an interrupted stage; one folder a stage.
        source: A bundle whose weights training starts from, or None.
        progress: Show progress bars.
        say: Takes each line that tells a person what happens.
        epochs: By the name of a part (cnn, lstm, pose, system) the epochs after which its training
            ends, as those of a run with validation; a part that is not named runs all of its own.
        keeps_states: Leave the state of a stage that is done, so that a run of several stages that
            is interrupted later does not train it again.
    """

    bundle_dir: Path
    results_dir: Path
    source: Path | None = None
    progress: bool = True
    say: Say = say_on_stderr
    epochs: Mapping[str, int] = field(default_factory=dict)
    keeps_states: bool = False

    def stage_dir(self, stage: str) -> Path:
        """Return the folder of one stage, made if need be."""
        folder = self.results_dir / stage
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def clear_states(self, *stages: str) -> None:
        """Delete the states of stages that are done, also of streams apart from the first."""
        for stage in stages:
            for folder in (self.results_dir / stage, self.results_dir / stage / "pose"):
                clear_state(folder)


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


def describe_recipe(config: TrainConfig, own_parts: Mapping[str, str] | None = None) -> Recipe:
    """Return all settings, and hashes of the parts that were given as objects, as plain values."""
    recipe = describe_settings(config)
    return {**recipe, "own_parts": dict(own_parts)} if own_parts else recipe


def compute_recipe_hash(recipe: Recipe) -> str:
    """Return a short hash of a bundle's or a cross-validation's training settings."""
    return compute_fingerprint(recipe)


_BACKWARD_FACTOR = 3.0
"""A training step costs about this many forward passes; docs/decisions/008-training.md."""

_FEW_CLIPS = 20


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
    text = (
        f"{stage}: {what}; {format_count(len(clips.train), 'clip')} to learn from, "
        f"{len(clips.val)} to validate"
    )
    run.say(f"{text}; at most {fit.epochs} epochs")
    if epoch_s is not None:
        run.say(f"{stage}: likely up to {epoch_s * fit.epochs / 60:.1f} minutes")
    if not clips.val:
        run.say(f"{stage}: no validation clips, so all epochs are run and the last one is kept")
    if len(clips.train) < _FEW_CLIPS:
        run.say(
            f"{stage}: {format_count(len(clips.train), 'clip is', 'clips are')} few; expect a "
            "wide uncertainty"
        )
    run.say(f"{stage}: logs in {run.stage_dir(stage)}, bundle in {run.bundle_dir}")


_ITEMS = {"cnn": "single time step", "lstm": "window", "system": "window"}
"""What one item of a stage's graphs is; the figures after a stage are of whole clips."""


def start_info(config: TrainConfig, store: Store, stage: Stage, recipe: Recipe) -> BundleInfo:
    """Return the contract of a bundle before its streams have described themselves."""
    return BundleInfo(
        stage=stage,
        labels=store.labels,
        decode=DecodeConfig(background=find_background(store.labels)),
        data_hash=store.data_hash,
        synthetic_data=store.is_synthetic,
        recipe=recipe,
    )


def finish_stage(
    run: Run,
    store: Store,
    clips: ClipSplit,
    info: BundleInfo,
    models: Mapping[str, Any],
    fitted: Mapping[str, Fitted],
) -> BundleInfo:
    """Save the bundle, measure it on the validation clips, write graphs, figures and the card.

    Args:
        run: Where all of it goes.
        store: The clips.
        clips: What was learned from and what is to be validated on.
        info: The contract.
        models: By the arguments of `save_bundle`.
        fitted: How the training of each part went, the first one's history is drawn.
    """
    stage_dir, history = run.stage_dir(info.stage), next(iter(fitted.values())).history
    info = replace(info, learned_from=_list_marks(run, store, clips))
    info = save_bundle(run.bundle_dir, info, **models)
    val = _validate(run, store, clips)
    n_epochs = {part: item.n_epochs for part, item in fitted.items()}
    epochs = {**info.metrics.get("epochs", {}), **n_epochs}
    histories = {**info.metrics.get("history", {}), **({info.stage: history} if history else {})}
    metrics = {f"{info.stage}.val": val, "epochs": epochs, "history": histories}
    info = replace(info, metrics={**info.metrics, **metrics})
    save_info(run.bundle_dir, info)
    write_card(run.bundle_dir)
    if history:
        write_history(stage_dir / "history.png", history)
    write_json(stage_dir / "metrics.json", {"history": history, "val": val})
    graphs = f", graphs (by {_ITEMS[info.stage]}) in {stage_dir}" if history else ""
    run.say(f"{info.stage}: {_sum_up(val)}; bundle in {run.bundle_dir}{graphs}")
    if not run.keeps_states:
        run.clear_states(info.stage)
    return load_info(run.bundle_dir)


def _list_marks(run: Run, store: Store, clips: ClipSplit) -> tuple[str, ...]:
    """Return marks of the videos of these clips, and of those that the source has learned from."""
    before = () if run.source is None else load_info(run.source).learned_from
    used = (store.clips[clip] for clip in (*clips.train, *clips.val))
    return join_marks([*before, *(build_mark(c.video_bytes, c.video_hash) for c in used)])


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
