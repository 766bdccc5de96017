"""Logits of overlapping windows to one row of logits a time step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.inference.model import Recognizer
from har.inference.streams import MotionWindowLogits, PoseWindowLogits, StreamOutput
from har.sampling.times import compute_clip_logits, compute_nearest_indices, compute_step_times
from har.types import People, Scores


def compute_step_logits(
    window_logits: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int, first: int = 0
) -> np.ndarray:
    """Return each step the mean of the logits of all windows that cover it.

    A window counts as one: the mean of its steps' logits, which is what training taught
    to be right for a clip. Why not each step's own logits: docs/decisions/007-scores-and-events.md.
    A step's logits are summed in the order of its windows, so any stretch of steps gets to the bit
    what all steps at once get.

    Args:
        window_logits: (W, K), the mean over each window's real steps.
        starts: (W,) first step of each window; together they cover every step that is asked for.
        n_steps: Steps in a window.
        n_total: Steps in all; what windows say of later ones is left out.
        first: Steps before this one are left out.

    Returns:
        (N, K) float64, N being ``n_total - first``.

    >>> compute_step_logits(np.array([[1.0], [3.0]]), np.array([0, 2]), 3, 5).ravel().tolist()
    [1.0, 1.0, 2.0, 3.0, 3.0]
    """
    sums = np.zeros((n_total - first, window_logits.shape[1]))
    counts = np.zeros(len(sums))
    for start, logits in zip(starts, window_logits, strict=True):
        span = slice(max(start - first, 0), max(start + n_steps - first, 0))
        sums[span] += logits
        counts[span] += 1
    return sums / counts[:, None]


def find_strongest(
    strengths: np.ndarray, starts: np.ndarray, n_steps: int, n_total: int, first: int = 0
) -> np.ndarray:
    """Return for each step and label the window over the step that shows the label most.

    Args:
        strengths: (W, K), 0 or more.
        starts: (W,) first step of each window.
        n_steps: Steps in a window.
        n_total: Steps in all; what windows say of later ones is left out.
        first: Steps before this one are left out.

    Returns:
        (N, K) int64 rows of windows, N being ``n_total - first``, the earlier of two as strong; -1
        where no window with a strength above 0 is over the step.

    >>> find_strongest(np.array([[0.2], [0.7], [0.0]]), np.array([0, 1, 3]), 2, 5).ravel().tolist()
    [0, 1, 1, -1, -1]
    """
    best = np.zeros((n_total - first, strengths.shape[1]))
    rows = np.full(best.shape, -1, dtype=np.int64)
    for row, (start, strength) in enumerate(zip(starts, strengths, strict=True)):
        span = slice(max(start - first, 0), max(start + n_steps - first, 0))
        is_better = strength > best[span]
        rows[span][is_better] = row
        best[span] = np.maximum(best[span], strength)
    return rows


_NO_CONFIDENCE = 1e-9
"""Sums of window's confidence that are only rounding."""


@dataclass(frozen=True)
class _PoseScores:
    """What the pose stream says at N moments.

    Attributes:
        logits: (N, K) float64, mean of the windows over each moment, by how confident they are.
        confidence: (N,) float64 from 0 to 1, mean of the windows; 0 where it is uncertain.
    """

    logits: np.ndarray
    confidence: np.ndarray

    @classmethod
    def of(cls, sums: np.ndarray) -> _PoseScores:
        """Divide the means of (N, K + 1) logits times confidence, and confidence, by each other."""
        confidence = np.where(sums[:, -1] > _NO_CONFIDENCE, sums[:, -1], 0.0)
        divisor = np.where(confidence > 0, confidence, 1.0)
        return cls(np.where(confidence > 0, sums[:, :-1].T / divisor, 0.0).T, confidence)

    @classmethod
    def silent(cls, recognizer: Recognizer, n_moments: int) -> _PoseScores:
        """Return what is said where nothing can be told."""
        return cls(np.zeros((n_moments, len(recognizer.info.labels))), np.zeros(n_moments))

    def take(self, rows: np.ndarray) -> _PoseScores:
        """Return other moments."""
        return _PoseScores(self.logits[rows], self.confidence[rows])


def fuse_windows(
    recognizer: Recognizer, found: StreamOutput, span_s: float
) -> tuple[np.ndarray, Scores]:
    """Return what all windows of a recording say together.

    Args:
        recognizer: The bundle that gave the windows.
        found: All windows of the bundle's streams, at least one of each.
        span_s: Length of the recording.

    Returns:
        (K,) probabilities of the recording as a whole, and the scores of its steps: those of the
        motion stream where there is one. Both are 0 where the model is uncertain.
    """
    times_s = compute_step_times(span_s, get_rate_hz(recognizer))
    pose_steps = find_pose_steps(recognizer, times_s, span_s)
    motion, pose = np.zeros((1, len(recognizer.info.labels))), _PoseScores.silent(recognizer, 1)
    if recognizer.has_motion:
        logits = np.stack([window.logits for window in found.motion])
        starts = np.array([window.start for window in found.motion])
        lengths = np.full(len(logits), logits.shape[1])
        motion = compute_clip_logits(logits, lengths, starts)[None]
    if recognizer.has_pose:
        pose = _PoseScores.of(_weigh_logits(found.people).mean(axis=0, keepdims=True))
    scores = fuse_steps(recognizer, found, times_s, 0, pose_steps)
    return _fuse(recognizer, motion, pose)[0], scores


