"""Live cameras (`har watch`): how they are read, and what follows from an event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, ClassVar

from har.config.bounds import Mistakes, check, check_range
from har.config.listeners import FrigateConfig, MqttConfig
from har.config.privacy import PrivacyConfig
from har.config.rules import check_label_rules, derive_rule
from har.errors import ConfigError


@dataclass(frozen=True)
class WatchConfig:
    """How live cameras are watched (`har watch`).

    Attributes:
        n_overlap: Windows that cover each step; at most the model's steps in a window, which
            means a window at every step, so that the newest frame is in the newest score.
        max_wait_s: Steps that wait longer for recognition are passed over, and counted; more waits
            out longer pauses of the machine, and makes scores come later.
        connect_s: A camera that does not answer within this is given up until the next try.
        frozen_s: A camera without a new frame for this long counts as frozen.
        lost_s: Without one for this long it is lost and connected anew.
        still_s: So long the very same picture counts as frozen too; noise keeps a real one moving.
        jump_s: A camera's clock that leaps by more than this has jumped.
        max_late_s: Frames that come later than this, because they could not be decoded in time, are
            passed over up to the next key frame.
        retry_first_s: About the wait before the first try to connect anew; it doubles with each.
        retry_most_s: About the longest.
        state_every_s: Seconds between reports of a camera's state when nothing happens.
        memory_s: Fps and latency are over this long.
        loop: Files begin anew when they have ended, for trials.
    """

    n_overlap: int = 64
    max_wait_s: float = 0.6
    connect_s: float = 10.0
    frozen_s: float = 3.0
    lost_s: float = 10.0
    still_s: float = 30.0
    jump_s: float = 5.0
    max_late_s: float = 4.0
    retry_first_s: float = 0.5
    retry_most_s: float = 30.0
    state_every_s: float = 1.0
    memory_s: float = 5.0
    loop: bool = False

    def __post_init__(self) -> None:
        check_range(
            self,
            n_overlap=(1, 512),
            max_wait_s=(0.05, 60.0),
            connect_s=(0.1, 300.0),
            frozen_s=(0.1, 600.0),
            lost_s=(0.2, 3600.0),
            still_s=(0.1, 86_400.0),
            jump_s=(0.5, 600.0),
            max_late_s=(0.1, 600.0),
            retry_first_s=(0.01, 60.0),
            retry_most_s=(0.01, 3600.0),
            state_every_s=(0.05, 60.0),
            memory_s=(0.5, 600.0),
        )
        check(self.lost_s >= self.frozen_s, "lost_s", self.lost_s, f"at least {self.frozen_s:g}")
        check(self.jump_s > self.max_late_s, "jump_s", self.jump_s, f"over {self.max_late_s:g}")


CAMERA_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
"""A name of a camera, which is part of files' names."""

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class AlertRule:
    """When an event of one label becomes an alert.

    Attributes:
        on: False keeps the label silent; its events are still in the journal.
        score: Events with a lower score are passed over.
        min_s: So are those that have lasted less, in seconds.
        cool_down_s: After an alert, for so long there is none of this label from this camera.
    """

    on: bool = True
    score: float = 0.7
    min_s: float = 1.0
    cool_down_s: float = 60.0

    def __post_init__(self) -> None:
        check_range(self, score=(0.0, 1.0), min_s=(0.0, 600.0), cool_down_s=(0.0, 86_400.0))


@dataclass(frozen=True)
class QuietHours:
    """Hours of every day, ``[start, end)`` in local time, in which there are no alerts.

    Attributes:
        start: Later than ``end`` where they cross midnight.
        end: The first minute that is not quiet any more.
        cameras: Names of the cameras it holds for; empty for all.
    """

    start: time
    end: time
    cameras: tuple[str, ...] = ()

    def covers(self, moment: time, camera: str) -> bool:
        """Return whether a local time of day is quiet for a camera.

        >>> QuietHours(time(22), time(6, 30)).covers(time(3, 15), "hall")
        True
        """
        if self.cameras and camera not in self.cameras:
            return False
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


