"""How people look in a picture: clothes, limbs, trunk, head and face."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from har.synthetic.body import JOINT, Body
from har.synthetic.camera import Camera

Color = tuple[int, int, int]

SHIFT = 4
"""OpenCV draws with so many bits of a pixel."""

SKINS: tuple[Color, ...] = (
    *((245, 208, 180), (232, 186, 150), (214, 160, 118), (176, 120, 82), (136, 88, 58)),
    *((100, 64, 44), (248, 216, 196)),
)
HAIRS: tuple[Color, ...] = (
    *((38, 28, 22), (70, 46, 30), (112, 76, 46), (170, 128, 70), (206, 172, 108)),
    *((150, 80, 50), (60, 44, 40)),
)


def fill(image: np.ndarray, polygon_px: np.ndarray, color: Color) -> None:
    """Fill a convex polygon, (N, 2) pixels, with smooth edges."""
    points = np.round(polygon_px * (1 << SHIFT)).astype(np.int32)
    cv2.fillConvexPoly(image, points, color, cv2.LINE_AA, SHIFT)


@dataclass(frozen=True)
class Appearance:
    """Colors (RGB, 0 to 255) and cut of one person's clothes and hair."""

    skin: Color
    hair: Color
    shirt: Color
    second: Color
    trousers: Color
    shoes: Color
    is_striped: bool
    has_sleeves: bool
    has_shorts: bool
    has_long_hair: bool


def draw_appearance(rng: np.random.Generator) -> Appearance:
    """Draw how one person appearances."""
    return Appearance(
        skin=SKINS[int(rng.integers(len(SKINS)))],
        hair=HAIRS[int(rng.integers(len(HAIRS)))],
        shirt=draw_color(rng, 0.25, 0.85, 0.35, 0.95),
        second=draw_color(rng, 0.0, 0.6, 0.3, 1.0),
        trousers=draw_color(rng, 0.05, 0.6, 0.18, 0.7),
        shoes=draw_color(rng, 0.0, 0.5, 0.15, 0.9),
        is_striped=bool(rng.random() < 0.35),
        has_sleeves=bool(rng.random() < 0.5),
        has_shorts=bool(rng.random() < 0.35),
        has_long_hair=bool(rng.random() < 0.4),
    )


def draw_color(
    rng: np.random.Generator, least_s: float, most_s: float, least_v: float, most_v: float
) -> Color:
    """Draw a color of any hue within bounds of saturation and value."""
    hue, saturation, value = (
        rng.random(),
        rng.uniform(least_s, most_s),
        rng.uniform(least_v, most_v),
    )
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return (round(255 * red), round(255 * green), round(255 * blue))


def shade(color: Color, factor: float) -> Color:
    """Return the color lighter (factor over 1) or darker.

    >>> shade((100, 200, 40), 1.5)
    (150, 255, 60)
    """
    red, green, blue = (min(255, round(part * factor)) for part in color)
    return (red, green, blue)


_ARC = np.linspace(-0.5 * np.pi, 0.5 * np.pi, 6)
LIGHT_PX = np.array([-0.32, -0.30])

LIMBS = (
    *((f"{side}_hip", f"{side}_knee", "thigh") for side in ("left", "right")),
    *((f"{side}_knee", f"{side}_ankle", "shank") for side in ("left", "right")),
    *((f"{side}_ankle", f"{side}_toe", "foot") for side in ("left", "right")),
    *((f"{side}_shoulder", f"{side}_elbow", "upper_arm") for side in ("left", "right")),
    *((f"{side}_elbow", f"{side}_wrist", "forearm") for side in ("left", "right")),
    *((f"{side}_wrist", f"{side}_hand", "hand") for side in ("left", "right")),
)
"""Limbs as (start joint, end joint, kind)."""

RADII = {
    "thigh": (0.052, 0.037),
    "shank": (0.036, 0.025),
    "foot": (0.024, 0.019),
    "upper_arm": (0.030, 0.024),
    "forearm": (0.024, 0.018),
    "hand": (0.020, 0.029),
}
"""Half thickness at start and end of a limb, as shares of the stature."""

