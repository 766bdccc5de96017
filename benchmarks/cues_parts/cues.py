"""Single cues of a sequence: what could tell a class without the act being seen.

Each cue turns the acting person's keypoints into a few numbers. All lengths are in the person's own
trunk lengths, all speeds a second, so that no cue carries another.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import INDEX, N_KEYPOINTS
from three_class.sequences import Sequence

_FACE = slice(0, 5)
_SHOULDERS, _ELBOWS, _WRISTS, _HIPS, _KNEES, _ANKLES = (
    [INDEX[f"{side}_{part}"] for side in ("left", "right")]
    for part in ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
)
_FAR = 10.0
"""Trunk lengths to another person where there is none."""
_NEAR, _FAST, _STOP = 0.6, 1.5, 0.4
"""Where a hand lands: so many trunk lengths from the place; how fast it came, a second; and the
share of that speed that it keeps at most."""


@dataclass(frozen=True)
class Actor:
    """The acting person over N steps, as the truth has it or as the detector saw it.

    Attributes:
        points: (N, 17, 2) pixels, gaps filled.
        scores: (N, 17), all 1 for the truth.
        others: (N, Q, 17, 2) everyone else, NaN where not seen.
        n_people: (N,) how many are there.
        size: (H, W) of the picture.
        trunk_px: Length of the trunk: the unit of all cues.
        rate_hz: Steps a second.
    """

    points: np.ndarray
    scores: np.ndarray
    others: np.ndarray
    n_people: np.ndarray
    size: tuple[int, int]
    trunk_px: float
    rate_hz: float

    @property
    def head(self) -> np.ndarray:
        """(N, 2) middle of the face."""
        return self.points[:, _FACE].mean(axis=1)

    @property
    def neck(self) -> np.ndarray:
        """(N, 2) middle of the shoulders."""
        return self.points[:, _SHOULDERS].mean(axis=1)

    @property
    def pelvis(self) -> np.ndarray:
        """(N, 2) middle of the hips."""
        return self.points[:, _HIPS].mean(axis=1)


def get_true_actor(sequence: Sequence, rate_hz: float) -> Actor:
    """Return the acting person without the detector's errors."""
    sight, subject = sequence.sight, sequence.subject
    n_steps, n_people = sight.points.shape[:2]
    points = sight.points[:, subject]
    others = np.delete(sight.points, subject, axis=1)
    return Actor(
        points,
        np.ones((n_steps, N_KEYPOINTS)),
        others,
        np.full(n_steps, n_people),
        sight.size,
        _measure_trunk(points),
        rate_hz,
    )


def get_seen_actor(sequence: Sequence, rate_hz: float) -> Actor | None:
    """Return the acting person as detected, or None if seen at fewer than half of the steps."""
    found = sequence.detections
    mine = sequence.owners == sequence.subject
    seen = mine.any(axis=1)
    if seen.mean() < 0.5:
        return None
    rows = found.points[np.flatnonzero(seen), mine[seen].argmax(axis=1)].astype(np.float64)
    steps = np.arange(len(seen))
    filled = np.stack(
        [np.interp(steps, steps[seen], column) for column in rows.reshape(len(rows), -1).T], axis=1
    ).reshape(len(seen), N_KEYPOINTS, 3)
    there = (found.scores > 0.0) & ~mine
    others = np.where(there[..., None, None], found.points[..., :2], np.nan)
    return Actor(
        filled[..., :2],
        filled[..., 2],
        others,
        (found.scores > 0.0).sum(axis=1),
        sequence.sight.size,
        _measure_trunk(filled[..., :2]),
        rate_hz,
    )


def _measure_trunk(points: np.ndarray) -> float:
    trunk = points[:, _SHOULDERS].mean(axis=1) - points[:, _HIPS].mean(axis=1)
    return max(float(np.quantile(np.linalg.norm(trunk, axis=-1), 0.8)), 2.0)


Values = tuple[float, ...]


@dataclass(frozen=True)
class Cue:
    """One cue.

    Attributes:
        name: As it is listed.
        compute: Gives its few numbers.
        part_of: Labels whose act it is itself, so that it must tell them.
        why: Reason for that; empty where it belongs to no act.
    """

    name: str
    compute: Callable[[Actor], Values]
    part_of: tuple[str, ...] = ()
    why: str = ""


def _spread(series: np.ndarray) -> Values:
    """Return mean, deviation, and the 5th and 95th percentile."""
    low, high = np.quantile(series, [0.05, 0.95])
    return float(series.mean()), float(series.std()), float(low), float(high)


def _speed(actor: Actor, places: np.ndarray) -> np.ndarray:
    """Return (N,) trunk lengths a second of (N, 2) pixels."""
    moved = np.gradient(places, 1.0 / actor.rate_hz, axis=0)
    return np.linalg.norm(moved, axis=-1) / actor.trunk_px


def count_people(actor: Actor) -> Values:
    """Return how many people there are."""
    return float(actor.n_people.mean()), float(actor.n_people.max())


