"""The event log: events, alerts and changes of cameras as JSON lines that survive a kill."""

from __future__ import annotations

import json
import logging
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from har.errors import OutputError
from har.files import replacing
from har.live.messages import Alert, CameraState, LiveEvent, LiveScores

_log = logging.getLogger(__name__)

EVENTS_FILE = "events.jsonl"
LOG_FILE = "log.jsonl"
_MAX_WAITING = 10_000
_TAIL_BYTES = 1 << 16
_LATEST = datetime.max.replace(tzinfo=UTC)


class LineFile:
    """A file of lines, each on the disk before `add` returns; safe to use from several threads.

    Where the disk is full, lines wait in memory, ten thousand at most, and are written as soon as
    there is room. The file always consists of whole lines.
    """

    def __init__(self, path: Path) -> None:
        """Open the file for appending; a line that was cut short by a loss of power is removed.

        Raises:
            OutputError: It cannot be opened.
        """
        self._path = path
        self._waiting: deque[bytes] = deque(maxlen=_MAX_WAITING)
        self._is_failing = False
        self._lock = Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open(path)
            _cut_torn_line(self._file)
        except OSError as error:
            raise OutputError(
                f"{path} cannot be opened for writing: {error.strerror}. Check that the folder is "
                "writable, or choose another with --out."
            ) from error

    def add(self, line: str) -> None:
        """Add a line; what cannot be written is logged once and waits."""
        with self._lock:
            self._waiting.append(f"{line}\n".encode())
            self._write_waiting()

    def keep_lines(self, keep: Callable[[str], bool]) -> int:
        """Delete all other lines; return how many those were.

        Raises:
            OSError: The file cannot be read or written anew; it stays as it was.
        """
        with self._lock:
            with self._path.open(encoding="utf-8", errors="surrogateescape") as lines:
                n_gone = sum(not keep(line) for line in lines)
            if n_gone == 0:
                return 0
            with (
                replacing(self._path) as part,
                self._path.open(encoding="utf-8", errors="surrogateescape") as lines,
                part.open("w", encoding="utf-8", errors="surrogateescape") as rest,
            ):
                rest.writelines(line for line in lines if keep(line))
            os.close(self._file)
            self._file = _open(self._path)
        return n_gone

    def close(self) -> None:
        """Close the file; lines that still wait are lost, and their number is logged."""
        with self._lock:
            if self._waiting:
                self._write_waiting()
            if self._waiting:
                _log.warning("%d lines of %s are lost", len(self._waiting), self._path)
            os.close(self._file)

    def _write_waiting(self) -> None:
        start = os.fstat(self._file).st_size
        try:
            _write_whole(self._file, b"".join(self._waiting))
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file, start)
            if not self._is_failing:
                self._is_failing = True
                _log.warning(
                    "%s cannot be written: %s. Lines are held in memory and recognition continues; "
                    "free space on the disk.",
                    self._path,
                    error.strerror,
                )
            return
        if self._is_failing:
            _log.warning("%s can be written again: %d lines added", self._path, len(self._waiting))
        self._is_failing = False
        self._waiting.clear()


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)


def _write_whole(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]
    os.fsync(file)


def _cut_torn_line(file: int) -> None:
    size = os.fstat(file).st_size
    start = max(size - _TAIL_BYTES, 0)
    os.lseek(file, start, os.SEEK_SET)
    tail = os.read(file, _TAIL_BYTES)
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(file, start + tail.rfind(b"\n") + 1)


