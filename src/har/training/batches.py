"""Batches of pixels and of features, drawn from a store in an order that the seed and epoch fix."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np

from har import windows
from har.config import AugmentConfig
from har.dataset.store import Store
from har.focus import count_remembered_steps, gather_views
from har.training.augment import NO_CHANGE, Change, apply_change, draw_change
from har.types import WindowSpec

Batch = tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray]
"""((values (B, T, ...), mask (B, T)), one-hot labels (B, K), weights (B,))"""


@dataclass(frozen=True)
class Sampling:
    """How items are drawn from clips.

    Attributes:
        n_steps: Time steps of one item.
        per_clip: Items a clip gives in an epoch.
        batch_size: Items in a batch.
        training: Windows, changes and order are drawn; otherwise nothing is random.
        seed: Of every draw.
    """

    n_steps: int
    per_clip: int
    batch_size: int
    training: bool
    seed: int


def compute_class_weights(targets: np.ndarray, n_labels: int) -> np.ndarray:
    """Gives a weight for each class, so that all count alike and the mean weight is 1.

    Args:
        targets: (N,) class indices.
        n_labels: K.

    Returns:
        (K,) float32; 0 for a class without clips.

    >>> compute_class_weights(np.array([0, 0, 1]), 2).tolist()
    [0.75, 1.5]
    """
    counts = np.bincount(targets, minlength=n_labels).astype(np.float64)
    present = counts > 0
    weights = np.zeros(n_labels)
    weights[present] = len(targets) / (present.sum() * counts[present])
    return weights.astype(np.float32)


def load_stacks(
    store: Store,
    clip_id: str,
    spec: WindowSpec,
    step_times_s: np.ndarray,
    change: Change,
    n_before: int = 0,
) -> np.ndarray:
    """Gives what the CNN sees of some consecutive steps of a clip, all changed alike.

    Args:
        store: Where the clip is.
        clip_id: Which clip.
        spec: The input contract.
        step_times_s: (N,) seconds in the clip as it is played after the change of speed.
        change: What is done to the pixels; ``speed`` also scales the clip's own times.
        n_before: So many of these steps only tell where motion has been, and are not given.

    Returns:
        (N - n_before, H, W, C) uint8.
    """
    times_s = store.load_times(clip_id) / change.speed
    indices = windows.compute_stack_indices(times_s, step_times_s, spec.offsets_s)
    needed, places = np.unique(indices, return_inverse=True)
    frames = apply_change(store.open_frames(clip_id)[needed], change)
    return gather_views(frames, places.reshape(indices.shape), spec)[n_before:]


def compute_clip_steps(
    store: Store, clip_id: str, spec: WindowSpec, change: Change = NO_CHANGE
) -> np.ndarray:
    """Gives the (N,) times of a clip's steps, in seconds of the clip as it is played."""
    span_s = windows.compute_span_s(store.load_times(clip_id)) / change.speed
    return windows.compute_step_times(span_s, spec.rate_hz) + change.shift_s


class EpochBatches(keras.utils.PyDataset, abc.ABC):
    """Batches whose draws and order an epoch's number fixes, so that a resumed run repeats them."""

    @abc.abstractmethod
    def set_epoch(self, epoch: int) -> None:
        """Fixes the draws and the order of an epoch."""


