"""Strokes of real people onto their own bodies: the hand's way has least jerk, bones keep lengths.

Of real motion nobody hits themselves. So an arm of a real person is moved by two bones onto the
own head, chest or thigh, in three dimensions, and back; everything else stays as it was. A control
is the same stroke, made the same way, at the air beside the body: what tells the two is the touch.
All that is drawn (arm, beats, haste, reach, where to) is drawn before it is known which it will be.

Coordinates: x to the right and y down in the picture, z away from the camera, in any one unit.
Offsets are local: outwards to the arm's side, up and to the front, in lengths of the arm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from three_class.arm_body import PAIRS, ArmBody

HEAD_RADII = (0.15, 0.21, 0.17)
HAND = (0.10, 0.20)
"""From the skin to the wrist: half a fist to most of a flat hand."""
TRUNK_RADIUS, THIGH_RADIUS = 0.21, 0.12
FREE = 0.42
"""A control's hand stays at least so far from the middle of head, trunk and thighs, less radius."""
_SHOWN = 0.3
"""Score of a drawn joint whose real one is hardly seen."""

SPOTS: dict[str, tuple[tuple[str, tuple[float, float, float]], ...]] = {
    "head": (
        ("side", (1.0, 0.1, 0.15)),
        ("forehead", (0.2, 0.5, 0.9)),
        ("cheek", (0.75, -0.3, 0.6)),
        ("crown", (0.25, 0.95, 0.25)),
        ("face", (0.1, -0.2, 1.0)),
    ),
    "chest": (("chest", (0.0, 0.0, 1.0)),),
    "thigh": (("thigh", (0.1, 0.35, 0.9)),),
}
"""Parts with their places and the direction out of the skin there."""
PART_SHARES = {"head": 0.6, "chest": 0.2, "thigh": 0.2}


@dataclass(frozen=True)
class Stroke:
    """What a bout is, apart from whether it lands on the body.

    Attributes:
        side: The better arm, 0 left, 1 right.
        is_double: Whether both arms do it.
        part: ``head``, ``chest`` or ``thigh``.
        normal: Local unit vector out of the skin where it lands.
        aside: Local offset along the skin.
        hand: From the skin to the wrist.
        way: Local unit vector from there to where the hand swings from.
        reach: How far.
        beats_s: When it lands.
        stroke_s: Seconds of the fast part before.
        back_s: Seconds of the way back.
        dwell_s: Seconds that the hand stays.
        raise_s: Seconds from what the arm really does into the bout, and out of it.
        beyond: How far behind the skin the hand aims, in reaches: so fast it still is.
        swivel_rad: Where the elbow points: 0 down, pi / 2 outwards.
        shift: Local offset at which a control lands instead.
    """

    side: int
    is_double: bool
    part: str
    normal: np.ndarray
    aside: np.ndarray
    hand: float
    way: np.ndarray
    reach: float
    beats_s: np.ndarray
    stroke_s: float
    back_s: float
    dwell_s: float
    raise_s: float
    beyond: float
    swivel_rad: float
    shift: np.ndarray


def draw_stroke(body: ArmBody, length_s: float, rng: np.random.Generator) -> Stroke:
    """Draw a bout of one stroke or several, somewhere within a time, and its control's place."""
    side, is_double = int(rng.integers(2)), bool(rng.random() < 0.2)
    beats_s, stroke_s = _draw_beats(length_s, rng)
    shares = {k: v for k, v in PART_SHARES.items() if k != "thigh" or body.has_thighs}
    part = str(rng.choice(list(shares), p=np.array([*shares.values()]) / sum(shares.values())))
    spots = SPOTS[part]
    normal = np.array(spots[int(rng.integers(len(spots)))][1])
    normal = _unit(normal / np.linalg.norm(normal) + 0.2 * rng.standard_normal(3))
    stroke = Stroke(
        side=side,
        is_double=is_double,
        part=part,
        normal=normal,
        aside=rng.uniform((-0.22, -0.45, 0.0), (0.2, -0.1, 0.0)),
        hand=float(rng.uniform(*HAND)),
        way=_unit(_unit(normal + 0.45 * rng.standard_normal(3)) + 0.5 * normal),
        reach=float(rng.uniform(0.3, 0.9)) * min(1.0, 4.0 * stroke_s + 0.3),
        beats_s=beats_s,
        stroke_s=stroke_s,
        back_s=stroke_s * float(rng.uniform(1.0, 1.8)),
        dwell_s=float(rng.uniform(0.0, 0.1)),
        raise_s=float(rng.uniform(0.25, 0.6)),
        beyond=float(rng.uniform(0.0, 0.7)),
        swivel_rad=float(rng.uniform(0.2, 1.3)),
        shift=np.zeros(3),
    )
    return replace(stroke, shift=_draw_shift(body, stroke, rng))


