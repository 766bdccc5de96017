"""How the cameras are now, in a small file that other programs read: the review's live page."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from har.errors import OutputError
from har.files import write_json
from har.live.messages import CameraState, LiveEvent, LiveScores

_log = logging.getLogger(__name__)

STATE_FILE = "cameras.json"
_EVERY_S = 2.0


class StateFile:
    """Write the state and the newest scores of all cameras now and then; a listener of the watch.

    The file is replaced as a whole, every two seconds at most and whenever a state is another one.
    It holds no pictures and no history. What cannot be written is logged once; the watch goes on.
    """

    def __init__(self, folder: Path, now_s: Callable[[], float] = time.monotonic) -> None:
        """Write nothing yet.

        Args:
            folder: Gets the file.
            now_s: A clock that never jumps.
        """
        self._path = folder / STATE_FILE
        self._now_s = now_s
        self._cameras: dict[str, dict[str, Any]] = {}
        self._next_s = 0.0
        self._is_failing = False

    def on_state(self, state: CameraState) -> None:
        """Note the state, and write the file if it is time."""
        camera = self._cameras.setdefault(state.name, {"state": "", "scores": None})
        is_new = camera["state"] != state.state
        camera |= {"state": state.state, "at": state.at.isoformat(timespec="milliseconds")}
        if state.state in ("lost", "ended"):
            camera["scores"] = None
        if is_new or self._now_s() >= self._next_s:
            self._write()

    def on_scores(self, scores: LiveScores) -> None:
        """Note the scores of the newest window; all are 0 where the model is uncertain."""
        values = {
            label: round(float(value), 4)
            for label, value in zip(scores.labels, scores.now, strict=True)
        }
        camera = self._cameras.setdefault(scores.camera, {"state": "", "scores": None})
        if camera["scores"] is None:
            self._next_s = 0.0  # the first are worth a line with the next state
        camera["scores"] = {"at": scores.at.isoformat(timespec="milliseconds"), "values": values}

    def on_event(self, event: LiveEvent) -> None:
        """Leave events out: they are in the event log."""

    def close(self) -> None:
        """Write what is known last."""
        if self._cameras:
            self._write()

    def _write(self) -> None:
        self._next_s = self._now_s() + _EVERY_S
        try:
            write_json(self._path, {"made_by": "har watch", "cameras": self._cameras})
            self._is_failing = False
        except OutputError as error:
            if not self._is_failing:
                _log.warning("The live page shows old scores: %s", error)
            self._is_failing = True
