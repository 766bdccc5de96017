"""Friendly contact between two people: it begins like a hit, with walking up and reaching out."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.reach import close_gap, direction
from har.synthetic.acts.strokes import (
    UP,
    Deed,
    hands_used,
    hold_gate,
    hold_keys,
    other_spot,
    outward,
    stroke_keys,
)
from har.synthetic.easing import ease_smooth
from har.synthetic.stage import Stage

CHASE_RADIUS_M = 0.55
WALK_BACK_S = 1.1


def high_five(stage: Stage, deed: Deed) -> Iterator[None]:
    """Both people's raised hands meet, with one hand or two."""
    close_gap(stage, deed)
    sides = hands_used(deed, 0.4)
    yield
    first, second = stage.base(deed.actor), stage.base(deed.other)
    middle = 0.25 * (first.shoulders.sum(axis=1) + second.shoulders.sum(axis=1))
    middle = middle + deed.rng.uniform(0.0, 0.2) * UP
    for side in sides:
        meet = middle + 0.12 * outward(first, side) * (len(sides) - 0.5)
        for who, hand in ((deed.actor, side), (deed.other, 1 - side)):
            way = np.array([*direction(stage, deed.actor + deed.other - who, who), 0.15])
            own = meet + stage.players[who].body.hand_radius * way
            windup = own + 0.13 * stage.players[who].body.stature * deed.beats.vigour * way
            stage.move_hand(who, hand, stroke_keys(deed.beats, windup, own))


def hug(stage: Stage, deed: Deed) -> Iterator[None]:
    """Both put their arms around each other and sway."""
    actor, other = stage.players[deed.actor], stage.players[deed.other]
    gate = hold_gate(stage.times_s, deed.beats, deed.closing_s)
    way = direction(stage, deed.actor, deed.other)
    mean_gap = np.linalg.norm((other.controls.root - actor.controls.root).mean(axis=0))
    near = actor.body.trunk_radii[0] + other.body.trunk_radii[0] + 0.06
    mover = actor if actor.posture == "stand" else other
    sign = 1.0 if mover is actor else -1.0
    mover.controls.root += sign * (max(mean_gap - near, 0.0) * gate)[:, None] * way
    sway = np.radians(6.0) * np.sin(2 * np.pi * stage.times_s / 1.3) * gate
    actor.controls.trunk[:, 1] += sway
    other.controls.trunk[:, 1] -= sway
    yield
    for who, whom in ((deed.actor, deed.other), (deed.other, deed.actor)):
        body, base = stage.players[whom].body, stage.base(whom)
        toward = np.array([*direction(stage, who, whom), 0.0])
        back = base.on_trunk(0.0, 0.0, 0.75 * body.trunk) + 1.1 * body.trunk_radii[0] * toward
        for side in (0, 1):
            where = back + 0.05 * outward(stage.base(who), side)
            pats = 0.02 * np.sin(2 * np.pi * 2.5 * stage.times_s)[:, None] * toward
            stage.move_hand(who, side, hold_keys(deed.beats, where + pats))


def shake_hands(stage: Stage, deed: Deed) -> Iterator[None]:
    """Hands meet in the middle and go up and down."""
    close_gap(stage, deed)
    yield
    first, second = stage.base(deed.actor), stage.base(deed.other)
    middle = 0.5 * (first.shoulders[:, deed.side] + second.shoulders[:, deed.side])
    middle = middle - 0.12 * stage.players[deed.actor].body.stature * UP
    middle = middle + (0.04 * np.sin(2 * np.pi * 2.2 * stage.times_s))[:, None] * UP
    for who in (deed.actor, deed.other):
        stage.move_hand(who, deed.side, hold_keys(deed.beats, middle))


def tickle(stage: Stage, deed: Deed) -> Iterator[None]:
    """Pokes the other's belly and sides with wriggling fingers; the other squirms."""
    close_gap(stage, deed)
    other, gate = stage.players[deed.other], hold_gate(stage.times_s, deed.beats)
    wriggle = np.sin(2 * np.pi * 1.7 * stage.times_s) * gate
    other.controls.trunk[:, 1] += np.radians(8.0) * wriggle
    other.controls.trunk[:, 0] += np.radians(8.0) * gate
    yield
    base = stage.base(deed.actor)
    hand = stage.players[deed.actor].body.hand_radius
    for side in (0, 1):
        towards = base.shoulders[:, side]
        spot = other_spot(other.body, stage.base(deed.other), towards, "belly", hand)
        quick = np.sin(2 * np.pi * 3.5 * stage.times_s + side)[:, None]
        spot = spot + (0.08 + 0.025 * quick) * outward(base, side)
        off = spot + 0.12 * stage.players[deed.actor].body.stature * outward(base, side)
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, off, spot, ease_smooth))


