"""Hides people in pictures before they are written: heads covered, bodies as skeletons.

What is not known is hidden: a picture for which the pose network has given no answer is made coarse
as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from har.config import PrivacyConfig
from har.errors import BundleMismatchError
from har.pose.tracking import MIN_POINT_SCORE
from har.render.heads import find_heads
from har.render.skeletons import draw_people
from har.render.still import MotionFinder, StillBackground
from har.result import FoundPeople, VideoResult
from har.types import VideoInfo
from har.video.file.reader import open_video
from har.video.geometry import Letterbox

_CELLS_OF_HEAD = 4
"""What is left of a covered head, across: too few values to tell one person from another."""
_CELLS_OF_PICTURE = 12
"""What is left, along the shorter side, of a picture that is hidden as a whole."""
_N_SAMPLES = 15
_BODY_MARGIN = 0.35
CONFIDENT_SCORE = 0.35
"""Where the keypoints of a body score less, in the mean, what moves there is blurred, too."""


class Anonymizer:
    """Hides the people of one video, picture by picture, in the order of time."""

    def __init__(
        self,
        config: PrivacyConfig,
        people: FoundPeople,
        size: tuple[int, int],
        box: Letterbox,
    ) -> None:
        """Prepare for pictures of one video.

        Args:
            config: What to hide.
            people: Where they are, in pixels of the video.
            size: (H, W) of the video.
            box: Where the video is in the pictures.
        """
        self._config, self._people = config, people
        self._scale = np.array([box.width / size[1], box.height / size[0], 1.0])
        self._corner = np.array([box.left, box.top, 0.0])
        self._motion = MotionFinder() if config.uncertain == "blur-moving" else None
        self._background: np.ndarray | None = None

    def learn_background(self, samples: Iterable[tuple[np.ndarray, float]]) -> None:
        """Learn from some pictures what stands still behind the people.

        Args:
            samples: (H, W, 3) uint8 RGB and their times in seconds, spread over the video.
        """
        still = StillBackground()
        for picture, time_s in samples:
            if self._people.is_checked(time_s):
                still.push(picture, self.find_bodies(picture, time_s))
        self._background = still.compute()

    def cover(self, picture: np.ndarray, time_s: float) -> None:
        """Hide the people of a picture.

        Args:
            picture: (H, W, 3) uint8 RGB, changed in place.
            time_s: Of the picture in the video.
        """
        if self._config.people == "skeleton":
            self._draw_skeletons(picture, time_s)
            return
        moving = None if self._motion is None else self._motion.push(picture)
        if not self._people.is_checked(time_s):
            coarsen(picture)
            return
        if moving is not None:
            moving &= ~self.find_bodies(picture, time_s, CONFIDENT_SCORE)
            coarse = picture.copy()
            coarsen(coarse)
            picture[moving] = coarse[moving]
        if self._config.faces != "keep":
            for points, away_s in self._find_near(time_s):
                for head in find_heads(points, away_s):
                    cover_circle(picture, head, self._config.faces)

    def _find_near(self, time_s: float) -> list[tuple[np.ndarray, float]]:
        near = self._people.find_near(time_s, self._config.hold_s)
        return [(points * self._scale + self._corner, away_s) for points, away_s in near]

    def find_bodies(
        self, picture: np.ndarray, time_s: float, least_score: float = 0.0
    ) -> np.ndarray:
        """Return (H, W) bool: where bodies are whose keypoints score so much, with a margin."""
        found = np.zeros(picture.shape[:2], dtype=bool)
        for points, away_s in self._find_near(time_s):
            if points[:, 2].mean() < least_score:
                continue
            seen = points[points[:, 2] >= MIN_POINT_SCORE / 2, :2]
            heads = find_heads(points, away_s)
            reach = heads[:, 2:]
            seen = np.concatenate([seen, heads[:, :2] - reach, heads[:, :2] + reach])
            low, high = seen.min(axis=0), seen.max(axis=0)
            margin = _BODY_MARGIN * float((high - low).min())
            left, top = np.maximum(low - margin, 0).astype(int)
            right, bottom = np.maximum(high + margin + 1, 0).astype(int)
            found[top:bottom, left:right] = True
        return found

    def _draw_skeletons(self, picture: np.ndarray, time_s: float) -> None:
        picture[:] = 128 if self._background is None else self._background
        people = self._people.tracks.find_people(time_s)
        placed = {n: points * self._scale + self._corner for n, points in people.items()}
        draw_people(picture, placed, None, (255, 255, 255))


def open_anonymizer(
    config: PrivacyConfig, result: VideoResult, size: tuple[int, int], box: Letterbox
) -> Anonymizer | None:
    """Return what hides the people of a recognized video; None where nothing is to be hidden.

    Args:
        config: What to hide.
        result: Of the video, which is read for its background where that is needed.
        size: (H, W) of the pictures.
        box: Where the video is in them.

    Raises:
        BundleMismatchError: It is not known where people are.
        VideoError: The video cannot be read again.
    """
    if not config.is_on:
        return None
    people = result.people
    if people is None:
        raise BundleMismatchError(
            f"It is not known where people are in {result.info.path}, so nothing of it is drawn; "
            "recognize it again with the same settings of privacy"
        )
    return build_anonymizer(config, people, replace(result.info, path=result.readable), size, box)


def build_anonymizer(
    config: PrivacyConfig,
    people: FoundPeople,
    info: VideoInfo,
    size: tuple[int, int],
    box: Letterbox,
) -> Anonymizer:
    """Return what hides the people of a video file, its background learned where it is shown.

    Args:
        config: What to hide.
        people: Where people are in it.
        info: Of the video.
        size: (H, W) of the pictures.
        box: Where the video is in them.

    Raises:
        VideoError: The video cannot be read again.
    """
    anonymizer = Anonymizer(config, people, (info.height, info.width), box)
    if config.people == "skeleton":
        anonymizer.learn_background(_iter_samples(info.path, people, size))
    return anonymizer


def _iter_samples(
    path: Path, people: FoundPeople, size: tuple[int, int]
) -> Iterable[tuple[np.ndarray, float]]:
    for time_s in choose_samples(people):
        with open_video(path, size, "rgb", start_s=time_s) as reader:
            for frame in reader:
                yield frame.image, frame.time_s
                break


def choose_samples(people: FoundPeople) -> np.ndarray:
    """Return some times, spread over the video, at which the network has answered."""
    n_checked = len(people.checked_s)
    rows = np.linspace(0, n_checked - 1, min(_N_SAMPLES, n_checked)).astype(int)
    return people.checked_s[rows]


def coarsen(region: np.ndarray, n_cells: int = _CELLS_OF_PICTURE, is_smooth: bool = True) -> None:
    """Leave so few values of a region along its shorter side, in place.

    Args:
        region: (H, W, 3) uint8, a view or a whole picture.
        n_cells: Along the shorter side, at least 1.
        is_smooth: Flow into each other, or are squares.
    """
    height, width = region.shape[:2]
    cell = max(min(height, width) / n_cells, 1.0)
    size = max(round(width / cell), 1), max(round(height / cell), 1)
    few = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    how = cv2.INTER_LINEAR if is_smooth else cv2.INTER_NEAREST
    region[:] = cv2.resize(few, (width, height), interpolation=how)


def cover_circle(picture: np.ndarray, circle: np.ndarray, faces: str) -> None:
    """Cover a circle of a picture in place.

    Args:
        picture: (H, W, 3) uint8.
        circle: (3,): x, y and radius in pixels; it may reach over the edge.
        faces: As `PrivacyConfig.faces`, but for ``keep``.
    """
    x, y, radius = (float(value) for value in circle)
    height, width = picture.shape[:2]
    left, right = np.clip([np.floor(x - radius), np.ceil(x + radius) + 1], 0, width).astype(int)
    top, bottom = np.clip([np.floor(y - radius), np.ceil(y + radius) + 1], 0, height).astype(int)
    region = picture[top:bottom, left:right]
    if region.size == 0:
        return
    covered = np.zeros_like(region)
    if faces != "black":
        covered[:] = region
        n_cells = max(round(_CELLS_OF_HEAD * min(region.shape[:2]) / (2 * radius)), 1)
        coarsen(covered, n_cells, faces == "blur")
    rows, columns = np.ogrid[top:bottom, left:right]
    inside = (columns - x) ** 2 + (rows - y) ** 2 <= radius**2
    region[inside] = covered[inside]
