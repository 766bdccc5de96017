"""The pose stream step by step: people's keypoints in, logits of windows out.

Recordings, cameras and the clips of a store all go through `PeopleStream`, so that a clip's answer
is a recording's.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from har.pose.features import compute_window
from har.pose.people import Detections
from har.pose.pooling import pool_people
from har.pose.tracks import PeopleTracker, stack_tracks
from har.runtime.recognizer import Recognizer


@dataclass(frozen=True)
class PeopleLogits:
    """What the pose head said about one window.

    Attributes:
        start: Index of the window's first step.
        n_steps: Real steps in it.
        logits: (K,) float64 of all people together; zeros where nobody is sure enough.
        sureness: From 0 to 1; 0 where nobody is sure enough.
        subjects: (K,) int64: number of the person who shows each label most, 0 for nobody.
        targets: (K,) int64: number of the person nearest to that one's hands and feet, 0 for none.
    """

    start: int
    n_steps: int
    logits: np.ndarray
    sureness: float
    subjects: np.ndarray
    targets: np.ndarray


class PeopleStream:
    """Follows people and gives the logits of a window every ``hop`` steps."""

    def __init__(self, recognizer: Recognizer, hop: int) -> None:
        """Starts an empty stream.

        Args:
            recognizer: A bundle that takes the pose stream; several streams may share it.
            hop: Steps from one window's start to the next, from 1 to the window's length.
        """
        self._recognizer, self._hop = recognizer, hop
        self._spec = recognizer.pose_spec
        self._tracker = PeopleTracker(self._spec.rate_hz)
        self._steps: deque[dict[int, np.ndarray]] = deque(maxlen=self._spec.n_steps)
        self._n_pushed = 0

    @property
    def seen(self) -> dict[int, np.ndarray]:
        """The (17, 3) keypoints of those who are seen at the last step, by their number."""
        return self._steps[-1] if self._steps else {}

    def push(self, points: np.ndarray, scores: np.ndarray) -> PeopleLogits | None:
        """Takes the people of the next step and gives the window that ends with it, if one is due.

        Args:
            points: (6, 17, 3) as in `har.pose.people.Detections`.
            scores: (6,).
        """
        self._steps.append(self._tracker.push(points, scores))
        self._n_pushed += 1
        return self._score() if self._is_due() else None

    def flush(self) -> PeopleLogits | None:
        """Gives the last window, unless it was given before; the stream has ended."""
        return None if self._n_pushed == 0 or self._is_due() else self._score()

    def _is_due(self) -> bool:
        start = self._n_pushed - self._spec.n_steps
        return start >= 0 and start % self._hop == 0

    def _score(self) -> PeopleLogits:
        tracks = stack_tracks(list(self._steps))
        window = compute_window(tracks.points, self._spec.rate_hz)
        pooled = pool_people(
            self._recognizer.compute_people_logits(window),
            window.sureness,
            self._spec.people,
            self._recognizer.background,
            self._spec.min_sureness,
        )
        return PeopleLogits(
            start=max(self._n_pushed - self._spec.n_steps, 0),
            n_steps=len(self._steps),
            logits=pooled.logits,
            sureness=pooled.sureness,
            subjects=_name(tracks.ids, window.columns, pooled.leaders),
            targets=_name(tracks.ids, window.others, pooled.leaders),
        )


def _name(ids: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Gives the numbers of people by their rows in the window; 0 where a row or column is -1."""
    found = np.array([columns[row] if row >= 0 else -1 for row in rows], dtype=np.int64)
    return np.array([ids[column] if column >= 0 else 0 for column in found], dtype=np.int64)


def score_detections(
    recognizer: Recognizer, detections: Detections, hop: int
) -> list[PeopleLogits]:
    """Gives the logits of all windows of consecutive steps."""
    stream = PeopleStream(recognizer, hop)
    found = [
        stream.push(points, scores)
        for points, scores in zip(detections.points, detections.scores, strict=True)
    ]
    return [window for window in [*found, stream.flush()] if window is not None]
