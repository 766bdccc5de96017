"""One row of the ablation: a set, a head, a seed; what was measured once is kept on disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from har.config import FitConfig, PoseConfig
from har.files import replacing
from har.network.heads import set_feature_scale
from har.network.pose_head import PeopleClassifier, build_pose_head
from har.pose.features import SEEN_COLUMN, PoseWindow
from har.training.discriminant import solve_discriminant, solve_pose_branch
from har.training.fit import fit_plainly
from har.training.people import (
    PeopleBatches,
    PeopleSampling,
    count_people,
    stack_features,
    stack_people,
)
from har.training.run import set_seed
from har.types import PoseSpec
from order_parts.heads import COLUMNS, build_order_head
from order_parts.sets import MotionSet

CONFIG = PoseConfig(
    units=24, scores=False, jitter=0.0, windows_per_clip=2, single_person_labels=(), people="mean"
)
FIT = FitConfig(1, 1, 4e-3, 1e-2, 64)
N_UPDATES, N_UPDATES_OF_MANY = 120, 400
"""Steps of the optimizer, for few labels and for tens of them; epochs follow."""
_MANY_LABELS = 20
STATISTICS = ("mean and spread", "maximum")
LINEAR = "linear branch"
_INNER_FOLDS = 5
_BATCH = 256


@dataclass(frozen=True)
class Split:
    """Positions of the sequences that a head learns from and is tested on."""

    train: np.ndarray
    test: np.ndarray


class Ablation:
    """Measures heads on one set."""

    def __init__(self, motion: MotionSet, folder: Path) -> None:
        """Take the set and the folder of what was measured."""
        self._set, self._folder = motion, folder / motion.name
        self._spec = CONFIG.pose_spec(motion.labels, "", "any")
        self._folder.mkdir(parents=True, exist_ok=True)

    def score(self, row: str, beside: bool, seed: int) -> tuple[np.ndarray, float]:
        """Return the (N, K) logits of all sequences by folds that did not see them, and seconds.

        Sequences that are only learned from have NaN.

        Args:
            row: A row of `benchmarks/order.py`.
            beside: The linear branch stands beside it.
            seed: Of all that is drawn; the solved rows draw nothing.
        """
        path = (
            self._folder / f"{row.replace(' ', '_')}.{'beside' if beside else 'alone'}.{seed}.npz"
        )
        if path.is_file():
            with np.load(path, allow_pickle=False) as kept:
                return kept["logits"], float(kept["took_s"])
        began_s = time.process_time()
        logits = np.full((len(self._set.targets), len(self._set.labels)), np.nan)
        for fold in range(int(self._set.folds.max()) + 1):
            is_test = self._set.folds == fold
            split = Split(np.flatnonzero(~is_test), np.flatnonzero(is_test))
            logits[split.test] = self._score_fold(row, beside, split, seed)
        took_s = time.process_time() - began_s
        with replacing(path) as part, part.open("wb") as file:
            np.savez(file, logits=logits, took_s=took_s)
        return logits, took_s

    def _score_fold(self, row: str, beside: bool, split: Split, seed: int) -> np.ndarray:
        if row in STATISTICS:
            return self._score_statistics(row, beside, split)
        if row == LINEAR:
            return self._score_linear(split, seed)[0]
        return self._score_order(row, beside, split, seed)

    def _score_linear(self, split: Split, seed: int) -> tuple[np.ndarray, list[np.ndarray] | None]:
        """Return what a solved branch says of the tested, and of those it learned from unseen."""
        head = build_pose_head(CONFIG, self._spec, self._set.labels)
        clips = [self._set.windows[row] for row in split.train]
        set_feature_scale(head, stack_features(clips))
        known = solve_pose_branch(
            head,
            clips,
            self._set.targets[split.train],
            self._spec,
            CONFIG.linear_shrinkage,
            folds=_draw_inner(self._set.groups[split.train], seed),
        )
        return self._predict(PeopleClassifier(head, self._spec, 0), split.test), known

    def _score_order(self, kind: str, beside: bool, split: Split, seed: int) -> np.ndarray:
        linear, known = self._score_linear(split, seed) if beside else (0.0, None)
        clips = [self._set.windows[row] for row in split.train]
        set_seed(seed)
        head = build_order_head(kind, CONFIG, len(self._set.labels))
        set_feature_scale(head, stack_features(clips))
        model = PeopleClassifier(head, self._spec, 0)
        batches = PeopleBatches(
            clips,
            self._set.targets[split.train],
            len(self._set.labels),
            self._spec,
            PeopleSampling.of(CONFIG, FIT, seed),
            known=known,
        )
        n_updates = N_UPDATES_OF_MANY if len(self._set.labels) > _MANY_LABELS else N_UPDATES
        fit_plainly(model, batches, replace(FIT, epochs=-(-n_updates // len(batches))))
        return self._predict(model, split.test) + linear

    def _score_statistics(self, row: str, beside: bool, split: Split) -> np.ndarray:
        chosen = np.concatenate([split.train, split.test])
        values, clips = _describe(self._set.windows, chosen, row, beside, self._spec)
        learned = np.isin(clips, split.train)
        weights = 1.0 / np.bincount(clips)[clips[learned]]
        kernel, bias = solve_discriminant(
            values[learned],
            self._set.targets[clips[learned]],
            weights,
            CONFIG.linear_shrinkage,
            len(self._set.labels),
        )
        said = values @ kernel + bias
        return np.stack([_mean(said[clips == row_]) for row_ in split.test])

    def _predict(self, model: PeopleClassifier, rows: Sequence[int]) -> np.ndarray:
        """Return (n, K) means over windows by how confident the people in them are."""
        windows = [window for row in rows for window in self._set.windows[row]]
        owners = np.repeat(np.arange(len(rows)), [len(self._set.windows[row]) for row in rows])
        n_people, found, confidence = count_people(windows), [], []
        for start in range(0, len(windows), _BATCH):
            batch = stack_people(windows[start : start + _BATCH], self._spec, n_people)
            found.append(np.asarray(keras.ops.convert_to_numpy(model(batch)), np.float64))
            confidence.append(batch[1].max(axis=1))
        logits, weights = np.concatenate(found), np.concatenate(confidence) + 1e-6
        sums = np.stack([(logits * weights[:, None])[owners == i].sum(0) for i in range(len(rows))])
        return sums / np.bincount(owners, weights, len(rows))[:, None]


def _mean(values: np.ndarray) -> np.ndarray:
    return values.mean(axis=0) if len(values) else np.zeros(values.shape[1])


def _draw_inner(groups: np.ndarray, seed: int) -> np.ndarray:
    """Return the (N,) inner folds of sequences; groups are not divided."""
    names, of_row = np.unique(groups, return_inverse=True)
    numbers = np.random.default_rng(seed).permutation(len(names)) % _INNER_FOLDS
    return numbers[of_row]


def _describe(
    windows: list[list[PoseWindow]],
    chosen: np.ndarray,
    row: str,
    beside: bool,
    spec: PoseSpec,
) -> tuple[np.ndarray, np.ndarray]:
    """Return (M, D) figures of windows over all their steps, and which sequence each is of."""
    found, clips = [], []
    for clip in chosen:
        for window in windows[clip]:
            known = window.confidence >= spec.min_confidence
            if known.any():
                people = [
                    _describe_person(person, row, beside) for person in window.features[known]
                ]
                found.append(np.average(people, axis=0, weights=window.confidence[known]))
                clips.append(clip)
    return np.stack(found), np.array(clips)


def _describe_person(features: np.ndarray, row: str, beside: bool) -> np.ndarray:
    seen = features[:, SEEN_COLUMN] > 0
    steps = features[seen][:, COLUMNS].astype(np.float64)
    mean, spread = steps.mean(axis=0), steps.std(axis=0)
    if row == "maximum":
        return np.concatenate([steps.max(axis=0), *([_spread(steps)] if beside else [])])
    return np.concatenate([mean, spread, *([_spread(steps)[len(mean) :]] if beside else [])])


def _spread(steps: np.ndarray) -> np.ndarray:
    """Return mean and spread so far, as the linear branch takes them."""
    count = np.arange(1, len(steps) + 1)[:, None]
    mean = np.cumsum(steps, axis=0) / count
    square = np.cumsum(np.square(steps), axis=0) / count
    so_far = np.sqrt(np.maximum(square - np.square(mean), 0.0)).mean(axis=0)
    return np.concatenate([steps.mean(axis=0), so_far])
