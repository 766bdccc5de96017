"""Clips of alerts: the seconds before and after, from ring buffers of what cameras have sent.

Cameras push what they send from their own threads; a clip is gathered in memory and written by one
thread once its end has come, so that neither cameras nor recognition wait for the disk.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread

import av

from har.config import ClipsConfig, PrivacyConfig
from har.errors import HarError
from har.live.hiding import SUFFIX, make_still, write_hidden
from har.parallel import describe_fault
from har.types import Frame
from har.video.camera.ring import Coding, Footage, PacketRing, Piece, write_footage

_log = logging.getLogger(__name__)

_DELAY_S = 10.0
"""An event is known a window of a few seconds after it began; twice that, to be safe."""

_JOIN_S = 60.0
"""Longest wait for the last clips at the end."""

MayWrite = Callable[[], bool]
"""Called just before a clip is written, which it is not where the answer is no."""

Done = Callable[[Path, float, float], None]
"""Called with a clip's file, its start on the camera's timeline and its length in seconds."""


@dataclass
class _Recording:
    """A clip that is being gathered."""

    stem: Path
    done: Done
    may_write: MayWrite
    coding: Coding | None
    pieces: list[Piece]
    until_s: float

    @property
    def is_complete(self) -> bool:
        return self.pieces[-1].time_s >= self.until_s


class _Reel:
    """One camera's ring and the clips that are gathered from it."""

    def __init__(self, ring: PacketRing) -> None:
        self.ring = ring
        self.lock = Lock()
        self.recordings: list[_Recording] = []


class ClipKeeper:
    """Holds the last seconds of every camera and writes clips; taps the cameras' packets."""

    def __init__(
        self,
        config: ClipsConfig,
        longest_wait_s: float = 0.0,
        privacy: PrivacyConfig | None = None,
    ) -> None:
        """Start the thread that writes.

        Args:
            config: How long clips are.
            longest_wait_s: How long an event may last before it becomes an alert; its beginning
                is held for so long.
            privacy: What is hidden of people in clips; nothing when None.
        """
        self._config, self._privacy = config, privacy or PrivacyConfig()
        self._keep_s = config.before_s + longest_wait_s + _DELAY_S
        self._reels: defaultdict[str, _Reel] = defaultdict(self._make_reel)
        self._lock = Lock()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._writer = Thread(target=self._write_all, name="har-clips", daemon=True)
        self._writer.start()

    def open(self, camera: str, stream: av.VideoStream) -> None:
        """Take over a camera's stream; clips that were being gathered end here."""
        self.cut(camera)
        reel = self._find(camera)
        with reel.lock:
            try:
                reel.ring.open(stream)
            except HarError as error:
                _log.warning("No clips of %s can be recorded: %s", camera, error)
            except Exception as error:  # noqa: BLE001, it is recognized all the same
                reason = describe_fault(error)
                _log.warning("No clips of %s can be recorded: %s", camera, reason)
                _log.info("The stream of %s", camera, exc_info=True)

    def push(self, camera: str, packet: av.Packet, time_s: float) -> None:
        """Take a packet."""
        reel = self._find(camera)
        with reel.lock:
            self._gather(reel, reel.ring.push(packet, time_s))

    def push_frame(self, camera: str, frame: Frame) -> None:
        """Take a picture of a camera that sends no packets."""
        reel = self._find(camera)
        with reel.lock:
            self._gather(reel, reel.ring.push_frame(frame))

    def begin(
        self,
        camera: str,
        stem: Path,
        onset_s: float,
        done: Done,
        may_write: MayWrite = lambda: True,
    ) -> bool:
        """Start a clip; return whether there is any footage of the camera.

        Args:
            camera: Its name.
            stem: The clip's path without its ending.
            onset_s: Of the event.
            done: Called from the writing thread once the clip is there; not where it failed.
            may_write: Called from the same thread before; with False there is no clip.
        """
        reel = self._find(camera)
        with reel.lock:
            footage = reel.ring.take(onset_s - self._config.before_s)
            if footage is None:
                return False
            until_s = footage.start_s + self._config.max_s
            pieces = list(footage.pieces)
            recording = _Recording(stem, done, may_write, footage.coding, pieces, until_s)
            reel.recordings.append(recording)
        return True

    def take_picture(
        self, camera: str, time_s: float, most_px: int, done: Callable[[bytes], None]
    ) -> None:
        """Make a picture of what a camera showed; there is none where nothing was kept.

        Args:
            camera: Its name.
            time_s: On its timeline.
            most_px: Length of the longer side, at most.
            done: Gets the JPEG, with people hidden as in clips or more; called from the thread that
                writes.
        """
        reel, hold_s = self._find(camera), self._privacy.hold_s
        with reel.lock:
            footage = reel.ring.take(time_s - hold_s)
        if footage is not None:
            near, privacy = footage.until(time_s + hold_s), self._privacy
            self._jobs.put(lambda: done(make_still(near, time_s, privacy, most_px)))

    def end(self, camera: str, stem: Path, offset_s: float) -> None:
        """Note the end of the clip's event; the clip goes on for the seconds after."""
        reel = self._find(camera)
        with reel.lock:
            for recording in reel.recordings:
                if recording.stem == stem:
                    until_s = offset_s + self._config.after_s
                    recording.until_s = min(recording.until_s, until_s)
            self._finish(reel)

    def cut(self, camera: str) -> None:
        """End all clips of a camera with what there is."""
        reel = self._find(camera)
        with reel.lock:
            for recording in reel.recordings:
                self._put(recording)
            reel.recordings.clear()

    def close(self) -> None:
        """Write what was being gathered, and wait until it is written."""
        for camera in list(self._reels):
            self.cut(camera)
        self._jobs.put(None)
        self._writer.join(_JOIN_S)
        if self._writer.is_alive():
            _log.warning("Clips are still being written after %g s; they are abandoned", _JOIN_S)

    def _find(self, camera: str) -> _Reel:
        with self._lock:
            return self._reels[camera]

    def _make_reel(self) -> _Reel:
        max_bytes = self._config.max_mb * 1_000_000
        return _Reel(PacketRing(self._keep_s, max_bytes, self._config.jpeg_hz))

    def _gather(self, reel: _Reel, piece: Piece | None) -> None:
        if piece is not None and reel.recordings:
            for recording in reel.recordings:
                recording.pieces.append(piece)
            self._finish(reel)

    def _finish(self, reel: _Reel) -> None:
        for recording in reel.recordings:
            if recording.is_complete:
                self._put(recording)
        reel.recordings = [item for item in reel.recordings if not item.is_complete]

    def _put(self, recording: _Recording) -> None:
        self._jobs.put(partial(_write, recording, self._privacy))

    def _write_all(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except HarError as error:
                _log.warning("Could not write a clip or picture: %s", error)
            except Exception:  # noqa: BLE001, one bad clip must not end all later ones
                _log.warning("Could not write a clip or picture", exc_info=True)


def _write(recording: _Recording, privacy: PrivacyConfig) -> None:
    if not recording.may_write():
        _log.warning("The clip %s is left out: its alert has no record", recording.stem)
        return
    whole = Footage(tuple(recording.pieces), recording.coding)
    footage = whole.until(recording.until_s)
    suffix = SUFFIX if privacy.is_on else footage.suffix
    path = recording.stem.with_name(recording.stem.name + suffix)
    if privacy.is_on:
        write_hidden(path, footage, privacy)
    else:
        write_footage(path, footage)
    recording.done(path, footage.start_s, footage.length_s)
