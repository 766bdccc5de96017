"""Synthetic skeleton sequences as windows of single people, each with what that person does.

Worker processes import this module, so it imports no Keras.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from har.parallel import run_jobs
from har.pose.features import N_FEATURES, compute_window
from har.pose.keypoints import Detections, Tracks
from har.pose.tracking import track_people
from har.sampling.times import compute_window_starts
from har.synthetic.motion import STYLES
from har.types import PoseSpec
from three_class.sequences import Sequences

HOP = 8
"""Steps between the windows that are taken from a sequence."""
MIN_SHARE = 0.5
"""A window shows an act when it holds at least this share of the act, or of the window."""
MAX_SHARE_BESIDE = 0.15
"""A window with less than this share shows the actor beside the act; those between are left out."""
BESIDE_SHARE = 0.2
"""Share of the windows of people who are not acting that is kept: they are many and easy, and what
one actor does must be told from what others do. Of friendly contact all are kept."""
CONTACT = frozenset(
    style.name for style in STYLES["playing"] if style.need in ("partner", "standing pair")
)
MIN_OWNED = 0.7
"""A track must be the same true person for at least this share of its steps."""


_PER_TASK = 48
_BY_SEQUENCE = ("lengths", "labels", "styles", "scenes", "subjects", "targets", "spans_s", "sizes")
_Row = tuple[np.ndarray, int, int, int]
"""Features of one window, label, style, scene."""


@dataclass(frozen=True)
class PersonWindows:
    """Windows of single people.

    Attributes:
        features: (N, T, D) float16, padded with zeros.
        labels: (N,) int64: what the person does.
        styles: (N,) int64: in which way, -1 for all who are not the actor.
        scenes: (N,) int64: the group.
    """

    features: np.ndarray
    labels: np.ndarray
    styles: np.ndarray
    scenes: np.ndarray


def compute_person_windows(
    sequences: Sequences, spec: PoseSpec, background: int, jobs: int = 0, progress: bool = False
) -> PersonWindows:
    """Return the windows of all tracked people of synthetic sequences.

    Args:
        sequences: At the contract's rate.
        spec: The input contract.
        background: Index of the label of all who do nothing else.
        jobs: Processes; 0 means one a core.
        progress: Show a bar on standard error.
    """
    starts = range(0, len(sequences), _PER_TASK)
    tasks = [(sequences, range(s, min(s + _PER_TASK, len(sequences)))) for s in starts]
    cut = [(_take(*task), spec, background) for task in tasks]
    parts = run_jobs(_cut_some, cut, jobs, progress, "synthetic people")
    names = [item.name for item in fields(PersonWindows)]
    return PersonWindows(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    )


def _take(sequences: Sequences, chosen: range) -> Sequences:
    """Return some neighboring sequences by themselves."""
    span = slice(chosen.start, chosen.stop)
    rows = slice(sequences.rows(chosen.start).start, sequences.rows(chosen.stop - 1).stop)
    by_step = {name: getattr(sequences, name)[rows] for name in ("points", "scores", "owners")}
    by_sequence = {name: getattr(sequences, name)[span] for name in _BY_SEQUENCE}
    names = {name: getattr(sequences, name) for name in ("rate_hz", "label_names", "style_names")}
    return Sequences(**by_step, **by_sequence, **names)


def _cut_some(task: tuple[Sequences, PoseSpec, int]) -> PersonWindows:
    sequences, spec, background = task
    rows: list[_Row] = []
    for index in range(len(sequences)):
        rows += _cut_sequence(sequences, index, spec, background)
    features = np.zeros((len(rows), spec.n_steps, N_FEATURES), dtype=np.float16)
    for target, row in zip(features, rows, strict=True):
        target[: len(row[0])] = row[0]
    labels, styles, scenes = (np.array([row[k] for row in rows], np.int64) for k in (1, 2, 3))
    return PersonWindows(features, labels, styles, scenes)


def _cut_sequence(sequences: Sequences, index: int, spec: PoseSpec, background: int) -> list[_Row]:
    detections = sequences.detections(index)
    tracks = track_people(detections, spec.rate_hz)
    owners = find_owners(tracks, detections, sequences.owners[sequences.rows(index)])
    is_act = sequences.labels[index] != background
    found: list[_Row] = []
    for start in compute_window_starts(len(tracks.points), spec.n_steps, HOP):
        window = compute_window(tracks.points[start : start + spec.n_steps], spec.rate_hz)
        share = _compute_share(sequences, index, int(start), spec)
        for features, column, confidence in zip(
            window.features, window.columns, window.confidence, strict=True
        ):
            label, style = background, -1
            if confidence < spec.min_confidence or (owners[column] < 0 and is_act):
                continue
            if owners[column] == sequences.subjects[index]:
                if MAX_SHARE_BESIDE <= share < MIN_SHARE:
                    continue
                if share >= MIN_SHARE:
                    label, style = int(sequences.labels[index]), int(sequences.styles[index])
            elif not _is_kept(sequences, index, int(start), int(column)):
                continue
            scene = int(sequences.scenes[index])
            found.append((features, label, style, scene))
    return found


def _is_kept(sequences: Sequences, index: int, start: int, column: int) -> bool:
    """Draw whether a window beside the act is kept, always alike for the same window."""
    if sequences.style_names[sequences.styles[index]] in CONTACT:
        return True
    seed = (int(sequences.scenes[index]), int(sequences.lengths[index]), start, column)
    return bool(np.random.default_rng(seed).random() < BESIDE_SHARE)


def _compute_share(sequences: Sequences, index: int, start: int, spec: PoseSpec) -> float:
    """Return how much of the act a window holds, or of the window the act, the larger of both."""
    begin_s, end_s = (float(value) for value in sequences.spans_s[index])
    left_s, right_s = start / spec.rate_hz, (start + spec.n_steps) / spec.rate_hz
    both_s = max(min(end_s, right_s) - max(begin_s, left_s), 0.0)
    return both_s / max(min(end_s - begin_s, spec.window_s), 1e-6)


def find_owners(tracks: Tracks, detections: Detections, owners: np.ndarray) -> np.ndarray:
    """Return which true person each track follows.

    Args:
        tracks: Of the detections.
        detections: Of N steps.
        owners: (N, 6) whose each detection is, -1 for false people.

    Returns:
        (P,) int64; -1 where a track is no one person for most of its steps.
    """
    found = np.full(len(tracks.ids), -1, dtype=np.int64)
    same = np.all(tracks.points[:, :, None] == detections.points[:, None], axis=(3, 4))
    seen = tracks.points[..., 2].max(axis=-1) > 0
    for column in range(len(tracks.ids)):
        steps, rows = np.nonzero(same[:, column] & seen[:, column, None])
        counts = np.bincount(owners[steps, rows] + 1, minlength=2)
        best = int(counts[1:].argmax())
        if counts[1:].max() >= MIN_OWNED * max(seen[:, column].sum(), 1):
            found[column] = best
    return found
