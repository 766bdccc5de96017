"""The circumstances of a clip: who is there, where, how they hold themselves, and when.

All of it is drawn before the class is known. The one exception is that hitting another takes
another, within reach: ``pair`` requires that and changes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.synthetic.acts.play import PLAYING
from har.synthetic.acts.strokes import Deed, Style
from har.synthetic.curves import ease_smooth
from har.synthetic.manner import (
    compute_way,
    draw_accompaniment,
    draw_beats,
    draw_places,
    draw_player,
    draw_reaction,
    place_seat,
)
from har.synthetic.scene import N_CAST, Scene
from har.synthetic.stage import Beats, Player, Stage, Thing

PASTIMES = tuple(style for style in PLAYING if style.need in ("nothing", "standing"))


@dataclass(frozen=True)
class Layout:
    """A stage that is ready for an act of any class.

    Attributes:
        stage: Players in the order actor, partner, bystander.
        names: Their names in the cast.
        beats: When the act's strokes land.
        side: The actor's better hand.
        together: Whether actor and partner are within reach of each other.
        pastimes: What the others do meanwhile.
    """

    stage: Stage
    names: tuple[str, ...]
    beats: Beats
    side: int
    together: bool
    pastimes: list[tuple[Style, Deed]]

    @property
    def partner(self) -> int | None:
        """The player whom an act may concern: whoever is within the actor's reach."""
        return 1 if self.together and len(self.stage.players) > 1 else None


def draw_layout(rng: np.random.Generator, scene: Scene, times_s: np.ndarray, pair: bool) -> Layout:
    """Draw the circumstances of a clip; with ``pair`` another person is within reach.

    The same state of ``rng`` gives the same circumstances for every class.
    """
    variety = scene.variety
    n = int(rng.choice([1, 2, 3], p=[0.2 * variety, 1.0 - 0.45 * variety, 0.25 * variety]))
    roles = rng.permutation(N_CAST)
    together = bool(rng.random() >= 0.2 * variety) or pair
    is_at_piece = scene.piece is not None and bool(rng.random() < 0.7)
    piece = scene.piece if is_at_piece else None
    players = [draw_player(rng, scene, int(role), times_s) for role in roles]
    places, yaws = draw_places(rng, scene, players, together, piece)
    walker = int(rng.integers(0, 3)) if rng.random() < 0.25 + 0.4 * variety else None
    beats = draw_beats(rng, *_draw_span(rng, float(times_s[-1]), walker in (0, 1)))
    for player, place, yaw in zip(players, places, yaws, strict=True):
        player.controls.root += place
        player.controls.yaw += yaw
    if walker is not None:
        _draw_walk(rng, players[walker], times_s, places[walker], beats)
    stage = Stage(times_s, players, list(scene.furniture), piece)
    seats = [place_seat(player, place) for player, place in zip(players, places, strict=True)]
    _draw_company(rng, stage, beats, compute_way(places[0], places[1]), variety)
    side = int(rng.random() < 0.8)
    pastimes = _draw_pastimes(rng, stage, float(times_s[-1]), variety)
    n = max(n, 2) if pair else n
    stage.players = players[:n]
    stage.furniture += [seat for seat in seats[:n] if seat is not None]
    stage.things = [thing for thing in stage.things if thing.holder is None or thing.holder[0] < n]
    names = tuple(f"p{role + 1}" for role in roles[:n])
    pastimes = [(style, deed) for style, deed in pastimes if deed.actor < n]
    return Layout(stage, names, beats, side, together, pastimes)


def _draw_span(rng: np.random.Generator, end_s: float, arrives: bool) -> tuple[float, float]:
    """Draw when an act may begin and must end; someone who walks up arrives first."""
    least, most = (0.15, 0.27) if arrives else (0.03, 0.18)
    return min(float(rng.uniform(least, most)) * end_s, 2.0), end_s - 0.05


def _draw_walk(
    rng: np.random.Generator,
    player: Player,
    times_s: np.ndarray,
    place: np.ndarray,
    beats: Beats,
) -> None:
    """Have a standing player come from farther out to the place, at a walk."""
    speed_m_s, share = rng.uniform(0.7, 1.2), rng.uniform(0.5, 1.0)
    bend = rng.normal(0.0, 0.5)
    if player.posture != "stand":
        return
    arrive_s = beats.start_s + 0.15
    way_m = 0.5 + 0.7 * share
    angle = float(np.arctan2(place[1], place[0])) + bend
    offset = np.array([np.cos(angle), np.sin(angle)]) * way_m
    start_s = arrive_s - way_m / speed_m_s
    come = ease_smooth((times_s - start_s) / max(arrive_s - start_s, 1e-6))
    player.controls.root += offset
    player.controls.root -= come[:, None] * offset


def _draw_company(
    rng: np.random.Generator,
    stage: Stage,
    beats: Beats,
    away: np.ndarray,
    variety: float,
) -> None:
    """Draw toys, what goes along with the strokes, and how the partner reacts."""
    times_s = stage.times_s
    for who, player in enumerate(stage.players):
        value, side = rng.random(), int(rng.random() < 0.8)
        if value < 0.2 * variety:
            player.toy = "stick" if value < 0.13 * variety else "cup"
            radius, length = (0.014, 0.42) if player.toy == "stick" else (0.035, 0.1)
            shown = np.ones(len(times_s), dtype=bool)
            stage.things.append(Thing(player.toy, radius, length, None, (who, side), shown))
        own = draw_beats(rng, *_draw_span(rng, float(times_s[-1]), arrives=False))
        much = variety if who == 0 else 0.5 * variety
        draw_accompaniment(rng, player, times_s, beats if who == 0 else own, much)
    draw_reaction(rng, stage, 1, beats, away, variety)


def _draw_pastimes(
    rng: np.random.Generator, stage: Stage, end_s: float, variety: float
) -> list[tuple[Style, Deed]]:
    """Draw what partner and bystander do by themselves: mostly nothing."""
    pastimes = []
    for who in (1, 2):
        busy, pick, seed = rng.random() < 0.4 * variety, rng.random(), int(rng.integers(2**31))
        beats = draw_beats(rng, *_draw_span(rng, end_s, arrives=False))
        standing = stage.players[who].posture == "stand"
        styles = [
            style
            for style in PASTIMES
            if style.rarity <= variety and (standing or style.need == "nothing")
        ]
        if busy:
            style = styles[int(pick * len(styles))]
            deed = Deed(who, None, beats, 1, np.random.default_rng(seed))
            pastimes.append((style, deed))
    return pastimes
