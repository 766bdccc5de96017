# pyright: reportArgumentType=false, reportIndexIssue=false, reportOptionalSubscript=false
"""How a recipe learns on the training part of a fold and what it says of the rest.

FrozenFolds     the motion stream, its CNN as it is
PoseFolds       the pose stream
BothFolds       the two together
FullFolds       all stages, for a recipe that trains the CNN
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np

from har.bundle import BUNDLE_FILE, BundleInfo, load_info, save_info
from har.config import CrossvalConfig, PredictConfig, TrainConfig
from har.dataset.baseline import ShortcutBaseline, compute_shortcut_baseline
from har.dataset.splits import Splits, build_folds
from har.dataset.store import Store
from har.errors import BundleMismatchError, ConfigError, SplitError
from har.files import compute_file_hash, replacing
from har.inference.clips import recognize_clips
from har.inference.engines import Graph
from har.inference.model import Recognizer, compute_softmax
from har.metrics.calibration import Calibration, calibrate_folds
from har.metrics.clips import ClipMetrics, bootstrap_repeated, compute_clip_metrics
from har.metrics.intervals import Interval
from har.network.pose_head import PeopleClassifier
from har.network.saving import export_graph
from har.network.temporal_head import build_clip_classifier, build_cnn
from har.pose.features import PoseWindow
from har.pose.pooling import pool_windows
from har.progress import ProgressBar
from har.sampling.times import compute_clip_logits, compute_window_starts, slice_windows
from har.training.batches import FeatureBatches, Sampling
from har.training.features import FeatureCache, compute_model_hash
from har.training.fit import fit_plainly
from har.training.linear import start_head
from har.training.pose import (
    PeopleBatches,
    PeopleSampling,
    build_pose_spec,
    choose_fit,
    compute_loss,
    count_people,
    get_background_index,
    is_branch_solved,
    load_clip_windows,
    match_source,
    stack_people,
    start_pose_head,
)
from har.training.run import Run, compute_fingerprint, describe_recipe, set_seed
from har.training.stages import train_all
from har.types import SplitName, WindowSpec

_INNER_FOLDS = 5
_SCORE_BATCH = 256


class Learner(Protocol):
    """Trains on some clips and says something of others."""

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Return (n_test, K) probabilities."""
        ...


def build_learner(config: TrainConfig, store: Store, run: Run) -> Learner:
    """Return the learner of a recipe; where it is frozen, everything that folds share is made now.

    Raises:
        ConfigError: The recipe trains nothing that could start from ``run.source``.
    """
    if config.streams == "pose":
        return PoseFolds(config, store, run)
    if config.cnn.fit.epochs or config.system.fit.epochs:
        return FullFolds(config, store, run)
    if config.streams == "motion" and run.source is not None:
        raise ConfigError(
            f"A frozen motion stream starts from the shipped CNN, not from {run.source}; choose "
            f"--recipe full, or --streams pose"
        )
    motion = FrozenFolds(config, store, run)
    if config.streams == "motion":
        return motion
    return BothFolds(motion, PoseFolds(config, store, run), config.pose.weight)


