"""The features of one person over a window: the own body, and the nearest other's.

All lengths are in units of the person's own trunk, all places are from the middle of the own trunk
at that step, velocities are per second, and the picture is mirrored where the other person is on
the left. So neither size, place, side nor the order of people changes the answer, and however many
people there are, each is described by the same D numbers a step:

    own     places (J, 2), scores (J), velocities (J, 2), of the trunk (2), presence (1);
            distance and closing speed of each wrist to own head, neck, belly, thighs, other wrist
    pair    the other's places (J, 2), scores (J), velocity of the trunk (2), presence (1);
            distances and closing speeds of hands, feet and head to the other's head, neck, belly
            and hands, and of the other's to the own ones

The J = 13 joints are COCO's with the five of the face taken together as the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import INDEX

JOINTS = ("head", *(name for name in INDEX if INDEX[name] >= 5))
N_JOINTS = len(JOINTS)
_HEAD, _SHOULDERS, _HIPS = 0, (1, 2), (7, 8)
_WRISTS, _KNEES, _ANKLES = (5, 6), (9, 10), (11, 12)
_LIMBS = (*_WRISTS, *_ANKLES, _HEAD)
_FACE = slice(0, 5)

MIN_JOINT_SCORE = 0.15
"""The place of a joint with a lower score is taken from the steps around."""
MIN_SEEN = 0.3
"""Share of a window's steps at which a person must be seen to be described."""
_FAR = 4.0
_MAX_SPEED = 12.0
_MAX_PLACE = 6.0
_MIN_TRUNK_OF_EXTENT = 0.6 * 0.32
_MIN_TRUNK_PX = 4.0
_LOW_WEIGHT = 1e-6

N_OWN_TARGETS = 6
SEEN_COLUMN = N_JOINTS * 5 + 2
"""1 where the person is seen at the step, else 0 like everything else."""
N_OWN = N_JOINTS * 5 + 3 + 2 * len(_WRISTS) * N_OWN_TARGETS
_HANDS = (_HEAD, 3, 4, *_WRISTS)
SELF_COLUMNS = (
    *(2 * joint + axis for joint in _HANDS for axis in (0, 1)),
    *(2 * N_JOINTS + joint for joint in _HANDS),
    *(3 * N_JOINTS + 2 * joint + axis for joint in _HANDS for axis in (0, 1)),
    *range(5 * N_JOINTS + 3, N_OWN),
)
"""Features of head, elbows and wrists against the own body: all that shows what one does to
oneself, and nothing else that a network could learn instead."""
N_PAIR_TARGETS = 5
N_PAIR = N_JOINTS * 3 + 3 + 4 * len(_LIMBS) * N_PAIR_TARGETS
N_FEATURES = N_OWN + N_PAIR
PAIR_SEEN_COLUMN = N_OWN + N_JOINTS * 3 + 2
"""1 where the person and the nearest other are both seen at the step, else 0."""
SCORE_COLUMNS = frozenset(
    start + 2 * N_JOINTS + joint for start in (0, N_OWN) for joint in range(N_JOINTS)
)
"""Keypoint scores, which differ from one detector to another."""
_BODY_TARGETS = 3
"""Head, neck and belly come first among the targets, the hands after them."""
_MOVING = (*_WRISTS, *_ANKLES)
TOUCH_COLUMNS = (
    *(3 * N_JOINTS + 2 * joint + axis for joint in _MOVING for axis in (0, 1)),
    *range(5 * N_JOINTS, 5 * N_JOINTS + 2),
    *range(N_OWN + 3 * N_JOINTS, N_OWN + 3 * N_JOINTS + 3),
    *(
        N_OWN + 3 * N_JOINTS + 3 + N_PAIR_TARGETS * row + target
        for row in range(4 * len(_LIMBS))
        for target in range(_BODY_TARGETS)
    ),
)
"""Features of limbs against the other's body and the other's against the own one, and how fast
limbs and both bodies move: what hitting another shows in, whatever the shape of the bodies."""


