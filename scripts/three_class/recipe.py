# pyright: reportArgumentType=false
"""Trains a pose head on people of several domains at once: synthetic ones, fights, calm webcams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np

from har.config import PoseConfig
from har.network.heads import set_feature_scale
from har.network.pose_head import build_pose_head, pool_steps
from har.pose.features import SEEN_COLUMN
from har.training.batches import EpochBatches
from har.training.fit import fit_plainly
from har.training.run import set_seed
from har.types import PeopleRule, PoseSpec
from three_class.people import People, compute_features, vary
from three_class.settings import UNKNOWN, LearnConfig

_N_SAMPLE, _SCORED = 4000, 512

Batch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(features (B, T, D), one-hot labels (B, K), weights (B,))"""


@dataclass(frozen=True)
class Part:
    """What a head learns from one domain.

    Attributes:
        people: Windows of people.
        shares: How much all windows of each label weigh together, in the order of the labels.
    """

    people: People
    shares: tuple[float, ...]


class PersonClassifier(keras.Model):
    """What the pose stream trains where every person has a label.

    Takes (B, T, D) features of single people and gives (B, K).
    """

    def __init__(self, head: keras.Model, spec: PoseSpec, background: int) -> None:
        """Take the head; it is trained in place."""
        super().__init__(name="person")
        self.head, self.background = head, background
        self.rule: PeopleRule = spec.people

    def call(self, features: Any, training: bool = False) -> Any:
        """Return the people's logits."""
        seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1]
        logits = self.head(features, training=training)
        return pool_steps(logits, seen, self.rule, self.background, axis=1)


class PersonBatches(EpochBatches):
    """Batches of windows of single people, in a new order and another variant each epoch."""

    def __init__(
        self,
        variants: Sequence[np.ndarray],
        labels: np.ndarray,
        weights: np.ndarray,
        config: LearnConfig,
        seed: int,
    ) -> None:
        """Take (N, T, D) features of each variant, (N,) labels and weights, 0 to leave one out."""
        super().__init__()
        self._variants, self._labels, self._weights = variants, labels, weights
        self._config, self._seed = config, seed
        self._chosen = np.flatnonzero(weights > 0)
        self._scale = _sample_steps(variants[0]).std(axis=0)
        self._eye = np.eye(int(labels.max()) + 1, dtype=np.float32)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the draws and the order of an epoch."""
        self._epoch = epoch
        self._order = np.random.default_rng((self._seed, epoch)).permutation(self._chosen)

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._chosen) // self._config.fit.batch_clips)

    def __getitem__(self, index: int) -> Batch:
        """Return one batch."""
        size = self._config.fit.batch_clips
        rows = np.sort(self._order[index * size : (index + 1) * size])
        variant = self._variants[self._epoch % len(self._variants)]
        features = variant[rows].astype(np.float32)
        rng = np.random.default_rng((self._seed, self._epoch, index))
        noise = rng.standard_normal(features.shape, dtype=np.float32)
        features += noise * self._scale * self._config.jitter * (features != 0)
        labels = self._labels[rows]
        return features, self._eye[labels], self._weights[rows].astype(np.float32)


def _sample_steps(features: np.ndarray) -> np.ndarray:
    """Return (N, D) features of some thousand windows' steps at which the person is seen."""
    sample = features[:: max(len(features) // _N_SAMPLE, 1)].astype(np.float32)
    return sample[sample[..., SEEN_COLUMN] > 0]


def compute_variants(people: People, config: LearnConfig, seed: int) -> list[np.ndarray]:
    """Return (N, T, D) float16 features of people as each of several detectors might see them."""
    rng = np.random.default_rng(seed)
    return [
        compute_features(vary(people.points, rng, config.strength)).astype(np.float16)
        for _ in range(config.variants)
    ]


def learn(
    parts: Sequence[Part],
    pose: PoseConfig,
    spec: PoseSpec,
    labels: tuple[str, ...],
    background: str,
    config: LearnConfig,
    seed: int = 0,
    say: Callable[[str], None] = print,
) -> keras.Model:
    """Train a head for a fixed number of epochs; nothing validates it, nothing is chosen.

    In a window in which somebody hits others, and nobody says who, the person counts who shows it
    most: first who comes nearest to another, then who the head takes for it.

    Args:
        parts: What is learnt from.
        pose: What the head looks like.
        spec: The input contract.
        labels: In the order of the outputs; hitting others comes first.
        background: One of them.
        config: How it learns.
        seed: Of every draw.
        say: Takes a line on what is done.
    """
    set_seed(seed)
    people = People.join([part.people for part in parts])
    variants = compute_variants(people, config, seed)
    head = build_pose_head(pose, spec, labels, background)
    set_feature_scale(head, _sample_steps(variants[0]))
    model = PersonClassifier(head, spec, labels.index(background))
    known, nearness = people.labels.copy(), _measure_nearness(people)
    for number, epochs in enumerate(config.rounds):
        if number:
            logits = score_windows(model, variants[0])
            nearness = logits[:, 0] - logits[:, model.background]
        known = _choose_actors(people, nearness)
        weights = _weigh(parts, known)
        say(f"round {number + 1}: {int((weights > 0).sum())} windows of people, {epochs} epochs")
        batches = PersonBatches(variants, np.maximum(known, 0), weights, config, seed + number)
        fit_plainly(model, batches, replace(config.fit, epochs=epochs))
    return head


def score_windows(model: PersonClassifier, features: np.ndarray) -> np.ndarray:
    """Return (N, K) logits of (N, T, D) features of single people."""
    parts = [
        np.asarray(keras.ops.convert_to_numpy(model(features[start : start + _SCORED])))
        for start in range(0, len(features), _SCORED)
    ]
    return np.concatenate(parts)


def _measure_nearness(people: People) -> np.ndarray:
    """Return (N,) how near each person's joints come to the other's, in trunks; below 0."""
    nearness = np.full(len(people), -np.inf)
    for row in np.flatnonzero(people.labels == UNKNOWN):
        own, other = people.points[row]
        both = (own[..., 2].max(axis=1) > 0) & (other[..., 2].max(axis=1) > 0)
        if both.any():
            gaps = own[both, :, None, :2] - other[both, None, :, :2]
            size = np.ptp(own[both, :, 1], axis=1).mean() + 1.0
            nearness[row] = -np.linalg.norm(gaps, axis=-1).min() / size
    return nearness


def _choose_actors(people: People, scores: np.ndarray) -> np.ndarray:
    """Return labels in which of each window that shows hitting others one person does it.

    The others there stay `UNKNOWN`, and are left out.
    """
    labels = people.labels.copy()
    rows = np.flatnonzero(labels == UNKNOWN)
    rows = rows[np.lexsort((-scores[rows], people.windows[rows]))]
    _, first = np.unique(people.windows[rows], return_index=True)
    labels[rows[first]] = 0
    return labels


def _weigh(parts: Sequence[Part], labels: np.ndarray) -> np.ndarray:
    """Return (N,) weights of mean 1 over those that count: each part's labels by their shares."""
    weights, start = np.zeros(len(labels)), 0
    for part in parts:
        own = slice(start, start + len(part.people))
        for label, share in enumerate(part.shares):
            chosen = labels[own] == label
            weights[own][chosen] = share / max(int(chosen.sum()), 1)
        start = own.stop
    return weights * (weights > 0).sum() / max(weights.sum(), 1e-12)
