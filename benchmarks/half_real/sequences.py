"""A half-real test for hitting oneself: real bodies and their real detector noise, synthetic arms.

Of one real person in one real window three samples are made: a hit to the own body, a near miss
with the same arm and the same rhythm, and the person left alone. Head, trunk, legs and the other
people stay as they were seen. So a recognizer is uncertain them apart by anything but the arm. The
test can refute a recognizer; it can't prove one, for no arm in it was ever moved by a person.

The motions here are drawn apart from those that recognizers are trained on: nothing is shared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from half_real.acts import ACTS, Kind, Rhythm, build_keys, draw_rhythm, put_beside
from half_real.arm import SyntheticArm, draw_arm, follow_keys, solve_arm
from half_real.body import (
    ELBOWS,
    FACE,
    HIPS,
    SHOULDERS,
    WRISTS,
    Body,
    estimate_body,
)
from har.errors import NoClipsError
from har.pose.keypoints import Tracks

WINDOW_STEPS = (25, 50)
MIN_STEPS = 20
"""Shorter stays are left out; from here to a full window they are played there and back."""
MIN_SEEN = 0.9
"""Share of a window's steps in which the person must be found."""
MIN_TORSO_PX = 20.0
MIN_TRUNK_SCORE = 0.4
MIN_FACE_SCORE = 0.3
MIN_ARM_SCORE = 0.2
"""Mean of wrist and elbow: an arm that is seen less is not made to act."""
_MOST_PITCH_DEG = 25.0
_BOTH_ARMS = 0.3
_TAKE_TURNS = 0.3


@dataclass(frozen=True)
class RealClip:
    """A real clip's people.

    Attributes:
        clip_id: Its name.
        label: What is really done in it.
        group: What a split may never divide.
        tracks: At the rate that all clips of a set share.
    """

    clip_id: str
    label: str
    group: str
    tracks: Tracks


@dataclass(frozen=True)
class HalfReal:
    """One sample of the test.

    Attributes:
        points: (T, P, 17, 3) as in `Tracks`, all people of the window.
        person: The column of who acts.
        act: A name of `half_real.acts.ACTS`, or ``alone``.
        kind: ``alone`` is as it was filmed.
        clip_id: The real clip.
        label: What is really done in it.
        group: The real clip's.
    """

    points: np.ndarray
    person: int
    act: str
    kind: Kind | Literal["alone"]
    clip_id: str
    label: str
    group: str


@dataclass(frozen=True)
class HalfRealSet:
    """The test.

    Attributes:
        samples: Hits, near misses and people left alone.
        n_bodies: People of real clips that were good enough.
        left_out: How many were not, by reason.
    """

    samples: tuple[HalfReal, ...]
    n_bodies: int
    left_out: dict[str, int]


def build_half_real(
    clips: Sequence[RealClip], rate_hz: float, seed: int, n_hits: int = 600, n_alone: int = 300
) -> HalfRealSet:
    """Return a fixed test from real clips: as many near misses as hits, each pair on one body.

    Bodies take turns, so that long and short clips weigh the same; so do acts.

    Args:
        clips: Real clips, at ``rate_hz``.
        rate_hz: Steps a second.
        seed: Same seed, same clips: same test.
        n_hits: Hits, and near misses.
        n_alone: People left alone, at most ``n_hits``.

    Raises:
        NoClipsError: No person in the clips is seen well enough.
    """
    bodies, left_out = find_bodies(clips)
    if not bodies:
        raise NoClipsError(
            f"None of {len(clips)} clips shows a person well enough for the half-real test: "
            f"{dict(left_out)}; take clips with larger or better lit people"
        )
    rng = np.random.default_rng(seed)
    order: list[tuple[int, int]] = []
    while len(order) < n_hits:
        order += [bodies[row] for row in rng.permutation(len(bodies))]
    samples: list[HalfReal] = []
    turns = {kind: _take_turns(kind, n_hits, rng) for kind in ("hit", "near_miss")}
    for turn, (row, person) in enumerate(order[:n_hits]):
        acts = turns["hit"][turn], turns["near_miss"][turn]
        trio = compose_half_real(clips[row], person, acts, rate_hz, rng)
        samples += trio if turn < n_alone else trio[:2]
    return HalfRealSet(tuple(samples), len(bodies), dict(left_out))


