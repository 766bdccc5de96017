"""A drawn person that the pose network takes for one, and films of it that follow a script."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from videos import make_clip

SIZE = (240, 320)
FPS = 10
_SKIN, _SHIRT, _JEANS, _HAIR = (224, 172, 140), (60, 90, 170), (50, 50, 70), (60, 40, 25)
_ZOOM = 2
_REST = (0.15, 0.53)
_UP = (0.30, 0.10)


class _Figure:
    """Draws in units of the person's height, x from the middle, y from the crown."""

    def __init__(self, canvas: np.ndarray, x: float, height: float) -> None:
        self._canvas = canvas
        self._unit = height * canvas.shape[0]
        self._origin = np.array([x * canvas.shape[1], (0.95 - height) * canvas.shape[0]])

    def at(self, x: float, y: float) -> np.ndarray:
        return self._origin + self._unit * np.array([x, y])

    def limb(self, a, b, width: float, color) -> None:
        ends = [tuple(np.round(end).astype(int).tolist()) for end in (a, b)]
        cv2.line(self._canvas, *ends, color, max(int(width * self._unit), 1), cv2.LINE_AA)

    def oval(self, x, y, radius_x, radius_y, color, start_deg=0) -> None:
        center = tuple(self.at(x, y).astype(int).tolist())
        radii = (max(int(radius_x * self._unit), 1), max(int(radius_y * self._unit), 1))
        cv2.ellipse(self._canvas, center, radii, 0, start_deg, 360, color, -1, cv2.LINE_AA)

    def arm(self, side: int, wrist: tuple[float, float]) -> None:
        shoulder, hand = self.at(0.115 * side, 0.205), self.at(wrist[0] * side, wrist[1])
        along = hand - shoulder
        length = float(np.linalg.norm(along))
        out = np.array([-along[1], along[0]]) / max(length, 1.0)
        bend = np.sqrt(max((0.185 * self._unit) ** 2 - length**2 / 4, 0.0))
        elbow = (shoulder + hand) / 2 + out * bend * (side if out[0] > 0 else -side)
        self.limb(shoulder, elbow, 0.06, _SHIRT)
        self.limb(elbow, hand, 0.045, _SKIN)
        self.oval(wrist[0] * side, wrist[1], 0.03, 0.03, _SKIN)


def draw_person(canvas: np.ndarray, x: float, height: float, raised: float) -> None:
    """Draw a standing person who faces the camera.

    Args:
        canvas: (H, W, 3) uint8, changed in place.
        x: Where they stand, as a part of the width.
        height: Theirs, as a part of the picture's.
        raised: 0 arms hang, 1 both hands are beside the head.
    """
    figure = _Figure(canvas, x, height)
    for side in (-1, 1):
        hip, knee, foot = (
            figure.at(a * side, b) for a, b in ((0.055, 0.5), (0.06, 0.73), (0.065, 0.96))
        )
        figure.limb(hip, knee, 0.085, _JEANS)
        figure.limb(knee, foot, 0.07, _JEANS)
    trunk = [
        figure.at(*corner)
        for corner in ((-0.115, 0.19), (0.115, 0.19), (0.09, 0.53), (-0.09, 0.53))
    ]
    cv2.fillPoly(canvas, [np.array(trunk, np.int32)], _SHIRT, cv2.LINE_AA)
    figure.limb(figure.at(-0.1, 0.2), figure.at(0.1, 0.2), 0.06, _SHIRT)
    figure.limb(figure.at(0, 0.12), figure.at(0, 0.19), 0.055, _SKIN)
    wrist = tuple((1 - raised) * a + raised * b for a, b in zip(_REST, _UP, strict=True))
    for side in (-1, 1):
        figure.arm(side, wrist)
    figure.oval(0, 0.075, 0.058, 0.075, _SKIN)
    figure.oval(0, 0.05, 0.062, 0.055, _HAIR, start_deg=180)
    for side in (-1, 1):
        figure.oval(0.022 * side, 0.07, 0.008, 0.008, (30, 30, 30))
    figure.oval(0, 0.09, 0.008, 0.008, (190, 130, 105))
    figure.limb(figure.at(-0.018, 0.115), figure.at(0.018, 0.115), 0.008, (150, 70, 70))


@lru_cache(maxsize=256)
def paint_people(
    places: tuple[float, ...], raised: float = 0.0, height: float = 0.85, size=SIZE, light=1.0
) -> np.ndarray:
    """Return an RGB picture of people at ``places`` (parts of the width) in a plain room."""
    canvas = np.full((size[0] * _ZOOM, size[1] * _ZOOM, 3), 205, np.uint8)
    canvas[int(0.75 * len(canvas)) :] = (150, 130, 110)
    for place in places:
        draw_person(canvas, place, height, raised)
    picture = cv2.resize(canvas, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.rint(picture * light).astype(np.uint8)


def paint_moment(time_s: float, places: tuple[float, ...] = (0.5,), **look) -> np.ndarray:
    """Return the picture of a moment: hands go up and down, once a second."""
    phases = (0.0, 0.25, 0.5, 0.75, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0)
    return paint_people(places, phases[round(time_s * FPS) % len(phases)], **look)


def iter_times(length_s: float) -> Iterator[float]:
    return (index / FPS for index in range(round(length_s * FPS)))


def make_film(path: Path, pictures: Iterable[np.ndarray]) -> Path:
    """Write RGB pictures of one size as a film of `FPS`."""
    shown = list(pictures)
    return make_clip(path, len(shown), FPS, size=shown[0].shape[:2], paint=lambda i: shown[i])
