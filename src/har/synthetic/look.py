"""What people wear: colours and patterns, drawn once a scene so that the cast stays the same."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

import numpy as np

Color = tuple[int, int, int]

SKINS: tuple[Color, ...] = (
    *((245, 208, 180), (232, 186, 150), (214, 160, 118), (176, 120, 82), (136, 88, 58)),
    *((100, 64, 44), (248, 216, 196)),
)
HAIRS: tuple[Color, ...] = (
    *((38, 28, 22), (70, 46, 30), (112, 76, 46), (170, 128, 70), (206, 172, 108)),
    *((150, 80, 50), (60, 44, 40)),
)


@dataclass(frozen=True)
class Look:
    """Colours (RGB, 0 to 255) and cut of one person's clothes and hair."""

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


def draw_look(rng: np.random.Generator) -> Look:
    """Draws how one person looks."""
    return Look(
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
    """Draws a colour of any hue within bounds of saturation and value."""
    hue, saturation, value = (
        rng.random(),
        rng.uniform(least_s, most_s),
        rng.uniform(least_v, most_v),
    )
    red, green, blue = colorsys.hsv_to_rgb(hue, saturation, value)
    return (round(255 * red), round(255 * green), round(255 * blue))


def shade(color: Color, factor: float) -> Color:
    """Gives the colour lighter (factor over 1) or darker.

    >>> shade((100, 200, 40), 1.5)
    (150, 255, 60)
    """
    red, green, blue = (min(255, round(part * factor)) for part in color)
    return (red, green, blue)