def _draw_beats(length_s: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    rate_hz = float(np.exp(rng.uniform(*np.log((0.8, 2.8)))))
    stroke_s = min(float(rng.uniform(0.11, 0.26)), 0.45 / rate_hz)
    n_beats = 1 if rng.random() < 0.15 else int(rng.integers(2, 9))
    gaps = np.exp(np.clip(rng.normal(0.0, 0.18, n_beats), -0.35, 0.35)) / rate_hz
    latest = max(length_s - 0.5 - min(gaps[1:].sum(), 1.5), 0.5)
    beats_s = rng.uniform(0.35, max(latest, 0.5)) + np.concatenate([[0.0], np.cumsum(gaps[1:])])
    return beats_s[(beats_s < length_s - 0.1) | (np.arange(n_beats) == 0)], stroke_s


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / max(float(np.linalg.norm(vector)), 1e-9)


def _draw_shift(body: ArmBody, stroke: Stroke, rng: np.random.Generator) -> np.ndarray:
    """Draw where beside the body a control lands: near it, within reach, and touching nothing."""
    at = body.cut(slice(len(body.head) // 2, len(body.head) // 2 + 1))
    best, most = np.zeros(3), -np.inf
    for _ in range(60):
        shift = _unit(rng.standard_normal(3) * [1.0, 0.8, 0.8]) * rng.uniform(0.35, 0.95)
        if shift[2] < -0.2:
            continue
        place = find_target(at, replace(stroke, shift=shift), stroke.side)
        far = float(np.linalg.norm(place - at.shoulders[:, stroke.side])) / body.arm
        free = float(compute_clearance(at, place)[0])
        if free >= FREE and far <= 0.97:
            return shift
        if min(free, 0.97 - far) > most:
            best, most = shift, min(free, 0.97 - far)
    return best


def find_target(body: ArmBody, stroke: Stroke, side: int) -> np.ndarray:
    """Return (T, 3) where the wrist is when the hand lands; of a control, beside the body."""
    if stroke.part == "head":
        anchor = body.head
        local = stroke.normal * (np.array(HEAD_RADII) + stroke.hand)
    elif stroke.part == "chest":
        anchor = body.shoulders.mean(axis=1)
        local = stroke.aside + stroke.normal * [0.3, 0.3, 1.0] * (TRUNK_RADIUS + stroke.hand)
    else:
        share = 0.55 + stroke.aside[0]
        anchor = body.hips[:, side] + share * (body.knees[:, side] - body.hips[:, side])
        local = stroke.normal * (THIGH_RADIUS + stroke.hand)
    return anchor + body.turn(local + stroke.shift, side)


def compute_clearance(body: ArmBody, places: np.ndarray) -> np.ndarray:
    """Return (T,) how far (T, 3) places are from the skin of head, trunk and thighs, in arms."""
    neck, hips = body.shoulders.mean(axis=1), body.hips.mean(axis=1)
    parts = [(body.head, body.head, float(np.mean(HEAD_RADII))), (neck, hips, TRUNK_RADIUS)]
    if body.has_thighs:
        parts += [(body.hips[:, k], body.knees[:, k], THIGH_RADIUS) for k in (0, 1)]
    return np.min([_gap(places, *ends) / body.arm - r for *ends, r in parts], axis=0)


def _gap(places: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    line = end - start
    share = ((places - start) * line).sum(axis=1) / np.maximum((line**2).sum(axis=1), 1e-9)
    return np.linalg.norm(places - start - np.clip(share, 0.0, 1.0)[:, None] * line, axis=1)


def move_arms(
    body: ArmBody, stroke: Stroke, times_s: np.ndarray, is_control: bool
) -> tuple[ArmBody, np.ndarray]:
    """Return the person with the bout put onto one arm or both, and (T,) how far it is drawn.

    Args:
        body: At T times.
        stroke: What is done.
        times_s: (T,) ascending seconds from the first.
        is_control: Land beside the body instead of on it.
    """
    plan = stroke if is_control else replace(stroke, shift=np.zeros(3))
    share = compute_share(plan, times_s)
    for side in [plan.side, 1 - plan.side][: 1 + plan.is_double]:
        target = find_target(body, plan, side)
        drawn_back = compute_back(plan, times_s)[:, None] * plan.reach
        way = target + body.turn(drawn_back * plan.way, side)
        body = put_hand(body, side, way, share, plan.swivel_rad)
    return body, share


def compute_share(stroke: Stroke, times_s: np.ndarray) -> np.ndarray:
    """Return (T,) 0 where the arm is the real one, to 1 in the bout."""
    start_s = stroke.beats_s[0] - stroke.stroke_s
    end_s = stroke.beats_s[-1] + stroke.dwell_s + stroke.back_s
    rise = np.clip((times_s - start_s) / stroke.raise_s + 1.0, 0.0, 1.0)
    fall = np.clip((end_s - times_s) / stroke.raise_s + 1.0, 0.0, 1.0)
    return ease(np.minimum(rise, fall))


def ease(share: np.ndarray) -> np.ndarray:
    """Return how much of a way of least jerk is done after a share of its time.

    Source: T. Flash and N. Hogan, J. Neuroscience 5(7), 1985.

    >>> ease(np.array([0.0, 0.5, 1.0])).tolist()
    [0.0, 0.5, 1.0]
    """
    return share**3 * (10.0 - 15.0 * share + 6.0 * share**2)


def compute_back(stroke: Stroke, times_s: np.ndarray) -> np.ndarray:
    """Return (T,) how far the hand is drawn back: 0 where it touches, 1 farthest.

    A stroke that aims beyond the skin is cut off there, so it lands at speed.
    """
    shares = np.linspace(0.0, 1.0, 201)
    cut = float(np.interp(1.0 / (1.0 + stroke.beyond), ease(shares), shares))
    back = np.ones_like(times_s)
    for beat_s in stroke.beats_s:
        before = np.clip(1.0 + (times_s - beat_s) / stroke.stroke_s, 0.0, 1.0)
        coming = 1.0 - (1.0 + stroke.beyond) * ease(cut * before)
        after = np.clip((times_s - beat_s - stroke.dwell_s) / stroke.back_s, 0.0, 1.0)
        back = np.minimum(back, np.where(times_s <= beat_s, coming, ease(after)))
    return np.maximum(back, 0.0)


def put_hand(
    body: ArmBody, side: int, way: np.ndarray, share: np.ndarray, swivel_rad: float
) -> ArmBody:
    """Return the person with a wrist led along a way, the elbow where its two bones allow.

    Args:
        body: At T times.
        side: 0 left, 1 right.
        way: (T, 3) where the wrist is to be; out of reach it stays on the line from the shoulder.
        share: (T,) from 0, the real arm, to 1, the drawn one.
        swivel_rad: Where the elbow points: 0 down, pi / 2 outwards.
    """
    shoulder, elbow, wrist = (getattr(body, n)[:, side] for n in ("shoulders", "elbows", "wrists"))
    level = share[:, None]
    real = np.stack([_length(elbow - shoulder), _length(wrist - elbow)])
    upper, fore = (1.0 - level) * real + level * body.bones[side][:, None, None]
    line = (1.0 - level) * wrist + level * way - shoulder
    far = np.clip(_length(line), np.abs(upper - fore) + 1e-9, upper + fore - 1e-9)
    axis = line / np.maximum(_length(line), 1e-9)
    along = (far**2 + upper**2 - fore**2) / (2.0 * far)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    drawn = body.turn(np.array([np.sin(swivel_rad), -np.cos(swivel_rad), -0.25]), side)
    own = elbow - shoulder
    wish = (1.0 - level) * _across(own, axis) + level * _across(drawn, axis)
    wish = _across(wish + 1e-6 * body.axes[:, 0] - 2e-6 * body.axes[:, 1], axis)
    moved = shoulder + along * axis + aside * wish
    elbows, wrists = body.elbows.copy(), body.wrists.copy()
    elbows[:, side], wrists[:, side] = moved, shoulder + far * axis
    return replace(body, elbows=elbows, wrists=wrists)


def _length(vectors: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vectors, axis=-1, keepdims=True)


def _across(vectors: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Return unit vectors along (T, 3) vectors, as seen along unit axes."""
    across = vectors - (vectors * axis).sum(axis=1, keepdims=True) * axis
    return across / np.maximum(_length(across), 1e-9)


def compute_jitter(course: np.ndarray, most: float) -> np.ndarray:
    """Return (T, ..., D): how a course lies off parabolas through five steps around each.

    Put onto a drawn arm, it shakes as the real one did.
    """
    if len(course) < 5:
        return np.zeros_like(course)
    weights = np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35.0
    padded = np.concatenate([course[:1]] * 2 + [course] + [course[-1:]] * 2)
    smooth = sum(w * padded[k : k + len(course)] for k, w in enumerate(weights))
    return np.clip(1.4 * (course - smooth), -most, most)


def draw_on(points: np.ndarray, body: ArmBody, moved: ArmBody, share: np.ndarray) -> np.ndarray:
    """Return a person's (T, 17, 3) keypoints with the arms of a bout, seen as the real ones were.

    Args:
        points: From which ``body`` was lifted.
        body: Before the bout.
        moved: In it.
        share: (T,) how far the arms are the drawn ones.
    """
    drawn = points.astype(np.float64)
    for part in ("elbow", "wrist"):
        before, after = getattr(body, f"{part}s"), getattr(moved, f"{part}s")
        for side, joint in enumerate(PAIRS[part]):
            if np.array_equal(before[:, side], after[:, side]):
                continue
            jitter = compute_jitter(before[:, side, :2], 0.08 * body.arm)
            drawn[:, joint, :2] = after[:, side, :2] + share[:, None] * jitter
            shown = np.maximum(points[:, joint, 2], _SHOWN)
            drawn[:, joint, 2] += share * (shown - points[:, joint, 2])
    return drawn.astype(np.float32)
