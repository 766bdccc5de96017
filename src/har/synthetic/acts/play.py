"""Playing: games, gestures and friendly contact, the near misses that outnumber the hits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts import gestures
from har.synthetic.acts.strokes import (
    UP,
    Deed,
    Hands,
    Style,
    close_gap,
    compute_period,
    direction,
    hands_used,
    hold_gate,
    hold_keys,
    now_and_then,
    other_spot,
    outward,
    stroke_keys,
    while_beats,
    with_hands,
)
from har.synthetic.body import Body
from har.synthetic.curves import ease_smooth, ease_strike
from har.synthetic.stage import Box, Stage, Thing


@with_hands
def bounce_ball(hands: Hands) -> None:
    """Bounce a ball on the floor with one hand."""
    spot = hands.base.shoulders[:, hands.side] + 0.20 * hands.stature * hands.ahead
    top, low = spot.copy(), spot.copy()
    top[:, 2] -= 0.22 * hands.stature
    low[:, 2] -= 0.34 * hands.stature
    hands.stroke(hands.side, top, low, ease_smooth)
    radius = 0.10
    ball = low.copy()
    ball[:, 2] = _bounce_height(hands.times_s, hands.deed, low[:, 2] - radius, radius)
    shown = while_beats(hands.stage, hands.deed)
    hands.stage.things.append(Thing("ball", radius, 0.0, ball, None, shown))


@with_hands
def toss_ball(hands: Hands) -> None:
    """Throw a ball up with both hands and catches it."""
    ball = hands.base.on_trunk(0.20 * hands.stature, 0.0, 0.55 * hands.body.trunk)
    for side in (0, 1):
        hold = ball + 0.09 * hands.out(side) - 0.05 * UP
        lift = hold + 0.10 * hands.stature * UP
        hands.stroke(side, hold, lift, ease_smooth)
    flight_s = 0.85 * compute_period(hands.deed)
    for contact_s in hands.deed.beats.contacts_s:
        u = np.clip((hands.times_s - contact_s) / flight_s, 0.0, 1.0)
        ball = ball + (4.0 * u * (1.0 - u) * 0.30 * hands.stature)[:, None] * UP
    shown = while_beats(hands.stage, hands.deed)
    hands.stage.things.append(Thing("ball", 0.09, 0.0, ball, None, shown))


def pass_ball(stage: Stage, deed: Deed) -> Iterator[None]:
    """Throw a ball to the other and gets it back."""
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
            stage.move_hand(who, side, stroke_keys(deed.beats, hold, give, ease_smooth))
    share, arc = np.zeros_like(stage.times_s), np.zeros_like(stage.times_s)
    flight_s = min(0.8 * compute_period(deed), 0.5)
    for index, contact_s in enumerate(deed.beats.contacts_s):
        u = np.clip((stage.times_s - contact_s) / flight_s, 0.0, 1.0)
        share += u if index % 2 == 0 else -u
        arc += 4.0 * u * (1.0 - u) * 0.12
    ball = chests[0] + share[:, None] * (chests[1] - chests[0]) + arc[:, None] * UP
    shown = while_beats(stage, deed)
    stage.things.append(Thing("ball", 0.09, 0.0, ball, None, shown))


@with_hands
def swing_stick(hands: Hands) -> None:
    """Swing the held stick about in the air, away from everyone."""
    shoulder = hands.base.shoulders[:, hands.side]
    high = shoulder + hands.stature * (0.22 * UP + 0.10 * hands.out(hands.side))
    low = shoulder + hands.stature * (0.22 * hands.out(hands.side) - 0.16 * UP)
    low = low + 0.10 * hands.stature * hands.ahead
    hands.stroke(hands.side, high, low)


def use_piece(stage: Stage, deed: Deed) -> Iterator[None]:
    """Drum or draws on the table; knocks or paints on the wall."""
    sides = hands_used(deed, 0.4)
    yield
    hands = Hands(stage, deed)
    softly, piece = deed.rng.random() < 0.5, stage.piece
    if piece is None:
        return
    for side in sides:
        ahead = hands.base.shoulders[:, side] + 0.26 * hands.stature * hands.ahead
        spot, off = _piece_spot(piece, ahead, hands.body)
        windup = spot + 0.10 * hands.stature * hands.out(side) if softly else spot + off
        ease = ease_smooth if softly else ease_strike
        hands.stroke(side, windup, spot, ease)


def _piece_spot(piece: Box, ahead: np.ndarray, body: Body) -> tuple[np.ndarray, np.ndarray]:
    """Return (T, 3) the touched place on table or wall near a place, and (3,) the way off it."""
    spot = ahead.copy()
    if piece.kind == "table":
        spot[:, 2] = piece.size[2] + body.hand_radius
        return spot, 0.14 * body.stature * UP
    inward = np.array([np.cos(piece.yaw), np.sin(piece.yaw)])
    face = np.array(piece.center) - (0.5 * piece.size[0] + body.hand_radius) * inward
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
    """Hand meet in the middle and go up and down."""
    close_gap(stage, deed)
    yield
    first, second = stage.base(deed.actor), stage.base(deed.other)
    middle = 0.5 * (first.shoulders[:, deed.side] + second.shoulders[:, deed.side])
    middle = middle - 0.12 * stage.players[deed.actor].body.stature * UP
    middle = middle + (0.04 * np.sin(2 * np.pi * 2.2 * stage.times_s))[:, None] * UP
    for who in (deed.actor, deed.other):
        stage.move_hand(who, deed.side, hold_keys(deed.beats, middle))


def tickle(stage: Stage, deed: Deed) -> Iterator[None]:
    """Poke the other's belly and sides with wriggling fingers; the other squirms."""
    close_gap(stage, deed)
    other, gate = stage.players[deed.other], hold_gate(stage.times_s, deed.beats)
    wriggle = np.sin(2 * np.pi * 1.7 * stage.times_s) * gate
    other.controls.trunk[:, 1] += np.radians(8.0) * wriggle
    other.controls.trunk[:, 0] += np.radians(8.0) * gate
    yield
    hands = Hands(stage, deed)
    hand = hands.body.hand_radius
    for side in (0, 1):
        towards = hands.base.shoulders[:, side]
        spot = other_spot(other.body, stage.base(deed.other), towards, "belly", hand)
        quick = np.sin(2 * np.pi * 3.5 * stage.times_s + side)[:, None]
        spot = spot + (0.08 + 0.025 * quick) * hands.out(side)
        off = spot + 0.12 * hands.body.stature * hands.out(side)
        hands.stroke(side, off, spot, ease_smooth)


