"""The two streams of a model: each knows what it samples, its features and its head.

    MotionStream    frames of a step -> frame CNN -> features of a window -> temporal head
    PoseStream      picture of a step -> pose network, tracker -> people of a window -> pose head

Both have the same methods, so that whatever uses a model goes through its streams in a loop. They
have no state but their networks; `har.inference.steps` follows a recording or a camera with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from har.bundle import (
    CNN_GRAPH_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    MotionContract,
    PoseContract,
)
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.inference.cache import KeypointCache
from har.inference.detector import PoseDetector
from har.inference.engines import Run
from har.inference.fusion import StreamLogits, pool_windows
from har.pose.features import SEEN_COLUMN, PoseWindow, compute_window
from har.pose.keypoints import Detections
from har.pose.pooling import pool_people, pool_steps
from har.pose.tracking import PeopleTracker, stack_tracks
from har.sampling.crop import MotionCrop
from har.sampling.stacks import Stack, StackSampler
from har.sampling.stillness import PictureGate, StepGate
from har.sampling.times import (
    Window,
    compute_clip_logits,
    compute_nearest_indices,
    compute_span_s,
    compute_stack_indices,
    compute_step_times,
)
from har.types import StreamName

ENCODE_BATCH = 32
"""Steps of a clip that go through the frame CNN together."""
MAX_WINDOWS = 32
"""Windows that go through the temporal head together, at most."""

Encode = Callable[[Iterable[np.ndarray]], Iterable[Any]]
"""Gives for each picture of a stream, in order, its features; it may still be at work."""


@dataclass(frozen=True)
class WindowLogits:
    """What a stream's head gave for one window.

    Attributes:
        start: Index of the window's first step.
        n_steps: Real steps in it; fewer than a window has in a video that is shorter.
        logits: (K,) of the window as one.
        confidence: From 0 to 1: how far they can be trusted; 0 where the stream is uncertain.
    """

    start: int
    n_steps: int
    logits: np.ndarray
    confidence: float


@dataclass(frozen=True)
class MotionWindowLogits(WindowLogits):
    """What the temporal head gave for one window.

    Attributes:
        of_steps: (n, K) float32, one row a real step; ``logits`` is their mean.
    """

    of_steps: np.ndarray

    @classmethod
    def of(cls, start: int, of_steps: np.ndarray) -> MotionWindowLogits:
        """Return a window that starts at a step, from the (n, K) logits of its real steps."""
        return cls(start, len(of_steps), of_steps.mean(axis=0), 1.0, of_steps)


@dataclass(frozen=True)
class PoseWindowLogits(WindowLogits):
    """What the pose head gave for one window, of all people together.

    Attributes:
        subjects: (K,) int64: number of the person who shows each label most, 0 for nobody.
        targets: (K,) int64: number of the person nearest to that one's hands and feet, 0 for none.
    """

    subjects: np.ndarray
    targets: np.ndarray


_Found = TypeVar("_Found")


class _Repeater(Generic[_Found]):
    """Repeat for None, a still step, what was given last; give all else as it is."""

    def __init__(self) -> None:
        self._last: _Found | None = None

    def __call__(self, found: _Found | None) -> _Found:
        """Return what holds at the next step."""
        self._last = self._last if found is None else found
        if self._last is None:
            raise ValueError("Expected the first step to be encoded, received a still one")
        return self._last


class MotionStream:
    """Motion in the picture; its features are (D,) vectors of a frame CNN.

    Attributes:
        spec: Its input contract.
        max_batch: Pictures that a call of its network takes best; more gain nothing.
    """

    name: ClassVar[StreamName] = "motion"
    max_batch: ClassVar[int] = 4

    def __init__(
        self, contract: MotionContract, graphs: Mapping[str, Run], exact: bool = False
    ) -> None:
        """Take a stream's contract and what runs its graphs, by the names of their files.

        Args:
            contract: Of the stream.
            graphs: Run its graphs, by the names of their files.
            exact: Encode still steps too.
        """
        self.spec, self._exact = contract.spec, exact
        self._cnn, self._head = graphs[CNN_GRAPH_FILE], graphs[TEMPORAL_GRAPH_FILE]

    def build_sampler(self) -> StackSampler:
        """Return the empty sampler of a video."""
        spec, crop = self.spec, self._build_crop()
        return StackSampler(spec.rate_hz, spec.offsets_s, spec.pictures.shape, crop)

    def _build_crop(self) -> MotionCrop:
        return MotionCrop(self.spec, None if self._exact else StepGate(self.spec.rate_hz))

    def get_image(self, stack: Stack) -> np.ndarray:
        """Return what the frame CNN takes of a step: (H, W, C) uint8."""
        return stack.image

    def get_places(self, stack: Stack, steps: Sequence[np.ndarray]) -> list[tuple[int, int]]:
        """Return for each step the (y, x) of the upper left pixel of what the CNN saw."""
        return [stack.corner] * len(steps)

    def encode(self, images: Iterable[np.ndarray]) -> np.ndarray:
        """Return the features of some images, all together."""
        return self.compute_features(np.stack(list(images)))

    def follow(self) -> Callable[[np.ndarray | None], np.ndarray]:
        """Return what makes features the values of one video's steps; None repeats the last."""
        return _Repeater[np.ndarray]()

    def compute_features(self, stacks: np.ndarray) -> np.ndarray:
        """Return one feature vector a time step.

        Args:
            stacks: (N, H, W, C) uint8, the frames that each step compares.

        Returns:
            (N, D) float32.
        """
        return self._cnn(stacks)

    def compute_logits(self, features: np.ndarray) -> np.ndarray:
        """Return the logits of every step of each window.

        Args:
            features: (B, T, D) float32. The head is causal: padding at the end changes nothing
                before it.

        Returns:
            (B, T, K) float32.
        """
        return self._head(np.ascontiguousarray(features, dtype=np.float32))

    def score(self, windows: Sequence[Window[np.ndarray]]) -> list[MotionWindowLogits]:
        """Return what the head says of windows, of one video or of several."""
        found: list[MotionWindowLogits] = []
        for first in range(0, len(windows), MAX_WINDOWS):
            together = windows[first : first + MAX_WINDOWS]
            n_features = together[0].steps[0].shape[0]
            padded = np.zeros((len(together), self.spec.n_steps, n_features), dtype=np.float32)
            for row, window in zip(padded, together, strict=True):
                row[: len(window.steps)] = window.steps
            logits = self.compute_logits(padded)
            found += [
                MotionWindowLogits.of(window.start, rows[: len(window.steps)])
                for window, rows in zip(together, logits, strict=True)
            ]
        return found

    def pool(self, windows: Sequence[MotionWindowLogits]) -> StreamLogits:
        """Return what all windows of a video say of it as a whole: each step counts alike."""
        logits = np.stack([window.of_steps for window in windows])
        starts = np.array([window.start for window in windows])
        lengths = np.full(len(logits), logits.shape[1])
        return StreamLogits(compute_clip_logits(logits, lengths, starts)[None], np.ones(1))

    def iter_clips(
        self, store: Store, clip_ids: Sequence[str]
    ) -> Iterator[Iterable[np.ndarray | None]]:
        """Yield the features of the steps of each clip of a store; None is a still step.

        Raises:
            BundleMismatchError: The store's pictures are not what the stream takes.
        """
        wanted = self.spec.pictures
        if (store.size, store.color) != (wanted.size, wanted.color):
            raise BundleMismatchError(
                f"The bundle takes {wanted.color} pictures of {wanted.size} (H, W), the store "
                f"{store.path} holds {store.color} ones of {store.size}; prepare it again with "
                f"--size {wanted.size[0]}x{wanted.size[1]} --color {wanted.color}"
            )
        return (self._encode_clip(store, clip_id) for clip_id in clip_ids)

    def _encode_clip(self, store: Store, clip_id: str) -> Iterator[np.ndarray | None]:
        spec, times_s = self.spec, store.load_times(clip_id)
        steps_s = compute_step_times(compute_span_s(times_s), spec.rate_hz)
        indices = compute_stack_indices(times_s, steps_s, spec.offsets_s)
        frames, crop = store.open_frames(clip_id), self._build_crop()
        for rows in np.split(indices, range(ENCODE_BATCH, len(indices), ENCODE_BATCH)):
            stacks: list[np.ndarray | None] = []
            for row in rows:
                stack = crop.push([np.asarray(frames[index]) for index in row])
                stacks.append(None if crop.is_still else stack)
            moving = [stack for stack in stacks if stack is not None]
            features = iter(self.compute_features(np.stack(moving)) if moving else ())
            yield from (None if stack is None else next(features) for stack in stacks)


