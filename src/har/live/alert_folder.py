"""The folder of alerts: for each a record ``ID.json`` and beside it its clip ``ID.mp4``."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Self

from har import files
from har.config import RetentionConfig
from har.errors import OutputError
from har.live.journal import Journal
from har.live.messages import Alert
from har.parallel import Closing
from har.types import Event

_log = logging.getLogger(__name__)

WRITER = "har watch"
PURPOSE = "For review by a person: what a model has labeled, not a confirmed event."
CLIP_SUFFIXES = (".mp4", ".mkv")
_PARTS = (*(f"{suffix}.part" for suffix in CLIP_SUFFIXES), ".json.part")
_MAX_RECORD_BYTES = 1 << 16
_MAX_WAITING = 10_000
_LATE = (
    "begins {:.1f} s after the event did, and may not show it: recognition was so late that what "
    "the camera had sent before was no longer in memory"
)


class AlertFolder:
    """Writes, changes and deletes records; safe to use from several threads.

    Where the disk is full, records wait in memory, ten thousand at most, and are written with the
    next one or with the next `flush` that finds room.
    """

    def __init__(self, path: Path, bundle: str = "", zone: tzinfo | None = None) -> None:
        """Make nothing yet.

        Args:
            path: The folder.
            bundle: Name of the model, for the records.
            zone: For names and times in records; the computer's own when None.
        """
        self.path = path
        self._bundle = bundle
        self._zone = zone
        self._lock = Lock()
        self._waiting: dict[str, dict[str, Any]] = {}
        self._is_failing = False

    def name(self, alert: Alert) -> str:
        """Return an alert's id, by camera, local time and label; none in the folder has it.

        The label is cut down to what any file system takes.
        """
        began_at = alert.event.began_at.astimezone(self._zone)
        label = re.sub(r"[^\w-]+", "-", alert.event.event.label)[:40]
        stem = f"{alert.event.camera}_{began_at:%Y-%m-%d_%H-%M-%S}_{label}"
        alert_id, count = stem, 1
        while alert_id in self._waiting or (self.path / f"{alert_id}.json").exists():
            count += 1
            alert_id = f"{stem}-{count}"
        return alert_id

    def write(self, alert_id: str, alert: Alert) -> None:
        """Write the record of a new alert; one that cannot be written waits."""
        known = alert.event.event
        values = {
            "made_by": WRITER,
            "id": alert_id,
            "purpose": PURPOSE,
            "camera": alert.event.camera,
            "label": known.label,
            "score": round(known.score, 4),
            "began_at": self._to_local(alert.event.began_at),
            "raised_at": self._to_local(alert.raised_at),
            "length_s": round(known.offset_s - known.onset_s, 3),
            "is_open": alert.event.is_open,
            "subject": known.subject or None,
            "target": known.target or None,
            "bundle": self._bundle,
            "clip": None,
        }
        with self._lock:
            self._waiting[alert_id] = values
            self._write_waiting()

    def change(self, alert_id: str, **changed: Any) -> bool:
        """Put values over those of a record; return False where it was deleted meanwhile."""
        with self._lock:
            values = self._waiting.get(alert_id) or _read_record(self._find(alert_id))
            if values is None:
                return False
            self._waiting[alert_id] = {**values, **changed}
            self._write_waiting()
            return True

    def flush(self) -> None:
        """Write what waits, if there is room now."""
        with self._lock:
            self._write_waiting()

    def has_record(self, alert_id: str) -> bool:
        """Return whether a record is on the disk, now that what waits was tried again."""
        with self._lock:
            self._write_waiting()
            return _is_own_file(self._find(alert_id))

    def settle(self) -> None:
        """Mark what a run that was killed left: events that were open, halves of clips."""
        if self.path.is_symlink() or not self.path.is_dir():
            return
        for record in sorted(self.path.glob("*.json")):
            values = _read_record(record)
            if values is None:
                continue
            for suffix in _PARTS:
                part = record.with_name(record.stem + suffix)
                if _is_own_file(part):
                    _delete(part)
            if values.get("is_open"):
                self.change(record.stem, is_open=False, is_interrupted=True)

    def close(self) -> None:
        """Write what waits; records for which there is no room are lost, and counted."""
        self.flush()
        if self._waiting:
            _log.warning("%d records of alerts in %s are lost", len(self._waiting), self.path)

    def _find(self, alert_id: str) -> Path:
        return self.path / f"{alert_id}.json"

    def _write_waiting(self) -> None:
        while len(self._waiting) > _MAX_WAITING:
            del self._waiting[next(iter(self._waiting))]
        for alert_id, values in list(self._waiting.items()):
            try:
                files.write_json(self._find(alert_id), values)
            except OutputError as error:
                if not self._is_failing:
                    self._is_failing = True
                    _log.warning("Could not write the record of an alert, it waits: %s", error)
                return
            del self._waiting[alert_id]
        if self._is_failing:
            self._is_failing = False
            _log.warning("Records of alerts can be written again")

    def complete(self, alert_id: str, event: Event) -> None:
        """Note how the event of an alert has ended."""
        length_s = round(event.offset_s - event.onset_s, 3)
        self.change(alert_id, score=round(event.score, 4), length_s=length_s, is_open=False)

    def add_clip(self, alert_id: str, clip: Path, start_s: float, length_s: float) -> None:
        """Note the clip's file, when it starts after the onset (below 0: before) and its length.

        Where it starts after the onset, record and log say so. Where the alert was deleted
        meanwhile, so is the clip.
        """
        values: dict[str, Any] = {"file": clip.name, "start_s": round(start_s, 3)}
        values["length_s"] = round(length_s, 3)
        if start_s > 0:
            values["note"] = _LATE.format(start_s)
            _log.warning("Clip of %s: it %s", alert_id, values["note"])
        if not self.change(alert_id, clip=values):
            _delete(clip)

    def list_records(self) -> list[tuple[Path, datetime]]:
        """Return the records of `har watch` that are on the disk, and when their alerts began."""
        if self.path.is_symlink() or not self.path.is_dir():
            return []
        read = [(record, _read_record(record)) for record in sorted(self.path.glob("*.json"))]
        return [(record, _read_time(values)) for record, values in read if values is not None]

    def delete_before(self, moment: datetime) -> list[str]:
        """Delete alerts that began before ``moment``, record last; return the names of the files.

        A record stays as long as its clip cannot be deleted. Only what records of `har watch` in
        this very folder stand for is touched: a file without such a record stays, so do links, and
        a folder that is a link itself is left alone. What cannot be deleted is logged.
        """
        gone: list[str] = []
        if self.path.is_symlink() or not self.path.is_dir():
            return gone
        for record in sorted(self.path.glob("*.json")):
            with self._lock:
                values = _read_record(record)
                if values is None or _read_time(values) >= moment:
                    continue
                gone += self._delete_alert(record)
        return gone

    def _delete_alert(self, record: Path) -> list[str]:
        gone: list[str] = []
        for suffix in (*CLIP_SUFFIXES, *_PARTS, ".json"):
            path = record.with_name(record.stem + suffix)
            if _is_own_file(path):
                if not _delete(path):
                    break
                gone.append(path.name)
        else:
            self._waiting.pop(record.stem, None)
        return gone

    def _to_local(self, moment: datetime) -> str:
        return moment.astimezone(self._zone).isoformat(timespec="milliseconds")


def _is_own_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _read_record(path: Path) -> dict[str, Any] | None:
    """Return the values of a record that `har watch` has written, or None where it is none."""
    try:
        if not _is_own_file(path) or path.stat().st_size > _MAX_RECORD_BYTES:
            return None
        values = json.loads(path.read_text(encoding="utf-8"))
        is_own = values["made_by"] == WRITER and values["id"] == path.stem
        return values if is_own and _read_time(values) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _read_time(values: dict[str, Any]) -> datetime:
    began_at = datetime.fromisoformat(values["began_at"])
    if began_at.utcoffset() is None:
        raise ValueError("a time without its zone")
    return began_at


def _delete(path: Path) -> bool:
    try:
        path.unlink()
    except OSError as error:
        _log.warning("Could not delete %s: %s", path, error.strerror)
        return False
    return True


class Retention(Closing):
    """Deletes what is too old from the folder of a watch, inside its ``with`` block."""

    def __init__(
        self,
        config: RetentionConfig,
        folder: AlertFolder,
        journal: Journal,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Do nothing yet.

        Args:
            config: How old is too old; with ``keep_days`` 0 nothing is ever deleted.
            folder: Of alerts.
            journal: Event log of which lines are deleted.
            now: The clock, with its zone.
        """
        self._config = config
        self._folder = folder
        self._journal = journal
        self._now = now
        self._stopping = threading.Event()
        self._thread = Thread(target=self._run, name="har-retention", daemon=True)

    def __enter__(self) -> Self:
        if self._config.keep_days:
            self.delete()
            self._thread.start()
        return self

    def close(self) -> None:
        """Stop deleting."""
        self._stopping.set()
        if self._config.keep_days:
            self._thread.join()

    def delete(self) -> None:
        """Delete once what is too old, and note it in the log and the event log."""
        now = self._now()
        moment = now - timedelta(days=self._config.keep_days)
        files, n_lines = self._folder.delete_before(moment), 0
        try:
            n_lines = self._journal.delete_before(moment)
        except OSError as error:
            _log.warning("Could not delete old lines of the event log: %s", error)
        if files or n_lines:
            self._journal.on_deleted(now, files, n_lines)
            _log.warning(
                "Deleted what is older than %g days: %d files of alerts, %d lines of the event log",
                self._config.keep_days,
                len(files),
                n_lines,
            )

    def _run(self) -> None:
        while not self._stopping.wait(self._config.every_s):
            self.delete()
