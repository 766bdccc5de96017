"""Places, people and sensors by themselves, each as what the pose path of the product takes.

Joints of depth cameras and of MediaPipe go the public way for poses of other tools: the same table
of joints, projection, sampling, tracker and features as ``har predict`` on a file of them. Pictures
go through a prepared store and its cache of keypoints.

    survfight0 to 2    Surveillance Camera Fight by thirds of its sources
    ut                 UT-Interaction, set 1
    sbu                pairs of adults before a Kinect: kick, push, punch against the rest
    synthetic          skeletons of ``scripts/three_class``, of a seed that nothing learns from
    children, adults   Kinder-Gator: one person before a Kinect; nobody hits anyone
    utkinect           the same: adults
    webcam_mit         signs and idling before webcams; may be learnt from
    webcam             the same of four other people; to measure only
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from har.config import PredictConfig, PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.inference.cache import KeypointCache
from har.pose.features import N_FEATURES, PoseWindow, compute_window
from har.pose.tracking import track_people
from har.sampling.times import compute_window_starts
from three_class.captured import iter_motion, sample_poses, to_coco
from three_class.people import N_STEPS, RATE_HZ
from three_class.sequences import draw_sequences
from three_class.settings import SequencesConfig

HOP = PredictConfig().hop(N_STEPS)
"""Steps from window to window, as in recordings."""

SURVFIGHT, UT = "survfight", "ut_interaction_set1"
THIRDS = ("survfight0", "survfight1", "survfight2")
DOMAINS = (
    *THIRDS,
    *("ut", "sbu", "synthetic", "children", "adults", "utkinect", "webcam_mit", "webcam"),
)
WITH_HITS = (*THIRDS, "ut", "sbu", "synthetic")
"""Domains that hold hits as well as none; in the others nobody hits anyone."""
MAY_BE_LEARNT = (*THIRDS, "webcam_mit", "synthetic")
"""What a shipped bundle may learn from; the others are measured only."""

HITS = ("fight", "kick", "push", "punch", "hitting_others")
_N_SYNTHETIC, _SYNTHETIC_SEED = 1200, 17
_VERSION = "1"


@dataclass(frozen=True)
class Recording:
    """One sequence of a domain.

    Attributes:
        domain: One of `DOMAINS`.
        subject: Who or where: a split never divides it.
        action: As the data calls it.
        is_hit: Whether someone hits another.
        tracks: (T, P, 17, 3) float32 at `RATE_HZ`, as of `har.pose.keypoints.Tracks`.
        windows: Features of all people, window by window.
    """

    domain: str
    subject: str
    action: str
    is_hit: bool
    tracks: np.ndarray
    windows: tuple[PoseWindow, ...] = ()


def load_domain(name: str, data_dir: Path, cache: Path) -> list[Recording]:
    """Return the sequences of a domain, computed once.

    Args:
        name: One of `DOMAINS`.
        data_dir: Has ``survfight``, ``ut_interaction_set1`` and ``motion``.
        cache: Folder of prepared stores and of what was computed before.
    """
    path = cache / f"{name}.v{_VERSION}.npz"
    found = _read(path, name)
    if found is None:
        found = [with_windows(sequence) for sequence in _build(name, data_dir, cache)]
        _write(path, found)
    return found


def with_windows(sequence: Recording) -> Recording:
    """Return a sequence with the features of its tracks."""
    starts = compute_window_starts(len(sequence.tracks), N_STEPS, HOP)
    windows = [compute_window(sequence.tracks[s : s + N_STEPS], RATE_HZ) for s in starts]
    return replace(sequence, windows=tuple(windows))


_FILES = {
    "sbu": ("sbu_pairs", ""),
    "children": ("kinder_gator", "C:"),
    "adults": ("kinder_gator", "A:"),
    "utkinect": ("utkinect", ""),
    "webcam_mit": ("webcam_mit", ""),
    "webcam": ("webcam", ""),
}


def _build(name: str, data_dir: Path, cache: Path) -> Iterator[Recording]:
    if name in _FILES:
        return _build_motion(name, data_dir)
    if name == "synthetic":
        return _build_synthetic()
    return _build_clips(name, load_store(UT if name == "ut" else SURVFIGHT, data_dir, cache))


def load_store(clips: str, data_dir: Path, cache: Path) -> Store:
    """Return the prepared clips of a folder of videos; they are prepared once."""
    place = cache / "stores" / clips
    return prepare(data_dir / clips / "manifest.csv", place, PrepareConfig(), progress=True).store


def _build_motion(name: str, data_dir: Path) -> Iterator[Recording]:
    file, start = _FILES[name]
    for points, fps, action, subject, joints in iter_motion(data_dir / "motion" / f"{file}.npz"):
        if subject.startswith(start):
            is_hit = name == "sbu" and action in HITS
            tracks = sample_poses(to_coco(points, joints), fps)
            yield Recording(name, subject, action, is_hit, tracks)


def _build_clips(name: str, store: Store) -> Iterator[Recording]:
    thirds = build_folds(store.clips, 3, 0, "grouped") if name in THIRDS else None
    rows = range(len(store.clips))
    chosen = rows if thirds is None else np.flatnonzero(thirds == THIRDS.index(name))
    clips = [store.clips[row] for row in chosen]
    found = KeypointCache(store, RATE_HZ, progress=True).load([clip.clip_id for clip in clips])
    for clip, detections in zip(clips, found, strict=True):
        tracks = track_people(detections, RATE_HZ).points
        yield Recording(name, clip.group, clip.label, clip.label in HITS, tracks)


def _build_synthetic() -> Iterator[Recording]:
    config = SequencesConfig(n_sequences=_N_SYNTHETIC, seed=_SYNTHETIC_SEED)
    drawn = draw_sequences(config, jobs=1)
    for row in range(len(drawn)):
        tracks = track_people(drawn.detections(row), RATE_HZ).points
        action = drawn.label_names[drawn.labels[row]]
        yield Recording("synthetic", str(drawn.scenes[row]), action, action in HITS, tracks)


def _write(path: Path, sequences: Sequence[Recording]) -> None:
    """Write sequences as plain arrays, those of all sequences and windows end to end."""
    windows = [window for sequence in sequences for window in sequence.windows]
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        "subject": np.array([s.subject for s in sequences]),
        "action": np.array([s.action for s in sequences]),
        "is_hit": np.array([s.is_hit for s in sequences]),
        "shapes": np.array([s.tracks.shape[:2] for s in sequences]),
        "tracks": np.concatenate([s.tracks.reshape(-1, 17, 3) for s in sequences]),
        "n_windows": np.array([len(s.windows) for s in sequences]),
        "window_shapes": np.array([window.features.shape[:2] for window in windows]),
        "features": np.concatenate([w.features.reshape(-1, N_FEATURES) for w in windows]),
        "columns": np.concatenate([w.columns for w in windows]),
        "others": np.concatenate([w.others for w in windows]),
        "confidence": np.concatenate([w.confidence for w in windows]),
    }
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, **arrays)
    part.replace(path)


def _read(path: Path, name: str) -> list[Recording] | None:
    """Return what `_write` wrote, or None where it is not there or damaged."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: file[key] for key in file}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None
    windows = _read_windows(arrays)
    n_rows = arrays["shapes"].prod(axis=1)
    tracks = np.split(arrays["tracks"], np.cumsum(n_rows)[:-1])
    return [
        Recording(
            domain=name,
            subject=str(arrays["subject"][row]),
            action=str(arrays["action"][row]),
            is_hit=bool(arrays["is_hit"][row]),
            tracks=tracks[row].reshape(*arrays["shapes"][row], 17, 3),
            windows=tuple(next(windows) for _ in range(arrays["n_windows"][row])),
        )
        for row in range(len(n_rows))
    ]


def _read_windows(arrays: dict[str, np.ndarray]) -> Iterator[PoseWindow]:
    shapes = arrays["window_shapes"]
    people = np.cumsum(shapes[:, 0])[:-1]
    parts = [np.split(arrays[name], people) for name in ("columns", "others", "confidence")]
    features = np.split(arrays["features"], np.cumsum(shapes.prod(axis=1))[:-1])
    for rows, shape, columns, others, confidence in zip(features, shapes, *parts, strict=True):
        yield PoseWindow(rows.reshape(*shape, N_FEATURES), columns, others, confidence)