def get_rate_hz(recognizer: Recognizer) -> float:
    """Return the steps a second that scores have: the motion stream's where there is one."""
    return recognizer.info.streams[0].spec.rate_hz


def find_pose_steps(recognizer: Recognizer, times_s: np.ndarray, span_s: float) -> np.ndarray:
    """Return for some times the steps of the pose stream nearest to them.

    Args:
        recognizer: A bundle; without a pose stream the steps are 0.
        times_s: (N,) ascending seconds.
        span_s: Length of the recording, which says how many steps there are.

    Returns:
        (N,) int64 ascending.
    """
    if not recognizer.has_pose:
        return np.zeros(len(times_s), dtype=np.int64)
    steps_s = compute_step_times(span_s, recognizer.pose_spec.rate_hz)
    return compute_nearest_indices(steps_s, times_s)


def fuse_steps(
    recognizer: Recognizer,
    found: StreamOutput,
    times_s: np.ndarray,
    first: int,
    pose_steps: np.ndarray,
) -> Scores:
    """Return the scores of consecutive steps: to the bit those that all steps at once would have.

    Args:
        recognizer: The bundle that gave the windows.
        found: At least all windows that look at these steps, by their starts.
        times_s: (N,) middles of the steps, N >= 1.
        first: Index of the first of them.
        pose_steps: (N,) nearest steps of the pose stream.
    """
    n_steps = len(times_s)
    motion, pose = np.zeros((n_steps, len(recognizer.info.labels))), None
    people = None
    if recognizer.has_motion:
        motion = _pool_motion(found.motion, first, first + n_steps)
    if recognizer.has_pose:
        span = (int(pose_steps[0]), int(pose_steps[-1]) + 1)
        pose = _pool_pose(found.people, *span).take(pose_steps - span[0])
        people = _name_people(recognizer, found.people, pose.confidence, pose_steps)
    return Scores(
        labels=recognizer.info.labels,
        times_s=times_s,
        values=_fuse(recognizer, motion, pose or _PoseScores.silent(recognizer, n_steps)),
        step_s=_compute_step_s(recognizer, times_s, first),
        people=people,
    )


def fuse_newest(
    recognizer: Recognizer, motion: MotionWindowLogits | None, people: PoseWindowLogits | None
) -> np.ndarray:
    """Return (K,) float32: what one window of each stream says, all 0 where it is uncertain.

    Args:
        recognizer: The bundle that gave the windows.
        motion: A window of motion, or None for nothing.
        people: A window of the pose stream, or None for nothing.
    """
    logits, pose = np.zeros((1, len(recognizer.info.labels))), _PoseScores.silent(recognizer, 1)
    if motion is not None:
        logits = motion.logits.mean(axis=0, keepdims=True)
    if people is not None:
        pose = _PoseScores.of(_weigh_logits([people]))
    return _fuse(recognizer, logits, pose)[0]


def _compute_step_s(recognizer: Recognizer, times_s: np.ndarray, first: int) -> float:
    """Return the stretch that one step stands for: less where the only one was cut short."""
    step_s = 1 / get_rate_hz(recognizer)
    return step_s if first else min(step_s, 2 * float(times_s[0]))


def _pool_motion(found: list[MotionWindowLogits], first: int, end: int) -> np.ndarray:
    """Return the (N, K) logits of the steps from ``first`` to before ``end``."""
    logits = np.stack([window.logits for window in found])
    starts = np.array([window.start for window in found])
    return compute_step_logits(logits.mean(axis=1), starts, logits.shape[1], end, first)


def _pool_pose(found: list[PoseWindowLogits], first: int, end: int) -> _PoseScores:
    """Return what is said at the pose stream's steps from ``first`` to before ``end``."""
    starts = np.array([window.start for window in found])
    return _PoseScores.of(
        compute_step_logits(_weigh_logits(found), starts, found[0].n_steps, end, first)
    )


def _weigh_logits(found: list[PoseWindowLogits]) -> np.ndarray:
    """Return (W, K + 1): each window's logits times its confidence, and the confidence."""
    confidence = np.array([window.confidence for window in found])
    logits = np.stack([window.logits for window in found])
    return np.column_stack([logits * confidence[:, None], confidence])


