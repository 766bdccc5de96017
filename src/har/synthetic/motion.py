"""Made motion: who does what, from circumstances drawn before the class to joints over time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from har.synthetic.acts.other_hits import OTHER_HITS
from har.synthetic.acts.playing import PLAYING
from har.synthetic.acts.self_hits import SELF_HITS
from har.synthetic.acts.strokes import Deed, Need, Style, is_possible
from har.synthetic.body import Body
from har.synthetic.encounter import CLOSING_S, draw_encounter, draw_held
from har.synthetic.layout import draw_layout
from har.synthetic.scene import Scene
from har.synthetic.stage import Box, Stage, Thing

Label = Literal["hitting_others", "hitting_self", "playing"]
COMMON_FROM = 0.15
"""How far `variety` must be above a style's rarity for the style to be as likely as any."""

CONTACT_SHARE = 0.38
"""How much of play is with the partner within reach, where people meet.

With half of it, `har synth --check` tells hitting oneself by hands that do not go to another.
"""

GREETINGS = {"hug": 24.0, "shake_hands": 12.0}
"""How much more often people greet each other so where they meet, and hold on to each other."""

RARE_NEEDS: dict[Need, float] = {"table": 4.0, "wall": 4.0, "stick": 4.0}
"""How much more often a style is taken that needs something seldom there, when it is."""

LABELS: tuple[Label, ...] = get_args(Label)
STYLES: dict[Label, tuple[Style, ...]] = {
    "hitting_others": OTHER_HITS,
    "hitting_self": SELF_HITS,
    "playing": PLAYING,
}


@dataclass(frozen=True)
class Happening:
    """One thing that was done: truth for manifests and recordings."""

    label: Label
    style: str
    start_s: float
    end_s: float
    contacts_s: tuple[float, ...]
    subject: str
    target: str


@dataclass(frozen=True)
class Motion:
    """Made motion apart from camera and picture.

    Attributes:
        times_s: (T,) seconds.
        joints: (T, P, J, 3) metres, joints as in `skeleton.JOINT_NAMES`.
        bodies: P measures.
        names: P names of people, such as ``p1``.
        furniture: What stands there.
        things: What is thrown or held.
        acts: What is done, in order of time.
    """

    times_s: np.ndarray
    joints: np.ndarray
    bodies: tuple[Body, ...]
    names: tuple[str, ...]
    furniture: tuple[Box, ...]
    things: tuple[Thing, ...]
    acts: tuple[Happening, ...]


def draw_motion(
    scene: Scene, seed: int, slot: int, label: Label, length_s: float, meet: bool = False
) -> Motion:
    """Draws one clip's motion.

    Clips of the same scene and slot share every circumstance (who is there and where, how they
    walk up, stand, sway and nod, when strokes land and how fast); only what the actor does differs
    with the label.

    Args:
        scene: The group's people and place.
        seed: The generator's seed.
        slot: Number of the clip among those of its label in the scene.
        label: The class.
        length_s: Seconds.
        meet: People may come together and part, and `CONTACT_SHARE` of play among those who are
            within reach of each other is friendly contact.
    """
    times_s = np.arange(max(round(length_s * scene.fps), 2)) / scene.fps
    circumstances = np.random.default_rng([seed, scene.index, 1, slot])
    layout = draw_layout(circumstances, scene, times_s, pair=label == "hitting_others")
    if meet:
        layout = draw_encounter(circumstances, layout)
    details = np.random.default_rng([seed, scene.index, 2, slot, LABELS.index(label)])
    style = draw_style(details, label, layout.stage, (0, layout.partner), scene.variety, meet)
    deed = Deed(0, layout.partner, layout.beats, layout.side, details)
    if label == "hitting_others":
        deed = dataclasses.replace(deed, short_m=layout.short_m, force=layout.force)
    elif meet and style.name in GREETINGS:
        deed = dataclasses.replace(deed, beats=draw_held(details, layout), closing_s=CLOSING_S)
    perform(layout.stage, [*layout.pastimes, (style, deed)])
    return to_motion(layout.stage, layout.names, [describe(label, style, deed, layout.names)])


def draw_style(
    rng: np.random.Generator,
    label: Label,
    stage: Stage,
    pair: tuple[int, int | None],
    variety: float,
    meet: bool = False,
) -> Style:
    """Draws a way of doing it among those that the circumstances allow.

    Args:
        rng: Draws it.
        label: The class.
        stage: Where it will happen.
        pair: Who acts, and who is within reach, if anyone.
        variety: As in `SynthConfig`.
        meet: `CONTACT_SHARE` of play is with whoever is within reach.
    """
    styles = [style for style in STYLES[label] if is_possible(style.need, stage, *pair)]
    common = [1.0 if style.rarity == 0.0 else variety - style.rarity for style in styles]
    weights = np.clip(np.array(common) / COMMON_FROM, 0.0, 1.0)
    weights *= [style.often * RARE_NEEDS.get(style.need, 1.0) for style in styles]
    if meet and label == "playing":
        weights = _favour_contact(styles, weights)
    return styles[int(rng.choice(len(styles), p=weights / weights.sum()))]


def _favour_contact(styles: list[Style], weights: np.ndarray) -> np.ndarray:
    """Gives weights under which `CONTACT_SHARE` of play is with a partner, where there is one."""
    weights = weights * [GREETINGS.get(style.name, 1.0) for style in styles]
    with_partner = np.array([style.need in ("partner", "standing pair") for style in styles])
    if not weights[with_partner].any():
        return weights
    sums = np.where(with_partner, weights[with_partner].sum(), weights[~with_partner].sum())
    return weights / sums * np.where(with_partner, CONTACT_SHARE, 1.0 - CONTACT_SHARE)


def perform(stage: Stage, deeds: list[tuple[Style, Deed]]) -> None:
    """Lets all deeds set bodies, then all set hands; a later deed overrules an earlier one."""
    running = [style.act(stage, deed) for style, deed in deeds]
    for act in running:
        next(act)
    stage.settle()
    for act in running:
        next(act, None)


def describe(label: Label, style: Style, deed: Deed, names: tuple[str, ...]) -> Happening:
    """Gives the truth about a deed."""
    beats = deed.beats
    target = names[deed.other] if label == "hitting_others" else ""
    return Happening(
        label,
        style.name,
        beats.start_s,
        beats.end_s,
        beats.contacts_s,
        names[deed.actor],
        target,
    )


def to_motion(stage: Stage, names: tuple[str, ...], acts: list[Happening]) -> Motion:
    """Solves all joints of a stage."""
    return Motion(
        times_s=stage.times_s,
        joints=stage.solve(),
        bodies=tuple(player.body for player in stage.players),
        names=names,
        furniture=tuple(stage.furniture),
        things=tuple(stage.things),
        acts=tuple(acts),
    )
