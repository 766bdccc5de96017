"""What was found in one video: its label, scores and events, and where its people were."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from har.types import TIME_EPS_S, Event, Scores, VideoInfo
from har.video.geometry import Letterbox

Progress = Callable[[float, float | None], None]
"""Called with the seconds of video done and, where the container says so, the seconds in all."""


@dataclass(frozen=True)
class PoseTracks:
    """One row for each person at each time step of the pose stream.

    Attributes:
        times_s: (M,) float64 ascending: the middle of the step.
        numbers: (M,) int64: of the person, as in `People` and `Event`.
        points: (M, 17, 3) float32 as in `har.pose.keypoints.Detections`, x and y in pixels of the
            video itself, `VideoInfo.height` by `VideoInfo.width`.
        step_s: Length of a step.
    """

    times_s: np.ndarray
    numbers: np.ndarray
    points: np.ndarray
    step_s: float

    def find_people(self, time_s: float) -> dict[int, np.ndarray]:
        """Return the (17, 3) keypoints of those who are there at a time, by their number.

        Between two steps they move on a straight line; who is seen at only one of them is there
        for the half that is nearer to it.
        """
        reach_s = self.step_s - TIME_EPS_S
        first, last = np.searchsorted(self.times_s, [time_s - reach_s, time_s + reach_s])
        near: dict[int, list[int]] = {}
        for row in range(first, last):
            near.setdefault(int(self.numbers[row]), []).append(row)
        found = {number: self._place(rows, time_s) for number, rows in near.items()}
        return {number: points for number, points in found.items() if points is not None}

    def _place(self, rows: list[int], time_s: float) -> np.ndarray | None:
        before, after = rows[0], rows[-1]
        gap_s = float(self.times_s[after] - self.times_s[before])
        if gap_s <= 0:
            is_near = abs(time_s - self.times_s[before]) <= 0.5 * self.step_s + TIME_EPS_S
            return self.points[before] if is_near else None
        part = np.float32((time_s - self.times_s[before]) / gap_s)
        return (1 - part) * self.points[before] + part * self.points[after]


@dataclass(frozen=True)
class FoundPeople:
    """Where people are in a video, and when they were sought: what must not show them.

    Attributes:
        tracks: Where they are.
        checked_s: (N,) float64 ascending: the times at which the pose network has answered.
    """

    tracks: PoseTracks
    checked_s: np.ndarray

    def is_checked(self, time_s: float) -> bool:
        """Return whether the network has answered so near to a time that it holds for it."""
        reach_s = 1.5 * self.tracks.step_s + TIME_EPS_S
        first, end = np.searchsorted(self.checked_s, [time_s - reach_s, time_s + reach_s])
        return bool(end > first)

    def find_near(self, time_s: float, reach_s: float) -> list[tuple[np.ndarray, float]]:
        """Return the bodies of those who are seen within ``reach_s`` before or after a time.

        Of each person these are where they were last and where they are next, and the middle
        between in proportion to the time.

        Returns:
            (17, 3) keypoints in pixels of the video, and how many seconds they are away.
        """
        tracks = self.tracks
        first, end = np.searchsorted(tracks.times_s, [time_s - reach_s, time_s + reach_s])
        before, after = dict[int, int](), dict[int, int]()
        for row in range(first, end):
            number = int(tracks.numbers[row])
            if tracks.times_s[row] <= time_s:
                before[number] = row
            else:
                after.setdefault(number, row)
        found: list[tuple[np.ndarray, float]] = []
        for number in before.keys() | after.keys():
            rows = [rows[number] for rows in (before, after) if number in rows]
            away_s = min(abs(float(tracks.times_s[row]) - time_s) for row in rows)
            away_s = max(away_s - tracks.step_s, 0.0)
            found += [(tracks.points[row], away_s) for row in rows]
            if len(rows) == 2:
                begin, finish = (float(tracks.times_s[row]) for row in rows)
                part = np.float32((time_s - begin) / (finish - begin))
                between = (1 - part) * tracks.points[rows[0]] + part * tracks.points[rows[1]]
                found.append((between, away_s))
        return found


def place_people(
    people: dict[int, np.ndarray], info: VideoInfo, box: Letterbox
) -> dict[int, np.ndarray]:
    """Return keypoints of a video where a letterboxed picture of it shows them.

    Args:
        people: (17, 3) keypoints by number, in the video's own pixels.
        info: Of the video.
        box: Where the video is in the picture.
    """
    scale = np.array([box.width / info.width, box.height / info.height, 1.0])
    corner = np.array([box.left, box.top, 0.0])
    return {number: points * scale + corner for number, points in people.items()}


@dataclass(frozen=True)
class VideoResult:
    """What was found in one video.

    Attributes:
        info: What the container says.
        duration_s: Length of what was looked at; gaps in the recording do not count.
        label: The most probable one for the video as a whole, or `UNCERTAIN`.
        probs: Probability of every label for the video as a whole, in the model's order; all 0
            where it is uncertain.
        events: By onset.
        scores: Of every time step.
        n_windows: Windows that the heads of all streams looked at.
        wall_s: Seconds that it took.
        note: What the user should know, such as where the file is damaged; empty if nothing.
        pose_tracks: Where the people were, if that was asked for and the bundle knows people.
        crops: (N, 4) for each step of the scores the left, top, right and bottom of what the CNN
            saw, in pixels of the video, if that was asked for and it does not see all.
        people: Where people are, if they are to be hidden; more than the model's pose stream sees.
        still: By stream: the ``share`` of its steps at which nothing moved, which were not encoded,
            and by how many gray levels a square may differ there, ``threshold``, on the mean.
        engines: What ran each network and in which precision, such as ``onnxruntime fp32``, by the
            network's name.
        file: Where the video can be read while its files are written, if not at ``info.path``.
    """

    info: VideoInfo
    duration_s: float
    label: str
    probs: dict[str, float]
    events: tuple[Event, ...]
    scores: Scores
    n_windows: int
    wall_s: float
    note: str
    pose_tracks: PoseTracks | None = None
    crops: np.ndarray | None = None
    people: FoundPeople | None = None
    still: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])
    engines: dict[str, str] = field(default_factory=dict[str, str])
    file: Path | None = None

    @property
    def readable(self) -> Path:
        """Where the video can be read now."""
        return self.file or self.info.path

    @property
    def end_s(self) -> float:
        """Time of the end, which is later than `duration_s` where the recording has gaps."""
        return max(self.duration_s, float(self.scores.times_s[-1]) + self.scores.step_s / 2)

    @property
    def confidence(self) -> float | None:
        """How far the keypoints could be trusted, from 0 to 1; None where none were looked at."""
        people = self.scores.people
        return None if people is None else float(people.confidence.mean())

    @property
    def uncertain_share(self) -> float:
        """Share of the time at which the model could not tell, from 0 to 1."""
        return float(self.scores.is_uncertain.mean())

    @property
    def prob(self) -> float:
        """Of `label`; 0 where the model is uncertain."""
        return self.probs.get(self.label, 0.0)

    def to_json(self) -> dict[str, Any]:
        """Return the plain values that `har predict --json` prints, without the scores."""
        fps = self.info.fps
        values: dict[str, Any] = {
            "video": str(self.info.path),
            "duration_s": round(self.duration_s, 3),
            "fps": None if fps is None else round(fps, 3),
            "label": self.label,
            "probs": {label: round(prob, 4) for label, prob in self.probs.items()},
            "events": [event.to_json() for event in self.events],
            "confidence": None if self.confidence is None else round(self.confidence, 4),
            "uncertain_share": round(self.uncertain_share, 4),
            "n_windows": self.n_windows,
            "still": self.still,
            "engines": self.engines,
            "wall_s": round(self.wall_s, 3),
        }
        return values | ({"note": self.note} if self.note else {})
