"""Where people are and how they stand, sway, step and nod: what belongs to no class.

Everything is drawn from a generator that has not yet seen the class, so that none of it tells one
class from another.
"""

from __future__ import annotations

import numpy as np

from har.synthetic.body import LEFT, RIGHT, Body
from har.synthetic.curves import compute_plateau, compute_pulse, draw_wander
from har.synthetic.scene import Scene
from har.synthetic.skeleton import Controls
from har.synthetic.stage import Beats, Box, HandKey, Player, Posture, Stage

RESTS: dict[Posture, tuple[str, ...]] = {
    "stand": ("hang", "hang", "hang", "front", "hip", "chest"),
    "chair": ("lap", "lap", "lap", "front", "chest"),
    "floor": ("lap", "lap", "front", "chest"),
}


def draw_rest(rng: np.random.Generator, posture: Posture) -> tuple[str, str]:
    """Draw where the hands rest; mostly both alike."""
    names = RESTS[posture]
    both = str(rng.choice(names))
    return (both, both) if rng.random() < 0.75 else (both, str(rng.choice(names)))


def draw_posture(rng: np.random.Generator, variety: float) -> Posture:
    """Draw whether someone stands or sits."""
    value = rng.random()
    if value < 0.14 * variety:
        return "chair"
    return "floor" if value < 0.24 * variety else "stand"


def set_posture(player: Player) -> None:
    """Put hips and feet where the player's posture has them."""
    body, controls = player.body, player.controls
    if player.posture == "chair":
        controls.hips[:] = body.ankle + body.shank
        controls.feet[:, :, 0] += 0.92 * body.thigh
    elif player.posture == "floor":
        controls.hips[:] = 0.075 * body.stature
        controls.feet[:, :, 0] += 0.62 * (body.thigh + body.shank)
        controls.feet[:, :, 1] *= 2.0


def draw_bearing(
    rng: np.random.Generator, player: Player, times_s: np.ndarray, variety: float
) -> None:
    """Draw lean, head drop, sway, breathing, nod, turn and bend of one player."""
    controls = player.controls
    much = 0.35 + 0.65 * variety
    slump = rng.random() < 0.15 * variety
    controls.trunk[:, 0] += np.radians(rng.normal(20.0 if slump else 4.0, 4.0) * much)
    controls.head[:, 1] += np.radians(rng.normal(30.0 if slump else 8.0, 9.0) * much)
    sway = draw_wander(rng, times_s, float(rng.uniform(1.5, 4.0)), 3)
    controls.trunk += np.radians([3.0, 2.5, 5.0]) * much * sway
    glance = draw_wander(rng, times_s, float(rng.uniform(1.2, 4.0)), 3)
    controls.head += np.radians([22.0, 9.0, 6.0]) * much * glance
    controls.yaw += np.radians(7.0) * much * draw_wander(rng, times_s, 3.0, 1)[:, 0]
    controls.shift += 0.02 * much * draw_wander(rng, times_s, 2.5, 2)
    breath_hz = rng.uniform(0.25, 0.45)
    controls.trunk[:, 0] += np.radians(0.7) * np.sin(2 * np.pi * breath_hz * times_s)
    if player.posture == "stand":
        wander = draw_wander(rng, times_s, float(rng.uniform(2.5, 5.0)), 2)
        controls.root += 0.09 * much * rng.uniform(0.0, 1.0) * (wander - wander[:1])
    _draw_gestures(rng, player, times_s, much)


def _draw_gestures(
    rng: np.random.Generator, player: Player, times_s: np.ndarray, much: float
) -> None:
    """Draw passing nods, turn of the head, bend of the trunk and of the knees."""
    controls, length_s = player.controls, float(times_s[-1] - times_s[0])
    moves = (
        (controls.head[:, 1], 0.30, (12.0, 40.0), 1),
        (controls.head[:, 0], 0.25, (20.0, 60.0), 0),
        (controls.trunk[:, 0], 0.15, (8.0, 30.0), 1),
        (controls.trunk[:, 2], 0.15, (10.0, 35.0), 0),
    )
    for target, rate_hz, (least, most), one_sided in moves:
        for _ in range(rng.poisson(rate_hz * much * length_s)):
            center_s, width_s = rng.uniform(times_s[0], times_s[-1]), rng.uniform(0.4, 1.3)
            sign = 1.0 if one_sided else rng.choice([-1.0, 1.0])
            size = np.radians(rng.uniform(least, most)) * sign * (0.5 + 0.5 * much)
            target += size * compute_pulse(times_s, center_s, width_s)


