"""After a stage: the bundle, its validation figures and its graphs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import keras

from har.config import DecodeConfig, TrainConfig, find_background
from har.contract import BundleInfo, load_info, save_info
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.evaluation.clips import compute_clip_metrics
from har.evaluation.figures import write_history
from har.files import write_json
from har.network.bundle import load_models, save_bundle
from har.runtime.clips import recognise_clips
from har.runtime.recognizer import Recognizer
from har.training.fit import History
from har.training.plan import ClipSplit
from har.training.run import Run, describe_recipe
from har.types import WindowSpec

_ITEMS = {"cnn": "single time step", "lstm": "window", "system": "window"}
"""What one item of a stage's graphs is; the figures after a stage are of whole clips."""


@dataclass(frozen=True)
class Models:
    """What a bundle holds; a stream that it does not have has none."""

    cnn: keras.Model | None = None
    head: keras.Model | None = None
    pose: keras.Model | None = None


def start_info(config: TrainConfig, store: Store, spec: WindowSpec, n_features: int) -> BundleInfo:
    """Gives the contract of a bundle whose CNN stage begins."""
    return BundleInfo(
        stage="cnn",
        labels=store.labels,
        spec=spec,
        n_features=n_features,
        backbone=config.cnn.backbone,
        temporal="frame",
        pooling=config.cnn.pooling,
        decode=DecodeConfig(background=find_background(store.labels)),
        data_hash=store.data_hash,
        made_data=store.is_made,
        recipe=describe_recipe(config),
    )


def load_for(store: Store, run: Run) -> tuple[BundleInfo, keras.Model, keras.Model]:
    """Loads the bundle that the stage before left, if it fits the store.

    Raises:
        BundleNotFoundError: There is none.
        BundleMismatchError: It has other labels, or takes other pictures.
    """
    info, cnn, head = load_models(run.bundle_dir)
    for what, theirs, ours in (
        ("labels", info.labels, store.labels),
        ("picture size", info.spec.size, store.size),
        ("colour", info.spec.color, store.color),
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
    """Saves the bundle, measures it on the validation clips, writes graphs and figures."""
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
    answers = recognise_clips(Recognizer(run.bundle_dir), store, clips.val, run.progress)
    truth = store.label_indices[list(clips.val)]
    metrics = compute_clip_metrics(store.labels, truth, answers.probs)
    n_unknown = int(answers.is_unknown.sum())
    return {"n_clips": len(clips.val), "n_unknown": n_unknown, **metrics.to_json()}


def _sum_up(val: dict[str, Any]) -> str:
    if not val:
        return "nothing to validate on"
    unknown = f", of {val['n_unknown']} it cannot tell" if val["n_unknown"] else ""
    return f"accuracy {val['accuracy']:.3f} on {val['n_clips']} validation clips{unknown}"
