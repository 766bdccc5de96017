"""Training from verdicts at a person's request: in a thread, one run at a time, taken when told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

from har.errors import HarError, ReviewError

_log = logging.getLogger(__name__)

State = Literal["idle", "running", "done", "failed", "taken"]


class NewModel(Protocol):
    """A model that has learned from verdicts, compared with the one that it started from."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values, with old against new in ``comparison``."""
        ...

    def take(self) -> Path:
        """Put it in the place of the old one, and return where the old one is now."""
        ...


class Teacher:
    """Makes a new model from an observer's verdicts when a person asks for it."""

    def __init__(self, learn: Callable[[str], NewModel] | None) -> None:
        """Start without any run.

        Args:
            learn: Takes the observer's name; None where there is no model to start from.
        """
        self._learn = learn
        self._lock = threading.Lock()
        self._state: State = "idle"
        self._error, self._place = "", ""
        self._found: NewModel | None = None

    def describe(self) -> dict[str, Any]:
        """Return the state, and what was found or went wrong."""
        with self._lock:
            return {
                "is_offered": self._learn is not None,
                "state": self._state,
                "error": self._error,
                "place": self._place,
                "result": None if self._found is None else self._found.to_json(),
            }

    def start(self, observer: str) -> None:
        """Begin to learn, unless a run goes on.

        Raises:
            ReviewError: There is no model to start from, or a run goes on.
        """
        with self._lock:
            if self._learn is None:
                raise ReviewError(
                    "There is no model to start from; start har review with --bundle MODEL"
                )
            if self._state == "running":
                raise ReviewError("A model is being trained already; wait until it is done")
            self._state, self._error, self._found = "running", "", None
        threading.Thread(target=self._run, args=[self._learn, observer], daemon=True).start()

    def _run(self, learn: Callable[[str], NewModel], observer: str) -> None:
        error, found = "see the log of har review", None
        try:
            found, error = learn(observer), ""
        except (HarError, OSError, ValueError) as problem:
            _log.warning("No model has been made of the verdicts: %s", problem)
            error = str(problem)
        finally:
            with self._lock:
                self._state = "failed" if found is None else "done"
                self._error, self._found = error, found

    def take(self) -> None:
        """Put the new model in the place of the old one.

        Raises:
            ReviewError: There is none that has not been taken.
            ConfigError: The old model comes with har and has no place.
        """
        with self._lock:
            if self._state != "done" or self._found is None:
                raise ReviewError("There is no new model to take; train one first")
            self._place = str(self._found.take())
            self._state = "taken"
