"""A synthetic arm on a real body: the hand's way, the elbow, what a detector would see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from half_real.body import ELBOWS, WRISTS, Body

Ease = Literal["smooth", "strike", "rebound"]

MISSING_SCORE = 0.05
"""A joint below this is not seen; the synthetic arm leaves it as it is."""
_NOISE_AT_REST = 0.08
_NOISE_MOVING = 0.05
_MAX_NOISE = 0.25
"""In torsos, the second for each torso a second: what is left of the real joint's jitter. More is
the real arm's motion; joints at rest were seen to lie within this in nine steps of ten."""
_FIT_STEPS = 7
_FIT_GAIN = 1.22
"""A parabola through seven steps follows a third of white noise; this gives it back."""
_NOISE_A_SPEED = 0.015
_NOISE_WHEN_HIDDEN = 0.12


@dataclass(frozen=True)
class Key:
    """Where the wrist is at one moment.

    Attributes:
        time_s: From the window's first step.
        anchor: A name of `Body.anchors`, ``shoulder`` or ``thigh``: those of the arm's own side.
        offset: Outwards to the arm's side, up and to the front, in torsos from the anchor.
        ease: How the wrist comes here from the key before: ``smooth`` starts and stops gently,
            ``strike`` arrives at full speed, ``rebound`` leaves at full speed.
    """

    time_s: float
    anchor: str
    offset: tuple[float, float, float]
    ease: Ease = "smooth"


def follow_keys(body: Body, side: int, keys: list[Key], times_s: np.ndarray) -> np.ndarray:
    """Return the wrist's way past the keys, (T, 3) in camera coordinates.

    Before the first and after the last key the wrist rests there, following the body.

    Args:
        body: At T steps.
        side: 0 left, 1 right.
        keys: One or more, by ascending time.
        times_s: (T,) of the body's steps.

    Source: T. Flash and N. Hogan, J. Neuroscience 5(7), 1985, for the smooth ease (least jerk).
    """
    places = np.stack([_place(body, side, key) for key in keys])
    key_times = np.array([key.time_s for key in keys])
    after = np.searchsorted(key_times, times_s, side="right")
    way = np.empty((len(times_s), 3))
    for step, (time_s, row) in enumerate(zip(times_s, after, strict=True)):
        if row in (0, len(keys)):
            way[step] = places[min(row, len(keys) - 1), step]
            continue
        start_s, stop_s = key_times[row - 1], key_times[row]
        share = ease((time_s - start_s) / (stop_s - start_s), keys[row].ease)
        way[step] = (1 - share) * places[row - 1, step] + share * places[row, step]
    return way


def ease(share: float, kind: Ease) -> float:
    """Return how much of the way is done when this share of the time is over.

    >>> ease(0.5, "smooth"), ease(0.5, "strike"), ease(0.5, "rebound")
    (0.5, 0.25, 0.75)
    """
    if kind == "strike":
        return share**2
    if kind == "rebound":
        return 1 - (1 - share) ** 2
    return share**3 * (10 - 15 * share + 6 * share**2)


def _place(body: Body, side: int, key: Key) -> np.ndarray:
    if key.anchor == "shoulder":
        anchor = body.shoulders[:, side]
    elif key.anchor == "thigh":
        anchor = body.anchors[("left_thigh", "right_thigh")[side]]
    else:
        anchor = body.anchors[key.anchor]
    out, up, front = key.offset
    outwards = body.left if side == 0 else -body.left
    return anchor + body.torso_px[:, None] * (out * outwards + up * body.up + front * body.front)


