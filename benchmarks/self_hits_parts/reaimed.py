"""Real struck rhythm re-aimed: how real hands clap, punch, throw and wave, bent onto the own body.

Of a real hand's way, seen from the own trunk, the moments at which it turns are found. The way is
turned, scaled and moved so that each of these moments lies on the own head, chest or thigh, and led
there by the arm's two bones. So when the hand is how fast, how strokes differ and follow one
another, and what trunk and head do meanwhile are real; only the direction is not. A control is
moved to the air beside the body instead.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from self_hits_parts.people import Person
from three_class.arm_body import ArmBody
from three_class.strokes import Stroke, draw_stroke, ease, find_target, put_hand

STRUCK = {
    "kinder_gator": ("Punch", "Throw-a-ball", "Wave-your", "Push-an-imaginary", "Swipe-across"),
    "utkinect": ("clapHands", "waveHands", "throw", "push", "pull"),
}
"""How the names of acts begin whose rhythm is taken."""
_TURN = 0.15
"""The hand turns where it goes back by so much, in arms."""
_SMOOTH_S = 0.04


@dataclass(frozen=True)
class Swing:
    """A real hand's strokes, in lengths of the arm from the middle of the shoulders.

    Attributes:
        way: (T, 3) local: outwards, up, to the front.
        beats: (B,) steps at which the hand has arrived.
        first: Step from which on it goes to the first of these.
        last: Step at which it has come back from the last.
        axis: Local unit vector along which it goes there.
        size: How far, in the middle.
    """

    way: np.ndarray
    beats: np.ndarray
    first: int
    last: int
    axis: np.ndarray
    size: float


def is_struck(person: Person) -> bool:
    """Return whether a recording is one whose rhythm is taken."""
    starts = STRUCK.get(person.domain.split()[0], ())
    return person.action.startswith(starts) if starts else False


def find_swing(person: Person) -> tuple[int, Swing] | None:
    """Return the arm that moves more, 0 left or 1 right, and its strokes; None without any."""
    ways = [compute_way(person.body, side) for side in (0, 1)]
    speeds = [np.linalg.norm(np.diff(way, axis=0), axis=1).sum() for way in ways]
    side = int(np.argmax(speeds))
    swing = cut_swing(ways[side], person.rate_hz)
    return None if swing is None else (side, swing)


def compute_way(body: ArmBody, side: int) -> np.ndarray:
    """Return (T, 3) where a wrist is from the middle of the shoulders, local, in arms."""
    apart = (body.wrists[:, side] - body.shoulders.mean(axis=1)) / body.arm
    return (body.axes @ apart[..., None])[..., 0] * [1.0 if side == 0 else -1.0, 1.0, 1.0]


def cut_swing(way: np.ndarray, rate_hz: float) -> Swing | None:
    """Find the strokes of a way: the turns at the end of the line along which it moves most.

    Of the two ends the one is taken at which the hand is stopped more sharply.
    """
    speed = np.linalg.norm(np.gradient(way, axis=0), axis=1)
    fast = way[speed >= np.quantile(speed, 0.6)]
    axis = np.linalg.svd(fast - fast.mean(axis=0), full_matrices=False)[2][0]
    course = _smooth(way @ axis, _SMOOTH_S * rate_hz)
    turns = find_turns(course, _TURN)
    if len(turns) < 2:
        return None
    is_high = course[turns] > np.concatenate([course[turns[1:]], course[turns[-2:-1]]])
    bend = np.abs(np.gradient(np.gradient(course)))
    near = max(round(0.1 * rate_hz), 1)
    sharp = np.array([bend[max(t - near, 0) : t + near + 1].max() for t in turns])
    inner = (turns > 0) & (turns < len(course) - 1)
    ends = [
        sharp[inner & side].mean() if (inner & side).any() else -1.0 for side in (is_high, ~is_high)
    ]
    chosen = is_high if ends[0] >= ends[1] else ~is_high
    rows = np.flatnonzero(chosen & (np.arange(len(turns)) > 0))
    if not len(rows):
        return None
    beats = turns[rows]
    sizes = np.abs(course[turns[rows]] - course[turns[rows - 1]])
    back = turns[rows[-1] + 1] if rows[-1] + 1 < len(turns) else len(course) - 1
    sign = 1.0 if chosen is is_high else -1.0
    return Swing(
        way, beats, int(turns[rows[0] - 1]), int(back), sign * axis, float(np.median(sizes))
    )


def find_turns(course: np.ndarray, least: float) -> np.ndarray:
    """Return the steps at which a course turns back by at least so much, its ends among them.

    >>> find_turns(np.array([0.0, 1.0, 0.9, 2.0, 0.5, 0.6]), 0.4).tolist()
    [0, 3, 4]
    """
    turns, low, high = [], 0, 0
    going = 0
    for step, value in enumerate(course):
        low = step if value < course[low] else low
        high = step if value > course[high] else high
        if going >= 0 and course[high] - value >= least:
            turns.append(high)
            going, low = -1, step
        elif going <= 0 and value - course[low] >= least:
            turns.append(low)
            going, high = 1, step
        high = step if going < 0 else high
        low = step if going > 0 else low
    if going:
        turns.append(high if going > 0 else low)
    return np.array(turns, dtype=np.int64)


def _smooth(values: np.ndarray, sigma_steps: float) -> np.ndarray:
    reach = max(int(3 * sigma_steps), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / max(sigma_steps, 0.3)) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, kernel / kernel.sum(), mode="valid")


def draw_aim(person: Person, swing: Swing, side: int, rng: np.random.Generator) -> Stroke:
    """Draw where a real rhythm is aimed at, and its control."""
    aim = draw_stroke(person.body, len(swing.way) / person.rate_hz, rng)
    scale = float(np.clip(rng.uniform(0.7, 1.2), 0.25 / swing.size, 1.0 / swing.size))
    return replace(
        aim,
        side=side,
        beats_s=swing.beats / person.rate_hz,
        reach=scale,
        beyond=float(rng.uniform(-0.6, 0.6)),
    )


def aim_swing(
    person: Person, swing: Swing, aim: Stroke, is_control: bool
) -> tuple[ArmBody, np.ndarray]:
    """Return the person with a real swing put onto the own body, or beside it, and (T,) how far.

    Args:
        person: On whom it is put, in step with the swing.
        swing: A real one.
        aim: Where it goes; its ``reach`` is the scale, its ``beyond`` how far the way is rolled.
        is_control: Land beside the body.
    """
    aim = aim if is_control else replace(aim, shift=np.zeros(3))
    steps = np.arange(len(swing.way))
    ends = np.stack([np.interp(steps, swing.beats, c) for c in swing.way[swing.beats].T], axis=1)
    turn = _turn_between(-swing.axis, aim.way, aim.beyond)
    back = aim.reach * (swing.way - ends) @ turn.T
    inside = np.minimum((back * aim.way).sum(axis=1) + 0.02, 0.0)
    back = back - inside[:, None] * aim.way
    share = _compute_share(swing, aim, person.rate_hz)
    body = person.body
    for side in [aim.side, 1 - aim.side][: 1 + aim.is_double]:
        way = find_target(body, aim, side) + body.turn(back, side)
        body = put_hand(body, side, way, share, aim.swivel_rad)
    return body, share


def _compute_share(swing: Swing, aim: Stroke, rate_hz: float) -> np.ndarray:
    times = np.arange(len(swing.way))
    rise = (times - swing.first) / (aim.raise_s * rate_hz) + 1.0
    fall = (swing.last - times) / (aim.raise_s * rate_hz) + 1.0
    return ease(np.clip(np.minimum(rise, fall), 0.0, 1.0))


def _turn_between(start: np.ndarray, end: np.ndarray, roll_rad: float) -> np.ndarray:
    """Return the least rotation from one unit vector to another, then rolled about the latter."""
    cross, cosine = np.cross(start, end), float(start @ end)
    if cosine < -0.999:
        other = np.cross(start, np.eye(3)[int(np.abs(start).argmin())])
        turn = 2.0 * np.outer(other, other) / (other @ other) - np.eye(3)
    else:
        skew = _skew(cross)
        turn = np.eye(3) + skew + skew @ skew / (1.0 + cosine)
    skew = _skew(end)
    roll = np.eye(3) + np.sin(roll_rad) * skew + (1.0 - np.cos(roll_rad)) * skew @ skew
    return roll @ turn


def _skew(v: np.ndarray) -> np.ndarray:
    return np.array([[0.0, -v[2], v[1]], [v[2], 0.0, -v[0]], [-v[1], v[0], 0.0]])
