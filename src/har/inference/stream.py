"""Frames in, logits of windows out: recognition step by step in constant memory.

    StackSampler        frames -> the stacks of frames that time steps compare
    FeatureWindows      features of steps -> overlapping windows
    StreamRecognizer    both, with a bundle's networks between and behind them

Nothing here has a clock or a thread. A step's stack is given once no later frame can change it, so
pushing frames one by one gives the stacks that `har.windows` gives for all frames at once. Every
step goes through the CNN once, however many windows it is in; only the small temporal head runs
again for each window.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from har import windows
from har.errors import BundleMismatchError, ConfigError, VideoDecodeError
from har.runtime.recognizer import Recognizer
from har.types import Frame, WindowSpec

_STEP_EPS = 1e-6
_MAX_WINDOWS = 32
"""Windows that go through the temporal head together, at most."""


@dataclass(frozen=True)
class Stack:
    """The frames that ``n_steps`` consecutive time steps all compare.

    Attributes:
        image: (H, W, C) uint8.
        n_steps: More than one where frames are rare, as in a gap of the recording.
    """

    image: np.ndarray
    n_steps: int


@dataclass(frozen=True)
class WindowLogits:
    """What the temporal head said about one window.

    Attributes:
        start: Index of the window's first step in the video.
        logits: (n, K) float32, one row a real step; n is T but in a video shorter than a window.
    """

    start: int
    logits: np.ndarray


class StackSampler:
    """Gives the stack of every time step of a stream, as soon as it is final.

    A step is final when its stretch ``[k, k + 1) / rate_hz`` has passed and a frame has come that
    is as late as the latest one it compares. Frames that no later step can need are forgotten.
    """

    def __init__(self, spec: WindowSpec) -> None:
        self._spec = spec
        self._latest_offset_s = max(0.0, *spec.offsets_s)
        self._earliest_offset_s = min(0.0, *spec.offsets_s)
        self._shape = (*spec.size, 3) if spec.color == "rgb" else spec.size
        self._times_s: list[float] = []
        self._images: list[np.ndarray] = []
        self._n_frames = 0
        self._n_steps = 0

    @property
    def span_s(self) -> float:
        """Length of what came so far, as `windows.compute_span_s` gives it for all frames."""
        if self._n_frames < 2:
            return 0.0
        return self._times_s[-1] * self._n_frames / (self._n_frames - 1)

    @property
    def n_frames(self) -> int:
        """Frames that came so far."""
        return self._n_frames

    def push(self, frame: Frame) -> list[Stack]:
        """Takes the next frame and gives the stacks that it makes final, often none.

        Args:
            frame: Later than the one before; the first one is at 0 s. Its image is kept for a
                while and must not be written to.

        Raises:
            BundleMismatchError: The picture is not of the contract's size and colour.
            VideoDecodeError: The frame is not later than the one before.
        """
        if frame.image.shape != self._shape:
            raise BundleMismatchError(
                f"Expected pictures of shape {self._shape} as the bundle says, received "
                f"{frame.image.shape} at {frame.time_s:.3f} s"
            )
        if self._times_s and frame.time_s <= self._times_s[-1]:
            raise VideoDecodeError(
                f"Expected a frame after {self._times_s[-1]:.3f} s, received one at "
                f"{frame.time_s:.3f} s"
            )
        self._n_frames += 1
        self._times_s.append(frame.time_s)
        self._images.append(frame.image)
        stacks = self._make_stacks(self._find_final_steps())
        self._forget_frames()
        return stacks

    def flush(self) -> list[Stack]:
        """Gives the stacks of the steps that were still waiting; the stream has ended."""
        if self._n_frames == 0:
            return []
        return self._make_stacks(
            windows.compute_step_times(self.span_s, self._spec.rate_hz)[self._n_steps :]
        )

    def _find_final_steps(self) -> np.ndarray:
        rate_hz, last_s = self._spec.rate_hz, self._times_s[-1]
        n_passed = int(np.floor(last_s * rate_hz + _STEP_EPS))
        step_times_s = (np.arange(self._n_steps, n_passed) + 0.5) / rate_hz
        if len(step_times_s) == 0:
            return step_times_s
        times_s = np.array(self._times_s)
        centre = windows.compute_nearest_indices(times_s, step_times_s)
        return step_times_s[times_s[centre] + self._latest_offset_s <= last_s]

    def _make_stacks(self, step_times_s: np.ndarray) -> list[Stack]:
        if len(step_times_s) == 0:
            return []
        self._n_steps += len(step_times_s)
        indices = windows.compute_stack_indices(
            np.array(self._times_s), step_times_s, self._spec.offsets_s
        )
        changes = np.flatnonzero(np.any(indices[1:] != indices[:-1], axis=1)) + 1
        firsts = np.concatenate([[0], changes])
        counts = np.diff(firsts, append=len(indices))
        return [
            Stack(self._gather(indices[first]), int(count))
            for first, count in zip(firsts, counts, strict=True)
        ]

    def _gather(self, indices: np.ndarray) -> np.ndarray:
        if self._spec.color == "rgb":
            return self._images[indices[0]]
        return np.stack([self._images[index] for index in indices], axis=-1)

    def _forget_frames(self) -> None:
        next_s = (self._n_steps + 0.5) / self._spec.rate_hz if self._n_steps else 0.0
        before = max(int(np.searchsorted(self._times_s, next_s)) - 1, 0)
        earliest_s = self._times_s[before] + self._earliest_offset_s
        needed = min(int(np.searchsorted(self._times_s, earliest_s)), before) - 1
        if needed > 0:
            del self._times_s[:needed], self._images[:needed]


class FeatureWindows:
    """A ring of the last T feature vectors that gives a window every ``hop`` steps.

    The windows are those of `windows.compute_window_starts`: the last one ends with the last step,
    and a stream shorter than a window is one window of fewer steps.
    """

    def __init__(self, n_steps: int, hop: int) -> None:
        if not 1 <= hop <= n_steps:
            raise ConfigError(f"Expected 1 <= hop <= n_steps={n_steps}, received hop={hop}")
        self._hop = hop
        self._ring: deque[np.ndarray] = deque(maxlen=n_steps)
        self._n_steps = n_steps
        self._n_pushed = 0

    def push(self, feature: np.ndarray) -> tuple[int, np.ndarray] | None:
        """Takes the (D,) features of the next step; gives a window's start and (T, D) if due."""
        self._ring.append(feature)
        self._n_pushed += 1
        start = self._n_pushed - self._n_steps
        return self._window() if start >= 0 and start % self._hop == 0 else None

    def flush(self) -> tuple[int, np.ndarray] | None:
        """Gives the start and (n, D) features of the last window, unless it was given before."""
        start = self._n_pushed - self._n_steps
        if self._n_pushed == 0 or (start >= 0 and start % self._hop == 0):
            return None
        return self._window()

    def _window(self) -> tuple[int, np.ndarray]:
        return max(self._n_pushed - self._n_steps, 0), np.stack(self._ring)


