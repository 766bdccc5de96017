# pyright: reportArgumentType=false, reportIndexIssue=false, reportOptionalSubscript=false
"""Cross-validation: how a recipe learns on the training part of a fold and does on the rest.

HeadFolds       heads are trained, the CNN stays as it is: what folds share is computed once
StagedFolds     all stages, for a recipe that trains the CNN
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from har.bundle import BUNDLE_FILE, BundleInfo, load_info, save_info
from har.config import CrossvalConfig, TrainConfig
from har.dataset.baseline import ShortcutBaseline, compute_shortcut_baseline
from har.dataset.index import StoredClip
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.files import compute_file_hash, replacing
from har.inference.clips import recognize_clips
from har.inference.fusion import fuse_logits
from har.inference.model import Recognizer, compute_softmax
from har.metrics.calibration import Calibration, calibrate_folds
from har.metrics.clips import ClipMetrics, bootstrap_metrics, compute_clip_metrics
from har.metrics.intervals import Interval
from har.network.parts import NO_PARTS, OwnParts
from har.progress import ProgressBar
from har.training.card import write_card
from har.training.clips import ClipSplit, apply_split, hold_back
from har.training.run import (
    Recipe,
    Run,
    compute_fingerprint,
    compute_recipe_hash,
    describe_recipe,
    set_seed,
)
from har.training.stages import train_all
from har.training.start import check_calibration, check_crossval_source, trains_cnn
from har.training.streams import build_streams, describe_parts
from har.types import StreamName, Streams


class Learner(Protocol):
    """Trains on some clips and says something of others."""

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (n_test, K) probabilities."""
        ...


