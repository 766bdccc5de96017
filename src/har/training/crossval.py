# pyright: reportArgumentType=false, reportIndexIssue=false, reportOptionalSubscript=false
"""Cross-validation of a recipe: grouped by default, repeated over seeds, resumable by fold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from tqdm import tqdm

from har import windows
from har.config import CrossvalConfig, PredictConfig, TrainConfig
from har.dataset.floor import ShortcutFloor, compute_shortcut_floor
from har.dataset.splits import Splits, build_folds
from har.dataset.store import Store
from har.evaluation.clips import (
    ClipMetrics,
    Interval,
    bootstrap_repeated,
    compute_clip_metrics,
)
from har.files import replacing
from har.network.bundle import export_graph
from har.network.pose import PeopleClassifier
from har.network.system import build_clip_classifier, build_cnn
from har.network.temporal import build_temporal, set_feature_scale
from har.pose.features import PoseWindow
from har.pose.pooling import pool_windows
from har.runtime.clips import recognise_clips
from har.runtime.engine import Graph
from har.runtime.recognizer import Recognizer, compute_softmax
from har.training.batches import FeatureBatches, Sampling
from har.training.features import FeatureCache, compute_model_hash, stack_views
from har.training.fit import EpochOrder, compile_model
from har.training.people import (
    PeopleBatches,
    PeopleSampling,
    count_people,
    load_clip_windows,
    stack_people,
)
from har.training.pose import build_pose_spec, get_background_index, start_pose_head
from har.training.run import Run, compute_fingerprint, set_seed
from har.training.stages import train_all
from har.types import SplitName, WindowSpec

_INNER_FOLDS = 5


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
    """

    config: CrossvalConfig
    labels: tuple[str, ...]
    n_groups: int
    probs: np.ndarray
    intervals: dict[str, Interval]
    per_fold: tuple[FoldResult, ...]
    floor: ShortcutFloor
    made_data: bool

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
    """
    folds_by_seed = [
        build_folds(store.clips, crossval.n_folds, config.seed + row, crossval.protocol)
        for row in range(crossval.n_seeds)
    ]
    key = compute_fingerprint(
        config, store.data_hash, crossval.protocol, crossval.n_folds, str(run.source or "")
    )
    folder = run.results_dir / key
    folder.mkdir(parents=True, exist_ok=True)
    learner = _build_learner(config, store, replace(run, results_dir=folder))
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
        made_data=store.is_made,
    )


class Learner(Protocol):
    """Trains on some clips and says something of others."""

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Gives (n_test, K) probabilities."""
        ...


def _build_learner(config: TrainConfig, store: Store, run: Run) -> Learner:
    if config.streams == "pose":
        return PoseFolds(config, store, run)
    if config.cnn.fit.epochs or config.system.fit.epochs:
        return FullFolds(config, store, run)
    motion = FrozenFolds(config, store, run)
    if config.streams == "motion":
        return motion
    return BothFolds(motion, PoseFolds(config, store, run), config.pose.weight)


