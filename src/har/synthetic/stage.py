"""Who is where and how they hold themselves: everything that is drawn before the class is.

A `Stage` is laid out first; acts then write hands, feet and bodies onto it, and `Stage.solve` gives
the joints. Nothing here knows which class will be acted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from har.synthetic.body import LEFT, SIDE_SIGNS, Body
from har.synthetic.curves import Ease, compute_travel, ease_smooth
from har.synthetic.skeleton import Base, Controls, solve_base, solve_joints

Posture = Literal["stand", "chair", "floor"]
ThingKind = Literal["ball", "stick", "phone", "cup"]


@dataclass(frozen=True)
class Beats:
    """When strokes land, and how: drawn before it is known what they will be strokes of.

    Attributes:
        start_s: From here on hands may leave their rest.
        end_s: By now they are back.
        contacts_s: Moments at which strokes land, ascending.
        stroke_s: How long the fast part before a landing takes.
        vigour: Size of the strokes, 1 the usual.
    """

    start_s: float
    end_s: float
    contacts_s: tuple[float, ...]
    stroke_s: float
    vigour: float


@dataclass(frozen=True)
class Box:
    """A piece of furniture: a block on the floor, turned by ``yaw``; sizes in meters."""

    kind: Literal["table", "wall", "stool"]
    center: tuple[float, float]
    size: tuple[float, float, float]
    yaw: float


@dataclass(frozen=True)
class Thing:
    """Something small that moves: thrown or held.

    Attributes:
        kind: What it looks like.
        radius: Meters: half its thickness.
        length: Meters, 0 for a ball.
        path: (T, 3) meters where it is by itself, or None while it is held.
        holder: Player and hand (0 left, 1 right) that hold it, or None.
        shown: (T,) bool: when it is there.
    """

    kind: ThingKind
    radius: float
    length: float
    path: np.ndarray | None
    holder: tuple[int, int] | None
    shown: np.ndarray


@dataclass(frozen=True)
class HandKey:
    """Where a hand shall be at a time.

    Attributes:
        time_s: When it is there.
        where: (T, 3) meters, or a name that `compute_rest` knows, or ``rest`` for the player's own.
        ease: Course from the key before to this one.
    """

    time_s: float
    where: np.ndarray | str
    ease: Ease = ease_smooth


@dataclass
class Player:
    """One person on the stage.

    ``rest`` names where each hand is when it does nothing; ``keys`` are what acts have it do.
    """

    body: Body
    controls: Controls
    posture: Posture
    rest: tuple[str, str]
    toy: ThingKind | None = None
    keys: tuple[list[HandKey], list[HandKey]] = field(default_factory=lambda: ([], []))


@dataclass
class Stage:
    """People, furniture and things over T times.

    Attributes:
        times_s: (T,) ascending seconds.
        players: Everyone, in the cast's order.
        furniture: What stands there.
        piece: The piece that the first actor is at, if any.
        things: What acts have thrown or held.
    """

    times_s: np.ndarray
    players: list[Player]
    furniture: list[Box]
    piece: Box | None = None
    things: list[Thing] = field(default_factory=list)
    _settled: dict[int, Base] | None = field(default=None, init=False, repr=False)

    def base(self, who: int) -> Base:
        """Return trunk, head and legs of one player as they are set by now; not to be changed."""
        if self._settled is not None and who in self._settled:
            return self._settled[who]
        player = self.players[who]
        base = solve_base(player.body, player.controls)
        if self._settled is not None:
            self._settled[who] = base
        return base

    def settle(self) -> None:
        """Fix all bodies: from now on only hands and elbows are moved."""
        self._settled = {}

    def move_hand(self, who: int, side: int, keys: list[HandKey]) -> None:
        """Have a hand leave its rest, go through ``keys``, and come back.

        The first and the last key should be at ``rest``. What an earlier act has the hand do
        between them is dropped.
        """
        lane = self.players[who].keys[side]
        kept = [k for k in lane if not keys[0].time_s < k.time_s < keys[-1].time_s]
        lane[:] = sorted([*kept, *keys], key=lambda key: key.time_s)

    def raise_elbow(self, who: int, side: int, gate: np.ndarray, amount: float) -> None:
        """Lift an elbow sideways by ``amount`` (0 to 1) where ``gate`` (T,) is 1."""
        elbows = self.players[who].controls.elbows
        elbows[:, side] = np.clip(elbows[:, side] + amount * gate, 0.0, 1.0)

    def solve(self) -> np.ndarray:
        """Return (T, P, J, 3) joints in meters."""
        return np.stack([self._solve_player(who) for who in range(len(self.players))], axis=1)

    def _solve_player(self, who: int) -> np.ndarray:
        player, base = self.players[who], self.base(who)
        hands = np.empty((len(self.times_s), 2, 3))
        for side, lane in enumerate(player.keys):
            keys = [HandKey(float(self.times_s[0]) - 60.0, "rest"), *lane]
            places = [self._find_place(player, base, side, key.where) for key in keys]
            ways = [(k.time_s, place, k.ease) for k, place in zip(keys, places, strict=True)]
            hands[:, side] = compute_travel(self.times_s, ways)
        return solve_joints(
            player.body, base, hands, player.controls.elbows, player.controls.rate_hz
        )

    @staticmethod
    def _find_place(player: Player, base: Base, side: int, where: np.ndarray | str) -> np.ndarray:
        if isinstance(where, str):
            name = player.rest[side] if where == "rest" else where
            return compute_rest(player.body, base, side, name)
        return where


def compute_rest(body: Body, base: Base, side: int, name: str) -> np.ndarray:
    """Return (T, 3) where a hand rests.

    Args:
        body: Measures.
        base: Trunk, head and legs.
        side: 0 left, 1 right.
        name: ``hang``, ``front`` (together before the belly), ``hip``, ``chest`` (folded), ``lap``
            or ``guard`` (raised before the face).
    """
    sign = SIDE_SIGNS[side]
    depth, width = body.trunk_radii
    aside = 0.0 if side == LEFT else 0.02
    if name == "lap":
        hip, knee = base.legs[:, side, 0], base.legs[:, side, 1]
        up = 0.05 * body.stature * np.array([0.0, 0.0, 1.0])
        return hip + 0.62 * (knee - hip) + up
    if name == "hang":
        down = 0.965 * body.arm_reach * np.array([0.0, 0.0, -1.0])
        drift = 0.05 * body.stature * base.facing[..., 0]
        out = 0.045 * body.stature * sign * base.facing[..., 1]
        return base.shoulders[:, side] + down + drift + out
    offsets = {
        "front": (depth + 0.10, sign * 0.04, 0.18 * body.trunk + aside),
        "hip": (0.02, sign * (width + 0.04), 0.12 * body.trunk),
        "chest": (depth + 0.05 + aside, -sign * 0.45 * width, 0.62 * body.trunk),
        "guard": (depth + 0.16, sign * 0.5 * width, 1.15 * body.trunk),
    }
    return base.on_trunk(*offsets[name])
