"""One camera's thread: reads it, samples time steps from it, connects it anew when it is lost."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Iterator
from random import Random

import numpy as np

from har.config import WatchConfig
from har.errors import VideoError
from har.inference.model import Recognizer
from har.live.messages import State
from har.live.sources import Source, iter_waits_s
from har.live.step_queue import Step, StepQueue
from har.sampling.stacks import Stack, StackSampler
from har.sampling.times import explain_low_rate
from har.types import Frame, StreamName
from har.video.camera.frames import LiveFrame, LiveSetup, PacketTap
from har.video.camera.timeline import Timeline

_LOG = logging.getLogger(__name__)

_RATE_OVER_S = 5.0
"""Once a segment is so long, it is known how often frames come."""

_REWIND_S = 0.5
"""Pause before a file begins anew, as long as it is on the timeline."""


class CameraFeed:
    """Reads one camera on a thread of its own until it ends for good or is told to stop.

    Attributes:
        source: What is read.
        setup: Its timeline and what was counted.
        step_queue: Where its time steps wait.
        n_reconnects: Times it was lost and found again.
        error: What ended the thread though it should not have; None as a rule.
    """

    def __init__(
        self,
        source: Source,
        recognizer: Recognizer,
        config: WatchConfig,
        tap: PacketTap | None,
        wake: threading.Event,
    ) -> None:
        """Make a feed that waits for its start.

        Args:
            source: What is read.
            recognizer: The bundle says which pictures and steps are wanted.
            config: When the camera counts as frozen or lost.
            tap: Listens to its packets or pictures.
            wake: Is set when there are steps to be recognized, or there is something to tell.
        """
        timeline = Timeline(config.jump_s)
        self.source, self.n_reconnects = source, 0
        self.error: Exception | None = None
        self.setup = LiveSetup(source.name, recognizer.info.pictures, config, tap, timeline)
        most: dict[StreamName, int] = {
            stream.name: math.ceil(config.max_wait_s * stream.spec.rate_hz)
            for stream in recognizer.streams
        }
        self.step_queue = StepQueue(most, wake)
        self._recognizer, self._config, self._wake = recognizer, config, wake
        self._lock = threading.Lock()
        self._samplers: _Samplers | None = None
        self._segment_number = -1
        self._state: State = "starting"
        self._is_lost = self._has_rated = False
        self._n_frames = 0
        self._still = _StillWatch()
        self._last_frame_s = time.monotonic()
        self._told = self._rejected = ""
        self._thread = threading.Thread(target=self._run, name=source.name, daemon=True)

    def start(self) -> None:
        """Start reading."""
        self._thread.start()

    def stop(self) -> None:
        """End the segment that goes on, at once, and tell the thread to end."""
        self.setup.stop.set()
        with self._lock:
            self._end_segment()
            self._state = "ended"

    def reject(self, note: str) -> None:
        """Let go of the segment that goes on, which cannot be recognized, and read anew.

        A file is not read again: it ends.
        """
        with self._lock:
            self._samplers, self._rejected = None, note
            self.step_queue.clear()
        self._tell(note)

    def join(self, until_s: float) -> None:
        """Wait for the thread until a time of the monotonic clock.

        One that hangs in a read ends when that read gives up.
        """
        if self._thread.is_alive():
            self._thread.join(max(until_s - time.monotonic(), 0.0))

    def find_state(self, now_s: float) -> State:
        """Return how the camera is; a live one that shows nothing new counts as frozen."""
        if self._state != "live":
            return self._state
        is_silent = now_s - self._last_frame_s > self._config.frozen_s
        is_still = self._still.length_s > self._config.still_s
        return "frozen" if is_silent or is_still else "live"

    def explain_frozen(self, now_s: float) -> str:
        """Return in words why a camera counts as frozen."""
        if now_s - self._last_frame_s > self._config.frozen_s:
            return f"no new frame for {now_s - self._last_frame_s:.1f} s"
        return f"the very same picture for {self._still.length_s:.0f} s"

    def _run(self) -> None:
        try:
            self._read_for_ever()
        except Exception as error:  # noqa: BLE001 - the watch raises it in its caller
            self.error = error
        finally:
            self.stop()
            self._wake.set()

    def _read_for_ever(self) -> None:
        waits_s = self._start_waits()
        while not self.setup.stop.is_set():
            connected_s, n_frames = time.monotonic(), self.setup.summary.n_frames
            note = self._read_once()
            with self._lock:
                self._end_segment()
            if self._begins_anew(note, self.setup.summary.n_frames - n_frames):
                self.setup.stop.wait(_REWIND_S)
                continue
            if self.source.kind == "file" or self.setup.stop.is_set():
                self._tell(note)
                return
            self._lose(note)
            if time.monotonic() - connected_s > self._config.lost_s + self._config.connect_s:
                waits_s = self._start_waits()
            self.setup.stop.wait(next(waits_s))

    def _begins_anew(self, note: str, n_frames: int) -> bool:
        """Return whether this is a file that has ended well and is to be played again."""
        return self._config.loop and self.source.kind == "file" and not note and n_frames > 0

    def _start_waits(self) -> Iterator[float]:
        config = self._config
        return iter_waits_s(config.retry_first_s, config.retry_most_s, Random())  # noqa: S311

    def _read_once(self) -> str:
        """Read one connection to its end and return what ended it."""
        try:
            with self.source.open(self.setup) as camera:
                for frame in camera:
                    self._take(frame)
        except VideoError as error:
            return str(error)
        except Exception as error:  # noqa: BLE001 - one camera never ends the others
            _LOG.error("%s cannot be read", self.source.name, exc_info=True)
            return f"{self.source.name} cannot be read: {type(error).__name__}: {error}"
        return "" if self.source.kind == "file" else f"{self.source.name} ended its stream"

    def _lose(self, note: str) -> None:
        with self._lock:
            if self._state != "ended":
                self._state, self._is_lost = "lost", True
        self._tell(note)

    def _tell(self, note: str) -> None:
        """Let the watch tell something, unless it is what was told last."""
        if note and note != self._told:
            self.setup.summary.notes.append(note)
            self._told = note
            self._wake.set()

    def _take(self, frame: LiveFrame) -> None:
        with self._lock:
            if self.setup.stop.is_set():
                return
            rejected, self._rejected = self._rejected, ""
            if rejected:
                raise VideoError(rejected)
            samplers = self._samplers
            if samplers is None or frame.segment.number != self._segment_number:
                samplers = self._begin_segment(frame)
            self._note_frame(frame)
            self.step_queue.put(samplers.push(frame))

    def _note_frame(self, frame: LiveFrame) -> None:
        if self._is_lost:
            self.n_reconnects += 1
            away_s = frame.arrived_s - self._last_frame_s
            self._tell(f"{self.source.name} is back after {away_s:.1f} s")
        self._state, self._is_lost = "live", False
        self._last_frame_s = frame.arrived_s
        self._still.push(frame)
        self._n_frames += 1
        if not self._has_rated and frame.time_s >= _RATE_OVER_S:
            self._has_rated = True
            rate_hz = (self._n_frames - 1) / frame.time_s
            if rare := explain_low_rate(rate_hz, self._recognizer.lags_s):
                self._tell(f"{self.source.name}: {rare}")

    def _begin_segment(self, frame: LiveFrame) -> _Samplers:
        self._end_segment()
        if frame.segment.note:
            self._tell(f"{self.source.name}: {frame.segment.note}; its time steps begin anew")
        self._samplers = samplers = _Samplers(self._recognizer)
        self._segment_number, self._n_frames = frame.segment.number, 0
        self.step_queue.begin(frame.segment.number, frame.begun_s)
        return samplers

    def _end_segment(self) -> None:
        if self._samplers is not None:
            self.step_queue.put(self._samplers.flush())
            self.step_queue.end(self._samplers.span_s)
            self._samplers = None


class _Samplers:
    """The samplers of all streams of a bundle, for one segment."""

    def __init__(self, recognizer: Recognizer) -> None:
        self._samplers: dict[StreamName, StackSampler] = {
            stream.name: stream.build_sampler() for stream in recognizer.streams
        }
        self._n_frames = 0
        self._arrived_s = 0.0

    @property
    def span_s(self) -> float:
        return next(iter(self._samplers.values())).span_s

    def push(self, frame: LiveFrame) -> dict[StreamName, list[Step]]:
        """Return the steps that are complete with the next frame."""
        pushed = Frame(self._n_frames, frame.time_s, frame.image)
        self._n_frames += 1
        self._arrived_s = frame.arrived_s
        return {name: self._date(each.push(pushed)) for name, each in self._samplers.items()}

    def flush(self) -> dict[StreamName, list[Step]]:
        """Return the steps that were still waiting."""
        return {name: self._date(each.flush()) for name, each in self._samplers.items()}

    def _date(self, stacks: list[Stack]) -> list[Step]:
        return [Step(stack, self._arrived_s) for stack in stacks]


class _StillWatch:
    """Measures for how long the picture has been the very same, to the last bit."""

    def __init__(self) -> None:
        self._image: np.ndarray | None = None
        self._since_s = 0.0
        self.length_s = 0.0

    def push(self, frame: LiveFrame) -> None:
        """Look at the next picture."""
        if self._image is None or not np.array_equal(frame.image, self._image):
            self._since_s = frame.arrived_s
        self._image = frame.image
        self.length_s = frame.arrived_s - self._since_s
