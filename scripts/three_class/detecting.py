"""What is random in the pose network's view of people: drawn before it is known what they do.

`draw_noise` draws it; `detecting.detect_people` puts it onto people and has no randomness of its
own. So the noise of a sequence is one and the same whatever class will be acted in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import INDEX, MAX_PEOPLE, N_KEYPOINTS, Detections
from three_class.sight import Sight

QUALITY_SD = 0.45
"""Spread of recordings, in logits of a person's score.

Source: people of equal height score 0.8 logits lower in Surveillance Camera Fight (29 sources) than
in UT-Interaction set 1, sequences 1 to 4.
"""

PERSON_SD, PERSON_STEADY = 0.25, 0.6
JOINT_SD, JOINT_STEADY, JOINT_WHITE_SD = 0.30, 0.75, 0.18
JITTER_STEADY, JITTER_SPREAD = 0.4, 0.55
"""Wandering of scores and of places from step to step, at 10 steps a second.

Source: autocorrelation and spread of scores and second differences of places, same recordings.
"""

ROUGHNESS_SD = 0.25
MISSED_HZ, MISSED_S = (0.02, 0.5), 0.25
SWAPPED_HZ, SWAPPED_S = (0.05, 0.5), 0.4
TAKEN_HZ, TAKEN_S = (0.1, 0.8), 0.35
LOST_S = 0.35
"""How often and for how long: a recording's rate is drawn between the two."""

N_GHOSTS = 2
GHOST_HZ, GHOST_S = 0.25, 0.3
GHOSTLY_SHARE, STATUE_SHARE = 0.3, 0.06
"""Recordings in which false people flash up, and in which something is taken for one throughout.

Source: looking at Surveillance Camera Fight.
"""


@dataclass(frozen=True)
class Ghosts:
    """False people, G of them at N steps.

    Attributes:
        shown: (N, G) bool.
        scores: (N, G) how confident the network is of each.
        places: (N, G, 2) middle of the body, as shares of the picture's width and height.
        statures: (G,) as shares of the picture's height.
        pose: (N, G, 17, 2) joints from the middle, in statures.
        joints: (N, G, 17) scores.
    """

    shown: np.ndarray
    scores: np.ndarray
    places: np.ndarray
    statures: np.ndarray
    pose: np.ndarray
    joints: np.ndarray


@dataclass(frozen=True)
class Noise:
    """All that is random in what the network says of P people at N steps.

    Attributes:
        quality: How well the recording suits the network, in logits.
        roughness: Factor on all jitter of the recording.
        person: (N, P) logits added to each person's.
        missed: (N, P) bool: not given at all.
        joint: (N, P, 17) logits added to each joint's.
        jitter: (N, P, 17, 2) of unit size.
        bias: (N, P, 17, 2) of unit size, slow.
        lost: (N, P, 17) from 0 to 1, slow: a joint is lost where its chance of it is above.
        swapped: (N, P, 3) bool: left and right of face, arms and legs may be taken for each other.
        taken: (N, P, 17) bool: the same joint of someone near may be taken for the own.
        ghosts: What is taken for people and is none.
    """

    quality: float
    roughness: float
    person: np.ndarray
    missed: np.ndarray
    joint: np.ndarray
    jitter: np.ndarray
    bias: np.ndarray
    lost: np.ndarray
    swapped: np.ndarray
    taken: np.ndarray
    ghosts: Ghosts


def draw_noise(rng: np.random.Generator, n_steps: int, n_people: int, rate_hz: float) -> Noise:
    """Draw the noise of one sequence.

    Args:
        rng: Draws it; has seen nothing of the class.
        n_steps: N.
        n_people: P, at least as many as will be seen.
        rate_hz: Steps a second.
    """
    people, joints = (n_people,), (n_people, N_KEYPOINTS)
    missed_hz, swapped_hz, taken_hz = (
        float(rng.uniform(*bounds)) for bounds in (MISSED_HZ, SWAPPED_HZ, TAKEN_HZ)
    )
    wander = draw_steady(rng, n_steps, joints, JOINT_STEADY)
    lasting = draw_steady(rng, n_steps, joints, np.exp(-1.0 / (LOST_S * rate_hz)))
    spread = np.exp(JITTER_SPREAD * rng.standard_normal((n_steps, *joints, 1)))
    return Noise(
        quality=QUALITY_SD * float(rng.standard_normal()),
        roughness=float(np.exp(ROUGHNESS_SD * rng.standard_normal())),
        person=PERSON_SD * draw_steady(rng, n_steps, people, PERSON_STEADY),
        missed=draw_spells(rng, (n_steps, *people), missed_hz / rate_hz, MISSED_S * rate_hz),
        joint=JOINT_SD * wander + JOINT_WHITE_SD * rng.standard_normal((n_steps, *joints)),
        jitter=spread * draw_steady(rng, n_steps, (*joints, 2), JITTER_STEADY),
        bias=draw_steady(rng, n_steps, (*joints, 2), 0.9),
        lost=1.0 / (1.0 + np.exp(-1.7 * lasting)),
        swapped=draw_spells(rng, (n_steps, *people, 3), swapped_hz / rate_hz, SWAPPED_S * rate_hz),
        taken=draw_spells(rng, (n_steps, *joints), taken_hz / rate_hz, TAKEN_S * rate_hz),
        ghosts=_draw_ghosts(rng, n_steps, rate_hz),
    )


