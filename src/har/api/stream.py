"""A model on one live stream: a camera, an address, or pictures that the caller gives."""

from __future__ import annotations

import itertools
import queue
import threading
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from statistics import median_low

import numpy as np

from har.config import (
    GAP_S,
    LONGEST_INTERVAL_S,
    RARE_TIMES,
    DecodeConfig,
    PredictConfig,
    WatchConfig,
)
from har.errors import ConfigError
from har.inference.model import Recognizer
from har.inference.steps import StreamRecognizer, open_networks
from har.live.messages import CameraState, LiveEvent, LiveScores, State
from har.live.segment import LiveSegment, Update
from har.live.sources import Source
from har.live.watch import Watch
from har.parallel import count_cores
from har.types import UNCERTAIN, Event, Scores
from har.video.arrays import iter_frames

_POLL_S = 0.1
_N_INTERVALS = 64


@dataclass(frozen=True)
class StreamUpdate:
    """What became known of a stream; times are in seconds since its first picture.

    Of pictures that the caller gives, times are on the caller's own clock.

    Attributes:
        time_s: Up to where ``probs`` looks.
        probs: Probability of every label by now, as the newest window says; all 0 where the model
            is uncertain.
        scores: Of the time steps that are final now, often none: about a window later than they
            were.
        opened: Events that go on, told for the first time.
        closed: Events that are over; nothing to come can change them.
        state: How the camera is: ``starting``, ``live``, ``frozen``, ``lost`` or ``ended``.
        note: What happened to the camera; empty if nothing.
    """

    time_s: float
    probs: dict[str, float]
    scores: Scores
    opened: tuple[Event, ...] = ()
    closed: tuple[Event, ...] = ()
    state: State = "live"
    note: str = ""

    @property
    def label(self) -> str:
        """The most probable one by now, or `har.UNCERTAIN`."""
        best = max(self.probs, key=lambda label: self.probs[label])
        return best if self.probs[best] > 0 else UNCERTAIN


def iter_pictures(
    recognizer: Recognizer,
    images: Iterable[tuple[float, np.ndarray]],
    decode: DecodeConfig,
    n_overlap: int,
    n_cores: int,
) -> Generator[StreamUpdate]:
    """Yield an update whenever a window is complete, at each gap, and one at the end.

    Args:
        recognizer: The bundle.
        images: Ascending time in seconds, and picture: (H, W) gray or (H, W, 3) RGB, uint8.
        decode: How scores become events.
        n_overlap: Windows that look at each step.
        n_cores: Cores to use; 0 means all.

    Raises:
        ConfigError: A picture is of another shape or kind.
        VideoDecodeError: A time is not later than the one before.
    """
    remaining = iter(images)
    first = next(remaining, None)
    if first is None:
        return
    try:
        begin_s, _ = first
    except (TypeError, ValueError):
        raise ConfigError(
            f"Expected pairs of a time in seconds and a picture, received {type(first).__name__}. "
            "For an array of frames: ((i / fps, frame) for i, frame in enumerate(frames)), or "
            "Model.predict(frames, fps=fps)"
        ) from None
    wanted, labels = recognizer.info.pictures, recognizer.info.labels
    config = PredictConfig(n_overlap=n_overlap, batch_steps=1)
    frames = iter_frames(
        itertools.chain([first], remaining), wanted.size, wanted.color, wanted.max_rate_hz
    )
    with open_networks(recognizer, n_cores or count_cores()) as networks:
        stream = StreamRecognizer(recognizer, config, networks)
        segment = LiveSegment(recognizer, n_overlap, decode, begin_s)
        gaps, segment_s = _Gaps(), 0.0
        for frame in frames:
            if gap_s := gaps.find_gap_s(frame.time_s):
                segment.push_output(stream.flush())
                ended = _describe(segment.finish(stream.span_s), labels, "live")
                yield replace(ended, note=f"no picture for {gap_s:.1f} s")
                segment_s = frame.time_s
                stream = StreamRecognizer(recognizer, config, networks)
                segment = LiveSegment(recognizer, n_overlap, decode, begin_s + segment_s)
            segment.push_output(stream.push(replace(frame, time_s=frame.time_s - segment_s)))
            update = segment.advance()
            if update is not None:
                yield _describe(update, labels, "live")
        segment.push_output(stream.flush())
        yield _describe(segment.finish(stream.span_s), labels, "ended")