def _load_or(
    path: Path, learner: Learner, train: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    if path.is_file():
        return np.load(path, allow_pickle=False)
    probs = learner.compute_probs(train, test, seed)
    with replacing(path) as part, part.open("wb") as file:
        np.save(file, probs)
    return probs


class FrozenFolds:
    """Folds of a recipe whose CNN is not trained: one set of features serves them all."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        self._config, self._store, self._run = config, store, run
        spec = config.input.window_spec(store.size, store.max_rate_hz)
        self._spec: WindowSpec = spec
        set_seed(config.seed)
        cnn = build_cnn(config.cnn.backbone, spec, pooling=config.cnn.pooling)
        self._n_features = int(cnn.output_shape[-1])
        model_hash = compute_model_hash(cnn)
        path = run.results_dir / "frame_cnn.onnx"
        export_graph(cnn, np.zeros((1, *spec.size, spec.n_channels), np.uint8), path)
        cache = FeatureCache(store, spec, Graph(path).run, model_hash, config.augment, run.progress)
        self._views = cache.load_views(range(len(store.clips)), config.temporal.n_views)

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Trains the head on some clips and gives (n_test, K) probabilities of the others."""
        return compute_softmax(self.compute_logits(train, test, seed))

    def compute_logits(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Trains the head on some clips and gives (n_test, K) logits of the others."""
        set_seed(seed)
        store, config = self._store, self._config
        head = build_temporal(config.temporal, self._n_features, len(store.labels))
        model = build_clip_classifier(head, self._n_features)
        fit = config.temporal.fit
        sampling = Sampling(self._spec.n_steps, 1, fit.batch_clips, True, seed)
        views = [self._views[clip] for clip in train]
        set_feature_scale(head, stack_views(views))
        batches = FeatureBatches(views, store.label_indices[train], len(store.labels), sampling)
        compile_model(model, fit, len(batches))
        model.fit(
            batches, epochs=fit.epochs, callbacks=[EpochOrder(batches)], verbose=0, shuffle=False
        )
        return self._score(head, test)

    def _score(self, head: keras.Model, clips: np.ndarray) -> np.ndarray:
        """Gives (n, K): all windows of all clips go through the head at once."""
        n_steps = self._spec.n_steps
        hop = PredictConfig().hop(n_steps)
        features = [self._views[clip][0].astype(np.float32) for clip in clips]
        cuts = [windows.slice_windows(item, n_steps, hop) for item in features]
        logits = np.asarray(
            keras.ops.convert_to_numpy(head(np.concatenate([cut for cut, _ in cuts])))
        )
        ends = np.cumsum([len(cut) for cut, _ in cuts])
        return np.stack(
            [
                windows.compute_clip_logits(logits[end - len(cut) : end], lengths)
                for end, (cut, lengths) in zip(ends, cuts, strict=True)
            ]
        )


class PoseFolds:
    """Folds of the pose stream: keypoints and windows are computed once and serve them all."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        self._config, self._store, self._source = config, store, run.source
        self._spec = build_pose_spec(config, store)
        everyone = range(len(store.clips))
        self._clips = load_clip_windows(store, everyone, self._spec, run.progress)

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Trains the head on some clips and gives (n_test, K) probabilities of the others."""
        return compute_softmax(self.compute_logits(train, test, seed)[0])

    def compute_logits(
        self, train: np.ndarray, test: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Trains the head on some clips; gives (n_test, K) logits and (n_test,) sureness."""
        set_seed(seed)
        store, config, spec = self._store, self._config, self._spec
        clips = [self._clips[clip] for clip in train]
        head, _ = start_pose_head(config, spec, store.labels, clips, self._source)
        model = PeopleClassifier(head, spec, get_background_index(store.labels))
        sampling = PeopleSampling.of(config.pose, seed)
        targets, n_labels = store.label_indices[train], len(store.labels)
        batches = PeopleBatches(clips, targets, n_labels, spec, sampling)
        fit = config.pose.fit
        compile_model(model, fit, len(batches))
        model.fit(
            batches, epochs=fit.epochs, callbacks=[EpochOrder(batches)], verbose=0, shuffle=False
        )
        pooled = [self._score(model, self._clips[clip]) for clip in test]
        return np.stack([item for item, _ in pooled]), np.array([item for _, item in pooled])

    def _score(self, model: PeopleClassifier, clip: list[PoseWindow]) -> tuple[np.ndarray, float]:
        features, sureness, mask = stack_people(clip, self._spec, count_people(clip))
        logits = keras.ops.convert_to_numpy(model((features, sureness, mask)))
        return pool_windows(np.asarray(logits, dtype=np.float64), sureness.max(axis=1))


class BothFolds:
    """Folds of a frozen motion CNN and the pose stream together, joined as a bundle joins them."""

    def __init__(self, motion: FrozenFolds, pose: PoseFolds, weight: float) -> None:
        self._motion, self._pose, self._weight = motion, pose, weight

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Trains both heads on some clips and gives (n_test, K) probabilities of the others."""
        motion = self._motion.compute_logits(train, test, seed)
        pose, sureness = self._pose.compute_logits(train, test, seed)
        return compute_softmax(motion + self._weight * sureness[:, None] * pose)


class FullFolds:
    """Folds of a recipe that trains the CNN: each runs all three stages."""

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        self._config, self._store, self._run = config, store, run

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Trains all stages on some clips and gives (n_test, K) probabilities of the others."""
        config = replace(self._config, seed=seed)
        store = replace(self._store, splits=_split_inside(self._store, train, test, seed))
        folder = self._run.results_dir / f"seed{seed}.{test[0]}"
        run = replace(self._run, bundle_dir=folder / "bundle", results_dir=folder)
        train_all(config, store, run)
        return recognise_clips(Recognizer(run.bundle_dir), store, test.tolist()).probs


def _split_inside(store: Store, train: np.ndarray, test: np.ndarray, seed: int) -> Splits:
    """Gives a fold's splits: about a fifth of its training groups validate."""
    clips = [store.clips[place] for place in train]
    inner = build_folds(clips, _INNER_FOLDS, seed)
    parts: dict[str, SplitName] = {store.clips[place].clip_id: "test" for place in test}
    for clip, fold in zip(clips, inner, strict=True):
        parts[clip.clip_id] = "val" if fold == 0 else "train"
    return Splits(parts, True, "", {}, "made inside a fold", seed)
