"""Windows of one or both streams to the scores of a recording, and to one answer for all of it.

The pose stream is believed as far as its keypoints are sure: its logits, times that sureness and
the bundle's weight, are added to those of motion. Alone, it says nothing where nobody is sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har import windows
from har.inference.pooling import compute_step_logits, find_strongest
from har.inference.stream import Findings, WindowLogits
from har.runtime.people import PeopleLogits
from har.runtime.recognizer import Recognizer
from har.types import People, Scores

_NO_SURENESS = 1e-9
"""Sums of window's sureness that are only rounding."""


@dataclass(frozen=True)
class _Voice:
    """What the pose stream says at N moments.

    Attributes:
        logits: (N, K) float64, mean of the windows over each moment, by how sure they are.
        sureness: (N,) float64 from 0 to 1, mean of the windows; 0 where it cannot tell.
    """

    logits: np.ndarray
    sureness: np.ndarray

    @classmethod
    def of(cls, sums: np.ndarray) -> _Voice:
        """Divides the means of (N, K + 1) logits times sureness, and sureness, by each other."""
        sureness = np.where(sums[:, -1] > _NO_SURENESS, sums[:, -1], 0.0)
        divisor = np.where(sureness > 0, sureness, 1.0)
        return cls(np.where(sureness > 0, sums[:, :-1].T / divisor, 0.0).T, sureness)

    @classmethod
    def silent(cls, recognizer: Recognizer, n_moments: int) -> _Voice:
        """Gives what is said where nothing can be told."""
        return cls(np.zeros((n_moments, len(recognizer.info.labels))), np.zeros(n_moments))

    def take(self, rows: np.ndarray) -> _Voice:
        """Gives other moments."""
        return _Voice(self.logits[rows], self.sureness[rows])


def fuse_windows(
    recognizer: Recognizer, found: Findings, span_s: float
) -> tuple[np.ndarray, Scores]:
    """Gives what all windows of a recording say together.

    Args:
        recognizer: The bundle that gave the windows.
        found: All windows of the bundle's streams, at least one of each.
        span_s: Length of the recording.

    Returns:
        (K,) probabilities of the recording as a whole, and the scores of its steps: those of the
        motion stream where there is one. Both are 0 where the model cannot tell.
    """
    times_s = windows.compute_step_times(span_s, get_rate_hz(recognizer))
    pose_steps = find_pose_steps(recognizer, times_s, span_s)
    motion, pose = np.zeros((1, len(recognizer.info.labels))), _Voice.silent(recognizer, 1)
    if recognizer.has_motion:
        logits = np.stack([window.logits for window in found.motion])
        starts = np.array([window.start for window in found.motion])
        lengths = np.full(len(logits), logits.shape[1])
        motion = windows.compute_clip_logits(logits, lengths, starts)[None]
    if recognizer.has_pose:
        pose = _Voice.of(_speak(found.people).mean(axis=0, keepdims=True))
    scores = fuse_steps(recognizer, found, times_s, 0, pose_steps)
    return _fuse(recognizer, motion, pose)[0], scores


def get_rate_hz(recognizer: Recognizer) -> float:
    """Gives the steps a second that scores have: the motion stream's where there is one."""
    return (recognizer.info.spec if recognizer.has_motion else recognizer.pose_spec).rate_hz


def find_pose_steps(recognizer: Recognizer, times_s: np.ndarray, span_s: float) -> np.ndarray:
    """Gives for some times the steps of the pose stream nearest to them.

    Args:
        recognizer: A bundle; without a pose stream the steps are 0.
        times_s: (N,) ascending seconds.
        span_s: Length of the recording, which says how many steps there are.

    Returns:
        (N,) int64 ascending.
    """
    if not recognizer.has_pose:
        return np.zeros(len(times_s), dtype=np.int64)
    steps_s = windows.compute_step_times(span_s, recognizer.pose_spec.rate_hz)
    return windows.compute_nearest_indices(steps_s, times_s)


def fuse_steps(
    recognizer: Recognizer,
    found: Findings,
    times_s: np.ndarray,
    first: int,
    pose_steps: np.ndarray,
) -> Scores:
    """Gives the scores of consecutive steps: to the bit those that all steps at once would have.

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
        people = _name_people(recognizer, found.people, pose.sureness, pose_steps)
    return Scores(
        labels=recognizer.info.labels,
        times_s=times_s,
        values=_fuse(recognizer, motion, pose or _Voice.silent(recognizer, n_steps)),
        step_s=_compute_step_s(recognizer, times_s, first),
        people=people,
    )


def fuse_newest(
    recognizer: Recognizer, motion: WindowLogits | None, people: PeopleLogits | None
) -> np.ndarray:
    """Gives (K,) float32: what one window of each stream says, all 0 where it cannot tell.

    Args:
        recognizer: The bundle that gave the windows.
        motion: A window of motion, or None for nothing.
        people: A window of the pose stream, or None for nothing.
    """
    logits, pose = np.zeros((1, len(recognizer.info.labels))), _Voice.silent(recognizer, 1)
    if motion is not None:
        logits = motion.logits.mean(axis=0, keepdims=True)
    if people is not None:
        pose = _Voice.of(_speak([people]))
    return _fuse(recognizer, logits, pose)[0]


def _compute_step_s(recognizer: Recognizer, times_s: np.ndarray, first: int) -> float:
    """Gives the stretch that one step speaks for: less where the only one was cut short."""
    step_s = 1 / get_rate_hz(recognizer)
    return step_s if first else min(step_s, 2 * float(times_s[0]))


def _pool_motion(found: list[WindowLogits], first: int, end: int) -> np.ndarray:
    """Gives the (N, K) logits of the steps from ``first`` to before ``end``."""
    logits = np.stack([window.logits for window in found])
    starts = np.array([window.start for window in found])
    return compute_step_logits(logits.mean(axis=1), starts, logits.shape[1], end, first)


def _pool_pose(found: list[PeopleLogits], first: int, end: int) -> _Voice:
    """Gives what is said at the pose stream's steps from ``first`` to before ``end``."""
    starts = np.array([window.start for window in found])
    return _Voice.of(compute_step_logits(_speak(found), starts, found[0].n_steps, end, first))


def _speak(found: list[PeopleLogits]) -> np.ndarray:
    """Gives (W, K + 1): each window's logits times its sureness, and the sureness."""
    sureness = np.array([window.sureness for window in found])
    logits = np.stack([window.logits for window in found])
    return np.column_stack([logits * sureness[:, None], sureness])


def _fuse(recognizer: Recognizer, motion: np.ndarray, pose: _Voice) -> np.ndarray:
    """Gives (N, K) float32 probabilities; all 0 where nothing can be told."""
    if not recognizer.has_motion:
        is_known = pose.sureness[:, None] > 0
        return np.where(is_known, recognizer.compute_probs(pose.logits), np.float32(0))
    weights = recognizer.info.pose_weight * pose.sureness
    return recognizer.compute_probs(motion + weights[:, None] * pose.logits)


def _name_people(
    recognizer: Recognizer, found: list[PeopleLogits], sureness: np.ndarray, steps: np.ndarray
) -> People:
    """Gives who shows each label at some steps: of the windows over one, the strongest says it."""
    is_sure = np.array([window.sureness > 0 for window in found])
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
    return People(subjects, targets, sureness.astype(np.float32))
