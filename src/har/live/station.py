"""A whole watch: cameras in; journal, alerts, clips, notices, figures and a screen out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Protocol

from har.config import DecodeConfig, MetricsConfig, NotifyConfig, WatchSettings
from har.config.bounds import check
from har.live.alert_folder import AlertFolder
from har.live.alerts import AlertListener, AlertRules
from har.live.clips import ClipKeeper
from har.live.desk import AlertDesk
from har.live.journal import Journal
from har.live.messages import Sink
from har.live.retention import Retention
from har.live.sources import Source
from har.live.tally import Tally
from har.live.watch import Watch
from har.runtime.recognizer import Recognizer

if TYPE_CHECKING:
    from har.live.metrics import Metrics
    from har.live.notify import Notifier

ALERTS_DIR = "alerts"


class Screen(Sink, AlertListener, Protocol):
    """Shows a person what happens."""

    def note(self, text: str) -> None:
        """Shows something that went wrong; called from any thread."""
        ...


@dataclass(frozen=True)
class Job:
    """What is to be watched, and how.

    Attributes:
        recognizer: The loaded bundle.
        sources: The cameras.
        settings: What follows from an event.
        decode: How scores become events.
        out: Folder of the journal and the alerts.
        bundle: The bundle's name, for the alerts' records.

    Raises:
        ConfigError: A rule is for a label that makes no events, or for a camera that there is not.
    """

    recognizer: Recognizer
    sources: Sequence[Source]
    settings: WatchSettings
    decode: DecodeConfig
    out: Path
    bundle: str

    def __post_init__(self) -> None:
        background = self.decode.background
        labels = tuple(label for label in self.recognizer.info.labels if label != background)
        for label in self.decode.labels:
            check(label in labels, "the label of a rule", label, f"one of {labels}")
        names = tuple(source.name for source in self.sources)
        self.settings.alerts.check_names(labels, names)


def run_station(
    job: Job, until: Event, screen: Screen, echo: Callable[[str], None] | None = None
) -> Tally:
    """Watches until ``until`` is set or all sources have ended; gives what was seen.

    Args:
        job: What and how.
        until: Ends the watch.
        screen: Shows it.
        echo: Is called with each line of the journal.

    Raises:
        ConfigError: An address of notices or the port of figures cannot be used.
        ModuleNotFoundError: Notices or figures were asked for and their package is not installed.
        OutputError: The journal cannot be opened.
    """
    settings, tally = job.settings, Tally()
    with ExitStack() as stack:
        stack.enter_context(_notes_to(screen))
        notifier = _open_notifier(settings.notify)
        metrics = _serve_metrics(settings.metrics, stack)
        journal = stack.enter_context(Journal(job.out, echo))
        folder = AlertFolder(job.out / ALERTS_DIR, job.bundle)
        stack.enter_context(Retention(settings.retention, folder, journal))
        listeners = [journal, tally, *metrics, screen]
        clips = _open_clips(job)
        rules = AlertRules(settings.alerts, job.decode)
        desk = AlertDesk(rules, folder, clips, notifier, listeners)
        sinks = [*listeners, desk]
        Watch(job.recognizer, job.sources, settings.watch, sinks, clips, job.decode).run(until)
    return tally


def _open_notifier(config: NotifyConfig) -> Notifier | None:
    if not config.urls:
        return None
    from har.live.notify import Notifier

    return Notifier(config)


def _serve_metrics(config: MetricsConfig, stack: ExitStack) -> list[Metrics]:
    if not config.port:
        return []
    from har.live.metrics import Metrics, MetricsServer

    metrics = Metrics(config.stall_s)
    stack.enter_context(MetricsServer(metrics, config))
    return [metrics]


def _open_clips(job: Job) -> ClipKeeper | None:
    settings = job.settings
    if not settings.clips.on:
        return None
    waits_s = [settings.alerts.rule(label).min_s for label in job.recognizer.info.labels]
    return ClipKeeper(settings.clips, max(waits_s))


@contextmanager
def _notes_to(screen: Screen) -> Iterator[None]:
    """Shows warnings of har's own logger on the screen."""
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