def measure_duration(actor: Actor) -> Values:
    """Return seconds."""
    return (len(actor.points) / actor.rate_hz,)


def measure_size(actor: Actor) -> Values:
    """Return pixels of the body."""
    extent = np.ptp(actor.points[..., 1], axis=1)
    return actor.trunk_px, float(np.median(extent))


def measure_place(actor: Actor) -> Values:
    """Return where in the picture the trunk is."""
    height, width = actor.size
    place = 0.5 * (actor.neck + actor.pelvis).mean(axis=0)
    return float(place[0] / width), float(place[1] / height)


def measure_scores(actor: Actor) -> Values:
    """Return scores of the keypoints, of all and of the wrists."""
    wrists = actor.scores[:, _WRISTS]
    return float(actor.scores.mean()), float(wrists.mean()), float(wrists.min())


def measure_head_drop(actor: Actor) -> Values:
    """Return how high the head is above the neck, and how fast it falls."""
    high = (actor.neck - actor.head)[:, 1] / actor.trunk_px
    fall = np.gradient(high, 1.0 / actor.rate_hz)
    return (*_spread(high), float(fall.min()), float(fall.max()))


def measure_head_turn(actor: Actor) -> Values:
    """Return where the nose is between the ears, and the head beside the neck."""
    ears = actor.points[:, [INDEX["left_ear"], INDEX["right_ear"]]].mean(axis=1)
    nose = (actor.points[:, INDEX["nose"]] - ears)[:, 0] / actor.trunk_px
    beside = np.abs(actor.head - actor.neck)[:, 0] / actor.trunk_px
    return (*_spread(nose), *_spread(beside))


def measure_head_speed(actor: Actor) -> Values:
    """Return the speed of the head, in the picture and against the neck."""
    own = actor.head - actor.neck
    return (*_spread(_speed(actor, actor.head)), *_spread(_speed(actor, own)))


def measure_lean(actor: Actor) -> Values:
    """Return the lean of the trunk and how fast it changes."""
    trunk = actor.neck - actor.pelvis
    lean = np.abs(np.arctan2(trunk[:, 0], np.maximum(-trunk[:, 1], 1e-3)))
    change = np.abs(np.gradient(lean, 1.0 / actor.rate_hz))
    return (*_spread(lean), float(np.quantile(change, 0.95)))


def measure_posture(actor: Actor) -> Values:
    """Return hips over ankles and knees beside hips: standing or sitting."""
    knees, ankles = (actor.points[:, part].mean(axis=1) for part in (_KNEES, _ANKLES))
    high = (ankles - actor.pelvis)[:, 1] / actor.trunk_px
    beside = np.abs(knees - actor.pelvis)[:, 0] / actor.trunk_px
    return float(high.mean()), float(high.std()), float(beside.mean())


def measure_body_speed(actor: Actor) -> Values:
    """Return the speed of the trunk's middle."""
    return _spread(_speed(actor, 0.5 * (actor.neck + actor.pelvis)))


def measure_feet_speed(actor: Actor) -> Values:
    """Return the speed of the faster foot."""
    speed = [_speed(actor, actor.points[:, ankle]) for ankle in _ANKLES]
    return _spread(np.max(speed, axis=0))


def measure_wrist_speed(actor: Actor) -> Values:
    """Return the speed of the faster and of the slower hand against the trunk."""
    fast, slow = _hand_speeds(actor)
    return (*_spread(fast), float(slow.mean()))


def measure_wrist_height(actor: Actor) -> Values:
    """Return how high the higher hand is over the shoulders."""
    high = (actor.neck[:, None] - actor.points[:, _WRISTS])[..., 1].max(axis=1) / actor.trunk_px
    return _spread(high)


def measure_rhythm(actor: Actor) -> Values:
    """Return how often the faster hand starts and stops, and how evenly."""
    fast, _ = _hand_speeds(actor)
    peaks = np.flatnonzero(
        (fast[1:-1] > fast[:-2]) & (fast[1:-1] >= fast[2:]) & (fast[1:-1] > 0.4 * fast.max())
    )
    gaps = np.diff(peaks) / actor.rate_hz
    even = float(gaps.std()) if len(gaps) > 1 else -1.0
    return float(len(peaks)), float(gaps.mean()) if len(gaps) else -1.0, even


def measure_nearness(actor: Actor) -> Values:
    """Return the distance to the nearest other person's trunk."""
    far = _other_distance(actor)
    return float(far.min()), float(far.mean())


def measure_other_speed(actor: Actor) -> Values:
    """Return the speed of the others' trunks where they are seen."""
    if actor.others.shape[1] == 0:
        return 0.0, 0.0
    middle = actor.others[:, :, _SHOULDERS + _HIPS].mean(axis=2)
    step = np.linalg.norm(np.diff(middle, axis=0), axis=-1) * actor.rate_hz / actor.trunk_px
    step = step[np.isfinite(step) & (step < _FAR)]
    return (float(step.mean()), float(np.quantile(step, 0.95))) if step.size else (0.0, 0.0)


