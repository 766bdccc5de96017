"""Motion of people who meet: they come together and part, greet each other, strike with force.

Clips of `har.synthetic` show acts in place. What learns from skeletons alone must also see how
people come up to each other, fall short of each other and give way, or it learns the places of
the generator instead of the acts.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from har.synthetic.acts.hits import OTHER_HITS, kick
from har.synthetic.acts.strokes import Act, Deed, Style, direction
from har.synthetic.curves import compute_plateau, compute_pulse, ease_smooth
from har.synthetic.layout import Layout, draw_layout
from har.synthetic.manner import compute_way, draw_beats
from har.synthetic.motion import (
    LABELS,
    Label,
    Motion,
    compute_style_weights,
    describe,
    perform,
    to_motion,
)
from har.synthetic.scene import Scene
from har.synthetic.stage import Beats, Player, Stage

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

CONTACT_SHARE = 0.38
"""How much of play is with the partner within reach.

With half of it, `benchmarks/cues.py` tells hitting oneself by hands that do not go to another.
"""

GREETINGS = {"hug": 24.0, "shake_hands": 12.0}
"""How much more often people greet each other so than in clips, and hold on to each other."""


@dataclass(frozen=True)
class Encounter:
    """How two people meet.

    Attributes:
        layout: The circumstances, with players moved and beats drawn anew.
        short_m: How far a blow falls short.
        force: How far the whole body goes with it, 0 to 1.
    """

    layout: Layout
    short_m: float
    force: float


def draw_meeting(scene: Scene, seed: int, slot: int, label: Label, length_s: float) -> Motion:
    """Draw the motion of one sequence, as `har.synthetic.motion.draw_motion` does that of a clip.

    Args:
        scene: The group's people and place.
        seed: The generator's seed.
        slot: Number of the sequence in the scene.
        label: The class.
        length_s: Seconds.
    """
    times_s = np.arange(max(round(length_s * scene.fps), 2)) / scene.fps
    circumstances = np.random.default_rng([seed, scene.index, 1, slot])
    pair = label == "hitting_others"
    met = draw_encounter(circumstances, draw_layout(circumstances, scene, times_s, pair))
    layout = met.layout
    details = np.random.default_rng([seed, scene.index, 2, slot, LABELS.index(label)])
    style = draw_style(details, label, layout, scene.variety)
    deed = Deed(0, layout.partner, layout.beats, layout.side, details)
    if pair:
        style = put_force(style, met.force)
        deed = dataclasses.replace(deed, short_m=met.short_m)
    elif style.name in GREETINGS:
        deed = dataclasses.replace(deed, beats=draw_held(details, layout), closing_s=CLOSING_S)
    perform(layout.stage, [*layout.pastimes, (style, deed)])
    return to_motion(layout.stage, layout.names, [describe(label, style, deed, layout.names)])


def draw_encounter(rng: np.random.Generator, layout: Layout) -> Encounter:
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
    return Encounter(dataclasses.replace(layout, beats=beats), float(short_m), float(force))


def _move(player: Player, meters: np.ndarray, way: np.ndarray) -> None:
    if player.posture == "stand":
        player.controls.root += meters[:, None] * way


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


def draw_style(rng: np.random.Generator, label: Label, layout: Layout, variety: float) -> Style:
    """Draw a way of doing it; `CONTACT_SHARE` of play is with whoever is within reach."""
    styles, weights = compute_style_weights(label, layout.stage, (0, layout.partner), variety)
    if label == "playing":
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


ARM_BLOWS = frozenset(style.name for style in OTHER_HITS) - {"kick"}
"""Ways of hitting another that the trunk goes with."""


def put_force(style: Style, force: float) -> Style:
    """Return a way of hitting another with the whole body behind it; without force the same."""
    if force == 0.0:
        return style
    act = _throw_body(style.act, force) if style.name in ARM_BLOWS else _kick_hard(force)
    return dataclasses.replace(style, act=act)


def _throw_body(blow: Act, force: float) -> Act:
    """Draw the body back, then let it lunge and twist with the blow; the other is thrown back."""

    def act(stage: Stage, deed: Deed) -> Iterator[None]:
        actor, times_s = stage.players[deed.actor], stage.times_s
        lean, twist = np.radians(deed.rng.uniform((8.0, 5.0), (45.0, 40.0))) * force
        step_m = deed.rng.uniform(0.05, 0.5) * force
        way = direction(stage, deed.actor, deed.other)
        turn = twist if deed.side else -twist
        for contact_s in deed.beats.contacts_s:
            drawn = compute_pulse(times_s, contact_s - 0.40, 0.5)
            thrown = compute_plateau(times_s, contact_s - 0.22, contact_s + 0.45, 0.25)
            actor.controls.trunk[:, 0] += lean * (thrown - 0.35 * drawn)
            actor.controls.trunk[:, 2] += turn * (thrown - 0.8 * drawn)
            if actor.posture == "stand":
                actor.controls.root += (step_m * thrown)[:, None] * way
                actor.controls.hips -= 0.05 * actor.body.stature * force * thrown
        _throw_back(stage, deed, way, force)
        yield from blow(stage, deed)

    return act


def _kick_hard(force: float) -> Act:
    """Kick higher, leaning back, and throw the other back."""

    def act(stage: Stage, deed: Deed) -> Iterator[None]:
        body = kick(stage, deed, 1.1 + 0.6 * force, 12.0 + 25.0 * force)
        next(body)
        _throw_back(stage, deed, direction(stage, deed.actor, deed.other), force)
        yield
        yield from body

    return act


def _throw_back(stage: Stage, deed: Deed, way: np.ndarray, force: float) -> None:
    """Have the other bend, turn away and stumble back from each blow."""
    other, times_s = stage.players[deed.other], stage.times_s
    bend, nod = np.radians(deed.rng.uniform((-30.0, -25.0), (40.0, 35.0))) * force
    back_m, lag_s = deed.rng.uniform(0.0, 0.5) * force, deed.rng.uniform(0.0, 0.2)
    for contact_s in deed.beats.contacts_s:
        hit = compute_plateau(times_s, contact_s + lag_s, contact_s + lag_s + 0.9, 0.3)
        other.controls.trunk[:, 0] += bend * hit
        other.controls.head[:, 1] += nod * hit
        if other.posture == "stand":
            other.controls.root += (back_m * hit)[:, None] * way
