"""Synthetic motion: who does what, from circumstances drawn first to joints over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from har.synthetic.acts.hits import OTHER_HITS, SELF_HITS
from har.synthetic.acts.play import PLAYING
from har.synthetic.acts.strokes import Deed, Need, Style, is_possible
from har.synthetic.body import Body
from har.synthetic.layout import draw_layout
from har.synthetic.scene import Scene
from har.synthetic.stage import Box, Stage, Thing

Label = Literal["hitting_others", "hitting_self", "playing"]
COMMON_FROM = 0.15
"""How far `variety` must be above a style's rarity for the style to be as likely as any."""

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
    """Synthetic motion apart from camera and picture.

    Attributes:
        times_s: (T,) seconds.
        joints: (T, P, J, 3) meters, joints as in `skeleton.JOINT_NAMES`.
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


def draw_motion(scene: Scene, seed: int, slot: int, label: Label, length_s: float) -> Motion:
    """Draw one clip's motion, the ``slot``-th of its label in a scene.

    Clips of the same scene and slot share every circumstance (who is there and where, how they
    walk up, stand, sway and nod, when strokes land and how fast); only what the actor does differs
    with the label.
    """
    times_s = np.arange(max(round(length_s * scene.fps), 2)) / scene.fps
    circumstances = np.random.default_rng([seed, scene.index, 1, slot])
    layout = draw_layout(circumstances, scene, times_s, pair=label == "hitting_others")
    details = np.random.default_rng([seed, scene.index, 2, slot, LABELS.index(label)])
    style = draw_style(details, label, layout.stage, (0, layout.partner), scene.variety)
    deed = Deed(0, layout.partner, layout.beats, layout.side, details)
    perform(layout.stage, [*layout.pastimes, (style, deed)])
    return to_motion(layout.stage, layout.names, [describe(label, style, deed, layout.names)])


def draw_style(
    rng: np.random.Generator,
    label: Label,
    stage: Stage,
    pair: tuple[int, int | None],
    variety: float,
) -> Style:
    """Draw a way of doing it, see `compute_style_weights`."""
    styles, weights = compute_style_weights(label, stage, pair, variety)
    return styles[int(rng.choice(len(styles), p=weights / weights.sum()))]


def compute_style_weights(
    label: Label, stage: Stage, pair: tuple[int, int | None], variety: float
) -> tuple[list[Style], np.ndarray]:
    """Return the ways of doing it that the circumstances allow, and how often each is taken.

    ``pair`` is who acts, and who is within reach of the actor, if anyone.
    """
    styles = [style for style in STYLES[label] if is_possible(style.need, stage, *pair)]
    common = [1.0 if style.rarity == 0.0 else variety - style.rarity for style in styles]
    weights = np.clip(np.array(common) / COMMON_FROM, 0.0, 1.0)
    weights *= [style.often * RARE_NEEDS.get(style.need, 1.0) for style in styles]
    return styles, weights


def perform(stage: Stage, deeds: list[tuple[Style, Deed]]) -> None:
    """Let all deeds set bodies, then all set hands; a later deed overrules an earlier one."""
    running = [style.act(stage, deed) for style, deed in deeds]
    for act in running:
        next(act)
    stage.settle()
    for act in running:
        next(act, None)


def describe(label: Label, style: Style, deed: Deed, names: tuple[str, ...]) -> Happening:
    """Return the truth about a deed."""
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
    """Solve all joints of a stage."""
    return Motion(
        times_s=stage.times_s,
        joints=stage.solve(),
        bodies=tuple(player.body for player in stage.players),
        names=names,
        furniture=tuple(stage.furniture),
        things=tuple(stage.things),
        acts=tuple(acts),
    )
