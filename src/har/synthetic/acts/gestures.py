"""Gestures of one person: near misses of hits, some as fast and as often repeated as blows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.strokes import (
    UP,
    Act,
    Deed,
    chest_spot,
    compute_period,
    guard_place,
    hands_used,
    head_spot,
    head_windup,
    hold,
    hold_gate,
    hold_thing,
    outward,
    own,
    stroke,
    unhurried,
)
from har.synthetic.curves import compute_blow, compute_pulse, ease_smooth
from har.synthetic.stage import Stage


def wave(stage: Stage, deed: Deed) -> Iterator[None]:
    """Wave a raised hand, or both, beside the head."""
    sides = hands_used(deed, 0.25)
    yield
    body, base = own(stage, deed)
    high, wide = deed.rng.uniform(0.10, 0.22), 0.15 * deed.beats.vigour
    for side in sides:
        out = outward(base, side)
        middle = base.shoulders[:, side] + body.stature * (
            high * UP + 0.14 * out + 0.08 * base.facing[..., 0]
        )
        near, far = middle - wide * body.stature * out, middle + wide * body.stature * out
        stroke(stage, deed, side, near, far, ease_smooth, raised=0.6)


def clap(stage: Stage, deed: Deed) -> Iterator[None]:
    """Clap the hands before the chest, or over the head."""
    yield
    body, base = own(stage, deed)
    overhead = deed.rng.random() < 0.2
    ahead, high = (0.08, 1.75) if overhead else (0.20, deed.rng.uniform(0.6, 1.0))
    for side in (0, 1):
        aside = 0.9 * body.hand_radius * (1.0 if side == 0 else -1.0)
        meet = base.on_trunk(ahead * body.stature, aside, high * body.trunk)
        apart = meet + 0.17 * body.stature * deed.beats.vigour * outward(base, side)
        stroke(stage, deed, side, apart, meet, raised=0.5)


def dance(stage: Stage, deed: Deed) -> Iterator[None]:
    """Sway, bobs and swing both arms in turn."""
    player, gate = stage.players[deed.actor], hold_gate(stage.times_s, deed.beats)
    controls = player.controls
    beat_hz = 1.0 / max(2.0 * compute_period(deed), 0.5)
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
        swing = (0.17 * sign * np.sin(phase))[:, None] * UP
        where = base.shoulders[:, side] + body.stature * (
            0.17 * out + 0.12 * base.facing[..., 0] + swing - 0.02 * UP
        )
        hold(stage, deed, side, where)
        stage.raise_elbow(deed.actor, side, gate, 0.6)


def idle(stage: Stage, deed: Deed) -> Iterator[None]:
    """Leave the hands where they rest; what happens between acts in a recording."""
    yield


def jump(stage: Stage, deed: Deed) -> Iterator[None]:
    """Jump on the spot with swinging arms."""
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
        stroke(stage, deed, side, low, high, ease_smooth)


def go_to_head(spot_name: str, rub_m: float, rub_hz: float, gap_m: float = 0.0) -> Act:
    """Return the act of bringing a hand softly to the head and rubbing or holding there."""

    def act(stage: Stage, deed: Deed) -> Iterator[None]:
        yield
        body, base = own(stage, deed)
        spot = head_spot(body, base, deed.side, spot_name, gap_m)
        rub = np.sin(2 * np.pi * rub_hz * stage.times_s)[:, None] * base.head[..., 2]
        hold(stage, deed, deed.side, spot + rub_m * rub, raised=deed.rng.uniform(0.1, 0.8))

    return act


def stroke_hair(stage: Stage, deed: Deed) -> Iterator[None]:
    """Slide a hand from the crown down to the ear, softly, again and again."""
    yield
    body, base = own(stage, deed)
    high = head_spot(body, base, deed.side, "crown")
    low = head_spot(body, base, deed.side, "ear") - 0.03 * body.stature * UP
    stroke(stage, deed, deed.side, high, low, ease_smooth, raised=0.5, beats=unhurried(deed))


def wipe_face(stage: Stage, deed: Deed) -> Iterator[None]:
    """Wipe across mouth and cheek."""
    yield
    body, base = own(stage, deed)
    near = head_spot(body, base, deed.side, "mouth")
    far = head_spot(body, base, deed.side, "cheek")
    stroke(stage, deed, deed.side, near, far, ease_smooth, raised=0.5, beats=unhurried(deed))


def cover_face(stage: Stage, deed: Deed) -> Iterator[None]:
    """Covers the face with both hands and opens them again: peekaboo."""
    yield
    beats = unhurried(deed)
    body, base = own(stage, deed)
    for side in (0, 1):
        eyes = head_spot(body, base, side, "eyes")
        apart = head_windup(base, side, "eyes", eyes, 0.18 * body.stature)
        stroke(stage, deed, side, apart, eyes, ease_smooth, 0.15, beats=beats)


def swat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swat at a fly near the head: as fast as a slap, and touch nothing."""
    yield
    body, base = own(stage, deed)
    name = str(deed.rng.choice(["temple", "cheek", "forehead"]))
    spot = head_spot(body, base, deed.side, name, 0.09 * body.stature)
    windup = head_windup(base, deed.side, name, spot, 0.18 * body.stature)
    stroke(stage, deed, deed.side, windup, spot)


