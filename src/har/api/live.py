"""Live cameras: events as they happen, alerts for a person to review."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from har.api.model import Model, load
from har.api.settings import Rules, StrPath, build_decode, extra, to_path
from har.config import (
    PRECISION,
    Faces,
    Mistakes,
    Precision,
    ShownPeople,
    Uncertain,
    WatchSettings,
    read_config,
    update_config,
)
from har.errors import ConfigError, HarError
from har.live.messages import Alert, CameraState, LiveEvent, LiveScores
from har.locks import locking
from har.types import Streams

if TYPE_CHECKING:
    from har.live.screen import Summary
    from har.live.service import Screen
    from har.live.sources import Source as LiveSource

Source = int | StrPath
"""A camera's number, an address, or a video file, which is played at its own speed."""


def _ignore(*_: object) -> None:
    """Take what nobody listens to."""


@dataclass(frozen=True)
class _Listener:
    """Shows all on a screen, and calls a user's functions."""

    screen: Screen
    call_event: Callable[[LiveEvent], None]
    call_alert: Callable[[Alert, str], None]
    call_state: Callable[[CameraState], None]

    def on_state(self, state: CameraState) -> None:
        self.screen.on_state(state)
        self.call_state(state)

    def on_scores(self, scores: LiveScores) -> None:
        self.screen.on_scores(scores)

    def on_event(self, event: LiveEvent) -> None:
        self.screen.on_event(event)
        self.call_event(event)

    def on_alert(self, alert: Alert, alert_id: str) -> None:
        self.screen.on_alert(alert, alert_id)
        self.call_alert(alert, alert_id)

    def note(self, text: str) -> None:
        self.screen.note(text)

    def close(self) -> None:
        self.screen.close()


def watch(
    sources: Source | Iterable[Source] = (),
    *,
    on_event: Callable[[LiveEvent], None] | None = None,
    on_alert: Callable[[Alert, str], None] | None = None,
    on_state: Callable[[CameraState], None] | None = None,
    model: Model | StrPath | None = None,
    streams: Streams | None = None,
    out: StrPath | None = None,
    decode: Rules | None = None,
    changes: Mapping[str, float] | None = None,
    settings: WatchSettings | StrPath | None = None,
    notify: Iterable[str] = (),
    keep_days: float | None = None,
    faces: Faces | None = None,
    people: ShownPeople | None = None,
    uncertain: Uncertain | None = None,
    metrics_port: int | None = None,
    exact: bool = False,
    precision: Precision = PRECISION,
    loop: bool = False,
    check_only: bool = False,
    duration_s: float | None = None,
    until: threading.Event | None = None,
    on_start: Callable[[Model, Sequence[str]], None] | None = None,
    screen: Screen | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Summary:
    """Watch live cameras, and tell events and alerts, until they end or it is stopped.

    Nothing leaves this machine unless ``notify`` or the settings say where to. Ctrl-C, or the
    interrupt of a notebook, ends the watch; what is open is told as final before it returns. An aid
    for people who look; never an unattended alarm.

    The functions are called in the caller's thread and hold up recognition meanwhile, so slow work
    belongs on a thread of its own. An error in one ends the watch and is raised here.

    Args:
        sources: One or several cameras: numbers, addresses (rtsp://, http://), or video files,
            which are played at their own speed; ``NAME=SOURCE`` gives one a name. None means those
            of the settings.
        on_event: Is called with each event when it opens (``is_open``) and when it is final.
        on_alert: Is called with each alert for review and its id.
        on_state: Is called with the state of each camera, about once a second.
        model: A loaded one, a folder or a name; the default as of `har.load` when None.
        streams: What it looks at, as of `har.load`; of a loaded one it stays what it is.
        out: Folder of event log, alerts and their clips; nothing stays on the disk when None.
        decode: Rules for events in the place of the model's, or a file of some that go over them.
        changes: Single settings over those: ``{"onset": 0.7, "hit.min_s": 1.0}``.
        settings: Rules of alerts, quiet hours, clips, notifications: values or a TOML file.
        notify: Apprise addresses that are told of alerts, over those of the settings.
        keep_days: What is older is deleted from ``out``.
        faces: What becomes of heads in clips of alerts: ``blur``, ``pixelate``, ``black``, or
            ``keep``; over the settings, like ``people`` and ``uncertain``.
        people: ``skeleton`` shows skeletons on the still background, and no people.
        uncertain: ``blur-moving`` also blurs what moves where nobody was found.
        metrics_port: Serve /healthz and /metrics (Prometheus) on 127.0.0.1.
        exact: Look at every moment; by default those at which nothing moves are taken for still.
        precision: As of `har.load`; of a loaded model it stays what it is.
        loop: Files begin anew when they have ended.
        check_only: Return an empty summary once all is checked, and open no camera.
        duration_s: Ends the watch after so many seconds.
        until: Ends the watch when it is set, from any thread.
        on_start: Is called with the model and the cameras' names before the first is opened.
        screen: Shows what happens; as `har.live.service.Screen`.
        on_line: Is called with each line of the event log, JSON.

    Returns:
        Counts of frames, events and alerts of each camera.

    Raises:
        ConfigError: Sources, rules or settings do not fit; all are told.
        BundleError: The model is absent or damaged.
        MissingDependencyError: The extra ``live`` is not installed.
        OutputError: The event log cannot be opened.
        LockedError: Another watch writes to the folder.

    Example:
        >>> import har
        >>> har.watch([0, "door=rtsp://10.0.0.9/main"], on_event=print)  # doctest: +SKIP
    """
    with extra("live"):
        from har.live.screen import Lines, Summary
        from har.live.service import Job, check_job, run_service

    several = [sources] if isinstance(sources, int | str | Path) else sources
    hidden = {"faces": faces, "people": people, "uncertain": uncertain}
    over: dict[str, dict[str, Any]] = {
        "notify": {"urls": tuple(notify) or None},
        "retention": {"keep_days": keep_days},
        "privacy": hidden,
        "metrics": {"port": metrics_port},
        "watch": {"loop": loop or None},
    }
    mistakes, where = Mistakes(), "the settings"
    if isinstance(settings, str | Path):
        where = str(settings)
    options = _build_settings(settings, over, mistakes)
    cameras = _parse_cameras([str(source) for source in several], options, mistakes, where)
    loaded = _load(model, exact, streams, precision, mistakes)
    rules = loaded.info.decode
    with mistakes.gathering():
        rules = build_decode(rules, decode, changes)
    folder = None if out is None else to_path(out)
    bundle = loaded.path.resolve().name
    job = Job(loaded.recognizer, cameras, options, rules, folder or Path(), bundle)
    with extra("live"):
        check_job(job, where, mistakes)
    mistakes.refuse()
    if on_start is not None:
        on_start(loaded, [camera.name for camera in cameras])
    if check_only:
        return Summary()
    shown = Lines(_ignore) if screen is None else screen
    listener = _Listener(shown, on_event or _ignore, on_alert or _ignore, on_state or _ignore)
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="har-")))
            mqtt = replace(options.mqtt, picture=False)
            options = replace(options, clips=replace(options.clips, on=False), mqtt=mqtt)
        stack.enter_context(locking(folder))
        stopped = stack.enter_context(_stop(until))
        stack.enter_context(_stop_after(stopped, duration_s))
        stack.enter_context(extra("live"))
        return run_service(replace(job, out=folder, settings=options), stopped, listener, on_line)


