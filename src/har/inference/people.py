"""Finds people in videos for the sake of those who must not be shown, with any model or none."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np

from har.errors import BundleMismatchError, VideoDecodeError
from har.inference.detector import PoseDetector
from har.pose.tracking import PeopleTracker
from har.result import FoundPeople, PoseTracks
from har.types import Frame
from har.video.file.reader import open_video
from har.video.geometry import Letterbox

_log = logging.getLogger(__name__)

SIZE_PX = (256, 448)
RATE_HZ = 10.0
LEAST_SCORE = 0.05


@cache
def open_detector(n_threads: int = 0) -> PoseDetector:
    """Return the shipped network, loaded once; see `PoseDetector`."""
    return PoseDetector(n_threads)


def find_people(
    frames: Iterable[Frame],
    size: tuple[int, int],
    box: Letterbox,
    detector: PoseDetector,
) -> FoundPeople:
    """Return where people are in the frames of a video.

    The network is run ten times a second, at the first frame and at the last. A frame for which it
    fails is not among those that were checked.

    Args:
        frames: RGB pictures of `SIZE_PX`, letterboxed.
        size: (H, W) of the video, in whose pixels people are given.
        box: Where the video is in the pictures.
        detector: Of `open_detector`.
    """
    scale = np.array([size[1] / box.width, size[0] / box.height, 1.0], dtype=np.float32)
    corner = np.array([box.left, box.top, 0.0], dtype=np.float32)
    tracker = PeopleTracker(RATE_HZ, LEAST_SCORE, LEAST_SCORE)
    rows: list[tuple[float, int, np.ndarray]] = []
    checked_s: list[float] = []
    for frame in _thin(frames):
        try:
            seen = tracker.push(*detector.detect(frame.image))
        except BundleMismatchError as error:
            _log.warning("The picture at %.2f s is hidden as a whole: %s", frame.time_s, error)
            continue
        checked_s.append(frame.time_s)
        rows += [(frame.time_s, n, (points - corner) * scale) for n, points in seen.items()]
    tracks = PoseTracks(
        np.array([row[0] for row in rows], dtype=np.float64),
        np.array([row[1] for row in rows], dtype=np.int64),
        np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, 17, 3),
        1.0 / RATE_HZ,
    )
    return FoundPeople(tracks, np.array(checked_s, dtype=np.float64))


def find_people_in(
    path: Path, n_threads: int = 0, *, start_s: float = 0.0, end_s: float | None = None
) -> FoundPeople:
    """Return where people are in a video; what is damaged in it counts as not checked.

    Args:
        path: The video.
        n_threads: Of the network; 0 takes all cores.
        start_s: Earlier frames are left out.
        end_s: Frames from here on are left out; None reads to the end.

    Raises:
        VideoError: It cannot be opened.
    """
    with open_video(path, SIZE_PX, "rgb", start_s=start_s, end_s=end_s) as reader:
        size = reader.info.height, reader.info.width
        detector = open_detector(n_threads)
        return find_people(_iter_readable(reader), size, reader.letterbox, detector)


def _iter_readable(frames: Iterable[Frame]) -> Iterable[Frame]:
    try:
        yield from frames
    except VideoDecodeError as error:
        _log.info("People are sought up to here: %s", error)


def _thin(frames: Iterable[Frame]) -> Iterable[Frame]:
    """Yield frames that are a step apart, the first and the last among them."""
    last: Frame | None = None
    due_s = -np.inf
    for frame in frames:
        last = frame
        if frame.time_s >= due_s:
            yield frame
            due_s, last = frame.time_s + 1.0 / RATE_HZ - 1e-3, None
    if last is not None:
        yield last
