"""Several cameras at once through one recognizer: the loop between their threads and the sinks."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from har.config import DecodeConfig, PredictConfig, WatchConfig
from har.errors import ConfigError
from har.inference.model import Recognizer
from har.inference.streams import MAX_WINDOWS, Networks, get_picture, open_networks, score_windows
from har.live.feed import CameraFeed
from har.live.messages import Sink
from har.live.segment import CameraReport, LiveStretch
from har.live.sources import Source
from har.live.step_queue import Part
from har.parallel import count_cores
from har.video.camera.frames import PacketTap

_TICK_S = 0.1
_JOIN_S = 1.0


@dataclass
class _Camera:
    """One camera and the stretch of it that is being recognized."""

    feed: CameraFeed
    report: CameraReport
    stretch: LiveStretch | None = None


@dataclass(frozen=True)
class _Work:
    """Steps of one stretch of one camera that are to be recognized now."""

    camera: _Camera
    stretch: LiveStretch
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
        self._predict = PredictConfig(n_overlap=config.n_overlap)
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
            camera.report.tell_state(time.monotonic())

    def _check_threads(self) -> None:
        for camera in self._cameras:
            if camera.feed.error is not None:
                raise camera.feed.error

    def _take_work(self) -> Iterator[_Work]:
        for camera in self._cameras:
            for part in camera.feed.step_queue.take():
                if camera.stretch is None:
                    camera.stretch = LiveStretch(
                        self._recognizer, self._predict, self._decode, part.begun_s
                    )
                yield _Work(camera, camera.stretch, part)
                if part.span_s is not None:
                    camera.stretch = None

    def _recognize(self, work: list[_Work], networks: Networks) -> None:
        """Hand the pictures of all cameras to the networks at once, then takes the answers."""
        stacks = [step.stack for item in work for step in item.part.motion]
        features = iter(networks.encode([stack.image for stack in stacks]))
        looks = [(item.stretch, step) for item in work for step in item.part.pose]
        pictures = [get_picture(step.stack) for _, step in looks]
        seen = networks.detect(pictures) if networks.detect and looks else ()
        self._score_motion(work, features)
        for (stretch, step), (points, scores) in zip(looks, seen, strict=True):
            stretch.push_people(points, scores, step)

    def _score_motion(self, work: list[_Work], features: Iterator[np.ndarray]) -> None:
        due: list[tuple[LiveStretch, tuple[int, np.ndarray]]] = []
        for item in work:
            for step in item.part.motion:
                windows = item.stretch.push_feature(next(features), step)
                due += [(item.stretch, window) for window in windows]
            if item.part.span_s is not None:
                due += [(item.stretch, window) for window in item.stretch.flush_features()]
        for first in range(0, len(due), MAX_WINDOWS):
            together = due[first : first + MAX_WINDOWS]
            scored = score_windows(self._recognizer, [window for _, window in together])
            for (stretch, _), logits in zip(together, scored, strict=True):
                stretch.push_logits(logits)

    def _tell(self, item: _Work) -> None:
        span_s = item.part.span_s
        update = item.stretch.advance() if span_s is None else item.stretch.finish(span_s)
        if update is not None:
            item.camera.report.tell(update)
