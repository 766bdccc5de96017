"""Recognises the clips of a store with a bundle's graphs: what every evaluation uses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tqdm import tqdm

from har import windows
from har.config import PredictConfig
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.runtime.recognizer import Recognizer

ENCODE_BATCH = 32


def recognise_clips(
    recognizer: Recognizer, store: Store, clips: Sequence[int], progress: bool = False
) -> np.ndarray:
    """Gives the probabilities of some clips of a store.

    Args:
        recognizer: The bundle.
        store: Prepared with the picture size and colour that the bundle takes.
        clips: Positions in ``store.clips``.
        progress: Show a bar.

    Returns:
        (N, K) float32 in the bundle's order of labels.

    Raises:
        BundleMismatchError: The store's pictures are not what the bundle takes.
    """
    spec = recognizer.info.spec
    if (store.size, store.color) != (spec.size, spec.color):
        raise BundleMismatchError(
            f"The bundle takes {spec.color} pictures of {spec.size} (H, W), the store {store.path} "
            f"holds {store.color} ones of {store.size}; prepare it again with --size "
            f"{spec.size[0]}x{spec.size[1]} --color {spec.color}"
        )
    bar = tqdm(clips, desc="recognise", unit="clip", leave=False, disable=not progress)
    logits = [_compute_logits(recognizer, store, store.clips[clip].clip_id) for clip in bar]
    return recognizer.compute_probs(np.stack(logits))


def _compute_logits(recognizer: Recognizer, store: Store, clip_id: str) -> np.ndarray:
    spec = recognizer.info.spec
    times_s = store.load_times(clip_id)
    steps = windows.compute_step_times(windows.compute_span_s(times_s), spec.rate_hz)
    indices = windows.compute_stack_indices(times_s, steps, spec.offsets_s)
    frames = store.open_frames(clip_id)
    features = np.concatenate(
        [
            recognizer.compute_features(windows.gather_stacks(frames, rows))
            for rows in np.split(indices, range(ENCODE_BATCH, len(indices), ENCODE_BATCH))
        ]
    )
    hop = PredictConfig().hop(spec.n_steps)
    cut, lengths = windows.slice_windows(features, spec.n_steps, hop)
    return windows.compute_clip_logits(recognizer.compute_logits(cut), lengths)
