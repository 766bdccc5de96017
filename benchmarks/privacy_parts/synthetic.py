"""Heads of synthetic clips, whose places are known."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from har.config import SynthConfig
from har.result import FoundPeople
from har.synthetic.body import JOINT
from har.synthetic.motion import LABELS, Motion, draw_motion
from har.synthetic.people import compute_capsules
from har.synthetic.picture import draw_picture, iter_images
from har.synthetic.scene import CAST, Scene, draw_scene
from privacy_parts.finders import Finder
from privacy_parts.tally import Cover, Tally, name_size

_SIZE_PX = (480, 640)
_SCALES = (1.0, 0.5, 0.25)
_LIGHTS = {"day": 1.0, "dusk": 0.35, "night": 0.12}
_CLIP_S = 2.0
_EVERY = 3
_NOISE = 4.0


def measure_synthetic(n_scenes: int, seed: int, finder: Finder) -> dict[str, Any]:
    """Return the shares of head pixels and of heads that stay open, by size and by light."""
    by_size, by_light = Tally(), Tally()
    config = SynthConfig(size=_SIZE_PX, clip_s=_CLIP_S, seed=seed)
    for index in range(n_scenes):
        scene = draw_scene(config, index)
        motion = draw_motion(scene, seed, 0, LABELS[index % len(LABELS)], _CLIP_S)
        place, clip = (np.random.default_rng([seed, index, part]) for part in (3, 4))
        picture = draw_picture(place, clip, scene.camera, CAST, config.variety)
        images = list(iter_images(motion, scene.camera, picture))
        heads = [_draw_heads(motion, scene, step) for step in range(len(images))]
        for scale in _SCALES:
            for light, gain in _LIGHTS.items():
                rng = np.random.default_rng([seed, index])
                shown = [_film(image, scale, gain, rng) for image in images]
                truth = [[_shift(head, scale) for head in step] for step in heads]
                people = finder.find_in_images(shown, scene.fps)
                _measure(shown, truth, people, scene.fps, light, by_size, by_light)
    return {
        "by size": by_size.to_rows(("head px",)),
        "by light": by_light.to_rows(("light",)),
    }


def _measure(
    shown: list[np.ndarray],
    truth: list[list[tuple[np.ndarray, float]]],
    people: FoundPeople,
    fps: float,
    light: str,
    by_size: Tally,
    by_light: Tally,
) -> None:
    cover = Cover(people, _SIZE_PX)
    for step, (image, heads) in enumerate(zip(shown, truth, strict=True)):
        covers = cover.find(image, step / fps)
        if step % _EVERY == 0:
            for outline, radius in heads:
                mask = np.zeros(_SIZE_PX, np.uint8)
                cv2.fillConvexPoly(mask, np.round(outline).astype(np.int32), 1)
                by_size.add((name_size(radius),), mask.astype(bool), *covers)
                by_light.add((light,), mask.astype(bool), *covers)


def _draw_heads(motion: Motion, scene: Scene, step: int) -> list[tuple[np.ndarray, float]]:
    """Return the outline of each head, (N, 2) pixels, hair and all, and its radius."""
    pixels, depth = scene.camera.project(motion.joints[step])
    found: list[tuple[np.ndarray, float]] = []
    for who, body in enumerate(motion.bodies):
        ears = pixels[who, [JOINT["left_ear"], JOINT["right_ear"]]].mean(axis=0)
        shoulders = [JOINT["left_shoulder"], JOINT["right_shoulder"]]
        up = ears - pixels[who, shoulders].mean(axis=0)
        up /= max(float(np.linalg.norm(up)), 1e-6)
        scale = float(scene.camera.scale_px(depth[who, JOINT["left_ear"]]))
        half_depth, half_width, half_height = (part * scale for part in body.head)
        radius = 0.5 * (half_depth + half_width)
        radii = np.array([0.88, 1.0]) * radius
        ends = ears - 0.30 * half_height * up, ears + 0.35 * half_height * up
        found.append((compute_capsules(*ends, radii), radius))
    return found


def _film(image: np.ndarray, scale: float, gain: float, rng: np.random.Generator) -> np.ndarray:
    """Return a picture from farther away, in another light, with the noise of a sensor."""
    height, width = _SIZE_PX
    turn = np.array([[scale, 0, (1 - scale) * width / 2], [0, scale, (1 - scale) * height / 2]])
    border = cv2.BORDER_REPLICATE
    small = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_AREA, borderMode=border)
    noise = rng.normal(0.0, _NOISE, small.shape)
    return np.clip(small * gain + noise, 0, 255).astype(np.uint8)


def _shift(head: tuple[np.ndarray, float], scale: float) -> tuple[np.ndarray, float]:
    outline, radius = head
    middle = np.array([_SIZE_PX[1] / 2, _SIZE_PX[0] / 2])
    return middle + scale * (outline - middle), scale * radius
