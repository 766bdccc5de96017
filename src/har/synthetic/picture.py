"""Pictures of made motion: shaded limbs, heads and furniture, nearer ones over farther ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from har.synthetic.background import Distractor, draw_background, draw_distractors
from har.synthetic.camera import Camera
from har.synthetic.film import Film, draw_film
from har.synthetic.look import Color, Look, draw_look
from har.synthetic.motion import Motion
from har.synthetic.people import PersonPainter
from har.synthetic.things import ShadowPainter, ThingPainter, paint_box


@dataclass(frozen=True)
class Picture:
    """How a clip is drawn: everything apart from motion and camera.

    Attributes:
        background: (H, W, 3) uint8 RGB.
        distractors: What moves in the background.
        looks: Clothes of the whole cast, by name.
        film: What light, lens and sensor do to the drawn picture.
        furniture_color: Of tables, walls and stools.
    """

    background: np.ndarray
    distractors: list[Distractor]
    looks: dict[str, Look]
    film: Film
    furniture_color: Color


def draw_picture(
    place: np.random.Generator,
    clip: np.random.Generator,
    camera: Camera,
    names: tuple[str, ...],
    variety: float,
) -> Picture:
    """Draws how a clip looks.

    Args:
        place: Draws what the scene's clips share.
        clip: Draws what differs between them: distractors, light and noise.
        camera: How it is filmed.
        names: The whole cast.
        variety: As in `SynthConfig`.
    """
    looks = {name: draw_look(place) for name in names}
    furniture = place.uniform(60, 210, size=3)
    color = (int(furniture[0]), int(furniture[1]), int(furniture[2]))
    background = draw_background(place, camera, variety)
    distractors = draw_distractors(clip, camera, variety)
    return Picture(background, distractors, looks, draw_film(clip, camera.size, variety), color)


def iter_images(motion: Motion, camera: Camera, picture: Picture) -> Iterator[np.ndarray]:
    """Gives the pictures of a motion, one a time: (H, W, 3) uint8 RGB."""
    pixels, depth = camera.project(motion.joints)
    people = [
        PersonPainter(
            motion.bodies[who], picture.looks[name], pixels[:, who], depth[:, who], camera
        )
        for who, name in enumerate(motion.names)
    ]
    things = [ThingPainter(thing, motion.joints, camera) for thing in motion.things]
    still = [
        part for box in motion.furniture for part in paint_box(box, camera, picture.furniture_color)
    ]
    shadows = ShadowPainter(motion.joints, camera)
    for index, time_s in enumerate(motion.times_s):
        image = picture.background.copy()
        for distractor in picture.distractors:
            distractor(image, float(time_s))
        shadows.paint(image, index)
        parts = [*still]
        for person in people:
            parts += person.paints(index)
        for thing in things:
            parts += thing.paints(index)
        for _, paint in sorted(parts, key=lambda part: -part[0]):
            paint(image)
        yield picture.film.expose(image, float(time_s))
