"""Hitting others: slap, punch, push, kick, and with an object."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.strokes import (
    Deed,
    Style,
    hands_used,
    hold_gate,
    other_spot,
    outward,
    stroke_keys,
)
from har.synthetic.easing import compute_blow, ease_rebound
from har.synthetic.stage import Stage


def slap(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swings the hand from the side against the other's head, shoulder or chest."""
    close_gap(stage, deed)
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    out = outward(base, deed.side)
    target = reachable_spot(stage, deed, ("head", "head", "shoulder", "chest"), 0.7 * out)
    windup = target + 0.30 * body.stature * deed.beats.vigour * out
    windup = windup - 0.08 * body.stature * base.facing[..., 0] + np.array([0.0, 0.0, 0.06])
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, windup, target))
    gate = hold_gate(stage.times_s, deed.beats)
    stage.raise_elbow(deed.actor, deed.side, gate, deed.rng.uniform(0.4, 0.9))


def punch(stage: Stage, deed: Deed) -> Iterator[None]:
    """Thrusts the fist straight at the other's chest, head, shoulder or belly."""
    close_gap(stage, deed)
    yield
    base = stage.base(deed.actor)
    target = reachable_spot(stage, deed, ("chest", "head", "shoulder", "belly"))
    windup = guard_place(stage, deed.actor, deed.side)
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, windup, target))
    stage.raise_elbow(deed.actor, deed.side, hold_gate(stage.times_s, deed.beats), 0.3)
    if deed.rng.random() < 0.5:
        second = 1 - deed.side
        target = target + 0.05 * outward(base, second)
        windup = guard_place(stage, deed.actor, second)
        later = [t + 0.5 * g for t, g in _gaps(deed)]
        keys = stroke_keys(_with_contacts(deed, later), windup, target)
        stage.move_hand(deed.actor, second, keys)


def push(stage: Stage, deed: Deed) -> Iterator[None]:
    """Shoves the other away with both hands."""
    close_gap(stage, deed)
    pushed, times_s = stage.players[deed.other].controls, stage.times_s
    away = direction(stage, deed.actor, deed.other)
    amount = deed.rng.uniform(0.08, 0.2)
    for contact_s in deed.beats.contacts_s:
        give = ease_rebound((times_s - contact_s) / 0.45)
        come = ease_rebound((times_s - contact_s - 0.45) / 0.5)
        if stage.players[deed.other].posture == "stand":
            pushed.root += (amount * (give - 0.8 * come))[:, None] * away
        pushed.trunk[:, 0] -= np.radians(12.0) * (give - come)
    yield
    base = stage.base(deed.actor)
    part = "chest" if deed.rng.random() < 0.75 else "belly"
    hand = stage.players[deed.actor].body.hand_radius
    other = stage.players[deed.other].body
    for side in (0, 1):
        target = other_spot(other, stage.base(deed.other), base.shoulders[:, side], part, hand)
        target = target + 0.07 * outward(base, side)
        windup = guard_place(stage, deed.actor, side)
        keys = stroke_keys(deed.beats, windup, target, dwell_s=0.12)
        stage.move_hand(deed.actor, side, keys)


def kick(stage: Stage, deed: Deed) -> Iterator[None]:
    """Kicks the other's leg or belly."""
    close_gap(stage, deed)
    controls, body = stage.players[deed.actor].controls, stage.players[deed.actor].body
    target = stage.base(deed.other)
    share = deed.rng.uniform(0.25, 1.1)
    away = direction(stage, deed.actor, deed.other)
    hip, knee = target.legs[:, :, 0].mean(axis=1), target.legs[:, :, 1].mean(axis=1)
    spot = knee + share * (hip - knee)
    spot[:, :2] -= 0.09 * body.stature * away
    controls.kick[:, deed.side, :3] = spot
    for contact_s in deed.beats.contacts_s:
        blow = compute_blow(stage.times_s, contact_s, 1.5 * deed.beats.stroke_s)
        weight = controls.kick[:, deed.side, 3]
        controls.kick[:, deed.side, 3] = np.maximum(weight, blow)
        controls.trunk[:, 0] -= np.radians(12.0) * blow
    yield