def pat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Pats the other's shoulder or chest softly, from near."""
    close_gap(stage, deed)
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    other = stage.players[deed.other].body
    shoulder = base.shoulders[:, deed.side]
    part = "shoulder" if deed.rng.random() < 0.8 else "chest"
    spot = other_spot(other, stage.base(deed.other), shoulder, part, body.hand_radius)
    size = body.stature * deed.rng.uniform(0.05, 0.14)
    above = spot + size * (UP - 0.5 * base.facing[..., 0])
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, above, spot, ease_smooth, 0.1))


def tussle(stage: Stage, deed: Deed) -> Iterator[None]:
    """Rough-and-tumble: both hold each other's shoulders and push and pull in turn."""
    close_gap(stage, deed)
    gate = hold_gate(stage.times_s, deed.beats)
    way = direction(stage, deed.actor, deed.other)
    rock = np.sin(2 * np.pi * stage.times_s / deed.rng.uniform(0.8, 1.4)) * gate
    for who, sign in ((deed.actor, 1.0), (deed.other, -1.0)):
        player = stage.players[who]
        player.controls.trunk[:, 0] += np.radians(10.0) * gate + sign * np.radians(10.0) * rock
        if player.posture == "stand":
            player.controls.root += (0.07 * rock)[:, None] * way
    yield
    for who, whom in ((deed.actor, deed.other), (deed.other, deed.actor)):
        base, target = stage.base(who), stage.base(whom)
        for side in (0, 1):
            spot = target.shoulders[:, 1 - side] + 0.02 * UP
            spot = spot + 0.04 * outward(base, side)
            stage.move_hand(who, side, hold_keys(deed.beats, spot))


def chase(stage: Stage, deed: Deed) -> Iterator[None]:
    """One runs away in a curve, the other runs after, arms swinging; later both walk back."""
    pace_m_s, spin = deed.rng.uniform(1.2, 1.8), deed.rng.choice([-1.0, 1.0])
    going = ease_smooth((stage.times_s - deed.beats.start_s) / 0.5)
    going = going * ease_smooth((deed.beats.end_s - 0.2 - stage.times_s) / 0.5)
    back = ease_smooth((stage.times_s - deed.beats.end_s) / WALK_BACK_S)
    way = np.cumsum(going) * pace_m_s / stage.players[deed.actor].controls.rate_hz
    arc = way / CHASE_RADIUS_M
    ahead = direction(stage, deed.actor, deed.other)
    aside = spin * np.array([-ahead[1], ahead[0]])
    run = CHASE_RADIUS_M * (np.sin(arc)[:, None] * ahead + (1.0 - np.cos(arc))[:, None] * aside)
    for who in (deed.actor, deed.other):
        controls = stage.players[who].controls
        turned = _wrap(np.arctan2(ahead[1], ahead[0]) - controls.yaw[0])
        controls.root += (1.0 - back)[:, None] * run
        controls.yaw += going * turned + spin * arc - back * _wrap(spin * arc[-1])
        controls.trunk[:, 0] += np.radians(10.0) * going
    yield
    for who in (deed.actor, deed.other):
        body, base = stage.players[who].body, stage.base(who)
        for side in (0, 1):
            swing = 0.10 * np.sin(np.pi * way / (0.3 * body.stature) + np.pi * side)[:, None]
            where = base.shoulders[:, side] + body.stature * (
                (0.06 + swing) * base.facing[..., 0] - 0.20 * UP + 0.05 * outward(base, side)
            )
            stage.move_hand(who, side, hold_keys(deed.beats, where))


def _wrap(angle: float) -> float:
    """Gives the same direction within half a turn."""
    return float((angle + np.pi) % (2.0 * np.pi) - np.pi)
