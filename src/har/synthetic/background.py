"""The place behind people: walls or open air, floor, clutter, and things that move back there."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from har.synthetic.camera import Camera
from har.synthetic.people import Color, draw_color, fill, shade

WALL_Y = 2.6
Distractor = Callable[[np.ndarray, float], None]


def draw_background(rng: np.random.Generator, camera: Camera, variety: float) -> np.ndarray:
    """Draw the still background, (H, W, 3) uint8 RGB."""
    height, width = camera.size
    outdoors = rng.random() < 0.35 * variety
    top = draw_color(rng, 0.05, 0.35, 0.55, 0.95)
    image = np.empty((height, width, 3), dtype=np.uint8)
    image[:] = (150, 190, 225) if outdoors else top
    _texture(rng, image, 3.0 + 9.0 * variety)
    if outdoors:
        _draw_trees(rng, image, camera)
    else:
        _draw_wall(rng, image, camera, top, variety)
    ground = (96, 130, 72) if outdoors else draw_color(rng, 0.1, 0.5, 0.3, 0.75)
    _draw_floor(rng, image, camera, ground, variety)
    for _ in range(rng.poisson(4.0 * variety)):
        place = np.array([rng.uniform(-2.2, 2.2), rng.uniform(0.9, 2.3), 0.0])
        _draw_clutter(rng, image, camera, place)
    return image


def draw_distractors(rng: np.random.Generator, camera: Camera, variety: float) -> list[Distractor]:
    """Draw what moves in the background: each is called with a picture and a time in seconds."""
    makers = (_make_screen, _make_curtain, _make_toy, _make_passer)
    chosen = [maker for maker in makers if rng.random() < 0.18 * variety]
    return [maker(rng, camera) for maker in chosen]


def wall_rectangle(camera: Camera, x: float, z: float, width: float, height: float) -> np.ndarray:
    """Return (4, 2) pixels of a rectangle on the far wall, its lower left corner at (x, z)."""
    corners = [(x, z), (x + width, z), (x + width, z + height), (x, z + height)]
    return camera.project(np.array([(cx, WALL_Y, cz) for cx, cz in corners]))[0]


def _texture(rng: np.random.Generator, image: np.ndarray, strength: float) -> None:
    """Add blotches of two sizes, in place."""
    height, width = image.shape[:2]
    total = np.zeros((height, width), dtype=np.float32)
    for cells in (6, 40):
        small = rng.normal(0.0, 1.0, size=(cells, cells)).astype(np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    light = np.linspace(rng.uniform(-1.5, 1.5), rng.uniform(-1.5, 1.5), width, dtype=np.float32)
    total = (total + light) * strength
    image[:] = np.clip(image + total[..., None], 0, 255).astype(np.uint8)


def _draw_wall(
    rng: np.random.Generator, image: np.ndarray, camera: Camera, color: Color, variety: float
) -> None:
    if rng.random() < 0.5 * variety:
        step, line = rng.uniform(0.12, 0.5), shade(color, rng.uniform(0.8, 0.95))
        for x in np.arange(-4.0, 4.0, step):
            fill(image, wall_rectangle(camera, float(x), 0.0, 0.35 * step, 4.0), line)
    for _ in range(rng.poisson(3.5 * variety)):
        x, z = rng.uniform(-2.5, 2.0), rng.uniform(0.3, 2.0)
        width, height = rng.uniform(0.2, 1.0, size=2)
        inner = draw_color(rng, 0.0, 0.7, 0.2, 1.0)
        fill(image, wall_rectangle(camera, x, z, width, height), shade(inner, 0.6))
        margin = 0.05
        inside = wall_rectangle(
            camera, x + margin, z + margin, width - 2 * margin, height - 2 * margin
        )
        fill(image, inside, inner)


def _draw_trees(rng: np.random.Generator, image: np.ndarray, camera: Camera) -> None:
    for _ in range(14):
        place = np.array([rng.uniform(-6.0, 6.0), rng.uniform(3.0, 7.0), rng.uniform(0.2, 2.4)])
        (x, y), depth = camera.project(place)
        radius = rng.uniform(0.3, 0.9) * float(camera.scale_px(depth))
        green = (int(rng.integers(40, 90)), int(rng.integers(80, 140)), int(rng.integers(30, 70)))
        cv2.circle(image, (int(x), int(y)), int(radius), green, -1, cv2.LINE_AA)


def _draw_floor(
    rng: np.random.Generator, image: np.ndarray, camera: Camera, color: Color, variety: float
) -> None:
    height, width = camera.size
    left, right = camera.project(np.array([[-20.0, WALL_Y, 0.0], [20.0, WALL_Y, 0.0]]))[0]
    region = np.array([left, right, [width * 3.0, height * 3.0], [-width * 2.0, height * 3.0]])
    mask = np.zeros((height, width), dtype=np.uint8)
    cv2.fillConvexPoly(mask, np.round(region).astype(np.int32), 255)
    floor = np.empty_like(image)
    floor[:] = color
    if rng.random() < 0.3 + 0.5 * variety:
        _draw_planks(rng, floor, camera, shade(color, rng.uniform(0.8, 0.92)))
    _texture(rng, floor, 3.0 + 8.0 * variety)
    image[mask > 0] = floor[mask > 0]


def _draw_planks(rng: np.random.Generator, floor: np.ndarray, camera: Camera, color: Color) -> None:
    front = float(camera.position[1]) + 0.4
    step = rng.uniform(0.2, 0.6)
    for x in np.arange(-6.0, 6.0, step):
        ends = np.array([[x, front, 0.0], [x, WALL_Y, 0.0]])
        (start, end), _ = camera.project(ends)
        cv2.line(floor, _point(start), _point(end), color, 1, cv2.LINE_AA)
    if rng.random() < 0.5:
        for y in np.arange(front, WALL_Y, step):
            (start, end), _ = camera.project(np.array([[-6.0, y, 0.0], [6.0, y, 0.0]]))
            cv2.line(floor, _point(start), _point(end), color, 1, cv2.LINE_AA)


def _draw_clutter(
    rng: np.random.Generator, image: np.ndarray, camera: Camera, place: np.ndarray
) -> None:
    """Draw a box or a ball that lies about."""
    (x, y), depth = camera.project(place)
    scale, color = float(camera.scale_px(depth)), draw_color(rng, 0.2, 0.9, 0.3, 0.95)
    if rng.random() < 0.5:
        wide, high = rng.uniform(0.15, 0.7) * scale, rng.uniform(0.15, 0.9) * scale
        fill(image, np.array([[x, y], [x + wide, y], [x + wide, y - high], [x, y - high]]), color)
        lid = np.array([[x, y - high], [x + wide, y - high]])
        rise = np.array([0.2 * wide, -0.25 * wide])
        fill(image, np.concatenate([lid, lid[::-1] + rise]), shade(color, 1.25))
    else:
        radius = rng.uniform(0.06, 0.15) * scale
        cv2.circle(image, (int(x), int(y - radius)), int(radius), color, -1, cv2.LINE_AA)


def _make_screen(rng: np.random.Generator, camera: Camera) -> Distractor:
    x, z, rate_hz = rng.uniform(-2.0, 1.0), rng.uniform(0.8, 1.6), rng.uniform(0.5, 2.0)
    outer, inner = (
        wall_rectangle(camera, x + m, z + m, 0.8 - 2 * m, 0.5 - 2 * m) for m in (0, 0.04)
    )

    def distractor(image: np.ndarray, time_s: float) -> None:
        fill(image, outer, (20, 20, 22))
        phase = 2.0 * np.pi * rate_hz * time_s
        red, green, blue = (int(120 + 80 * np.sin(phase * k + k)) for k in (1.0, 1.7, 0.6))
        fill(image, inner, (red, green, blue))

    return distractor


def _make_curtain(rng: np.random.Generator, camera: Camera) -> Distractor:
    x, rate_hz = rng.choice([-2.0, 1.2]), rng.uniform(0.3, 0.8)
    color = draw_color(rng, 0.1, 0.6, 0.4, 0.9)

    def distractor(image: np.ndarray, time_s: float) -> None:
        for index in range(5):
            lean = 0.10 * np.sin(2.0 * np.pi * rate_hz * time_s + index)
            strip = wall_rectangle(camera, x + 0.15 * index, 0.4, 0.16, 2.2)
            foot = wall_rectangle(camera, x + 0.15 * index + lean, 0.4, 0.16, 2.2)
            strip[:2] = foot[:2]
            fill(image, strip, shade(color, 0.8 + 0.1 * (index % 2)))

    return distractor


def _make_toy(rng: np.random.Generator, camera: Camera) -> Distractor:
    y, start, speed = rng.uniform(0.9, 2.2), rng.uniform(-2.0, 2.0), rng.uniform(-0.7, 0.7)
    color, radius = draw_color(rng, 0.4, 0.9, 0.4, 0.9), rng.uniform(0.07, 0.14)

    def distractor(image: np.ndarray, time_s: float) -> None:
        (px, py), depth = camera.project(np.array([start + speed * time_s, y, radius]))
        size = int(radius * float(camera.scale_px(depth)))
        cv2.circle(image, (int(px), int(py)), max(size, 1), color, -1, cv2.LINE_AA)

    return distractor


def _make_passer(rng: np.random.Generator, camera: Camera) -> Distractor:
    """Someone far away who walks past, as a plain figure."""
    start, speed = rng.uniform(-2.5, 2.5), rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 1.1)
    stature, color = rng.uniform(1.1, 1.8), draw_color(rng, 0.1, 0.5, 0.2, 0.6)

    def distractor(image: np.ndarray, time_s: float) -> None:
        x = start + speed * time_s
        stride = 0.2 * np.sin(2.0 * np.pi * 0.9 * time_s)
        hip, neck = (x, 0.5 * stature), (x, 0.82 * stature)
        ends = ((hip, (x + stride, 0.0)), (hip, (x - stride, 0.0)), (hip, neck))
        for (ax, az), (bx, bz) in ends:
            (a, b), depth = camera.project(
                np.array([[ax, WALL_Y - 0.2, az], [bx, WALL_Y - 0.2, bz]])
            )
            width = max(1, int(0.14 * float(camera.scale_px(depth[0]))))
            cv2.line(image, _point(a), _point(b), color, width, cv2.LINE_AA)
        (px, py), depth = camera.project(np.array([x, WALL_Y - 0.2, 0.92 * stature]))
        radius = max(1, int(0.1 * float(camera.scale_px(depth))))
        cv2.circle(image, (int(px), int(py)), radius, shade(color, 1.4), -1, cv2.LINE_AA)

    return distractor


def _point(pixel: np.ndarray) -> tuple[int, int]:
    x, y = np.clip(pixel, -20000, 20000)
    return int(x), int(y)
