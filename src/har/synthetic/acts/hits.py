"""Hitting oneself and hitting others: slaps, fists, pushes, kicks, and the head against things."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from har.synthetic.acts.strokes import (
    UP,
    Act,
    Deed,
    Hands,
    Style,
    close_gap,
    compute_period,
    direction,
    hands_used,
    hold_gate,
    now_and_then,
    other_spot,
    with_hands,
)
from har.synthetic.curves import (
    compute_blow,
    ease_rebound,
    ease_smooth,
)
from har.synthetic.skeleton import TRUNK_LIMITS, solve_base
from har.synthetic.stage import Box, Stage

SHORT_STAY_S = 0.04
HEAD_AT_BLOW = np.radians([0.0, 20.0, 0.0])


def hit_head(*spots: str, longest_stay_s: float = SHORT_STAY_S) -> Act:
    """Return the act of striking the own head at one of the named spots, again and again.

    Args:
        spots: Names of `HEAD_SPOTS`.
        longest_stay_s: The hand may stay where it has struck for up to so long.
    """

    @with_hands
    def act(hands: Hands) -> None:
        sides = hands.choose(0.35)
        name = str(hands.rng.choice(spots))
        size = 0.20 * hands.stature * hands.vigour * hands.rng.uniform(0.85, 1.15)
        raised = hands.rng.uniform(0.2, 0.9)
        stay_s = float(hands.rng.uniform(SHORT_STAY_S, longest_stay_s))
        for side in sides:
            spot = hands.head(name, side=side)
            windup = hands.before_head(side, name, spot, size)
            hands.stroke(side, windup, spot, dwell_s=stay_s, raised=raised)

    return act


@with_hands
def hit_chest(hands: Hands) -> None:
    """Strike the own chest with one hand or both."""
    sides = hands.choose(0.4)
    high, aside = hands.rng.uniform(0.6, 0.82), hands.rng.uniform(-0.3, 0.3)
    size = 0.17 * hands.stature * hands.vigour
    for side in sides:
        spot = hands.chest(side, high, aside)
        windup = spot + hands.base.trunk @ np.array([0.9, 0.0, 0.35]) * size
        windup += (
            0.5 * size * (hands.base.shoulders[:, side] - hands.base.shoulders.mean(axis=1)) * 3.0
        )
        hands.stroke(side, windup, spot, raised=0.5)


def hit_thigh(stage: Stage, deed: Deed) -> Iterator[None]:
    """Strike the own thigh with one hand or both."""
    sides = hands_used(deed, 0.5)
    player = stage.players[deed.actor]
    if player.posture == "stand":
        lean = np.radians(deed.rng.uniform(12.0, 25.0))
        player.controls.trunk[:, 0] += lean * hold_gate(stage.times_s, deed.beats)
    yield
    hands = Hands(stage, deed)
    share = deed.rng.uniform(0.3, 0.45) if player.posture == "stand" else 0.6
    size = 0.22 * hands.stature * deed.beats.vigour
    for side in sides:
        spot = hands.thigh(side, share)
        windup = spot + (0.35 * hands.ahead + np.array([0.0, 0.0, 1.0])) * size
        hands.stroke(side, windup, spot)


def bang_head(stage: Stage, deed: Deed) -> Iterator[None]:
    """Strike the head against the table or the wall at which the actor is."""
    if stage.piece is not None:
        _lean_against(stage, deed, stage.piece)
    yield


def _lean_against(stage: Stage, deed: Deed, piece: Box) -> None:
    controls = stage.players[deed.actor].controls
    for contact_s in deed.beats.contacts_s:
        at = int(np.abs(stage.times_s - contact_s).argmin())
        lean = solve_lean(stage, deed.actor, at, piece)
        blow = compute_blow(stage.times_s, contact_s, 1.6 * deed.beats.stroke_s)
        controls.trunk[:, 0] += (lean - controls.trunk[at, 0]) * blow
        controls.head += (HEAD_AT_BLOW - controls.head[at]) * blow[:, None]


def solve_lean(stage: Stage, who: int, at: int, piece: Box) -> float:
    """Return the lean in radians with which the forehead meets a table or a wall.

    The greatest lean there is where no lean reaches it.
    """
    player = stage.players[who]
    moment = player.controls.at(at)
    moment.head[:] = HEAD_AT_BLOW
    low, high = 0.0, float(TRUNK_LIMITS[0, 1])
    for _ in range(20):
        middle = 0.5 * (low + high)
        moment.trunk[:, 0] = middle
        base = solve_base(player.body, moment)
        forehead = base.on_head(*(np.array([0.8, 0.0, 0.6]) * player.body.head))[0]
        low, high = (middle, high) if compute_gap(piece, forehead) > 0.0 else (low, middle)
    return high


def compute_gap(piece: Box, place: np.ndarray) -> float:
    """Return meters from a place to the top of a table or the near face of a wall."""
    if piece.kind == "table":
        return float(place[2] - piece.size[2])
    ahead = np.array([np.cos(piece.yaw), np.sin(piece.yaw)])
    return float((np.array(piece.center) - place[:2]) @ ahead - 0.5 * piece.size[0])


SELF_HITS = (
    Style("fist_head", hit_head("temple", "forehead", "crown")),
    Style("slap_head", hit_head("temple", "ear", "back"), rarity=0.2),
    Style("slap_face", hit_head("cheek"), rarity=0.1),
    Style("hit_chest", hit_chest, rarity=0.25),
    Style("slap_thigh", hit_thigh, rarity=0.35),
    Style("hit_head_once", now_and_then(hit_head("temple", "cheek", "crown", "ear")), rarity=0.3),
    Style(
        "hit_head_and_stay",
        now_and_then(hit_head("temple", "cheek", "crown", "forehead", longest_stay_s=0.4)),
        rarity=0.3,
        often=2.0,
    ),
    Style("hit_chest_once", now_and_then(hit_chest), rarity=0.3),
    Style("head_on_table", bang_head, need="table"),
    Style("head_on_wall", bang_head, need="wall"),
)


def slap(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swing the hand from the side against the other's head, shoulder or chest."""
    close_gap(stage, deed)
    yield
    hands = Hands(stage, deed)
    out = hands.out(deed.side)
    target = hands.reach(("head", "head", "shoulder", "chest"), 0.7 * out)
    windup = target + 0.30 * hands.stature * deed.beats.vigour * out
    windup = windup - 0.08 * hands.stature * hands.ahead + np.array([0.0, 0.0, 0.06])
    hands.stroke(deed.side, windup, target, raised=deed.rng.uniform(0.4, 0.9))