class FrozenFolds:
    """Folds of a recipe whose CNN is not trained: one set of features serves them all."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        self._config, self._store, self._run = config, store, run
        spec = config.input.window_spec(store.size, store.max_rate_hz)
        self._spec: WindowSpec = spec
        set_seed(config.seed)
        cnn = build_cnn(
            config.cnn.backbone, spec, pooling=config.cnn.pooling, downsample=config.cnn.downsample
        )
        self._n_features = int(cnn.output_shape[-1])
        model_hash = compute_model_hash(cnn)
        path = run.results_dir / "frame_cnn.onnx"
        export_graph(cnn, np.zeros((1, *spec.size, spec.n_channels), np.uint8), path)
        cache = FeatureCache(store, spec, Graph(path).run, model_hash, config.augment, run.progress)
        self._views = cache.load_views(range(len(store.clips)), config.temporal.n_views)

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train the head on some clips and return (n_test, K) probabilities of the others."""
        return compute_softmax(self.compute_logits(train, test, seed))

    def compute_logits(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train the head on some clips and return (n_test, K) logits of the others."""
        set_seed(seed)
        store, config = self._store, self._config
        views = [self._views[clip] for clip in train]
        head = start_head(config.temporal, views, store.label_indices[train], len(store.labels))
        model = build_clip_classifier(head, self._n_features)
        fit = config.temporal.fit
        sampling = Sampling(self._spec.n_steps, 1, fit.batch_clips, True, seed)
        batches = FeatureBatches(views, store.label_indices[train], len(store.labels), sampling)
        fit_plainly(model, batches, fit)
        return self._score(head, test)

    def _score(self, head: keras.Model, clips: np.ndarray) -> np.ndarray:
        """Return (n, K): all windows of all clips go through the head at once."""
        n_steps = self._spec.n_steps
        hop = PredictConfig().hop(n_steps)
        features = [self._views[clip][0].astype(np.float32) for clip in clips]
        cuts = [slice_windows(item, n_steps, hop) for item in features]
        starts = [compute_window_starts(len(item), n_steps, hop) for item in features]
        logits = np.asarray(
            keras.ops.convert_to_numpy(head(np.concatenate([cut for cut, _ in cuts])))
        )
        ends = np.cumsum([len(cut) for cut, _ in cuts])
        return np.stack(
            [
                compute_clip_logits(logits[end - len(cut) : end], lengths, first)
                for end, (cut, lengths), first in zip(ends, cuts, starts, strict=True)
            ]
        )


class PoseFolds:
    """Folds of the pose stream: keypoints and windows are computed once and serve them all."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        self._config = match_source(config, run.source, store.labels)
        self._store, self._source = store, run.source
        self._spec = build_pose_spec(config, store)
        everyone = range(len(store.clips))
        self._clips = load_clip_windows(store, everyone, self._spec, run.progress)

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train the head on some clips and return (n_test, K) probabilities of the others."""
        return compute_softmax(self.compute_logits(train, test, seed)[0])

    def compute_logits(
        self, train: np.ndarray, test: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Train the head on some clips; return (n_test, K) logits and (n_test,) confidence."""
        set_seed(seed)
        model = self._start(train)
        if not is_branch_solved(model.head) or self._is_order_worth(train, seed):
            self._fit(model, train, seed)
        return self._score(model, [self._clips[clip] for clip in test])

    def _start(self, clips: np.ndarray) -> PeopleClassifier:
        labels, found = self._store.labels, [self._clips[clip] for clip in clips]
        targets = self._store.label_indices[clips]
        head, _ = start_pose_head(self._config, self._spec, labels, found, targets, self._source)
        return PeopleClassifier(head, self._spec, get_background_index(labels))

    def _fit(self, model: PeopleClassifier, clips: np.ndarray, seed: int) -> None:
        fit = choose_fit(self._config.pose, model.head)
        batches = self._build_batches(clips, PeopleSampling.of(self._config.pose, fit, seed))
        fit_plainly(model, batches, fit)

    def _is_order_worth(self, train: np.ndarray, seed: int) -> bool:
        """Return whether learning beside a solved branch helps on a fifth of the training groups.

        Where there are too few groups to tell, it is taken to help.
        """
        try:
            inner = build_folds([self._store.clips[clip] for clip in train], _INNER_FOLDS, seed)
        except SplitError:
            return True
        part, rest = train[inner != 0], train[inner == 0]
        model, pose = self._start(part), self._config.pose
        fit = choose_fit(pose, model.head)
        fixed = self._build_batches(rest, PeopleSampling.of(pose, fit, seed, training=False))
        before = compute_loss(model, fixed)
        self._fit(model, part, seed)
        return compute_loss(model, fixed) < before

    def _build_batches(self, clips: np.ndarray, sampling: PeopleSampling) -> PeopleBatches:
        found, targets = [self._clips[clip] for clip in clips], self._store.label_indices[clips]
        return PeopleBatches(found, targets, len(self._store.labels), self._spec, sampling)

    def _score(
        self, model: PeopleClassifier, clips: list[list[PoseWindow]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return (n, K) logits and (n,) confidence: windows go through the head many at once."""
        found = [window for clip in clips for window in clip]
        n_people, logits, confidence = count_people(found), [], []
        for start in range(0, len(found), _SCORE_BATCH):
            batch = stack_people(found[start : start + _SCORE_BATCH], self._spec, n_people)
            logits.append(np.asarray(keras.ops.convert_to_numpy(model(batch)), dtype=np.float64))
            confidence.append(batch[1].max(axis=1))
        ends = np.cumsum([len(clip) for clip in clips])[:-1]
        parts = (np.split(np.concatenate(values), ends) for values in (logits, confidence))
        pooled = [pool_windows(*item) for item in zip(*parts, strict=True)]
        return np.stack([item for item, _ in pooled]), np.array([item for _, item in pooled])


class BothFolds:
    """Folds of a frozen motion CNN and the pose stream together, joined as a bundle joins them."""

    def __init__(self, motion: FrozenFolds, pose: PoseFolds, weight: float) -> None:
        self._motion, self._pose, self._weight = motion, pose, weight

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train both heads on some clips and return (n_test, K) probabilities of the others."""
        motion = self._motion.compute_logits(train, test, seed)
        pose, confidence = self._pose.compute_logits(train, test, seed)
        return compute_softmax(motion + self._weight * confidence[:, None] * pose)


class FullFolds:
    """Folds of a recipe that trains the CNN: each runs all three stages."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        self._config, self._store, self._run = config, store, run

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Train all stages on some clips and return (n_test, K) probabilities of the others."""
        config = replace(self._config, seed=seed)
        store = replace(self._store, splits=_split_inside(self._store, train, test, seed))
        folder = self._run.results_dir / f"seed{seed}.{test[0]}"
        run = replace(self._run, bundle_dir=folder / "bundle", results_dir=folder)
        train_all(config, store, run)
        return recognize_clips(Recognizer(run.bundle_dir), store, test.tolist()).probs


def _split_inside(store: Store, train: np.ndarray, test: np.ndarray, seed: int) -> Splits:
    """Return a fold's splits: about a fifth of its training groups validate."""
    clips = [store.clips[place] for place in train]
    inner = build_folds(clips, _INNER_FOLDS, seed)
    parts: dict[str, SplitName] = {store.clips[place].clip_id: "test" for place in test}
    for clip, fold in zip(clips, inner, strict=True):
        parts[clip.clip_id] = "val" if fold == 0 else "train"
    return Splits(parts, True, "", {}, "made inside a fold", seed)


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
class CrossvalResult:
    """Out-of-fold figures of a recipe.

    Attributes:
        probs: (S, N, K) float32 out-of-fold probabilities of all seeds.
        intervals: Accuracy, AUC and macro F1 over all clips, intervals over groups.
        baseline: What the clips' format alone predicts, on the first seed's folds.
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
    baseline: ShortcutBaseline
    calibration: Calibration
    synthetic_data: bool
    recipe: dict[str, Any]
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
            "recipe_hash": compute_recipe_hash(self.recipe),
            "data_hash": self.data_hash,
        }


def crossvalidate(
    config: TrainConfig, crossval: CrossvalConfig, store: Store, run: Run
) -> CrossvalResult:
    """Train and test a recipe on every fold of every seed.

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
    n_runs = crossval.n_seeds * crossval.n_folds
    with ProgressBar(n_runs, "cross-validation", "fold", run.progress) as bar:
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
                mean = np.mean([item.metrics.accuracy for item in per_fold])
                bar.note(f"accuracy {mean:.3f}")
    groups = [clip.group for clip in store.clips]
    return CrossvalResult(
        config=crossval,
        labels=store.labels,
        n_groups=len(set(groups)),
        probs=probs,
        intervals=bootstrap_repeated(store.label_indices, probs, groups),
        per_fold=tuple(per_fold),
        baseline=compute_shortcut_baseline(store.clips, folds_by_seed[0]),
        calibration=calibrate_folds(store.label_indices, probs, np.stack(folds_by_seed)),
        synthetic_data=store.is_synthetic,
        recipe=describe_recipe(config),
        data_hash=store.data_hash,
    )


def compute_recipe_hash(recipe: dict[str, Any]) -> str:
    """Return a short hash of a bundle's or a cross-validation's training settings."""
    return compute_fingerprint(recipe)


def record_crossval(bundle_dir: Path, result: CrossvalResult) -> BundleInfo:
    """Return a bundle the temperature that its recipe has out of fold, and notes the figures.

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
