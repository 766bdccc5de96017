"""Getting within reach of someone: the way there, places to touch, and one step nearer."""

from __future__ import annotations

import numpy as np

from har.synthetic.acts.strokes import Deed, hold_gate, other_spot, outward
from har.synthetic.places import compute_way
from har.synthetic.stage import Stage


def direction(stage: Stage, start: int, end: int) -> np.ndarray:
    """Gives (2,) the unit way on the floor from one player to another, over the whole stage."""
    roots = [stage.players[who].controls.root.mean(axis=0) for who in (start, end)]
    return compute_way(*roots)


def guard_place(stage: Stage, who: int, side: int) -> np.ndarray:
    """Gives (T, 3) a fist drawn back beside the own chest."""
    body, base = stage.players[who].body, stage.base(who)
    ahead = 0.10 * base.facing[..., 0] - 0.10 * base.facing[..., 2] + 0.02 * outward(base, side)
    return base.shoulders[:, side] + body.stature * ahead


def reachable_spot(
    stage: Stage,
    deed: Deed,
    parts: tuple[str, ...],
    swing: np.ndarray | float = 0.0,
    gap: float = 0.0,
) -> np.ndarray:
    """Draws a place on the other's body that the hand can reach; else gives the nearest one.

    Args:
        stage: Where it happens.
        deed: Who reaches for whom.
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
        spot = other_spot(
            other, other_base, towards, str(part), body.hand_radius + gap + deed.short_m
        )
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
    nearest = min(float(np.linalg.norm(spot - shoulder[at])) for spot in spots)
    short = nearest - reach - deed.short_m
    if short <= 0.0:
        return
    gate = hold_gate(stage.times_s, deed.beats, deed.closing_s)
    if actor.posture == "stand":
        actor.controls.root += (short * gate)[:, None] * direction(stage, deed.actor, deed.other)
    elif other.posture == "stand":
        other.controls.root -= (short * gate)[:, None] * direction(stage, deed.actor, deed.other)
    else:
        actor.controls.trunk[:, 0] += min(short / actor.body.trunk, 0.9) * gate