People = tuple[np.ndarray, np.ndarray]
"""What `PoseDetector.detect` gives of a picture."""
Seen = dict[int, np.ndarray]
"""The (17, 3) keypoints of those who are seen at a step, by their number."""


class PoseStream:
    """People's keypoints; its features are what the pose network finds in a picture.

    Attributes:
        spec: Its input contract.
        max_batch: Pictures that a call of its network takes.
    """

    name: ClassVar[StreamName] = "pose"
    max_batch: ClassVar[int] = 1

    def __init__(
        self,
        contract: PoseContract,
        info: BundleInfo,
        graphs: Mapping[str, Run],
        open_detector: Callable[[], PoseDetector],
        exact: bool = False,
    ) -> None:
        """Take a stream's contract, that of its bundle, and what runs its networks.

        Args:
            contract: Of the stream.
            info: Of the bundle.
            graphs: Run its graphs, by the names of their files.
            open_detector: Loads the pose network, once there are pictures.
            exact: Look at still pictures too.
        """
        self._exact = exact
        self.spec, self._pictures = contract.spec, contract.pictures
        self._n_labels, self._background = len(info.labels), info.background
        self._head, self._open_detector = graphs[POSE_GRAPH_FILE], open_detector

    @cached_property
    def _detector(self) -> PoseDetector:
        return self._open_detector()

    def build_sampler(self) -> StackSampler:
        """Return the empty sampler of a video."""
        gate = None if self._exact else PictureGate(self.spec.rate_hz)
        return StackSampler(self.spec.rate_hz, (0.0,), self._pictures.shape, gate)

    def get_image(self, stack: Stack) -> np.ndarray:
        """Return what the pose network takes of a step: (H, W) gray or (H, W, 3) RGB, uint8."""
        return stack.image[..., 0] if stack.image.shape[-1] == 1 else stack.image

    def get_places(self, stack: Stack, steps: Sequence[Seen]) -> list[Seen]:
        """Return for each step the people who are seen, in pixels of the pictures."""
        return list(steps)

    def encode(self, images: Iterable[np.ndarray]) -> Iterable[People]:
        """Return the people in some pictures, one after another."""
        return map(self._detector.detect, images)

    def follow(self) -> Callable[[People | None], Seen]:
        """Return what follows people through the steps of one video; None repeats the last."""
        tracker, repeat = PeopleTracker(self.spec.rate_hz), _Repeater[People]()
        return lambda people: tracker.push(*repeat(people))

    def compute_people_logits(self, window: PoseWindow) -> np.ndarray:
        """Return (P, K): each person's logits over the steps at which they are seen."""
        n_people, n_steps, n_features = window.features.shape
        if n_people == 0:
            return np.zeros((0, self._n_labels))
        padded = np.zeros((n_people, self.spec.n_steps, n_features), dtype=np.float32)
        padded[:, :n_steps] = window.features
        logits = self._head(padded)[:, :n_steps]
        seen = window.features[:, :, SEEN_COLUMN]
        return pool_steps(logits, seen, self.spec.people, self._background)

    def score(self, windows: Sequence[Window[Seen]]) -> list[PoseWindowLogits]:
        """Return what the head says of windows, of one video or of several."""
        return [self._score(window) for window in windows]

    def _score(self, window: Window[Seen]) -> PoseWindowLogits:
        tracks = stack_tracks(window.steps)
        people = compute_window(tracks.points, self.spec.rate_hz)
        pooled = pool_people(
            self.compute_people_logits(people),
            people.confidence,
            self.spec.people,
            self._background,
            self.spec.min_confidence,
        )
        name = partial(_name, tracks.ids, rows=pooled.leaders)
        return PoseWindowLogits(
            start=window.start,
            n_steps=len(window.steps),
            logits=pooled.logits,
            confidence=pooled.confidence,
            subjects=name(people.columns),
            targets=name(people.others),
        )

    def pool(self, windows: Sequence[WindowLogits]) -> StreamLogits:
        """Return what all windows of a video say of it as a whole."""
        confidence = np.array([window.confidence for window in windows])
        return pool_windows(np.stack([window.logits for window in windows]), confidence)

    def iter_clips(
        self, store: Store, clip_ids: Sequence[str]
    ) -> Iterator[Iterable[People | None]]:
        """Yield the people at the steps of each clip of a store, which keeps them.

        None stands for a still step.
        """
        cache = KeypointCache(store, self.spec.rate_hz)
        for clip_id in clip_ids:
            people = iter_people(*cache.load([clip_id]))
            are_pictures = clip_id not in store.keypoint_clips
            yield self._skip_still(store, clip_id, people) if are_pictures else people

    def _skip_still(
        self, store: Store, clip_id: str, people: Iterable[People]
    ) -> Iterator[People | None]:
        """Yield the people of each step, and None where the picture is still."""
        if self._exact:
            yield from people
            return
        times_s, gate = store.load_times(clip_id), PictureGate(self.spec.rate_hz)
        steps_s = compute_step_times(compute_span_s(times_s), self.spec.rate_hz)
        frames = store.open_frames(clip_id)
        for index, found in zip(compute_nearest_indices(times_s, steps_s), people, strict=True):
            gate.push([np.asarray(frames[index])])
            yield None if gate.is_still else found


def iter_people(detections: Detections) -> Iterator[People]:
    """Yield what `PoseDetector.detect` gave for each step."""
    return zip(detections.points, detections.scores, strict=True)


def _name(ids: np.ndarray, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the numbers of people by their rows in the window; 0 where a row or column is -1."""
    found = np.array([columns[row] if row >= 0 else -1 for row in rows], dtype=np.int64)
    return np.array([ids[column] if column >= 0 else 0 for column in found], dtype=np.int64)


Stream = MotionStream | PoseStream
