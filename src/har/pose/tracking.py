"""Follows people from one time step to the next: detections in, numbered people out.

The tracker is causal, so that a stream gives the numbers that a whole recording gives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import N_KEYPOINTS, Detections, Tracks

MIN_SCORE = 0.1
"""People with a lower score are left out."""
START_SCORE = 0.15
"""The least score of a new person."""
MIN_POINT_SCORE = 0.2
"""Keypoints with a lower score do not count in matching people."""
SAME_BODY = 0.25
"""Two bodies whose keypoints are nearer than this, in body sizes, are one seen twice."""
MAX_JUMP = 0.9
"""Farther from where a person was expected, in body sizes, it is someone else."""
LOST_S = 1.5
"""A person who is not seen for longer gets a new number when coming back."""
MEMORY_S = 0.4
"""A lost person is expected to go on as before for this long, then to stay."""
_MIN_SHARED = 3


@dataclass
class _Track:
    number: int
    points: np.ndarray  # (17, 3) as last seen
    velocity: np.ndarray  # (2,) pixels a step
    n_lost: int = 0


class PeopleTracker:
    """Gives each person a number that lasts.

    People are matched with where they are expected so that the sum of all distances is least. When
    all have moved alike, as in the pictures of a shaking camera, neighbors are exchanged far less
    readily than by matching the nearest first.
    """

    def __init__(
        self, rate_hz: float, start_score: float = START_SCORE, min_score: float = MIN_SCORE
    ) -> None:
        """Start with nobody.

        Args:
            rate_hz: Steps a second.
            start_score: The least score of a new person.
            min_score: Of one who is followed.
        """
        self._start_score, self._min_score = start_score, min_score
        self._max_lost = round(LOST_S * rate_hz)
        self._memory = max(round(MEMORY_S * rate_hz), 1)
        self._tracks: list[_Track] = []
        self._n_people = 0

    def push(self, points: np.ndarray, scores: np.ndarray) -> dict[int, np.ndarray]:
        """Take one step's people and return their (17, 3) keypoints by number.

        Args:
            points: (6, 17, 3) as in `Detections`.
            scores: (6,).
        """
        people = find_people(points, scores, self._min_score)
        matches = self._match(points[people])
        seen: dict[int, np.ndarray] = {}
        for place, row in enumerate(people):
            track = matches.get(place)
            if track is not None:
                _follow(track, points[row])
            elif scores[row] >= self._start_score:
                self._n_people += 1
                track = _Track(self._n_people, points[row], np.zeros(2))
                self._tracks.append(track)
            else:
                continue
            seen[track.number] = points[row]
        for track in self._tracks:
            track.n_lost = 0 if track.number in seen else track.n_lost + 1
        self._tracks = [track for track in self._tracks if track.n_lost <= self._max_lost]
        return seen

    def _match(self, bodies: np.ndarray) -> dict[int, _Track]:
        """Return who is whom of (M, 17, 3) bodies; new people are left out."""
        if not len(bodies) or not self._tracks:
            return {}
        expected = np.stack([self._expect(track) for track in self._tracks])
        pairs = assign(compute_distances(bodies, expected), MAX_JUMP)
        return {row: self._tracks[column] for row, column in pairs}

    def _expect(self, track: _Track) -> np.ndarray:
        expected = track.points.copy()
        expected[:, :2] += track.velocity * min(track.n_lost + 1, self._memory)
        return expected


def _follow(track: _Track, points: np.ndarray) -> None:
    """Note where a person is now: half of the velocity is the old one's."""
    shared = (points[:, 2] >= MIN_POINT_SCORE) & (track.points[:, 2] >= MIN_POINT_SCORE)
    if shared.any():
        step = np.median(points[shared, :2] - track.points[shared, :2], axis=0)
        track.velocity = 0.5 * track.velocity + 0.5 * step / (track.n_lost + 1)
    track.points = points