class Journal:
    """Writes the event log, inside its ``with`` block; a listener of the watch and of alerts.

    ``events.jsonl`` gets each event when it opens and again, with the same camera, label and onset,
    when it is final, and each alert; an event that a killed run left open is closed at the next
    start, with ``is_interrupted``; ``log.jsonl`` changes of cameras and what was deleted.
    """

    def __init__(self, folder: Path, echo: Callable[[str], None] | None = None) -> None:
        """Open both files.

        Args:
            folder: Gets them; created if needed.
            echo: Is called with every line, too.

        Raises:
            OutputError: A file cannot be opened.
        """
        self._path = folder / EVENTS_FILE
        self._events = LineFile(self._path)
        self._changes = LineFile(folder / LOG_FILE)
        self._states: dict[str, str] = {}
        self._echo = echo

    def __enter__(self) -> Journal:
        for values in self._find_open():
            line = {**values, "is_open": False, "is_interrupted": True}
            self._events.add(json.dumps(line, ensure_ascii=False))
        return self

    def _find_open(self) -> list[dict[str, Any]]:
        """Return the events that a run which was killed had left open, as far as it knew them."""
        found: dict[tuple[str, str, float], dict[str, Any]] = {}
        with self._path.open(encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                try:
                    values = json.loads(line)
                    if values["kind"] != "event":
                        continue
                    key = values["camera"], values["label"], values["onset_s"]
                    is_open = values["is_open"]
                except (ValueError, TypeError, KeyError):
                    continue  # not a line of this log
                found.pop(key, None)
                if is_open:
                    found[key] = values
        return list(found.values())

    def __exit__(self, *_: object) -> None:
        self._events.close()
        self._changes.close()

    def on_state(self, state: CameraState) -> None:
        """Write a line where the state is another one or there is something to note."""
        if state.state == self._states.get(state.name) and not state.note:
            return
        self._states[state.name] = state.state
        self._add(
            self._changes,
            {
                "kind": "camera",
                "at": _format_time(state.at),
                "camera": state.name,
                "state": state.state,
                "note": state.note,
                "n_frames": state.n_frames,
                "n_dropped": state.n_dropped,
                "n_reconnects": state.n_reconnects,
                "n_damaged": state.n_damaged,
            },
        )

    def on_scores(self, scores: LiveScores) -> None:
        """Leave scores out."""

    def on_event(self, event: LiveEvent) -> None:
        """Write a line."""
        self._add(
            self._events,
            {
                "kind": "event",
                "at": _format_time(event.began_at),
                "camera": event.camera,
                **event.event.to_json(),
                "is_open": event.is_open,
            },
        )

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        """Write a line."""
        self._add(
            self._events,
            {
                "kind": "alert",
                "at": _format_time(alert.raised_at),
                "camera": alert.event.camera,
                "label": alert.event.event.label,
                "onset_s": round(alert.event.event.onset_s, 3),
                "score": round(alert.event.event.score, 4),
                "id": alert_id,
            },
        )

    def on_deleted(self, at: datetime, files: Sequence[str], n_lines: int) -> None:
        """Write what was deleted because of its age: files of alerts and lines of this log."""
        values = {"kind": "deleted", "at": _format_time(at), "files": files, "n_lines": n_lines}
        self._add(self._changes, values)

    def delete_before(self, moment: datetime) -> int:
        """Delete lines of what was before ``moment``; return their number.

        Raises:
            OSError: A file cannot be read or written anew.
        """

        def is_recent(line: str) -> bool:
            return _read_time(line) >= moment

        return self._events.keep_lines(is_recent) + self._changes.keep_lines(is_recent)

    def close(self) -> None:
        """Leave the files open until the ``with`` block ends."""

    def _add(self, file: LineFile, values: dict[str, Any]) -> None:
        line = json.dumps(values, ensure_ascii=False, allow_nan=False)
        file.add(line)
        if self._echo is None:
            return
        try:
            self._echo(line)
        except OSError as error:
            self._echo = None
            _log.warning(
                "The output of the event log was closed (%s); its files continue", error.strerror
            )


def _format_time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")


def _read_time(line: str) -> datetime:
    """Return the time of a line; of one that is not of this log, the latest there is."""
    try:
        return datetime.fromisoformat(json.loads(line)["at"]).astimezone(UTC)
    except (ValueError, TypeError, KeyError):
        return _LATEST
