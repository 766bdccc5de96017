"""How people come together and part again: drawn before the class, for sequences of seconds.

Whoever will act, friendly or not, often starts from afar, walks up, and may leave afterwards; the
other one may give way. Without that a network takes walking up for hitting.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from har.synthetic.easing import compute_plateau, ease_smooth
from har.synthetic.layout import Layout
from har.synthetic.manner import draw_beats
from har.synthetic.places import compute_way
from har.synthetic.stage import Beats, Player

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
    """Adds coming together and parting to a layout and sets its beats anew.

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
    """Draws beats for what is done once, without haste, and held: a greeting."""
    beats, end_s = layout.beats, float(layout.stage.times_s[-1])
    closed_s = beats.start_s + CLOSING_S * float(rng.uniform(0.7, 1.3))
    contact_s = min(closed_s, end_s - 0.1)
    return dataclasses.replace(
        beats,
        contacts_s=(contact_s,),
        end_s=min(contact_s + float(rng.uniform(*HELD_S)), end_s),
        stroke_s=2.0 * beats.stroke_s,
    )


def _move(player: Player, metres: np.ndarray, way: np.ndarray) -> None:
    if player.posture == "stand":
        player.controls.root += metres[:, None] * way