class StreamRecognizer:
    """Recognises a stream of frames as they come; once `flush` was called it has ended."""

    def __init__(self, recognizer: Recognizer, hop: int, batch_steps: int = 1) -> None:
        """Starts an empty stream.

        Args:
            recognizer: The loaded bundle; several streams may share it.
            hop: Steps from one window's start to the next.
            batch_steps: Stacks that wait for each other to go through the CNN together: 1 answers
                soonest, more is faster for files.

        Raises:
            ConfigError: ``hop`` is not from 1 to the window's length.
        """
        self._recognizer = recognizer
        self._spec = recognizer.info.spec
        self._sampler = StackSampler(self._spec)
        self._windows = FeatureWindows(self._spec.n_steps, hop)
        self._batch_steps = batch_steps
        self._pending: list[Stack] = []

    @property
    def span_s(self) -> float:
        """Length in seconds of what came so far: each frame stands for a mean interval."""
        return self._sampler.span_s

    @property
    def n_frames(self) -> int:
        """Frames that came so far."""
        return self._sampler.n_frames

    def push(self, frame: Frame) -> list[WindowLogits]:
        """Takes the next frame and gives the windows that are complete with it, often none.

        Raises:
            BundleMismatchError: The picture is not of the bundle's size and colour.
            VideoDecodeError: The frame is not later than the one before.
        """
        return self._encode(self._sampler.push(frame))

    def flush(self) -> list[WindowLogits]:
        """Ends the stream and gives the windows that were still waiting.

        After at least one frame there is at least one window in all.
        """
        found = self._encode(self._sampler.flush())
        found += self._encode_pending()
        last = self._windows.flush()
        return found + (self._score([last]) if last else [])

    def _encode(self, stacks: list[Stack]) -> list[WindowLogits]:
        found: list[WindowLogits] = []
        for stack in stacks:
            self._pending.append(stack)
            if len(self._pending) >= self._batch_steps:
                found += self._encode_pending()
        return found

    def _encode_pending(self) -> list[WindowLogits]:
        if not self._pending:
            return []
        stacks, self._pending = self._pending, []
        features = self._recognizer.compute_features(np.stack([item.image for item in stacks]))
        found: list[WindowLogits] = []
        due: list[tuple[int, np.ndarray]] = []
        for item, feature in zip(stacks, features, strict=True):
            for _ in range(item.n_steps):
                window = self._windows.push(feature)
                if window is not None:
                    due.append(window)
                if len(due) == _MAX_WINDOWS:
                    found += self._score(due)
                    due = []
        return found + self._score(due)

    def _score(self, due: list[tuple[int, np.ndarray]]) -> list[WindowLogits]:
        if not due:
            return []
        padded = np.zeros((len(due), self._spec.n_steps, due[0][1].shape[1]), dtype=np.float32)
        for row, (_, features) in zip(padded, due, strict=True):
            row[: len(features)] = features
        logits = self._recognizer.compute_logits(padded)
        return [
            WindowLogits(start, rows[: len(features)])
            for (start, features), rows in zip(due, logits, strict=True)
        ]
