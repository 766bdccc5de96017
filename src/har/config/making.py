"""Settings of what is made or recorded: synthetic clips, and takes of a test set of one's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from har.config.bounds import check, check_range

Posture = Literal["standing", "sitting", "pair"]
"""A part of a recorded session: one person standing, one person sitting, two people standing."""

_ID = re.compile(r"[a-z0-9_]{1,20}")


@dataclass(frozen=True)
class SynthConfig:
    """How synthetic clips and recordings look (`har synth`).

    Attributes:
        n_clips: Clips in all, spread evenly over the three classes.
        clip_s: Seconds of one clip.
        n_scenes: Scenes (groups); the clips of one share place, camera and people.
        size: (H, W) of the picture.
        fps: Frames a second; a scene draws its own from a few near this one.
        n_recordings: Long recordings with a truth file.
        recording_min: Minutes of one recording.
        variety: 0 the plainest scenes, 1 the full range of nuisances.
        seed: Same seed, same bytes.
    """

    n_clips: int = 60
    clip_s: float = 2.0
    n_scenes: int = 12
    size: tuple[int, int] = (240, 320)
    fps: float = 25.0
    n_recordings: int = 0
    recording_min: float = 2.0
    variety: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            n_clips=(0, 1_000_000),
            clip_s=(0.5, 30.0),
            n_scenes=(1, 100_000),
            fps=(5.0, 60.0),
            n_recordings=(0, 10_000),
            recording_min=(0.1, 240.0),
            variety=(0.0, 1.0),
        )
        for side in self.size:
            check(64 <= side <= 2160 and side % 2 == 0, "size", self.size, "of even sides, 64+")


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
        max_tries: A take that is too weak is asked for this often, then left out.
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
