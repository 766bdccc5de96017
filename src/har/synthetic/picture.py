"""Pictures of synthetic motion: shaded limbs, heads and furniture, as a lens shows them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from har.synthetic.background import Distractor, draw_background, draw_distractors
from har.synthetic.camera import Camera
from har.synthetic.motion import Motion
from har.synthetic.people import Color, Look, PersonPainter, draw_look
from har.synthetic.things import ShadowPainter, ThingPainter, paint_box


@dataclass(frozen=True)
class Film:
    """Exposure of one clip.

    Attributes:
        blur_px: Softness of the lens, 0 none.
        gain: Contrast, 1 none.
        offset: Brightness in gray levels.
        flicker: Share by which the light wavers.
        shake_px: How far the camera trembles.
        grain: (2, 2H, 2W, 3) uint8: what noise adds and takes away.
        rng: Draws each picture's noise.
        phases: Three phases in radians for flicker and shake.
    """

    blur_px: float
    gain: float
    offset: float
    flicker: float
    shake_px: float
    grain: np.ndarray
    rng: np.random.Generator
    phases: np.ndarray

    def expose(self, image: np.ndarray, time_s: float) -> np.ndarray:
        """Return the picture as the sensor has it, (H, W, 3) uint8; may change ``image``."""
        height, width = image.shape[:2]
        if self.shake_px > 0.0:
            sway = self.shake_px * np.sin(
                2 * np.pi * np.array([0.9, 1.3]) * time_s + self.phases[:2]
            )
            move = np.array([[1.0, 0.0, sway[0]], [0.0, 1.0, sway[1]]])
            image = cv2.warpAffine(image, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
        if self.blur_px > 0.0:
            image = cv2.GaussianBlur(image, (5, 5), self.blur_px)
        wave = 1.0 + self.flicker * np.sin(2 * np.pi * 1.7 * time_s + self.phases[2])
        image = cv2.convertScaleAbs(image, alpha=self.gain * float(wave), beta=self.offset)
        y, x = self.rng.integers(0, [height, width])
        add, take = self.grain[:, y : y + height, x : x + width]
        return cv2.subtract(cv2.add(image, add), take)


def draw_film(rng: np.random.Generator, size: tuple[int, int], variety: float) -> Film:
    """Draw how a clip is exposed; ``size`` is (H, W)."""
    height, width = size
    gain = 1.0 + variety * rng.uniform(-0.35, 0.2)
    noise = rng.normal(0.0, 1.5 + variety * rng.uniform(0.0, 4.0), size=(height, width))
    noise = np.tile(noise.astype(np.float32), (2, 2))[..., None].repeat(3, axis=2)
    noise = np.clip(np.round(noise), -255, 255)
    grain = np.stack([np.maximum(noise, 0), np.maximum(-noise, 0)]).astype(np.uint8)
    return Film(
        blur_px=0.45 + variety * float(rng.uniform(0.0, 0.7)),
        gain=gain,
        offset=(1.0 - gain) * 60.0 + variety * float(rng.uniform(-25.0, 15.0)),
        flicker=0.03 * variety * float(rng.uniform(0.0, 1.0)),
        shake_px=0.0 if rng.random() > 0.4 * variety else float(rng.uniform(0.3, 1.5)),
        grain=grain,
        rng=rng,
        phases=rng.uniform(0.0, 2.0 * np.pi, size=3),
    )


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
    """Draw how a clip looks.

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
    """Return the pictures of a motion, one a time: (H, W, 3) uint8 RGB."""
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
