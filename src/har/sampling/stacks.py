"""Frames to the stacks of time steps: sampling in constant memory.

A step's stack is given once no later frame can change it, so pushing frames one by one gives the
stacks that `har.sampling.times` gives for all frames at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from har.errors import BundleMismatchError, VideoDecodeError
from har.sampling.crop import MotionCrop
from har.sampling.stillness import PictureGate
from har.sampling.times import (
    compute_nearest_indices,
    compute_stack_indices,
    compute_step_times,
)
from har.types import TIME_EPS_S, Frame


@dataclass(frozen=True)
class Stack:
    """The frames that ``n_steps`` consecutive time steps all compare.

    Attributes:
        image: (H, W, C) uint8.
        n_steps: More than one where frames are rare, as in a gap of the recording.
        corner: (y, x) of the upper left pixel of the part of the picture that is in it.
        is_still: It takes the features of the step that was encoded last, for nothing moves.
        threshold: Gray levels by which a square may differ and be still; 0 where all is encoded.
    """

    image: np.ndarray
    n_steps: int
    corner: tuple[int, int] = (0, 0)
    is_still: bool = False
    threshold: float = 0.0


class StackSampler:
    """Gives the stack of every time step of a stream, as soon as it is final.

    A step is final when its time ``[k, k + 1) / rate_hz`` has passed and a frame has come that
    is as late as the latest one it compares. Frames that no later step can need are forgotten.
    """

    def __init__(
        self,
        rate_hz: float,
        offsets_s: tuple[float, ...],
        shape: tuple[int, ...],
        crop: MotionCrop | PictureGate | None = None,
    ) -> None:
        """Start with no frame.

        Args:
            rate_hz: Steps a second.
            offsets_s: From the step's own frame to those of its stack; one, 0, for RGB.
            shape: Of every picture: (H, W) gray or (H, W, 3) RGB.
            crop: Chooses the part of the picture that stacks show, and says which are still; None
                shows all of it, always.
        """
        self._rate_hz, self._offsets_s, self._shape = rate_hz, offsets_s, shape
        self._crop = crop
        self._latest_offset_s = max(0.0, *offsets_s)
        self._earliest_offset_s = min(0.0, *offsets_s)
        self._times_s: list[float] = []
        self._images: list[np.ndarray] = []
        self._n_frames = 0
        self._n_steps = 0

    @property
    def span_s(self) -> float:
        """Length of what came so far, as `compute_span_s` gives it for all frames."""
        if self._n_frames < 2:
            return 0.0
        return self._times_s[-1] * self._n_frames / (self._n_frames - 1)

    @property
    def n_frames(self) -> int:
        """Frames that came so far."""
        return self._n_frames

    def push(self, frame: Frame) -> list[Stack]:
        """Take the next frame and return the stacks that it makes final, often none.

        Args:
            frame: Later than the one before; the first one is at 0 s. Its image is held for a
                while and must not be written to.

        Raises:
            BundleMismatchError: The picture is not of the contract's size and color.
            VideoDecodeError: The frame is not later than the one before.
        """
        if frame.image.shape != self._shape:
            raise BundleMismatchError(
                f"Expected pictures of shape {self._shape} by the bundle, received "
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
        if stacks:
            self._forget_frames()
        return stacks

    def flush(self) -> list[Stack]:
        """Return the stacks of the steps that were still waiting; the stream has ended."""
        if self._n_frames == 0:
            return []
        return self._make_stacks(compute_step_times(self.span_s, self._rate_hz)[self._n_steps :])

    def _find_final_steps(self) -> np.ndarray:
        rate_hz, last_s = self._rate_hz, self._times_s[-1]
        n_passed = int(np.floor(last_s * rate_hz + TIME_EPS_S))
        if n_passed <= self._n_steps:
            return np.zeros(0)
        step_times_s = (np.arange(self._n_steps, n_passed) + 0.5) / rate_hz
        times_s = np.array(self._times_s)
        center = compute_nearest_indices(times_s, step_times_s)
        return step_times_s[times_s[center] + self._latest_offset_s <= last_s]

    def _make_stacks(self, step_times_s: np.ndarray) -> list[Stack]:
        if len(step_times_s) == 0:
            return []
        self._n_steps += len(step_times_s)
        indices = compute_stack_indices(np.array(self._times_s), step_times_s, self._offsets_s)
        changes = np.flatnonzero(np.any(indices[1:] != indices[:-1], axis=1)) + 1
        firsts = np.concatenate([[0], changes])
        counts = np.diff(firsts, append=len(indices))
        return [
            self._make_stack(indices[first], int(count))
            for first, count in zip(firsts, counts, strict=True)
        ]

    def _make_stack(self, indices: np.ndarray, n_steps: int) -> Stack:
        frames = [self._images[index] for index in indices]
        if self._crop is None:
            return Stack(frames[0] if frames[0].ndim == 3 else np.stack(frames, axis=-1), n_steps)
        crop = self._crop
        return Stack(crop.push(frames), n_steps, crop.corner, crop.is_still, crop.threshold)

    def _forget_frames(self) -> None:
        next_s = (self._n_steps + 0.5) / self._rate_hz if self._n_steps else 0.0
        before = max(int(np.searchsorted(self._times_s, next_s)) - 1, 0)
        earliest_s = self._times_s[before] + self._earliest_offset_s
        needed = min(int(np.searchsorted(self._times_s, earliest_s)), before) - 1
        if needed > 0:
            del self._times_s[:needed], self._images[:needed]


class BatchSampler:
    """A sampler whose stacks are given in batches for a network."""

    def __init__(self, sampler: StackSampler, batch_steps: int) -> None:
        """Take an empty sampler; ``batch_steps`` stacks are given together."""
        self._sampler, self._batch_steps = sampler, batch_steps
        self._waiting: list[Stack] = []

    @property
    def span_s(self) -> float:
        """As in `StackSampler`."""
        return self._sampler.span_s

    @property
    def n_frames(self) -> int:
        """As in `StackSampler`."""
        return self._sampler.n_frames

    def push(self, frame: Frame) -> list[list[Stack]]:
        """Take the next frame and return the batches that are full with it, often none."""
        self._waiting += self._sampler.push(frame)
        size = self._batch_steps
        n_full = len(self._waiting) // size * size
        full, self._waiting = self._waiting[:n_full], self._waiting[n_full:]
        return [full[first : first + size] for first in range(0, n_full, size)]

    def flush(self) -> list[list[Stack]]:
        """Return the stacks that were still waiting; the stream has ended."""
        self._waiting += self._sampler.flush()
        size, last = self._batch_steps, self._waiting
        self._waiting = []
        return [last[first : first + size] for first in range(0, len(last), size)]
