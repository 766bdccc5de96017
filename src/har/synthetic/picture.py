"""Pictures of synthetic motion: people, things, furniture and shadows, as a lens shows them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from har.synthetic.background import Distractor, draw_background, draw_distractors
from har.synthetic.body import JOINT
from har.synthetic.camera import Camera
from har.synthetic.motion import Motion
from har.synthetic.people import (
    LIGHT_PX,
    Appearance,
    Color,
    Paint,
    PersonPainter,
    compute_capsules,
    draw_appearance,
    fill,
    paint_capsule,
    shade,
)
from har.synthetic.stage import Box, Thing, ThingKind


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
        appearances: Clothes of the whole cast, by name.
        film: What light, lens and sensor do to the drawn picture.
        furniture_color: Of tables, walls and stools.
    """

    background: np.ndarray
    distractors: list[Distractor]
    appearances: dict[str, Appearance]
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

    ``place`` draws what the scene's clips share, ``clip`` what differs between them: distractors,
    light and noise. ``names`` are the whole cast, ``variety`` is as in `SynthConfig`.
    """
    appearances = {name: draw_appearance(place) for name in names}
    furniture = place.uniform(60, 210, size=3)
    color = (int(furniture[0]), int(furniture[1]), int(furniture[2]))
    background = draw_background(place, camera, variety)
    distractors = draw_distractors(clip, camera, variety)
    return Picture(
        background, distractors, appearances, draw_film(clip, camera.size, variety), color
    )


def iter_images(motion: Motion, camera: Camera, picture: Picture) -> Iterator[np.ndarray]:
    """Return the pictures of a motion, one a time: (H, W, 3) uint8 RGB."""
    pixels, depth = camera.project(motion.joints)
    people = [
        PersonPainter(
            motion.bodies[who], picture.appearances[name], pixels[:, who], depth[:, who], camera
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


TABLE_TOP_M = 0.04
LEG_M = 0.05


def compute_faces(box: Box, eye: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Return the faces that can be seen from a place ``eye`` (3,) in meters.

    Of each (4, 3) corners in meters, and its brightness; a table is a top on four legs.
    """
    faces = []
    for low, high in _blocks(box):
        faces += _block_faces(box, low, high, eye)
    return faces


def _blocks(box: Box) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return lower and upper corners of the piece's blocks in its own axes."""
    half = np.array([0.5 * box.size[0], 0.5 * box.size[1]])
    top = box.size[2]
    if box.kind != "table":
        return [(np.array([*-half, 0.0]), np.array([*half, top]))]
    blocks = [(np.array([*-half, top - TABLE_TOP_M]), np.array([*half, top]))]
    leg = np.array([LEG_M, LEG_M, top - TABLE_TOP_M])
    corners = itertools.product((-half[0], half[0] - LEG_M), (-half[1], half[1] - LEG_M), (0.0,))
    blocks += [(np.array(corner), np.array(corner) + leg) for corner in corners]
    return blocks


def _block_faces(
    box: Box, low: np.ndarray, high: np.ndarray, eye: np.ndarray
) -> list[tuple[np.ndarray, float]]:
    turn = np.array(
        [
            [np.cos(box.yaw), -np.sin(box.yaw), 0.0],
            [np.sin(box.yaw), np.cos(box.yaw), 0.0],
            [0, 0, 1],
        ]
    )
    center = np.array([*box.center, 0.0])
    faces = []
    for axis in range(3):
        for is_high in (False, True):
            first, second = (axis + 1) % 3, (axis + 2) % 3
            corners = np.empty((4, 3))
            corners[:, axis] = high[axis] if is_high else low[axis]
            corners[:, first] = np.array([low, high, high, low])[:, first]
            corners[:, second] = np.array([low, low, high, high])[:, second]
            normal = turn[:, axis] * (1.0 if is_high else -1.0)
            world = corners @ turn.T + center
            if (eye - world.mean(axis=0)) @ normal > 0.0:
                light = 1.15 if axis == 2 else 0.75 + 0.15 * abs(float(normal[0]))
                faces.append((world, light))
    return faces