def _fuse(recognizer: Recognizer, motion: np.ndarray, pose: _PoseScores) -> np.ndarray:
    """Return (N, K) float32 probabilities; all 0 where nothing can be told."""
    if not recognizer.has_motion:
        is_known = pose.confidence[:, None] > 0
        return np.where(is_known, recognizer.compute_probs(pose.logits), np.float32(0))
    weight = recognizer.info.pose.weight if recognizer.info.pose else 0.0
    weights = weight * pose.confidence
    return recognizer.compute_probs(motion + weights[:, None] * pose.logits)


def _name_people(
    recognizer: Recognizer, found: list[PoseWindowLogits], confidence: np.ndarray, steps: np.ndarray
) -> People:
    """Return who shows each label at some steps: of the windows over one, the strongest says it."""
    is_sure = np.array([window.confidence > 0 for window in found])
    probs = recognizer.compute_probs(np.stack([window.logits for window in found]))
    starts = np.array([window.start for window in found])
    first, end = int(steps[0]), int(steps[-1]) + 1
    strongest = find_strongest(probs * is_sure[:, None], starts, found[0].n_steps, end, first)[
        steps - first
    ]
    labels = np.arange(strongest.shape[1])
    subjects, targets = (
        np.where(strongest >= 0, np.stack(numbers)[strongest, labels], 0)
        for numbers in ([w.subjects for w in found], [w.targets for w in found])
    )
    return People(subjects, targets, confidence.astype(np.float32))


class OnlineFusion:
    """Gives the scores that `fuse_windows` gives for a whole recording, to the bit, piece by piece.

    Windows are kept only while a step that they look at is not final.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        """Start an empty stream; several streams may share the recognizer."""
        self._recognizer = recognizer
        self._rate_hz = get_rate_hz(recognizer)
        self._motion: list[MotionWindowLogits] = []
        self._people: list[PoseWindowLogits] = []
        self._n_given = 0

    def push(self, found: StreamOutput) -> Scores | None:
        """Take the next windows and return the steps that are final with them, None for none."""
        self._motion += found.motion
        self._people += found.people
        n_final = self._count_final()
        if n_final <= self._n_given:
            return None
        times_s = (np.arange(self._n_given, n_final) + 0.5) / self._rate_hz
        return self._give(times_s, self._find_pose_steps(times_s))

    def flush(self, found: StreamOutput, span_s: float) -> Scores | None:
        """End the stream and return the steps that were not final before, None for none.

        Args:
            found: The last windows.
            span_s: Length of the stream.
        """
        self._motion += found.motion
        self._people += found.people
        if not self._motion and not self._people:
            return None
        times_s = compute_step_times(span_s, self._rate_hz)[self._n_given :]
        if len(times_s) == 0:
            return None
        return self._give(times_s, find_pose_steps(self._recognizer, times_s, span_s))

    @property
    def newest(self) -> np.ndarray:
        """(K,) float32: what the newest windows say, all 0 where they is uncertain."""
        return fuse_newest(
            self._recognizer,
            self._motion[-1] if self._motion else None,
            self._people[-1] if self._people else None,
        )

    def _count_final(self) -> int:
        """Count the steps before the start of any window that may still come."""
        ends: list[int] = []
        if self._recognizer.has_motion:
            ends.append(self._motion[-1].start + 1 if self._motion else 0)
        if self._recognizer.has_pose:
            ends.append(self._count_final_of_pose() if self._people else 0)
        return min(ends)

    def _count_final_of_pose(self) -> int:
        """Count the steps whose nearest step of the pose stream is final and sure to be nearest.

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
        """Return the nearest steps of a pose stream that goes on for ever."""
        if not self._recognizer.has_pose:
            return np.zeros(len(times_s), dtype=np.int64)
        rate_hz = self._recognizer.pose_spec.rate_hz
        first = max(int(times_s[0] * rate_hz) - 1, 0)
        steps_s = (np.arange(first, int(times_s[-1] * rate_hz) + 3) + 0.5) / rate_hz
        return first + compute_nearest_indices(steps_s, times_s)

    def _give(self, times_s: np.ndarray, pose_steps: np.ndarray) -> Scores:
        found = StreamOutput(self._motion, self._people)
        scores = fuse_steps(self._recognizer, found, times_s, self._n_given, pose_steps)
        self._n_given += len(times_s)
        self._forget(int(pose_steps[-1]))
        return scores

    def _forget(self, pose_step: int) -> None:
        """Forget windows that no later step needs, but for the newest."""
        self._motion = [
            window
            for window in self._motion[:-1]
            if window.start + len(window.logits) > self._n_given
        ] + self._motion[-1:]
        self._people = [
            window for window in self._people[:-1] if window.start + window.n_steps > pose_step
        ] + self._people[-1:]