def draw_steady(
    rng: np.random.Generator, n_steps: int, shape: tuple[int, ...], steady: float
) -> np.ndarray:
    """Draw (N, *shape) of mean 0 and variance 1, correlated by ``steady`` from step to step."""
    values = rng.standard_normal((n_steps, *shape))
    fresh = np.sqrt(1.0 - steady**2)
    for step in range(1, n_steps):
        values[step] = steady * values[step - 1] + fresh * values[step]
    return values


def draw_spells(
    rng: np.random.Generator, shape: tuple[int, ...], start_share: float, mean_steps: float
) -> np.ndarray:
    """Draw spells along the first axis: bool, true from a start for about ``mean_steps``.

    Args:
        rng: Draws them.
        shape: The first is the number of steps.
        start_share: Chance that a spell starts at a step outside one.
        mean_steps: Mean length.
    """
    draws = rng.random(shape)
    spells = np.empty(shape, dtype=bool)
    stay = 1.0 - 1.0 / max(mean_steps, 1.0)
    share = start_share * mean_steps / (1.0 + start_share * mean_steps)
    spells[0] = draws[0] < share
    for step in range(1, shape[0]):
        spells[step] = draws[step] < np.where(spells[step - 1], stay, start_share)
    return spells


def _draw_ghosts(rng: np.random.Generator, n_steps: int, rate_hz: float) -> Ghosts:
    shown = draw_spells(rng, (n_steps, N_GHOSTS), GHOST_HZ / rate_hz, GHOST_S * rate_hz)
    shown &= bool(rng.random() < GHOSTLY_SHARE)
    statue = bool(rng.random() < STATUE_SHARE)
    shown[:, 0] |= statue & (rng.random(n_steps) < 0.85)
    scores = np.clip(rng.normal(0.17, 0.06, size=(n_steps, N_GHOSTS)), 0.1, 0.5)
    places = rng.uniform(0.05, 0.95, size=(N_GHOSTS, 2))
    drift = 0.02 * draw_steady(rng, n_steps, (N_GHOSTS, 2), 0.8)
    upright = np.array([_draw_upright(rng) for _ in range(N_GHOSTS)])
    wobble = 0.035 * draw_steady(rng, n_steps, (N_GHOSTS, N_KEYPOINTS, 2), 0.4)
    joints = rng.normal(-0.9, 0.5, size=(N_GHOSTS, N_KEYPOINTS))
    joints = joints + 0.3 * rng.standard_normal((n_steps, N_GHOSTS, N_KEYPOINTS))
    return Ghosts(
        shown=shown,
        scores=scores,
        places=places + drift,
        statures=rng.uniform(0.15, 0.7, size=N_GHOSTS),
        pose=upright + wobble,
        joints=1.0 / (1.0 + np.exp(-joints)),
    )


def _draw_upright(rng: np.random.Generator) -> np.ndarray:
    """Draw (17, 2) something like a person who stands, y down, of height 1 around the middle."""
    heights = [-0.42, -0.44, -0.44, -0.43, -0.43, *(-0.31,) * 2, *(-0.15,) * 2, *(-0.02,) * 2]
    heights += [*(0.02,) * 2, *(0.25,) * 2, *(0.46,) * 2]
    wide = [0.0, 0.02, -0.02, 0.04, -0.04, *(0.1, -0.1) * 3, *(0.06, -0.06) * 3]
    body = np.stack([np.array(wide) * rng.uniform(-1.0, 1.0), heights], axis=-1)
    return body + rng.normal(0.0, 0.05, size=body.shape)


MIN_SCORE = 0.1
"""Who scores less is not given."""

PERSON_AT_100_PX, PERSON_RISE = -0.05, 0.62
"""Logit of a person who is 100 px tall, and its rise with the logarithm of the height."""
SMALL_PX, SMALL_FALL = 45.0, 1.5
"""Below this height the logit falls by so much more; on real pictures nobody of 25 px is found."""

