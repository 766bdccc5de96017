"""Frames of prepared clips with their people hidden, for the pictures on a page of figures."""

from __future__ import annotations

import logging
from contextlib import suppress

import numpy as np

from har.config import PrivacyConfig
from har.dataset.index import StoredClip
from har.dataset.store import Store
from har.errors import VideoDecodeError, VideoError, VideoNotFoundError
from har.inference.people import RATE_HZ, find_people_in
from har.render.privacy import Anonymizer
from har.reports.breakdown import FrameReader, read_stored
from har.result import FoundPeople, PoseTracks
from har.video.file.reader import VideoReader, open_video
from har.video.geometry import Letterbox

_log = logging.getLogger(__name__)


def build_frame_reader(privacy: PrivacyConfig | None) -> FrameReader:
    """Return what gives the frames of a clip for a strip.

    Where people are to be hidden, the clip is read from its video again and people are sought in
    that: prepared frames are too small to find them. Where the video is gone or another one, all
    of every frame is hidden.

    Args:
        privacy: What to hide; nothing when None.
    """
    if privacy is None or not privacy.is_on:
        return read_stored
    return lambda store, clip: _read_covered(privacy, store, clip)


def _read_covered(privacy: PrivacyConfig, store: Store, clip: StoredClip) -> np.ndarray:
    """Return (F, H, W, 3) uint8: the frames of a clip, covered."""
    try:
        return _cover_video(privacy, store, clip)
    except VideoError as error:
        _log.warning("Frames of %s are hidden as a whole: %s", clip.clip_id, error)
    frames = _to_rgb(np.array(store.open_frames(clip.clip_id)))
    tracks = PoseTracks(
        np.empty(0), np.empty(0, np.int64), np.empty((0, 17, 3), np.float32), 1.0 / RATE_HZ
    )
    size, box = frames.shape[1:3], Letterbox(0, 0, frames.shape[1], frames.shape[2])
    anonymizer = Anonymizer(privacy, FoundPeople(tracks, np.empty(0)), size, box)
    return _cover(anonymizer, frames, np.zeros(len(frames)))


def _cover_video(privacy: PrivacyConfig, store: Store, clip: StoredClip) -> np.ndarray:
    if clip.path.is_file() and clip.path.stat().st_size != clip.video_bytes:
        raise VideoNotFoundError(f"{clip.path} is not the video that was prepared")
    start_s, end_s = clip.start_s, clip.end_s
    until_s = None if end_s is None else end_s + privacy.hold_s
    people = find_people_in(clip.path, start_s=max(start_s - privacy.hold_s, 0.0), end_s=until_s)
    with open_video(
        clip.path, store.size, store.color, store.max_rate_hz, start_s=start_s, end_s=end_s
    ) as reader:
        frames, times_s = _read_all(reader)
        size, box = (reader.info.height, reader.info.width), reader.letterbox
    anonymizer = Anonymizer(privacy, people, size, box)
    if privacy.people == "skeleton":
        anonymizer.learn_background(zip(frames, times_s.tolist(), strict=True))
    return _cover(anonymizer, frames, times_s)


def _read_all(reader: VideoReader) -> tuple[np.ndarray, np.ndarray]:
    images: list[np.ndarray] = []
    times_s: list[float] = []
    with suppress(VideoDecodeError):  # what could be read is shown
        for frame in reader:
            images.append(frame.image)
            times_s.append(frame.time_s)
    if not images:
        raise VideoNotFoundError(f"{reader.info.path} has no frames there any more")
    return _to_rgb(np.stack(images)), np.array(times_s)


def _cover(anonymizer: Anonymizer, frames: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    for frame, time_s in zip(frames, times_s.tolist(), strict=True):
        anonymizer.cover(frame, time_s)
    return frames


def _to_rgb(frames: np.ndarray) -> np.ndarray:
    return frames if frames.ndim == 4 else np.repeat(frames[..., None], 3, axis=3)
