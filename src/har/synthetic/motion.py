"""Synthetic motion: who does what, from circumstances drawn first to joints over time."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from har.synthetic.acts.hits import OTHER_HITS, SELF_HITS
from har.synthetic.acts.play import PLAYING
from har.synthetic.acts.strokes import Deed, Need, Style, is_possible
from har.synthetic.body import Body
from har.synthetic.curves import compute_plateau, ease_smooth
from har.synthetic.layout import Layout, draw_layout
from har.synthetic.manner import draw_beats
from har.synthetic.places import compute_way
from har.synthetic.scene import Scene
from har.synthetic.stage import Beats, Box, Player, Stage, Thing

COMES_SHARE, FAR_M, PACE_M_S = 0.65, (0.3, 1.9), (0.8, 1.7)
"""How often someone comes from farther away, how much farther, and how fast they walk."""
LEAVES_SHARE = 0.35
GIVES_WAY_SHARE, GIVES_WAY_M = 0.4, (0.1, 0.6)
"""How often the partner is moved back at the first stroke, and how far."""
ONE_STROKE_SHARE = 0.45
SHORT_SHARE, SHORT_M = 0.5, 0.35
"""How often hands fall short of the other, and by how much at most: evaded and held-back blows."""
NO_FORCE_SHARE = 0.2
"""How often only the arm or leg strikes, not the whole body."""
CLOSING_S = 0.8
"""Seconds in which people come close for a greeting: at a walk, where a blow is a lunge."""
HELD_S = (0.6, 3.0)
"""How long they hold on to each other."""
APART_M = 0.55
"""People within reach stand up to this much farther apart than the arm reaches at rest."""


def draw_encounter(rng: np.random.Generator, layout: Layout) -> Layout:
    """Add coming together and parting to a layout and set its beats anew.

    Args:
        rng: Draws it; has seen nothing of the class.
        layout: Its players are moved in place.
    """
    times_s = layout.stage.times_s
    length_s = float(times_s[-1])
    comes, far_m, pace_m_s = rng.random() < COMES_SHARE, rng.uniform(*FAR_M), rng.uniform(*PACE_M_S)
    far_m = min(far_m, 0.4 * length_s * pace_m_s)
    walk_s = far_m / pace_m_s if comes else 0.0
    start_s = walk_s * rng.uniform(0.7, 1.1) + rng.uniform(0.0, 0.15) * length_s
    beats = draw_beats(rng, min(start_s, 0.6 * length_s), length_s - 0.05)
    if rng.random() < ONE_STROKE_SHARE:
        contacts_s = beats.contacts_s[:1]
        beats = dataclasses.replace(
            beats, contacts_s=contacts_s, end_s=min(beats.end_s, contacts_s[0] + 0.6)
        )
    partner = layout.partner
    share = float(rng.choice([0.0, 0.5, 1.0], p=[0.5, 0.25, 0.25]))
    leaves, away_m = rng.random() < LEAVES_SHARE, rng.uniform(*FAR_M)
    gives, back_m = rng.random() < GIVES_WAY_SHARE, rng.uniform(*GIVES_WAY_M)
    if partner is not None:
        actor, other = layout.stage.players[0], layout.stage.players[partner]
        way = compute_way(actor.controls.root.mean(axis=0), other.controls.root.mean(axis=0))
        _move(other, np.full(len(times_s), rng.uniform(0.0, APART_M)), way)
        if comes:
            gone = 1.0 - ease_smooth((times_s - (start_s - walk_s)) / max(walk_s, 0.1))
            _move(actor, gone * far_m * (1.0 - share), -way)
            _move(other, gone * far_m * share, way)
        if leaves:
            parted = ease_smooth((times_s - beats.end_s) / max(away_m / pace_m_s, 0.2))
            _move(actor, parted * away_m * (1.0 - share), -way)
            _move(other, parted * away_m * share, way)
        if gives:
            pushed = compute_plateau(times_s, beats.contacts_s[0] + 0.05, beats.end_s + 2.0, 0.35)
            _move(other, pushed * back_m, way)
            other.controls.trunk[:, 0] -= np.radians(25.0) * back_m * pushed
    short_m = rng.uniform(0.0, SHORT_M) if rng.random() < SHORT_SHARE else 0.0
    force = rng.uniform(0.2, 1.0) if rng.random() >= NO_FORCE_SHARE else 0.0
    return dataclasses.replace(layout, beats=beats, short_m=float(short_m), force=float(force))


def draw_held(rng: np.random.Generator, layout: Layout) -> Beats:
    """Draw beats for what is done once, without haste, and held: a greeting."""
    beats, end_s = layout.beats, float(layout.stage.times_s[-1])
    closed_s = beats.start_s + CLOSING_S * float(rng.uniform(0.7, 1.3))
    contact_s = min(closed_s, end_s - 0.1)
    return dataclasses.replace(
        beats,
        contacts_s=(contact_s,),
        end_s=min(contact_s + float(rng.uniform(*HELD_S)), end_s),
        stroke_s=2.0 * beats.stroke_s,
    )


def _move(player: Player, meters: np.ndarray, way: np.ndarray) -> None:
    if player.posture == "stand":
        player.controls.root += meters[:, None] * way


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


def draw_motion(
    scene: Scene, seed: int, slot: int, label: Label, length_s: float, meet: bool = False
) -> Motion:
    """Draw one clip's motion.

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
    """Draw a way of doing it among those that the circumstances allow.

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
        weights = _favor_contact(styles, weights)
    return styles[int(rng.choice(len(styles), p=weights / weights.sum()))]


def _favor_contact(styles: list[Style], weights: np.ndarray) -> np.ndarray:
    """Return weights under which `CONTACT_SHARE` of play is with a partner, where there is one."""
    weights = weights * [GREETINGS.get(style.name, 1.0) for style in styles]
    with_partner = np.array([style.need in ("partner", "standing pair") for style in styles])
    if not weights[with_partner].any():
        return weights
    sums = np.where(with_partner, weights[with_partner].sum(), weights[~with_partner].sum())
    return weights / sums * np.where(with_partner, CONTACT_SHARE, 1.0 - CONTACT_SHARE)


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