class _Gaps:
    """Finds gaps between the pictures of a caller by the rule of recordings, see `GAP_S`."""

    def __init__(self) -> None:
        self._last_s: float | None = None
        self._intervals_s: deque[float] = deque(maxlen=_N_INTERVALS)

    def find_gap_s(self, time_s: float) -> float:
        """Return the length of the gap that ends with a picture, 0 where there is none."""
        step_s = 0.0 if self._last_s is None else time_s - self._last_s
        self._last_s = time_s
        is_rare = bool(self._intervals_s) and step_s <= RARE_TIMES * median_low(self._intervals_s)
        if step_s > GAP_S and not (is_rare and step_s <= LONGEST_INTERVAL_S):
            self._intervals_s.clear()
            return step_s
        if step_s:
            self._intervals_s.append(step_s)
        return 0.0


def _describe(update: Update, labels: tuple[str, ...], state: State) -> StreamUpdate:
    return StreamUpdate(
        time_s=update.now_s,
        probs=dict(zip(labels, update.newest.tolist(), strict=True)),
        scores=update.scores,
        opened=tuple(update.opened),
        closed=tuple(update.final),
        state=state,
    )


@dataclass(frozen=True)
class _End:
    """What comes after the last update: why there is none, if that was an error."""

    error: BaseException | None


class _Updates:
    """Hands what a watch tells to another thread; waits while that one is busy.

    Recognition then passes over steps and counts them, as where it does not keep up itself.
    """

    def __init__(self, labels: tuple[str, ...], until: threading.Event) -> None:
        nothing = Scores(labels, np.zeros(0), np.zeros((0, len(labels)), np.float32), 0.0)
        self._last = StreamUpdate(0.0, dict.fromkeys(labels, 0.0), nothing, state="starting")
        self._until = until
        self._queue: queue.Queue[StreamUpdate | _End] = queue.Queue(1)

    def on_state(self, state: CameraState) -> None:
        if state.state != self._last.state or state.note:
            self._last = replace(self._last, state=state.state)
            self._put(replace(self._last, note=state.note))

    def on_scores(self, scores: LiveScores) -> None:
        known = Scores(scores.labels, scores.times_s, scores.values, scores.step_s)
        nothing = replace(known, times_s=known.times_s[:0], values=known.values[:0])
        probs = dict(zip(scores.labels, scores.now.tolist(), strict=True))
        self._last = replace(self._last, time_s=scores.now_s, probs=probs, scores=nothing)
        self._put(replace(self._last, scores=known))

    def on_event(self, event: LiveEvent) -> None:
        opened, closed = ((event.event,), ()) if event.is_open else ((), (event.event,))
        self._put(replace(self._last, opened=opened, closed=closed))

    def close(self) -> None:
        """Nothing is open."""

    def end(self, error: BaseException | None) -> None:
        self._put(_End(error))

    def _put(self, item: StreamUpdate | _End) -> None:
        while not self._until.is_set():
            try:
                self._queue.put(item, timeout=_POLL_S)
            except queue.Full:
                continue
            return

    def __iter__(self) -> Iterator[StreamUpdate]:
        while True:
            item = self._queue.get()
            if isinstance(item, StreamUpdate):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return


def iter_camera(
    recognizer: Recognizer, source: Source, decode: DecodeConfig, n_overlap: int
) -> Generator[StreamUpdate]:
    """Yield what a watch of one camera tells, until it ends for good or nobody asks any more.

    Args:
        recognizer: The bundle.
        source: The camera.
        decode: How scores become events.
        n_overlap: Windows that look at each step.
    """
    until = threading.Event()
    updates = _Updates(recognizer.info.labels, until)
    config = WatchConfig(n_overlap=n_overlap)

    def run() -> None:
        try:
            Watch(recognizer, [source], config, [updates], decode=decode).run(until)
        except BaseException as error:  # noqa: BLE001  a thread's border
            updates.end(error)
        else:
            updates.end(None)

    thread = threading.Thread(target=run, name="stream", daemon=True)
    thread.start()
    try:
        yield from updates
    finally:
        until.set()
        thread.join()
