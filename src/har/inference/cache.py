"""What earlier runs found: keypoints beside a store, results beside the files of a video."""

from __future__ import annotations

import dataclasses
import glob
import hashlib
import json
import math
import zipfile
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from har.addresses import to_source
from har.dataset.store import Store
from har.errors import OutputError
from har.events.files import RESULT_ENDING, SCORES_ENDING, load_scores, save_scores
from har.feature_files import FEATURES_ENDING
from har.files import add_ending, replacing, write_json
from har.inference.detector import PoseDetector, compute_detector_hash
from har.parallel import count_cores
from har.pose.adapters.reading import KEYPOINTS_ENDING
from har.pose.keypoints import Detections, to_detections
from har.progress import track
from har.result import VideoResult
from har.sampling.times import compute_nearest_indices, compute_span_s, compute_step_times
from har.types import Event, VideoInfo

FOLDER = "keypoints"


class KeypointCache:
    """Gives what the pose network sees in a clip; each clip is looked at once in a store's life."""

    def __init__(
        self, store: Store, rate_hz: float, progress: bool = False, n_threads: int = 0
    ) -> None:
        """Open the keypoints of a store at ``rate_hz`` steps a second.

        Args:
            store: Prepared clips, gray or RGB; its frames are what is looked at.
            rate_hz: Steps a second, at the times of `compute_step_times`.
            progress: Show a bar while clips are looked at.
            n_threads: Pictures at once; 0 means one a core.
        """
        self._store, self._rate_hz, self._progress = store, rate_hz, progress
        self._n_threads = n_threads or count_cores()
        self._folder = store.path / FOLDER / f"{compute_detector_hash()[:12]}-{rate_hz:g}"
        self._hashes = {clip.clip_id: clip.hash for clip in store.clips}

    @cached_property
    def _detector(self) -> PoseDetector:
        return PoseDetector(n_threads=1)

    def load(self, clip_ids: Sequence[str]) -> list[Detections]:
        """Return the detections of some clips; those not there yet are made on all cores.

        A damaged file is made again, and so is one of frames that have changed since.

        Raises:
            StoreError: A clip's frames cannot be read.
            OutputError: The keypoints cannot be written into the store.
        """
        found = {clip_id: self._read(clip_id) for clip_id in clip_ids}
        missing = [clip_id for clip_id, detections in found.items() if detections is None]
        with ThreadPoolExecutor(self._n_threads) as pool:
            bar = track(missing, "keypoints", "clip", show=self._progress)
            made = {clip_id: self._make(clip_id, pool) for clip_id in bar}
        return [found[clip_id] or made[clip_id] for clip_id in clip_ids]

    def _path(self, clip_id: str) -> Path:
        return self._folder / f"{clip_id}.{self._hashes[clip_id][:12]}.npz"

    def _read(self, clip_id: str) -> Detections | None:
        """Return the kept detections, or None where there are none or the file is damaged."""
        if clip_id in self._store.keypoint_clips:
            return self._sample(clip_id)
        try:
            with (
                self._path(clip_id).open("rb") as file,
                np.load(file, allow_pickle=False) as kept,
            ):
                return Detections(kept["points"], kept["scores"])
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None

    def _sample(self, clip_id: str) -> Detections:
        """Return what another tool has found, at the steps."""
        times_s = self._store.load_times(clip_id)
        steps_s = compute_step_times(compute_span_s(times_s), self._rate_hz)
        rows = compute_nearest_indices(times_s, steps_s)
        return to_detections(self._store.load_keypoints(clip_id)[rows])

    def _make(self, clip_id: str, pool: ThreadPoolExecutor) -> Detections:
        times_s = self._store.load_times(clip_id)
        steps = compute_step_times(compute_span_s(times_s), self._rate_hz)
        frames = self._store.open_frames(clip_id)
        images = (frames[index] for index in compute_nearest_indices(times_s, steps))
        found = list(pool.map(self._detector.detect, images))
        points, scores = (np.stack(arrays) for arrays in zip(*found, strict=True))
        with replacing(self._path(clip_id)) as part, part.open("wb") as file:
            np.savez(file, points=points, scores=scores)
        return Detections(points, scores)


@dataclass(frozen=True)
class KeypointJob:
    """A clip of a store whose people are to be found by a process that does nothing else.

    Attributes:
        store: Its folder.
        data_hash: Of what is in it.
        rate_hz: Steps a second.
        clip_id: Of the clip.
    """

    store: Path
    data_hash: str
    rate_hz: float
    clip_id: str


def find_keypoints(job: KeypointJob) -> None:
    """Find the people of a clip, unless they are known, and leave their keypoints in the store.

    Raises:
        StoreError: The clip's frames cannot be read.
        OutputError: The keypoints cannot be written.
    """
    _open_cache(job.store, job.data_hash, job.rate_hz).load([job.clip_id])


