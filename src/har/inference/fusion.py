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
    spec = recognizer.info.spec if recognizer.has_motion else recognizer.pose_spec
    times_s = windows.compute_step_times(span_s, spec.rate_hz)
    shape, people = (len(times_s), len(recognizer.info.labels)), None
    motion, motion_whole = np.zeros(shape), np.zeros((1, shape[1]))
    pose, pose_whole = _Voice(motion, np.zeros(shape[0])), _Voice(motion_whole, np.zeros(1))
    if recognizer.has_motion:
        motion, motion_whole = _pool_motion(found.motion, len(times_s))
    if recognizer.has_pose:
        pose_s = windows.compute_step_times(span_s, recognizer.pose_spec.rate_hz)
        nearest = windows.compute_nearest_indices(pose_s, times_s)
        steps, pose_whole = _pool_pose(found.people, len(pose_s))
        pose = steps.take(nearest)
        people = _name_people(recognizer, found.people, pose.sureness, nearest)
    scores = Scores(
        labels=recognizer.info.labels,
        times_s=times_s,
        values=_fuse(recognizer, motion, pose),
        step_s=min(1 / spec.rate_hz, 2 * float(times_s[0])),
        people=people,
    )
    return _fuse(recognizer, motion_whole, pose_whole)[0], scores


def _pool_motion(found: list[WindowLogits], n_total: int) -> tuple[np.ndarray, np.ndarray]:
    """Gives the (N, K) logits of the steps and the (1, K) of the whole."""
    logits = np.stack([window.logits for window in found])
    starts = np.array([window.start for window in found])
    n_steps = logits.shape[1]
    steps = compute_step_logits(logits.mean(axis=1), starts, n_steps, n_total)
    return steps, windows.compute_clip_logits(logits, np.full(len(logits), n_steps))[None]


def _pool_pose(found: list[PeopleLogits], n_total: int) -> tuple[_Voice, _Voice]:
    """Gives what is said at the N steps of the pose stream, and of the whole as one moment."""
    sureness = np.array([window.sureness for window in found])
    logits = np.stack([window.logits for window in found])
    starts = np.array([window.start for window in found])
    voices = np.column_stack([logits * sureness[:, None], sureness])
    steps = compute_step_logits(voices, starts, found[0].n_steps, n_total)
    return _Voice.of(steps), _Voice.of(voices.mean(axis=0, keepdims=True))


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
    n_total = found[-1].start + found[-1].n_steps
    strengths = probs * is_sure[:, None]
    strongest = find_strongest(strengths, starts, found[0].n_steps, n_total)[steps]
    labels = np.arange(strongest.shape[1])
    subjects, targets = (
        np.where(strongest >= 0, np.stack(numbers)[strongest, labels], 0)
        for numbers in ([w.subjects for w in found], [w.targets for w in found])
    )
    return People(subjects, targets, sureness.astype(np.float32))
