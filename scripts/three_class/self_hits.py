"""Hits to oneself on real people's tracks, with their controls: what a bundle may learn from them.

Real people who may be learnt from (webcams and Surveillance Camera Fight) get strokes onto their
own bodies, `three_class.strokes`; each of these has a control, the same strokes at the air beside
the body, which is no hit. So a network learns the touch, not that an arm was drawn. Keypoint
scores of drawn arms are not those of a real detector: leave them out of what is learnt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from har.pose.keypoints import INDEX
from three_class.arm_body import ArmBody, lift_body
from three_class.strokes import (
    Stroke,
    compute_clearance,
    compute_share,
    draw_on,
    draw_stroke,
    move_arms,
)

TOUCH, AWAY = 0.27, 0.3
"""A hit's wrist comes nearer to the skin than the first, in arms; a control's stays farther off
than the second."""
MIN_S, LENGTH_S = 1.6, (2.0, 5.0)
MIN_TRUNK_PX = 20.0
MIN_SEEN, MIN_SCORE = 0.9, 0.3
MIN_ARM_SCORE = 0.2
NOISE = 0.02
"""Of all keypoints, at most, in arms."""
_TRIES = 8
_TRUNK = [INDEX[f"{side}_{part}"] for part in ("shoulder", "hip") for side in ("left", "right")]
_ARMS = [INDEX[f"{side}_{part}"] for part in ("elbow", "wrist") for side in ("left", "right")]


@dataclass(frozen=True)
class OwnHit:
    """One person's keypoints with strokes drawn on.

    Attributes:
        points: (T, 17, 3) as the track's.
        is_hit: Else it is the control.
        group: The track's.
        span_s: From when to when the strokes last; step k is at (k + 0.5) / rate_hz.
    """

    points: np.ndarray
    is_hit: bool
    group: str
    span_s: tuple[float, float]


def draw_own_hits(
    tracks: Iterable[tuple[np.ndarray, str]],
    rate_hz: float,
    rng: np.random.Generator,
    *,
    has_thighs: bool = True,
) -> Iterator[OwnHit]:
    """Draw a hit and its control onto each person who is seen well enough.

    The two share time, arm, rhythm, noise and mirroring; only where the hand lands is another.

    Args:
        tracks: (T, 17, 3) keypoints of one person, zeros where not seen, and their group.
        rate_hz: Steps a second.
        rng: Draws it all.
        has_thighs: Whether hips and knees are in the picture; without, head and chest are hit.
    """
    for points, group in tracks:
        part = cut_clear(points, rate_hz, rng)
        if part is None:
            continue
        body = lift_body(part, rate_hz, has_thighs)
        found = draw_sound(body, rate_hz, rng)
        if found is None:
            continue
        stroke, moved = found
        end_s = stroke.beats_s[-1] + stroke.dwell_s + stroke.back_s
        span_s = float(stroke.beats_s[0] - stroke.stroke_s), float(end_s)
        noise = (
            rng.uniform(0.0, NOISE) * body.arm / 1.24 * rng.standard_normal((*part.shape[:2], 2))
        )
        is_mirrored = rng.random() < 0.5
        for is_hit, (drawn, share) in zip((True, False), moved, strict=True):
            seen = draw_on(part, body, drawn, share)
            seen[..., :2] += np.where(seen[..., 2:] > 0, noise, 0.0)
            yield OwnHit(_mirror(seen) if is_mirrored else seen, is_hit, group, span_s)


def draw_sound(
    body: ArmBody, rate_hz: float, rng: np.random.Generator
) -> tuple[Stroke, list[tuple[ArmBody, np.ndarray]]] | None:
    """Draw strokes of which the hit touches and the control does not; None where none was found.

    Returns:
        The strokes; the body in the hit and in the control, each with (T,) how far it is drawn.
    """
    times_s = np.arange(len(body.head)) / rate_hz
    for _ in range(_TRIES):
        stroke = draw_stroke(body, len(times_s) / rate_hz, rng)
        moved = [move_arms(body, stroke, times_s, flag) for flag in (False, True)]
        if is_sound(moved, stroke.side, compute_share(stroke, times_s)):
            return stroke, moved
    return None


def is_sound(moved: list[tuple[ArmBody, np.ndarray]], side: int, share: np.ndarray) -> bool:
    """Return whether the hit, the first of the two, touches and the control does not."""
    steps = share > 0.98
    if not steps.any():
        return False
    hit, control = (
        float(compute_clearance(body, body.wrists[:, side])[steps].min()) for body, _ in moved
    )
    return hit <= TOUCH and control >= AWAY


def cut_clear(points: np.ndarray, rate_hz: float, rng: np.random.Generator) -> np.ndarray | None:
    """Return some seconds of a track in which the body is seen well enough, or None."""
    seen = np.flatnonzero(points[..., 2].max(axis=1) > 0)
    if len(seen) < MIN_S * rate_hz:
        return None
    stay = points[seen[0] : seen[-1] + 1]
    n_steps = min(len(stay), int(rng.uniform(*LENGTH_S) * rate_hz))
    start = int(rng.integers(len(stay) - n_steps + 1))
    part = stay[start : start + n_steps]
    there = part[part[..., 2].max(axis=1) > 0]
    trunk = there[:, _TRUNK[:2], :2].mean(axis=1) - there[:, _TRUNK[2:], :2].mean(axis=1)
    is_clear = (
        len(there) >= MIN_SEEN * len(part)
        and np.median(np.linalg.norm(trunk, axis=1)) >= MIN_TRUNK_PX
        and there[:, _TRUNK[:2], 2].mean() >= MIN_SCORE
        and there[:, :5, 2].mean() >= MIN_SCORE
        and there[:, _ARMS, 2].mean() >= MIN_ARM_SCORE
    )
    return part if is_clear else None


def _mirror(points: np.ndarray) -> np.ndarray:
    """Return keypoints (T, 17, 3) as in a mirror that stands at the trunk."""
    order = [0] + [joint + (1 if joint % 2 else -1) for joint in range(1, points.shape[1])]
    is_seen = points[:, _TRUNK, 2] > 0
    middle = points[:, _TRUNK, 0][is_seen].mean() if is_seen.any() else 0.0
    turned = points[:, order].copy()
    turned[..., 0] = np.where(turned[..., 2] > 0, 2.0 * middle - turned[..., 0], 0.0)
    return turned
