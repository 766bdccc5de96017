"""The pose stream step by step: people's keypoints in, logits of windows out.

Recordings, cameras and the clips of a store all go through `PeopleStream`, so that a clip's answer
is a recording's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from har.config import PredictConfig
from har.errors import ConfigError
from har.inference.detector import PoseDetector
from har.inference.model import Recognizer
from har.pose.features import compute_window
from har.pose.keypoints import Detections
from har.pose.pooling import pool_people
from har.pose.tracking import PeopleTracker, stack_tracks
from har.sampling.crop import MotionCrop
from har.sampling.stacks import BatchSampler, Stack, StackSampler
from har.types import Frame


@dataclass(frozen=True)
class PoseWindowLogits:
    """What the pose head said about one window.

    Attributes:
        start: Index of the window's first step.
        n_steps: Real steps in it.
        logits: (K,) float64 of all people together; zeros where nobody is confident enough.
        confidence: From 0 to 1; 0 where nobody is confident enough.
        subjects: (K,) int64: number of the person who shows each label most, 0 for nobody.
        targets: (K,) int64: number of the person nearest to that one's hands and feet, 0 for none.
    """

    start: int
    n_steps: int
    logits: np.ndarray
    confidence: float
    subjects: np.ndarray
    targets: np.ndarray


class PeopleStream:
    """Follows people and gives the logits of a window every ``hop`` steps."""

    def __init__(self, recognizer: Recognizer, hop: int) -> None:
        """Start an empty stream.

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

    def push(self, points: np.ndarray, scores: np.ndarray) -> PoseWindowLogits | None:
        """Take the people of the next step and return the window that ends with it, if one is due.

        Args:
            points: (6, 17, 3) as in `har.pose.keypoints.Detections`.
            scores: (6,).
        """
        self._steps.append(self._tracker.push(points, scores))
        self._n_pushed += 1
        return self._score() if self._is_due() else None

    def flush(self) -> PoseWindowLogits | None:
        """Return the last window, unless it was given before; the stream has ended."""
        return None if self._n_pushed == 0 or self._is_due() else self._score()

    def _is_due(self) -> bool:
        start = self._n_pushed - self._spec.n_steps
        return start >= 0 and start % self._hop == 0

    def _score(self) -> PoseWindowLogits:
        tracks = stack_tracks(list(self._steps))
        window = compute_window(tracks.points, self._spec.rate_hz)
        pooled = pool_people(
            self._recognizer.compute_people_logits(window),
            window.confidence,
            self._spec.people,
            self._recognizer.background,
            self._spec.min_confidence,
        )
        return PoseWindowLogits(
            start=max(self._n_pushed - self._spec.n_steps, 0),
            n_steps=len(self._steps),
            logits=pooled.logits,
            confidence=pooled.confidence,
            subjects=_name(tracks.ids, window.columns, pooled.leaders),
            targets=_name(tracks.ids, window.others, pooled.leaders),
        )


