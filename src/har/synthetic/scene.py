"""A scene: the people, the place and the camera that all clips of one group share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.config import SynthConfig
from har.synthetic.body import Body, draw_body
from har.synthetic.camera import Camera, draw_camera
from har.synthetic.stage import Box

CAST_KINDS = ((True, True, True), (True, True, False), (False, False, False))
CAST_SHARES = (0.6, 0.2, 0.2)
"""Who is a child: children among themselves, with an adult, or adults only; and how often."""

N_CAST = 3
CAST = tuple(f"p{index + 1}" for index in range(N_CAST))
"""Names of all who may appear in a scene."""
RATE_FACTORS = (0.6, 0.8, 1.0, 1.0, 1.2)


@dataclass(frozen=True)
class Scene:
    """What the clips of one group have in common.

    Attributes:
        index: Number of the scene; its group is named after it.
        cast: Measures of all who may appear.
        furniture: What stands there.
        piece: The piece that someone can be at, or None.
        camera: How it is filmed.
        fps: Frames a second.
        crf: Compression of x264, higher is worse.
        variety: As in `SynthConfig`.
    """

    index: int
    cast: tuple[Body, ...]
    furniture: tuple[Box, ...]
    piece: Box | None
    camera: Camera
    fps: float
    crf: int
    variety: float

    @property
    def group(self) -> str:
        """The scene's name in manifests."""
        return f"scene{self.index:04d}"


def draw_scene(config: SynthConfig, index: int) -> Scene:
    """Draw one scene; the same settings and index give the same scene."""
    rng = np.random.default_rng([config.seed, index, 0])
    variety = config.variety
    kinds = CAST_KINDS[int(rng.choice(len(CAST_KINDS), p=CAST_SHARES))]
    age = float(rng.uniform(0.0, 0.6))
    cast = tuple(draw_body(rng, age if is_child else None) for is_child in kinds)
    camera = draw_camera(rng, variety, config.size, max(body.stature for body in cast))
    piece = _draw_piece(rng, variety, cast[0])
    factor = float(rng.choice(RATE_FACTORS)) if rng.random() < variety else 1.0
    crf = round(23 + variety * rng.uniform(-4.0, 9.0))
    furniture = () if piece is None else (piece,)
    return Scene(index, cast, furniture, piece, camera, factor * config.fps, crf, variety)


def _draw_piece(rng: np.random.Generator, variety: float, body: Body) -> Box | None:
    """Draw a table or a wall aside and away from the camera, or neither."""
    value = rng.random()
    toward = np.pi * float(rng.choice([0.25, 0.75])) + rng.uniform(-0.3, 0.3)
    ahead = np.array([np.cos(toward), np.sin(toward)])
    if value < 0.2 * variety:
        size = (0.55, float(rng.uniform(0.8, 1.1)), 0.37 * body.stature)
        place = ahead * (0.5 * size[0] + 0.21 * body.stature)
        return Box("table", (float(place[0]), float(place[1])), size, toward)
    if value < 0.35 * variety:
        size = (0.12, float(rng.uniform(0.7, 1.0)), float(rng.uniform(1.5, 2.0)))
        place = ahead * (0.5 * size[0] + 0.19 * body.stature)
        return Box("wall", (float(place[0]), float(place[1])), size, toward)
    return None
