"""Live cameras: events as they happen, alerts for a person to review."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from har.api.model import Model, load
from har.api.settings import Rules, StrPath, build_decode, extra, to_path
from har.config import Faces, ShownPeople, Uncertain, WatchSettings, load_config
from har.errors import ConfigError
from har.live.messages import Alert, CameraState, LiveEvent, LiveScores
from har.locks import locking

if TYPE_CHECKING:
    from har.live.screen import Summary
    from har.live.service import Screen

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
        duration_s: Ends the watch after so many seconds.
        until: Ends the watch when it is set, from any thread.
        on_start: Is called with the model and the cameras' names before the first is opened.
        screen: Shows what happens; as `har.live.service.Screen`.
        on_line: Is called with each line of the event log, JSON.

    Returns:
        Counts of frames, events and alerts of each camera.

    Raises:
        ConfigError: A source, a rule or a setting does not fit.
        BundleError: The model is absent or damaged.
        MissingDependencyError: The extra ``live`` is not installed.
        OutputError: The event log cannot be opened.
        LockedError: Another watch writes to the folder.

    Example:
        >>> import har
        >>> har.watch([0, "door=rtsp://10.0.0.9/main"], on_event=print)  # doctest: +SKIP
    """
    with extra("live"):
        from har.live.screen import Lines
        from har.live.service import Job, run_service
    from har.live.sources import parse_sources

    several = [sources] if isinstance(sources, int | str | Path) else sources
    options = _build_settings(settings, tuple(notify), keep_days, metrics_port)
    hidden = {"faces": faces, "people": people, "uncertain": uncertain}
    given = {name: value for name, value in hidden.items() if value is not None}
    options = replace(options, privacy=replace(options.privacy, **given))
    named = [str(source) for source in several]
    cameras = parse_sources(named or [f"{name}={at}" for name, at in options.sources.items()])
    if not cameras:
        raise ConfigError(
            "Expected at least one camera, received none; name one, or give settings "
            "with a table [sources]"
        )
    loaded = model if isinstance(model, Model) else load(model)
    rules = build_decode(loaded.info.decode, decode, changes)
    shown = Lines(_ignore) if screen is None else screen
    listener = _Listener(shown, on_event or _ignore, on_alert or _ignore, on_state or _ignore)
    with ExitStack() as stack:
        folder = None if out is None else to_path(out)
        if folder is None:
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="har-")))
            options = replace(options, clips=replace(options.clips, on=False))
        stack.enter_context(locking(folder))
        job = Job(loaded.recognizer, cameras, options, rules, folder, loaded.path.resolve().name)
        if on_start is not None:
            on_start(loaded, [camera.name for camera in cameras])
        stopped = stack.enter_context(_stop(until))
        stack.enter_context(_stop_after(stopped, duration_s))
        stack.enter_context(extra("live"))
        return run_service(job, stopped, listener, on_line)


def _build_settings(
    settings: WatchSettings | StrPath | None,
    urls: tuple[str, ...],
    keep_days: float | None,
    port: int | None,
) -> WatchSettings:
    """Return the settings, of a file or the defaults, with single ones put over them."""
    if settings is None or isinstance(settings, WatchSettings):
        built = settings or WatchSettings()
    else:
        built = load_config(to_path(settings), WatchSettings())
    if urls:
        built = replace(built, notify=replace(built.notify, urls=urls))
    if keep_days is not None:
        built = replace(built, retention=replace(built.retention, keep_days=keep_days))
    if port is not None:
        built = replace(built, metrics=replace(built.metrics, port=port))
    return built


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
