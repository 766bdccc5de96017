"""Scores of a stream as its windows come: a step's, once no later window can look at it."""

from __future__ import annotations

import numpy as np

from har import windows
from har.inference.fusion import find_pose_steps, fuse_newest, fuse_steps, get_rate_hz
from har.inference.stream import Findings, WindowLogits
from har.runtime.people import PeopleLogits
from har.runtime.recognizer import Recognizer
from har.types import Scores


class OnlineFusion:
    """Gives the scores that `fuse_windows` gives for a whole recording, to the bit, piece by piece.

    Windows are kept only while a step that they look at is not final.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        """Starts an empty stream; several streams may share the recognizer."""
        self._recognizer = recognizer
        self._rate_hz = get_rate_hz(recognizer)
        self._motion: list[WindowLogits] = []
        self._people: list[PeopleLogits] = []
        self._n_given = 0

    def push(self, found: Findings) -> Scores | None:
        """Takes the next windows and gives the steps that are final with them, None for none."""
        self._motion += found.motion
        self._people += found.people
        n_final = self._count_final()
        if n_final <= self._n_given:
            return None
        times_s = (np.arange(self._n_given, n_final) + 0.5) / self._rate_hz
        return self._give(times_s, self._find_pose_steps(times_s))

    def flush(self, found: Findings, span_s: float) -> Scores | None:
        """Ends the stream and gives the steps that were not final before, None for none.

        Args:
            found: The last windows.
            span_s: Length of the stream.
        """
        self._motion += found.motion
        self._people += found.people
        if not self._motion and not self._people:
            return None
        times_s = windows.compute_step_times(span_s, self._rate_hz)[self._n_given :]
        if len(times_s) == 0:
            return None
        return self._give(times_s, find_pose_steps(self._recognizer, times_s, span_s))

    @property
    def newest(self) -> np.ndarray:
        """(K,) float32: what the newest windows say, all 0 where they cannot tell."""
        return fuse_newest(
            self._recognizer,
            self._motion[-1] if self._motion else None,
            self._people[-1] if self._people else None,
        )

    def _count_final(self) -> int:
        """Counts the steps before the start of any window that may still come."""
        ends: list[int] = []
        if self._recognizer.has_motion:
            ends.append(self._motion[-1].start + 1 if self._motion else 0)
        if self._recognizer.has_pose:
            ends.append(self._count_final_of_pose() if self._people else 0)
        return min(ends)

    def _count_final_of_pose(self) -> int:
        """Counts the steps whose nearest step of the pose stream is final and sure to be nearest.

        The last step there is may turn out to be nearest to later ones too.
        """
        last = self._people[-1]
        n_pose = last.start + (1 if last.n_steps > 1 else 0)
        n_most = int(np.ceil((n_pose + 1) / self._recognizer.pose_spec.rate_hz * self._rate_hz)) + 1
        if n_most <= self._n_given:
            return 0
        times_s = (np.arange(self._n_given, n_most) + 0.5) / self._rate_hz
        return self._n_given + int(np.sum(self._find_pose_steps(times_s) < n_pose))

    def _find_pose_steps(self, times_s: np.ndarray) -> np.ndarray:
        """Gives the nearest steps of a pose stream that goes on for ever."""
        if not self._recognizer.has_pose:
            return np.zeros(len(times_s), dtype=np.int64)
        rate_hz = self._recognizer.pose_spec.rate_hz
        first = max(int(times_s[0] * rate_hz) - 1, 0)
        steps_s = (np.arange(first, int(times_s[-1] * rate_hz) + 3) + 0.5) / rate_hz
        return first + windows.compute_nearest_indices(steps_s, times_s)

    def _give(self, times_s: np.ndarray, pose_steps: np.ndarray) -> Scores:
        found = Findings(self._motion, self._people)
        scores = fuse_steps(self._recognizer, found, times_s, self._n_given, pose_steps)
        self._n_given += len(times_s)
        self._forget(int(pose_steps[-1]))
        return scores

    def _forget(self, pose_step: int) -> None:
        """Forgets windows that no later step needs, but for the newest."""
        n_steps = self._recognizer.info.spec.n_steps
        self._motion = [
            window for window in self._motion[:-1] if window.start + n_steps > self._n_given
        ] + self._motion[-1:]
        self._people = [
            window for window in self._people[:-1] if window.start + window.n_steps > pose_step
        ] + self._people[-1:]
