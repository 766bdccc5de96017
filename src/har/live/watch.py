"""Several cameras at once through one recognizer: the loop between their threads and the sinks."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from har.config import DecodeConfig, WatchConfig
from har.errors import ConfigError, HarError, VideoError
from har.inference.model import Recognizer
from har.inference.steps import Networks, StreamOutput, open_networks
from har.inference.streams import Stream, WindowLogits
from har.live.feed import CameraFeed
from har.live.messages import Sink
from har.live.segment import CameraReport, LiveSegment, Update
from har.live.sources import Source
from har.live.step_queue import Part
from har.parallel import count_cores, describe_fault
from har.sampling.times import Window
from har.types import StreamName
from har.video.camera.frames import PacketTap

_LOG = logging.getLogger(__name__)
_TICK_S = 0.1
_JOIN_S = 1.0
_MOST_FAULTS = 3
"""Once no camera could be recognized so often, each time connected anew, the watch ends."""


@dataclass(eq=False)
class _Camera:
    """One camera and the segment of it that is being recognized.

    Attributes:
        n_faults: Times that it could not be recognized since it last could.
    """

    feed: CameraFeed
    report: CameraReport
    segment: LiveSegment | None = None
    n_faults: int = 0

    @property
    def is_given_up(self) -> bool:
        """Whether reading it anew is of no use."""
        return self.n_faults >= (1 if self.feed.source.kind == "file" else _MOST_FAULTS)


@dataclass
class _Work:
    """Steps of one segment of one camera that are to be recognized now.

    Attributes:
        features: Of the steps of each stream, once they are encoded.
        windows: Of each stream that are due for its head, once features were pushed.
        update: What became known, in the end.
    """

    camera: _Camera
    segment: LiveSegment
    part: Part
    features: dict[StreamName, list[Any]] = field(default_factory=dict)
    windows: dict[StreamName, list[Window[Any]]] = field(default_factory=dict)
    update: Update | None = None


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
        self._fault: Exception | None = None
        self._cameras = [self._add_camera(source, tap) for source in sources]

    def _add_camera(self, source: Source, tap: PacketTap | None) -> _Camera:
        feed = CameraFeed(source, self._recognizer, self._config, tap, self._wake)
        labels = self._recognizer.info.labels
        return _Camera(feed, CameraReport(feed, labels, self._config, self._sinks))

    def run(self, until: threading.Event | None = None) -> None:
        """Watch until ``until`` is set or all sources have ended; then tells what is open.

        A camera whose pictures cannot be recognized is connected anew; the others go on.

        Raises:
            BundleMismatchError: The bundle's graphs do not take what its contract says.
            VideoError: Not one of the cameras can be recognized, for another reason.
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
        """Recognize all that waits and tell what is new."""
        self._check_threads()
        streams = self._recognizer.streams
        work = list(self._take_work())
        work = self._do_together(partial(_encode, streams, networks), work)
        work = self._do_each(partial(_push, streams), work)
        work = self._do_together(partial(_score, streams), work)
        for item in self._do_each(_advance, work):
            if item.update is not None:
                item.camera.n_faults = 0
                item.camera.report.report(item.update)
        for camera in self._cameras:
            camera.report.report_state(time.monotonic())
        self._check_faults()

    def _do_together(self, do: Callable[[list[_Work]], None], work: list[_Work]) -> list[_Work]:
        """Do something with the steps of all cameras; where that fails, with those of each."""
        try:
            do(work)
        except Exception:  # noqa: BLE001 - it comes again from the camera whose steps are at fault
            return self._do_each(lambda item: do([item]), work)
        return work

    def _do_each(self, do: Callable[[_Work], None], work: list[_Work]) -> list[_Work]:
        """Do something with the steps of each camera; return those of cameras that did not fail."""
        good: list[_Work] = []
        failed: list[_Camera] = []
        for item in work:
            if item.camera in failed:
                continue
            try:
                do(item)
                good.append(item)
            except Exception as error:  # noqa: BLE001 - one camera never ends the others
                failed.append(item.camera)
                self._reject(item, error)
        return good

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

    def _reject(self, item: _Work, error: Exception) -> None:
        """End a segment that cannot be recognized, and connect its camera anew."""
        camera, name = item.camera, item.camera.feed.source.name
        _LOG.error("%s cannot be recognized", name, exc_info=error)
        said = str(error) if isinstance(error, HarError) else describe_fault(error)
        camera.feed.reject(f"{name} cannot be recognized: {said}")
        camera.segment = None
        camera.n_faults += 1
        self._fault = error
        camera.report.report(item.segment.break_off())

    def _check_faults(self) -> None:
        """End the watch where every camera is given up."""
        fault = self._fault
        if fault is None or not all(camera.is_given_up for camera in self._cameras):
            return
        if isinstance(fault, HarError):
            raise fault
        raise VideoError(f"No camera can be recognized: {describe_fault(fault)}") from fault


def _encode(streams: Sequence[Stream], networks: Networks, work: list[_Work]) -> None:
    """Hand the pictures of all steps to the networks at once, then take the answers."""
    begun = [(stream, networks[stream.name](_list_images(stream, work))) for stream in streams]
    for stream, features in begun:
        answers = iter(list(features))
        for item in work:
            item.features[stream.name] = [
                None if step.stack.is_still else next(answers)
                for step in item.part.steps[stream.name]
            ]


def _list_images(stream: Stream, work: list[_Work]) -> list[np.ndarray]:
    """Return what a stream's network takes of all steps that are not still, in their order."""
    stacks = [step.stack for item in work for step in item.part.steps[stream.name]]
    return [stream.get_image(stack) for stack in stacks if not stack.is_still]


def _push(streams: Sequence[Stream], item: _Work) -> None:
    """Push the features of all steps and note the windows that are due."""
    for stream in streams:
        name = stream.name
        due = item.windows[name] = []
        for step, features in zip(item.part.steps[name], item.features[name], strict=True):
            due += item.segment.push(name, features, step)
        if item.part.span_s is not None:
            due += item.segment.flush(name)


def _score(streams: Sequence[Stream], work: list[_Work]) -> None:
    """Let each stream's head score the windows of all cameras together."""
    outputs = [
        (stream, iter(stream.score([w for item in work for w in item.windows[stream.name]])))
        for stream in streams
    ]
    for stream, logits in outputs:
        for item in work:
            found: list[WindowLogits] = [next(logits) for _ in item.windows[stream.name]]
            if found:
                item.segment.push_output(StreamOutput({stream.name: found}))


def _advance(item: _Work) -> None:
    """Let a segment say what is known now."""
    span_s = item.part.span_s
    item.update = item.segment.advance() if span_s is None else item.segment.finish(span_s)
