# pyright: reportArgumentType=false, reportIndexIssue=false, reportOptionalSubscript=false
"""How a recipe learns on the training part of a fold and what it says of the rest.

FrozenFolds     the motion stream, its CNN as it is
PoseFolds       the pose stream
BothFolds       the two together
FullFolds       all stages, for a recipe that trains the CNN
"""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

import keras
import numpy as np

from har import windows
from har.config import PredictConfig, TrainConfig
from har.dataset.splits import Splits, build_folds
from har.dataset.store import Store
from har.errors import ConfigError, SplitError
from har.network.bundle import export_graph
from har.network.pose import PeopleClassifier
from har.network.system import build_clip_classifier, build_cnn
from har.pose.features import PoseWindow
from har.pose.pooling import pool_windows
from har.runtime.clips import recognise_clips
from har.runtime.engine import Graph
from har.runtime.recognizer import Recognizer, compute_softmax
from har.training.batches import FeatureBatches, Sampling
from har.training.features import FeatureCache, compute_model_hash
from har.training.fit import fit_plainly
from har.training.linear import start_head
from har.training.people import (
    PeopleBatches,
    PeopleSampling,
    count_people,
    load_clip_windows,
    stack_people,
)
from har.training.pose import (
    build_pose_spec,
    choose_fit,
    compute_loss,
    get_background_index,
    is_path_solved,
    match_source,
    start_pose_head,
)
from har.training.run import Run, set_seed
from har.training.stages import train_all
from har.types import SplitName, WindowSpec

_INNER_FOLDS = 5
_SCORE_BATCH = 256


class Learner(Protocol):
    """Trains on some clips and says something of others."""

    def compute_probs(self, train: np.ndarray, test: np.ndarray, seed: int) -> np.ndarray:
        """Gives (n_test, K) probabilities."""
        ...


def build_learner(config: TrainConfig, store: Store, run: Run) -> Learner:
    """Gives the learner of a recipe; where it is frozen, everything that folds share is made now.

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
            config.cnn.backbone, spec, pooling=config.cnn.pooling, shrink=config.cnn.shrink
        )
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
        views = [self._views[clip] for clip in train]
        head = start_head(config.temporal, views, store.label_indices[train], len(store.labels))
        model = build_clip_classifier(head, self._n_features)
        fit = config.temporal.fit
        sampling = Sampling(self._spec.n_steps, 1, fit.batch_clips, True, seed)
        batches = FeatureBatches(views, store.label_indices[train], len(store.labels), sampling)
        fit_plainly(model, batches, fit)
        return self._score(head, test)

    def _score(self, head: keras.Model, clips: np.ndarray) -> np.ndarray:
        """Gives (n, K): all windows of all clips go through the head at once."""
        n_steps = self._spec.n_steps
        hop = PredictConfig().hop(n_steps)
        features = [self._views[clip][0].astype(np.float32) for clip in clips]
        cuts = [windows.slice_windows(item, n_steps, hop) for item in features]
        starts = [windows.compute_window_starts(len(item), n_steps, hop) for item in features]
        logits = np.asarray(
            keras.ops.convert_to_numpy(head(np.concatenate([cut for cut, _ in cuts])))
        )
        ends = np.cumsum([len(cut) for cut, _ in cuts])
        return np.stack(
            [
                windows.compute_clip_logits(logits[end - len(cut) : end], lengths, first)
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
        """Trains the head on some clips and gives (n_test, K) probabilities of the others."""
        return compute_softmax(self.compute_logits(train, test, seed)[0])

    def compute_logits(
        self, train: np.ndarray, test: np.ndarray, seed: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Trains the head on some clips; gives (n_test, K) logits and (n_test,) sureness."""
        set_seed(seed)
        model = self._start(train)
        if not is_path_solved(model.head) or self._is_order_worth(train, seed):
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
        """Says whether learning beside a solved path helps on a fifth of the training groups.

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
        """Gives (n, K) logits and (n,) sureness: windows go through the head many at once."""
        found = [window for clip in clips for window in clip]
        n_people, logits, sureness = count_people(found), [], []
        for start in range(0, len(found), _SCORE_BATCH):
            batch = stack_people(found[start : start + _SCORE_BATCH], self._spec, n_people)
            logits.append(np.asarray(keras.ops.convert_to_numpy(model(batch)), dtype=np.float64))
            sureness.append(batch[1].max(axis=1))
        ends = np.cumsum([len(clip) for clip in clips])[:-1]
        parts = (np.split(np.concatenate(values), ends) for values in (logits, sureness))
        pooled = [pool_windows(*item) for item in zip(*parts, strict=True)]
        return np.stack([item for item, _ in pooled]), np.array([item for _, item in pooled])


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
