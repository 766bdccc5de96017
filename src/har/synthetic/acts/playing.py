"""Playing and everyday gestures: the near misses that outnumber the hits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.other_hits import close_gap, direction, guard_place
from har.synthetic.acts.strokes import (
    Act,
    Deed,
    Style,
    chest_spot,
    hands_used,
    head_spot,
    head_windup,
    hold_gate,
    hold_keys,
    hold_span,
    other_spot,
    outward,
    stroke_keys,
)
from har.synthetic.easing import compute_blow, compute_pulse, ease_smooth, ease_strike
from har.synthetic.stage import HandKey, Stage, Thing, ThingKind

UP = np.array([0.0, 0.0, 1.0])


def wave(stage: Stage, deed: Deed) -> Iterator[None]:
    """Waves a raised hand, or both, beside the head."""
    sides = hands_used(deed, 0.25)
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    high, wide = deed.rng.uniform(0.10, 0.22), 0.11 * deed.beats.vigour
    for side in sides:
        out = outward(base, side)
        middle = base.shoulders[:, side] + body.stature * (
            high * UP + 0.14 * out + 0.08 * base.facing[..., 0]
        )
        near, far = middle - wide * body.stature * out, middle + wide * body.stature * out
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, near, far, ease_smooth))
        stage.raise_elbow(deed.actor, side, hold_gate(stage.times_s, deed.beats), 0.6)


def clap(stage: Stage, deed: Deed) -> Iterator[None]:
    """Claps the hands before the chest, or over the head."""
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    overhead = deed.rng.random() < 0.2
    ahead, high = (0.08, 1.75) if overhead else (0.20, deed.rng.uniform(0.6, 1.0))
    for side in (0, 1):
        aside = 0.9 * body.hand_radius * (1.0 if side == 0 else -1.0)
        meet = base.on_trunk(ahead * body.stature, aside, high * body.trunk)
        apart = meet + 0.13 * body.stature * deed.beats.vigour * outward(base, side)
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, apart, meet))
        stage.raise_elbow(deed.actor, side, hold_gate(stage.times_s, deed.beats), 0.5)


def dance(stage: Stage, deed: Deed) -> Iterator[None]:
    """Sways, bobs and swings both arms in turn."""
    player, gate = stage.players[deed.actor], hold_gate(stage.times_s, deed.beats)
    controls = player.controls
    beat_hz = 1.0 / max(2.0 * _period_s(deed), 0.5)
    phase = 2.0 * np.pi * beat_hz * (stage.times_s - deed.beats.contacts_s[0])
    controls.shift[:, 1] += 0.05 * np.sin(phase) * gate
    controls.trunk[:, 1] += np.radians(9.0) * np.sin(phase) * gate
    controls.trunk[:, 2] += np.radians(16.0) * np.cos(phase) * gate
    if player.posture == "stand":
        controls.hips -= 0.025 * player.body.stature * (1.0 - np.cos(2.0 * phase)) * gate
    yield
    body, base = player.body, stage.base(deed.actor)
    for side in (0, 1):
        out, sign = outward(base, side), 1.0 if side == 0 else -1.0
        swing = (0.12 * sign * np.sin(phase))[:, None] * UP
        where = base.shoulders[:, side] + body.stature * (
            0.17 * out + 0.12 * base.facing[..., 0] + swing - 0.02 * UP
        )
        stage.move_hand(deed.actor, side, hold_keys(deed.beats, where))
        stage.raise_elbow(deed.actor, side, gate, 0.6)


def jump(stage: Stage, deed: Deed) -> Iterator[None]:
    """Jumps on the spot with swinging arms."""
    player = stage.players[deed.actor]
    height = 0.09 * player.body.stature * deed.beats.vigour
    arc = np.zeros_like(stage.times_s)
    for contact_s in deed.beats.contacts_s:
        arc += compute_pulse(stage.times_s, contact_s, 0.42)
    player.controls.hips += height * arc
    player.controls.feet[:, :, 2] += height * arc[:, None]
    yield
    body, base = player.body, stage.base(deed.actor)
    for side in (0, 1):
        out = outward(base, side)
        low = base.shoulders[:, side] + body.stature * (0.12 * out - 0.30 * UP)
        high = base.shoulders[:, side] + body.stature * (0.20 * out + 0.18 * UP)
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, low, high, ease_smooth))


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
    shown = _while_beats(stage, deed)
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
    flight_s = 0.85 * _period_s(deed)
    for contact_s in deed.beats.contacts_s:
        u = np.clip((stage.times_s - contact_s) / flight_s, 0.0, 1.0)
        ball = ball + (4.0 * u * (1.0 - u) * 0.30 * body.stature)[:, None] * UP
    shown = _while_beats(stage, deed)
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
            give = hold + 0.10 * body.stature * np.array([*way, 0.2])
            keys = stroke_keys(deed.beats, hold, give, ease_smooth)
            stage.move_hand(who, side, keys)
    share, arc = np.zeros_like(stage.times_s), np.zeros_like(stage.times_s)
    flight_s = min(0.8 * _period_s(deed), 0.5)
    for index, contact_s in enumerate(deed.beats.contacts_s):
        u = np.clip((stage.times_s - contact_s) / flight_s, 0.0, 1.0)
        share += u if index % 2 == 0 else -u
        arc += 4.0 * u * (1.0 - u) * 0.12
    ball = chests[0] + share[:, None] * (chests[1] - chests[0]) + arc[:, None] * UP
    shown = _while_beats(stage, deed)
    stage.things.append(Thing("ball", 0.09, 0.0, ball, None, shown))


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
    gate = hold_gate(stage.times_s, deed.beats)
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
    """Wriggling fingers at the other's belly and sides; the other squirms."""
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
        stage.move_hand(deed.actor, side, hold_keys(deed.beats, spot))


