"""What is random in the pose network's view of people: drawn before it is known what they do.

`draw_noise` draws it; `detecting.detect_people` puts it onto people and has no randomness of its
own. So the noise of a sequence is one and the same whatever class will be acted in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.pose.people import N_KEYPOINTS

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
        scores: (N, G) how sure the network is of each.
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
    """Draws the noise of one sequence.

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
    """Draws (N, *shape) of mean 0 and variance 1, correlated by ``steady`` from step to step."""
    values = rng.standard_normal((n_steps, *shape))
    fresh = np.sqrt(1.0 - steady**2)
    for step in range(1, n_steps):
        values[step] = steady * values[step - 1] + fresh * values[step]
    return values


def draw_spells(
    rng: np.random.Generator, shape: tuple[int, ...], start_share: float, mean_steps: float
) -> np.ndarray:
    """Draws spells along the first axis: bool, true from a start for about ``mean_steps``.

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
    """Draws (17, 2) something like a person who stands, y down, of height 1 around the middle."""
    heights = [-0.42, -0.44, -0.44, -0.43, -0.43, *(-0.31,) * 2, *(-0.15,) * 2, *(-0.02,) * 2]
    heights += [*(0.02,) * 2, *(0.25,) * 2, *(0.46,) * 2]
    wide = [0.0, 0.02, -0.02, 0.04, -0.04, *(0.1, -0.1) * 3, *(0.06, -0.06) * 3]
    body = np.stack([np.array(wide) * rng.uniform(-1.0, 1.0), heights], axis=-1)
    return body + rng.normal(0.0, 0.05, size=body.shape)
