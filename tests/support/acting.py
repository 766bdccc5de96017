"""Scenes of drawn people who each raise their hands at times of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from puppet import SIZE, draw_person
from videos import make_video

FPS = 10.0
Scene = Callable[[float], tuple[tuple[float, bool], ...]]
"""Gives for a time in seconds each person's place, as a part of the width, and if hands are up."""


@lru_cache(maxsize=64)
def paint_scene(people: tuple[tuple[float, bool], ...]) -> np.ndarray:
    """Return an RGB picture of people in a plain room."""
    canvas = np.full((SIZE[0] * 2, SIZE[1] * 2, 3), 205, np.uint8)
    canvas[int(0.75 * len(canvas)) :] = (150, 130, 110)
    for place, is_up in people:
        draw_person(canvas, place, 0.85, float(is_up))
    return cv2.resize(canvas, SIZE[::-1], interpolation=cv2.INTER_AREA)


def iter_scene(scene: Scene, length_s: float, fps: float = FPS) -> Iterator[np.ndarray]:
    """Return the pictures of a scene."""
    return (paint_scene(scene(index / fps)) for index in range(round(length_s * fps)))


def make_scene(path: Path, scene: Scene, length_s: float, fps: float = FPS) -> Path:
    """Write a scene as a video."""
    pictures = list(iter_scene(scene, length_s, fps))
    times_s = [index / fps for index in range(len(pictures))]
    return make_video(path, times_s, SIZE, paint=lambda index: pictures[index])