def pat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Pats the other's shoulder or chest softly, from near."""
    close_gap(stage, deed)
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    other = stage.players[deed.other].body
    shoulder = base.shoulders[:, deed.side]
    part = "shoulder" if deed.rng.random() < 0.8 else "chest"
    spot = other_spot(other, stage.base(deed.other), shoulder, part, body.hand_radius)
    above = spot + 0.05 * body.stature * (UP - 0.5 * base.facing[..., 0])
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
    """One runs away in a curve and the other runs after, arms swinging."""
    pace_m_s = deed.rng.uniform(1.2, 1.8)
    spin = deed.rng.choice([-1.0, 1.0])
    going = ease_smooth((stage.times_s - deed.beats.start_s) / 0.5)
    going = going * ease_smooth((deed.beats.end_s + 0.3 - stage.times_s) / 0.5)
    way = np.cumsum(going) * pace_m_s / stage.players[deed.actor].controls.rate_hz
    radius = 0.55
    start = stage.players[deed.other].controls.root - stage.players[deed.actor].controls.root
    heading = float(np.arctan2(*start.mean(axis=0)[::-1]))
    angle = spin * way / radius
    for who in (deed.actor, deed.other):
        controls = stage.players[who].controls
        offset = radius * np.stack([np.sin(angle), spin * (1.0 - np.cos(angle))], axis=-1)
        turned = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
        controls.root += (offset * np.array([1.0, 1.0])) @ turned
        facing = heading + angle
        controls.yaw += going * (_wrap(facing - controls.yaw))
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


def go_to_head(spot_name: str, rub_m: float, rub_hz: float, gap_m: float = 0.0) -> Act:
    """Gives the act of bringing a hand softly to the head and rubbing or holding there."""

    def act(stage: Stage, deed: Deed) -> Iterator[None]:
        yield
        player, base = stage.players[deed.actor], stage.base(deed.actor)
        spot = head_spot(player.body, base, deed.side, spot_name, gap_m)
        rub = np.sin(2 * np.pi * rub_hz * stage.times_s)[:, None] * base.head[..., 2]
        keys = hold_keys(deed.beats, spot + rub_m * rub)
        stage.move_hand(deed.actor, deed.side, keys)
        gate = hold_gate(stage.times_s, deed.beats)
        stage.raise_elbow(deed.actor, deed.side, gate, deed.rng.uniform(0.1, 0.8))

    return act