def draw_beats(rng: np.random.Generator, start_s: float, end_s: float) -> Beats:
    """Draw when strokes land between two times; at least one does."""
    stroke_s = float(rng.uniform(0.14, 0.24))
    period_s = float(rng.uniform(0.42, 0.85))
    first_s = start_s + stroke_s + float(rng.uniform(0.16, 0.30))
    room_s = max(end_s - 0.25 - first_s, 0.0)
    n = min(1 + int(room_s / period_s), int(rng.integers(2, 7)))
    steps_s = period_s * (1.0 + rng.uniform(-0.1, 0.1, size=n))
    contacts_s = first_s + np.concatenate([[0.0], np.cumsum(steps_s[:-1])])
    contacts_s = contacts_s[contacts_s <= max(end_s - 0.1, first_s)]
    end_s = min(end_s, float(contacts_s[-1]) + float(rng.uniform(0.4, 0.7)))
    vigour = float(rng.uniform(0.85, 1.2))
    return Beats(start_s, end_s, tuple(float(t) for t in contacts_s), stroke_s, vigour)


def draw_accompaniment(
    rng: np.random.Generator, player: Player, times_s: np.ndarray, beats: Beats, variety: float
) -> None:
    """Draw how trunk, head and knees go along with the strokes, whatever these are."""
    controls = player.controls
    much = 0.4 + 0.6 * variety
    lag_s, width_s = rng.uniform(-0.12, 0.12), rng.uniform(0.35, 0.6)
    lean, twist, drop = np.radians(rng.normal([4.0, 0.0, 4.0], [5.0, 9.0, 9.0])) * much
    dip = 0.025 * player.body.stature * rng.uniform(0.0, 1.0) * much
    for contact_s in beats.contacts_s:
        pulse = compute_pulse(times_s, contact_s + lag_s, width_s)
        controls.trunk[:, 0] += lean * pulse
        controls.trunk[:, 2] += twist * pulse
        controls.head[:, 1] += drop * pulse
        controls.hips -= dip * pulse if player.posture == "stand" else 0.0


def draw_reaction(
    rng: np.random.Generator,
    stage: Stage,
    who: int,
    beats: Beats,
    away: np.ndarray,
    variety: float,
) -> None:
    """Draw how someone moves at and after strokes: not at all, flinching, giving way, on guard.

    ``away`` (2,) is the direction on the floor away from whoever strikes.
    """
    player, times_s = stage.players[who], stage.times_s
    reacts = rng.random() < 0.2 + 0.5 * variety
    kind = rng.choice(["flinch", "sway", "step", "guard"]) if reacts else "none"
    size = rng.uniform(0.5, 1.2)
    if kind in ("flinch", "sway"):
        angle = np.radians(-12.0 if kind == "flinch" else -5.0) * size
        width_s = rng.uniform(0.35, 0.7)
        for contact_s in beats.contacts_s:
            pulse = compute_pulse(times_s, contact_s + 0.3 * width_s, width_s)
            player.controls.trunk[:, 0] += angle * pulse
            player.controls.head[:, 0] += 2.0 * angle * pulse * rng.choice([-1.0, 1.0])
    elif kind == "step" and player.posture == "stand":
        first_s = beats.contacts_s[0]
        share = compute_plateau(times_s, first_s, beats.end_s + 1.2, 0.5)
        player.controls.root += (0.25 * size * share)[:, None] * away
    elif kind == "guard":
        start_s = beats.contacts_s[0] + 0.05
        end_s = max(beats.end_s, start_s + 0.8)
        for side in (LEFT, RIGHT):
            keys = [HandKey(start_s, "rest"), HandKey(start_s + 0.3, "guard")]
            keys += [HandKey(end_s - 0.3, "guard"), HandKey(end_s, "rest")]
            stage.move_hand(who, side, keys)


