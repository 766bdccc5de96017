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
from three_class.people import N_STEPS, RATE_HZ, People, take_tracked
from three_class.settings import UNKNOWN

_HOP = 6


def take_clips(store: Store, background: int, hits: Sequence[str] = ("fight",)) -> People:
    """Return the people of clips; who of them hits is not known where somebody does.

    Args:
        store: Prepared clips, whose keypoints it keeps.
        background: Index of the label of all who do nothing else.
        hits: Labels of clips in which somebody hits another.
    """
    clips = store.clips
    found = KeypointCache(store, RATE_HZ, progress=True).load([clip.clip_id for clip in clips])
    tracks = [track_people(detections, RATE_HZ).points for detections in found]
    labels = [UNKNOWN if clip.label in hits else background for clip in clips]
    return take_tracks(tracks, labels, [clip.group for clip in clips])


def take_calm(path: Path, background: int) -> People:
    """Return the people of a file of captured motion in which nobody hits anyone."""
    found = list(iter_motion(path))
    tracks = [sample_poses(to_coco(points, joints), fps) for points, fps, _, _, joints in found]
    return take_tracks(tracks, [background] * len(found), [row[3] for row in found])


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