_STARTS = np.array([JOINT[start] for start, _, _ in LIMBS])
_ENDS = np.array([JOINT[end] for _, end, _ in LIMBS])
_RADII = np.array([RADII[kind] for _, _, kind in LIMBS])
_TRUNK = [JOINT[f"{side}_{part}"] for side in ("left", "right") for part in ("shoulder", "hip")]
_HEAD = [JOINT[name] for name in ("nose", "left_ear", "right_ear", "left_eye", "right_eye")]

Paint = tuple[float, Callable[[np.ndarray], None]]
"""Depth in meters and what paints the part: farther parts are painted first."""


def compute_capsules(starts: np.ndarray, ends: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Return outlines of limbs that are round at both ends, (..., 12, 2) pixels, convex.

    ``starts`` and ``ends`` are (..., 2) pixels, ``radii`` (..., 2) half the thickness at both.
    """
    way = ends - starts
    angle = np.arctan2(way[..., 1], way[..., 0])[..., None] + _ARC
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    front = ends[..., None, :] + radii[..., 1, None, None] * ring
    back = starts[..., None, :] - radii[..., 0, None, None] * ring
    return np.concatenate([front, back], axis=-2)


class PersonPainter:
    """Outlines of one person at all times, ready to be painted."""

    def __init__(
        self,
        body: Body,
        appearance: Appearance,
        pixels: np.ndarray,
        depth: np.ndarray,
        camera: Camera,
    ) -> None:
        self._body, self._appearance = body, appearance
        self._pixels, self._depth = pixels, depth
        scale = camera.scale_px(depth)
        self._scale = scale
        radii = _RADII * body.stature * (1.15 if body.is_child else 1.0)
        radii_px = np.stack([scale[:, _STARTS], scale[:, _ENDS]], axis=-1) * radii
        starts, ends = pixels[:, _STARTS], pixels[:, _ENDS]
        self._outer = compute_capsules(starts, ends, radii_px)
        lit = radii_px.mean(axis=-1)[..., None] * LIGHT_PX
        self._inner = compute_capsules(starts + lit, ends + lit, 0.55 * radii_px)
        self._limb_depth = 0.5 * (depth[:, _STARTS] + depth[:, _ENDS])
        self._colors = [self._limb_color(kind) for _, _, kind in LIMBS]

    def paints(self, index: int) -> list[Paint]:
        """Return the parts of one time."""
        visible = self._depth[index].min() > 0.3
        if not visible:
            return []
        parts: list[Paint] = []
        for limb, color in enumerate(self._colors):
            outer, inner = self._outer[index, limb], self._inner[index, limb]
            parts.append((float(self._limb_depth[index, limb]), paint_capsule(outer, inner, color)))
        trunk_depth = float(self._depth[index, _TRUNK].mean())
        parts.append((trunk_depth, lambda image: self._paint_trunk(image, index)))
        head_depth = float(self._depth[index, _HEAD[1:3]].mean())
        parts.append((head_depth, lambda image: self._paint_head(image, index)))
        return parts

    def _limb_color(self, kind: str) -> Color:
        look = self._appearance
        if kind in ("thigh", "foot"):
            return look.trousers if kind == "thigh" else look.shoes
        if kind == "shank":
            return look.skin if look.has_shorts else look.trousers
        if kind == "upper_arm":
            return look.shirt
        if kind == "forearm":
            return look.shirt if look.has_sleeves else look.skin
        return look.skin

    def _paint_trunk(self, image: np.ndarray, index: int) -> None:
        corners, scale = self._pixels[index, _TRUNK], self._scale[index, _TRUNK]
        stature = self._body.stature
        thick = np.array([0.046, 0.058, 0.046, 0.058]) * stature * scale
        thick *= self._body.trunk_radii[0] / (0.066 * stature)
        ring = np.linspace(0.0, 2.0 * np.pi, 10, endpoint=False)
        ring = np.stack([np.cos(ring), np.sin(ring)], axis=-1)
        outline = (corners[:, None] + thick[:, None, None] * ring).reshape(-1, 2)
        hull = cv2.convexHull(outline.astype(np.float32))[:, 0]
        fill(image, hull, shade(self._appearance.shirt, 0.78))
        middle = hull.mean(axis=0)
        lit = middle + 0.78 * (hull - middle) + LIGHT_PX * 0.4 * thick.mean()
        fill(image, lit, self._appearance.shirt)
        if self._appearance.is_striped:
            self._paint_stripes(image, corners, thick)

    def _paint_stripes(self, image: np.ndarray, corners: np.ndarray, thick: np.ndarray) -> None:
        left_top, left_low, right_top, right_low = corners
        width = max(1, round(0.35 * float(thick.mean())))
        for share in (0.2, 0.45, 0.7):
            ends = [
                top + share * (low - top)
                for top, low in ((left_top, left_low), (right_top, right_low))
            ]
            points = np.round(np.array(ends) * 16).astype(np.int32)
            start, end = tuple(map(int, points[0])), tuple(map(int, points[1]))
            cv2.line(image, start, end, self._appearance.second, width, cv2.LINE_AA, 4)

    def _paint_head(self, image: np.ndarray, index: int) -> None:
        nose, left_ear, right_ear, left_eye, right_eye = self._pixels[index, _HEAD]
        depth = self._depth[index, _HEAD]
        scale = float(self._scale[index, _HEAD].mean())
        half_depth, half_width, half_height = (part * scale for part in self._body.head)
        middle = 0.5 * (left_ear + right_ear)
        shoulders = self._pixels[index, _TRUNK[0::2]].mean(axis=0)
        up = middle - shoulders
        up = up / max(float(np.linalg.norm(up)), 1e-6)
        radius = 0.5 * (half_depth + half_width)
        faces = float(depth[1:3].mean() - depth[0]) / self._body.head[0]
        skull = compute_capsules(
            middle - up * 0.30 * half_height, middle + up * 0.25 * half_height,
            np.array([0.88, 1.0]) * radius,
        )  # fmt: skip
        hair = skull + up * 0.10 * half_height - 0.22 * (nose - middle)
        if self._appearance.has_long_hair:
            hair = np.concatenate([hair, hair - up * 0.7 * half_height])
            hair = cv2.convexHull(hair.astype(np.float32))[:, 0]
        skin, dark = self._appearance.skin, shade(self._appearance.skin, 0.8)
        neck = compute_capsules(shoulders, middle, np.array([0.45, 0.5]) * radius)
        order = [(hair, self._appearance.hair), (neck, dark), (skull, dark)]
        if faces < -0.15:
            order = [(neck, dark), (skull, dark), (hair, self._appearance.hair)]
        for outline, color in order:
            fill(image, outline, color)
        if faces >= -0.15:
            fill(image, middle + 0.85 * (skull - middle) + LIGHT_PX * 0.2 * radius, skin)
            cap = skull[: len(skull) // 2] + up * 0.06 * half_height
            cap = np.concatenate([cap, middle[None] + up * 0.45 * half_height])
            fill(image, cv2.convexHull(cap.astype(np.float32))[:, 0], self._appearance.hair)
            self._paint_face(image, (nose, left_eye, right_eye), depth, radius)

    def _paint_face(
        self, image: np.ndarray, spots: tuple[np.ndarray, ...], depth: np.ndarray, radius: float
    ) -> None:
        nose, left_eye, right_eye = spots
        ears = float(depth[1:3].mean())
        size = max(1, round(0.11 * radius))
        for eye, eye_depth in ((left_eye, depth[3]), (right_eye, depth[4])):
            if eye_depth < ears:
                cv2.circle(image, (round(eye[0]), round(eye[1])), size, (30, 25, 25), -1)
        cv2.circle(
            image, (round(nose[0]), round(nose[1])), size, shade(self._appearance.skin, 0.65), -1
        )


def paint_capsule(
    outer: np.ndarray, inner: np.ndarray, color: Color
) -> Callable[[np.ndarray], None]:
    """Return what paints a limb: a dark outline with a lit core."""
    dark = shade(color, 0.72)

    def paint(image: np.ndarray) -> None:
        fill(image, outer, dark)
        fill(image, inner, color)

    return paint