def stroke_hair(stage: Stage, deed: Deed) -> Iterator[None]:
    """Slides a hand from the crown down to the ear, softly, again and again."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    high = head_spot(player.body, base, deed.side, "crown")
    low = head_spot(player.body, base, deed.side, "ear") - 0.03 * player.body.stature * UP
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, high, low, ease_smooth))
    stage.raise_elbow(deed.actor, deed.side, hold_gate(stage.times_s, deed.beats), 0.5)


def wipe_face(stage: Stage, deed: Deed) -> Iterator[None]:
    """Wipes across mouth and cheek."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    near = head_spot(player.body, base, deed.side, "mouth")
    far = head_spot(player.body, base, deed.side, "cheek")
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, near, far, ease_smooth))
    stage.raise_elbow(deed.actor, deed.side, hold_gate(stage.times_s, deed.beats), 0.5)


def cover_face(stage: Stage, deed: Deed) -> Iterator[None]:
    """Covers the face with both hands and opens them again: peekaboo."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    for side in (0, 1):
        eyes = head_spot(player.body, base, side, "eyes")
        apart = head_windup(base, side, "eyes", eyes, 0.13 * player.body.stature)
        keys = stroke_keys(deed.beats, apart, eyes, ease_smooth, 0.15)
        stage.move_hand(deed.actor, side, keys)


def swat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swats at a fly near the head: as fast as a slap, and touches nothing."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    name = str(deed.rng.choice(["temple", "cheek", "forehead"]))
    spot = head_spot(player.body, base, deed.side, name, 0.09 * player.body.stature)
    windup = head_windup(base, deed.side, name, spot, 0.18 * player.body.stature)
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, windup, spot))


def eat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Brings something from before the belly to the mouth, again and again."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    mouth = head_spot(player.body, base, deed.side, "mouth", 0.02)
    bowl = base.on_trunk(0.17 * player.body.stature, 0.0, 0.35 * player.body.trunk)
    keys = stroke_keys(deed.beats, bowl, mouth, ease_smooth, 0.12)
    stage.move_hand(deed.actor, deed.side, keys)
    _hold_thing(stage, deed, "cup", 0.035, 0.09)


def phone(stage: Stage, deed: Deed) -> Iterator[None]:
    """Holds a phone to the ear, or before the face and taps on it."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    _hold_thing(stage, deed, "phone", 0.03, 0.14)
    if deed.rng.random() < 0.5:
        where = head_spot(player.body, base, deed.side, "ear", 0.02)
    else:
        where = base.on_trunk(0.19 * player.body.stature, 0.0, 0.75 * player.body.trunk)
        tap = where + 0.02 * base.trunk[..., 0]
        keys = stroke_keys(deed.beats, tap - 0.06 * UP, tap, ease_smooth)
        stage.move_hand(deed.actor, 1 - deed.side, keys)
    stage.move_hand(deed.actor, deed.side, hold_keys(deed.beats, where))


def point(stage: Stage, deed: Deed) -> Iterator[None]:
    """Points somewhere with the arm out, and again."""
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    aside, high = deed.rng.uniform(-0.3, 1.0), deed.rng.uniform(-0.1, 0.4)
    way = base.facing[..., 0] + aside * outward(base, deed.side) + high * UP
    way = way / np.linalg.norm(way, axis=-1, keepdims=True)
    far = base.shoulders[:, deed.side] + 0.97 * body.arm_reach * way
    near = guard_place(stage, deed.actor, deed.side) + 0.12 * base.facing[..., 0]
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, near, far, ease_smooth, 0.15))


def stretch(stage: Stage, deed: Deed) -> Iterator[None]:
    """Stretches both arms up."""
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    for side in (0, 1):
        up = base.shoulders[:, side] + body.arm_reach * (UP + 0.2 * outward(base, side))
        stage.move_hand(deed.actor, side, hold_keys(deed.beats, up))


