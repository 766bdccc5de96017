"""Features of every clip, computed once per CNN and cached on disk beside the store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import keras
import numpy as np

from har.config import AugmentConfig
from har.dataset.store import Store
from har.files import replacing
from har.network.parts import iter_layers
from har.progress import track
from har.training.batches import NO_CHANGE, Change, compute_clip_steps, draw_change, load_stacks
from har.training.run import compute_fingerprint
from har.types import WindowSpec

ENCODE_BATCH = 32

Variants = list[list[np.ndarray]]
"""For each clip its variants, each (N, D) float16; variant 0 is the clip as it is."""

_MIRROR = 1


class FeatureCache:
    """Variants of clips as one CNN sees them.

    Variant 0 is the clip as it is, variant 1 its mirror image where the settings allow mirroring,
    the others are under drawn changes.
    """

    def __init__(
        self,
        store: Store,
        spec: WindowSpec,
        encode: Callable[[np.ndarray], np.ndarray],
        model_hash: str,
        augment: AugmentConfig,
        progress: bool = False,
    ) -> None:
        """Take the store and the CNN.

        Args:
            store: Where the clips are.
            spec: The CNN's input contract.
            encode: (N, H, W, C) uint8 to (N, D) float32.
            model_hash: Names the CNN: another one has other features.
            augment: Changes from which the variants are drawn.
            progress: Show a bar.
        """
        self._store, self._spec, self._encode, self._augment = store, spec, encode, augment
        self._progress = progress
        key = compute_fingerprint(model_hash, spec, augment)
        self._folder = store.path / "features" / key

    def load_variants(self, clips: Sequence[int], n_variants: int) -> Variants:
        """Return the variants of some clips, computing those that are not on disk yet."""
        self._folder.mkdir(parents=True, exist_ok=True)
        bar = track(clips, "features", "clip", show=self._progress)
        return [[self._load(clip, variant) for variant in range(n_variants)] for clip in bar]

    def _load(self, clip: int, variant: int) -> np.ndarray:
        stored = self._store.clips[clip]
        name = "mirror" if self._is_mirror(variant) else variant
        path = self._folder / f"{stored.clip_id}.{stored.hash[:12]}.{name}.npy"
        if not path.is_file():
            features = self._compute(stored.clip_id, self._draw(stored.hash, variant))
            with replacing(path) as part, part.open("wb") as file:
                np.save(file, features)
        return np.load(path, allow_pickle=False)

    def _is_mirror(self, variant: int) -> bool:
        return variant == _MIRROR and self._augment.flip

    def _draw(self, content_hash: str, variant: int) -> Change:
        if variant == 0:
            return NO_CHANGE
        if self._is_mirror(variant):
            return Change(flip=True)
        return draw_change(
            self._augment, np.random.default_rng((int(content_hash[:8], 16), variant))
        )

    def _compute(self, clip_id: str, change: Change) -> np.ndarray:
        steps = compute_clip_steps(self._store, clip_id, self._spec, change)
        stacks = load_stacks(self._store, clip_id, self._spec, steps, change)
        batches = np.split(stacks, range(ENCODE_BATCH, len(stacks), ENCODE_BATCH))
        return np.concatenate([self._encode(batch) for batch in batches]).astype(np.float16)


def compute_model_hash(model: keras.Model) -> str:
    """Return a hash of a model's layers, over what they pool, and its weights, in order."""
    digest = hashlib.sha256()
    for layer in iter_layers(model):
        digest.update(type(layer).__name__.encode())
        digest.update(str(getattr(layer, "pool_size", "")).encode())
    for weight in model.weights:
        digest.update(np.ascontiguousarray(keras.ops.convert_to_numpy(weight)).tobytes())
    return digest.hexdigest()


def stack_variants(variants: Variants) -> np.ndarray:
    """Return the (N, D) float32 features of all steps of variant 0 of all clips."""
    return np.concatenate([clip[0] for clip in variants]).astype(np.float32)
