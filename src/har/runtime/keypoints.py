"""Keypoints of a store's clips, kept beside its frames.

They lie in ``STORE/keypoints/NETWORK-RATE/CLIP.FRAMES.npz``, where NETWORK and FRAMES begin the
SHA-256 of the pose network and of the clip's frames.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
from tqdm import tqdm

from har import windows
from har.dataset.store import Store
from har.files import replacing
from har.pose.people import Detections
from har.runtime.detector import PoseDetector, compute_detector_hash

FOLDER = "keypoints"


class KeypointCache:
    """Gives what the pose network sees in a clip; each clip is looked at once in a store's life."""

    def __init__(self, store: Store, rate_hz: float, progress: bool = False) -> None:
        """Opens the keypoints of a store at ``rate_hz`` steps a second.

        Args:
            store: Prepared clips, gray or RGB; its frames are what is looked at.
            rate_hz: Steps a second, at the times of `windows.compute_step_times`.
            progress: Show a bar while clips are looked at.
        """
        self._store, self._rate_hz, self._progress = store, rate_hz, progress
        self._folder = store.path / FOLDER / f"{compute_detector_hash()[:12]}-{rate_hz:g}"
        self._hashes = {clip.clip_id: clip.hash for clip in store.clips}

    @cached_property
    def _detector(self) -> PoseDetector:
        return PoseDetector(n_threads=1)

    def load(self, clip_ids: Sequence[str]) -> list[Detections]:
        """Gives the detections of some clips; those not there yet are made on all cores.

        A damaged file is made again, and so is one of frames that have changed since.

        Raises:
            StoreError: A clip's frames cannot be read.
            OutputError: The keypoints cannot be written into the store.
        """
        found = {clip_id: self._read(clip_id) for clip_id in clip_ids}
        missing = [clip_id for clip_id, detections in found.items() if detections is None]
        hide = not (self._progress and missing)
        with (
            ThreadPoolExecutor(os.cpu_count()) as pool,
            tqdm(missing, "keypoints", unit="clip", leave=False, disable=hide) as bar,
        ):
            made = {clip_id: self._make(clip_id, pool) for clip_id in bar}
        return [found[clip_id] or made[clip_id] for clip_id in clip_ids]

    def _path(self, clip_id: str) -> Path:
        return self._folder / f"{clip_id}.{self._hashes[clip_id][:12]}.npz"

    def _read(self, clip_id: str) -> Detections | None:
        """Gives the kept detections, or None where there are none or the file is damaged."""
        try:
            with (
                self._path(clip_id).open("rb") as file,
                np.load(file, allow_pickle=False) as kept,
            ):
                return Detections(kept["points"], kept["scores"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _make(self, clip_id: str, pool: ThreadPoolExecutor) -> Detections:
        times_s = self._store.load_times(clip_id)
        steps = windows.compute_step_times(windows.compute_span_s(times_s), self._rate_hz)
        frames = self._store.open_frames(clip_id)
        images = (frames[index] for index in windows.compute_nearest_indices(times_s, steps))
        found = list(pool.map(self._detector.detect, images))
        points, scores = (np.stack(arrays) for arrays in zip(*found, strict=True))
        with replacing(self._path(clip_id)) as part, part.open("wb") as file:
            np.savez(file, points=points, scores=scores)
        return Detections(points, scores)