CAMERA_SIDE = -0.5 * np.pi
"""Direction from the middle to the camera, in radians."""


def draw_player(rng: np.random.Generator, scene: Scene, role: int, times_s: np.ndarray) -> Player:
    """Draw how one of the cast holds himself: posture, rest, and all movement of no class."""
    body = scene.cast[role]
    posture = draw_posture(rng, scene.variety)
    controls = Controls.standing(body, len(times_s), scene.fps)
    player = Player(body, controls, posture, draw_rest(rng, posture))
    set_posture(player)
    draw_bearing(rng, player, times_s, scene.variety)
    return player


def draw_places(
    rng: np.random.Generator,
    scene: Scene,
    players: list[Player],
    together: bool,
    piece: Box | None,
) -> tuple[list[np.ndarray], list[float]]:
    """Draw where the three would be and whither they face.

    Args:
        rng: Draws it.
        scene: Gives the variety.
        players: Actor, partner and bystander.
        together: Whether actor and partner are within reach of each other.
        piece: The piece of furniture that the actor is at, or None.

    Returns:
        Three (2,) places in meters, and three directions in radians.
    """
    variety = scene.variety
    axis = rng.choice([0.0, np.pi]) + np.radians(15.0 + 45.0 * variety) * rng.uniform(-1.0, 1.0)
    if piece is not None:
        behind = 1.0 if piece.yaw < 0.5 * np.pi else -1.0
        axis = piece.yaw + behind * rng.uniform(1.3, 1.9)
    if np.sin(axis) < -0.2 and rng.random() > 0.4 * variety:
        axis = -axis
    apart_m = compute_near_distance(players[0].body, players[1].body) * rng.uniform(0.95, 1.15)
    far = rng.uniform(1.4, 1.9)
    way = np.array([np.cos(axis), np.sin(axis)]) * apart_m * (1.0 if together else far)
    middle = -0.5 * way if piece is None else np.zeros(2)
    turned = rng.normal(0.0, 12.0 + 10.0 * variety, size=3)
    to_camera = np.where(rng.random(3) < 0.3 * variety, rng.uniform(0.3, 0.7, 3), 0.0)
    behind = np.radians(rng.uniform(20.0, 160.0))
    third = np.array([np.cos(behind), np.sin(behind)]) * rng.uniform(0.75, 1.1)
    places = [middle, middle + way, third]
    yaws = [axis, axis + np.pi, behind + np.pi]
    for who in range(3):
        toward = (CAMERA_SIDE - yaws[who] + np.pi) % (2.0 * np.pi) - np.pi
        yaws[who] += to_camera[who] * toward + np.radians(turned[who])
    if piece is not None:
        yaws[0] = piece.yaw + 0.2 * np.radians(turned[0])
    return places, [float(yaw) for yaw in yaws]


def place_seat(player: Player, place: np.ndarray) -> Box | None:
    """Return the stool under someone who sits, if he does not sit on the floor."""
    if player.posture != "chair":
        return None
    wide = 0.24 * player.body.stature
    high = player.body.ankle + player.body.shank - 0.05 * player.body.stature
    yaw = float(player.controls.yaw.mean())
    return Box("stool", (float(place[0]), float(place[1])), (wide, wide, high), yaw)


def compute_near_distance(actor: Body, other: Body) -> float:
    """Meters between two people at which the one's hand reaches the other's body somewhere."""
    shoulder = actor.stand_height + actor.trunk
    low, high = other.stand_height + 0.4 * other.trunk, other.stand_height + other.trunk
    rise = max(low - shoulder, shoulder - high, 0.0)
    reach = np.sqrt(max(actor.arm_reach**2 - rise**2, (0.5 * actor.arm_reach) ** 2))
    return float(reach + other.trunk_radii[0])


def compute_way(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the unit direction from one place on the floor to another, (2,).

    >>> compute_way(np.array([1.0, 1.0]), np.array([1.0, 3.0])).tolist()
    [0.0, 1.0]
    """
    way = end - start
    return way / max(float(np.linalg.norm(way)), 1e-6)
