"""Several cameras at once through one recognizer: the loop between their threads and the sinks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np

from har.config import DecodeConfig, WatchConfig
from har.errors import ConfigError
from har.inference.model import Recognizer
from har.inference.steps import Networks, StreamOutput, open_networks
from har.inference.streams import Stream
from har.live.feed import CameraFeed
from har.live.messages import Sink
from har.live.segment import CameraReport, LiveSegment
from har.live.sources import Source
from har.live.step_queue import Part
from har.parallel import count_cores
from har.sampling.times import Window
from har.video.camera.frames import PacketTap

_TICK_S = 0.1
_JOIN_S = 1.0


@dataclass
class _Camera:
    """One camera and the segment of it that is being recognized."""

    feed: CameraFeed
    report: CameraReport
    segment: LiveSegment | None = None


@dataclass(frozen=True)
class _Work:
    """Steps of one segment of one camera that are to be recognized now."""

    camera: _Camera
    segment: LiveSegment
    part: Part


class Watch:
    """Recognizes live cameras and tells what it finds; see `har.live.messages`.

    Steps of all cameras that wait go through each network together. Where recognition does not
    keep up, the oldest steps are passed over and counted, so scores never come late for long.
    """

    def __init__(
        self,
        recognizer: Recognizer,
        sources: Sequence[Source],
        config: WatchConfig | None = None,
        sinks: Sequence[Sink] = (),
        tap: PacketTap | None = None,
        decode: DecodeConfig | None = None,
    ) -> None:
        """Make a watch that waits for `run`, which may be called once.

        Args:
            recognizer: The loaded bundle.
            sources: At least one, with names that differ, as of `parse_sources`.
            config: The defaults when None.
            sinks: Are told what happens, in this order.
            tap: Listens to what the cameras send.
            decode: How scores become events; the bundle's own when None.

        Raises:
            ConfigError: There is no source, or two have the same name.
        """
        names = [source.name for source in sources]
        if not names or len(set(names)) < len(names):
            raise ConfigError(f"Expected sources with names that differ, received {names}")
        self._recognizer, self._sinks = recognizer, sinks
        self._config = config = config or WatchConfig()
        self._decode = decode or recognizer.info.decode
        self._wake = threading.Event()
        self._cameras = [self._add_camera(source, tap) for source in sources]

    def _add_camera(self, source: Source, tap: PacketTap | None) -> _Camera:
        feed = CameraFeed(source, self._recognizer, self._config, tap, self._wake)
        labels = self._recognizer.info.labels
        return _Camera(feed, CameraReport(feed, labels, self._config, self._sinks))

    def run(self, until: threading.Event | None = None) -> None:
        """Watch until ``until`` is set or all sources have ended; then tells what is open.

        Raises:
            BundleMismatchError: The bundle's graphs do not take what its contract says.
        """
        until = until or threading.Event()
        with ExitStack() as stack:
            for sink in self._sinks:
                stack.callback(sink.close)
            stack.callback(self._join)
            networks = stack.enter_context(open_networks(self._recognizer, count_cores()))
            for camera in self._cameras:
                camera.feed.start()
            while not until.is_set() and not self._have_ended():
                self._wake.wait(_TICK_S)
                self._wake.clear()
                self._look(networks)
            for camera in self._cameras:
                camera.feed.stop()
            self._look(networks)

    def _have_ended(self) -> bool:
        now_s = time.monotonic()
        return all(camera.feed.find_state(now_s) == "ended" for camera in self._cameras)

    def _join(self) -> None:
        for camera in self._cameras:
            camera.feed.stop()
        until_s = time.monotonic() + _JOIN_S
        for camera in self._cameras:
            camera.feed.join(until_s)

    def _look(self, networks: Networks) -> None:
        """Recognize all that waits and tells what is new."""
        self._check_threads()
        work = list(self._take_work())
        self._recognize(work, networks)
        for item in work:
            self._tell(item)
        for camera in self._cameras:
            camera.report.report_state(time.monotonic())

    def _check_threads(self) -> None:
        for camera in self._cameras:
            if camera.feed.error is not None:
                raise camera.feed.error

    def _take_work(self) -> Iterator[_Work]:
        for camera in self._cameras:
            for part in camera.feed.step_queue.take():
                if camera.segment is None:
                    camera.segment = LiveSegment(
                        self._recognizer, self._config.n_overlap, self._decode, part.begun_s
                    )
                yield _Work(camera, camera.segment, part)
                if part.span_s is not None:
                    camera.segment = None

    def _recognize(self, work: list[_Work], networks: Networks) -> None:
        """Hand the pictures of all cameras to the networks at once, then take the answers."""
        begun = [
            (stream, networks[stream.name](_list_images(stream, work)))
            for stream in self._recognizer.streams
        ]
        for stream, features in begun:
            _score(stream, work, iter(features))

    def _tell(self, item: _Work) -> None:
        span_s = item.part.span_s
        update = item.segment.advance() if span_s is None else item.segment.finish(span_s)
        if update is not None:
            item.camera.report.report(update)


def _list_images(stream: Stream, work: list[_Work]) -> list[np.ndarray]:
    """Return what a stream's network takes of all steps, in their order."""
    return [stream.get_image(step.stack) for item in work for step in item.part.steps[stream.name]]


def _score(stream: Stream, work: list[_Work], features: Iterator[Any]) -> None:
    """Push the features of all steps and let the stream's head score the windows together."""
    due: list[tuple[LiveSegment, Window[Any]]] = []
    for item in work:
        for step in item.part.steps[stream.name]:
            windows = item.segment.push(stream.name, next(features), step)
            due += [(item.segment, window) for window in windows]
        if item.part.span_s is not None:
            due += [(item.segment, window) for window in item.segment.flush(stream.name)]
    outputs = stream.score([window for _, window in due])
    for (segment, _), logits in zip(due, outputs, strict=True):
        segment.push_output(StreamOutput({stream.name: [logits]}))
