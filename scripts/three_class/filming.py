"""How a synthetic sequence is filmed: from where, how near, and how the camera moves."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from har.synthetic.camera import Camera
from har.synthetic.curves import draw_wander, rotate

TURNED_SHARE = 0.5
"""How often the camera may look from any side; else people stand side by side in the picture."""

FARTHEST = 3.0
CLOSE_SHARE, CLOSE = 0.18, (0.95, 1.8)
"""How often people are so near that the picture cuts them, and their height in picture heights."""

SHAKY_SHARE, SHAKE_PX = 0.4, (0.3, 2.5)
PANNED_SHARE, PAN = 0.25, 0.08
"""Trembling in pixels; slow panning in shares of the picture's width."""


@dataclass(frozen=True)
class Filming:
    """A camera and how it is moved.

    Attributes:
        camera: How it is filmed at rest.
        moves_px: (N, 2) how far the picture is moved at each step.
    """

    camera: Camera
    moves_px: np.ndarray


def draw_filming(
    rng: np.random.Generator,
    camera: Camera,
    tallest_m: float,
    stature_px: tuple[float, float],
    times_s: np.ndarray,
) -> Filming:
    """Draw how one sequence is filmed, from the scene's camera.

    Args:
        rng: Draws it; has seen nothing of the class.
        camera: Looks at the origin, where people act.
        tallest_m: Height of the tallest.
        stature_px: Least and greatest height of the tallest in the picture.
        times_s: (N,) seconds of the steps.
    """
    height, width = camera.size
    is_close = rng.random() < CLOSE_SHARE
    wanted_px = float(np.exp(rng.uniform(*np.log(stature_px))))
    wanted_px = min(wanted_px, 0.92 * height)
    if is_close:
        wanted_px = height * float(rng.uniform(*CLOSE))
    if rng.random() < TURNED_SHARE:
        camera = _turn(camera, float(rng.uniform(-np.pi, np.pi)))
    middle = np.array([0.0, 0.0, 0.5 * tallest_m])
    _, depth = camera.project(middle)
    back_m = float(depth) * (float(np.exp(rng.uniform(0.0, np.log(FARTHEST)))) - 1.0)
    focal_px = wanted_px / tallest_m * (float(depth) + back_m)
    camera = dataclasses.replace(
        camera, position=camera.position - back_m * camera.axes[2], focal_px=focal_px
    )
    place = _draw_place(rng, wanted_px, (height, width))
    now, _ = camera.project(middle)
    return Filming(camera, place - now + _draw_moves(rng, times_s, width))


def _turn(camera: Camera, angle: float) -> Camera:
    """Walk the camera around the origin."""
    turn = rotate("z", np.array([angle]))[0]
    return dataclasses.replace(camera, position=turn @ camera.position, axes=camera.axes @ turn.T)


def _draw_place(rng: np.random.Generator, stature_px: float, size: tuple[int, int]) -> np.ndarray:
    """Draw (2,) where in the picture the middle of the people is: nobody's head is cut off."""
    height, width = size
    across = rng.uniform(0.3, 0.7) * width
    head_room = height - stature_px
    top = rng.uniform(0.04, 0.96) * head_room if head_room > 0 else rng.uniform(0.04, 0.2) * height
    return np.array([across, top + 0.5 * stature_px])


def _draw_moves(rng: np.random.Generator, times_s: np.ndarray, width: int) -> np.ndarray:
    shake_px = float(rng.uniform(*SHAKE_PX)) * (rng.random() < SHAKY_SHARE)
    pan_px = float(rng.uniform(0.0, PAN)) * width * (rng.random() < PANNED_SHARE)
    slow = draw_wander(rng, times_s, float(rng.uniform(2.0, 6.0)), 2) * np.array([1.0, 0.4])
    return shake_px * draw_wander(rng, times_s, 0.7, 2) + pan_px * slow
