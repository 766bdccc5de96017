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


class AlertFolder:
    """Writes, changes and deletes records; safe to use from several threads."""

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

    def name(self, alert: Alert) -> str:
        """Return an alert's id, by camera, local time and label; none in the folder has it.

        The label is cut down to what any file system takes.
        """
        began_at = alert.event.began_at.astimezone(self._zone)
        label = re.sub(r"[^\w-]+", "-", alert.event.event.label)[:40]
        stem = f"{alert.event.camera}_{began_at:%Y-%m-%d_%H-%M-%S}_{label}"
        alert_id, count = stem, 1
        while (self.path / f"{alert_id}.json").exists():
            count += 1
            alert_id = f"{stem}-{count}"
        return alert_id

    def write(self, alert_id: str, alert: Alert) -> None:
        """Write the record of a new alert.

        Raises:
            OutputError: It cannot be written.
        """
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
            files.write_json(self.path / f"{alert_id}.json", values)

    def change(self, alert_id: str, **changed: Any) -> None:
        """Put values over those of a record; one that was deleted meanwhile stays so.

        Raises:
            OutputError: It cannot be written.
        """
        path = self.path / f"{alert_id}.json"
        with self._lock:
            values = _read_record(path)
            if values is not None:
                files.write_json(path, {**values, **changed})

    def complete(self, alert_id: str, event: Event) -> None:
        """Note how the event of an alert has ended.

        Raises:
            OutputError: The record cannot be written.
        """
        length_s = round(event.offset_s - event.onset_s, 3)
        self.change(alert_id, score=round(event.score, 4), length_s=length_s, is_open=False)

    def add_clip(self, alert_id: str, clip: str, start_s: float, length_s: float) -> None:
        """Note the clip's file, when it starts after the onset (below 0: before) and its length.

        Raises:
            OutputError: The record cannot be written.
        """
        values = {"file": clip, "start_s": round(start_s, 3), "length_s": round(length_s, 3)}
        self.change(alert_id, clip=values)

    def delete_before(self, moment: datetime) -> list[str]:
        """Delete alerts that began before ``moment``, record last; return the names of the files.

        Only what records of `har watch` in this very folder stand for is touched: a file without
        such a record stays, so do links, and a folder that is a link itself is left alone. What
        cannot be deleted is logged.
        """
        gone: list[str] = []
        if self.path.is_symlink() or not self.path.is_dir():
            return gone
        for record in sorted(self.path.glob("*.json")):
            with self._lock:
                values = _read_record(record)
                if values is None or _read_time(values) >= moment:
                    continue
                for suffix in (*CLIP_SUFFIXES, *_PARTS, ".json"):
                    path = record.with_name(record.stem + suffix)
                    if _is_own_file(path) and _delete(path):
                        gone.append(path.name)
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
