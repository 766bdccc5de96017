"""Hands that move as fast and as often as blows, and hit nobody: the near misses of hits.

What swings in the air here has the size, the beats and the ease of a hit; what goes to the own head
or body comes softly, stays, or brushes along it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.strokes import (
    UP,
    Act,
    Deed,
    chest_spot,
    hands_used,
    head_spot,
    head_windup,
    hold_gate,
    hold_keys,
    outward,
    stroke_keys,
    unhurried,
)
from har.synthetic.easing import ease_smooth
from har.synthetic.stage import Stage

SIZE = 0.20
"""Of a swing, in statures, as of a hit to the head."""


def swing_in_air(
    far: tuple[float, float, float],
    way: tuple[float, float, float],
    both_share: float = 0.4,
    size: float = SIZE,
) -> Act:
    """Gives the act of swinging a hand, or both, to a place in the air, again and again.

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
            stage.move_hand(deed.actor, side, stroke_keys(deed.beats, windup, end))
            stage.raise_elbow(deed.actor, side, hold_gate(stage.times_s, deed.beats), raised)

    return act


def brush_clothes(stage: Stage, deed: Deed) -> Iterator[None]:
    """Brushes crumbs off the chest, as fast as a slap, along it."""
    sides = hands_used(deed, 0.3)
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    aside = deed.rng.uniform(-0.3, 0.3)
    for side in sides:
        high = chest_spot(player.body, base, side, 0.8, aside)
        low = chest_spot(player.body, base, side, deed.rng.uniform(0.2, 0.45), aside + 0.3)
        low = low + 0.04 * player.body.stature * base.trunk[..., 0]
        stage.move_hand(deed.actor, side, stroke_keys(deed.beats, high, low))


def tap_head(stage: Stage, deed: Deed) -> Iterator[None]:
    """Taps temple, cheek or crown with the fingers, softly and from near, as in thought."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    name = str(deed.rng.choice(["temple", "cheek", "crown", "mouth"]))
    spot = head_spot(player.body, base, deed.side, name)
    size = player.body.stature * deed.rng.uniform(0.03, 0.06)
    windup = head_windup(base, deed.side, name, spot, size)
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, windup, spot, ease_smooth))
    stage.raise_elbow(deed.actor, deed.side, hold_gate(stage.times_s, deed.beats), 0.4)


def salute(stage: Stage, deed: Deed) -> Iterator[None]:
    """Brings the hand quickly to the forehead, keeps it there for a moment, takes it off."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    spot = head_spot(player.body, base, deed.side, "forehead", 0.01)
    away = base.shoulders[:, deed.side] + player.body.stature * (
        0.20 * base.facing[..., 0] + deed.rng.uniform(-0.1, 0.1) * UP
    )
    stay_s = float(deed.rng.uniform(0.08, 0.2))
    keys = stroke_keys(unhurried(deed), away, spot, ease_smooth, stay_s)
    stage.move_hand(deed.actor, deed.side, keys)
    stage.raise_elbow(deed.actor, deed.side, hold_gate(stage.times_s, deed.beats), 0.6)


def cover_ears(stage: Stage, deed: Deed) -> Iterator[None]:
    """Claps both hands over the ears, or on the head, and keeps them there."""
    yield
    player, base = stage.players[deed.actor], stage.base(deed.actor)
    name = "ear" if deed.rng.random() < 0.6 else "crown"
    for side in (0, 1):
        spot = head_spot(player.body, base, side, name)
        stage.move_hand(deed.actor, side, hold_keys(deed.beats, spot))
        stage.raise_elbow(deed.actor, side, hold_gate(stage.times_s, deed.beats), 0.6)


def flap_hands(stage: Stage, deed: Deed) -> Iterator[None]:
    """Flaps both hands beside the shoulders, quickly."""
    rate_hz, phase = deed.rng.uniform(2.0, 3.5), deed.rng.uniform(0.0, np.pi)
    high = deed.rng.uniform(-0.12, 0.08)
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    for side in (0, 1):
        beat = np.sin(2.0 * np.pi * rate_hz * stage.times_s + phase * side)
        where = base.shoulders[:, side] + body.stature * (
            0.12 * base.facing[..., 0] + 0.10 * outward(base, side) + high * UP
        )
        where = where + 0.05 * body.stature * beat[:, None] * UP
        stage.move_hand(deed.actor, side, hold_keys(deed.beats, where))
        stage.raise_elbow(deed.actor, side, hold_gate(stage.times_s, deed.beats), 0.3)


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
