"""Batches of pixels and of features, drawn in an order that the seed and epoch fix."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import keras
import numpy as np

from har.config import AugmentConfig
from har.dataset.store import Store
from har.sampling.crop import count_remembered_steps, gather_crops
from har.sampling.times import (
    compute_span_s,
    compute_stack_indices,
    compute_step_times,
    compute_window_starts,
)
from har.types import WindowSpec


@dataclass(frozen=True)
class Change:
    """One draw of what is done to a clip.

    Attributes:
        flip: Mirror left and right.
        scale: Part of the picture that is kept, at most 1.
        center: (x, y) of the kept part, as parts of the room there is, 0 to 1.
        shift_s: The steps move by this.
        speed: The clip is played this many times faster.
        contrast: Gray levels are spread around the middle by this factor.
        brightness: Gray levels added.
        noise: Standard deviation in gray levels.
        erase: (x0, y0, x1, y1) as parts of the picture, made black, or None.
        seed: Of the noise.
    """

    flip: bool = False
    scale: float = 1.0
    center: tuple[float, float] = (0.5, 0.5)
    shift_s: float = 0.0
    speed: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    noise: float = 0.0
    erase: tuple[float, float, float, float] | None = None
    seed: int = 0


NO_CHANGE = Change()


def draw_change(config: AugmentConfig, rng: np.random.Generator) -> Change:
    """Draw a change within the bounds of the settings."""
    x0, y0 = rng.uniform(0.0, 0.7, 2)
    width, height = rng.uniform(0.1, 0.3, 2)
    return Change(
        flip=config.flip and bool(rng.random() < 0.5),
        scale=1.0 - config.crop * float(rng.random()),
        center=(float(rng.random()), float(rng.random())),
        shift_s=config.shift_s * float(rng.uniform(-1, 1)),
        speed=float(np.exp(config.speed * rng.uniform(-1, 1))),
        contrast=float(np.exp(config.contrast * rng.uniform(-1, 1))),
        brightness=60.0 * config.contrast * float(rng.uniform(-1, 1)),
        noise=config.noise * float(rng.random()),
        erase=(x0, y0, x0 + width, y0 + height) if rng.random() < config.erase else None,
        seed=int(rng.integers(2**31)),
    )


def apply_change(frames: np.ndarray, change: Change) -> np.ndarray:
    """Return the changed frames.

    Args:
        frames: (F, H, W) or (F, H, W, 3) uint8; not altered.
        change: What to do; its time shift and speed are not for pixels and are ignored here.

    Returns:
        An array of the same shape and dtype.
    """
    if change == NO_CHANGE:
        return frames
    out = np.empty_like(frames)
    matrix = _crop_matrix(frames.shape[1:3], change)
    table = _gray_table(change)
    for target, frame in zip(out, frames, strict=True):
        size_wh = (frame.shape[1], frame.shape[0])
        warped = cv2.warpAffine(frame, matrix, size_wh, flags=cv2.INTER_LINEAR)
        target[...] = cv2.LUT(warped, table)
    if change.erase is not None:
        _erase(out, change.erase)
    if change.noise > 0:
        _add_noise(out, change)
    return out


def _crop_matrix(size: tuple[int, ...], change: Change) -> np.ndarray:
    """Return the (2, 3) affine map from the picture to its kept part, mirrored for a flip."""
    height, width = size
    motion_crop = 1.0 / change.scale
    x0 = (1.0 - change.scale) * change.center[0] * width
    y0 = (1.0 - change.scale) * change.center[1] * height
    if change.flip:
        return np.array(
            [
                [-motion_crop, 0.0, width - 1 + motion_crop * x0],
                [0.0, motion_crop, -motion_crop * y0],
            ]
        )
    return np.array([[motion_crop, 0.0, -motion_crop * x0], [0.0, motion_crop, -motion_crop * y0]])


def _gray_table(change: Change) -> np.ndarray:
    levels = np.arange(256, dtype=np.float64)
    spread = (levels - 128.0) * change.contrast + 128.0 + change.brightness
    return np.clip(np.rint(spread), 0, 255).astype(np.uint8)


def _erase(frames: np.ndarray, box: tuple[float, float, float, float]) -> None:
    height, width = frames.shape[1:3]
    x0, x1 = int(box[0] * width), int(box[2] * width)
    y0, y1 = int(box[1] * height), int(box[3] * height)
    frames[:, y0:y1, x0:x1] = 0


def _add_noise(frames: np.ndarray, change: Change) -> None:
    """Add noise cut for each frame from one larger tile: as good as fresh, and far cheaper."""
    rng = np.random.default_rng(change.seed)
    height, width = frames.shape[1:3]
    tile = rng.normal(0.0, change.noise, (height + 64, width + 64, *frames.shape[3:]))
    tile = np.rint(tile).astype(np.int16)
    for frame in frames:
        y, x = rng.integers(0, 64, 2)
        noisy = frame.astype(np.int16) + tile[y : y + height, x : x + width]
        frame[...] = np.clip(noisy, 0, 255)


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


def compute_loss_weights(
    targets: np.ndarray, n_labels: int, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return a weight for each clip, so that all classes count alike and the mean weight is 1.

    Args:
        targets: (N,) class indices.
        n_labels: K.
        weights: (N,) from 0: how much clips count within their class; all alike when None.

    Returns:
        (N,) float64.

    >>> compute_loss_weights(np.array([0, 0, 1]), 2).tolist()
    [0.75, 0.75, 1.5]
    >>> compute_loss_weights(np.array([0, 0, 1]), 2, np.array([1.0, 0.0, 0.5])).tolist()
    [1.5, 0.0, 1.5]
    """
    own = np.ones(len(targets)) if weights is None else weights
    sums = np.bincount(targets, own, n_labels)
    present = sums > 0
    scale = np.zeros(n_labels)
    scale[present] = len(targets) / (present.sum() * sums[present])
    return scale[targets] * own