def _build_settings(
    settings: WatchSettings | StrPath | None,
    over: Mapping[str, Mapping[str, Any]],
    mistakes: Mistakes,
) -> WatchSettings:
    """Return the settings, of a file or the defaults, with those that are not None over them."""
    built = settings if isinstance(settings, WatchSettings) else WatchSettings()
    given = {
        table: {name: value for name, value in values.items() if value is not None}
        for table, values in over.items()
    }
    with mistakes.gathering():
        if isinstance(settings, str | Path):
            built = read_config(to_path(settings), built, mistakes)
        return update_config(built, given, "an option")
    return built


def _parse_cameras(
    texts: list[str], settings: WatchSettings, mistakes: Mistakes, where: str
) -> list[LiveSource]:
    from har.live.sources import parse_named_sources, parse_sources

    cameras: list[LiveSource] = []
    with mistakes.gathering():
        cameras = parse_sources(texts) if texts else []
    if not texts:
        cameras = parse_named_sources(settings.sources, mistakes, where)
    if not cameras and not mistakes.found:
        mistakes.found.append(
            "Expected at least one camera, received none; name one, or give settings "
            "with a table [sources]"
        )
    return cameras


def _load(
    model: Model | StrPath | None,
    exact: bool,
    streams: Streams | None,
    precision: Precision,
    mistakes: Mistakes,
) -> Model:
    try:
        if isinstance(model, Model):
            return model
        return load(model, exact=exact, streams=streams, precision=precision)
    except HarError as error:
        if mistakes.found:
            raise ConfigError(*mistakes.found, str(error)) from error
        raise


def _stop(until: threading.Event | None) -> AbstractContextManager[threading.Event]:
    """Return what ends the watch: the given event, else one that signals set, where they can."""
    from har.live.service import stop_on_signals

    if until is not None:
        return nullcontext(until)
    if threading.current_thread() is threading.main_thread():
        return stop_on_signals()
    return nullcontext(threading.Event())


@contextmanager
def _stop_after(until: threading.Event, duration_s: float | None) -> Generator[None]:
    if duration_s is None:
        yield
        return
    timer = threading.Timer(duration_s, until.set)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
