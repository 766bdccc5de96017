"""What the synthetic arms do: hits to the own body, and gestures that are near misses of them.

Rhythm is drawn before the act and is the same for hits and near misses: the rates of bouts of
head hitting lie near one to two and a half a second, and hands wave, wipe and clap at them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from half_real.arm import Ease, Key

Offset = tuple[float, float, float]
Kind = Literal["hit", "near_miss"]
Pace = Literal["beats", "slow", "held"]
Arms = Literal["one", "either", "both"]

RATE_HZ = (0.8, 2.5)
_SLOW_S = 1.0
"""Bites, stretches and the like don't follow each other faster."""
_SLOW_DWELL_S = 0.3
"""How much longer than a stroke's hand such a hand stays."""


@dataclass(frozen=True)
class Rhythm:
    """When a bout's strokes land, in seconds from the window's first step.

    Attributes:
        beats_s: One or more, ascending; may lie outside the window, where the bout goes on.
        stroke_s: How long the hand is under way to a beat.
        dwell_s: How long it stays.
        start_s: From here on the arm is wholly the drawn one.
        end_s: Until here.
        raise_s: How long the arm takes from what it really does into the act, and back.
        reach: Length of a stroke in torsos.
    """

    beats_s: tuple[float, ...]
    stroke_s: float
    dwell_s: float
    start_s: float
    end_s: float
    raise_s: float
    reach: float

    def compute_share(self, times_s: np.ndarray) -> np.ndarray:
        """Return (T,) how far the arm is the drawn one: 0 before and after the act, 1 in it."""
        rise = np.clip((times_s - self.start_s) / self.raise_s + 1, 0, 1)
        fall = np.clip((self.end_s - times_s) / self.raise_s + 1, 0, 1)
        level = np.minimum(rise, fall)
        return level**3 * (10 - 15 * level + 6 * level**2)

    def compute_period(self) -> float:
        """Return the mean seconds between beats; of a single one, how long its stroke takes."""
        if len(self.beats_s) < 2:
            return self.stroke_s
        return (self.beats_s[-1] - self.beats_s[0]) / (len(self.beats_s) - 1)

    def shift(self, lag_s: float) -> Rhythm:
        """Return the rhythm with every beat this much later, the act's bounds as they are."""
        return replace(self, beats_s=tuple(beat_s + lag_s for beat_s in self.beats_s))


def draw_rhythm(window_s: float, rng: np.random.Generator) -> Rhythm:
    """Return a single stroke (one in eight) or an irregular bout that shows two beats or more."""
    rate_hz = float(np.exp(rng.uniform(*np.log(RATE_HZ))))
    is_single = rng.random() < 0.125
    goes_on = not is_single and rng.random() < 0.45
    first_s = -rng.uniform(0, 1 / rate_hz) if goes_on else rng.uniform(0.6, 0.4 * window_s)
    shortest_s = max(1.2, 3 / rate_hz)
    last_s = first_s + shortest_s + rng.uniform(0, window_s)
    beats = [first_s]
    while not is_single and beats[-1] < last_s:
        beats.append(beats[-1] + float(np.exp(np.clip(rng.normal(0, 0.18), -0.3, 0.3))) / rate_hz)
    stroke_s = min(rng.uniform(0.12, 0.25), 0.45 / rate_hz)
    dwell_s = min(rng.uniform(0.02, 0.12), 0.2 / rate_hz)
    is_raised_first = rng.random() < 0.6
    return Rhythm(
        beats_s=tuple(beats),
        stroke_s=stroke_s,
        dwell_s=dwell_s,
        start_s=beats[0] - stroke_s * is_raised_first,
        end_s=beats[-1] + dwell_s + rng.uniform(0.05, 0.3),
        raise_s=rng.uniform(0.3, 0.7),
        reach=rng.uniform(0.35, 0.85) * min(1.0, 2.0 / rate_hz),
    )


@dataclass(frozen=True)
class Gesture:
    """One arm's act in the body's own directions, as in `Key`.

    Attributes:
        anchor: What the wrist is placed from.
        at: The wrist at a beat.
        away: The wrist between beats.
        pace: ``beats`` follows the rhythm, ``slow`` leaves beats out, ``held`` stays at ``at``.
        is_ballistic: The hand arrives at full speed and bounces, or it stops gently.
        swivel_rad: Where the elbow points, as in `solve_arm`.
    """

    anchor: str
    at: Offset
    away: Offset
    pace: Pace = "beats"
    is_ballistic: bool = False
    swivel_rad: float = 0.7