HIDDEN_PERSON, OVERLAP_PERSON = 1.5, 2.5
"""Logits that a person loses who is all hidden; who stands right behind someone else."""

OVERLAP_AT = (0.10, 0.30)
"""Within the first distance of bodies' middles, in statures, the farther one is hardly seen."""

_GROUPS = np.repeat(np.arange(7), [5, 2, 2, 2, 2, 2, 2])
"""Face, shoulders, elbows, wrists, hips, knees, ankles: the group of each keypoint."""

PLAIN = np.array([0.15, 0.75, 0.45, 0.15, 1.25, 0.80, 0.65])[_GROUPS]
"""Logit of a joint in plain view, of a person at rest whose own logit is `USUAL_PERSON`."""
USUAL_PERSON = 0.2
FOLLOWS = np.array([0.30, 0.55, 0.50, 0.45, 0.80, 0.80, 0.80])[_GROUPS]
"""How far a joint's logit goes along with the person's."""
HIDDEN = np.array([0.35, 0.70, 1.30, 1.50, 0.80, 1.10, 1.20])[_GROUPS]
"""Logits that a joint loses that is out of sight."""
BLUR = 2.5
"""Logits that a joint loses that moves by a stature in a tenth of a second."""

JITTER_PX, JITTER_UNSEEN_PX, JITTER_FADES = 0.45, 6.5, 0.13
"""Pixels of jitter of a joint that is seen well; how much more at score 0; and the score over which
that fades.

On real pictures this is the same number of pixels for people of 60 and of 160 px.
"""

FIRMNESS = np.array([0.5, 1.0, 1.0, 1.0, 0.85, 1.0, 1.0])[_GROUPS]
"""Factor on jitter and displacement: the five of a face hold together though they score low."""

BIAS = 0.06
"""How far a hidden joint is put aside, in statures."""

LOST_BELOW, LOST_LOGIT, LOST_AWAY = 0.30, 0.6, 0.11
"""A joint's chance to be lost grows from 0 at this score; what its score loses by it, in logits;
how far off it is put, in statures."""

SWAP_TURNED = 0.75
"""From this turn to the side on, left and right are taken for each other."""
SWAP_SETS = tuple(
    ([INDEX[f"left_{part}"] for part in parts], [INDEX[f"right_{part}"] for part in parts])
    for parts in (("eye", "ear"), ("shoulder", "elbow", "wrist"), ("hip", "knee", "ankle"))
)

TAKEN_WITHIN = 0.35
"""Someone else's joint within so many statures may be taken for the own."""


def detect_people(sight: Sight, noise: Noise, rate_hz: float) -> tuple[Detections, np.ndarray]:
    """Return what the network would see.

    Args:
        sight: What there is to be seen of P people at N steps.
        noise: Drawn for N steps and at least P people.
        rate_hz: Steps a second.

    Returns:
        Detections, the most confident first, and (N, 6) int8: which of the P people each one is, -1
        for a false person and where there is none.
    """
    n_people = sight.points.shape[1]
    person = _compute_person_logits(sight, noise.quality + noise.person[:, :n_people])
    places, hidden = _confuse(sight, noise)
    joint = _compute_joint_logits(sight, places, hidden, person, rate_hz)
    joint = joint + noise.joint[:, :n_people]
    stature = sight.stature_px[..., None]
    lost = noise.lost[:, :n_people] < np.clip(LOST_BELOW - _sigmoid(joint), 0.0, 1.0)
    joint = joint - LOST_LOGIT * lost
    scores = _sigmoid(joint)
    aside = FIRMNESS * np.sqrt((BIAS * hidden) ** 2 + (LOST_AWAY * lost) ** 2) * stature
    shake = JITTER_PX + JITTER_UNSEEN_PX * np.exp(-scores / JITTER_FADES)
    shake = FIRMNESS * np.minimum(shake * noise.roughness, 0.2 * stature)
    places = places + aside[..., None] * noise.bias[:, :n_people]
    places = places + shake[..., None] * noise.jitter[:, :n_people]
    points = np.concatenate([places, scores[..., None]], axis=-1)
    confidence = np.where(noise.missed[:, :n_people], 0.0, _sigmoid(person))
    ghost_points, ghost_scores = _show_ghosts(noise.ghosts, sight.size)
    return _list_people(
        np.concatenate([points, ghost_points], axis=1),
        np.concatenate([confidence, ghost_scores], axis=1),
        n_people,
    )


