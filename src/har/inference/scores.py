"""Windows of all streams of a model to scores: one row a time step, at once or piece by piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from har.inference.fusion import (
    StreamLogits,
    find_strongest,
    fuse_logits,
    pool_at_steps,
    pool_windows,
)
from har.inference.model import Recognizer
from har.inference.steps import Windows
from har.inference.streams import PoseWindowLogits, WindowLogits
from har.sampling.times import compute_nearest_indices, compute_step_times
from har.types import People, Scores, StreamName

Steps = Mapping[StreamName, np.ndarray]
"""For N times the (N,) ascending steps of each stream that are nearest to them."""


def fuse_windows(
    recognizer: Recognizer, windows: Windows, span_s: float
) -> tuple[np.ndarray, Scores]:
    """Return what all windows of a recording say together.

    Args:
        recognizer: The bundle that gave the windows.
        windows: All of them, at least one of each of the bundle's streams.
        span_s: Length of the recording.

    Returns:
        (K,) probabilities of the recording as a whole, and the scores of the first stream's steps.
        Both are 0 where the model is uncertain.
    """
    whole = [stream.pool(windows[stream.name]) for stream in recognizer.streams]
    times_s = compute_step_times(span_s, get_rate_hz(recognizer))
    steps = _find_steps(recognizer, times_s, span_s)
    return _compute_probs(recognizer, whole)[0], _fuse_steps(recognizer, windows, times_s, steps)


def get_rate_hz(recognizer: Recognizer) -> float:
    """Return the steps a second that scores have: those of the first stream."""
    return recognizer.streams[0].spec.rate_hz


def _find_steps(recognizer: Recognizer, times_s: np.ndarray, span_s: float) -> Steps:
    """Return the nearest steps of streams that are ``span_s`` long."""
    return {
        stream.name: compute_nearest_indices(
            compute_step_times(span_s, stream.spec.rate_hz), times_s
        )
        for stream in recognizer.streams
    }


def _fuse_steps(
    recognizer: Recognizer, windows: Windows, times_s: np.ndarray, steps: Steps
) -> Scores:
    """Return the scores of consecutive steps: to the bit those that all steps at once would have.

    The windows are at least all over these steps, and there is at least one time.
    """
    outputs = {name: _pool(windows[name], nearest) for name, nearest in steps.items()}
    people = None
    if recognizer.pose is not None:
        people = _name_people(
            recognizer, windows["pose"], outputs["pose"].confidence, steps["pose"]
        )
    return Scores(
        labels=recognizer.info.labels,
        times_s=times_s,
        values=_compute_probs(recognizer, list(outputs.values())),
        step_s=min(1 / get_rate_hz(recognizer), 2 * float(times_s[0])),  # the only one may be cut
        people=people,
    )


def _pool(windows: Sequence[WindowLogits], steps: np.ndarray) -> StreamLogits:
    """Return what one stream says at some of its steps."""
    first, end = int(steps[0]), int(steps[-1]) + 1
    logits, confidence, starts = _stack(windows)
    pooled = pool_at_steps(logits, confidence, starts, windows[0].n_steps, end, first)
    return pooled.take(steps - first)


def _stack(windows: Sequence[WindowLogits]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (W, K) logits, (W,) confidence and (W,) starts."""
    return (
        np.stack([window.logits for window in windows]),
        np.array([window.confidence for window in windows]),
        np.array([window.start for window in windows]),
    )


def _compute_probs(recognizer: Recognizer, outputs: Sequence[StreamLogits]) -> np.ndarray:
    """Return (N, K) float32 probabilities; all 0 where the model is uncertain."""
    fused = fuse_logits(outputs, recognizer.info.weights)
    is_known = fused.confidence[:, None] > 0
    return np.where(is_known, recognizer.compute_probs(fused.logits), np.float32(0))


def _name_people(
    recognizer: Recognizer,
    windows: Sequence[PoseWindowLogits],
    confidence: np.ndarray,
    steps: np.ndarray,
) -> People:
    """Return who shows each label at some steps: of the windows over one, the strongest says it."""
    logits, is_confident, starts = _stack(windows)
    probs = recognizer.compute_probs(logits) * (is_confident > 0)[:, None]
    first, end = int(steps[0]), int(steps[-1]) + 1
    strongest = find_strongest(probs, starts, windows[0].n_steps, end, first)[steps - first]
    labels = np.arange(strongest.shape[1])
    subjects, targets = (
        np.where(strongest >= 0, np.stack(numbers)[strongest, labels], 0)
        for numbers in ([w.subjects for w in windows], [w.targets for w in windows])
    )
    return People(subjects, targets, confidence.astype(np.float32))


