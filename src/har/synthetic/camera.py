"""A pinhole camera, and where one stands before the people."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEAR_M = 0.05
HALF_WIDTH_M = 0.75


@dataclass(frozen=True)
class Camera:
    """Where a camera stands and how it sees.

    Attributes:
        position: (3,) meters.
        axes: (3, 3) rows are the unit directions right, down and ahead in the picture.
        focal_px: Focal length in pixels.
        size: (H, W) of the picture.
    """

    position: np.ndarray
    axes: np.ndarray
    focal_px: float
    size: tuple[int, int]

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where points are in the picture, and how far ahead of the camera.

        Args:
            points: (..., 3) meters.

        Returns:
            (..., 2) pixels (x right, y down, (0, 0) the top left corner) and (...) meters ahead.
            Points nearer than 5 cm or behind count as 5 cm ahead for their pixel, so that these
            stay finite; their depth tells them apart.
        """
        local = (points - self.position) @ self.axes.T
        depth = local[..., 2]
        height, width = self.size
        scaled = local[..., :2] * (self.focal_px / np.maximum(depth, NEAR_M))[..., None]
        return scaled + np.array([width / 2.0, height / 2.0]), depth

    def scale_px(self, depth: np.ndarray) -> np.ndarray:
        """Return how many pixels a meter takes at each depth."""
        return self.focal_px / np.maximum(depth, NEAR_M)


def make_camera(
    position: np.ndarray, target: np.ndarray, fov: float, size: tuple[int, int], roll: float = 0.0
) -> Camera:
    """Return a camera that looks at a place.

    Args:
        position: (3,) meters.
        target: (3,) meters, not straight above or below the camera.
        fov: Radians from the left to the right edge of the picture.
        size: (H, W) pixels.
        roll: Radians, clockwise turn of the camera.

    >>> camera = make_camera(np.array([0.0, -2.0, 1.0]), np.array([0.0, 0.0, 1.0]),
    ...                      np.pi / 2, (240, 320))
    >>> pixels, depth = camera.project(np.array([1.0, 0.0, 1.5]))
    >>> pixels.tolist(), float(depth)
    ([240.0, 80.0], 2.0)
    """
    ahead = (target - position) / np.linalg.norm(target - position)
    right = np.cross(ahead, np.array([0.0, 0.0, 1.0]))
    right = right / np.linalg.norm(right)
    down = np.cross(ahead, right)
    turned = np.cos(roll) * right + np.sin(roll) * down
    axes = np.stack([turned, np.cross(ahead, turned), ahead])
    return Camera(position, axes, size[1] / 2.0 / np.tan(fov / 2.0), size)


def draw_camera(
    rng: np.random.Generator, variety: float, size: tuple[int, int], tallest_m: float
) -> Camera:
    """Draw a camera south of the origin, at which people act.

    Height, lens, roll and how much of the picture people fill are drawn; the distance follows, so
    that the tallest stands whole in the picture and `HALF_WIDTH_M` is seen on both sides.
    """
    position = np.array([0.0, -1.0, 1.2 + variety * rng.uniform(-0.5, 1.5)])
    fov = np.radians(58.0 + variety * rng.uniform(-14.0, 24.0))
    fill = 0.88 + rng.uniform(-1.0, 1.0) * (0.03 + 0.09 * variety)
    roll = np.radians(variety * rng.normal(0.0, 2.0))
    middle = np.array([0.12 * variety * rng.uniform(-1, 1), 0.0, 0.5 * tallest_m])
    height, width = size
    half_v, half_h = np.tan(fov / 2.0) * height / width, np.tan(fov / 2.0)
    away = max(0.52 * tallest_m / (fill * half_v), HALF_WIDTH_M / (fill * half_h)) + 0.1
    rise = position[2] - middle[2]
    position[1] = -np.sqrt(max(away**2 - rise**2, (0.6 * away) ** 2))
    position[0] = middle[0]
    return make_camera(position, middle, float(fov), size, float(roll))
