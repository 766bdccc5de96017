"""Windows of one person and the nearest other as keypoints, which training can change.

What is changed is what differs between detectors and cameras and says nothing of the act: where a
tool puts a wrist, a head or a hip, which joints it finds and how it scores them, how many frames a
second there were, how fast people move, noise. Then `har.pose.features` describes all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from har.pose.features import N_FEATURES, PoseWindow, describe_people
from har.pose.keypoints import INDEX, KEYPOINTS
from har.sampling.times import compute_window_starts
from har.synthetic.motion import STYLES
from three_class.sequences import Sequences

N_STEPS, RATE_HZ = 25, 10.0
_FACE, _BATCH = slice(0, 5), 256
_LEGS = [INDEX[f"{side}_{part}"] for side in ("left", "right") for part in ("knee", "ankle")]
_PAIRS = {part: [INDEX[f"left_{part}"], INDEX[f"right_{part}"]] for part in ("shoulder", "hip")}
_MIRRORED = [
    INDEX[name.replace("left", "*").replace("right", "left").replace("*", "right")]
    for name in KEYPOINTS
]
_HOP = 8
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
_MIN_SEEN = 0.3
_NEAR_JOINTS = [0, *(INDEX[f"{s}_{p}"] for s in ("left", "right") for p in ("wrist", "hip"))]


@dataclass(frozen=True)
class People:
    """N windows of a person and the nearest other.

    Attributes:
        points: (N, 2, T, 17, 3) float32 as of `Tracks`: the person and the other;
            zeros at steps where one is not seen, and where there is no other.
        labels: (N,) int64 what the person does; -1 where only the window is known to show it.
        groups: (N,) what a split never divides.
        windows: (N,) int64: people of the same window have the same number.
    """

    points: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    windows: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    @classmethod
    def join(cls, parts: Sequence[People]) -> People:
        """Return several one after another; windows are numbered anew."""
        start, numbers = 0, []
        for part in parts:
            numbers.append(part.windows + start)
            start += int(part.windows.max(initial=-1)) + 1
        return cls(
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.labels for part in parts]),
            np.concatenate([part.groups for part in parts]),
            np.concatenate(numbers),
        )


def take_tracked(
    tracks: Iterable[np.ndarray],
    windows: Iterable[Sequence[PoseWindow]],
    starts: Iterable[Iterable[int]],
    labels: Iterable[int],
    groups: Iterable[str],
) -> People:
    """Return the people of recordings that are followed already.

    Args:
        tracks: (T, P, 17, 3) of each recording.
        windows: Of each recording, for who is described and who is whose nearest other.
        starts: First step of each of these windows.
        labels: What a recording shows, for all of its people.
        groups: Of each recording.
    """
    points, found_labels, found_groups, numbers, number = [], [], [], [], 0
    for track, cut, begins, label, group in zip(
        tracks, windows, starts, labels, groups, strict=True
    ):
        for window, begin in zip(cut, begins, strict=True):
            steps = track[begin : begin + N_STEPS]
            for column, other in zip(window.columns, window.others, strict=True):
                points.append(_put(steps, column, other))
                found_labels.append(label)
                found_groups.append(group)
                numbers.append(number)
            number += 1
    return People(
        np.stack(points), np.array(found_labels), np.array(found_groups), np.array(numbers)
    )


def _put(steps: np.ndarray, column: int, other: int) -> np.ndarray:
    both = np.zeros((2, N_STEPS, len(KEYPOINTS), 3), dtype=np.float32)
    both[0, : len(steps)] = steps[:, column]
    if other >= 0:
        both[1, : len(steps)] = steps[:, other]
    return both


def take_synthetic(sequences: Sequences, background: int, hop: int = _HOP) -> People:
    """Return the people of synthetic sequences, each followed as who they truly are."""
    points, labels, groups, numbers, number = [], [], [], [], 0
    ends = np.cumsum(sequences.lengths)
    for index in range(len(sequences)):
        rows = slice(ends[index] - sequences.lengths[index], ends[index])
        tracks = follow_owners(sequences.points[rows], sequences.owners[rows])
        for start in compute_window_starts(len(tracks), N_STEPS, hop):
            steps = tracks[start : start + N_STEPS]
            is_seen = steps[..., 2].max(axis=-1) > 0
            for column in np.flatnonzero(is_seen.mean(axis=0) >= _MIN_SEEN).tolist():
                label = _find_label(sequences, index, column, int(start), background)
                if label is None:
                    continue
                points.append(_put(steps, column, _find_nearest(steps, is_seen, column)))
                labels.append(label)
                groups.append(str(sequences.scenes[index]))
                numbers.append(number)
            number += 1
    return People(np.stack(points), np.array(labels), np.array(groups), np.array(numbers))


def follow_owners(points: np.ndarray, owners: np.ndarray) -> np.ndarray:
    """Return (T, P, 17, 3): people by their true number."""
    n_people = int(owners.max(initial=-1)) + 1
    tracks = np.zeros((len(points), n_people, len(KEYPOINTS), 3), dtype=np.float32)
    steps, rows = np.nonzero(owners >= 0)
    tracks[steps, owners[steps, rows]] = points[steps, rows]
    return tracks


def _find_label(
    sequences: Sequences, index: int, person: int, start: int, background: int
) -> int | None:
    """Return what a person does in a window, None where that is left out."""
    begin_s, end_s = (float(value) for value in sequences.spans_s[index])
    share = compute_share((begin_s, end_s), start)
    if person == sequences.subjects[index]:
        if share >= MIN_SHARE:
            return int(sequences.labels[index])
        return background if share < MAX_SHARE_BESIDE else None
    if sequences.style_names[sequences.styles[index]] in CONTACT:
        return background
    seed = (int(sequences.scenes[index]), int(sequences.lengths[index]), start, person)
    return background if np.random.default_rng(seed).random() < BESIDE_SHARE else None


def compute_share(span_s: tuple[float, float], start: int, n_steps: int = N_STEPS) -> float:
    """Return how much of an act a window holds, or of the window the act, the larger of both.

    >>> compute_share((1.0, 2.0), 15), compute_share((0.0, 10.0), 0)
    (0.5, 1.0)
    """
    left_s, right_s = start / RATE_HZ, (start + n_steps) / RATE_HZ
    both_s = max(min(span_s[1], right_s) - max(span_s[0], left_s), 0.0)
    return both_s / max(min(span_s[1] - span_s[0], n_steps / RATE_HZ), 1e-6)


def _find_nearest(steps: np.ndarray, is_seen: np.ndarray, person: int) -> int:
    """Return who comes nearest to a person's head, hands and hips; -1 for nobody."""
    places = steps[:, :, _NEAR_JOINTS, :2]
    gaps = np.linalg.norm(places[:, :, :, None] - places[:, [person], None], axis=-1)
    nearest = gaps.min(axis=(2, 3))  # (T, P)
    both = is_seen & is_seen[:, [person]]
    both[:, person] = False
    if not both.any():
        return -1
    nearest = np.where(both, nearest, np.inf)
    few = max(len(steps) // 10, 1)
    return int(np.sort(nearest, axis=0)[few - 1].argmin())


def compute_features(points: np.ndarray) -> np.ndarray:
    """Return (N, T, D) float32 of each first person of (N, 2, T, 17, 3) points.

    Steps at the end at which nobody is seen are no part of a window: it is shorter, and padded.
    """
    features = np.zeros((len(points), points.shape[2], N_FEATURES), dtype=np.float32)
    is_seen = points[..., 2].max(axis=(1, 3)) > 0  # (N, T)
    lengths = is_seen.shape[1] - is_seen[:, ::-1].argmax(axis=1)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for start in range(0, len(rows), _BATCH):
            chosen = rows[start : start + _BATCH]
            features[chosen, :length] = _describe(points[chosen, :, :length])
    return features


def _describe(points: np.ndarray) -> np.ndarray:
    n = len(points)
    is_there = points[:, 1, ..., 2].max(axis=(1, 2)) > 0
    other = np.where(is_there[:, None, None, None], points[:, 1], points[:, 0])
    columns = np.concatenate([points[:, 0], other]).swapaxes(0, 1)  # (T, 2 n, 17, 3)
    others = np.where(is_there, np.arange(n) + n, -1)
    return describe_people(columns, np.concatenate([others, np.full(n, -1)]), RATE_HZ)[:n]


def vary(points: np.ndarray, rng: np.random.Generator, strength: float = 1.0) -> np.ndarray:
    """Return (N, 2, T, 17, 3) points as another detector and camera might give them.

    Args:
        points: As of `People`.
        rng: Draws everything; both people of a window are changed alike.
        strength: 0 changes nothing but side, 1 the full range.
    """
    points = _mirror(points, rng)
    if strength == 0.0:
        return points
    points = _change_times(points, rng, strength)
    points = _change_joints(points, rng, strength)
    return _change_scores(points, rng, strength)


def _mirror(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    is_mirrored = (rng.random(len(points)) < 0.5)[:, None, None, None, None]
    mirrored = points[:, :, :, _MIRRORED] * np.array([-1.0, 1.0, 1.0], dtype=np.float32)
    return np.where(is_mirrored, mirrored, points)


def _change_times(points: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Play faster or slower, and take each step from the nearest frame of another rate."""
    n, _, n_steps = points.shape[:3]
    speed = np.exp(rng.uniform(-0.2, 0.2, n) * strength)[:, None]
    rate_hz = rng.choice([8.0, 12.0, 15.0, 25.0, 30.0], n)[:, None]
    times = np.arange(n_steps) * speed
    held = np.round(times / RATE_HZ * rate_hz) / rate_hz * RATE_HZ
    times = np.where((rng.random(n) < 0.7 * strength)[:, None], held, times)
    times = times.clip(0, n_steps - 1)
    low = np.floor(times).astype(np.int64).clip(max=n_steps - 2)
    share = (times - low)[:, None, :, None, None].astype(np.float32)
    rows = np.arange(n)[:, None]
    before = points[rows, :, low].swapaxes(1, 2)
    after = points[rows, :, low + 1].swapaxes(1, 2)
    mixed = before + share * (after - before)
    nearest = np.where(share < 0.5, before, after)
    both = (before[..., 2] > 0) & (after[..., 2] > 0)
    return np.where(both[..., None], mixed, nearest)


def _change_joints(points: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Move joints as their meaning differs between tools, and add noise."""
    points = points.copy()
    places = points[..., :2]
    n = len(points)

    def draw(low: float, high: float, share: float = 0.6) -> np.ndarray:
        values = rng.uniform(low, high, n) * strength * (rng.random(n) < share)
        return values[:, None, None, None].astype(np.float32)

    shoulders, hips = (places[..., _PAIRS[part], :].mean(axis=-2) for part in ("shoulder", "hip"))
    up = shoulders - hips
    hand = draw(-0.1, 0.3)
    for side in ("left", "right"):
        wrist, elbow = INDEX[f"{side}_wrist"], INDEX[f"{side}_elbow"]
        places[..., wrist, :] += hand * (places[..., wrist, :] - places[..., elbow, :])
    places[..., _FACE, :] += (draw(-0.1, 0.25) * up)[..., None, :]
    for part, middle in (("shoulder", shoulders), ("hip", hips)):
        spread = 1.0 + draw(-0.3, 0.15)[..., None]
        moved = (draw(-0.08, 0.12) * up + middle)[..., None, :]
        own = places[..., _PAIRS[part], :]
        places[..., _PAIRS[part], :] = moved + (own - middle[..., None, :]) * spread
    places[..., 1] *= 1.0 + draw(-0.12, 0.12)
    size = np.linalg.norm(up, axis=-1).mean(axis=(1, 2))[:, None, None, None, None]
    sigma = draw(0.0, 0.03)[..., None] * size
    places += (sigma * rng.standard_normal(places.shape)).astype(np.float32)
    return points


def _change_scores(points: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Score and lose joints as other detectors do; who is not seen stays so."""
    points = points.copy()
    scores, n = points[..., 2], len(points)

    def choose(share: float) -> np.ndarray:
        return rng.random(n) < share * strength

    plain = choose(0.4)
    scores[plain] = np.where(scores[plain] > 0, 1.0, 0.0)
    one_head = choose(0.3)
    points[one_head, ..., 0, :2] = points[one_head][..., _FACE, :2].mean(axis=-2)
    scores[one_head, ..., 1:5] = 0.0
    no_legs = choose(0.25)
    for joint in _LEGS:
        scores[no_legs, ..., joint] = 0.0
    lost = rng.random((n, 1, 1, len(KEYPOINTS))) < 0.04 * strength
    lost[..., [*_PAIRS["shoulder"], *_PAIRS["hip"]]] = False
    scores[np.broadcast_to(lost, scores.shape)] = 0.0
    return points
