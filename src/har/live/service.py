"""A watch as a service: cameras, alerts, event log and metrics, and a clean end on a signal."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from har.config import (
    DecodeConfig,
    MetricsConfig,
    Mistakes,
    MqttConfig,
    NotifyConfig,
    WatchSettings,
)
from har.config.bounds import check
from har.inference.model import Recognizer
from har.live.alert_folder import AlertFolder, Retention
from har.live.alerts import AlertManager, AlertRules, Pictures
from har.live.clips import ClipKeeper
from har.live.frigate import Frigate
from har.live.journal import Journal
from har.live.messages import AlertListener, Sink
from har.live.screen import Summary
from har.live.sources import Source
from har.live.state_file import StateFile
from har.live.watch import Watch

if TYPE_CHECKING:
    from har.live.homeassistant import HomeAssistant
    from har.live.metrics import Metrics
    from har.live.notify import Notifier


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Return an event that Ctrl-C or a service manager's stop sets; for the main thread only.

    The second signal does what it does without this, so that a run that hangs can be ended.
    """
    event = threading.Event()
    before = {int(number): signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, _: object) -> None:
        event.set()
        signal.signal(number, before[number])

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


ALERTS_DIR = "alerts"


class Screen(Sink, AlertListener, Protocol):
    """A listener that shows what happens."""

    def note(self, text: str) -> None:
        """Show a warning; called from any thread."""
        ...


@dataclass(frozen=True)
class Job:
    """What to watch, and how.

    Attributes:
        recognizer: The loaded bundle.
        sources: The cameras.
        settings: What follows from an event.
        decode: How scores become events.
        out: Folder of the event log and the alerts.
        bundle: The bundle's name, for the alerts' records.
    """

    recognizer: Recognizer
    sources: Sequence[Source]
    settings: WatchSettings
    decode: DecodeConfig
    out: Path
    bundle: str

    @property
    def labels(self) -> tuple[str, ...]:
        """Those that can make events, in the model's order."""
        known = self.recognizer.info.labels
        return tuple(label for label in known if label != self.decode.background)


def check_job(job: Job, where: str, mistakes: Mistakes) -> None:
    """Check all that the types of settings cannot know; nothing is opened, nobody is told anything.

    Args:
        job: What is to be watched; without sources, names of cameras are not checked.
        where: The settings' file.
        mistakes: Gets rules for labels without events and for cameras that are not watched, and
            addresses that cannot be used.

    Raises:
        ModuleNotFoundError: The package of notifications is not installed.
    """
    names = tuple(source.name for source in job.sources)
    with mistakes.gathering():
        for label in job.decode.labels:
            ok, expected = label in job.labels, f"one of {job.labels}"
            check(ok, "a label with settings of its own", label, expected)
    with mistakes.gathering(where):
        job.settings.alerts.check_names(job.labels, names)
    with mistakes.gathering(where):
        for name in job.settings.frigate.cameras if names else ():
            check(name in names, "a camera of [frigate.cameras]", name, f"one of {names}")
    ca_file = job.settings.mqtt.ca_file
    with mistakes.gathering(where):
        ok = not ca_file or Path(ca_file).is_file()
        check(ok, "ca_file of [mqtt]", ca_file, "a file of certificates")
    if job.settings.notify.urls:
        from har.live.notify import check_addresses

        with mistakes.gathering(where):
            check_addresses(job.settings.notify)


def run_service(
    job: Job, until: Event, screen: Screen, echo: Callable[[str], None] | None = None
) -> Summary:
    """Watch until ``until`` is set or all sources have ended; return counts of what happened.

    Args:
        job: What to watch, and how.
        until: Ends the watch when set.
        screen: Shows what happens.
        echo: Is called with each line of the event log.

    Raises:
        ConfigError: An address of notifications, the port of metrics or the certificates of a
            broker cannot be used.
        ModuleNotFoundError: The package of notifications, metrics or MQTT is not installed.
        OutputError: The event log cannot be opened.
    """
    settings, summary = job.settings, Summary()
    with ExitStack() as stack:
        stack.enter_context(_notes_to(screen))
        notifier = _open_notifier(settings.notify)
        metrics = _serve_metrics(settings.metrics, notifier, stack)
        journal = stack.enter_context(Journal(job.out, echo))
        folder = AlertFolder(job.out / ALERTS_DIR, job.bundle)
        folder.settle()
        stack.enter_context(Retention(settings.retention, folder, journal))
        home = _open_home(job, stack)
        frigate = [Frigate(settings.frigate)] if settings.frigate.url else []
        listeners = [journal, summary, *metrics, *home, *frigate, screen]
        clips = _open_clips(job)
        rules = AlertRules(settings.alerts, job.decode)
        pictures = _choose_pictures(settings.mqtt, home)
        manager = AlertManager(rules, folder, clips, notifier, listeners, pictures)
        sinks = [*listeners, StateFile(job.out), manager]
        Watch(job.recognizer, job.sources, settings.watch, sinks, clips, job.decode).run(until)
    if notifier is not None:
        summary.n_undelivered = notifier.n_undelivered
    return summary


def _open_notifier(config: NotifyConfig) -> Notifier | None:
    if not config.urls:
        return None
    from har.live.notify import Notifier

    return Notifier(config)


def _serve_metrics(
    config: MetricsConfig, notifier: Notifier | None, stack: ExitStack
) -> list[Metrics]:
    if not config.port:
        return []
    from har.live.metrics import Metrics, MetricsServer

    metrics = Metrics(
        config.stall_s, count_undelivered=lambda: notifier.n_undelivered if notifier else 0
    )
    stack.enter_context(MetricsServer(metrics, config))
    return [metrics]


def _open_home(job: Job, stack: ExitStack) -> list[HomeAssistant]:
    config = job.settings.mqtt
    if not config.host:
        return []
    from har.live.homeassistant import HomeAssistant
    from har.live.mqtt import Broker

    broker = stack.enter_context(Broker(config))
    cameras = [source.name for source in job.sources]
    return [HomeAssistant(broker, config, cameras, job.labels, job.bundle)]


def _choose_pictures(config: MqttConfig, home: list[HomeAssistant]) -> Pictures | None:
    return Pictures(home[0].on_picture, config.picture_px) if home and config.picture else None


def _open_clips(job: Job) -> ClipKeeper | None:
    settings = job.settings
    if not settings.clips.on:
        return None
    waits_s = [settings.alerts.rule(label).min_s for label in job.recognizer.info.labels]
    return ClipKeeper(settings.clips, max(waits_s), settings.privacy)


@contextmanager
def _notes_to(screen: Screen) -> Iterator[None]:
    """Show warnings of har's own logger on the screen."""
    logger, handler = logging.getLogger("har"), _ScreenHandler(screen)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)


class _ScreenHandler(logging.Handler):
    def __init__(self, screen: Screen) -> None:
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        self._screen.note(record.getMessage())
