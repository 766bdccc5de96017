"""Clips of alerts in which people are hidden: no picture is coded before its people are covered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from pathlib import Path

import cv2
import numpy as np

from har.config import PrivacyConfig
from har.errors import VideoWriteError
from har.inference.people import SIZE_PX, find_people, open_detector
from har.render.privacy import Anonymizer, choose_samples, coarsen
from har.result import FoundPeople
from har.types import Frame
from har.video.camera.ring import Footage, iter_pictures
from har.video.file.writer import open_writer
from har.video.geometry import Letterbox, compute_letterbox

SUFFIX = ".mp4"
_FPS_BOUNDS = (1.0, 60.0)
_JPEG_QUALITY = 80


def write_hidden(path: Path, footage: Footage, config: PrivacyConfig) -> None:
    """Write footage with its people hidden, from its very first picture.

    The pose network is run on all of it first, so that a head is covered before it is found, too.
    Pictures of another size than the first are left out.

    Args:
        path: An ``.mp4`` file.
        footage: Held in memory; it is decoded twice.
        config: What to hide.

    Raises:
        VideoWriteError: The footage cannot be decoded, or the file not written.
    """
    pictures = _cover_all(footage, config)
    first = next(pictures, None)
    if first is None:
        raise VideoWriteError(f"Nothing of the footage of {path} can be decoded, so none is kept")
    height, width = first.image.shape[:2]
    even = height // 2 * 2, width // 2 * 2
    fps = (len(footage.pieces) - 1) / footage.length_s if footage.length_s > 0 else 1.0
    with open_writer(path, even, float(np.clip(fps, *_FPS_BOUNDS))) as writer:
        for frame in chain([first], pictures):
            cut = frame.image[: even[0], : even[1]]
            writer.write(np.ascontiguousarray(cut), frame.time_s)


def _cover_all(footage: Footage, config: PrivacyConfig, is_strict: bool = False) -> Iterator[Frame]:
    """Yield the pictures of footage with their people hidden, from the very first on.

    With ``is_strict`` a picture in which nobody is found is made coarse as a whole.
    """
    first = next(iter_pictures(footage), None)
    if first is None:
        return
    size = first.image.shape[:2]
    box = compute_letterbox(size, SIZE_PX)
    frames = (_fit(frame, box) for frame in _iter_alike(footage, size))
    people = find_people(frames, size, box, open_detector(1))
    anonymizer = Anonymizer(config, people, size, Letterbox(0, 0, *size))
    if config.people == "skeleton":
        anonymizer.learn_background(_iter_samples(footage, size, people))
    for frame in _iter_alike(footage, size):
        picture = frame.image.copy()
        anonymizer.cover(picture, frame.time_s)
        if is_strict and not people.find_near(frame.time_s, config.hold_s):
            coarsen(picture)
        yield replace(frame, image=picture)


def make_still(footage: Footage, time_s: float, config: PrivacyConfig, most_px: int) -> bytes:
    """Return the last picture of footage up to a time, its people hidden, as JPEG.

    It may leave this machine, so where heads are covered or moving things blurred, both are, and
    where nobody is found all of it is made coarse.

    Args:
        footage: Should begin well before the time, and end after it.
        time_s: On the camera's timeline.
        config: What to hide.
        most_px: Length of the longer side, at most.

    Raises:
        VideoWriteError: The footage cannot be decoded.
    """
    until_s = time_s - footage.start_s
    if config.is_on:
        config = replace(config, uncertain="blur-moving")
    covered = _cover_all(footage, config, True) if config.is_on else iter_pictures(footage)
    picture: np.ndarray | None = None
    for frame in covered:
        if picture is not None and frame.time_s > until_s:
            break
        picture = frame.image
    if picture is None:
        raise VideoWriteError("Nothing of the footage of an alert can be decoded: no picture")
    scale = min(most_px / max(picture.shape[:2]), 1.0)
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    image = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes()


def _iter_alike(footage: Footage, size: tuple[int, ...]) -> Iterator[Frame]:
    """Yield the pictures of one size whose times ascend."""
    last_s = -1.0
    for frame in iter_pictures(footage):
        if frame.image.shape[:2] == size and frame.time_s > last_s:
            last_s = frame.time_s
            yield frame


def _fit(frame: Frame, box: Letterbox) -> Frame:
    """Return a picture as the pose network gets it."""
    picture = np.zeros((*SIZE_PX, 3), np.uint8)
    small = cv2.resize(frame.image, (box.width, box.height), interpolation=cv2.INTER_AREA)
    picture[box.rows, box.columns] = small
    return Frame(frame.index, frame.time_s, picture)


def _iter_samples(
    footage: Footage, size: tuple[int, ...], people: FoundPeople
) -> Iterator[tuple[np.ndarray, float]]:
    times_s = set(choose_samples(people).tolist())
    for frame in _iter_alike(footage, size):
        if frame.time_s in times_s:
            yield frame.image, frame.time_s
