"""Gestures of one person: near misses of hits, some as fast and as often repeated as blows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.strokes import (
    UP,
    Act,
    Deed,
    Hands,
    compute_period,
    hold_gate,
    hold_thing,
    unhurried,
    with_hands,
)
from har.synthetic.curves import compute_blow, compute_pulse, ease_smooth
from har.synthetic.stage import Stage


@with_hands
def wave(hands: Hands) -> None:
    """Wave a raised hand, or both, beside the head."""
    sides = hands.choose(0.25)
    high, wide = hands.rng.uniform(0.10, 0.22), 0.15 * hands.vigour
    for side in sides:
        out = hands.out(side)
        middle = hands.base.shoulders[:, side] + hands.stature * (
            high * UP + 0.14 * out + 0.08 * hands.ahead
        )
        far = wide * hands.stature * out
        hands.stroke(side, middle - far, middle + far, ease_smooth, raised=0.6)


@with_hands
def clap(hands: Hands) -> None:
    """Clap the hands before the chest, or over the head."""
    overhead = hands.rng.random() < 0.2
    ahead, high = (0.08, 1.75) if overhead else (0.20, hands.rng.uniform(0.6, 1.0))
    for side in (0, 1):
        aside = 0.9 * hands.body.hand_radius * (1.0 if side == 0 else -1.0)
        meet = hands.base.on_trunk(ahead * hands.stature, aside, high * hands.body.trunk)
        apart = meet + 0.17 * hands.stature * hands.vigour * hands.out(side)
        hands.stroke(side, apart, meet, raised=0.5)


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
    hands = Hands(stage, deed)
    for side in (0, 1):
        out, sign = hands.out(side), 1.0 if side == 0 else -1.0
        swing = (0.17 * sign * np.sin(phase))[:, None] * UP
        where = hands.base.shoulders[:, side] + hands.stature * (
            0.17 * out + 0.12 * hands.ahead + swing - 0.02 * UP
        )
        hands.hold(side, where, raised=0.6)


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
    hands = Hands(stage, deed)
    for side in (0, 1):
        out = hands.out(side)
        low = hands.base.shoulders[:, side] + hands.stature * (0.12 * out - 0.30 * UP)
        high = hands.base.shoulders[:, side] + hands.stature * (0.20 * out + 0.18 * UP)
        hands.stroke(side, low, high, ease_smooth)


def go_to_head(spot_name: str, rub_m: float, rub_hz: float, gap_m: float = 0.0) -> Act:
    """Return the act of bringing a hand softly to the head and rubbing or holding there."""

    @with_hands
    def act(hands: Hands) -> None:
        spot = hands.head(spot_name, gap_m)
        rub = np.sin(2 * np.pi * rub_hz * hands.times_s)[:, None] * hands.base.head[..., 2]
        hands.hold(hands.side, spot + rub_m * rub, raised=hands.rng.uniform(0.1, 0.8))

    return act


@with_hands
def stroke_hair(hands: Hands) -> None:
    """Slide a hand from the crown down to the ear, softly, again and again."""
    high = hands.head("crown")
    low = hands.head("ear") - 0.03 * hands.stature * UP
    hands.stroke(hands.side, high, low, ease_smooth, raised=0.5, beats=unhurried(hands.deed))


@with_hands
def wipe_face(hands: Hands) -> None:
    """Wipe across mouth and cheek."""
    near = hands.head("mouth")
    far = hands.head("cheek")
    hands.stroke(hands.side, near, far, ease_smooth, raised=0.5, beats=unhurried(hands.deed))


@with_hands
def cover_face(hands: Hands) -> None:
    """Covers the face with both hands and opens them again: peekaboo."""
    beats = unhurried(hands.deed)
    for side in (0, 1):
        eyes = hands.head("eyes", side=side)
        apart = hands.before_head(side, "eyes", eyes, 0.18 * hands.stature)
        hands.stroke(side, apart, eyes, ease_smooth, 0.15, beats=beats)


@with_hands
def swat(hands: Hands) -> None:
    """Swat at a fly near the head: as fast as a slap, and touch nothing."""
    name = str(hands.rng.choice(["temple", "cheek", "forehead"]))
    spot = hands.head(name, 0.09 * hands.stature)
    windup = hands.before_head(hands.side, name, spot, 0.18 * hands.stature)
    hands.stroke(hands.side, windup, spot)


@with_hands
def eat(hands: Hands) -> None:
    """Bring something from before the belly to the mouth, again and again."""
    mouth = hands.head("mouth", 0.02)
    bowl = hands.base.on_trunk(0.17 * hands.stature, 0.0, 0.35 * hands.body.trunk)
    hands.stroke(hands.side, bowl, mouth, ease_smooth, 0.12, beats=unhurried(hands.deed))
    hold_thing(hands.stage, hands.deed, "cup", 0.035, 0.09)


@with_hands
def phone(hands: Hands) -> None:
    """Hold a phone to the ear, or before the face and tap on it."""
    hold_thing(hands.stage, hands.deed, "phone", 0.03, 0.14)
    if hands.rng.random() < 0.5:
        where = hands.head("ear", 0.02)
    else:
        where = hands.base.on_trunk(0.19 * hands.stature, 0.0, 0.75 * hands.body.trunk)
        tap = where + 0.02 * hands.base.trunk[..., 0]
        hands.stroke(1 - hands.side, tap - 0.06 * UP, tap, ease_smooth)
    hands.hold(hands.side, where)


@with_hands
def point(hands: Hands) -> None:
    """Point somewhere with the arm out, and again."""
    aside, high = hands.rng.uniform(-0.3, 1.0), hands.rng.uniform(-0.1, 0.4)
    way = hands.ahead + aside * hands.out(hands.side) + high * UP
    way = way / np.linalg.norm(way, axis=-1, keepdims=True)
    far = hands.base.shoulders[:, hands.side] + 0.97 * hands.body.arm_reach * way
    near = hands.guard(hands.side) + 0.12 * hands.ahead
    hands.stroke(hands.side, near, far, ease_smooth, 0.15)


@with_hands
def stretch(hands: Hands) -> None:
    """Stretch both arms up."""
    for side in (0, 1):
        up = hands.base.shoulders[:, side] + hands.body.arm_reach * (UP + 0.2 * hands.out(side))
        hands.hold(side, up)


@with_hands
def rub_belly(hands: Hands) -> None:
    """Rub the own belly or chest, or brushes the thigh-side of the shirt, softly."""
    low = hands.chest(hands.side, 0.35, 0.3)
    high = hands.chest(hands.side, hands.rng.uniform(0.55, 0.8), -0.2)
    hands.stroke(hands.side, low, high, ease_smooth, beats=unhurried(hands.deed))


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

    @with_hands
    def act(hands: Hands) -> None:
        sides = hands.choose(both_share)
        place = np.array(far) + hands.rng.uniform(-0.05, 0.05, size=3)
        came = np.array(way) + hands.rng.uniform(-0.2, 0.2, size=3)
        came = came / np.linalg.norm(came) * size * hands.vigour * hands.rng.uniform(0.85, 1.15)
        raised = hands.rng.uniform(0.0, 0.7)
        for side in sides:
            axes = np.stack([hands.ahead, hands.out(side), hands.base.facing[..., 2]], -1)
            end = hands.base.shoulders[:, side] + hands.stature * axes @ place
            windup = end + hands.stature * axes @ came
            hands.stroke(side, windup, end, raised=raised)

    return act


@with_hands
def brush_clothes(hands: Hands) -> None:
    """Brushes crumbs off the chest, as fast as a slap, along it."""
    sides = hands.choose(0.3)
    aside = hands.rng.uniform(-0.3, 0.3)
    for side in sides:
        high = hands.chest(side, 0.8, aside)
        low = hands.chest(side, hands.rng.uniform(0.2, 0.45), aside + 0.3)
        low = low + 0.04 * hands.stature * hands.base.trunk[..., 0]
        hands.stroke(side, high, low)


@with_hands
def tap_head(hands: Hands) -> None:
    """Tap temple, cheek or crown with the fingers, softly and from near, as in thought."""
    name = str(hands.rng.choice(["temple", "cheek", "crown", "mouth"]))
    spot = hands.head(name)
    size = hands.stature * hands.rng.uniform(0.03, 0.06)
    windup = hands.before_head(hands.side, name, spot, size)
    hands.stroke(hands.side, windup, spot, ease_smooth, raised=0.4)


@with_hands
def salute(hands: Hands) -> None:
    """Bring the hand quickly to the forehead, keep it there for a moment, takes it off."""
    spot = hands.head("forehead", 0.01)
    away = hands.base.shoulders[:, hands.side] + hands.stature * (
        0.20 * hands.ahead + hands.rng.uniform(-0.1, 0.1) * UP
    )
    stay_s = float(hands.rng.uniform(0.08, 0.2))
    hands.stroke(hands.side, away, spot, ease_smooth, stay_s, 0.6, unhurried(hands.deed))


@with_hands
def cover_ears(hands: Hands) -> None:
    """Clap both hands over the ears, or on the head, and keep them there."""
    name = "ear" if hands.rng.random() < 0.6 else "crown"
    for side in (0, 1):
        spot = hands.head(name, side=side)
        hands.hold(side, spot, raised=0.6)


@with_hands
def flap_hands(hands: Hands) -> None:
    """Flap both hands beside the shoulders, quickly."""
    rate_hz, phase = hands.rng.uniform(2.0, 3.5), hands.rng.uniform(0.0, np.pi)
    high = hands.rng.uniform(-0.12, 0.08)
    for side in (0, 1):
        beat = np.sin(2.0 * np.pi * rate_hz * hands.times_s + phase * side)
        where = hands.base.shoulders[:, side] + hands.stature * (
            0.12 * hands.ahead + 0.10 * hands.out(side) + high * UP
        )
        where = where + 0.05 * hands.stature * beat[:, None] * UP
        hands.hold(side, where, raised=0.3)


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