def load_stacks(
    store: Store,
    clip_id: str,
    spec: WindowSpec,
    step_times_s: np.ndarray,
    change: Change,
    n_before: int = 0,
) -> np.ndarray:
    """Return what the CNN sees of some consecutive steps of a clip, all changed alike.

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
    indices = compute_stack_indices(times_s, step_times_s, spec.offsets_s)
    needed, places = np.unique(indices, return_inverse=True)
    frames = apply_change(store.open_frames(clip_id)[needed], change)
    return gather_crops(frames, places.reshape(indices.shape), spec)[n_before:]


def compute_clip_steps(
    store: Store, clip_id: str, spec: WindowSpec, change: Change = NO_CHANGE
) -> np.ndarray:
    """Return the (N,) times of a clip's steps, in seconds of the clip as it is played."""
    span_s = compute_span_s(store.load_times(clip_id)) / change.speed
    return compute_step_times(span_s, spec.rate_hz) + change.shift_s


class EpochBatches(keras.utils.PyDataset, abc.ABC):
    """Batches whose draws and order an epoch's number fixes, so that a resumed run repeats them."""

    @abc.abstractmethod
    def set_epoch(self, epoch: int) -> None:
        """Fix the draws and the order of an epoch."""


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
        weights: np.ndarray | None = None,
    ) -> None:
        """Take the items, and class index and weight of every clip position that they name."""
        super().__init__()
        self._items, self._targets, self._sampling = items, targets, sampling
        self._n_labels = n_labels
        clips = sorted({clip for clip, _ in items})
        own = None if weights is None else weights[clips]
        self._weights = np.zeros(len(targets), np.float32)
        self._weights[clips] = compute_loss_weights(targets[clips], n_labels, own)
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the draws and the order of an epoch, so that a resumed run repeats them."""
        self._epoch = epoch
        self._order = np.arange(len(self._items))
        if self._sampling.training:
            rng = np.random.default_rng((self._sampling.seed, epoch))
            self._order = rng.permutation(len(self._items))

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._items) // self._sampling.batch_size)

    def __getitem__(self, index: int) -> Batch:
        """Return one batch."""
        size = self._sampling.batch_size
        chosen = [int(item) for item in self._order[index * size : (index + 1) * size]]
        values = [self._load_item(item) for item in chosen]
        clips = [self._items[item][0] for item in chosen]
        inputs = _collate(values, self._sampling.n_steps)
        one_hot = np.eye(self._n_labels, dtype=np.float32)[self._targets[clips]]
        return inputs, one_hot, self._weights[clips]

    def _load_item(self, item: int) -> np.ndarray:
        clip, start = self._items[item]
        return self._load_window(
            clip, start, np.random.default_rng((self._sampling.seed, self._epoch, item))
        )

    @abc.abstractmethod
    def _load_window(self, clip: int, start: int, rng: np.random.Generator) -> np.ndarray:
        """Return (n, ...) values of at most ``n_steps`` steps."""

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
        """Take the positions of the clips in ``store.clips`` to draw from."""
        self._store, self._spec, self._augment = store, spec, augment
        items = [(clip, -1) for clip in clips for _ in range(sampling.per_clip)]
        if not sampling.training:
            items = [(clip, start) for clip in clips for start in self._spread(clip, sampling)]
        n_labels = len(store.labels)
        super().__init__(items, store.label_indices, n_labels, sampling, store.weights)

    def _spread(self, clip: int, sampling: Sampling) -> list[int]:
        """Return at most ``per_clip`` window starts, spread evenly over a clip."""
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
    """Batches of stored features (B, T, D) float32: any variant in training, else variant 0."""

    def __init__(
        self,
        variants: Sequence[Sequence[np.ndarray]],
        targets: np.ndarray,
        n_labels: int,
        sampling: Sampling,
        weights: np.ndarray | None = None,
    ) -> None:
        """Take of each clip its variants, each (N, D), its class index, and its weight."""
        self._variants = variants
        items = [(clip, -1) for clip in range(len(variants)) for _ in range(sampling.per_clip)]
        if not sampling.training:
            hop = max(sampling.n_steps // 2, 1)
            items = [
                (clip, int(start))
                for clip, features in enumerate(variants)
                for start in compute_window_starts(len(features[0]), sampling.n_steps, hop)
            ]
        super().__init__(items, targets, n_labels, sampling, weights)

    def _load_window(self, clip: int, start: int, rng: np.random.Generator) -> np.ndarray:
        variants = self._variants[clip]
        features = variants[0 if start >= 0 else int(rng.integers(len(variants)))]
        start = self._draw_start(len(features), rng) if start < 0 else start
        return np.asarray(features[start : start + self._sampling.n_steps], dtype=np.float32)


def _collate(items: list[np.ndarray], n_steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Pad items of at most ``n_steps`` steps at their end and put them together, with a mask."""
    values = np.zeros((len(items), n_steps, *items[0].shape[1:]), dtype=items[0].dtype)
    mask = np.zeros((len(items), n_steps), dtype=np.float32)
    for row, item in enumerate(items):
        values[row, : len(item)] = item
        mask[row, : len(item)] = 1.0
    return values, mask