def pat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Pat the other's shoulder or chest softly, from near."""
    close_gap(stage, deed)
    yield
    hands = Hands(stage, deed)
    other = stage.players[deed.other].body
    shoulder = hands.base.shoulders[:, deed.side]
    part = "shoulder" if deed.rng.random() < 0.8 else "chest"
    spot = other_spot(other, stage.base(deed.other), shoulder, part, hands.body.hand_radius)
    size = hands.stature * deed.rng.uniform(0.05, 0.14)
    above = spot + size * (UP - 0.5 * hands.ahead)
    hands.stroke(deed.side, above, spot, ease_smooth, 0.1)


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
    """Return the same direction within half a turn."""
    return float((angle + np.pi) % (2.0 * np.pi) - np.pi)


PLAYING = (
    Style("wave", gestures.wave, rarity=0.1),
    Style("clap", gestures.clap, rarity=0.1),
    Style("dance", gestures.dance),
    Style("idle", gestures.idle),
    Style("bounce_ball", bounce_ball, need="standing"),
    Style("jump", gestures.jump, need="standing"),
    Style("high_five", high_five, need="partner", rarity=0.2, often=2.0),
    Style("hug", hug, need="standing pair", rarity=0.1, often=0.5),
    Style("pass_ball", pass_ball, need="partner", rarity=0.15),
    Style("toss_ball", toss_ball, rarity=0.15),
    Style("shake_hands", shake_hands, need="partner", rarity=0.3, often=0.5),
    Style("tickle", tickle, need="partner", rarity=0.5, often=0.5),
    Style("pat", pat, need="partner", rarity=0.5, often=2.0),
    Style("tussle", tussle, need="partner", rarity=0.4, often=0.5),
    Style("chase", chase, need="standing pair", rarity=0.25),
    Style("scratch_head", gestures.go_to_head("crown", 0.018, 4.0), rarity=0.4, often=0.5),
    Style("scratch_ear", gestures.go_to_head("ear", 0.015, 4.0), rarity=0.4, often=0.5),
    Style("shade_eyes", gestures.go_to_head("forehead", 0.0, 1.0, 0.03), rarity=0.45, often=0.5),
    Style("stroke_hair", gestures.stroke_hair, rarity=0.45),
    Style("wipe_face", gestures.wipe_face, rarity=0.45),
    Style("cover_face", gestures.cover_face, rarity=0.45),
    Style("swat_fly", gestures.swat, rarity=0.6),
    Style("eat", gestures.eat, rarity=0.35),
    Style("phone", gestures.phone, rarity=0.35, often=0.6),
    Style("point", gestures.point, rarity=0.25),
    Style("stretch", gestures.stretch, rarity=0.2, often=0.5),
    Style("rub_belly", gestures.rub_belly, rarity=0.4),
    Style("rock", gestures.rock, rarity=0.4),
    Style("shake_fist", gestures.shake_fist, rarity=0.3, often=2.0),
    Style("drum_in_air", gestures.drum_in_air, rarity=0.3, often=4.0),
    Style("box_in_air", gestures.box_in_air, rarity=0.3, often=2.0),
    Style("throw", gestures.throw, rarity=0.3, often=2.0),
    Style("conduct", gestures.conduct, rarity=0.3, often=3.0),
    Style("shake_off", gestures.shake_off, rarity=0.3, often=4.0),
    Style("swing_low", gestures.swing_low, rarity=0.3, often=7.0),
    Style("sweep", gestures.sweep, rarity=0.3, often=7.0),
    Style("swing_low_once", now_and_then(gestures.swing_low), rarity=0.3, often=4.0),
    Style("beckon", gestures.beckon, rarity=0.3, often=2.0),
    Style("reach_up", gestures.reach_up, rarity=0.3, often=3.0),
    Style("fan_face", gestures.fan_face, rarity=0.3),
    Style("brush_clothes", gestures.brush_clothes, rarity=0.3),
    Style("throw_once", now_and_then(gestures.throw), rarity=0.3, often=2.0),
    Style("beckon_once", now_and_then(gestures.beckon), rarity=0.3, often=2.0),
    Style("reach_up_once", now_and_then(gestures.reach_up), rarity=0.3, often=2.0),
    Style("salute_once", now_and_then(gestures.salute), rarity=0.3, often=2.0),
    Style("drum_once", now_and_then(gestures.drum_in_air), rarity=0.3, often=3.0),
    Style("tap_head", gestures.tap_head, rarity=0.3),
    Style("salute", gestures.salute, rarity=0.3),
    Style("cover_ears", gestures.cover_ears, rarity=0.3),
    Style("flap_hands", gestures.flap_hands, rarity=0.3),
    Style("swing_stick", swing_stick, need="stick"),
    Style("use_table", use_piece, need="table"),
    Style("use_wall", use_piece, need="wall"),
)