def _name(ids: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the numbers of people by their rows in the window; 0 where a row or column is -1."""
    found = np.array([columns[row] if row >= 0 else -1 for row in rows], dtype=np.int64)
    return np.array([ids[column] if column >= 0 else 0 for column in found], dtype=np.int64)


def score_detections(
    recognizer: Recognizer, detections: Detections, hop: int
) -> list[PoseWindowLogits]:
    """Return the logits of all windows of consecutive steps."""
    stream = PeopleStream(recognizer, hop)
    found = [
        stream.push(points, scores)
        for points, scores in zip(detections.points, detections.scores, strict=True)
    ]
    return [window for window in [*found, stream.flush()] if window is not None]


Seen = Iterable[tuple[np.ndarray, np.ndarray]]
Detect = Callable[[Iterable[np.ndarray]], Seen]
"""Gives for each picture, in order, what `PoseDetector.detect` gives; it may still be at work."""

Encode = Callable[[Iterable[np.ndarray]], Iterable[np.ndarray]]
"""Gives for each (H, W, C) stack, in order, its (D,) features; it may still be at work."""

MAX_WINDOWS = 32
"""Windows that go through the temporal head together, at most."""


@dataclass(frozen=True)
class MotionWindowLogits:
    """What the temporal head said about one window.

    Attributes:
        start: Index of the window's first step in the video.
        logits: (n, K) float32, one row a real step; n is T but in a video shorter than a window.
    """

    start: int
    logits: np.ndarray


@dataclass
class StreamOutput:
    """What frames made known, each list in the order of time; often all are empty.

    Attributes:
        motion: Windows of the motion stream.
        people: Windows of the pose stream.
        seen: For each step of the pose stream the (17, 3) keypoints of the people that are
            followed, by their number, in pixels of the pictures that were pushed.
        corners: For each step of the motion stream the (y, x) of the upper left pixel of what the
            CNN saw of the picture.
    """

    motion: list[MotionWindowLogits] = field(default_factory=list)
    people: list[PoseWindowLogits] = field(default_factory=list)
    seen: list[dict[int, np.ndarray]] = field(default_factory=list)
    corners: list[tuple[int, int]] = field(default_factory=list)

    def extend(self, later: StreamOutput, keep_places: bool) -> None:
        """Add what became known later; what was seen where, only if it is to be kept."""
        self.motion += later.motion
        self.people += later.people
        if keep_places:
            self.seen += later.seen
            self.corners += later.corners


class FeatureWindows:
    """A ring of the last T feature vectors that gives a window every ``hop`` steps.

    The windows are those of `times.compute_window_starts`: the last one ends with the last step,
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
        """Take the (D,) features of the next step; return a window's start and (T, D) if due."""
        self._ring.append(feature)
        self._n_pushed += 1
        start = self._n_pushed - self._n_steps
        return self._window() if start >= 0 and start % self._hop == 0 else None

    def flush(self) -> tuple[int, np.ndarray] | None:
        """Return the start and (n, D) features of the last window, unless it was given before."""
        start = self._n_pushed - self._n_steps
        if self._n_pushed == 0 or (start >= 0 and start % self._hop == 0):
            return None
        return self._window()

    def _window(self) -> tuple[int, np.ndarray]:
        return max(self._n_pushed - self._n_steps, 0), np.stack(self._ring)


class MotionStream:
    """Windows of motion in the picture.

    Where steps wait for each other, a batch is encoded while the next one is gathered: an encoder
    with threads of its own then works beside the decoder and the temporal head.
    """

    def __init__(
        self, recognizer: Recognizer, config: PredictConfig, encode: Encode | None = None
    ) -> None:
        """Start an empty stream of a bundle that takes motion."""
        self._recognizer = recognizer
        self._encode = encode or partial(_encode_together, recognizer)
        self._n_ahead = 1 if config.batch_steps > 1 else 0
        self._begun: deque[tuple[list[Stack], Iterable[np.ndarray]]] = deque()
        n_steps = recognizer.motion_spec.n_steps
        self.sampler = BatchSampler(build_motion_sampler(recognizer), config.batch_steps)
        self._windows = FeatureWindows(n_steps, config.hop(n_steps))

    def push(self, frame: Frame, found: StreamOutput) -> None:
        """Take the next frame and add what is known with it to ``found``."""
        self._look(self.sampler.push(frame), self._n_ahead, found)

    def flush(self, found: StreamOutput) -> None:
        """End the stream and add what was still waiting to ``found``."""
        self._look(self.sampler.flush(), 0, found)
        last = self._windows.flush()
        found.motion += score_windows(self._recognizer, [last]) if last else []

    def _look(self, batches: list[list[Stack]], n_ahead: int, found: StreamOutput) -> None:
        for batch in batches:
            self._begun.append((batch, self._encode([item.image for item in batch])))
        while len(self._begun) > n_ahead:
            self._follow(*self._begun.popleft(), found)

    def _follow(
        self, batch: list[Stack], features: Iterable[np.ndarray], found: StreamOutput
    ) -> None:
        due: list[tuple[int, np.ndarray]] = []
        for item, feature in zip(batch, features, strict=True):
            found.corners += [item.corner] * item.n_steps
            for _ in range(item.n_steps):
                window = self._windows.push(feature)
                due += [window] if window else []
                if len(due) == MAX_WINDOWS:
                    found.motion += score_windows(self._recognizer, due)
                    due = []
        found.motion += score_windows(self._recognizer, due) if due else []


def _encode_together(recognizer: Recognizer, stacks: Iterable[np.ndarray]) -> np.ndarray:
    return recognizer.compute_features(np.stack(list(stacks)))


def score_windows(
    recognizer: Recognizer, due: list[tuple[int, np.ndarray]]
) -> list[MotionWindowLogits]:
    """Return what the temporal head says of some windows, of one stream or of several.

    Args:
        recognizer: A bundle that takes motion.
        due: At least one start and (n, D) features, as of `FeatureWindows`.
    """
    shape = (len(due), recognizer.motion_spec.n_steps, due[0][1].shape[1])
    padded = np.zeros(shape, dtype=np.float32)
    for row, (_, features) in zip(padded, due, strict=True):
        row[: len(features)] = features
    return [
        MotionWindowLogits(start, rows[: len(features)])
        for (start, features), rows in zip(due, recognizer.compute_logits(padded), strict=True)
    ]


class PoseStream:
    """Windows of people, who are followed from the first step on.

    Where steps wait for each other, a batch is looked at while the next one is gathered: a detector
    with threads of its own then works beside the decoder and the tracker.
    """

    def __init__(self, recognizer: Recognizer, config: PredictConfig, detect: Detect) -> None:
        """Start an empty stream of a bundle that takes keypoints."""
        self.sampler = BatchSampler(build_pose_sampler(recognizer), config.batch_steps)
        self._people = PeopleStream(recognizer, config.hop(recognizer.pose_spec.n_steps))
        self._detect = detect
        self._n_ahead = 1 if config.batch_steps > 1 else 0
        self._begun: deque[tuple[list[Stack], Seen]] = deque()

    def push(self, frame: Frame, found: StreamOutput) -> None:
        """Take the next frame and add what is known with it to ``found``."""
        self._look(self.sampler.push(frame), self._n_ahead, found)

    def flush(self, found: StreamOutput) -> None:
        """End the stream and add what was still waiting to ``found``."""
        self._look(self.sampler.flush(), 0, found)
        last = self._people.flush()
        found.people += [last] if last else []

    def _look(self, batches: list[list[Stack]], n_ahead: int, found: StreamOutput) -> None:
        for batch in batches:
            self._begun.append((batch, self._detect([get_picture(item) for item in batch])))
        while len(self._begun) > n_ahead:
            self._follow(*self._begun.popleft(), found)

    def _follow(self, batch: list[Stack], people: Seen, found: StreamOutput) -> None:
        for item, (points, scores) in zip(batch, people, strict=True):
            for _ in range(item.n_steps):
                window = self._people.push(points, scores)
                found.people += [window] if window else []
                found.seen.append(self._people.seen)


class StreamRecognizer:
    """Recognizes a stream of frames as they come; once `flush` was called it has ended."""

    def __init__(
        self,
        recognizer: Recognizer,
        config: PredictConfig | None = None,
        detect: Detect | None = None,
        encode: Encode | None = None,
    ) -> None:
        """Start an empty stream.

        Args:
            recognizer: The loaded bundle; several streams may share it.
            config: How windows overlap, and how many steps wait for each other to go through a
                CNN together: 1 answers soonest, more is faster for files. The defaults when None.
            detect: Finds people, where the bundle looks at them; the shipped pose network, one
                picture after another, when None.
            encode: Encodes stacks, where the bundle looks at motion; the recognizer's own CNN, all
                that wait for each other together, when None.
        """
        config = config or PredictConfig()
        self._streams: list[MotionStream | PoseStream] = []
        if recognizer.has_motion:
            self._streams.append(MotionStream(recognizer, config, encode))
        if recognizer.has_pose:
            detect = detect or partial(map, PoseDetector().detect)
            self._streams.append(PoseStream(recognizer, config, detect))

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


def build_motion_sampler(recognizer: Recognizer) -> StackSampler:
    """Return the empty sampler of the stacks that a bundle's frame CNN takes."""
    spec = recognizer.motion_spec
    return StackSampler(spec.rate_hz, spec.offsets_s, spec.pictures.shape, MotionCrop(spec))


def build_pose_sampler(recognizer: Recognizer) -> StackSampler:
    """Return the empty sampler of the pictures in which a bundle's people are found."""
    pose = recognizer.info.require_pose()
    return StackSampler(pose.spec.rate_hz, (0.0,), pose.pictures.shape)


def get_picture(stack: Stack) -> np.ndarray:
    """Return the one picture of a pose stream's stack: (H, W) gray or (H, W, 3) RGB."""
    return stack.image[..., 0] if stack.image.shape[-1] == 1 else stack.image


@dataclass(frozen=True)
class Networks:
    """What a stream hands its pictures to.

    Attributes:
        encode: Gives the features of motion stacks.
        detect: Finds people; None for a bundle that does not look at them.
    """

    encode: Encode
    detect: Detect | None


@contextmanager
def open_networks(recognizer: Recognizer, n_cores: int) -> Iterator[Networks]:
    """Return the networks of a bundle, each picture on one core, answers in the pictures' order.

    Several pictures side by side with a thread each take less time than one after the other with
    as many threads each, and answers are the same to the bit. The threads end with the ``with``
    block; what they have not begun by then is dropped.

    Args:
        recognizer: Loaded with ``n_threads=1``; its engine's own threads would be in the way.
        n_cores: Pictures at once. With one there are no threads.
    """
    if n_cores == 1:
        yield build_networks(recognizer)
        return
    pool = ThreadPoolExecutor(n_cores, "network")
    try:
        yield build_networks(recognizer, pool.map)
    finally:
        pool.shutdown(cancel_futures=True)


def build_networks(recognizer: Recognizer, spread: Callable[..., Iterable[Any]] = map) -> Networks:
    """Return the networks of a bundle; ``spread`` applies a function to each of many pictures."""
    encode = partial(spread, partial(_encode, recognizer))
    if not recognizer.has_pose:
        return Networks(encode, None)
    return Networks(encode, partial(spread, PoseDetector(n_threads=1).detect))


def _encode(recognizer: Recognizer, stack: np.ndarray) -> np.ndarray:
    """Return the (D,) features of one (H, W, C) stack."""
    return recognizer.compute_features(stack[None])[0]