def build_keys(gesture: Gesture, rhythm: Rhythm, rng: np.random.Generator) -> list[Key]:
    """Return the wrist's keys: away, at and away again for each beat, no two alike."""
    if gesture.pace == "held":
        times = np.arange(rhythm.start_s, rhythm.end_s + 0.7, 0.6)
        return [Key(time, gesture.anchor, _vary(gesture.at, 0.025, rng)) for time in times.tolist()]
    arrive: Ease = "strike" if gesture.is_ballistic else "smooth"
    leave: Ease = "rebound" if gesture.is_ballistic else "smooth"
    keys: list[Key] = []
    for beat_s in rhythm.beats_s:
        if gesture.pace == "slow" and keys and beat_s < keys[-1].time_s + _SLOW_S:
            continue
        at = _vary(gesture.at, 0.035, rng)
        away = _scale(gesture.at, gesture.away, float(np.exp(rng.normal(0, 0.25))))
        raised_s = beat_s - rhythm.stroke_s * (2.5 if gesture.pace == "slow" else 1.0)
        keys.append(Key(raised_s, gesture.anchor, _vary(away, 0.03, rng), leave))
        keys.append(Key(beat_s, gesture.anchor, at, arrive))
        stay_s = rhythm.dwell_s + (_SLOW_DWELL_S if gesture.pace == "slow" else 1e-3)
        keys.append(Key(beat_s + stay_s, gesture.anchor, at))
    stop_s = keys[-1].time_s + max(0.15, rhythm.stroke_s)
    return [*keys, Key(stop_s, gesture.anchor, gesture.away, leave)]


_ANCHORS = {
    "head": (0.0, 0.3, 0.1),
    "nose": (0.0, 0.3, 0.32),
    "chest": (0.0, -0.3, 0.2),
    "thigh": (0.15, -1.2, 0.15),
    "shoulder": (0.375, 0.0, 0.0),
}
"""About where anchors are from the middle of the shoulders, in torsos."""
_FREE_FROM = (
    ((0.0, 0.3, 0.1), (0.0, 0.3, 0.1), 0.22),
    ((0.0, 0.0, 0.0), (0.0, -1.0, 0.0), 0.26),
    ((0.15, -1.0, 0.0), (0.2, -1.8, 0.1), 0.15),
    ((-0.15, -1.0, 0.0), (-0.2, -1.8, 0.1), 0.15),
)
_FREE, _REACH = 0.5, 1.15


def put_beside(gesture: Gesture, drawn: float) -> Gesture:
    """Return a gesture that lands in the air beside the body, within the arm's reach.

    Args:
        gesture: What is done.
        drawn: A number that was drawn with the rhythm; where beside the body follows from it.
    """
    rng = np.random.default_rng(int(drawn * 1e9))
    start = np.array(_ANCHORS[gesture.anchor]) + np.array(gesture.at)
    best, most = np.zeros(3), -np.inf
    for _ in range(60):
        way = rng.standard_normal(3) * [1.0, 0.8, 0.8]
        shift = way / max(float(np.linalg.norm(way)), 1e-9) * rng.uniform(0.45, 1.2)
        place = start + shift
        free = min(_gap(place, *ends) - radius for *ends, radius in _FREE_FROM)
        room = _REACH - float(np.linalg.norm(place - _ANCHORS["shoulder"]))
        if shift[2] > -0.25 and min(free - _FREE, room) > most:
            best, most = shift, min(free - _FREE, room)
        if most > 0:
            break
    way = (float(best[0]), float(best[1]), float(best[2]))
    return replace(gesture, at=_add(gesture.at, way), away=_add(gesture.away, way))


def _gap(place: np.ndarray, start: Offset, end: Offset) -> float:
    line = np.subtract(end, start)
    share = float((place - start) @ line) / max(float(line @ line), 1e-9)
    return float(np.linalg.norm(place - start - np.clip(share, 0.0, 1.0) * line))


def _vary(offset: Offset, spread: float, rng: np.random.Generator) -> Offset:
    out, up, front = (np.array(offset) + rng.normal(0, spread, 3)).tolist()
    return out, up, front


def _scale(at: Offset, away: Offset, factor: float) -> Offset:
    return _add(at, tuple(factor * (b - a) for a, b in zip(at, away, strict=True)))


