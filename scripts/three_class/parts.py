"""What the three-class bundle learns from: synthetic people, fights, and calm people at webcams."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from har.dataset.store import Store
from har.inference.cache import KeypointCache
from har.pose.features import compute_window
from har.pose.tracking import track_people
from har.sampling.times import compute_window_starts
from three_class.captured import iter_motion, sample_poses, to_coco
from three_class.people import (
    MAX_SHARE_BESIDE,
    MIN_SHARE,
    N_STEPS,
    RATE_HZ,
    People,
    compute_share,
    take_tracked,
)
from three_class.self_hits import draw_own_hits

_HOP = 6


def follow_clips(store: Store) -> list[np.ndarray]:
    """Return the people of each clip of a store, which keeps their keypoints: (T, P, 17, 3)."""
    clip_ids = [clip.clip_id for clip in store.clips]
    found = KeypointCache(store, RATE_HZ, progress=True).load(clip_ids)
    return [track_people(detections, RATE_HZ).points for detections in found]


def follow_motion(path: Path) -> tuple[list[np.ndarray], list[str]]:
    """Return the people of each sequence of a file of captured motion, and who they are."""
    found = list(iter_motion(path))
    tracks = [sample_poses(to_coco(points, joints), fps) for points, fps, _, _, joints in found]
    return tracks, [row[3] for row in found]


def take_own_hits(
    tracks: Sequence[np.ndarray],
    groups: Sequence[str],
    rng: np.random.Generator,
    *,
    has_thighs: bool,
    hit: int,
    background: int,
) -> People:
    """Return people with strokes drawn on, onto the own body and, as controls, beside it.

    Args:
        tracks: (T, P, 17, 3) of each recording.
        groups: Of each recording.
        rng: Draws the strokes.
        has_thighs: Whether hips and knees are in the picture.
        hit: Index of the label of strokes onto the own body.
        background: That of the controls, and of windows beside the strokes.
    """
    single = (
        (track[:, person], group)
        for track, group in zip(tracks, groups, strict=True)
        for person in range(track.shape[1])
    )
    points, labels, found_groups = [], [], []
    for drawn in draw_own_hits(single, RATE_HZ, rng, has_thighs=has_thighs):
        for start in compute_window_starts(len(drawn.points), N_STEPS, _HOP):
            steps = drawn.points[start : start + N_STEPS]
            share = compute_share(drawn.span_s, int(start), len(steps))
            if share < MAX_SHARE_BESIDE or share >= MIN_SHARE:
                both = np.zeros((2, N_STEPS, *steps.shape[1:]), dtype=np.float32)
                both[0, : len(steps)] = steps
                points.append(both)
                labels.append(hit if drawn.is_hit and share >= MIN_SHARE else background)
                found_groups.append(drawn.group)
    numbers = np.arange(len(points))
    return People(np.stack(points), np.array(labels), np.array(found_groups), numbers)


def take_tracks(
    tracks: Sequence[np.ndarray], labels: Sequence[int], groups: Sequence[str]
) -> People:
    """Return the people of followed recordings, (T, P, 17, 3) each, window by window."""
    starts = [compute_window_starts(len(track), N_STEPS, _HOP) for track in tracks]
    windows = [
        [compute_window(track[start : start + N_STEPS], RATE_HZ) for start in begins]
        for track, begins in zip(tracks, starts, strict=True)
    ]
    return take_tracked(tracks, windows, starts, labels, groups)