def assign(distances: np.ndarray, limit: float) -> list[tuple[int, int]]:
    """Return the pairs of rows and columns whose sum of distances is least.

    A row or column is in one pair at most, no pair is farther apart than ``limit``, and a row
    without a pair counts as that far. Every set of rows is tried, so M must be small.

    Args:
        distances: (M, N).
        limit: In the same unit.

    >>> assign(np.array([[0.3, 0.1], [0.8, 0.3]]), 0.9)
    [(0, 0), (1, 1)]
    >>> assign(np.array([[0.3, 0.1], [0.9, 2.0]]), 0.8)
    [(0, 1)]
    """
    best: dict[int, tuple[float, list[tuple[int, int]]]] = {0: (0.0, [])}
    for column, gains in enumerate((limit - distances).T.tolist()):
        rows = [(row, gain) for row, gain in enumerate(gains) if gain >= 0.0]
        for taken, (total, pairs) in list(best.items()):
            for row, gain in rows:
                grown = taken | 1 << row
                if grown != taken and total + gain > best.get(grown, (-1.0,))[0]:
                    best[grown] = (total + gain, [*pairs, (row, column)])
    return sorted(max(best.values())[1])


def find_people(points: np.ndarray, scores: np.ndarray, min_score: float = MIN_SCORE) -> list[int]:
    """Return the rows of the people to follow, the most confident first, nobody twice.

    Args:
        points: (M, 17, 3).
        scores: (M,).
        min_score: People with a lower one are left out.
    """
    rows = np.argsort(-scores, kind="stable")
    rows = rows[scores[rows] >= min_score]
    apart = compute_distances(points[rows], points[rows]) > SAME_BODY
    chosen: list[int] = []
    for place in range(len(rows)):
        if apart[place, chosen].all():
            chosen.append(place)
    return rows[chosen].tolist()


def compute_distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how far apart bodies are: mean distance of their keypoints, in sizes of the larger.

    Keypoints that are confident in both count; where these are too few, the bodies' middles do.

    Args:
        a: (M, 17, 3).
        b: (N, 17, 3).

    Returns:
        (M, N).
    """
    sizes = np.maximum(compute_extents(a)[:, None], compute_extents(b))
    gaps = a[:, None, :, :2] - b[:, :, :2]
    shared = (a[:, None, :, 2] >= MIN_POINT_SCORE) & (b[:, :, 2] >= MIN_POINT_SCORE)
    n_shared = shared.sum(axis=-1)
    by_points = (np.linalg.norm(gaps, axis=-1) * shared).sum(axis=-1) / np.maximum(n_shared, 1)
    by_middles = np.linalg.norm(gaps.mean(axis=2), axis=-1)
    return np.where(n_shared >= _MIN_SHARED, by_points, by_middles) / np.maximum(sizes, 1.0)


def compute_extents(points: np.ndarray) -> np.ndarray:
    """Return the (M,) sizes of (M, 17, 3) bodies in pixels.

    It is the root of the area around the confident keypoints (around all, where fewer than two
    are), at least a third of the longer side.

    >>> body = np.zeros((1, 17, 3))
    >>> body[0, 5:7] = [[0.0, 0.0, 0.9], [30.0, 40.0, 0.9]]
    >>> compute_extents(body).round(1).tolist()
    [34.6]
    """
    confident = points[..., 2] >= MIN_POINT_SCORE
    counted = (confident | (confident.sum(axis=-1) < 2)[:, None])[..., None]
    low = np.where(counted, points[..., :2], np.inf).min(axis=1)
    high = np.where(counted, points[..., :2], -np.inf).max(axis=1)
    sides = high - low
    return np.maximum(np.sqrt(sides.prod(axis=-1)), sides.max(axis=-1, initial=0.0) / 3)


def track_people(detections: Detections, rate_hz: float) -> Tracks:
    """Return the people of N consecutive steps, each in a column.

    Args:
        detections: Steps in order, at ``rate_hz``.
        rate_hz: Steps a second.

    Returns:
        Tracks of all who appear, by number; none at all gives P = 0.
    """
    tracker = PeopleTracker(rate_hz)
    steps = [
        tracker.push(points, scores)
        for points, scores in zip(detections.points, detections.scores, strict=True)
    ]
    return stack_tracks(steps)


def stack_tracks(steps: list[dict[int, np.ndarray]]) -> Tracks:
    """Return the output of a tracker at N steps as arrays."""
    ids = sorted({number for seen in steps for number in seen})
    points = np.zeros((len(steps), len(ids), N_KEYPOINTS, 3), dtype=np.float32)
    for row, seen in zip(points, steps, strict=True):
        for column, number in enumerate(ids):
            if number in seen:
                row[column] = seen[number]
    return Tracks(points, np.array(ids, dtype=np.int64))