COLORS: dict[ThingKind, Color] = {
    "ball": (214, 70, 50),
    "stick": (120, 84, 50),
    "phone": (30, 32, 40),
    "cup": (225, 225, 210),
}


class ThingPainter:
    """A ball, a stick or something small in a hand."""

    def __init__(self, thing: Thing, joints: np.ndarray, camera: Camera) -> None:
        self._thing = thing
        self._ends = compute_ends(thing, joints)
        self._pixels, self._depth = camera.project(self._ends)
        self._scale = camera.scale_px(self._depth)

    def paints(self, index: int) -> list[Paint]:
        """Return the thing at one time, if it is shown."""
        if not self._thing.shown[index] or self._depth[index].min() < 0.3:
            return []
        start, end = self._pixels[index]
        radii = np.maximum(self._thing.radius * self._scale[index], 0.8)
        outer = compute_capsules(start, end, radii)
        lit = LIGHT_PX * radii.mean()
        inner = compute_capsules(start + lit, end + lit, 0.5 * radii)
        color = COLORS[self._thing.kind]
        return [(float(self._depth[index].mean()) - 0.05, paint_capsule(outer, inner, color))]


def compute_ends(thing: Thing, joints: np.ndarray) -> np.ndarray:
    """Return (T, 2, 3) both ends of a thing, from its path or the hand that holds it."""
    if thing.holder is None:
        path = joints[:, 0, 0] if thing.path is None else thing.path
        return np.stack([path, path + np.array([1e-3, 0.0, 0.0])], axis=1)
    who, side = thing.holder
    word = ("left", "right")[side]
    hand, elbow = joints[:, who, JOINT[f"{word}_hand"]], joints[:, who, JOINT[f"{word}_elbow"]]
    way = hand - elbow
    way = way / np.linalg.norm(way, axis=-1, keepdims=True)
    way = way + np.array([0.0, 0.0, 0.7])
    way = way / np.maximum(np.linalg.norm(way, axis=-1, keepdims=True), 1e-6)
    return np.stack([hand - 0.15 * thing.length * way, hand + 0.85 * thing.length * way], axis=1)


class ShadowPainter:
    """Soft dark patches on the floor under people."""

    DARKER = 34

    def __init__(self, joints: np.ndarray, camera: Camera) -> None:
        feet = [JOINT["left_ankle"], JOINT["right_ankle"], JOINT["left_hip"], JOINT["right_hip"]]
        center = joints[:, :, feet].mean(axis=2)
        center[..., 2] = 0.0
        ring = np.linspace(0.0, 2.0 * np.pi, 14, endpoint=False)
        circle = np.stack([0.30 * np.cos(ring), 0.24 * np.sin(ring), 0.0 * ring], axis=-1)
        self._outlines, self._depth = camera.project(center[:, :, None] + circle)
        self._size = camera.size

    def paint(self, image: np.ndarray, index: int) -> None:
        """Darken the floor at one time."""
        mask = np.zeros((*self._size, 3), dtype=np.uint8)
        for outline, depth in zip(self._outlines[index], self._depth[index], strict=True):
            if depth.min() > 0.3:
                fill(mask, outline, (self.DARKER, self.DARKER, self.DARKER))
        cv2.subtract(image, mask, dst=image)


def paint_box(box: Box, camera: Camera, color: Color) -> list[Paint]:
    """Return the faces of a piece of furniture that look towards the camera."""
    parts: list[Paint] = []
    for corners, light in compute_faces(box, camera.position):
        pixels, depth = camera.project(corners)
        lit = shade(color, light)
        if depth.min() > 0.3:
            parts.append((float(depth.mean()), lambda im, px=pixels, c=lit: fill(im, px, c)))
    return parts