def eat(stage: Stage, deed: Deed) -> Iterator[None]:
    """Bring something from before the belly to the mouth, again and again."""
    yield
    body, base = own(stage, deed)
    mouth = head_spot(body, base, deed.side, "mouth", 0.02)
    bowl = base.on_trunk(0.17 * body.stature, 0.0, 0.35 * body.trunk)
    stroke(stage, deed, deed.side, bowl, mouth, ease_smooth, 0.12, beats=unhurried(deed))
    hold_thing(stage, deed, "cup", 0.035, 0.09)


def phone(stage: Stage, deed: Deed) -> Iterator[None]:
    """Hold a phone to the ear, or before the face and tap on it."""
    yield
    body, base = own(stage, deed)
    hold_thing(stage, deed, "phone", 0.03, 0.14)
    if deed.rng.random() < 0.5:
        where = head_spot(body, base, deed.side, "ear", 0.02)
    else:
        where = base.on_trunk(0.19 * body.stature, 0.0, 0.75 * body.trunk)
        tap = where + 0.02 * base.trunk[..., 0]
        stroke(stage, deed, 1 - deed.side, tap - 0.06 * UP, tap, ease_smooth)
    hold(stage, deed, deed.side, where)


def point(stage: Stage, deed: Deed) -> Iterator[None]:
    """Point somewhere with the arm out, and again."""
    yield
    body, base = own(stage, deed)
    aside, high = deed.rng.uniform(-0.3, 1.0), deed.rng.uniform(-0.1, 0.4)
    way = base.facing[..., 0] + aside * outward(base, deed.side) + high * UP
    way = way / np.linalg.norm(way, axis=-1, keepdims=True)
    far = base.shoulders[:, deed.side] + 0.97 * body.arm_reach * way
    near = guard_place(stage, deed.actor, deed.side) + 0.12 * base.facing[..., 0]
    stroke(stage, deed, deed.side, near, far, ease_smooth, 0.15)


def stretch(stage: Stage, deed: Deed) -> Iterator[None]:
    """Stretch both arms up."""
    yield
    body, base = own(stage, deed)
    for side in (0, 1):
        up = base.shoulders[:, side] + body.arm_reach * (UP + 0.2 * outward(base, side))
        hold(stage, deed, side, up)


def rub_belly(stage: Stage, deed: Deed) -> Iterator[None]:
    """Rub the own belly or chest, or brushes the thigh-side of the shirt, softly."""
    yield
    body, base = own(stage, deed)
    low = chest_spot(body, base, deed.side, 0.35, 0.3)
    high = chest_spot(body, base, deed.side, deed.rng.uniform(0.55, 0.8), -0.2)
    stroke(stage, deed, deed.side, low, high, ease_smooth, beats=unhurried(deed))


def rock(stage: Stage, deed: Deed) -> Iterator[None]:
    """Rock the trunk or nods with the head, as fast as a blow, against nothing."""
    controls = stage.players[deed.actor].controls
    lean, drop = np.radians(deed.rng.uniform([10.0, 0.0], [32.0, 30.0]))
    for contact_s in deed.beats.contacts_s:
        blow = compute_blow(stage.times_s, contact_s, 1.6 * deed.beats.stroke_s)
        controls.trunk[:, 0] += lean * blow
        controls.head[:, 1] += drop * blow
    yield


SIZE = 0.20
"""Of a swing, in statures, as of a hit to the head."""


def swing_in_air(
    far: tuple[float, float, float],
    way: tuple[float, float, float],
    both_share: float = 0.4,
    size: float = SIZE,
) -> Act:
    """Return the act of swinging a hand, or both, to a place in the air, again and again.

    Args:
        far: Where it ends: forward, outward and up from the shoulder, in statures.
        way: From which side it comes: forward, outward, up.
        both_share: How often both hands do it.
        size: Statures from which it comes.
    """

    def act(stage: Stage, deed: Deed) -> Iterator[None]:
        sides = hands_used(deed, both_share)
        yield
        stature, base = stage.players[deed.actor].body.stature, stage.base(deed.actor)
        place = np.array(far) + deed.rng.uniform(-0.05, 0.05, size=3)
        came = np.array(way) + deed.rng.uniform(-0.2, 0.2, size=3)
        came = came / np.linalg.norm(came) * size * deed.beats.vigour * deed.rng.uniform(0.85, 1.15)
        raised = deed.rng.uniform(0.0, 0.7)
        for side in sides:
            axes = np.stack([base.facing[..., 0], outward(base, side), base.facing[..., 2]], -1)
            end = base.shoulders[:, side] + stature * axes @ place
            windup = end + stature * axes @ came
            stroke(stage, deed, side, windup, end, raised=raised)

    return act