@lru_cache(maxsize=1)
def _open_cache(store: Path, _data_hash: str, rate_hz: float) -> KeypointCache:
    """Return the keypoints of a store; a process opens store and network once."""
    return KeypointCache(Store.load(store), rate_hz, n_threads=1)


_KEPT = {"features": FEATURES_ENDING, "keypoints": KEYPOINTS_ENDING}

_APART = ("info", "events", "scores", "pose_tracks", "crops", "people", "file")
"""Fields that are no plain values. Places and crops are not kept: only drawing needs them."""


def compute_key(video: Path, *settings: str, version: str = "") -> str:
    """Return a hash that is the same only for an unchanged file and the same settings.

    Args:
        video: Its name, size and time of change count.
        settings: All else on which the result depends.
        version: Of a file that is not on this machine, in the place of size and time.

    Raises:
        OSError: The file cannot be looked at.
    """
    found = None if version else video.stat()
    state = [found.st_size, found.st_mtime_ns] if found else [version]
    parts = [str(video), *state, *settings]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def save_result(base: Path, key: str, result: VideoResult, keeps: Collection[str] = ()) -> None:
    """Keep a result under a key, with the names of all files that begin with ``base``.

    Args:
        base: Folder and stem of its files.
        key: Of `compute_key`.
        result: Its scores are written by `start_result`.
        keeps: What was written of the video for a later run.

    Raises:
        OutputError: It cannot be written.
    """
    plain = {
        field.name: getattr(result, field.name)
        for field in dataclasses.fields(result)
        if field.name not in _APART
    }
    values = {
        "key": key,
        "keeps": sorted(keeps),
        "files": _list_files(base),
        "info": {**dataclasses.asdict(result.info), "path": str(result.info.path)},
        "place": str(result.info.path.absolute()),
        "events": [dataclasses.asdict(event) for event in result.events],
        "rest": plain,
    }
    write_json(add_ending(base, RESULT_ENDING), values)


def start_result(base: Path, result: VideoResult) -> None:
    """Write a result's scores; what an earlier run kept does not count from here on.

    Features and keypoints that it had kept are removed: they may be of another video or model.

    Raises:
        OutputError: They cannot be written.
    """
    try:
        for ending in (*_list_kept(base), RESULT_ENDING):
            add_ending(base, ending).unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(
            f"{error.filename} cannot be removed: {error.strerror}. Check that the folder "
            f"may be written to, or name another one with --out"
        ) from error
    save_scores(add_ending(base, SCORES_ENDING), result.scores)


def _list_kept(base: Path) -> list[str]:
    try:
        values = json.loads(add_ending(base, RESULT_ENDING).read_text(encoding="utf-8"))
        return [_KEPT[name] for name in values["keeps"] if name in _KEPT]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def load_result(base: Path, key: str, keeps: Collection[str] = ()) -> VideoResult | None:
    """Return what was kept under the key; None if there is nothing, or some of it is gone.

    Args:
        base: Folder and stem of its files.
        key: Of `compute_key`.
        keeps: What must have been written of the video for a later run.
    """
    try:
        values = json.loads(add_ending(base, RESULT_ENDING).read_text(encoding="utf-8"))
        is_whole = all((base.parent / name).exists() for name in values["files"])
        is_enough = set(keeps) <= set(values.get("keeps", ()))
        return _parse(values, base) if values["key"] == key and is_whole and is_enough else None
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
    ):
        return None


def _parse(values: dict[str, Any], base: Path) -> VideoResult:
    scores, rest = load_scores(add_ending(base, SCORES_ENDING)), values["rest"]
    info = VideoInfo(**{**values["info"], "path": to_source(values["info"]["path"])})
    events = tuple(Event(**event) for event in values["events"])
    found = VideoResult(info=info, events=events, scores=scores, **rest)
    sizes = (info.width, info.height, info.rotation_deg, found.n_windows, *found.probs.values())
    known = [value for value in (info.fps, info.duration_s, info.n_frames) if value is not None]
    spans = [value for e in events for value in (e.onset_s, e.offset_s, e.score)]
    people = [number for e in events for number in (e.subject, e.target)]
    numbers = (found.duration_s, found.wall_s, *sizes, *known, *spans, *people)
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise ValueError("a number is none")
    if not isinstance(found.note, str) or not {e.label for e in events} <= set(scores.labels):
        raise ValueError("a label is not known")
    return found


def _list_files(base: Path) -> list[str]:
    """Return the names of the files that begin with a stem, whole ones only."""
    found = base.parent.glob(f"{glob.escape(base.name)}.*")
    return sorted(path.name for path in found if path.suffix != ".part")