def _take_turns(kind: str, n: int, rng: np.random.Generator) -> list[str]:
    names = [name for name, act in ACTS.items() if act.kind == kind]
    return [names[row] for row in rng.permutation(np.arange(n) % len(names))]


def find_bodies(clips: Sequence[RealClip]) -> tuple[list[tuple[int, int]], Counter[str]]:
    """Return who is seen well enough, as (clip, column), and why the others are left out."""
    bodies: list[tuple[int, int]] = []
    left_out: Counter[str] = Counter()
    for row, clip in enumerate(clips):
        for person in range(clip.tracks.points.shape[1]):
            reason = judge_body(clip.tracks.points[:, person])
            if reason:
                left_out[reason] += 1
            else:
                bodies.append((row, person))
    return bodies, left_out


def judge_body(points: np.ndarray) -> str:
    """Return why a person's (N, 17, 3) keypoints are not good enough; empty where they are."""
    first, stop = _find_stay(points)
    stay = points[first:stop]
    if len(stay) < MIN_STEPS:
        return "seen too briefly"
    seen = stay[stay[..., 2].max(axis=1) > 0]
    if len(seen) < MIN_SEEN * len(stay):
        return "lost too often"
    trunk = seen[:, SHOULDERS, :2].mean(axis=1) - seen[:, HIPS, :2].mean(axis=1)
    if np.median(np.linalg.norm(trunk, axis=1)) < MIN_TORSO_PX:
        return "too small"
    if seen[:, (*SHOULDERS, *HIPS), 2].mean() < MIN_TRUNK_SCORE:
        return "trunk uncertain"
    if seen[:, FACE, 2].mean() < MIN_FACE_SCORE:
        return "head uncertain"
    if not find_arms(seen):
        return "arms uncertain"
    return ""


def find_arms(points: np.ndarray) -> list[int]:
    """Return the sides (0 left, 1 right) whose arm is seen well enough where the person is."""
    seen = points[points[..., 2].max(axis=1) > 0]
    return [
        side
        for side in range(2)
        if seen[:, [ELBOWS[side], WRISTS[side]], 2].mean() >= MIN_ARM_SCORE
    ]


def _find_stay(points: np.ndarray) -> tuple[int, int]:
    seen = np.flatnonzero(points[..., 2].max(axis=1) > 0)
    return (int(seen[0]), int(seen[-1]) + 1) if len(seen) else (0, 0)


def compose_half_real(
    clip: RealClip, person: int, acts: tuple[str, str], rate_hz: float, rng: np.random.Generator
) -> list[HalfReal]:
    """Return three samples of one window of one person: a hit, a near miss, left alone.

    Args:
        clip: A real clip.
        person: Column of someone `judge_body` finds good enough.
        acts: Names of the hit and of the near miss.
        rate_hz: Steps a second of the clip.
        rng: Draws window, arm, rhythm and the motions.
    """
    window = _draw_window(clip.tracks.points, person, rng)
    plan = _draw_plan(clip, person, window, rate_hz, rng)
    samples = []
    for name in acts:
        drawn = window.copy()
        drawn[:, person] = _make_act(window[:, person], plan, name, rng)
        samples.append(_label(clip, drawn, person, name, ACTS[name].kind))
    return [*samples, _label(clip, window, person, "alone", "alone")]


