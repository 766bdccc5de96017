"""Deletes what is older than asked: at the start and from time to time, in a thread of its own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

from har.config import RetentionConfig
from har.live.alert_folder import AlertFolder
from har.live.journal import Journal

_log = logging.getLogger(__name__)


class Retention:
    """Keeps the folder of a watch within its age, inside its ``with`` block."""

    def __init__(
        self,
        config: RetentionConfig,
        folder: AlertFolder,
        journal: Journal,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Does nothing yet.

        Args:
            config: How old is too old; with ``keep_days`` 0 nothing is ever deleted.
            folder: Of alerts.
            journal: Of which lines are deleted.
            now: The clock, with its zone.
        """
        self._config = config
        self._folder = folder
        self._journal = journal
        self._now = now
        self._stopping = Event()
        self._thread = Thread(target=self._run, name="har-retention", daemon=True)

    def __enter__(self) -> Retention:
        if self._config.keep_days:
            self.delete()
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        if self._config.keep_days:
            self._thread.join()

    def delete(self) -> None:
        """Deletes once; log and journal say what."""
        now = self._now()
        moment = now - timedelta(days=self._config.keep_days)
        files, n_lines = self._folder.delete_before(moment), 0
        try:
            n_lines = self._journal.delete_before(moment)
        except OSError as error:
            _log.warning("Old lines of the journal stay: %s", error)
        if files or n_lines:
            self._journal.on_deleted(now, files, n_lines)
            _log.warning(
                "Deleted what is older than %g days: %d files of alerts, %d lines of the journal",
                self._config.keep_days,
                len(files),
                n_lines,
            )

    def _run(self) -> None:
        while not self._stopping.wait(self._config.every_s):
            self.delete()