def punch(stage: Stage, deed: Deed) -> Iterator[None]:
    """Thrust the fist straight at the other's chest, head, shoulder or belly."""
    close_gap(stage, deed)
    yield
    hands = Hands(stage, deed)
    target = hands.reach(("chest", "head", "shoulder", "belly"))
    windup = hands.guard(deed.side)
    hands.stroke(deed.side, windup, target, raised=0.1)
    if deed.rng.random() < 0.5:
        second = 1 - deed.side
        half_s = 0.5 * compute_period(deed)
        later = tuple(contact_s + half_s for contact_s in deed.beats.contacts_s)
        beats = dataclasses.replace(deed.beats, contacts_s=later)
        windup = hands.guard(second)
        hands.stroke(second, windup, target + 0.05 * hands.out(second), beats=beats)


def push(stage: Stage, deed: Deed) -> Iterator[None]:
    """Shove the other away with both hands."""
    close_gap(stage, deed)
    pushed, times_s = stage.players[deed.other].controls, stage.times_s
    away = direction(stage, deed.actor, deed.other)
    amount = deed.rng.uniform(0.08, 0.2)
    for contact_s in deed.beats.contacts_s:
        give = ease_rebound((times_s - contact_s) / 0.45)
        come = ease_smooth((times_s - contact_s - 0.45) / 0.6)
        if stage.players[deed.other].posture == "stand":
            pushed.root += (amount * (give - come))[:, None] * away
        pushed.trunk[:, 0] -= np.radians(12.0) * (give - come)
    yield
    hands = Hands(stage, deed)
    part = "chest" if deed.rng.random() < 0.75 else "belly"
    hand = hands.body.hand_radius
    other = stage.players[deed.other].body
    for side in (0, 1):
        shoulder = hands.base.shoulders[:, side]
        gap = hand + 0.5 * deed.short_m
        target = other_spot(other, stage.base(deed.other), shoulder, part, gap)
        target = target + 0.07 * hands.out(side)
        windup = hands.guard(side)
        hands.stroke(side, windup, target, dwell_s=0.12)


def kick(stage: Stage, deed: Deed, high: float = 1.1, lean_deg: float = 12.0) -> Iterator[None]:
    """Kick the other's leg or belly, up to ``high`` thighs above the knee, leaning back."""
    close_gap(stage, deed)
    controls, body = stage.players[deed.actor].controls, stage.players[deed.actor].body
    target = stage.base(deed.other)
    share = deed.rng.uniform(0.25, high)
    away = direction(stage, deed.actor, deed.other)
    hip, knee = target.legs[:, :, 0].mean(axis=1), target.legs[:, :, 1].mean(axis=1)
    spot = knee + share * (hip - knee)
    spot[:, :2] -= (0.09 * body.stature + deed.short_m) * away
    controls.kick[:, deed.side, :3] = spot
    for contact_s in deed.beats.contacts_s:
        blow = compute_blow(stage.times_s, contact_s, 1.5 * deed.beats.stroke_s)
        weight = controls.kick[:, deed.side, 3]
        controls.kick[:, deed.side, 3] = np.maximum(weight, blow)
        controls.trunk[:, 0] -= np.radians(lean_deg) * blow
    yield


def hit_with_stick(stage: Stage, deed: Deed) -> Iterator[None]:
    """Swing the stick that the actor holds down on the other."""
    close_gap(stage, deed)
    yield
    hands = Hands(stage, deed)
    target = hands.reach(("head", "shoulder", "chest"), gap=0.16)
    windup = hands.base.shoulders[:, deed.side] + 0.24 * hands.stature * UP
    windup = windup + 0.08 * hands.stature * (hands.out(deed.side) - hands.ahead)
    hands.stroke(deed.side, windup, target)


OTHER_HITS = (
    Style("slap", slap, need="partner", rarity=0.1),
    Style("punch", punch, need="partner"),
    Style("push", push, need="standing pair"),
    Style("kick", kick, need="standing pair", rarity=0.15),
    Style("hit_with_object", hit_with_stick, need="stick"),
)
