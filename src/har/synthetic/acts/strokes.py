"""What acts share: the deed, places on bodies that hands reach for, and repeated strokes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from har.synthetic.body import SIDE_SIGNS, Body
from har.synthetic.curves import Ease, compute_plateau, ease_rebound, ease_smooth, ease_strike
from har.synthetic.manner import compute_way
from har.synthetic.skeleton import Base
from har.synthetic.stage import Beats, HandKey, Stage, Thing, ThingKind

Act = Callable[[Stage, "Deed"], Iterator[None]]
"""An act writes bodies up to its one ``yield`` and hands after it, when all bodies are set."""

Need = Literal["nothing", "partner", "table", "wall", "stick", "standing", "standing pair"]


@dataclass(frozen=True)
class Style:
    """One way of doing something.

    Attributes:
        name: As it is written to the manifest.
        act: What moves.
        need: What must be there for it.
        rarity: From which `variety` on it is met; 0 in the plainest scenes too.
        often: How much more often than others it is taken.
    """

    name: str
    act: Act
    need: Need = "nothing"
    rarity: float = 0.0
    often: float = 1.0


@dataclass(frozen=True)
class Deed:
    """Who does something, with whom, and when.

    Attributes:
        actor: Index of the player who does it.
        partner: Index of the player whom it concerns, or None.
        beats: When strokes land.
        side: The actor's better hand, 0 left, 1 right.
        rng: Draws the act's own details.
        short_m: How far a blow at another falls short of it.
        closing_s: Seconds in which the actor comes close enough.
    """

    actor: int
    partner: int | None
    beats: Beats
    side: int
    rng: np.random.Generator
    short_m: float = 0.0
    closing_s: float = 0.3

    @property
    def other(self) -> int:
        """The partner, for acts that need one."""
        return self.actor if self.partner is None else self.partner


UP = np.array([0.0, 0.0, 1.0])


def is_possible(need: Need, stage: Stage, actor: int, partner: int | None) -> bool:
    """Return whether what an act needs is there; only the first player is at the furniture.

    ``partner`` is who is within reach of the actor, or None.
    """
    player = stage.players[actor]
    stands = player.posture == "stand"
    if need in ("partner", "standing pair"):
        other = None if partner is None else stage.players[partner]
        return other is not None and (need == "partner" or (stands and other.posture == "stand"))
    if need in ("table", "wall"):
        return actor == 0 and stage.piece is not None and stage.piece.kind == need
    if need == "stick":
        return player.toy == "stick" and (partner is not None or len(stage.players) == 1)
    return need == "nothing" or stands


HEAD_SPOTS = {
    "temple": ((0.35, 0.80, 0.30), (0.25, 1.0, 0.25)),
    "ear": ((0.0, 1.0, 0.0), (0.1, 1.0, 0.15)),
    "cheek": ((0.70, 0.65, -0.25), (0.45, 1.0, 0.0)),
    "forehead": ((0.90, 0.20, 0.50), (1.0, 0.35, 0.35)),
    "crown": ((0.30, 0.30, 0.95), (0.6, 0.35, 0.9)),
    "mouth": ((0.95, 0.08, -0.45), (1.0, 0.3, -0.4)),
    "eyes": ((0.95, 0.35, 0.10), (1.0, 0.8, 0.0)),
    "back": ((-0.70, 0.50, 0.10), (-0.5, 1.0, 0.2)),
}
"""Places on the head (forward, outward, up) and the way from which a hand comes to them."""


def other_spot(
    body: Body, base: Base, towards: np.ndarray, part: str, gap: float = 0.0
) -> np.ndarray:
    """Return (T, 3) a touched place on someone else.

    Args:
        body: Measures of the one who is touched.
        base: How that one is held.
        towards: (T, 3) where the touch comes from.
        part: ``head``, ``chest``, ``belly`` or ``shoulder`` (the nearer one).
        gap: Meters from the skin to the toucher's middle.
    """
    up = base.trunk[..., 2]
    if part == "head":
        center, radius = base.skull, body.head[1]
    elif part == "shoulder":
        near = np.linalg.norm(base.shoulders - towards[:, None], axis=-1).argmin(axis=1)[0]
        center, radius = base.shoulders[:, near] + 0.02 * up, 0.035 * body.stature
    else:
        high = 0.75 if part == "chest" else 0.4
        center, radius = base.pelvis + high * body.trunk * up, body.trunk_radii[0]
    way = towards - center
    if part in ("chest", "belly"):
        way = way - (way * up).sum(axis=-1, keepdims=True) * up
    way = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6)
    return center + (radius + gap) * way


def outward(base: Base, side: int) -> np.ndarray:
    """Return (T, 3) the unit direction to a side of the body."""
    return SIDE_SIGNS[side] * base.facing[..., 1]


def stroke_keys(
    beats: Beats,
    windup: np.ndarray,
    target: np.ndarray,
    ease: Ease = ease_strike,
    dwell_s: float = 0.04,
) -> list[HandKey]:
    """Return a hand's way: from rest to the wind-up, and to the target at every beat."""
    keys = [HandKey(beats.start_s, "rest")]
    free_s = beats.start_s + 0.1
    back = ease_rebound if ease is ease_strike else ease_smooth
    for contact_s in beats.contacts_s:
        ready_s = max(contact_s - beats.stroke_s, free_s)
        keys += [HandKey(ready_s, windup), HandKey(contact_s, target, ease)]
        keys.append(HandKey(contact_s + dwell_s, target))
        free_s = contact_s + dwell_s + 0.8 * beats.stroke_s
        keys.append(HandKey(free_s, windup, back))
    return [*keys[:-1], HandKey(max(beats.end_s, free_s), "rest")]


