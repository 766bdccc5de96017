"""Cross-validation of a recipe: grouped by default, repeated over seeds, resumable by fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from har.config import CrossvalConfig, TrainConfig
from har.contract import BUNDLE_FILE, BundleInfo, compute_file_hash, load_info, save_info
from har.dataset.floor import ShortcutFloor, compute_shortcut_floor
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.evaluation.calibration import Calibration, calibrate_folds
from har.evaluation.clips import ClipMetrics, bootstrap_repeated, compute_clip_metrics
from har.evaluation.intervals import Interval
from har.files import replacing
from har.training.folds import Learner, build_learner
from har.training.run import Run, compute_fingerprint, describe_recipe


@dataclass(frozen=True)
class FoldResult:
    """What one fold's test clips gave."""

    seed: int
    fold: int
    metrics: ClipMetrics

    def to_json(self) -> dict[str, Any]:
        """Gives plain values."""
        names = ("n_clips", "accuracy", "auc", "macro_f1")
        shown = {name: getattr(self.metrics, name) for name in names}
        return {"seed": self.seed, "fold": self.fold, **shown}


@dataclass(frozen=True)
class CrossvalResult:
    """Out-of-fold figures of a recipe.

    Attributes:
        probs: (S, N, K) float32 out-of-fold probabilities of all seeds.
        intervals: Accuracy, AUC and macro F1 over all clips, intervals over groups.
        floor: What the clips' format alone predicts, on the first seed's folds.
        calibration: How far the probabilities can be trusted.
        recipe: All training settings.
        data_hash: Of the store.
    """

    config: CrossvalConfig
    labels: tuple[str, ...]
    n_groups: int
    probs: np.ndarray
    intervals: dict[str, Interval]
    per_fold: tuple[FoldResult, ...]
    floor: ShortcutFloor
    calibration: Calibration
    made_data: bool
    recipe: dict[str, Any]
    data_hash: str

    def to_json(self) -> dict[str, Any]:
        """Gives the fields that ``har crossval --json`` prints."""
        figures = {name: interval.to_json() for name, interval in self.intervals.items()}
        return {
            "protocol": self.config.protocol,
            "leaks": self.config.protocol == "random",
            "made_data": self.made_data,
            "labels": list(self.labels),
            "n_clips": self.probs.shape[1],
            "n_groups": self.n_groups,
            "n_folds": self.config.n_folds,
            "n_seeds": self.config.n_seeds,
            **figures,
            "per_fold": [fold.to_json() for fold in self.per_fold],
            "floor": self.floor.to_json(),
            "calibration": self.calibration.to_json(),
            "recipe_hash": compute_recipe_hash(self.recipe),
            "data_hash": self.data_hash,
        }


def crossvalidate(
    config: TrainConfig, crossval: CrossvalConfig, store: Store, run: Run
) -> CrossvalResult:
    """Trains and tests a recipe on every fold of every seed.

    With no epochs for the CNN and the joint stage (a frozen recipe), the features are computed once
    and the head is trained for all its epochs: nothing is chosen on the fold that is tested.
    Otherwise each fold runs all three stages, with validation groups taken from its training part.

    Args:
        config: The recipe; its seed is the first of ``n_seeds`` consecutive ones.
        crossval: Folds, seeds and protocol.
        store: All of its clips are used, whatever its own splits say.
        run: ``results_dir`` keeps each fold's probabilities, so that an interrupted run goes on.

    Raises:
        SplitError: The groups do not allow the folds.
        ConfigError: The recipe trains nothing that could start from ``run.source``.
    """
    folds_by_seed = [
        build_folds(store.clips, crossval.n_folds, config.seed + row, crossval.protocol)
        for row in range(crossval.n_seeds)
    ]
    source = compute_file_hash(run.source / BUNDLE_FILE) if run.source else ""
    key = compute_fingerprint(config, store.data_hash, crossval.protocol, crossval.n_folds, source)
    folder = run.results_dir / key
    folder.mkdir(parents=True, exist_ok=True)
    learner = build_learner(config, store, replace(run, results_dir=folder))
    n_clips, n_labels = len(store.clips), len(store.labels)
    probs = np.zeros((crossval.n_seeds, n_clips, n_labels), dtype=np.float32)
    per_fold = []
    bar = tqdm(total=crossval.n_seeds * crossval.n_folds, unit="fold", disable=not run.progress)
    with bar:
        for row in range(crossval.n_seeds):
            seed = config.seed + row
            folds = folds_by_seed[row]
            for fold in range(crossval.n_folds):
                test = np.flatnonzero(folds == fold)
                train = np.flatnonzero(folds != fold)
                path = folder / f"seed{seed}.fold{fold}.npy"
                probs[row, test] = _load_or(path, learner, train, test, seed)
                metrics = compute_clip_metrics(
                    store.labels, store.label_indices[test], probs[row, test]
                )
                per_fold.append(FoldResult(seed, fold, metrics))
                bar.update()
                bar.set_postfix(accuracy=np.mean([item.metrics.accuracy for item in per_fold]))
    groups = [clip.group for clip in store.clips]
    return CrossvalResult(
        config=crossval,
        labels=store.labels,
        n_groups=len(set(groups)),
        probs=probs,
        intervals=bootstrap_repeated(store.label_indices, probs, groups),
        per_fold=tuple(per_fold),
        floor=compute_shortcut_floor(store.clips, folds_by_seed[0]),
        calibration=calibrate_folds(store.label_indices, probs, np.stack(folds_by_seed)),
        made_data=store.is_made,
        recipe=describe_recipe(config),
        data_hash=store.data_hash,
    )


def compute_recipe_hash(recipe: dict[str, Any]) -> str:
    """Gives a short hash of a bundle's or a cross-validation's training settings."""
    return compute_fingerprint(recipe)


def record_crossval(bundle_dir: Path, result: CrossvalResult) -> BundleInfo:
    """Gives a bundle the temperature that its recipe has out of fold, and notes the figures.

    Args:
        bundle_dir: Trained with the same recipe on the same store.
        result: Of grouped folds: a temperature from random ones would be of clips half known.

    Raises:
        BundleNotFoundError: There is no bundle.
        BundleMismatchError: The bundle is of another recipe, other clips, or the folds leak.
    """
    info = load_info(bundle_dir)
    figures = result.to_json()
    for what, theirs, ours in (
        ("protocol", "grouped", result.config.protocol),
        ("recipe", compute_recipe_hash(info.recipe), figures["recipe_hash"]),
        ("data", info.data_hash, result.data_hash),
    ):
        if theirs != ours:
            raise BundleMismatchError(
                f"The bundle {bundle_dir} needs figures of {what} {theirs!r}, the "
                f"cross-validation is of {ours!r}; cross-validate with the recipe and the store "
                f"that the bundle was trained with"
            )
    temperature = round(result.calibration.temperature, 4)
    metrics = {**info.metrics, "crossval": figures}
    save_info(bundle_dir, replace(info, temperature=temperature, metrics=metrics))
    return load_info(bundle_dir)


def _load_or(
    path: Path, learner: Learner, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    if path.is_file():
        return np.load(path, allow_pickle=False)
    probs = learner.compute_probs(train, test, seed)
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, probs)
    return probs
