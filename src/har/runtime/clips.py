"""Recognises the clips of a store with a bundle's graphs: what every evaluation uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from har import windows
from har.config import PredictConfig
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.focus import Focus, gather_views
from har.pose.pooling import pool_windows
from har.runtime.keypoints import KeypointCache
from har.runtime.people import score_detections
from har.runtime.recognizer import Recognizer

ENCODE_BATCH = 32


@dataclass(frozen=True)
class ClipAnswers:
    """What a bundle says of N clips.

    Attributes:
        probs: (N, K) float32 in the bundle's order of labels.
        is_unknown: (N,) bool: True where it cannot tell; the probabilities say nothing there.
    """

    probs: np.ndarray
    is_unknown: np.ndarray


def recognise_clips(
    recognizer: Recognizer, store: Store, clips: Sequence[int], progress: bool = False
) -> ClipAnswers:
    """Recognises some clips of a store, as a recording of each would be.

    Args:
        recognizer: The bundle.
        store: Prepared with the picture size and colour that the bundle takes.
        clips: Positions in ``store.clips``.
        progress: Show a bar.

    Raises:
        BundleMismatchError: The store's pictures are not what the bundle takes.
    """
    spec = recognizer.info.spec
    if (store.size, store.color) != (spec.size, spec.color) and recognizer.has_motion:
        raise BundleMismatchError(
            f"The bundle takes {spec.color} pictures of {spec.size} (H, W), the store {store.path} "
            f"holds {store.color} ones of {store.size}; prepare it again with --size "
            f"{spec.size[0]}x{spec.size[1]} --color {spec.color}"
        )
    clip_ids = [store.clips[clip].clip_id for clip in clips]
    logits = np.zeros((len(clip_ids), len(recognizer.info.labels)))
    if recognizer.has_motion:
        bar = tqdm(clip_ids, desc="recognise", unit="clip", leave=False, disable=not progress)
        logits += np.stack([_compute_logits(recognizer, store, clip_id) for clip_id in bar])
    is_unknown = np.zeros(len(clip_ids), dtype=bool)
    if recognizer.has_pose:
        pose, sureness = _compute_pose(recognizer, store, clip_ids, progress)
        if recognizer.has_motion:
            logits += recognizer.info.pose_weight * sureness[:, None] * pose
        else:
            logits, is_unknown = pose, sureness == 0
    return ClipAnswers(recognizer.compute_probs(logits), is_unknown)


def _compute_pose(
    recognizer: Recognizer, store: Store, clip_ids: Sequence[str], progress: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Gives (N, K) logits and (N,) sureness of the pose stream."""
    spec = recognizer.pose_spec
    hop = PredictConfig().hop(spec.n_steps)
    pooled = []
    for detections in KeypointCache(store, spec.rate_hz, progress).load(clip_ids):
        found = score_detections(recognizer, detections, hop)
        logits = np.stack([window.logits for window in found])
        pooled.append(pool_windows(logits, np.array([window.sureness for window in found])))
    return np.stack([item for item, _ in pooled]), np.array([item for _, item in pooled])


def _compute_logits(recognizer: Recognizer, store: Store, clip_id: str) -> np.ndarray:
    spec = recognizer.info.spec
    times_s = store.load_times(clip_id)
    steps = windows.compute_step_times(windows.compute_span_s(times_s), spec.rate_hz)
    indices = windows.compute_stack_indices(times_s, steps, spec.offsets_s)
    frames = store.open_frames(clip_id)
    focus = Focus(spec)
    features = [
        recognizer.compute_features(gather_views(frames, rows, spec, focus))
        for rows in np.split(indices, range(ENCODE_BATCH, len(indices), ENCODE_BATCH))
    ]
    hop = PredictConfig().hop(spec.n_steps)
    cut, lengths = windows.slice_windows(np.concatenate(features), spec.n_steps, hop)
    starts = windows.compute_window_starts(len(indices), spec.n_steps, hop)
    return windows.compute_clip_logits(recognizer.compute_logits(cut), lengths, starts)
