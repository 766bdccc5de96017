"""How things and furniture look in a picture, and the shadows that people cast."""

from __future__ import annotations

import cv2
import numpy as np

from har.synthetic.background import fill
from har.synthetic.body import JOINT
from har.synthetic.camera import Camera
from har.synthetic.furniture import compute_faces
from har.synthetic.look import Color, shade
from har.synthetic.people import LIGHT_PX, Paint, compute_capsules, paint_capsule
from har.synthetic.stage import Box, Thing, ThingKind

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
        """Gives the thing at one time, if it is shown."""
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
    """Gives (T, 2, 3) both ends of a thing, from its path or the hand that holds it."""
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
        centre = joints[:, :, feet].mean(axis=2)
        centre[..., 2] = 0.0
        ring = np.linspace(0.0, 2.0 * np.pi, 14, endpoint=False)
        circle = np.stack([0.30 * np.cos(ring), 0.24 * np.sin(ring), 0.0 * ring], axis=-1)
        self._outlines, self._depth = camera.project(centre[:, :, None] + circle)
        self._size = camera.size

    def paint(self, image: np.ndarray, index: int) -> None:
        """Darkens the floor at one time."""
        mask = np.zeros((*self._size, 3), dtype=np.uint8)
        for outline, depth in zip(self._outlines[index], self._depth[index], strict=True):
            if depth.min() > 0.3:
                fill(mask, outline, (self.DARKER, self.DARKER, self.DARKER))
        cv2.subtract(image, mask, dst=image)


def paint_box(box: Box, camera: Camera, color: Color) -> list[Paint]:
    """Gives the faces of a piece of furniture that look towards the camera."""
    parts: list[Paint] = []
    for corners, light in compute_faces(box, camera.position):
        pixels, depth = camera.project(corners)
        lit = shade(color, light)
        if depth.min() > 0.3:
            parts.append((float(depth.mean()), lambda im, px=pixels, c=lit: fill(im, px, c)))
    return parts
