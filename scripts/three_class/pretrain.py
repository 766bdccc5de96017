# pyright: reportArgumentType=false
"""Trains a pose bundle on synthetic skeleton sequences alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np

from har.bundle import BundleInfo, PoseContract, save_info
from har.config import DecodeConfig, TrainConfig, find_background
from har.inference.detector import compute_detector_hash
from har.inference.model import compute_softmax
from har.metrics.clips import compute_clip_metrics
from har.network.heads import set_feature_scale
from har.network.pose_head import build_pose_head, pool_steps
from har.network.saving import save_bundle
from har.pose.features import SEEN_COLUMN
from har.reports.figures import write_history
from har.training.batches import EpochBatches, compute_loss_weights
from har.training.fit import FitPlace, clear_state, fit_model
from har.training.run import Run, compute_fingerprint, describe_recipe, set_seed
from har.types import PeopleRule, PictureSpec, PoseSpec
from three_class.sequences import Sequences
from three_class.settings import PretrainConfig
from three_class.windows import PersonWindows, compute_person_windows


class PersonClassifier(keras.Model):
    """What the pose stream trains where every person has a label, as in synthetic sequences.

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


PersonBatch = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(features (B, T, D), one-hot labels (B, K), weights (B,))"""


class PersonBatches(EpochBatches):
    """Batches of windows of single people, in a new order each epoch."""

    def __init__(
        self,
        people: PersonWindows,
        chosen: np.ndarray,
        n_labels: int,
        config: PretrainConfig,
        seed: int | None,
    ) -> None:
        """Take the windows and which of them to use; without a seed nothing is random."""
        super().__init__()
        self._people, self._chosen, self._config, self._seed = people, chosen, config, seed
        self._n_labels = n_labels
        self._weights = np.zeros(len(people.labels), np.float32)
        self._weights[chosen] = compute_loss_weights(people.labels[chosen], n_labels)
        sample = people.features[chosen[:_N_SAMPLE]].astype(np.float32)
        self._scale = sample[sample[..., SEEN_COLUMN] > 0].std(axis=0)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the draws and the order of an epoch."""
        self._epoch, self._order = epoch, self._chosen
        if self._seed is not None:
            self._order = np.random.default_rng((self._seed, epoch)).permutation(self._chosen)

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._chosen) // self._config.fit.batch_clips)

    def __getitem__(self, index: int) -> PersonBatch:
        """Return one batch."""
        size = self._config.fit.batch_clips
        rows = np.sort(self._order[index * size : (index + 1) * size])
        features = self._people.features[rows].astype(np.float32)
        if self._seed is not None:
            rng = np.random.default_rng((self._seed, self._epoch, index))
            noise = rng.standard_normal(features.shape, dtype=np.float32)
            features += noise * self._scale * self._config.jitter * (features != 0)
        labels = self._people.labels[rows]
        one_hot = np.eye(self._n_labels, dtype=np.float32)[labels]
        return features, one_hot, self._weights[rows]


_N_SAMPLE = 4000


def pretrain(
    config: PretrainConfig, recipe: TrainConfig, sequences: Sequences, run: Run
) -> BundleInfo:
    """Train a pose bundle on synthetic people; a part of the scenes validates.

    Args:
        config: How it is trained.
        recipe: Its `pose` part says what the head looks like.
        sequences: At the recipe's rate.
        run: Where it writes; an interrupted run goes on.

    Returns:
        The contract of the bundle. Its metrics are of synthetic people and say nothing of real
        ones.
    """
    set_seed(recipe.seed)
    labels = sequences.label_names
    background = find_background(labels)
    spec = recipe.pose.pose_spec(labels, background, compute_detector_hash())
    people = compute_person_windows(sequences, spec, labels.index(background), 0, run.progress)
    train, val = split_scenes(people.scenes, config.val_share, recipe.seed)
    run.say(f"synthetic: {len(train)} windows of people to learn from, {len(val)} to validate")
    head = build_pose_head(recipe.pose, spec, labels, background)
    set_feature_scale(head, _sample_steps(people, train))
    model = PersonClassifier(head, spec, labels.index(background))
    n_labels = len(labels)
    batches = PersonBatches(people, train, n_labels, config, recipe.seed)
    fixed = PersonBatches(people, val, n_labels, config, None)
    key = compute_fingerprint("synthetic", config, recipe, len(train), int(sequences.labels.sum()))
    stage_dir = run.stage_dir("synthetic")
    history = fit_model(model, (batches, fixed), config.fit, FitPlace(stage_dir, key, run.progress))
    clear_state(stage_dir)
    probs = compute_softmax(model.predict(fixed, verbose=0))
    metrics = compute_clip_metrics(labels, people.labels[val], probs)
    info = BundleInfo(
        stage="lstm",
        labels=labels,
        pose=PoseContract(
            spec, PictureSpec(config.size, "gray", config.max_rate_hz), recipe.pose.weight
        ),
        decode=DecodeConfig(background=background),
        synthetic_data=True,
        recipe={**describe_recipe(recipe), "synthetic_sequences": len(sequences)},
    )
    info = save_bundle(run.bundle_dir, info, pose=head, half=True)
    info = replace(info, metrics={"synthetic.val": metrics.to_json()})
    save_info(run.bundle_dir, info)
    write_history(stage_dir / "history.png", history)
    run.say(
        f"synthetic: accuracy {metrics.accuracy:.3f} on such people; bundle in {run.bundle_dir}"
    )
    return info


def split_scenes(scenes: np.ndarray, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the windows to learn from and to validate on; no scene is in both."""
    names = np.unique(scenes)
    drawn = np.random.default_rng(seed).permutation(names)[: max(round(share * len(names)), 1)]
    is_val = np.isin(scenes, drawn)
    return np.flatnonzero(~is_val), np.flatnonzero(is_val)


def _sample_steps(people: PersonWindows, chosen: np.ndarray) -> np.ndarray:
    """Return (N, D) features of some thousand windows' steps at which the person is seen."""
    sample = people.features[chosen[:: max(len(chosen) // _N_SAMPLE, 1)]].astype(np.float32)
    return sample[sample[..., SEEN_COLUMN] > 0]