@dataclass(frozen=True)
class PoseWindow:
    """The features of the P people of one window; P may be 0.

    Attributes:
        features: (P, T, D) float32; the first `N_OWN` of D are of the own body. Zeros at steps
            where the person is not seen; the rest are zeros too where the other person is not.
        columns: (P,) int64: which columns of the tracks they are.
        others: (P,) int64: the column of the nearest other person, -1 where there is none.
        confidence: (P,) float32 from 0 to 1: how far the keypoints can be trusted.
    """

    features: np.ndarray
    columns: np.ndarray
    others: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class _Bodies:
    """The people of a window: places in pixels with gaps filled, y up."""

    places: np.ndarray  # (P, T, J, 2)
    scores: np.ndarray  # (P, T, J)
    seen: np.ndarray  # (P, T)
    trunks: np.ndarray  # (P, T, 2)
    sizes: np.ndarray  # (P,)


@dataclass(frozen=True)
class _Axes:
    """The axes of each of P people: from the own trunk, in its lengths, perhaps mirrored."""

    trunks: np.ndarray  # (P, T, 2)
    sizes: np.ndarray  # (P,)
    flips: np.ndarray  # (P,) -1 where mirrored, else 1
    rate_hz: float

    def place(self, places: np.ndarray) -> np.ndarray:
        """Return pixels (P, T, J, 2) in each person's axes."""
        moved = (places - self.trunks[:, :, None]) / self.sizes[:, None, None, None]
        return self.swap(moved * self._mirrors[:, None, None])

    def swap(self, joints: np.ndarray) -> np.ndarray:
        """Swap left and right of (P, T, J, ...) where mirrored."""
        flips = self.flips.reshape(-1, *(1,) * (joints.ndim - 1))
        return np.where(flips < 0, joints[:, :, _SWAPPED], joints)

    def compute_speeds(self, trunks: np.ndarray) -> np.ndarray:
        """Return how fast (P, T, 2) pixels move in each person's axes."""
        return _derive(trunks / self.sizes[:, None, None], self.rate_hz) * self._mirrors[:, None]

    @property
    def _mirrors(self) -> np.ndarray:
        return np.stack([self.flips, np.ones_like(self.flips)], axis=1)


def compute_window(points: np.ndarray, rate_hz: float) -> PoseWindow:
    """Describe the people of one window.

    Args:
        points: (T, P, 17, 3) columns of `Tracks`, T >= 1.
        rate_hz: Steps a second.

    Returns:
        Those who are seen in enough of the window, the others are left out.
    """
    seen = points[..., 2].max(axis=-1) > 0  # (T, P)
    columns = np.flatnonzero(seen.mean(axis=0) >= MIN_SEEN)
    if not len(columns):
        features = np.zeros((0, len(points), N_FEATURES), dtype=np.float32)
        return PoseWindow(features, columns, columns, np.zeros(0, dtype=np.float32))
    bodies = _build_bodies(points[:, columns])
    others = _find_nearest(bodies)
    named = np.where(others >= 0, columns[others], -1)
    features = _describe(bodies, others, rate_hz).astype(np.float32)
    return PoseWindow(features, columns, named, _compute_confidence(bodies))


def describe_people(points: np.ndarray, others: np.ndarray, rate_hz: float) -> np.ndarray:
    """Describe people whose nearest other one is known, such as those of many windows at once.

    Args:
        points: (T, P, 17, 3) columns of `Tracks`, T >= 1; each person is seen at one step at least.
        others: (P,) the column of each person's nearest other, -1 for nobody.
        rate_hz: Steps a second.

    Returns:
        (P, T, D) float32, of each person what `compute_window` gives of a window of these two.
    """
    return _describe(_build_bodies(points), others, rate_hz).astype(np.float32)


