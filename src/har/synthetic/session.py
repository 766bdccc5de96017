"""A long stretch of made motion: people at rest, and one act after another.

Each span's length, people, walking up and strokes are drawn before it is drawn what is done in it,
if anything. Spans begin and end at rest, so they can be solved and drawn one after the other, with
memory that does not grow with their number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from har.synthetic.acts.strokes import Deed
from har.synthetic.easing import ease_smooth
from har.synthetic.manner import draw_accompaniment, draw_beats, draw_reaction
from har.synthetic.motion import LABELS, Label, Motion, describe, draw_style, perform, to_motion
from har.synthetic.places import (
    compute_near_distance,
    compute_way,
    draw_places,
    draw_player,
    place_seat,
)
from har.synthetic.scene import N_CAST, Scene
from har.synthetic.stage import Beats, Box, Player, Stage

DECK: tuple[Label | None, ...] = (*LABELS, "playing", "playing", None, None)
"""What is done in as many spans, in an order that is drawn; None is nothing."""

REST_S = 0.45
BYSTANDER = 2
"""The player who is not within reach of the others without walking."""


@dataclass(frozen=True)
class Span:
    """A part of a session in which at most one act is done.

    Attributes:
        start_s: Begins at rest here.
        end_s: Ends at rest here.
        actor: Who acts, if anyone does.
        partner: Whom it may concern, or None.
        beats: When strokes would land.
        is_last: Ends after the session does, so that nothing is done in it.
    """

    start_s: float
    end_s: float
    actor: int
    partner: int | None
    beats: Beats
    is_last: bool


@dataclass(frozen=True)
class Session:
    """People and place over a long time, before it is drawn what they do."""

    times_s: np.ndarray
    players: list[Player]
    names: tuple[str, ...]
    furniture: list[Box]
    station: Box | None
    spans: list[Span]


def draw_session(rng: np.random.Generator, scene: Scene, length_s: float) -> Session:
    """Draws people, places, walks and spans over ``length_s`` seconds."""
    times_s = np.arange(max(round(length_s * scene.fps), 2)) / scene.fps
    n = 2 + int(rng.random() < 0.5 * scene.variety)
    roles = rng.permutation(N_CAST)
    players = [draw_player(rng, scene, int(role), times_s) for role in roles]
    station = scene.station if rng.random() < 0.7 else None
    places, yaws = draw_places(rng, scene, players, True, station)
    furniture = list(scene.furniture)
    for player, place, yaw in zip(players[:n], places, yaws, strict=False):
        player.controls.root += place
        player.controls.yaw += yaw
        seat = place_seat(player, place)
        furniture += [] if seat is None else [seat]
    players = players[:n]
    spans = _draw_spans(rng, players, float(times_s[-1]))
    for span in spans:
        _draw_approach(rng, players, times_s, span)
    names = tuple(f"p{role + 1}" for role in roles[:n])
    return Session(times_s, players, names, furniture, station, spans)


def iter_motions(session: Session, scene: Scene, seed: list[int]) -> Iterator[Motion]:
    """Gives the motion of one span after another; together they cover the session.

    Args:
        session: People and place.
        scene: Gives the variety.
        seed: Draws what is done.
    """
    kinds = _draw_kinds(np.random.default_rng([*seed, len(session.spans)]), len(session.spans))
    for number, span in enumerate(session.spans):
        rng = np.random.default_rng([*seed, number])
        inside = (session.times_s >= span.start_s) & (session.times_s < span.end_s)
        indices = np.flatnonzero(inside)
        if len(indices) == 0:
            continue
        window = slice(int(indices[0]), int(indices[-1]) + 1)
        players = [
            Player(p.body, p.controls.window(window), p.posture, p.rest) for p in session.players
        ]
        furniture = list(session.furniture)
        stage = Stage(session.times_s[window], players, furniture, session.station)
        _draw_circumstances(rng, stage, span, scene.variety)
        yield _act_span(rng, stage, span, kinds[number], (session.names, scene.variety))


def _draw_kinds(rng: np.random.Generator, n: int) -> list[Label | None]:
    """Draws what is done in each span: decks, one after the other, each shuffled."""
    kinds: list[Label | None] = []
    while len(kinds) < n:
        kinds += [DECK[index] for index in rng.permutation(len(DECK))]
    return kinds[:n]


def _draw_circumstances(rng: np.random.Generator, stage: Stage, span: Span, variety: float) -> None:
    actor = stage.players[span.actor]
    draw_accompaniment(rng, actor, stage.times_s, span.beats, variety)
    if span.partner is not None:
        places = [stage.players[who].controls.root[0] for who in (span.actor, span.partner)]
        draw_reaction(rng, stage, span.partner, span.beats, compute_way(*places), variety)


def _act_span(
    rng: np.random.Generator,
    stage: Stage,
    span: Span,
    kind: Label | None,
    cast: tuple[tuple[str, ...], float],
) -> Motion:
    names, variety = cast
    side = int(rng.random() < 0.8)
    if kind == "hitting_others" and span.partner is None:
        kind = "playing"
    if kind is None or span.is_last:
        return to_motion(stage, names, [])
    style = draw_style(rng, kind, stage, (span.actor, span.partner), variety)
    deed = Deed(span.actor, span.partner, span.beats, side, rng)
    perform(stage, [(style, deed)])
    return to_motion(stage, names, [describe(kind, style, deed, names)])


def _draw_spans(rng: np.random.Generator, players: list[Player], length_s: float) -> list[Span]:
    """Draws spans that cover the whole length, all of one distribution."""
    spans, start_s = [], 0.0
    while start_s < length_s:
        lead_s, act_s, tail_s = rng.uniform([0.8, 1.8, 0.8], [2.5, 6.0, 1.6])
        actor, partner = (int(who) for who in rng.permutation(len(players))[:2])
        beats = draw_beats(rng, start_s + lead_s, start_s + lead_s + act_s)
        end_s = beats.end_s + REST_S + tail_s
        is_far = BYSTANDER in (actor, partner) and players[actor].posture != "stand"
        whom = None if is_far else partner
        spans.append(Span(start_s, end_s, actor, whom, beats, is_last=end_s > length_s))
        start_s = end_s
    return spans


def _draw_approach(
    rng: np.random.Generator, players: list[Player], times_s: np.ndarray, span: Span
) -> None:
    """Has the actor turn and walk up to the partner before the act, and back after it."""
    near = rng.uniform(0.95, 1.1)
    at = int(np.searchsorted(times_s, span.start_s))
    if span.partner is None or at >= len(times_s):
        return
    actor, partner = players[span.actor], players[span.partner]
    way = partner.controls.root[at] - actor.controls.root[at]
    apart_m = float(np.linalg.norm(way)) - near * compute_near_distance(actor.body, partner.body)
    come = ease_smooth((times_s - span.start_s) / (span.beats.start_s - span.start_s + 0.1))
    leave_s = span.beats.end_s + REST_S
    gate = come * ease_smooth((span.end_s - times_s) / (span.end_s - leave_s))
    if actor.posture == "stand":
        actor.controls.root += (apart_m * gate)[:, None] * way / max(np.linalg.norm(way), 1e-6)
    for player, toward in ((actor, way), (partner, -way)):
        turned = float(np.arctan2(toward[1], toward[0])) - float(player.controls.yaw[at])
        player.controls.yaw += gate * ((turned + np.pi) % (2.0 * np.pi) - np.pi)
