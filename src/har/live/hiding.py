"""Clips of alerts in which people are hidden: no picture is coded before its people are covered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from har.config import PrivacyConfig
from har.errors import VideoWriteError
from har.inference.people import SIZE_PX, find_people, open_detector
from har.render.privacy import Anonymizer, choose_samples
from har.result import FoundPeople
from har.types import Frame
from har.video.camera.ring import Footage, iter_pictures
from har.video.file.writer import open_writer
from har.video.geometry import Letterbox, compute_letterbox

SUFFIX = ".mp4"
_FPS_BOUNDS = (1.0, 60.0)


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
    first = next(iter_pictures(footage), None)
    if first is None:
        raise VideoWriteError(f"Nothing of the footage of {path} can be decoded, so none is kept")
    size = first.image.shape[:2]
    box = compute_letterbox(size, SIZE_PX)
    frames = (_fit(frame, box) for frame in _iter_alike(footage, size))
    people = find_people(frames, size, box, open_detector(1))
    anonymizer = Anonymizer(config, people, size, Letterbox(0, 0, *size))
    if config.people == "skeleton":
        anonymizer.learn_background(_iter_samples(footage, size, people))
    even = size[0] // 2 * 2, size[1] // 2 * 2
    fps = (len(footage.pieces) - 1) / footage.length_s if footage.length_s > 0 else 1.0
    with open_writer(path, even, float(np.clip(fps, *_FPS_BOUNDS))) as writer:
        for frame in _iter_alike(footage, size):
            picture = frame.image.copy()
            anonymizer.cover(picture, frame.time_s)
            writer.write(np.ascontiguousarray(picture[: even[0], : even[1]]), frame.time_s)


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