def unhurried(deed: Deed) -> Beats:
    """Draw beats for what is done at leisure: perhaps every second one only, each more slowly."""
    contacts_s = deed.beats.contacts_s[:: int(deed.rng.integers(1, 4))]
    slow_s = deed.beats.stroke_s * float(deed.rng.uniform(1.3, 3.0))
    period_s = min(np.diff(contacts_s), default=1.0)
    return dataclasses.replace(
        deed.beats, contacts_s=contacts_s, stroke_s=min(slow_s, 0.45 * float(period_s))
    )


def now_and_then(act: Act) -> Act:
    """Return the act with only some of its strokes: one alone, or with pauses between them."""

    def sparse(stage: Stage, deed: Deed) -> Iterator[None]:
        all_s = deed.beats.contacts_s
        kept_s = tuple(time_s for time_s in all_s if deed.rng.random() < 0.4)
        beats = dataclasses.replace(deed.beats, contacts_s=kept_s or all_s[:1])
        return act(stage, dataclasses.replace(deed, beats=beats))

    return sparse


def hold_keys(beats: Beats, where: np.ndarray) -> list[HandKey]:
    """Return a hand's way to one place, which it keeps while the beats last."""
    start_s = max(beats.start_s + 0.2, beats.contacts_s[0] - 0.5 * beats.stroke_s)
    end_s = max(beats.end_s - 0.4, start_s + 0.3)
    keys = [HandKey(beats.start_s, "rest"), HandKey(start_s, where)]
    return [*keys, HandKey(end_s, where), HandKey(end_s + 0.4, "rest")]


def hold_gate(times_s: np.ndarray, beats: Beats, ramp_s: float = 0.3) -> np.ndarray:
    """Return (T,) 1 while the beats last, 0 outside, with soft ramps."""
    return compute_plateau(times_s, beats.start_s, beats.end_s + 0.1, ramp_s)


def hands_used(deed: Deed, both_share: float) -> tuple[int, ...]:
    """Draw whether the better hand or both hands do it."""
    return (0, 1) if deed.rng.random() < both_share else (deed.side,)


def compute_period(deed: Deed) -> float:
    """Return seconds from one stroke to the next."""
    contacts = np.array(deed.beats.contacts_s)
    return float(np.diff(contacts).mean()) if len(contacts) > 1 else 0.6


def while_beats(stage: Stage, deed: Deed) -> np.ndarray:
    """Return (T,) bool: from when the hands leave their rest until they are back."""
    start_s, end_s = deed.beats.start_s, deed.beats.end_s + 0.4
    return (stage.times_s >= start_s) & (stage.times_s <= end_s)


def hold_thing(stage: Stage, deed: Deed, kind: ThingKind, radius: float, length: float) -> None:
    """Put a thing of these meters into the actor's better hand while the deed lasts."""
    shown = while_beats(stage, deed)
    stage.things.append(Thing(kind, radius, length, None, (deed.actor, deed.side), shown))


def direction(stage: Stage, start: int, end: int) -> np.ndarray:
    """Return (2,) the unit way on the floor from one player to another, over the whole stage."""
    roots = [stage.players[who].controls.root.mean(axis=0) for who in (start, end)]
    return compute_way(*roots)


def close_gap(stage: Stage, deed: Deed) -> None:
    """Move the actor up to the other where the arm would fall short of the chest or shoulder."""
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