def rub_belly(stage: Stage, deed: Deed) -> Iterator[None]:
    """Rubs the own belly or chest, or brushes the thigh-side of the shirt, softly."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    low = chest_spot(player.body, base, deed.side, 0.35, 0.3)
    high = chest_spot(player.body, base, deed.side, deed.rng.uniform(0.55, 0.8), -0.2)
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, low, high, ease_smooth))


def rock(stage: Stage, deed: Deed) -> Iterator[None]:
    """Rocks the trunk or nods with the head, as fast as a blow, against nothing."""
    controls = stage.players[deed.actor].controls
    lean, drop = np.radians(deed.rng.uniform([10.0, 0.0], [32.0, 30.0]))
    for contact_s in deed.beats.contacts_s:
        blow = compute_blow(stage.times_s, contact_s, 1.6 * deed.beats.stroke_s)
        controls.trunk[:, 0] += lean * blow
        controls.head[:, 1] += drop * blow
    yield


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
    station, body = stage.station, stage.players[deed.actor].body
    base = stage.base(deed.actor)
    softly = deed.rng.random() < 0.5
    for side in sides if station is not None else ():
        spot = base.shoulders[:, side] + 0.26 * body.stature * base.facing[..., 0]
        if station.kind == "table":
            spot[:, 2] = station.size[2] + body.hand_radius
            off = 0.14 * body.stature * UP
        else:
            ahead = np.array([np.cos(station.yaw), np.sin(station.yaw)])
            face = np.array(station.centre) - (0.5 * station.size[0] + body.hand_radius) * ahead
            depth = (face - spot[:, :2]) @ ahead
            spot[:, :2] += depth[:, None] * ahead
            spot[:, 2] += 0.03
            off = -0.12 * body.stature * base.facing[..., 0]
        windup = spot + 0.10 * body.stature * outward(base, side) if softly else spot + off
        ease = ease_smooth if softly else ease_strike
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, windup, spot, ease))


def _period_s(deed: Deed) -> float:
    contacts = np.array(deed.beats.contacts_s)
    return float(np.diff(contacts).mean()) if len(contacts) > 1 else 0.6


def _wrap(angles: np.ndarray) -> np.ndarray:
    return (angles + np.pi) % (2.0 * np.pi) - np.pi


def _while_beats(stage: Stage, deed: Deed) -> np.ndarray:
    start_s, end_s = deed.beats.start_s, deed.beats.end_s + 0.4
    return (stage.times_s >= start_s) & (stage.times_s <= end_s)


def _hold_thing(stage: Stage, deed: Deed, kind: ThingKind, radius: float, length: float) -> None:
    shown = _while_beats(stage, deed)
    stage.things.append(Thing(kind, radius, length, None, (deed.actor, deed.side), shown))


def _bounce_height(times_s: np.ndarray, deed: Deed, top: np.ndarray, floor: float) -> np.ndarray:
    """Height of a ball that leaves the hand at each beat, hits the floor and comes back."""
    period_s = _period_s(deed)
    height = top.copy()
    for contact_s in deed.beats.contacts_s:
        u = np.clip((times_s - contact_s) / (0.9 * period_s), 0.0, 1.0)
        fall = 1.0 - np.abs(2.0 * u - 1.0)
        height -= (top - floor) * (1.0 - (1.0 - fall) ** 2) * (u > 0.0) * (u < 1.0)
    return np.maximum(height, floor)


PLAYING = (
    Style("wave", wave, plain=True),
    Style("clap", clap, plain=True),
    Style("dance", dance, plain=True),
    Style("bounce_ball", bounce_ball, need="standing", plain=True),
    Style("jump", jump, need="standing", plain=True),
    Style("high_five", high_five, need="partner", plain=True),
    Style("hug", hug, need="standing pair", plain=True),
    Style("pass_ball", pass_ball, need="partner"),
    Style("toss_ball", toss_ball),
    Style("shake_hands", shake_hands, need="partner"),
    Style("tickle", tickle, need="partner"),
    Style("pat", pat, need="partner"),
    Style("tussle", tussle, need="partner"),
    Style("chase", chase, need="standing pair"),
    Style("scratch_head", go_to_head("crown", 0.018, 4.0)),
    Style("scratch_ear", go_to_head("ear", 0.015, 4.0)),
    Style("shade_eyes", go_to_head("forehead", 0.0, 1.0, 0.03)),
    Style("stroke_hair", stroke_hair),
    Style("wipe_face", wipe_face),
    Style("cover_face", cover_face),
    Style("swat_fly", swat),
    Style("eat", eat),
    Style("phone", phone),
    Style("point", point),
    Style("stretch", stretch),
    Style("rub_belly", rub_belly),
    Style("rock", rock),
    Style("swing_stick", swing_stick, need="stick"),
    Style("use_table", use_station, need="table"),
    Style("use_wall", use_station, need="wall"),
)