class FoldLearner(Learner, Protocol):
    """A learner of a recipe: it also says what each stream would say by itself."""

    def compute_parts(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (P, n_test, K) probabilities, first of all streams, then of each of `ALONE`."""
        ...


ALONE: dict[Streams, tuple[StreamName, ...]] = {
    "motion": (),
    "pose": (),
    "both": ("motion", "pose"),
}
"""The streams of a model that may also be used by themselves."""


def build_learner(
    config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
) -> FoldLearner:
    """Return the learner of a recipe.

    Raises:
        ConfigError: The recipe trains nothing that could start from ``run.source``.
    """
    if trains_cnn(config):
        return StagedFolds(config, store, run, parts)
    check_crossval_source(config, run.source)
    return HeadFolds(config, store, run, parts)


class HeadFolds:
    """Folds of a recipe that trains only heads, for all their epochs, each fold on the same input.

    Attributes:
        streams: Each stream, by its name in `build_streams`; fitted by the last fold.
    """

    def __init__(
        self, config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
    ) -> None:
        set_seed(config.seed)
        self.streams = build_streams(config, store, run, parts)
        self._weights = (config.pose.weight,) * (len(self.streams) - 1)

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train the heads on some clips and return (n_test, K) probabilities of the others."""
        return self.compute_parts(train, test, seed)[0]

    def compute_parts(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Do the same and also return what each of two streams says by itself."""
        clips, outputs = ClipSplit(tuple(train.tolist()), ()), []
        for stream in self.streams.values():
            stream.fit(clips, seed)
            outputs.append(stream.compute_logits(test.tolist()))
        alone = outputs if len(outputs) > 1 else []
        parts = [fuse_logits(outputs, self._weights), *alone]
        return np.stack([compute_softmax(part.logits) for part in parts])


class StagedFolds:
    """Folds of a recipe that trains the CNN: a fifth of a fold's training groups validates."""

    def __init__(
        self, config: TrainConfig, store: Store, run: Run, parts: OwnParts = NO_PARTS
    ) -> None:
        self._config, self._store, self._run, self._parts = config, store, run, parts

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train all stages on some clips and return (n_test, K) probabilities of the others."""
        return self.compute_parts(train, test, seed)[0]

    def compute_parts(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Do the same and also return what each of two streams says by itself."""
        config = replace(self._config, seed=seed)
        inner = hold_back(self._store, train.tolist(), seed)
        folder = self._run.results_dir / f"seed{seed}.{test[0]}"
        run = replace(self._run, bundle_dir=folder / "bundle", results_dir=folder)
        store = apply_split(self._store, inner, seed)
        train_all(config, store, run, self._parts)
        models = [
            Recognizer(run.bundle_dir, streams=streams)
            for streams in (config.streams, *ALONE[config.streams])
        ]
        return np.stack([recognize_clips(model, store, test.tolist()).probs for model in models])


@dataclass(frozen=True)
class FoldResult:
    """What one fold's test clips gave."""

    seed: int
    fold: int
    metrics: ClipMetrics

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        names = ("n_clips", "accuracy", "auc", "macro_f1")
        shown = {name: getattr(self.metrics, name) for name in names}
        return {"seed": self.seed, "fold": self.fold, **shown}


@dataclass(frozen=True)
class StreamResult:
    """Out-of-fold figures of one stream of a recipe by itself, as in `CrossvalResult`."""

    intervals: dict[str, Interval]
    calibration: Calibration

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        figures = {name: interval.to_json() for name, interval in self.intervals.items()}
        return {**figures, "calibration": self.calibration.to_json()}


@dataclass(frozen=True)
class CrossvalResult:
    """Out-of-fold figures of a recipe.

    Attributes:
        probs: (S, N, K) float32 out-of-fold probabilities of all seeds.
        clips: N clips.
        intervals: Accuracy, AUC and macro F1 over all clips, intervals over groups.
        baseline: What the clips' format alone predicts, on the first seed's folds.
        calibration: How far the probabilities can be trusted.
        alone: Of a recipe with two streams, the same of each by itself, by its name.
        recipe: All training settings.
        data_hash: Of the store.
    """

    config: CrossvalConfig
    labels: tuple[str, ...]
    n_groups: int
    probs: np.ndarray
    clips: tuple[StoredClip, ...]
    intervals: dict[str, Interval]
    per_fold: tuple[FoldResult, ...]
    baseline: ShortcutBaseline
    calibration: Calibration
    alone: dict[StreamName, StreamResult]
    synthetic_data: bool
    recipe: Recipe
    data_hash: str

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har crossval --json`` prints."""
        figures = {name: interval.to_json() for name, interval in self.intervals.items()}
        return {
            "protocol": self.config.protocol,
            "leaks": self.config.protocol == "random",
            "synthetic_data": self.synthetic_data,
            "labels": list(self.labels),
            "n_clips": self.probs.shape[1],
            "n_groups": self.n_groups,
            "n_folds": self.config.n_folds,
            "n_seeds": self.config.n_seeds,
            **figures,
            "per_fold": [fold.to_json() for fold in self.per_fold],
            "baseline": self.baseline.to_json(),
            "calibration": self.calibration.to_json(),
            "alone": {name: one.to_json() for name, one in self.alone.items()},
            "recipe_hash": compute_recipe_hash(self.recipe),
            "data_hash": self.data_hash,
        }


def crossvalidate(
    config: TrainConfig,
    crossval: CrossvalConfig,
    store: Store,
    run: Run,
    parts: OwnParts = NO_PARTS,
) -> CrossvalResult:
    """Train and test a recipe on every fold of every seed.

    With no epochs for the CNN and the joint stage (a frozen recipe), the features are computed once
    and the heads are trained for all their epochs: nothing is chosen on the fold that is tested.
    Otherwise each fold runs all three stages, with validation groups taken from its training part.

    Args:
        config: The recipe; its seed is the first of ``n_seeds`` consecutive ones.
        crossval: Folds, seeds and protocol.
        store: All of its clips are used, whatever its own splits say.
        run: ``results_dir`` keeps each fold's probabilities, so that an interrupted run goes on.
        parts: A backbone or head in place of the recipe's.

    Raises:
        SplitError: The groups allow no folds.
        ConfigError: The recipe trains nothing that could start from ``run.source``, or a part does
            not fit.
    """
    seeds = range(config.seed, config.seed + crossval.n_seeds)
    folds = [build_folds(store.clips, crossval.n_folds, s, crossval.protocol) for s in seeds]
    n_folds = int(folds[0].max()) + 1
    if n_folds < crossval.n_folds:
        run.say(
            f"crossval: there are {n_folds} groups for {crossval.n_folds} folds, so each group is "
            f"left out in turn"
        )
        crossval = replace(crossval, n_folds=n_folds)
    own_parts = describe_parts(parts, config, store)
    source = compute_file_hash(run.source / BUNDLE_FILE) if run.source else ""
    key = compute_fingerprint(
        config,
        store.data_hash,
        crossval.protocol,
        crossval.n_folds,
        source,
        "parts",
        *own_parts.values(),
    )
    folder = run.results_dir / key
    folder.mkdir(parents=True, exist_ok=True)
    learner = build_learner(config, store, replace(run, results_dir=folder), parts)
    found, per_fold = _run_folds(learner, store, dict(zip(seeds, folds, strict=True)), folder, run)
    probs, truth, groups = found[0], store.label_indices, [clip.group for clip in store.clips]
    judged = [
        StreamResult(
            bootstrap_metrics(truth, p, groups), calibrate_folds(truth, p, np.stack(folds))
        )
        for p in found
    ]
    return CrossvalResult(
        config=crossval,
        labels=store.labels,
        n_groups=len(set(groups)),
        probs=probs,
        clips=store.clips,
        intervals=judged[0].intervals,
        per_fold=tuple(per_fold),
        baseline=compute_shortcut_baseline(store.clips, folds[0]),
        calibration=judged[0].calibration,
        alone=dict(zip(ALONE[config.streams], judged[1:], strict=True)),
        synthetic_data=store.is_synthetic,
        recipe=describe_recipe(config, own_parts),
        data_hash=store.data_hash,
    )


def _run_folds(
    learner: FoldLearner, store: Store, folds_of: dict[int, np.ndarray], folder: Path, run: Run
) -> tuple[np.ndarray, list[FoldResult]]:
    """Return (P, S, N, K) float32 out-of-fold probabilities and each fold's figures."""
    todo = [(seed, fold) for seed, folds in folds_of.items() for fold in range(folds.max() + 1)]
    shape = (len(folds_of), len(store.clips), len(store.labels))
    probs, per_fold = np.zeros((0, *shape), dtype=np.float32), []
    with ProgressBar(len(todo), "cross-validation", "fold", run.progress) as bar:
        for seed, fold in todo:
            folds, row = folds_of[seed], list(folds_of).index(seed)
            test, train = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            path = folder / f"seed{seed}.fold{fold}.npy"
            parts = _load_or(path, learner, train, test, seed)
            if not len(probs):
                probs = np.zeros((len(parts), *shape), dtype=np.float32)
            probs[:, row, test] = parts
            truth = store.label_indices[test]
            metrics = compute_clip_metrics(store.labels, truth, parts[0])
            per_fold.append(FoldResult(seed, fold, metrics))
            bar.update()
            mean = np.mean([item.metrics.accuracy for item in per_fold])
            bar.note(f"accuracy {mean:.3f}")
    return probs, per_fold


def record_crossval(bundle_dir: Path, result: CrossvalResult) -> BundleInfo:
    """Give a bundle the temperature that its recipe has out of fold, and note the figures.

    Args:
        bundle_dir: Trained with the same recipe on the same store.
        result: Of grouped folds: a temperature from random ones would be of clips half known.

    Raises:
        BundleNotFoundError: There is no bundle.
        BundleMismatchError: The bundle is of another recipe, other clips, or the folds leak.
    """
    info = check_calibration(
        bundle_dir, result.recipe, result.config, result.data_hash, is_settled=True
    )
    metrics = {**info.metrics, "crossval": result.to_json()}
    temperature, alone = round_temperatures(result)
    save_info(bundle_dir, replace(info, temperature=temperature, alone=alone, metrics=metrics))
    write_card(bundle_dir)
    return load_info(bundle_dir)


def round_temperatures(result: CrossvalResult) -> tuple[float, dict[str, float]]:
    """Return the temperature of a recipe, and those of its streams by themselves."""
    alone = {name: round(one.calibration.temperature, 4) for name, one in result.alone.items()}
    return round(result.calibration.temperature, 4), alone


def _load_or(
    path: Path, learner: FoldLearner, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    if path.is_file():
        return np.load(path, allow_pickle=False)
    probs = learner.compute_parts(train, test, seed)
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, probs)
    return probs
