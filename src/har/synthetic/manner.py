"""How people stand, sway, step and nod: movement that belongs to no class.

Every function writes onto a `Stage` from a generator that has not yet seen the class, so none of
this is certain one class from another.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from har.synthetic.body import LEFT, RIGHT
from har.synthetic.curves import compute_plateau, compute_pulse, draw_wander, ease_smooth
from har.synthetic.stage import Beats, HandKey, Player, Posture, Stage

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
    """Draw how someone moves at and after the strokes: not at all, flinching, giving way.

    Args:
        rng: Draws it.
        stage: Where it happens.
        who: The player who reacts.
        beats: When strokes land.
        away: (2,) direction on the floor away from whoever strokes.
        variety: As in `SynthConfig`.
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
        raise_guard(stage, who, beats.contacts_s[0] + 0.05, beats.end_s)


def raise_guard(stage: Stage, who: int, start_s: float, end_s: float) -> None:
    """Have someone hold both hands before the face for a while."""
    end_s = max(end_s, start_s + 0.8)
    for side in (LEFT, RIGHT):
        keys = [HandKey(start_s, "rest"), HandKey(start_s + 0.3, "guard")]
        keys += [HandKey(end_s - 0.3, "guard"), HandKey(end_s, "rest")]
        stage.move_hand(who, side, keys)


def walk(player: Player, times_s: np.ndarray, keys: list[tuple[float, np.ndarray]]) -> None:
    """Have someone walk through places on the floor, at rest at each.

    Args:
        player: Whose root is moved.
        times_s: (T,) the stage's times.
        keys: Times in seconds and (2,) offsets in meters from where the player's root is.
    """
    player.controls.root += keys[0][1]
    for (start_s, start), (end_s, end) in pairwise(keys):
        share = ease_smooth((times_s - start_s) / max(end_s - start_s, 1e-6))
        player.controls.root += share[:, None] * (end - start)
