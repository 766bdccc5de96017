"""Where people are, so that they can be covered: detection of its own, or a model's keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

import har
from har.inference.people import find_people, find_people_in, open_detector
from har.result import FoundPeople, VideoResult
from har.types import Frame
from privacy_parts.tally import fit


class Finder(Protocol):
    """Finds people in pictures, or in a video file."""

    def find_in_images(self, images: list[np.ndarray], fps: float) -> FoundPeople:
        """Return where people are in pictures, (H, W, 3) uint8 RGB."""
        ...

    def find_in_video(self, path: Path) -> FoundPeople:
        """Return where people are in a video."""
        ...


class OwnDetection:
    """What `har` does for models without keypoints: the pose network ten times a second."""

    def find_in_images(self, images: list[np.ndarray], fps: float) -> FoundPeople:
        """Return where people are in pictures."""
        frames = [Frame(i, i / fps, fit(image)[0]) for i, image in enumerate(images)]
        return find_people(frames, images[0].shape[:2], fit(images[0])[1], open_detector())

    def find_in_video(self, path: Path) -> FoundPeople:
        """Return where people are in a video."""
        return find_people_in(path)


class SamePass:
    """What `har` does for models with keypoints: those that recognition has found anyway."""

    def __init__(self, model: str) -> None:
        """Load a model by name or folder."""
        self._model = har.load(model)
        if self._model.info.pose is None:
            raise SystemExit(f"{model} has no pose stream")

    def find_in_images(self, images: list[np.ndarray], fps: float) -> FoundPeople:
        """Return where people are in pictures."""
        return _to_people(self._model.predict(np.stack(images), fps=fps, keep_places=True))

    def find_in_video(self, path: Path) -> FoundPeople:
        """Return where people are in a video."""
        return _to_people(self._model.predict(path, keep_places=True))


def _to_people(result: VideoResult) -> FoundPeople:
    tracks = result.pose_tracks
    if tracks is None:
        raise SystemExit(f"{result.info.path} has no keypoints")
    return FoundPeople(tracks, result.scores.times_s)