def hit_with_stick(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swings the stick that the actor holds down on the other."""
    close_gap(stage, deed)
    yield
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    target = reachable_spot(stage, deed, ("head", "shoulder", "chest"), gap=0.16)
    up = np.array([0.0, 0.0, 1.0])
    windup = base.shoulders[:, deed.side] + 0.24 * body.stature * up
    windup = windup + 0.08 * body.stature * (outward(base, deed.side) - base.facing[..., 0])
    stage.move_hand(deed.actor, deed.side, stroke_keys(deed.beats, windup, target))


def direction(stage: Stage, start: int, end: int) -> np.ndarray:
    """Gives (2,) the unit way on the floor from one player to another, over the whole stage."""
    way = (stage.players[end].controls.root - stage.players[start].controls.root).mean(axis=0)
    return way / max(float(np.linalg.norm(way)), 1e-6)


def guard_place(stage: Stage, who: int, side: int) -> np.ndarray:
    """Gives (T, 3) a fist drawn back beside the own chest."""
    body, base = stage.players[who].body, stage.base(who)
    back = 0.02 * body.stature * base.facing[..., 0] - 0.06 * body.stature * base.facing[..., 2]
    return base.shoulders[:, side] + back + 0.05 * body.stature * outward(base, side)


def reachable_spot(
    stage: Stage,
    deed: Deed,
    parts: tuple[str, ...],
    swing: np.ndarray | float = 0.0,
    gap: float = 0.0,
) -> np.ndarray:
    """Draws a place on the other's body that the hand can reach; else gives the nearest one.

    Args:
        parts: Names that `other_spot` knows; an earlier one is as likely as a later one.
        swing: (T, 3) bends the side from which the touch comes, 0 straight from the actor.
        gap: Metres left between skin and hand, for a held object.
    """
    body, base = stage.players[deed.actor].body, stage.base(deed.actor)
    other, other_base = stage.players[deed.other].body, stage.base(deed.other)
    shoulder = base.shoulders[:, deed.side]
    at = int(np.abs(stage.times_s - deed.beats.contacts_s[0]).argmin())
    spots = []
    for part in deed.rng.permutation(np.array(parts)):
        towards = shoulder + swing if part == "head" else shoulder
        spot = other_spot(other, other_base, towards, str(part), body.hand_radius + gap)
        spots.append((float(np.linalg.norm(spot - shoulder, axis=-1)[at]), spot))
    within = [spot for far, spot in spots if far <= body.arm_reach]
    return within[0] if within else min(spots, key=lambda item: item[0])[1]


def close_gap(stage: Stage, deed: Deed) -> None:
    """Moves the actor up to the other where the arm would fall short of the chest or shoulder."""
    actor, base = stage.players[deed.actor], stage.base(deed.actor)
    other = stage.players[deed.other]
    shoulder = base.shoulders[:, deed.side]
    reach = 0.94 * actor.body.arm_reach
    contact_s = deed.beats.contacts_s[0]
    at = int(np.abs(stage.times_s - contact_s).argmin())
    spots = [
        other_spot(other.body, stage.base(deed.other), shoulder, part, actor.body.hand_radius)[at]
        for part in ("chest", "shoulder")
    ]
    short = min(float(np.linalg.norm(spot - shoulder[at])) for spot in spots) - reach
    if short <= 0.0:
        return
    gate = hold_gate(stage.times_s, deed.beats)
    if actor.posture == "stand":
        actor.controls.root += (short * gate)[:, None] * direction(stage, deed.actor, deed.other)
    elif other.posture == "stand":
        other.controls.root -= (short * gate)[:, None] * direction(stage, deed.actor, deed.other)
    else:
        actor.controls.trunk[:, 0] += min(short / actor.body.trunk, 0.9) * gate


def _gaps(deed: Deed) -> list[tuple[float, float]]:
    contacts = deed.beats.contacts_s
    return [(a, b - a) for a, b in zip(contacts, contacts[1:], strict=False)] or [
        (contacts[0], 0.5)
    ]


def _with_contacts(deed: Deed, contacts_s: list[float]):
    import dataclasses

    end_s = max(deed.beats.end_s, contacts_s[-1] + 0.35)
    return dataclasses.replace(deed.beats, contacts_s=tuple(contacts_s), end_s=end_s)


OTHER_HITS = (
    Style("slap", slap, need="partner", plain=True),
    Style("punch", punch, need="partner", plain=True),
    Style("push", push, need="standing pair", plain=True),
    Style("kick", kick, need="standing pair"),
    Style("hit_with_object", hit_with_stick, need="stick"),
)
