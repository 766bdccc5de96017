"""What light, lens and sensor do to a drawn picture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np


@dataclass(frozen=True)
class Film:
    """Exposure of one clip.

    Attributes:
        blur_px: Softness of the lens, 0 none.
        gain: Contrast, 1 none.
        offset: Brightness in grey levels.
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
        """Gives the picture as the sensor has it, (H, W, 3) uint8; may change ``image``."""
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
    """Draws how a clip is exposed; ``size`` is (H, W)."""
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
