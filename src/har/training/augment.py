"""Changes to pixels that are drawn once a clip and applied alike to all its frames."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from har.config import AugmentConfig


@dataclass(frozen=True)
class Change:
    """One draw of what is done to a clip.

    Attributes:
        flip: Mirror left and right.
        scale: Part of the picture that is kept, at most 1.
        centre: (x, y) of the kept part, as parts of the room there is, 0 to 1.
        shift_s: The steps move by this.
        speed: The clip is played this many times faster.
        contrast: Gray levels are spread around the middle by this factor.
        brightness: Gray levels added.
        noise: Standard deviation in gray levels.
        erase: (x0, y0, x1, y1) as parts of the picture, made black, or None.
        seed: Of the noise.
    """

    flip: bool = False
    scale: float = 1.0
    centre: tuple[float, float] = (0.5, 0.5)
    shift_s: float = 0.0
    speed: float = 1.0
    contrast: float = 1.0
    brightness: float = 0.0
    noise: float = 0.0
    erase: tuple[float, float, float, float] | None = None
    seed: int = 0


NO_CHANGE = Change()


def draw_change(config: AugmentConfig, rng: np.random.Generator) -> Change:
    """Draws a change within the bounds of the settings."""
    x0, y0 = rng.uniform(0.0, 0.7, 2)
    width, height = rng.uniform(0.1, 0.3, 2)
    return Change(
        flip=config.flip and bool(rng.random() < 0.5),
        scale=1.0 - config.crop * float(rng.random()),
        centre=(float(rng.random()), float(rng.random())),
        shift_s=config.shift_s * float(rng.uniform(-1, 1)),
        speed=float(np.exp(config.speed * rng.uniform(-1, 1))),
        contrast=float(np.exp(config.contrast * rng.uniform(-1, 1))),
        brightness=60.0 * config.contrast * float(rng.uniform(-1, 1)),
        noise=config.noise * float(rng.random()),
        erase=(x0, y0, x0 + width, y0 + height) if rng.random() < config.erase else None,
        seed=int(rng.integers(2**31)),
    )


def apply_change(frames: np.ndarray, change: Change) -> np.ndarray:
    """Gives the changed frames.

    Args:
        frames: (F, H, W) or (F, H, W, 3) uint8; not altered.
        change: What to do; its time shift and speed are not for pixels and are ignored here.

    Returns:
        An array of the same shape and dtype.
    """
    if change == NO_CHANGE:
        return frames
    out = np.empty_like(frames)
    matrix = _crop_matrix(frames.shape[1:3], change)
    table = _gray_table(change)
    for target, frame in zip(out, frames, strict=True):
        size_wh = (frame.shape[1], frame.shape[0])
        warped = cv2.warpAffine(frame, matrix, size_wh, flags=cv2.INTER_LINEAR)
        target[...] = cv2.LUT(warped, table)
    if change.erase is not None:
        _erase(out, change.erase)
    if change.noise > 0:
        _add_noise(out, change)
    return out


def _crop_matrix(size: tuple[int, ...], change: Change) -> np.ndarray:
    """The affine map from the picture to its kept part, mirrored where asked."""
    height, width = size
    zoom = 1.0 / change.scale
    x0 = (1.0 - change.scale) * change.centre[0] * width
    y0 = (1.0 - change.scale) * change.centre[1] * height
    if change.flip:
        return np.array([[-zoom, 0.0, width - 1 + zoom * x0], [0.0, zoom, -zoom * y0]])
    return np.array([[zoom, 0.0, -zoom * x0], [0.0, zoom, -zoom * y0]])


def _gray_table(change: Change) -> np.ndarray:
    levels = np.arange(256, dtype=np.float64)
    spread = (levels - 128.0) * change.contrast + 128.0 + change.brightness
    return np.clip(np.rint(spread), 0, 255).astype(np.uint8)


def _erase(frames: np.ndarray, box: tuple[float, float, float, float]) -> None:
    height, width = frames.shape[1:3]
    x0, x1 = int(box[0] * width), int(box[2] * width)
    y0, y1 = int(box[1] * height), int(box[3] * height)
    frames[:, y0:y1, x0:x1] = 0


def _add_noise(frames: np.ndarray, change: Change) -> None:
    """Adds noise cut for each frame from one larger tile: as good as fresh, and far cheaper."""
    rng = np.random.default_rng(change.seed)
    height, width = frames.shape[1:3]
    tile = rng.normal(0.0, change.noise, (height + 64, width + 64, *frames.shape[3:]))
    tile = np.rint(tile).astype(np.int16)
    for frame in frames:
        y, x = rng.integers(0, 64, 2)
        noisy = frame.astype(np.int16) + tile[y : y + height, x : x + width]
        frame[...] = np.clip(noisy, 0, 255)