@dataclass(frozen=True)
class AlertsConfig(AlertRule):
    """Rules of alerts: one for every label that has none of its own in ``labels``.

    Attributes:
        labels: For some labels, the settings of `AlertRule` that are different for them.
        quiet: Tables with ``hours`` such as ``22:00-06:30``, in local time, and, where they hold
            for some cameras only, ``cameras``.
    """

    labels: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    quiet: tuple[Mapping[str, Any], ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        mistakes = Mistakes()
        for values in self.quiet:
            with mistakes.gathering():
                _parse_quiet(values)
        with mistakes.gathering():
            check_label_rules(self, AlertRule, "alerts of the label")
        mistakes.refuse()

    def rule(self, label: str) -> AlertRule:
        """Return the rule of a label: its own settings over those of all.

        >>> AlertsConfig(min_s=2.0, labels={"hit": {"score": 0.9}}).rule("hit")
        AlertRule(on=True, score=0.9, min_s=2.0, cool_down_s=60.0)
        """
        return derive_rule(self, AlertRule, label)

    def quiet_hours(self) -> tuple[QuietHours, ...]:
        """Return ``quiet`` as times of day."""
        return tuple(_parse_quiet(values) for values in self.quiet)

    def check_names(self, labels: tuple[str, ...], cameras: tuple[str, ...]) -> None:
        """Refuse rules that would never do anything because of a misspelt name.

        Args:
            labels: Those that can make events.
            cameras: Names of all that are watched.

        Raises:
            ConfigError: A rule is for a label, or hours for a camera, that there is not; all are
                told.
        """
        mistakes = [
            f"[alerts.labels.{label}] is for a label that the model cannot raise; it has: "
            f"{', '.join(labels)}. Rename the table, or name another model with --bundle"
            for label in self.labels
            if label not in labels
        ]
        named = [name for hours in self.quiet_hours() for name in hours.cameras]
        mistakes += [
            f"[[alerts.quiet]] names the camera {name!r}, which is not watched; there are: "
            f"{', '.join(cameras)}"
            for name in named
            if cameras and name not in cameras
        ]
        Mistakes(mistakes).refuse()


def _parse_quiet(values: object) -> QuietHours:
    if not isinstance(values, Mapping) or not {"hours"} <= set(values) <= {"hours", "cameras"}:
        raise ConfigError(f"quiet must be tables with hours and cameras, received {values!r}")
    hours, cameras = values["hours"], values.get("cameras", ())
    match = _HOURS.fullmatch(hours) if isinstance(hours, str) else None
    if match is None:
        raise ConfigError(f"quiet must have hours such as '22:00-06:30', received hours={hours!r}")
    if not isinstance(cameras, list | tuple) or not all(isinstance(name, str) for name in cameras):
        raise ConfigError(f"quiet must have a list of names as cameras, received {cameras!r}")
    numbers = [int(part) for part in match.groups()]
    start, end = time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
    check(
        start != end, "quiet hours", hours, "from one time to another; on = false silences all day"
    )
    return QuietHours(start, end, tuple(cameras))


@dataclass(frozen=True)
class ClipsConfig:
    """The clip of an alert.

    Attributes:
        on: False keeps no clips; the alert itself is still written down.
        before_s: Seconds before the event's onset.
        after_s: Seconds after its end.
        max_s: A clip ends after so long, however long the event lasts.
        max_mb: Memory for the last seconds of one camera, in megabytes; where that is too little,
            clips start later.
        jpeg_hz: Pictures a second that are kept of cameras that give no packets, such as webcams.
    """

    on: bool = True
    before_s: float = 5.0
    after_s: float = 5.0
    max_s: float = 60.0
    max_mb: int = 48
    jpeg_hz: float = 12.5

    def __post_init__(self) -> None:
        check_range(
            self,
            before_s=(0.0, 120.0),
            after_s=(0.0, 120.0),
            max_s=(1.0, 600.0),
            max_mb=(1, 4096),
            jpeg_hz=(1.0, 60.0),
        )
        shortest_s = self.before_s + self.after_s
        check(self.max_s >= shortest_s, "max_s", self.max_s, f"at least {shortest_s:g}")


@dataclass(frozen=True)
class NotifyConfig:
    """Who is notified of an alert; nobody unless there is an address.

    Attributes:
        urls: Apprise addresses. They often hold passwords, so no message ever shows them.
        n_tries: Attempts for one notification before it is given up.
        retry_s: Wait after the first failed attempt; it doubles with each further one.
    """

    urls: tuple[str, ...] = field(default=(), repr=False)
    n_tries: int = 4
    retry_s: float = 2.0

    def __post_init__(self) -> None:
        check_range(self, n_tries=(1, 20), retry_s=(0.01, 600.0))
        if not all(isinstance(url, str) and url for url in self.urls):
            raise ConfigError("urls of [notify] must be a list of texts, received another kind")


@dataclass(frozen=True)
class RetentionConfig:
    """How long alerts, their clips and the lines of the event log (journal) are kept.

    Attributes:
        keep_days: Older ones are deleted; 0 keeps everything.
        every_s: Seconds from one check to the next.
    """

    keep_days: float = 0.0
    every_s: float = 3600.0

    def __post_init__(self) -> None:
        check_range(self, keep_days=(0.0, 36_500.0), every_s=(1.0, 86_400.0))


@dataclass(frozen=True)
class MetricsConfig:
    """The pages of health and figures.

    Attributes:
        port: 0 for none.
        host: Address to listen on; anything but loopback lets other machines read them.
        stall_s: Without new scores for so long, a camera counts as stalled.
    """

    port: int = 0
    host: str = "127.0.0.1"
    stall_s: float = 10.0

    def __post_init__(self) -> None:
        check_range(self, port=(0, 65_535), stall_s=(1.0, 3600.0))


@dataclass(frozen=True)
class WatchSettings:
    """All that ``har watch --config FILE`` may hold, a table for each.

    Any of its texts may be ``env:NAME`` or ``file:PATH``, for what a variable or a file holds.

    Attributes:
        sources: Cameras by name: a webcam's number, an address or a file. They often hold
            passwords, so no message ever shows them.
    """

    sources: Mapping[str, str | int] = field(default_factory=dict, repr=False)
    watch: WatchConfig = field(default_factory=WatchConfig)
    alerts: AlertsConfig = field(default_factory=AlertsConfig)
    clips: ClipsConfig = field(default_factory=ClipsConfig)
    privacy: PrivacyConfig = field(default_factory=PrivacyConfig)
    notify: NotifyConfig = field(default_factory=NotifyConfig)
    retention: RetentionConfig = field(default_factory=RetentionConfig)
    metrics: MetricsConfig = field(default_factory=MetricsConfig)
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    frigate: FrigateConfig = field(default_factory=FrigateConfig)

    HAS_SECRETS: ClassVar[bool] = True

    def __post_init__(self) -> None:
        mistakes = [
            f'sources must have lines such as hall = "rtsp://...", received another kind for '
            f"{name!r}. Names have letters, digits, '_', '.', '-'"
            for name, source in self.sources.items()
            if not CAMERA_NAME.fullmatch(name)
            or not isinstance(source, str | int)
            or isinstance(source, bool)
        ]
        if self.mqtt.picture and not self.clips.on:
            mistakes.append(
                "picture of [mqtt] must be false where [clips] has on = false: pictures of alerts "
                "are taken from what is held for clips"
            )
        Mistakes(mistakes).refuse()
