"""Play with balls, sticks, tables and walls, and what such things need."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.reach import direction
from har.synthetic.acts.strokes import (
    UP,
    Deed,
    compute_period,
    hands_used,
    outward,
    stroke_keys,
    while_beats,
)
from har.synthetic.body import Body
from har.synthetic.easing import ease_smooth, ease_strike
from har.synthetic.stage import Box, Stage, Thing


def bounce_ball(stage: Stage, deed: Deed) -> Iterator[None]:
    """Bounces a ball on the floor with one hand."""
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    spot = base.shoulders[:, deed.side] + 0.20 * body.stature * base.facing[..., 0]
    top, low = spot.copy(), spot.copy()
    top[:, 2] -= 0.22 * body.stature
    low[:, 2] -= 0.34 * body.stature
    keys = stroke_keys(deed.beats, top, low, ease_smooth)
    stage.move_hand(deed.actor, deed.side, keys)
    radius = 0.10
    ball = low.copy()
    ball[:, 2] = _bounce_height(stage.times_s, deed, low[:, 2] - radius, radius)
    shown = while_beats(stage, deed)
    stage.things.append(Thing("ball", radius, 0.0, ball, None, shown))


def toss_ball(stage: Stage, deed: Deed) -> Iterator[None]:
    """Throws a ball up with both hands and catches it."""
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    ball = base.on_trunk(0.20 * body.stature, 0.0, 0.55 * body.trunk)
    for side in (0, 1):
        hold = ball + 0.09 * outward(base, side) - 0.05 * UP
        lift = hold + 0.10 * body.stature * UP
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, hold, lift, ease_smooth))
    flight_s = 0.85 * compute_period(deed)
    for contact_s in deed.beats.contacts_s:
        u = np.clip((stage.times_s - contact_s) / flight_s, 0.0, 1.0)
        ball = ball + (4.0 * u * (1.0 - u) * 0.30 * body.stature)[:, None] * UP
    shown = while_beats(stage, deed)
    stage.things.append(Thing("ball", 0.09, 0.0, ball, None, shown))


def pass_ball(stage: Stage, deed: Deed) -> Iterator[None]:
    """Throws a ball to the other and gets it back."""
    yield
    chests = []
    for who in (deed.actor, deed.other):
        body, base = stage.players[who].body, stage.base(who)
        way = direction(stage, who, deed.actor + deed.other - who)
        place = base.on_trunk(0.0, 0.0, 0.7 * body.trunk)
        chests.append(place + 0.22 * body.stature * np.array([*way, 0.0]))
        for side in (0, 1):
            hold = chests[-1] + 0.09 * outward(base, side)
            give = hold + 0.16 * body.stature * np.array([*way, 0.2])
            keys = stroke_keys(deed.beats, hold, give, ease_smooth)
            stage.move_hand(who, side, keys)
    share, arc = np.zeros_like(stage.times_s), np.zeros_like(stage.times_s)
    flight_s = min(0.8 * compute_period(deed), 0.5)
    for index, contact_s in enumerate(deed.beats.contacts_s):
        u = np.clip((stage.times_s - contact_s) / flight_s, 0.0, 1.0)
        share += u if index % 2 == 0 else -u
        arc += 4.0 * u * (1.0 - u) * 0.12
    ball = chests[0] + share[:, None] * (chests[1] - chests[0]) + arc[:, None] * UP
    shown = while_beats(stage, deed)
    stage.things.append(Thing("ball", 0.09, 0.0, ball, None, shown))


def swing_stick(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swings the held stick about in the air, away from everyone."""
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    shoulder = base.shoulders[:, deed.side]
    high = shoulder + body.stature * (0.22 * UP + 0.10 * outward(base, deed.side))
    low = shoulder + body.stature * (0.22 * outward(base, deed.side) - 0.16 * UP)
    low = low + 0.10 * body.stature * base.facing[..., 0]
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, high, low))


def use_station(stage: Stage, deed: Deed) -> Iterator[None]:
    """Drums or draws on the table; knocks or paints on the wall."""
    sides = hands_used(deed, 0.4)
    yield
    softly, station = deed.rng.random() < 0.5, stage.station
    if station is None:
        return
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    for side in sides:
        ahead = base.shoulders[:, side] + 0.26 * body.stature * base.facing[..., 0]
        spot, off = _station_spot(station, ahead, body)
        windup = spot + 0.10 * body.stature * outward(base, side) if softly else spot + off
        ease = ease_smooth if softly else ease_strike
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, windup, spot, ease))


def _station_spot(station: Box, ahead: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Gives (T, 3) the touched place on table or wall near a place, and (3,) the way off it."""
    spot = ahead.copy()
    if station.kind == "table":
        spot[:, 2] = station.size[2] + body.hand_radius
        return spot, 0.14 * body.stature * UP
    inward = np.array([np.cos(station.yaw), np.sin(station.yaw)])
    face = np.array(station.centre) - (0.5 * station.size[0] + body.hand_radius) * inward
    spot[:, :2] += ((face - spot[:, :2]) @ inward)[:, None] * inward
    return spot, -0.12 * body.stature * np.array([*inward, 0.0])


def _bounce_height(times_s: np.ndarray, deed: Deed, top: np.ndarray, floor: float) -> np.ndarray:
    """Height of a ball that leaves the hand at each beat, hits the floor and comes back."""
    period_s = compute_period(deed)
    height = top.copy()
    for contact_s in deed.beats.contacts_s:
        u = np.clip((times_s - contact_s) / (0.9 * period_s), 0.0, 1.0)
        fall = 1.0 - np.abs(2.0 * u - 1.0)
        height -= (top - floor) * (1.0 - (1.0 - fall) ** 2) * (u > 0.0) * (u < 1.0)
    return np.maximum(height, floor)
