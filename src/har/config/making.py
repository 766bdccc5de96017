"""Settings of what is made or staged: clips, skeleton sequences, takes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from har.config.bounds import check, check_range

Posture = Literal["standing", "sitting", "pair"]
"""A part of a staged session: one person standing, one person sitting, two people standing."""

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
class StagingConfig:
    """How staged takes are recorded (`har stage`).

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


@dataclass(frozen=True)
class SequencesConfig:
    """How synthetic skeleton sequences look (`har synth --skeletons`).

    Attributes:
        n_sequences: Sequences in all.
        per_scene: Sequences that share place, camera and people: a group.
        length_s: Least and greatest seconds of one.
        rate_hz: Steps a second.
        shares: How often each class is drawn, in the order of `synthetic.motion.LABELS`: hitting
            others, hitting oneself, playing. Near misses outnumber hits.
        stature_px: Least and greatest height of the tallest person in pixels.
        variety: 0 the plainest scenes, 1 the full range of nuisances.
        seed: Same seed, same sequences.
    """

    n_sequences: int = 30_000
    per_scene: int = 6
    length_s: tuple[float, float] = (2.0, 5.0)
    rate_hz: float = 10.0
    shares: tuple[float, float, float] = (0.25, 0.25, 0.5)
    stature_px: tuple[float, float] = (60.0, 260.0)
    variety: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            n_sequences=(1, 10_000_000),
            per_scene=(1, 1000),
            rate_hz=(2.0, 60.0),
            variety=(0.0, 1.0),
        )
        least_s, most_s = self.length_s
        check(1.0 <= least_s <= most_s <= 30.0, "length_s", self.length_s, "from 1 to 30 s")
        least_px, most_px = self.stature_px
        check(8.0 <= least_px <= most_px <= 1000.0, "stature_px", self.stature_px, "8 to 1000 px")
        is_share = min(self.shares) >= 0.0 and abs(sum(self.shares) - 1.0) < 1e-6
        check(is_share, "shares", self.shares, "three shares of sum 1")


@dataclass(frozen=True)
class ComposeConfig:
    """How clips become a long recording (`benchmarks.recordings_parts.compose`).

    Attributes:
        length_s: Seconds of a recording; it ends with the clip that fills them.
        gap_s: Least and greatest seconds of background between two acts.
        max_run: Clips of one group and label that follow each other, at most.
        size: (H, W) in pixels.
        fps: Frames a second.
    """

    length_s: float = 600.0
    gap_s: tuple[float, float] = (10.0, 50.0)
    max_run: int = 3
    size: tuple[int, int] = (360, 640)
    fps: float = 25.0

    def __post_init__(self) -> None:
        check_range(self, length_s=(1.0, 86_400.0), max_run=(1, 100), fps=(1.0, 240.0))
        low, high = self.gap_s
        check(0.0 <= low <= high, "gap_s", self.gap_s, "two lengths, the lesser one first")
        ok = all(32 <= side <= 4096 and side % 2 == 0 for side in self.size)
        check(ok, "size", self.size, "two even numbers from 32 to 4096")
