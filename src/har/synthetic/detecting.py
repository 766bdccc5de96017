"""What the pose network makes of people: scores and errors as they grow with what is to be seen.

Nothing is random here: the same people and the same `Noise` give the same detections.

Source of all constants: detections of the shipped network at 10 steps a second on gray pictures of
192x320 of Surveillance Camera Fight (29 sources) and UT-Interaction set 1, sequences 1 to 4: scores
of people and joints against height in pixels, against how far a joint moves in a step and against
its own score, and second differences of places over three steps.
"""

from __future__ import annotations

import numpy as np

from har.pose.people import INDEX, MAX_PEOPLE, N_KEYPOINTS, Detections
from har.synthetic.noise import Ghosts, Noise
from har.synthetic.sight import Sight

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
"""Logit of a joint in plain view, of a person at rest whose own logit is `SURE_PERSON`."""
SURE_PERSON = 0.2
FOLLOWS = np.array([0.30, 0.55, 0.50, 0.45, 0.80, 0.80, 0.80])[_GROUPS]
"""How far a joint's logit goes along with the person's."""
HIDDEN = np.array([0.35, 0.70, 1.30, 1.50, 0.80, 1.10, 1.20])[_GROUPS]
"""Logits that a joint loses that is out of sight."""
BLUR = 2.5
"""Logits that a joint loses that moves by a stature in a tenth of a second."""

JITTER_PX, JITTER_UNSURE_PX, JITTER_FADES = 0.45, 6.5, 0.13
"""Pixels of jitter of a sure joint; how much more at score 0; and the score over which that fades.

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
    """Gives what the network would see.

    Args:
        sight: What there is to be seen of P people at N steps.
        noise: Drawn for N steps and at least P people.
        rate_hz: Steps a second.

    Returns:
        Detections, the surest first, and (N, 6) int8: which of the P people each one is, -1 for a
        false person and where there is none.
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
    shake = JITTER_PX + JITTER_UNSURE_PX * np.exp(-scores / JITTER_FADES)
    shake = FIRMNESS * np.minimum(shake * noise.roughness, 0.2 * stature)
    places = places + aside[..., None] * noise.bias[:, :n_people]
    places = places + shake[..., None] * noise.jitter[:, :n_people]
    points = np.concatenate([places, scores[..., None]], axis=-1)
    sure = np.where(noise.missed[:, :n_people], 0.0, _sigmoid(person))
    ghost_points, ghost_sure = _show_ghosts(noise.ghosts, sight.size)
    return _list_people(
        np.concatenate([points, ghost_points], axis=1),
        np.concatenate([sure, ghost_sure], axis=1),
        n_people,
    )


def _compute_person_logits(sight: Sight, noise: np.ndarray) -> np.ndarray:
    """Gives (N, P): higher for the tall, lower for the hidden and for who stands behind another."""
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
    """Gives (N, P) from 0 to 1: how far each person is at the place of one who is hidden less."""
    middle = sight.points[:, :, INDEX["left_shoulder"] : INDEX["right_hip"] + 1].mean(axis=2)
    apart = np.linalg.norm(middle[:, :, None] - middle[:, None], axis=-1)
    apart = apart / np.minimum(sight.stature_px[:, :, None], sight.stature_px[:, None])
    near = np.clip((OVERLAP_AT[1] - apart) / (OVERLAP_AT[1] - OVERLAP_AT[0]), 0.0, 1.0)
    hidden = sight.hidden.mean(axis=2)
    return (near * (hidden[:, :, None] > hidden[:, None])).max(axis=2)


def _confuse(sight: Sight, noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """Gives places and covering after joints are taken from others, and left for right."""
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
        + FOLLOWS * (person[..., None] - SURE_PERSON)
        - HIDDEN * hidden
        - 0.1 * BLUR * np.minimum(speed, 10.0)
    )


def _show_ghosts(ghosts: Ghosts, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Gives (N, G, 17, 3) points and (N, G) scores of false people."""
    height, width = size
    places = ghosts.places[:, :, None] * np.array([width, height])
    places = places + ghosts.pose * (ghosts.statures * height)[:, None, None]
    points = np.concatenate([places, ghosts.joints[..., None]], axis=-1)
    return points, np.where(ghosts.shown, ghosts.scores, 0.0)


def _list_people(
    points: np.ndarray, sure: np.ndarray, n_people: int
) -> tuple[Detections, np.ndarray]:
    """Puts the surest first, at most six, and leaves out who is not sure enough."""
    order = np.argsort(-sure, axis=1, kind="stable")[:, :MAX_PEOPLE]
    sure = np.take_along_axis(sure, order, axis=1)
    points = np.take_along_axis(points, order[..., None, None], axis=1)
    given = sure >= MIN_SCORE
    n_steps, n_given = order.shape
    all_points = np.zeros((n_steps, MAX_PEOPLE, N_KEYPOINTS, 3), dtype=np.float32)
    all_scores = np.zeros((n_steps, MAX_PEOPLE), dtype=np.float32)
    owners = np.full((n_steps, MAX_PEOPLE), -1, dtype=np.int8)
    all_points[:, :n_given] = points * given[..., None, None]
    all_scores[:, :n_given] = sure * given
    owners[:, :n_given] = np.where(given & (order < n_people), order, -1)
    return Detections(all_points, all_scores), owners


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-logits))
