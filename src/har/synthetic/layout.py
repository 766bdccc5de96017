"""The circumstances of a clip: who is there, where, how they hold themselves, and when.

All of it is drawn before the class is known. The one exception is that hitting another takes
another, within reach: ``pair`` asks for that and changes nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.synthetic.acts.playing import PLAYING
from har.synthetic.acts.strokes import Deed, Need, Style
from har.synthetic.manner import (
    draw_accompaniment,
    draw_beats,
    draw_bearing,
    draw_posture,
    draw_reaction,
    draw_rest,
    set_posture,
    walk,
)
from har.synthetic.scene import N_CAST, Scene
from har.synthetic.skeleton import Body, Controls
from har.synthetic.stage import Beats, Box, Player, Stage, Thing

PASTIMES = tuple(style for style in PLAYING if style.need in ("nothing", "standing"))
CAMERA_SIDE = -0.5 * np.pi


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
        """The player whom the act may concern."""
        return 1 if len(self.stage.players) > 1 else None

    def allows(self, need: Need) -> bool:
        """Says whether what an act needs is there."""
        players, station = self.stage.players, self.stage.station
        paired = self.partner is not None and self.together
        standing = players[0].posture == "stand"
        if need == "partner":
            return paired
        if need == "stick":
            return players[0].toy == "stick" and (self.partner is None or paired)
        if need == "standing pair":
            return paired and standing and players[1].posture == "stand"
        if need in ("table", "wall"):
            return station is not None and station.kind == need
        return need == "nothing" or standing


def draw_layout(rng: np.random.Generator, scene: Scene, times_s: np.ndarray, pair: bool) -> Layout:
    """Draws the circumstances of a clip.

    Args:
        rng: The same state gives the same circumstances for every class.
        scene: People and place.
        times_s: (T,) seconds.
        pair: The act needs another person within reach.
    """
    variety = scene.variety
    n = int(rng.choice([1, 2, 3], p=[0.2 * variety, 1.0 - 0.45 * variety, 0.25 * variety]))
    roles = rng.permutation(N_CAST)
    together = bool(rng.random() >= 0.2 * variety) or pair
    at_station = scene.station is not None and bool(rng.random() < 0.7)
    station = scene.station if at_station else None
    players = [_draw_player(rng, scene, int(role), times_s) for role in roles]
    places, yaws = _draw_places(rng, scene, players, together, station)
    walker = int(rng.integers(0, 4))
    beats = draw_beats(rng, *_draw_span(rng, float(times_s[-1]), walker < 2))
    for player, place, yaw in zip(players, places, yaws, strict=True):
        player.controls.root += place
        player.controls.yaw += yaw
    if walker < 3:
        _draw_walk(rng, players[walker], times_s, places[walker], beats)
    stage = Stage(times_s, players, list(scene.furniture), station)
    seats = [_place_seat(player, place) for player, place in zip(players, places, strict=True)]
    _draw_company(rng, stage, beats, places, variety)
    side = int(rng.random() < 0.8)
    pastimes = _draw_pastimes(rng, stage, float(times_s[-1]), variety)
    n = max(n, 2) if pair else n
    stage.players = players[:n]
    stage.furniture += [seat for seat in seats[:n] if seat is not None]
    stage.things = [thing for thing in stage.things if thing.holder is None or thing.holder[0] < n]
    names = tuple(f"p{role + 1}" for role in roles[:n])
    pastimes = [(style, deed) for style, deed in pastimes if deed.actor < n]
    return Layout(stage, names, beats, side, together, pastimes)


def _draw_player(rng: np.random.Generator, scene: Scene, role: int, times_s: np.ndarray) -> Player:
    body = scene.cast[role]
    posture = draw_posture(rng, scene.variety)
    controls = Controls.standing(body, len(times_s), scene.fps)
    player = Player(body, controls, posture, draw_rest(rng, posture))
    set_posture(player)
    draw_bearing(rng, player, times_s, scene.variety)
    return player


def _draw_places(
    rng: np.random.Generator,
    scene: Scene,
    players: list[Player],
    together: bool,
    station: Box | None,
) -> tuple[list[np.ndarray], list[float]]:
    """Draws where the three would be and whither they face."""
    variety = scene.variety
    axis = rng.choice([0.0, np.pi]) + np.radians(15.0 + 45.0 * variety) * rng.uniform(-1.0, 1.0)
    if station is not None:
        axis = station.yaw + rng.choice([-1.0, 1.0]) * rng.uniform(1.3, 2.0)
    if np.sin(axis) < -0.2 and rng.random() > 0.4 * variety:
        axis = -axis if station is None else axis + np.pi
    apart_m = _near_distance(players[0].body, players[1].body) * rng.uniform(0.95, 1.15)
    far = rng.uniform(1.4, 1.9)
    way = np.array([np.cos(axis), np.sin(axis)]) * apart_m * (1.0 if together else far)
    middle = -0.5 * way if station is None else np.zeros(2)
    turned = rng.normal(0.0, 12.0 + 10.0 * variety, size=3)
    to_camera = np.where(rng.random(3) < 0.3 * variety, rng.uniform(0.3, 0.7, 3), 0.0)
    behind = np.radians(rng.uniform(20.0, 160.0))
    third = np.array([np.cos(behind), np.sin(behind)]) * rng.uniform(0.75, 1.1)
    places = [middle, middle + way, third]
    yaws = [axis, axis + np.pi, behind + np.pi]
    for who in range(3):
        toward = (CAMERA_SIDE - yaws[who] + np.pi) % (2.0 * np.pi) - np.pi
        yaws[who] += to_camera[who] * toward + np.radians(turned[who])
    if station is not None:
        yaws[0] = station.yaw + 0.2 * np.radians(turned[0])
    return places, [float(yaw) for yaw in yaws]


def _place_seat(player: Player, place: np.ndarray) -> Box | None:
    """Gives the stool under someone who sits, if he does not sit on the floor."""
    if player.posture != "chair":
        return None
    wide = 0.24 * player.body.stature
    high = player.body.ankle + player.body.shank - 0.05 * player.body.stature
    yaw = float(player.controls.yaw.mean())
    return Box("stool", (float(place[0]), float(place[1])), (wide, wide, high), yaw)


def _near_distance(actor: Body, other: Body) -> float:
    """Metres between two people at which the one's hand reaches the other's body somewhere."""
    shoulder = actor.stand_height + actor.trunk
    low, high = other.stand_height + 0.4 * other.trunk, other.stand_height + other.trunk
    rise = max(low - shoulder, shoulder - high, 0.0)
    reach = np.sqrt(max(actor.arm_reach**2 - rise**2, (0.5 * actor.arm_reach) ** 2))
    return float(reach + other.trunk_radii[0])


def _draw_span(rng: np.random.Generator, end_s: float, arrives: bool) -> tuple[float, float]:
    """Draws when an act may begin and must end; someone who walks up arrives first."""
    least, most = (0.15, 0.27) if arrives else (0.03, 0.18)
    return min(float(rng.uniform(least, most)) * end_s, 2.0), end_s - 0.05


def _draw_walk(
    rng: np.random.Generator,
    player: Player,
    times_s: np.ndarray,
    place: np.ndarray,
    beats: Beats,
) -> None:
    """Has a standing player come from farther out to the place, at a walk."""
    speed_m_s, share = rng.uniform(0.7, 1.2), rng.uniform(0.5, 1.0)
    bend = rng.normal(0.0, 0.5)
    if player.posture != "stand":
        return
    arrive_s = beats.start_s + 0.15
    way_m = 0.5 + 0.7 * share
    angle = float(np.arctan2(place[1], place[0])) + bend
    offset = np.array([np.cos(angle), np.sin(angle)]) * way_m
    keys = [(arrive_s - way_m / speed_m_s, offset), (arrive_s, np.zeros(2))]
    walk(player, times_s, keys)


def _draw_company(
    rng: np.random.Generator,
    stage: Stage,
    beats: Beats,
    places: list[np.ndarray],
    variety: float,
) -> None:
    """Draws toys, what goes along with the strokes, and how the others react."""
    for who, player in enumerate(stage.players):
        value, side = rng.random(), int(rng.random() < 0.8)
        if value < 0.2 * variety:
            player.toy = "stick" if value < 0.13 * variety else "cup"
            radius, length = (0.014, 0.42) if player.toy == "stick" else (0.035, 0.1)
            shown = np.ones(len(stage.times_s), dtype=bool)
            stage.things.append(Thing(player.toy, radius, length, None, (who, side), shown))
        own = draw_beats(rng, *_draw_span(rng, float(stage.times_s[-1]), arrives=False))
        draw_accompaniment(
            rng, player, stage.times_s, beats if who == 0 else own, variety * (who == 0 or 0.5)
        )
    away = places[1] - places[0]
    draw_reaction(rng, stage, 1, beats, away / max(float(np.linalg.norm(away)), 1e-6))


def _draw_pastimes(
    rng: np.random.Generator, stage: Stage, end_s: float, variety: float
) -> list[tuple[Style, Deed]]:
    """Draws what partner and bystander do by themselves: mostly nothing."""
    pastimes = []
    for who in (1, 2):
        busy, pick, seed = rng.random() < 0.4 * variety, rng.random(), int(rng.integers(2**31))
        beats = draw_beats(rng, *_draw_span(rng, end_s, arrives=False))
        standing = stage.players[who].posture == "stand"
        styles = [style for style in PASTIMES if standing or style.need == "nothing"]
        if busy:
            style = styles[int(pick * len(styles))]
            deed = Deed(who, None, beats, 1, np.random.default_rng(seed))
            pastimes.append((style, deed))
    return pastimes