def solve_arm(
    body: Body, side: int, wrist: np.ndarray, swivel_rad: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return an elbow and a wrist whose bones have the body's lengths, (T, 3) each.

    A wrist out of reach is drawn back onto the line from the shoulder.

    Args:
        body: At T steps.
        side: 0 left, 1 right.
        wrist: (T, 3) where it should be.
        swivel_rad: Where the elbow points: 0 down, pi / 2 outwards.
    """
    shoulder = body.shoulders[:, side]
    upper, fore = (body.bones[side][:, None] * body.torso_px)[..., None]
    reach = wrist - shoulder
    distance = np.linalg.norm(reach, axis=1, keepdims=True)
    axis = np.where(distance > 1e-6, reach / np.maximum(distance, 1e-6), body.front)
    distance = np.clip(distance, 1.02 * np.abs(upper - fore) + 1e-6, 0.995 * (upper + fore))
    along = (distance**2 + upper**2 - fore**2) / (2 * distance)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    outwards = body.left if side == 0 else -body.left
    wish = np.sin(swivel_rad) * outwards - np.cos(swivel_rad) * body.up - 0.25 * body.front
    wish = wish - (wish * axis).sum(axis=1, keepdims=True) * axis
    is_along = np.linalg.norm(wish, axis=1, keepdims=True) < 1e-6
    wish = np.where(is_along, np.cross(axis, body.left), wish)
    wish = wish / np.linalg.norm(wish, axis=1, keepdims=True)
    return shoulder + along * axis + aside * wish, shoulder + distance * axis


@dataclass(frozen=True)
class SyntheticArm:
    """One synthetic arm at T steps.

    Attributes:
        side: 0 left, 1 right.
        elbow: (T, 3) in camera coordinates.
        wrist: (T, 3).
        share: (T,) from 0, the real arm, to 1, the drawn one.
    """

    side: int
    elbow: np.ndarray
    wrist: np.ndarray
    share: np.ndarray


def draw_arm(
    points: np.ndarray, body: Body, arm: SyntheticArm, rate_hz: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the person's (T, 17, 3) keypoints with the synthetic arm, seen as the real one was.

    The real joint's jitter about its smoothed course is put back, with more of it where the hand is
    fast or hidden; its score stays, lowered for the same reasons. A joint that was not seen, or a
    person who was not, stays as it was.

    Args:
        points: (T, 17, 3) of the real person.
        body: The same steps.
        arm: What to draw.
        rate_hz: Steps a second.
        rng: Draws the added jitter.
    """
    drawn = points.copy()
    for joint, place in ((ELBOWS[arm.side], arm.elbow), (WRISTS[arm.side], arm.wrist)):
        real = points[:, joint]
        visible = _compute_visibility(body, place)
        speed = np.linalg.norm(np.gradient(place[:, :2], axis=0), axis=1) * rate_hz / body.torso_px
        visible = visible * (1 - 0.2 * np.minimum(speed / 4, 1))
        spread = (
            np.hypot(_NOISE_A_SPEED * speed, _NOISE_WHEN_HIDDEN * (1 - visible)) * body.torso_px
        )
        limit = np.minimum(_NOISE_AT_REST + _NOISE_MOVING * speed, _MAX_NOISE)
        noise = compute_jitter(real, limit * body.torso_px)
        noise = noise + spread[:, None] * rng.standard_normal((len(real), 2)) / np.sqrt(2)
        seen = (real[:, 2] >= MISSING_SCORE)[:, None]
        share = arm.share[:, None] * seen
        drawn[:, joint, :2] = real[:, :2] + share * (place[:, :2] + noise - real[:, :2])
        drawn[:, joint, 2] = real[:, 2] * (1 - share[:, 0] * (1 - visible))
    return drawn


def compute_jitter(course: np.ndarray, limit_px: np.ndarray) -> np.ndarray:
    """Return (T, 2): how a joint lies off a parabola through the seven steps around each.

    Args:
        course: (T, 3) x, y and score; steps below `MISSING_SCORE` give 0 and do not bend the
            parabola.
        limit_px: (T,) longest: faster is motion, not jitter.
    """
    jitter = np.zeros((len(course), 2))
    half = _FIT_STEPS // 2
    for step in np.flatnonzero(course[:, 2] >= MISSING_SCORE):
        first = int(np.clip(step - half, 0, max(len(course) - _FIT_STEPS, 0)))
        near = np.arange(first, min(first + _FIT_STEPS, len(course)))
        near = near[course[near, 2] >= MISSING_SCORE]
        if len(near) > 3:
            powers = np.stack([np.ones(len(near)), near - step, (near - step) ** 2], axis=1)
            fit = np.linalg.lstsq(powers, course[near, :2], rcond=None)[0]
            jitter[step] = _FIT_GAIN * (course[step, :2] - fit[0])
    length = np.maximum(np.linalg.norm(jitter, axis=1), 1e-9)
    return jitter * np.minimum(1, limit_px / length)[:, None]


def _compute_visibility(body: Body, place: np.ndarray) -> np.ndarray:
    """Return (T,) from 0.4 to 1: what is left of a joint's score before or behind the trunk."""
    size, head, neck = body.torso_px, body.anchors["head"], body.shoulders.mean(axis=1)
    from_head = np.linalg.norm(place[:, :2] - head[:, :2], axis=1) / size
    axis = body.up[:, :2] / np.linalg.norm(body.up[:, :2], axis=1, keepdims=True)
    from_neck = (place - neck)[:, :2] / size[:, None]
    down = -(from_neck * axis).sum(axis=1)
    aside = np.abs(from_neck[:, 0] * axis[:, 1] - from_neck[:, 1] * axis[:, 0])
    over_trunk = (down > 0) & (down < 1) & (aside < 0.2)
    visible = np.ones(len(place))
    visible[over_trunk] = np.where(place[:, 2] > neck[:, 2], 0.5, 0.9)[over_trunk]
    over_head = from_head < 0.22
    visible[over_head] = np.where(place[:, 2] > head[:, 2], 0.4, 0.8)[over_head]
    return visible