class Hands:
    """The actor's hands once all bodies are set: where they can go, and how they are sent there.

    Places are (T, 3) meters of a hand's middle; sides are 0 left, 1 right.
    """

    def __init__(self, stage: Stage, deed: Deed) -> None:
        self.stage, self.deed = stage, deed
        self.body, self.base = stage.players[deed.actor].body, stage.base(deed.actor)
        self.rng, self.side, self.vigour = deed.rng, deed.side, deed.beats.vigour
        self.stature, self.ahead = self.body.stature, self.base.facing[..., 0]
        self.times_s = stage.times_s

    def choose(self, both_share: float) -> tuple[int, ...]:
        """Draw whether the better hand or both hands do it."""
        return hands_used(self.deed, both_share)

    def out(self, side: int) -> np.ndarray:
        """Return (T, 3) the unit direction to a side of the body."""
        return outward(self.base, side)

    def head(self, name: str, gap: float = 0.0, side: int | None = None) -> np.ndarray:
        """Return where a hand, the better one unless said, touches the head, or is ``gap`` off."""
        signs = np.array([1.0, SIDE_SIGNS[self.side if side is None else side], 1.0])
        toward = np.array(HEAD_SPOTS[name][0]) * signs
        toward = toward / np.linalg.norm(toward)
        far = np.array(self.body.head) + self.body.hand_radius + gap
        return self.base.on_head(*(toward * far))

    def before_head(self, side: int, name: str, spot: np.ndarray, size: float) -> np.ndarray:
        """Return from where a hand swings ``size`` meters to a place on the head."""
        way = np.array(HEAD_SPOTS[name][1]) * np.array([1.0, SIDE_SIGNS[side], 1.0])
        return spot + self.base.head @ (way / np.linalg.norm(way) * size)

    def chest(self, side: int, high: float, aside: float) -> np.ndarray:
        """Return a touched place on the front of the trunk.

        Args:
            side: The hand.
            high: Share of the trunk's length from the hips.
            aside: Share of the trunk's half width, to the hand's own side.
        """
        depth, width = self.body.trunk_radii
        front = depth * np.sqrt(max(1.0 - aside**2, 0.0)) + self.body.hand_radius
        return self.base.on_trunk(front, SIDE_SIGNS[side] * aside * width, high * self.body.trunk)

    def thigh(self, side: int, share: float) -> np.ndarray:
        """Return a touched place on a thigh, ``share`` of the way from hip to knee."""
        hip, knee = self.base.legs[:, side, 0], self.base.legs[:, side, 1]
        along = (knee - hip) / np.linalg.norm(knee - hip, axis=-1, keepdims=True)
        front = self.ahead + np.array([0.0, 0.0, 0.6])
        front = front - (front * along).sum(axis=-1, keepdims=True) * along
        front = front / np.linalg.norm(front, axis=-1, keepdims=True)
        return hip + share * (knee - hip) + (0.045 * self.stature + self.body.hand_radius) * front

    def guard(self, side: int) -> np.ndarray:
        """Return a fist drawn back beside the chest."""
        up = self.base.facing[..., 2]
        back = 0.10 * self.ahead - 0.10 * up + 0.02 * self.out(side)
        return self.base.shoulders[:, side] + self.stature * back

    def reach(
        self, parts: tuple[str, ...], swing: np.ndarray | float = 0.0, gap: float = 0.0
    ) -> np.ndarray:
        """Draw a place on the other's body that the better hand can reach, else the nearest one.

        Args:
            parts: Names that `other_spot` knows; an earlier one is as likely as a later one.
            swing: (T, 3) bends the side from which a head is touched, 0 straight from the actor.
            gap: Meters left between skin and hand, for a held object.
        """
        deed, stage = self.deed, self.stage
        other, other_base = stage.players[deed.other].body, stage.base(deed.other)
        shoulder = self.base.shoulders[:, self.side]
        at = int(np.abs(self.times_s - deed.beats.contacts_s[0]).argmin())
        spots = []
        for part in self.rng.permutation(np.array(parts)):
            towards = shoulder + swing if part == "head" else shoulder
            off = self.body.hand_radius + gap + deed.short_m
            spot = other_spot(other, other_base, towards, str(part), off)
            spots.append((float(np.linalg.norm(spot - shoulder, axis=-1)[at]), spot))
        within = [spot for far, spot in spots if far <= self.body.arm_reach]
        return within[0] if within else min(spots, key=lambda item: item[0])[1]

    def stroke(
        self,
        side: int,
        windup: np.ndarray,
        target: np.ndarray,
        ease: Ease = ease_strike,
        dwell_s: float = 0.04,
        raised: float = 0.0,
        beats: Beats | None = None,
    ) -> None:
        """Strike at the deed's beats, or at others, with the elbow raised by 0 to 1."""
        keys = stroke_keys(beats or self.deed.beats, windup, target, ease, dwell_s)
        self._send(side, keys, raised)

    def hold(self, side: int, where: np.ndarray, raised: float = 0.0) -> None:
        """Keep a hand at a place while the beats last, with the elbow raised by 0 to 1."""
        self._send(side, hold_keys(self.deed.beats, where), raised)

    def _send(self, side: int, keys: list[HandKey], raised: float) -> None:
        self.stage.move_hand(self.deed.actor, side, keys)
        gate = hold_gate(self.times_s, self.deed.beats)
        self.stage.raise_elbow(self.deed.actor, side, gate, raised)


def with_hands(move: Callable[[Hands], None]) -> Act:
    """Return the act that leaves all bodies as they are and then moves the actor's hands."""

    def act(stage: Stage, deed: Deed) -> Iterator[None]:
        yield
        move(Hands(stage, deed))

    return act