class OnlineFusion:
    """Gives the scores that `fuse_windows` gives for a whole recording, to the bit, piece by piece.

    Windows are forgotten once all steps that they cover are final.
    """

    def __init__(self, recognizer: Recognizer) -> None:
        """Start an empty stream; several streams may share the recognizer."""
        self._recognizer = recognizer
        self._rate_hz = get_rate_hz(recognizer)
        self._windows: dict[StreamName, list[Any]] = {
            stream.name: [] for stream in recognizer.streams
        }
        self._n_given = 0

    def push(self, windows: Windows) -> Scores | None:
        """Take the next windows and return the steps that are final with them, None for none."""
        self._add(windows)
        n_final = self._count_final()
        if n_final <= self._n_given:
            return None
        times_s = self._compute_times(n_final)
        return self._give(times_s, self._find_steps(times_s))

    def flush(self, windows: Windows, span_s: float) -> Scores | None:
        """End the stream and return the steps that were not final before, None for none.

        Args:
            windows: The last ones.
            span_s: Length of the stream.
        """
        self._add(windows)
        if not all(self._windows.values()):
            return None
        times_s = compute_step_times(span_s, self._rate_hz)[self._n_given :]
        if len(times_s) == 0:
            return None
        return self._give(times_s, _find_steps(self._recognizer, times_s, span_s))

    @property
    def newest(self) -> np.ndarray:
        """(K,) float32: what the newest windows say, all 0 where they are uncertain."""
        nothing = StreamLogits.uncertain(1, len(self._recognizer.info.labels))
        outputs = [
            pool_windows(*_stack(windows[-1:])[:2]) if windows else nothing
            for windows in self._windows.values()
        ]
        return _compute_probs(self._recognizer, outputs)[0]

    def _add(self, windows: Windows) -> None:
        for name, added in windows.items():
            self._windows[name] += added

    def _compute_times(self, n_steps: int) -> np.ndarray:
        """Return the times of the steps from the first that was not given to before ``n_steps``."""
        return (np.arange(self._n_given, n_steps) + 0.5) / self._rate_hz

    def _count_final(self) -> int:
        """Count the steps for which no window may come any more, of any stream."""
        if not all(self._windows.values()):
            return 0
        return min(
            self._count_final_of(stream.spec.rate_hz, self._windows[stream.name][-1].start + 1)
            for stream in self._recognizer.streams
        )

    def _count_final_of(self, rate_hz: float, n_final: int) -> int:
        """Count the steps whose nearest step of a stream is one of the ``n_final`` first."""
        n_most = int(np.ceil((n_final + 1) / rate_hz * self._rate_hz)) + 1
        if n_most <= self._n_given:
            return 0
        nearest = _find_endless_steps(self._compute_times(n_most), rate_hz)
        return self._n_given + int(np.sum(nearest < n_final))

    def _find_steps(self, times_s: np.ndarray) -> Steps:
        """Return the nearest steps of streams that go on for ever."""
        return {
            stream.name: _find_endless_steps(times_s, stream.spec.rate_hz)
            for stream in self._recognizer.streams
        }

    def _give(self, times_s: np.ndarray, steps: Steps) -> Scores:
        scores = _fuse_steps(self._recognizer, self._windows, times_s, steps)
        self._n_given += len(times_s)
        for name, nearest in steps.items():
            self._forget(name, int(nearest[-1]))
        return scores

    def _forget(self, name: StreamName, step: int) -> None:
        """Forget windows that no step from this one on needs, but for the newest."""
        *older, newest = self._windows[name]
        needed = [window for window in older if window.start + window.n_steps > step]
        self._windows[name] = [*needed, newest]


def _find_endless_steps(times_s: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the steps nearest to some times, of a stream that goes on for ever."""
    first = max(int(times_s[0] * rate_hz) - 1, 0)
    steps_s = (np.arange(first, int(times_s[-1] * rate_hz) + 3) + 0.5) / rate_hz
    return first + compute_nearest_indices(steps_s, times_s)
