"""Where people are on the floor, whither they face, and what they sit on."""

from __future__ import annotations

import numpy as np

from har.synthetic.body import Body
from har.synthetic.manner import draw_bearing, draw_posture, draw_rest, set_posture
from har.synthetic.scene import Scene
from har.synthetic.skeleton import Controls
from har.synthetic.stage import Box, Player

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
    station: Box | None,
) -> tuple[list[np.ndarray], list[float]]:
    """Draw where the three would be and whither they face.

    Args:
        rng: Draws it.
        scene: Gives the variety.
        players: Actor, partner and bystander.
        together: Whether actor and partner are within reach of each other.
        station: The piece of furniture that the actor is at, or None.

    Returns:
        Three (2,) places in meters, and three directions in radians.
    """
    variety = scene.variety
    axis = rng.choice([0.0, np.pi]) + np.radians(15.0 + 45.0 * variety) * rng.uniform(-1.0, 1.0)
    if station is not None:
        behind = 1.0 if station.yaw < 0.5 * np.pi else -1.0
        axis = station.yaw + behind * rng.uniform(1.3, 1.9)
    if np.sin(axis) < -0.2 and rng.random() > 0.4 * variety:
        axis = -axis
    apart_m = compute_near_distance(players[0].body, players[1].body) * rng.uniform(0.95, 1.15)
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
