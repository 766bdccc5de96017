"""What is recorded in a session: soft taps to oneself, everyday gestures, and two people's acts.

Every part asks for more takes of `playing` than of hits, most of them near misses: hands that go to
the head, the face or the other person and do not hit. All start and end with the hands at rest, so
that rest says nothing of the class.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from har.config import CaptureConfig, Posture

Hand = Literal["left", "right", "both"]
Label = Literal["hitting_self", "hitting_others", "playing"]


@dataclass(frozen=True)
class Act:
    """Something to do; in ``cue``, ``{hand}`` and ``{other}`` stand for which hand and whom."""

    style: str
    label: Label
    cue: str


@dataclass(frozen=True)
class Take:
    """One act to film.

    Attributes:
        actor: Id of who does it.
        target: Id of who it is done to, or empty.
        cue: What to do, as a sentence.
    """

    style: str
    label: Label
    posture: Posture
    hand: Hand
    actor: str
    target: str
    cue: str

    @property
    def name(self) -> str:
        """Tell the take from all others of its session.

        >>> Take("wave", "playing", "standing", "left", "p1", "", "Wave.").name
        'standing_wave_left_p1'
        """
        return f"{self.posture}_{self.style}_{self.hand}_{self.actor}"

    @property
    def n_people(self) -> int:
        """People that must be in the picture."""
        return 2 if self.posture == "pair" else 1

    @property
    def is_still(self) -> bool:
        """Return that nothing is to be done."""
        return self.style == "idle"


@dataclass(frozen=True)
class Slot:
    """When a take happens in a film of the whole script: ``[start_s, end_s)``."""

    take: Take
    start_s: float
    end_s: float


PART_WORDS: dict[Posture, str] = {
    "standing": "STANDING: face the camera, two to three meters away, from head to knees in the "
    "picture. Every take starts and ends with the arms hanging.",
    "sitting": "SITTING: sit on a chair that faces the camera, from head to knees in the picture. "
    "Every take starts and ends with the hands on the lap.",
    "pair": "TWO PEOPLE: stand side by side, half turned to each other, an arm's length apart, "
    "from head to knees in the picture. Taps on arm and shoulder are soft.",
}
"""How to set up each part."""

_TIMES = "softly, three to five times"
_SELF_TAPS = (
    Act("tap_temple", "hitting_self", f"Tap the side of your head with {{hand}}, {_TIMES}."),
    Act("tap_forehead", "hitting_self", f"Tap your forehead with {{hand}}, {_TIMES}."),
    Act("tap_cheek", "hitting_self", f"Tap your cheek with {{hand}}, {_TIMES}."),
    Act("tap_chest", "hitting_self", f"Tap your chest with {{hand}}, {_TIMES}."),
    Act("tap_thigh", "hitting_self", f"Lift {{hand}} and tap your thigh, {_TIMES}."),
)
_ONE_HAND = (
    Act("wave", "playing", "Wave at the camera with {hand}."),
    Act("point", "playing", "Point at two or three things in the room with {hand}."),
    Act("phone", "playing", "Pick up a phone (or none) with {hand} and hold it to your ear."),
    Act("scratch_head", "playing", "Scratch your head with {hand}."),
    Act("stroke_hair", "playing", "Stroke your hair back with {hand}, twice or more."),
    Act("eat", "playing", "Eat with {hand}: several times from a plate to your mouth."),
    Act("drink", "playing", "Drink with {hand}: lift a cup to your mouth twice."),
    Act("wipe_face", "playing", "Wipe your face with {hand}."),
    Act("adjust_glasses", "playing", "Put your glasses right with {hand}, twice (none will do)."),
    Act("swat_fly", "playing", "Chase away a fly from before your face with {hand}."),
    Act("rub_eyes", "playing", "Rub an eye with {hand}."),
    Act("rub_belly", "playing", "Rub your belly with {hand}."),
    Act("rest_chin", "playing", "Rest your chin on {hand} for a moment."),
)
_BOTH_HANDS = (
    Act("clap", "playing", "Clap your hands before your chest."),
    Act("cover_face", "playing", "Cover your face with both hands, and take them away; twice."),
    Act("stretch", "playing", "Stretch your arms up and to the sides."),
    Act("dance", "playing", "Dance a little with your arms."),
)
_IDLE = Act("idle", "playing", "Do nothing: hands at rest, look about.")
_PAIR_HITS = (
    Act("tap_arm", "hitting_others", f"{{actor}} taps {{other}}'s arm with {{hand}}, {_TIMES}."),
    Act(
        "tap_shoulder",
        "hitting_others",
        f"{{actor}} taps {{other}}'s shoulder with {{hand}}, {_TIMES}.",
    ),
)
_PAIR_FRIENDLY = (
    Act("high_five", "playing", "{actor} gives {other} a high five with {hand}, twice."),
    Act("shake_hands", "playing", "{actor} offers {other} {hand}; shake hands."),
    Act("pat", "playing", "{actor} lays {hand} on {other}'s shoulder and leaves it there."),
    Act("point", "playing", "{actor} points at {other} with {hand} and talks."),
    Act("pass_thing", "playing", "{actor} hands {other} something with {hand}, and gets it back."),
)
_HANDS: tuple[Hand, ...] = ("left", "right", "both")
_SIDES: tuple[Hand, Hand] = ("left", "right")
_WORDS: dict[Hand, str] = {
    "left": "the LEFT hand",
    "right": "the RIGHT hand",
    "both": "BOTH hands",
}


def plan_takes(config: CaptureConfig) -> list[Take]:
    """Return the takes of a session in the order in which they are asked for.

    Parts come in turn, so that chairs are moved once; within a part the order is drawn from the
    seed and the person, so that no class comes early or late for everyone.

    >>> takes = plan_takes(CaptureConfig(partner="p2"))
    >>> [sum(take.label == label for take in takes) for label in ("hitting_self", "playing")]
    [30, 46]
    """
    rng = np.random.default_rng([config.seed, zlib.crc32(config.person.encode())])
    takes: list[Take] = []
    for posture in config.postures:
        part = list(_iter_pair(config) if posture == "pair" else _iter_single(config, posture))
        takes += [part[index] for index in rng.permutation(len(part))]
    return takes


def plan_slots(config: CaptureConfig) -> list[Slot]:
    """Return when each take happens in a film of the whole session.

    >>> slots = plan_slots(CaptureConfig())
    >>> [(slot.start_s, slot.end_s) for slot in slots[:2]]
    [(20.0, 24.0), (29.0, 33.0)]
    """
    slots: list[Slot] = []
    now_s, posture = 0.0, None
    for take in plan_takes(config):
        if take.posture != posture:
            now_s += config.settle_s
        start_s = now_s + config.ready_s
        now_s, posture = start_s + config.take_s, take.posture
        slots.append(Slot(take, start_s, now_s))
    return slots


def _iter_single(config: CaptureConfig, posture: Posture) -> Iterator[Take]:
    """Return each tap with each hand, and each gesture with the hand not used in the other part."""
    for act in _SELF_TAPS:
        for hand in _HANDS:
            yield _direct(act, posture, hand, config.person)
    for index, act in enumerate(_ONE_HAND):
        hand = _SIDES[(index + config.seed + (posture == "sitting")) % 2]
        yield _direct(act, posture, hand, config.person)
    for act in (*_BOTH_HANDS, _IDLE):
        yield _direct(act, posture, "both", config.person)


def _iter_pair(config: CaptureConfig) -> Iterator[Take]:
    """Return the acts of two, each done by both; hit with each hand. None without a partner."""
    if not config.partner:
        return
    roles = ((config.person, config.partner), (config.partner, config.person))
    for turn, (actor, other) in enumerate(roles):
        for act in _PAIR_HITS:
            for hand in _SIDES:
                yield _direct(act, "pair", hand, actor, other)
        for index, act in enumerate(_PAIR_FRIENDLY):
            yield _direct(act, "pair", _SIDES[(index + turn) % 2], actor, other)


def _direct(act: Act, posture: Posture, hand: Hand, actor: str, other: str = "") -> Take:
    cue = act.cue.format(hand=_WORDS[hand], actor=actor, other=other)
    target = other if act.label == "hitting_others" else ""
    return Take(act.style, act.label, posture, hand, actor, target, cue)


def count_labels(labels: Iterable[str]) -> dict[str, int]:
    """Return how often each label occurs, in the order of their names.

    >>> count_labels(["playing", "hitting_self", "playing"])
    {'hitting_self': 1, 'playing': 2}
    """
    found = list(labels)
    return {label: found.count(label) for label in sorted(set(found))}
