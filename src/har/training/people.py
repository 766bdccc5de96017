# pyright: reportArgumentType=false
"""Windows of the people of clips, and batches of them, for the head of the pose stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from har.config import FitConfig, PoseConfig
from har.dataset.store import Store
from har.inference.cache import KeypointCache
from har.pose.features import N_FEATURES, SEEN_COLUMN, PoseWindow, compute_window
from har.pose.keypoints import Detections
from har.pose.tracking import track_people
from har.progress import track
from har.sampling.times import compute_window_starts
from har.training.batches import EpochBatches, compute_loss_weights
from har.types import PoseSpec

TRAIN_HOP = 2
"""Steps between the windows that training draws from: many starts, each computed once."""

PeopleBatch = tuple[tuple[np.ndarray, ...], np.ndarray, np.ndarray]
"""((features (B, P, T, D), confidence (B, P), mask (B, T)), one-hot labels (B, K), weights (B,));
perhaps with the (B, K) logits that stand in the place of a linear branch as a fourth input."""


def compute_windows(detections: Detections, spec: PoseSpec, hop: int) -> list[PoseWindow]:
    """Return the windows of consecutive steps, people followed from the first step on.

    Args:
        detections: Of N >= 1 steps.
        spec: The input contract.
        hop: Steps from one window's start to the next, at most a window's length.
    """
    points = track_people(detections, spec.rate_hz).points
    starts = compute_window_starts(len(points), spec.n_steps, min(hop, spec.n_steps))
    return [compute_window(points[start : start + spec.n_steps], spec.rate_hz) for start in starts]


def load_clip_windows(
    store: Store, clips: Sequence[int], spec: PoseSpec, progress: bool = False
) -> list[list[PoseWindow]]:
    """Return all windows of some clips of a store, which caches their keypoints."""
    clip_ids = [store.clips[clip].clip_id for clip in clips]
    found = KeypointCache(store, spec.rate_hz, progress).load(clip_ids)
    bar = track(found, "people", "clip", show=progress)
    return [compute_windows(detections, spec, TRAIN_HOP) for detections in bar]


@dataclass(frozen=True)
class PeopleSampling:
    """How windows are drawn.

    Attributes:
        per_clip: Windows of a clip in an epoch.
        batch_size: Windows in a batch.
        jitter: Noise on the features, in their standard deviations.
        seed: Of every draw.
        training: Windows, noise and order are drawn; otherwise all windows come in order.
    """

    per_clip: int
    batch_size: int
    jitter: float
    seed: int
    training: bool = True

    @classmethod
    def of(
        cls, config: PoseConfig, fit: FitConfig, seed: int, training: bool = True
    ) -> PeopleSampling:
        """Return the settings of a recipe and of how its head is optimized."""
        return cls(config.windows_per_clip, fit.batch_clips, config.jitter, seed, training)


class PeopleBatches(EpochBatches):
    """Batches of windows with all their people, drawn anew each epoch."""

    def __init__(
        self,
        clips: Sequence[Sequence[PoseWindow]],
        targets: np.ndarray,
        n_labels: int,
        spec: PoseSpec,
        sampling: PeopleSampling,
        weights: np.ndarray | None = None,
        known: Sequence[np.ndarray] | None = None,
    ) -> None:
        """Take the windows of each clip, its class index, and its weight.

        ``known`` are the (W, K) logits of each clip's windows that are a fourth input.
        """
        super().__init__()
        self._known = known
        self._clips, self._targets, self._spec, self._sampling = clips, targets, spec, sampling
        self._weights = compute_loss_weights(targets, n_labels, weights).astype(np.float32)
        self._n_labels = n_labels
        self._n_people = count_people([window for clip in clips for window in clip])
        self._scale = stack_features(clips).std(axis=0)
        self._scale[SEEN_COLUMN] = 0.0
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the draws and the order of an epoch."""
        self._epoch = epoch
        if not self._sampling.training:
            self._items = [(c, w) for c, clip in enumerate(self._clips) for w in range(len(clip))]
            return
        rng = np.random.default_rng((self._sampling.seed, epoch))
        order = rng.permutation(np.repeat(np.arange(len(self._clips)), self._sampling.per_clip))
        self._items = [(int(c), int(rng.integers(len(self._clips[c])))) for c in order]

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._items) // self._sampling.batch_size)

    def __getitem__(self, index: int) -> PeopleBatch:
        """Return one batch."""
        size = self._sampling.batch_size
        items = self._items[index * size : (index + 1) * size]
        found = [self._clips[clip][window] for clip, window in items]
        features, confidence, mask = stack_people(found, self._spec, self._n_people)
        if self._sampling.training and self._sampling.jitter:
            rng = np.random.default_rng((self._sampling.seed, self._epoch, index))
            noise = rng.standard_normal(features.shape, dtype=np.float32)
            features += noise * self._scale * self._sampling.jitter * (features != 0)
        clips = [clip for clip, _ in items]
        one_hot = np.eye(self._n_labels, dtype=np.float32)[self._targets[clips]]
        inputs = (features, confidence, mask)
        if self._known is not None:
            inputs += (np.stack([self._known[clip][window] for clip, window in items]),)
        return inputs, one_hot, self._weights[clips]


def stack_features(clips: Sequence[Sequence[PoseWindow]]) -> np.ndarray:
    """Return (N, D) features of every second window's people and step; at least one row."""
    rows = [
        window.features.reshape(-1, N_FEATURES)
        for clip in clips
        for window in clip[::2]
        if len(window.features)
    ]
    return np.concatenate(rows) if rows else np.zeros((1, N_FEATURES), dtype=np.float32)


def count_people(found: Sequence[PoseWindow]) -> int:
    """Return the most people of any window, 1 at least."""
    return max([1, *(len(window.confidence) for window in found)])


def stack_people(
    found: Sequence[PoseWindow], spec: PoseSpec, n_people: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return windows as arrays: (B, P, T, D) features, (B, P) confidence and (B, T) mask.

    The most confident P people come first; who is less confident than the contract requires has
    confidence 0.
    """
    features = np.zeros((len(found), n_people, spec.n_steps, N_FEATURES), dtype=np.float32)
    confidence = np.zeros((len(found), n_people), dtype=np.float32)
    mask = np.zeros((len(found), spec.n_steps), dtype=np.float32)
    for row, window in enumerate(found):
        order = np.argsort(-window.confidence, kind="stable")[:n_people]
        n_steps = window.features.shape[1]
        features[row, : len(order), :n_steps] = window.features[order]
        found_confidence = window.confidence[order]
        is_confident = found_confidence >= spec.min_confidence
        confidence[row, : len(order)] = np.where(is_confident, found_confidence, 0.0)
        mask[row, :n_steps] = 1.0
    return features, confidence, mask