def _draw_plan(
    clip: RealClip, person: int, window: np.ndarray, rate_hz: float, rng: np.random.Generator
) -> _Plan:
    arms = find_arms(_cut_stay(clip.tracks.points, person)[:, person])
    return _Plan(
        body=estimate_body(window[:, person], float(np.radians(rng.uniform(0, _MOST_PITCH_DEG)))),
        rhythm=draw_rhythm((len(window) - 1) / rate_hz, rng),
        side=int(rng.choice(arms)),
        is_double=len(arms) == 2 and rng.random() < _BOTH_ARMS,
        rate_hz=rate_hz,
    )


@dataclass(frozen=True)
class _Plan:
    """What the hit and the near miss of one window share."""

    body: Body
    rhythm: Rhythm
    side: int
    is_double: bool
    rate_hz: float


def compose_aside(
    clip: RealClip, person: int, name: str, rate_hz: float, rng: np.random.Generator
) -> tuple[list[HalfReal], Rhythm]:
    """Return two samples of one window, a hit and the same strokes beside the body, and when.

    Args:
        clip: A real clip.
        person: Column of someone `judge_body` finds good enough.
        name: Of the hit.
        rate_hz: Steps a second of the clip.
        rng: Draws window, arm, rhythm, the motions and where beside the body.
    """
    window = _draw_window(clip.tracks.points, person, rng)
    plan = _draw_plan(clip, person, window, rate_hz, rng)
    seed = int(rng.integers(2**31))
    samples = []
    for kind, is_beside in (("hit", False), ("near_miss", True)):
        drawn = window.copy()
        same = np.random.default_rng(seed)
        drawn[:, person] = _make_act(window[:, person], plan, name, same, is_beside=is_beside)
        samples.append(_label(clip, drawn, person, name, kind))
    return samples, plan.rhythm


def _make_act(
    points: np.ndarray,
    plan: _Plan,
    name: str,
    rng: np.random.Generator,
    *,
    is_beside: bool = False,
) -> np.ndarray:
    act = ACTS[name]
    times_s = np.arange(len(points)) / plan.rate_hz
    gesture = act.draw(rng, plan.rhythm.reach)
    if is_beside:
        gesture = put_beside(gesture, plan.rhythm.stroke_s)
    is_double = act.arms == "both" or (act.arms == "either" and plan.is_double)
    takes_turns = act.arms == "either" and rng.random() < _TAKE_TURNS
    for turn, side in enumerate([plan.side, 1 - plan.side][: 1 + is_double]):
        lag_s = turn * takes_turns * plan.rhythm.compute_period() / 2
        keys = build_keys(gesture, plan.rhythm.shift(lag_s), rng)
        way = follow_keys(plan.body, side, keys, times_s)
        elbow, wrist = solve_arm(plan.body, side, way, gesture.swivel_rad)
        arm = SyntheticArm(side, elbow, wrist, plan.rhythm.compute_share(times_s))
        points = draw_arm(points, plan.body, arm, plan.rate_hz, rng)
    return points


def _label(
    clip: RealClip, points: np.ndarray, person: int, act: str, kind: Kind | Literal["alone"]
) -> HalfReal:
    return HalfReal(points, person, act, kind, clip.clip_id, clip.label, clip.group)


def _cut_stay(points: np.ndarray, person: int) -> np.ndarray:
    """Return the steps from the person's first to the last, by people as before."""
    first, stop = _find_stay(points[:, person])
    return points[first:stop]


def _draw_window(points: np.ndarray, person: int, rng: np.random.Generator) -> np.ndarray:
    """Return (T, P, 17, 3) of a time with the person; a short stay is played there and back."""
    stay = _cut_stay(points, person)
    fewest, most = WINDOW_STEPS
    if len(stay) < fewest:
        stay = np.concatenate([stay, stay[-2::-1]])[:fewest]
    n_steps = int(rng.integers(fewest, min(most, len(stay)) + 1))
    start = int(rng.integers(len(stay) - n_steps + 1))
    return stay[start : start + n_steps].copy()
