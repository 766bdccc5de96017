"""The videos of a review as a browser plays them: the file itself, or a copy in H.264."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from dataclasses import dataclass
from pathlib import Path

from har.config import PrivacyConfig
from har.errors import HarError
from har.feature_files import is_features
from har.inference.people import find_people_in
from har.pose.adapters.reading import is_poses
from har.render.privacy import build_anonymizer
from har.video.file.reader import open_video, probe_video
from har.video.file.writer import open_writer

_log = logging.getLogger(__name__)

_PLAYED = {".mp4": ("h264", "av1"), ".m4v": ("h264",), ".webm": ("vp8", "vp9", "av1")}
"""Codecs that every present browser plays, by the file's ending."""
_MAX_SIZE_PX = (720, 960)
_DEFAULT_FPS = 25.0


@dataclass(frozen=True)
class Playable:
    """What a browser gets for a video.

    Attributes:
        path: A file to send; None while there is none.
        share: How much of the copy is done, from 0 to 1.
        error: Why there will be none; empty otherwise.
    """

    path: Path | None
    share: float = 0.0
    error: str = ""


class MediaFolder:
    """Find each video in a form that browsers play, and make copies where one is needed.

    Where people are to be hidden, every video gets a copy in which they are, and the file itself is
    never given. Copies have no sound. They are made one after another, in a thread, and stay in the
    folder until it is deleted.
    """

    def __init__(self, folder: Path, privacy: PrivacyConfig | None = None) -> None:
        """Find nothing yet.

        Args:
            folder: Of the copies.
            privacy: What is hidden of people; nothing when None.
        """
        self._folder, self._privacy = folder, privacy or PrivacyConfig()
        self._lock, self._busy = threading.Lock(), threading.Lock()
        self._states: dict[Path, Playable] = {}

    def find(self, video: Path) -> Playable:
        """Return what there is for a video, and begin to make it if there is nothing."""
        with self._lock:
            if video not in self._states:
                self._states[video] = self._look(video)
                if not self._states[video].path and not self._states[video].error:
                    threading.Thread(target=self._copy, args=[video], daemon=True).start()
            return self._states[video]

    def _look(self, video: Path) -> Playable:
        if is_features(video) or is_poses(video):
            return Playable(
                None,
                error=f"There is no picture: these results were scored from {video.name}, which "
                "holds numbers alone. To see the video, score it and review those results",
            )
        try:
            codec = probe_video(video).codec
        except HarError as error:
            return Playable(None, error=str(error))
        if not self._privacy.is_on and codec in _PLAYED.get(video.suffix.lower(), ()):
            return Playable(video, 1.0)
        copy = self._name(video)
        return Playable(copy, 1.0) if copy.is_file() else Playable(None)

    def _name(self, video: Path) -> Path:
        stat = video.stat()
        key = f"{os.fsencode(video.resolve())!r} {stat.st_size} {stat.st_mtime_ns}"
        key += f" {self._privacy}" if self._privacy.is_on else ""
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()[:20]}.mp4"

    def _copy(self, video: Path) -> None:
        try:
            with self._busy:
                self._write(video, self._name(video))
            state = Playable(self._name(video), 1.0)
        except (HarError, OSError) as error:
            _log.warning("No copy of %s for the browser: %s", video, error)
            state = Playable(None, error=str(error))
        with self._lock:
            self._states[video] = state

    def _write(self, video: Path, copy: Path) -> None:
        info = probe_video(video)
        size = _fit((info.height, info.width))
        people = find_people_in(video) if self._privacy.is_on else None
        with (
            open_video(video, size) as reader,
            open_writer(copy, size, info.fps or _DEFAULT_FPS) as writer,
        ):
            anonymizer = people and build_anonymizer(
                self._privacy, people, info, size, reader.letterbox
            )
            for frame in reader:
                picture = frame.image
                if anonymizer is not None:
                    picture = picture.copy()
                    anonymizer.cover(picture, frame.time_s)
                writer.write(picture, frame.time_s)
                share = frame.time_s / info.duration_s if info.duration_s else 0.0
                with self._lock:
                    self._states[video] = Playable(None, min(share, 0.99))


def _fit(size: tuple[int, int]) -> tuple[int, int]:
    """Return (H, W), both even, that is no larger than `_MAX_SIZE_PX`, in the same shape.

    >>> _fit((1080, 1920)), _fit((241, 321))
    ((540, 960), (240, 320))
    """
    scale = min(1.0, *(most / side for most, side in zip(_MAX_SIZE_PX, size, strict=True)))
    height, width = (max(int(side * scale) // 2 * 2, 2) for side in size)
    return height, width