def _add(place: Offset, way: tuple[float, ...]) -> Offset:
    return place[0] + way[0], place[1] + way[1], place[2] + way[2]


def _toward(at: Offset, way: Offset, length: float) -> Offset:
    """Return the place at this length from ``at`` along ``way``."""
    factor = length / max(float(np.linalg.norm(way)), 1e-6)
    return _add(at, tuple(factor * part for part in way))


Draw = Callable[[np.random.Generator, float], Gesture]


def _draw_hit(anchor: str, at: tuple[Offset, Offset], way: tuple[Offset, Offset]) -> Draw:
    """Return a hit whose wrist lands in a box and comes from a box of directions.

    The boxes leave room between the wrist and the skin: half a hand or a fist.
    """

    def draw(rng: np.random.Generator, reach: float) -> Gesture:
        place = _draw_in(at, rng)
        away = _toward(place, _draw_in(way, rng), reach)
        return Gesture(anchor, place, away, "beats", True, rng.uniform(0.2, 1.2))

    return draw


def _draw_in(box: tuple[Offset, Offset], rng: np.random.Generator) -> Offset:
    out, up, front = rng.uniform(box[0], box[1]).tolist()
    return out, up, front


def _draw_touch(
    anchor: str, at: tuple[Offset, Offset], slide: tuple[Offset, Offset], paces: tuple[Pace, ...]
) -> Draw:
    """Return a gesture that goes gently between a place in a box and another beside it."""

    def draw(rng: np.random.Generator, _reach: float) -> Gesture:
        place = _draw_in(at, rng)
        away = _add(place, _draw_in(slide, rng))
        pace = paces[rng.integers(len(paces))]
        return Gesture(anchor, place, away, pace, False, rng.uniform(0.2, 1.2))

    return draw


def _draw_wave(rng: np.random.Generator, reach: float) -> Gesture:
    at = _draw_in(((0.35, 0.15, 0.15), (0.65, 0.75, 0.5)), rng)
    way = _draw_in(((0.7, -0.4, -0.1), (1.0, 0.1, 0.1)), rng)
    return Gesture("shoulder", at, _toward(at, way, 0.6 * reach), "beats", False, 0.5)


def _draw_point(rng: np.random.Generator, reach: float) -> Gesture:
    way = _draw_in(((-0.3, -0.3, 0.3), (0.9, 0.5, 1.0)), rng)
    at = _toward((0.0, 0.0, 0.0), way, 1.15)
    pace: Pace = "beats" if rng.random() < 0.5 else "held"
    away = _scale(at, (0.0, 0.0, 0.0), rng.uniform(0.1, 0.5) * reach)
    return Gesture("shoulder", at, away, pace, False, rng.uniform(0.2, 0.8))


def _draw_clap(rng: np.random.Generator, reach: float) -> Gesture:
    at = _draw_in(((0.05, -0.15, 0.25), (0.1, 0.25, 0.5)), rng)
    way = _draw_in(((1.0, -0.3, -0.1), (1.0, 0.3, 0.2)), rng)
    return Gesture("chest", at, _toward(at, way, 0.6 * reach), "beats", True, 0.6)


def _draw_high_five(rng: np.random.Generator, reach: float) -> Gesture:
    at = _draw_in(((0.0, 0.1, 0.6), (0.5, 0.8, 0.9)), rng)
    way = _draw_in(((-0.1, -0.5, -1.0), (0.3, 0.1, -0.7)), rng)
    return Gesture("shoulder", at, _toward(at, way, 0.8 * reach), "beats", True, 0.7)


def _draw_rest(rng: np.random.Generator, _reach: float) -> Gesture:
    if rng.random() < 0.5:
        at = _draw_in(((0.36, -0.7, -0.1), (0.5, -0.5, 0.1)), rng)
        return Gesture("chest", at, at, "held", False, 1.5)
    at = _draw_in(((-0.15, -0.2, 0.06), (0.1, 0.05, 0.12)), rng)
    return Gesture("chest", at, at, "held", False, rng.uniform(0.2, 0.8))


@dataclass(frozen=True)
class Act:
    """A thing that synthetic arms do.

    Attributes:
        kind: A hit to the own body, or a near miss of one.
        draw: Gives one arm's gesture from a generator and the stroke's length.
        arms: ``one``, ``both``, or ``either`` (now and then both).
    """

    kind: Kind
    draw: Draw
    arms: Arms = "either"