class ClipBatches(EpochBatches):
    """Batches of windows of clips, drawn anew each epoch, or a fixed set for validation.

    An item is ``(clip, start)``: a clip's position and the first step of the window, or -1 where
    the window is drawn.
    """

    def __init__(
        self,
        items: Sequence[tuple[int, int]],
        targets: np.ndarray,
        n_labels: int,
        sampling: Sampling,
    ) -> None:
        """Takes the items and the class index of every clip position that they name."""
        super().__init__()
        self._items, self._targets, self._sampling = items, targets, sampling
        clips = sorted({clip for clip, _ in items})
        self._weights = compute_class_weights(targets[clips], n_labels)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fixes the draws and the order of an epoch, so that a resumed run repeats them."""
        self._epoch = epoch
        self._order = np.arange(len(self._items))
        if self._sampling.training:
            rng = np.random.default_rng((self._sampling.seed, epoch))
            self._order = rng.permutation(len(self._items))

    def __len__(self) -> int:
        """Gives the number of batches."""
        return -(-len(self._items) // self._sampling.batch_size)

    def __getitem__(self, index: int) -> Batch:
        """Gives one batch."""
        size = self._sampling.batch_size
        chosen = [int(item) for item in self._order[index * size : (index + 1) * size]]
        values = [self._load_item(item) for item in chosen]
        targets = self._targets[[self._items[item][0] for item in chosen]]
        return _collate(values, self._sampling.n_steps, targets, self._weights)

    def _load_item(self, item: int) -> np.ndarray:
        clip, start = self._items[item]
        return self._load_window(
            clip, start, np.random.default_rng((self._sampling.seed, self._epoch, item))
        )

    @abc.abstractmethod
    def _load_window(self, clip: int, start: int, rng: np.random.Generator) -> np.ndarray:
        """Gives (n, ...) values of at most ``n_steps`` steps."""

    def _draw_start(self, n_total: int, rng: np.random.Generator) -> int:
        return int(rng.integers(max(n_total - self._sampling.n_steps, 0) + 1))


class PixelBatches(ClipBatches):
    """Batches of frame stacks (B, T, H, W, C) uint8."""

    def __init__(
        self,
        store: Store,
        clips: Sequence[int],
        spec: WindowSpec,
        sampling: Sampling,
        augment: AugmentConfig,
    ) -> None:
        """Takes the positions of the clips in ``store.clips`` to draw from."""
        self._store, self._spec, self._augment = store, spec, augment
        items = [(clip, -1) for clip in clips for _ in range(sampling.per_clip)]
        if not sampling.training:
            items = [(clip, start) for clip in clips for start in self._spread(clip, sampling)]
        super().__init__(items, store.label_indices, len(store.labels), sampling)

    def _spread(self, clip: int, sampling: Sampling) -> list[int]:
        """Gives at most ``per_clip`` window starts, spread evenly over a clip."""
        n_total = len(compute_clip_steps(self._store, self._store.clips[clip].clip_id, self._spec))
        last = max(n_total - sampling.n_steps, 0)
        spread = np.linspace(0, last, min(sampling.per_clip, last + 1))
        return [int(start) for start in np.rint(spread)]

    def _load_window(self, clip: int, start: int, rng: np.random.Generator) -> np.ndarray:
        clip_id = self._store.clips[clip].clip_id
        change = draw_change(self._augment, rng) if self._sampling.training else NO_CHANGE
        steps = compute_clip_steps(self._store, clip_id, self._spec, change)
        start = self._draw_start(len(steps), rng) if start < 0 else start
        n_before = min(start, count_remembered_steps(self._spec))
        chosen = steps[start - n_before : start + self._sampling.n_steps]
        return load_stacks(self._store, clip_id, self._spec, chosen, change, n_before)


class FeatureBatches(ClipBatches):
    """Batches of stored features (B, T, D) float32: a random view in training, view 0 otherwise."""

    def __init__(
        self,
        views: Sequence[Sequence[np.ndarray]],
        targets: np.ndarray,
        n_labels: int,
        sampling: Sampling,
    ) -> None:
        """Takes for each clip its views, each (N, D), and the (n_clips,) class indices."""
        self._views = views
        items = [(clip, -1) for clip in range(len(views)) for _ in range(sampling.per_clip)]
        if not sampling.training:
            hop = max(sampling.n_steps // 2, 1)
            items = [
                (clip, int(start))
                for clip, features in enumerate(views)
                for start in windows.compute_window_starts(len(features[0]), sampling.n_steps, hop)
            ]
        super().__init__(items, targets, n_labels, sampling)

    def _load_window(self, clip: int, start: int, rng: np.random.Generator) -> np.ndarray:
        views = self._views[clip]
        features = views[0 if start >= 0 else int(rng.integers(len(views)))]
        start = self._draw_start(len(features), rng) if start < 0 else start
        return np.asarray(features[start : start + self._sampling.n_steps], dtype=np.float32)


def _collate(
    items: list[np.ndarray], n_steps: int, targets: np.ndarray, class_weights: np.ndarray
) -> Batch:
    """Pads items of at most ``n_steps`` steps at their end and puts them together."""
    values = np.zeros((len(items), n_steps, *items[0].shape[1:]), dtype=items[0].dtype)
    mask = np.zeros((len(items), n_steps), dtype=np.float32)
    for row, item in enumerate(items):
        values[row, : len(item)] = item
        mask[row, : len(item)] = 1.0
    one_hot = np.eye(len(class_weights), dtype=np.float32)[targets]
    return (values, mask), one_hot, class_weights[targets]