def brush_clothes(stage: Stage, deed: Deed) -> Iterator[None]:
    """Brushes crumbs off the chest, as fast as a slap, along it."""
    sides = hands_used(deed, 0.3)
    yield
    body, base = own(stage, deed)
    aside = deed.rng.uniform(-0.3, 0.3)
    for side in sides:
        high = chest_spot(body, base, side, 0.8, aside)
        low = chest_spot(body, base, side, deed.rng.uniform(0.2, 0.45), aside + 0.3)
        low = low + 0.04 * body.stature * base.trunk[..., 0]
        stroke(stage, deed, side, high, low)


def tap_head(stage: Stage, deed: Deed) -> Iterator[None]:
    """Tap temple, cheek or crown with the fingers, softly and from near, as in thought."""
    yield
    body, base = own(stage, deed)
    name = str(deed.rng.choice(["temple", "cheek", "crown", "mouth"]))
    spot = head_spot(body, base, deed.side, name)
    size = body.stature * deed.rng.uniform(0.03, 0.06)
    windup = head_windup(base, deed.side, name, spot, size)
    stroke(stage, deed, deed.side, windup, spot, ease_smooth, raised=0.4)


def salute(stage: Stage, deed: Deed) -> Iterator[None]:
    """Bring the hand quickly to the forehead, keep it there for a moment, takes it off."""
    yield
    body, base = own(stage, deed)
    spot = head_spot(body, base, deed.side, "forehead", 0.01)
    away = base.shoulders[:, deed.side] + body.stature * (
        0.20 * base.facing[..., 0] + deed.rng.uniform(-0.1, 0.1) * UP
    )
    stay_s = float(deed.rng.uniform(0.08, 0.2))
    stroke(
        stage, deed, deed.side, away, spot, ease_smooth, stay_s, raised=0.6, beats=unhurried(deed)
    )


def cover_ears(stage: Stage, deed: Deed) -> Iterator[None]:
    """Clap both hands over the ears, or on the head, and keep them there."""
    yield
    body, base = own(stage, deed)
    name = "ear" if deed.rng.random() < 0.6 else "crown"
    for side in (0, 1):
        spot = head_spot(body, base, side, name)
        hold(stage, deed, side, spot, raised=0.6)


def flap_hands(stage: Stage, deed: Deed) -> Iterator[None]:
    """Flap both hands beside the shoulders, quickly."""
    rate_hz, phase = deed.rng.uniform(2.0, 3.5), deed.rng.uniform(0.0, np.pi)
    high = deed.rng.uniform(-0.12, 0.08)
    yield
    body, base = own(stage, deed)
    for side in (0, 1):
        beat = np.sin(2.0 * np.pi * rate_hz * stage.times_s + phase * side)
        where = base.shoulders[:, side] + body.stature * (
            0.12 * base.facing[..., 0] + 0.10 * outward(base, side) + high * UP
        )
        where = where + 0.05 * body.stature * beat[:, None] * UP
        hold(stage, deed, side, where, raised=0.3)


shake_fist = swing_in_air((0.24, 0.10, 0.02), (0.2, 0.3, 1.0))
drum_in_air = swing_in_air((0.26, 0.06, -0.14), (0.0, 0.1, 1.0), 0.6)
box_in_air = swing_in_air((0.23, 0.08, 0.0), (-1.0, 0.1, -0.2), 0.5, 0.18)
throw = swing_in_air((0.24, 0.12, 0.06), (-0.6, 0.7, 0.5), 0.2, 0.26)
conduct = swing_in_air((0.14, 0.22, 0.02), (-0.1, 0.4, 0.9), 0.5)
reach_up = swing_in_air((0.10, 0.16, 0.16), (0.1, 0.5, -0.9), 0.4)
shake_off = swing_in_air((0.18, 0.20, -0.18), (-0.2, 0.3, 1.0), 0.5)
swing_low = swing_in_air((0.16, 0.12, -0.26), (0.3, 0.3, 1.0), 0.5)
sweep = swing_in_air((0.24, 0.02, -0.16), (0.1, 1.0, 0.2), 0.4, 0.18)
beckon = swing_in_air((0.16, 0.18, 0.02), (0.9, 0.4, -0.2), 0.2)
fan_face = swing_in_air((0.16, -0.04, 0.14), (0.1, 1.0, 0.1), 0.2)
