"""Notifications of alerts through Apprise: webhook, MQTT, e-mail and many more.

Nothing is sent unless there is an address. Addresses hold passwords and tokens: only the word
before ``://`` is ever shown, and all their parts are removed from Apprise's messages.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from queue import Full, Queue
from threading import Event, Thread, get_ident
from urllib.parse import unquote

import apprise

from har.config import Mistakes, NotifyConfig
from har.errors import ConfigError

_log = logging.getLogger(__name__)
_apprise_log = logging.getLogger("apprise")

_MAX_WAITING = 100
_JOIN_S = 15.0
_ASSET = apprise.AppriseAsset(app_id="har", app_desc="har", app_url="", image_url_mask="")


def check_addresses(config: NotifyConfig) -> None:
    """Refuse addresses that Apprise does not support; nothing is sent.

    Raises:
        ConfigError: There are some; the message shows nothing of them.
    """
    mistakes = Mistakes()
    for number, url in enumerate(config.urls, 1):
        with mistakes.gathering():
            _open(url, _name(url, f"{number}"))
    mistakes.refuse()


def _name(url: str, number: str) -> str:
    scheme = re.match(r"[A-Za-z0-9+]+(?=://)", url)
    return f"address {number} ({scheme.group() if scheme else ''}://...)"


def _open(url: str, name: str) -> apprise.NotifyBase:
    _apprise_log.propagate = False  # its messages show addresses
    _apprise_log.addHandler(logging.NullHandler())
    target = apprise.Apprise.instantiate(url, asset=_ASSET)
    if not isinstance(target, apprise.NotifyBase):
        raise ConfigError(
            f"Apprise cannot use {name} for notifications; check its spelling, and that "
            "what it needs is installed: https://github.com/caronc/apprise/wiki"
        )
    return target


class Notifier:
    """Sends notifications to all addresses; each has its own thread, so none waits for another."""

    def __init__(self, config: NotifyConfig) -> None:
        """Start the threads.

        Raises:
            ConfigError: Apprise does not support an address; the message does not show it.
        """
        self._mailers = [
            _Mailer(url, f"{index}", config) for index, url in enumerate(config.urls, 1)
        ]

    def send(self, title: str, text: str) -> None:
        """Queue a notification; where the queue is full, it is dropped and logged."""
        for mailer in self._mailers:
            mailer.send(title, text)

    @property
    def n_undelivered(self) -> int:
        """How many notifications were given up so far, each address counted by itself."""
        return sum(mailer.n_undelivered for mailer in self._mailers)

    def close(self) -> None:
        """Send what is queued, without further pauses between tries, and give up after a while."""
        for mailer in self._mailers:
            mailer.stop()
        for mailer in self._mailers:
            mailer.join()


class _Mailer:
    """Sends to one address from a thread of its own."""

    def __init__(self, url: str, number: str, config: NotifyConfig) -> None:
        self._name = _name(url, number)
        self._url = url
        self._config = config
        self.n_undelivered = 0
        self._target = _open(url, self._name)
        self._waiting: Queue[tuple[str, str] | None] = Queue(_MAX_WAITING)
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"har-notify-{number}", daemon=True)
        self._thread.start()

    def send(self, title: str, text: str) -> None:
        try:
            self._waiting.put_nowait((title, text))
        except Full:
            self.n_undelivered += 1
            _log.warning(
                "A notification to %s is dropped: %d are queued already", self._name, _MAX_WAITING
            )

    def stop(self) -> None:
        self._stopping.set()
        with suppress(Full):  # then many are queued, and the thread ends with the process
            self._waiting.put_nowait(None)

    def join(self) -> None:
        self._thread.join(_JOIN_S)
        if self._thread.is_alive():
            self.n_undelivered += max(self._waiting.qsize(), 1)
            _log.warning("Notifications to %s are still queued; they are abandoned", self._name)

    def _run(self) -> None:
        while (notification := self._waiting.get()) is not None:
            self._deliver(*notification)

    def _deliver(self, title: str, text: str) -> None:
        n_tries, reason = 0, self._try(title, text)
        while reason is not None:
            n_tries += 1
            if n_tries == self._config.n_tries or self._stopping.is_set():
                self.n_undelivered += 1
                _log.warning(
                    "A notification to %s failed after %s: %s",
                    self._name,
                    "one try" if n_tries == 1 else f"{n_tries} tries",
                    reason,
                )
                return
            _log.info("A notification to %s failed and is tried again: %s", self._name, reason)
            self._stopping.wait(self._config.retry_s * 2 ** (n_tries - 1))
            reason = self._try(title, text)

    def _try(self, title: str, text: str) -> str | None:
        """Send once; return None where that worked, else why not, without any secret."""
        with _AppriseWarnings() as warnings:
            try:
                kind = apprise.NotifyType.WARNING
                if self._target.notify(body=text, title=title, notify_type=kind):
                    return None
            except Exception as error:  # noqa: BLE001, plugins raise anything
                warnings.lines.append(f"{type(error).__name__}: {error}")
        return mask(" ".join(warnings.lines) or "no reason was given", self._url)


class _AppriseWarnings(logging.Handler):
    """Collects what Apprise warns of in this thread."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self._thread = get_ident()

    def __enter__(self) -> _AppriseWarnings:
        _apprise_log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        _apprise_log.removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            self.lines.append(record.getMessage())


def mask(text: str, url: str) -> str:
    """Return the text without any part of an address but its scheme.

    >>> mask("no route to Host:25 for user ann, p%40ss or p@ss", "mailto://ann:p%40ss@host:25")
    'no route to ***:25 for user ***, *** or ***'
    """
    parts = {part for part in re.split(r"[:/@?&=,]+", url.partition("://")[2]) if len(part) > 2}
    parts |= {unquote(part) for part in parts}
    for part in sorted(parts, key=len, reverse=True):
        text = re.sub(re.escape(part), "***", text, flags=re.IGNORECASE)
    return text