def _compute_person_logits(sight: Sight, noise: np.ndarray) -> np.ndarray:
    """Return (N, P): higher for the tall, lower for the hidden and who is behind another."""
    tall = np.log(np.maximum(sight.stature_px, 4.0) / 100.0)
    small = np.log(np.maximum(SMALL_PX / np.maximum(sight.stature_px, 4.0), 1.0))
    hidden = sight.hidden.mean(axis=2)
    return (
        PERSON_AT_100_PX
        + PERSON_RISE * np.minimum(tall, 0.7)
        - SMALL_FALL * small
        + noise
        - HIDDEN_PERSON * hidden
        - OVERLAP_PERSON * _compute_overlap(sight)
    )


def _compute_overlap(sight: Sight) -> np.ndarray:
    """Return (N, P) from 0 to 1: how far each person is at the place of one who is hidden less."""
    middle = sight.points[:, :, INDEX["left_shoulder"] : INDEX["right_hip"] + 1].mean(axis=2)
    apart = np.linalg.norm(middle[:, :, None] - middle[:, None], axis=-1)
    apart = apart / np.minimum(sight.stature_px[:, :, None], sight.stature_px[:, None])
    near = np.clip((OVERLAP_AT[1] - apart) / (OVERLAP_AT[1] - OVERLAP_AT[0]), 0.0, 1.0)
    hidden = sight.hidden.mean(axis=2)
    return (near * (hidden[:, :, None] > hidden[:, None])).max(axis=2)


def _confuse(sight: Sight, noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """Return places and covering after joints are taken from others, and left for right."""
    points, hidden = sight.points.copy(), sight.hidden.copy()
    n_people = points.shape[1]
    if n_people > 1:
        gaps = np.linalg.norm(sight.points[:, :, None] - sight.points[:, None], axis=-1)
        gaps = gaps / sight.stature_px[:, :, None, None]
        gaps[:, np.arange(n_people), np.arange(n_people)] = np.inf
        nearest = gaps.argmin(axis=2)  # (N, P, 17)
        near = np.take_along_axis(gaps, nearest[:, :, None], axis=2)[:, :, 0] < TAKEN_WITHIN
        taken = noise.taken[:, :n_people] & near & (sight.hidden > 0.5)
        theirs = np.take_along_axis(sight.points, nearest[..., None], axis=1)
        points = np.where(taken[..., None], theirs, points)
    for kind, (left, right) in enumerate(SWAP_SETS):
        swap = (noise.swapped[:, :n_people, kind] & (sight.turned > SWAP_TURNED))[..., None]
        for values in (points, hidden):
            gate = swap[..., None] if values.ndim == 4 else swap
            one, two = values[:, :, left], values[:, :, right]
            values[:, :, left] = np.where(gate, two, one)
            values[:, :, right] = np.where(gate, one, two)
    return points, hidden


def _compute_joint_logits(
    sight: Sight, places: np.ndarray, hidden: np.ndarray, person: np.ndarray, rate_hz: float
) -> np.ndarray:
    moved = np.linalg.norm(np.diff(places, axis=0, append=places[-1:]), axis=-1)
    moved = np.maximum(moved, np.concatenate([np.zeros_like(moved[:1]), moved[:-1]]))
    speed = moved * rate_hz / sight.stature_px[..., None]
    return (
        PLAIN
        + FOLLOWS * (person[..., None] - USUAL_PERSON)
        - HIDDEN * hidden
        - 0.1 * BLUR * np.minimum(speed, 10.0)
    )


def _show_ghosts(ghosts: Ghosts, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, G, 17, 3) points and (N, G) scores of false people."""
    height, width = size
    places = ghosts.places[:, :, None] * np.array([width, height])
    places = places + ghosts.pose * (ghosts.statures * height)[:, None, None]
    points = np.concatenate([places, ghosts.joints[..., None]], axis=-1)
    return points, np.where(ghosts.shown, ghosts.scores, 0.0)


def _list_people(
    points: np.ndarray, confidence: np.ndarray, n_people: int
) -> tuple[Detections, np.ndarray]:
    """Put the most confident first, at most six, and leave out who is not confident enough."""
    order = np.argsort(-confidence, axis=1, kind="stable")[:, :MAX_PEOPLE]
    confidence = np.take_along_axis(confidence, order, axis=1)
    points = np.take_along_axis(points, order[..., None, None], axis=1)
    given = confidence >= MIN_SCORE
    n_steps, n_given = order.shape
    all_points = np.zeros((n_steps, MAX_PEOPLE, N_KEYPOINTS, 3), dtype=np.float32)
    all_scores = np.zeros((n_steps, MAX_PEOPLE), dtype=np.float32)
    owners = np.full((n_steps, MAX_PEOPLE), -1, dtype=np.int8)
    all_points[:, :n_given] = points * given[..., None, None]
    all_scores[:, :n_given] = confidence * given
    owners[:, :n_given] = np.where(given & (order < n_people), order, -1)
    return Detections(all_points, all_scores), owners


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))
