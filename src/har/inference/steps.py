"""The streams of a model on one video or camera: frames in, logits of windows out.

Nothing here has a clock or threads of its own; `open_networks` gives networks that have.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from typing import Any

import numpy as np

from har.config import PredictConfig
from har.inference.model import Recognizer
from har.inference.streams import MAX_WINDOWS, Encode, Stream, WindowLogits
from har.sampling.stacks import BatchSampler, Stack
from har.sampling.times import Window, WindowRing
from har.types import Frame, StreamName

Networks = Mapping[StreamName, Encode]
"""What each stream of a model hands its pictures to."""


class OpenStream:
    """A stream on one video or camera: features of steps in, windows for its head out."""

    def __init__(self, stream: Stream, n_overlap: int) -> None:
        """Start at the first step.

        Args:
            stream: Of a model; several videos may share it.
            n_overlap: Windows over each step.
        """
        self.stream = stream
        self._follow: Callable[[Any], Any] = stream.follow()
        n_steps = stream.spec.n_steps
        self._ring = WindowRing[Any](n_steps, PredictConfig(n_overlap).hop(n_steps))

    def push(self, features: Any, n_steps: int = 1) -> tuple[list[Any], list[Window[Any]]]:
        """Take the features of the next step, or of several that are alike; None is a still one.

        Returns:
            The value of each step, such as the people who are followed, and the windows that are
            due.
        """
        steps = [self._follow(features) for _ in range(n_steps)]
        windows = [self._ring.push(step) for step in steps]
        return steps, [window for window in windows if window is not None]

    def flush(self) -> list[Window[Any]]:
        """Return the last window, unless it was given before; the stream has ended."""
        last = self._ring.flush()
        return [] if last is None else [last]


def cut_stream(
    stream: Stream, features: Iterable[Any], n_overlap: int = PredictConfig.n_overlap
) -> list[Window[Any]]:
    """Return all windows of one video, from the features of its steps."""
    return list(_iter_windows(stream, features, n_overlap))


def _iter_windows(stream: Stream, features: Iterable[Any], n_overlap: int) -> Iterator[Window[Any]]:
    opened = OpenStream(stream, n_overlap)
    for step in features:
        yield from opened.push(step)[1]
    yield from opened.flush()


def score_steps(
    stream: Stream, features: Iterable[Any], n_overlap: int = PredictConfig.n_overlap
) -> list[Any]:
    """Return what a stream says of all windows of one video, from the features of its steps.

    Memory does not grow with the features.
    """
    windows, found = _iter_windows(stream, features, n_overlap), list[Any]()
    while together := list(islice(windows, MAX_WINDOWS)):
        found += stream.score(together)
    return found


@dataclass(frozen=True)
class Stillness:
    """How many steps of a stream were still, and what was taken for still.

    Attributes:
        n_steps: All steps.
        n_still: Those that were not encoded.
        thresholds: Sum over all steps of the gray levels by which a square may differ, in
            thousandths.
    """

    n_steps: int = 0
    n_still: int = 0
    thresholds: int = 0

    @classmethod
    def of(cls, batch: Sequence[Stack]) -> Stillness:
        """Return that of some steps."""
        return cls(
            sum(stack.n_steps for stack in batch),
            sum(stack.n_steps for stack in batch if stack.is_still),
            sum(stack.n_steps * round(1000 * stack.threshold) for stack in batch),
        )

    @property
    def threshold(self) -> float:
        """Gray levels by which a square may differ, on the mean over steps."""
        return self.thresholds / 1000 / self.n_steps

    def __add__(self, other: Stillness) -> Stillness:
        """Return that of both parts."""
        return Stillness(
            self.n_steps + other.n_steps,
            self.n_still + other.n_still,
            self.thresholds + other.thresholds,
        )


Windows = Mapping[StreamName, list[Any]]
"""The `WindowLogits` of each stream of a model, by their starts."""


@dataclass
class StreamOutput:
    """What frames made known, by stream; each list is in the order of time and often empty.

    Attributes:
        windows: What the heads gave.
        places: Where each step was: the (y, x) of the upper left pixel of what the frame CNN
            saw, or the (17, 3) keypoints of the people that are followed, by their number, in
            pixels of the pictures that were pushed.
        features: What each picture was encoded to, None for a still one, and how many steps have
            it.
        stillness: How many steps were not encoded, and why.
    """

    windows: dict[StreamName, list[WindowLogits]] = field(default_factory=dict)
    places: dict[StreamName, list[Any]] = field(default_factory=dict)
    features: dict[StreamName, list[tuple[Any, int]]] = field(default_factory=dict)
    stillness: dict[StreamName, Stillness] = field(default_factory=dict)

    @property
    def n_windows(self) -> int:
        """Windows of all streams."""
        return sum(map(len, self.windows.values()))

    def extend(self, later: StreamOutput, keep_places: bool) -> None:
        """Add what became known later, but for features; with ``keep_places`` places too."""
        for name, windows in later.windows.items():
            self.windows.setdefault(name, []).extend(windows)
        for name, places in later.places.items() if keep_places else ():
            self.places.setdefault(name, []).extend(places)
        for name, stillness in later.stillness.items():
            self.stillness[name] = self.stillness.get(name, Stillness()) + stillness


class _SampledStream:
    """One stream of a recording.

    Where steps wait for each other, a batch is encoded while the next one is gathered: a network
    with threads of its own then works beside the decoder and the head.
    """

    def __init__(self, stream: Stream, config: PredictConfig, encode: Encode) -> None:
        self.sampler = BatchSampler(stream.build_sampler(), config.batch_steps)
        self._stream, self._encode = stream, encode
        self._opened = OpenStream(stream, config.n_overlap)
        self._n_ahead = 1 if config.batch_steps > 1 else 0
        self._begun: deque[tuple[list[Stack], Iterable[Any]]] = deque()

    def push(self, frame: Frame, found: StreamOutput) -> None:
        """Take the next frame and add what is known with it."""
        self._begin(self.sampler.push(frame))
        self._finish(self._n_ahead, found)

    def flush(self, found: StreamOutput) -> None:
        """End the stream and add what was still waiting."""
        self._begin(self.sampler.flush())
        self._finish(0, found)
        self._score(self._opened.flush(), found)

    def _begin(self, batches: list[list[Stack]]) -> None:
        for batch in batches:
            images = [self._stream.get_image(stack) for stack in batch if not stack.is_still]
            self._begun.append((batch, self._encode(images) if images else ()))

    def _finish(self, n_ahead: int, found: StreamOutput) -> None:
        while len(self._begun) > n_ahead:
            batch, encoded = self._begun.popleft()
            features = iter(encoded)
            due: list[Window[Any]] = []
            for stack in batch:
                feature = None if stack.is_still else next(features)
                found.features.setdefault(self._stream.name, []).append((feature, stack.n_steps))
                steps, windows = self._opened.push(feature, stack.n_steps)
                due += windows
                places = self._stream.get_places(stack, steps)
                found.places.setdefault(self._stream.name, []).extend(places)
            self._score(due, found)
            found.extend(StreamOutput(stillness={self._stream.name: Stillness.of(batch)}), False)

    def _score(self, due: list[Window[Any]], found: StreamOutput) -> None:
        if due:
            outputs = self._stream.score(due)
            found.windows.setdefault(self._stream.name, []).extend(outputs)


class StreamRecognizer:
    """Recognizes a stream of frames as they come; once `flush` was called it has ended."""

    def __init__(
        self,
        recognizer: Recognizer,
        config: PredictConfig | None = None,
        networks: Networks | None = None,
    ) -> None:
        """Start an empty stream.

        Args:
            recognizer: The loaded bundle; several streams may share it.
            config: How windows overlap, and how many steps wait for each other to go through a
                CNN together: 1 answers soonest, more is faster for files. The defaults when None.
            networks: Of `open_networks`; the recognizer's own, without threads, when None.
        """
        config = config or PredictConfig()
        self._streams = [
            _SampledStream(stream, config, networks[stream.name] if networks else stream.encode)
            for stream in recognizer.streams
        ]

    @property
    def span_s(self) -> float:
        """Length in seconds of what came so far: each frame stands for a mean interval."""
        return self._streams[0].sampler.span_s

    @property
    def n_frames(self) -> int:
        """Frames that came so far."""
        return self._streams[0].sampler.n_frames

    def push(self, frame: Frame) -> StreamOutput:
        """Take the next frame and return the windows that are complete with it, often none.

        Args:
            frame: Later than the one before; the first one is at 0 s. Its image is kept for a
                while and must not be written to.

        Raises:
            BundleMismatchError: The picture is not of the bundle's size and color.
            VideoDecodeError: The frame is not later than the one before.
        """
        found = StreamOutput()
        for stream in self._streams:
            stream.push(frame, found)
        return found

    def flush(self) -> StreamOutput:
        """End the stream and return the windows that were still waiting.

        After at least one frame there is at least one window of each stream in all.
        """
        found = StreamOutput()
        for stream in self._streams:
            stream.flush(found)
        return found


@contextmanager
def open_networks(recognizer: Recognizer, n_cores: int) -> Iterator[Networks]:
    """Return the networks of a bundle, each batch on one core, answers in the pictures' order.

    Batches side by side with a thread each take less time than one after the other with as many
    threads each, and answers are the same to the bit, however many go together. The threads end
    with the ``with`` block; what they have not begun by then is dropped.

    Args:
        recognizer: Loaded with ``n_threads=1``; its engine's own threads would be in the way.
        n_cores: Of the machine. With one there are no threads; a model without a pose network
            leaves one to decoding, which takes as long as its own.
    """
    if n_cores == 1:
        yield build_networks(recognizer)
        return
    n_threads = n_cores if recognizer.pose else n_cores - 1
    pool = ThreadPoolExecutor(n_threads, "network")
    try:
        yield build_networks(recognizer, pool.map, n_threads)
    finally:
        pool.shutdown(cancel_futures=True)


def build_networks(
    recognizer: Recognizer, spread: Callable[..., Iterable[Any]] = map, n_threads: int = 1
) -> Networks:
    """Return the networks of a bundle.

    Args:
        recognizer: The loaded bundle.
        spread: Applies a function to each of many values, on ``n_threads`` threads.
        n_threads: So many batches are made of the pictures at least, where there are as many.
    """
    return {
        stream.name: partial(_encode, stream, spread, n_threads) for stream in recognizer.streams
    }


def _encode(
    stream: Stream,
    spread: Callable[..., Iterable[Any]],
    n_threads: int,
    pictures: Iterable[np.ndarray],
) -> Iterator[Any]:
    """Begin to encode pictures in batches, and return their features, in order."""
    waiting = list(pictures)
    size = min(stream.max_batch, math.ceil(len(waiting) / n_threads)) or 1
    batches = [waiting[first : first + size] for first in range(0, len(waiting), size)]
    return chain.from_iterable(spread(partial(_encode_batch, stream), batches))


def _encode_batch(stream: Stream, pictures: list[np.ndarray]) -> list[Any]:
    return list(stream.encode(pictures))