def measure_hand_to_head(actor: Actor) -> Values:
    """Return the distance of the nearer hand to the own head."""
    far = np.linalg.norm(actor.points[:, _WRISTS] - actor.head[:, None], axis=-1).min(axis=1)
    return _spread(far / actor.trunk_px)


def measure_hand_to_body(actor: Actor) -> Values:
    """Return the distance of the nearer hand to the own head, chest and thighs."""
    return _spread(_body_distances(actor).min(axis=(1, 2)))


def measure_landings(actor: Actor) -> Values:
    """Return how fast hands come to a near place on the own body, how abruptly, and how often."""
    far = _body_distances(actor)  # (N, 2, 4)
    closing = -np.diff(far, axis=0) * actor.rate_hz
    came, went = closing[:-1], closing[1:]
    near = far[1:-1] < _NEAR
    landed = near & (came > _FAST) & (went < _STOP * came)
    fastest = np.where(near, came, 0.0).max()
    hardest = np.where(near, came - went, 0.0).max()
    return float(fastest), float(hardest), float(landed.any(axis=2).sum())


def measure_hand_to_other(actor: Actor) -> Values:
    """Return the distance of the nearest hand to another's body, and how fast it closes."""
    if actor.others.shape[1] == 0:
        return _FAR, _FAR, 0.0
    body = actor.others[:, :, None]  # (N, Q, 1, 17, 2)
    hands = actor.points[:, None, _WRISTS, None]  # (N, 1, 2, 1, 2)
    far = np.linalg.norm(body - hands, axis=-1) / actor.trunk_px
    far = np.where(np.isfinite(far), far, _FAR).min(axis=(1, 2, 3))
    far = np.minimum(far, _FAR)
    return float(far.min()), float(far.mean()), float(-np.diff(far).min() * actor.rate_hz)


def _hand_speeds(actor: Actor) -> tuple[np.ndarray, np.ndarray]:
    middle = 0.5 * (actor.neck + actor.pelvis)
    left, right = (_speed(actor, actor.points[:, wrist] - middle) for wrist in _WRISTS)
    one, two = (left, right) if left.max() >= right.max() else (right, left)
    return one, two


def _other_distance(actor: Actor) -> np.ndarray:
    """Return (N,) trunk lengths to the nearest other, `_FAR` at most."""
    if actor.others.shape[1] == 0:
        return np.full(len(actor.points), _FAR)
    middle = actor.others[:, :, _SHOULDERS + _HIPS].mean(axis=2)
    own = 0.5 * (actor.neck + actor.pelvis)
    far = np.linalg.norm(middle - own[:, None], axis=-1) / actor.trunk_px
    return np.minimum(np.where(np.isfinite(far), far, _FAR).min(axis=1), _FAR)


def _body_distances(actor: Actor) -> np.ndarray:
    """Return (N, 2, 4) trunk lengths of both hands to own head, chest and thighs."""
    chest = 0.7 * actor.neck + 0.3 * actor.pelvis
    thighs = 0.5 * (actor.points[:, _HIPS] + actor.points[:, _KNEES])
    spots = np.concatenate([np.stack([actor.head, chest], axis=1), thighs], axis=1)
    gaps = actor.points[:, _WRISTS, None] - spots[:, None]
    return np.linalg.norm(gaps, axis=-1) / actor.trunk_px


_SELF, _OTHERS = "hitting_self", "hitting_others"
CUES = (
    Cue("number of people", count_people, (_OTHERS,), "it takes another to hit one"),
    Cue("duration", measure_duration),
    Cue("size in the picture", measure_size),
    Cue("place in the picture", measure_place),
    Cue("keypoint scores", measure_scores),
    Cue("head drop", measure_head_drop),
    Cue("head turn", measure_head_turn),
    Cue("head speed", measure_head_speed),
    Cue("trunk lean", measure_lean),
    Cue("standing or sitting", measure_posture),
    Cue("body speed", measure_body_speed),
    Cue("feet speed", measure_feet_speed),
    Cue("wrist speed", measure_wrist_speed),
    Cue("wrist height", measure_wrist_height),
    Cue("wrist rhythm", measure_rhythm),
    Cue("distance to the nearest other", measure_nearness, (_OTHERS,), "a hit needs one in reach"),
    Cue("speed of others", measure_other_speed, (_OTHERS,), "who is hit moves"),
    Cue("hand to another", measure_hand_to_other, (_OTHERS,), "the hand goes to the other"),
    Cue("hand to own head", measure_hand_to_head, (_SELF,), "most hits are to the head"),
    Cue("hand to own body", measure_hand_to_body, (_SELF,), "a hit ends on the own body"),
    Cue("landings on own body", measure_landings, (_SELF,), "fast to the body, and stopped there"),
)
