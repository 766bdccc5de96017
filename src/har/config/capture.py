"""How takes of a test set of one's own are recorded (`har record`)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from har.config.bounds import check, check_range

Posture = Literal["standing", "sitting", "pair"]
"""A part of a recorded session: one person standing, one person sitting, two people standing."""

_ID = re.compile(r"[a-z0-9_]{1,20}")


@dataclass(frozen=True)
class CaptureConfig:
    """How takes are recorded (`har record`).

    Attributes:
        person: An id, no real name, of who is before the camera.
        place: An id of the room and camera; with the person it is the takes' group.
        partner: An id of the second person, or empty for takes of one person only.
        postures: Parts of the session, in their order.
        take_s: Seconds of one take.
        ready_s: Seconds before each take to read what to do and get ready.
        settle_s: Seconds before each part to move chairs; in a film they must be there too.
        max_tries: A take that is too weak is repeated up to this often, then left out.
        seed: With the person, draws the order of the takes.
    """

    person: str = "p1"
    place: str = "here"
    partner: str = ""
    postures: tuple[Posture, ...] = ("standing", "sitting", "pair")
    take_s: float = 4.0
    ready_s: float = 5.0
    settle_s: float = 15.0
    max_tries: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            take_s=(1.0, 30.0),
            ready_s=(1.0, 60.0),
            settle_s=(0.0, 300.0),
            max_tries=(1, 20),
        )
        for name in ("person", "place", "partner"):
            value = getattr(self, name)
            ok = bool(_ID.fullmatch(value)) or (name == "partner" and not value)
            check(ok, name, value, "an id of up to 20 small letters, digits and _, such as p1")
        check(self.partner != self.person, "partner", self.partner, "someone else than the person")
        known = get_args(Posture)
        ok = len(set(self.postures)) == len(self.postures) > 0 and set(self.postures) <= set(known)
        check(ok, "postures", self.postures, f"some of {', '.join(known)}, none twice")
        ok = bool(self.partner) or self.postures != ("pair",)
        check(ok, "partner", self.partner, "an id, because takes of two people need a second one")