def _build_bodies(points: np.ndarray) -> _Bodies:
    points = points.astype(np.float64).transpose(1, 0, 2, 3)  # (P, T, 17, 3)
    seen = points[..., 2].max(axis=-1) > 0
    face = points[:, :, _FACE]
    weights = np.where(face[..., 2] >= MIN_JOINT_SCORE, face[..., 2], _LOW_WEIGHT)
    head = (face[..., :2] * weights[..., None]).sum(axis=2) / weights.sum(axis=2)[..., None]
    places = np.concatenate([head[:, :, None], points[:, :, 5:, :2]], axis=2)
    top_two = np.sort(face[..., 2], axis=2)[:, :, -2:].mean(axis=2)
    scores = np.concatenate([top_two[:, :, None], points[:, :, 5:, 2]], axis=2)
    places = _fill_gaps(places * np.array([1.0, -1.0]), _find_known(scores, seen))
    shoulders, hips = (places[:, :, list(pair)].mean(axis=2) for pair in (_SHOULDERS, _HIPS))
    sizes = _compute_sizes(places, shoulders - hips)
    return _Bodies(places, scores, seen, 0.5 * (shoulders + hips), sizes)


def _find_known(scores: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return (P, T, J): which joints count; of a person without any, all that were seen."""
    is_confident = scores >= MIN_JOINT_SCORE
    without = ~np.any(is_confident, axis=(1, 2), keepdims=True)
    return is_confident | (without & seen[..., None])


def _fill_gaps(places: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Draw straight lines over steps where a joint is not known; ends stay as they were.

    A joint that is known at no step is put into the middle of those that are.
    """
    n_steps = places.shape[1]
    steps = np.arange(n_steps)[:, None]
    before = np.maximum.accumulate(np.where(known, steps, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, steps, n_steps)[:, ::-1], axis=1)[:, ::-1]
    left = np.where(before >= 0, before, after).clip(max=n_steps - 1)
    right = np.where(after < n_steps, after, left)
    share = (steps - left) / np.maximum(right - left, 1)
    start, end = (np.take_along_axis(places, at[..., None], axis=1) for at in (left, right))
    filled = start + share[..., None] * (end - start)
    ever = np.any(known, axis=1, keepdims=True)[..., None]
    middles = (filled * ever).sum(axis=2, keepdims=True) / ever.sum(axis=2, keepdims=True)
    return np.where(ever, filled, middles)


def _compute_sizes(places: np.ndarray, trunk: np.ndarray) -> np.ndarray:
    """Return (P,) pixels of a trunk, from its own length and from the body's extent.

    Foreshortened trunks (leaning towards the camera) are short: so the longer of the two counts.
    """
    length = np.quantile(np.linalg.norm(trunk, axis=-1), 0.7, axis=1)
    extent = np.median((places.max(axis=2) - places.min(axis=2)).max(axis=-1), axis=1)
    return np.maximum(np.maximum(length, _MIN_TRUNK_OF_EXTENT * extent), _MIN_TRUNK_PX)


def _find_nearest(bodies: _Bodies) -> np.ndarray:
    """Return for each person the row of whoever came nearest to their hands and feet, or -1.

    How near is taken from the nearest tenth of the steps at which both are seen.
    """
    limbs = bodies.places[:, :, list(_LIMBS)]
    lines = limbs[:, None, :, :, None] - bodies.places[None, :, :, None]  # (P, P, T, L, J, 2)
    gaps = np.sqrt(np.square(lines).sum(axis=-1).min(axis=(3, 4)))
    others = np.full(len(gaps), -1, dtype=np.int64)
    nearest = np.full(len(gaps), np.inf)
    for row, other in np.argwhere(~np.eye(len(gaps), dtype=bool)):
        both = bodies.seen[row] & bodies.seen[other]
        if both.any() and (gap := np.quantile(gaps[row, other, both], 0.1)) < nearest[row]:
            others[row], nearest[row] = other, gap
    return others


def _compute_confidence(bodies: _Bodies) -> np.ndarray:
    """Return (P,): mean score of head, shoulders, elbows, wrists and hips over all steps."""
    return bodies.scores[:, :, : _HIPS[1] + 1].mean(axis=(1, 2)).astype(np.float32)


def _describe(bodies: _Bodies, others: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return (P, T, D), each person with the other one of that row, -1 for nobody."""
    sides = np.median(bodies.trunks[others, :, 0] - bodies.trunks[:, :, 0], axis=1)
    flips = np.where((others >= 0) & (sides < 0), -1.0, 1.0)
    axes = _Axes(bodies.trunks, bodies.sizes, flips, rate_hz)
    own = axes.place(bodies.places)
    to_own = _distances(own[:, :, list(_WRISTS)], _own_targets(own))
    parts = [
        own.clip(-_MAX_PLACE, _MAX_PLACE),
        axes.swap(bodies.scores),
        _derive(own, rate_hz),
        axes.compute_speeds(bodies.trunks),
        bodies.seen.astype(np.float64),
        to_own,
        _derive(to_own, rate_hz),
        _describe_others(bodies, others, axes, own),
    ]
    return _join(parts) * bodies.seen[..., None]


def _describe_others(
    bodies: _Bodies, others: np.ndarray, axes: _Axes, own: np.ndarray
) -> np.ndarray:
    """Return (P, T, N_PAIR) of the other person of each row; zero where there is none."""
    theirs = axes.place(bodies.places[others])
    both = bodies.seen & bodies.seen[others] & (others >= 0)[:, None]
    to_them = _distances(own[:, :, list(_LIMBS)], _body_targets(theirs))
    to_me = _distances(theirs[:, :, list(_LIMBS)], _body_targets(own))
    parts = [
        theirs.clip(-_MAX_PLACE, _MAX_PLACE),
        axes.swap(bodies.scores[others]),
        axes.compute_speeds(bodies.trunks[others]),
        both.astype(np.float64),
        to_them,
        _derive(to_them, axes.rate_hz),
        to_me,
        _derive(to_me, axes.rate_hz),
    ]
    return _join(parts) * both[..., None]


_SWAPPED = [0] + [index + (1 if index % 2 else -1) for index in range(1, N_JOINTS)]


def _own_targets(own: np.ndarray) -> np.ndarray:
    """Return (P, T, 6, 2): head, neck, belly, both thighs and the middle of both wrists.

    From the last each wrist is half as far as from the other wrist.
    """
    neck, belly = _neck_and_belly(own)
    thighs = 0.5 * (own[:, :, list(_HIPS)] + own[:, :, list(_KNEES)])
    wrists = own[:, :, list(_WRISTS)].mean(axis=2)
    head = own[:, :, _HEAD]
    return np.stack([head, neck, belly, thighs[:, :, 0], thighs[:, :, 1], wrists], axis=2)


def _body_targets(body: np.ndarray) -> np.ndarray:
    """Return (P, T, 5, 2): head, neck, belly and both wrists."""
    left, right = (body[:, :, wrist] for wrist in _WRISTS)
    return np.stack([body[:, :, _HEAD], *_neck_and_belly(body), left, right], axis=2)


def _neck_and_belly(body: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    neck = body[:, :, list(_SHOULDERS)].mean(axis=2)
    return neck, body[:, :, list(_HIPS)].mean(axis=2) * 0.7 + neck * 0.3


def _distances(limbs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return (P, T, L, N) distances of (P, T, L, 2) from (P, T, N, 2), at most `_FAR`."""
    gaps = np.linalg.norm(limbs[:, :, :, None] - targets[:, :, None], axis=-1)
    return np.minimum(gaps, _FAR)


def _derive(values: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the change a second along the steps of (P, T, ...), within limits."""
    if values.shape[1] < 2:
        return np.zeros_like(values)
    return np.gradient(values, 1.0 / rate_hz, axis=1).clip(-_MAX_SPEED, _MAX_SPEED)


def _join(parts: list[np.ndarray]) -> np.ndarray:
    """Put parts (P, T, ...) side by side: (P, T, D)."""
    return np.concatenate([part.reshape(*part.shape[:2], -1) for part in parts], axis=2)
