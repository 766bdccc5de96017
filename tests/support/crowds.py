"""A small store of people whose keypoints are made by hand, so that no pose network is run."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from bodies import detect, stand
from stores import SIZE, draw_bar
from videos import make_video

from har.config import PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.inference.cache import FOLDER
from har.inference.detector import compute_detector_hash
from har.pose.keypoints import INDEX, Detections
from har.sampling.times import compute_span_s, compute_step_times

LABELS = ("hitting_others", "hitting_self", "playing")
RATE_HZ = 10.0
_HEIGHT = 100.0
_WRIST, _ELBOW = INDEX["right_wrist"], INDEX["right_elbow"]

Draw = Callable[[str, np.random.Generator, int], Detections]
"""Gives what is seen at so many steps of a clip with a label."""


def act(label: str, rng: np.random.Generator, n_steps: int) -> Detections:
    """Return one person whose hand goes to the own head or the other's, or hangs; and the other."""
    x, y = rng.uniform(100, 150), rng.uniform(140, 160)
    phase = int(rng.integers(4))
    steps = []
    for step in range(n_steps):
        bodies = [stand(x, y, _HEIGHT), stand(x - 45, y, _HEIGHT)]
        if label != "playing" and (step + phase) % 4 >= 2:
            goal = bodies[0 if label == "hitting_self" else 1][INDEX["nose"], :2]
            bodies[0][_WRIST, :2] = goal
            bodies[0][_ELBOW, :2] = 0.5 * (goal + bodies[0][INDEX["right_shoulder"], :2])
        for body in bodies:
            body[:, :2] += rng.normal(0, 0.5, (17, 2))
        steps.append(bodies)
    return detect(steps)


def see_nobody(label: str, rng: np.random.Generator, n_steps: int) -> Detections:
    """Return empty steps."""
    return detect([[]] * n_steps)


def write_keypoints(store: Store, draw: Draw = act) -> None:
    """Put keypoints into a store as if the pose network had seen them, the same each time."""
    folder = store.path / FOLDER / f"{compute_detector_hash()[:12]}-{RATE_HZ:g}"
    folder.mkdir(parents=True, exist_ok=True)
    for clip in store.clips:
        span_s = compute_span_s(store.load_times(clip.clip_id))
        n_steps = len(compute_step_times(span_s, RATE_HZ))
        rng = np.random.default_rng(zlib.crc32(clip.clip_id.encode()))
        found = draw(clip.label, rng, n_steps)
        path = folder / f"{clip.clip_id}.{clip.hash[:12]}.npz"
        np.savez(path, points=found.points, scores=found.scores)


def make_films(
    folder: Path, n_groups: int, labels: tuple[str, ...] = LABELS, length_s: float = 1.5
) -> Path:
    """Write a film of each label for every group, a bar that moves or rests; gives the manifest.

    Where it is seen does not tell the label; each film is a little longer than the one before.
    """
    rows = ["path,label,group"]
    for group in range(n_groups):
        for place, label in enumerate(labels):
            path = folder / label / f"g{group}.mp4"
            n_frames = round(25 * length_s) + group

            def paint(index: int, group: int = group, still: bool = place % 2 == 0) -> np.ndarray:
                return draw_bar(index, "rests" if still else "moves", group)

            make_video(path, [index / 25 for index in range(n_frames)], SIZE, paint=paint)
            rows.append(f"{label}/{path.name},{label},g{group}")
    manifest = folder / "manifest.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


def make_crowd_store(
    folder: Path, draw: Draw = act, n_groups: int = 6, labels: tuple[str, ...] = LABELS
) -> Store:
    """Make films, prepare them, and write the keypoints of ``draw``."""
    manifest = make_films(folder / "films", n_groups, labels)
    prepare(manifest, folder / "store", PrepareConfig(size=SIZE, n_folds=2, jobs=1))
    store = Store.load(folder / "store")
    write_keypoints(store, draw)
    return store