ACTS: dict[str, Act] = {
    "hit_side": Act(
        "hit",
        _draw_hit(
            "head",
            ((0.24, -0.22, -0.05), (0.34, 0.05, 0.18)),
            ((0.3, -0.7, 0.2), (1.0, 0.2, 0.9)),
        ),
    ),
    "hit_crown": Act(
        "hit",
        _draw_hit(
            "head", ((0.05, 0.26, -0.05), (0.25, 0.38, 0.2)), ((0.3, -0.2, 0.3), (1.0, 0.5, 1.0))
        ),
    ),
    "hit_forehead": Act(
        "hit",
        _draw_hit(
            "head", ((0.04, 0.08, 0.28), (0.2, 0.22, 0.4)), ((0.0, -0.5, 0.7), (0.6, 0.4, 1.0))
        ),
    ),
    "hit_face": Act(
        "hit",
        _draw_hit(
            "nose", ((0.02, -0.16, 0.1), (0.16, 0.04, 0.2)), ((0.0, -0.7, 0.6), (0.7, 0.2, 1.0))
        ),
    ),
    "hit_chest": Act(
        "hit",
        _draw_hit(
            "chest", ((-0.15, -0.2, 0.05), (0.2, 0.1, 0.15)), ((0.1, -0.4, 0.6), (0.7, 0.3, 1.0))
        ),
    ),
    "hit_thigh": Act(
        "hit",
        _draw_hit(
            "thigh", ((0.0, 0.1, 0.0), (0.12, 0.25, 0.1)), ((0.0, 0.7, 0.2), (0.4, 1.0, 0.8))
        ),
    ),
    "wave": Act("near_miss", _draw_wave),
    "point": Act("near_miss", _draw_point, "one"),
    "phone": Act(
        "near_miss",
        _draw_touch(
            "head", ((0.24, -0.2, 0.0), (0.3, -0.05, 0.1)), ((0, 0, 0), (0, 0, 0)), ("held",)
        ),
        "one",
    ),
    "scratch_head": Act(
        "near_miss",
        _draw_touch(
            "head",
            ((0.1, 0.1, -0.2), (0.3, 0.36, 0.1)),
            ((-0.06, -0.12, -0.12), (0.06, 0.12, 0.12)),
            ("beats",),
        ),
    ),
    "stroke_hair": Act(
        "near_miss",
        _draw_touch(
            "head",
            ((0.12, 0.25, 0.05), (0.22, 0.36, 0.2)),
            ((0.02, -0.4, -0.3), (0.12, -0.15, -0.1)),
            ("beats",),
        ),
    ),
    "eat": Act(
        "near_miss",
        _draw_touch(
            "nose",
            ((0.0, -0.24, 0.08), (0.1, -0.12, 0.16)),
            ((0.05, -0.7, 0.1), (0.3, -0.35, 0.4)),
            ("slow",),
        ),
        "one",
    ),
    "wipe_face": Act(
        "near_miss",
        _draw_touch(
            "nose",
            ((-0.1, -0.12, 0.06), (0.05, 0.08, 0.12)),
            ((0.12, -0.15, -0.06), (0.3, 0.1, 0.0)),
            ("beats",),
        ),
    ),
    "clap": Act("near_miss", _draw_clap, "both"),
    "cover_face": Act(
        "near_miss",
        _draw_touch(
            "nose",
            ((0.05, -0.14, 0.08), (0.14, 0.06, 0.14)),
            ((0.25, -0.2, 0.0), (0.5, 0.15, 0.15)),
            ("held", "slow"),
        ),
        "both",
    ),
    "stretch": Act(
        "near_miss",
        _draw_touch(
            "shoulder",
            ((0.0, 0.85, -0.2), (0.4, 1.1, 0.2)),
            ((0.0, -0.3, 0.0), (0.5, 0.0, 0.2)),
            ("held", "slow"),
        ),
        "both",
    ),
    "glasses": Act(
        "near_miss",
        _draw_touch(
            "nose",
            ((0.04, 0.0, 0.1), (0.2, 0.14, 0.18)),
            ((0.0, -0.2, 0.02), (0.1, -0.05, 0.1)),
            ("held", "slow"),
        ),
        "one",
    ),
    "rest": Act("near_miss", _draw_rest, "one"),
    "high_five": Act("near_miss", _draw_high_five),
}
"""By name. Boxes of `Key` offsets of the wrist and of ways, in torsos: out, up, front."""
