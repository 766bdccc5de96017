"""Projects of BORIS, ``.boris`` and ``.boris.gz``: JSON in format 7.0, as BORIS 10 writes it.

Every second row of a subject, behavior and its modifiers is a stop. A state that lacks its start or
stop is read as a point.

Source: BORIS 10.0.2, https://www.boris.unito.it, by trial; ``project_functions.py``.
"""

from __future__ import annotations

import gzip
import io
import math
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from har.errors import InterchangeError
from har.interchange.boris_observation import (
    ANNOTATORS,
    POINT,
    START,
    STATE,
    STOP,
    VARIABLES,
    Observation,
    Row,
    build_events,
    build_observation,
    pair_rows,
)
from har.interchange.boris_writing import POINTS, write_project
from har.interchange.events import MAX_TIME_S, EventTable, Media, name_some
from har.interchange.format import MAX_BYTES, Format, Source, parse_json

_GZIP = b"\x1f\x8b"
_BROKEN = (KeyError, TypeError, AttributeError, ValueError, IndexError, OverflowError)


def _matches(source: Source) -> bool:
    name = source.path.name.lower()
    if source.head.startswith(_GZIP):
        return name.endswith(".boris.gz")
    return source.is_json and (name.endswith(".boris") or b'"behaviors_conf"' in source.head)


def read_project(source: Source) -> EventTable:
    """Read all observations of a project.

    Raises:
        InterchangeError: It is damaged, unpacks to too much, or is no project.
    """
    values = parse_json(source.path, _unpack(source), lambda _: None)
    try:
        return _read(values)
    except _BROKEN as error:
        raise InterchangeError(
            f"{source.path} cannot be read as a project of BORIS: {error!r}. Open it in BORIS, run "
            "'Project > Check project integrity' and save it again"
        ) from error


def _unpack(source: Source) -> bytes:
    if not source.data.startswith(_GZIP):
        return source.data
    try:
        with gzip.open(io.BytesIO(source.data)) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InterchangeError(f"{source.path} is damaged as a gzip file: {error}") from error
    if len(data) > MAX_BYTES:
        raise InterchangeError(f"{source.path} unpacks to more than {MAX_BYTES // 2**20} MiB")
    return data


@dataclass(frozen=True)
class _Behavior:
    label: str
    is_state: bool
    set_names: tuple[str, ...]


def _read(values: Mapping[str, Any]) -> EventTable:
    ethogram = _read_ethogram(values["behaviors_conf"])
    found, notes = [], _Notes()
    for name, item in values["observations"].items():
        observation = _read_observation(name, item, notes)
        spans, unpaired = pair_rows(_read_rows(name, item["events"], ethogram, notes))
        notes.unpaired += [f"{row} in {name}" for row in unpaired]
        found.append((observation, spans))
    return build_events(
        found,
        {behavior.label: behavior.set_names for behavior in ethogram.values()},
        (behavior.label for behavior in ethogram.values()),
        notes.list(),
    )


class _Notes:
    """What is not as it should be in a project."""

    def __init__(self) -> None:
        self.unpaired: list[str] = []
        self.untimed: list[str] = []
        self.unknown: dict[str, None] = {}
        self.without_video: list[str] = []
        self.other_players: list[str] = []
        self.unmeasured: list[str] = []
        self.variables: dict[str, None] = {}

    def list(self) -> list[str]:
        return [
            *name_some("States without a start or stop are read as points", self.unpaired),
            *name_some("Rows without a time are left out", self.untimed),
            *name_some(
                "Behaviors that are not in the ethogram are read as points", list(self.unknown)
            ),
            *name_some("Observations without a video are named by their id", self.without_video),
            *name_some(
                "Several players show the same time; the events are named by the videos of the "
                "first",
                self.other_players,
            ),
            *name_some(
                "The length of a video that others follow is unknown, so their events stand in it",
                self.unmeasured,
            ),
            *name_some("Independent variables are not read", list(self.variables)),
        ]


def _read_ethogram(values: Mapping[str, Any]) -> dict[str, _Behavior]:
    codes = {str(item["code"]) for item in values.values()}
    found = {}
    for item in values.values():
        code, sets = str(item["code"]), item.get("modifiers") or {}
        is_state = STATE in str(item["type"]).upper()
        base = code.removesuffix(POINTS)
        names = [str(one.get("name", "")) for one in sets.values()] if _is_map(sets) else []
        label = code if is_state or base not in codes else base
        found[code] = _Behavior(label, is_state, tuple(names))
    return found


def _is_map(value: object) -> bool:
    """Return whether a value is a JSON object; old projects have texts in its place."""
    return isinstance(value, Mapping)


def _read_observation(name: str, item: Mapping[str, Any], notes: _Notes) -> Observation:
    players = item["file"] if _is_map(item.get("file")) else {}
    paths = [str(path) for path in players.get("1") or ()]
    variables = item.get("independent_variables") or {}
    notes.variables |= dict.fromkeys(
        key
        for key, value in variables.items()
        if value and key.lower() not in (*ANNOTATORS, *VARIABLES)
    )
    annotator = _read_variable(variables, ANNOTATORS)
    group = _read_variable(variables, VARIABLES[1:])
    offset_s = float(item.get("time offset") or 0)
    if not paths:
        notes.without_video.append(name)
        return build_observation(name, [Media(name, group=group)], offset_s, annotator)
    if any(other for key, other in players.items() if key != "1"):
        notes.other_players.append(name)
    info = item.get("media_info") or {}
    lengths, rates = info.get("length") or {}, info.get("fps") or {}
    media = [
        Media(path, _read_positive(lengths.get(path)), _read_positive(rates.get(path)), group)
        for path in paths
    ]
    observation = build_observation(name, media, offset_s, annotator)
    if not item.get("media_creation_date_as_offset"):
        unknown = [one.video for one in media[:-1] if one.duration_s is None]
        notes.unmeasured += [f"{video} in {name}" for video in unknown]
        return observation
    begins_s = {path: float(time_s) for path, time_s in info["media_creation_time"].items()}
    media.sort(key=lambda one: begins_s[one.video])
    starts_s = tuple(begins_s[one.video] + offset_s for one in media)
    return Observation(name, tuple(media), starts_s, annotator)


def _read_variable(variables: Mapping[str, Any], names: Sequence[str]) -> str:
    found = (value for key, value in variables.items() if key.lower() in names and value)
    return str(next(found, ""))


def _read_positive(value: object) -> float | None:
    """Return a length or rate, or None where it is none."""
    number = float(str(value)) if isinstance(value, int | float) else 0.0
    return number if 0.0 < number <= MAX_TIME_S else None


def _read_rows(
    name: str, values: Sequence[Sequence[Any]], ethogram: Mapping[str, _Behavior], notes: _Notes
) -> Iterator[Row]:
    """Iterate over the rows of an observation by time; every second of a state is a stop."""
    timed = []
    for value in values:
        code = str(value[2])
        if value[0] is None or not math.isfinite(float(value[0])):
            notes.untimed.append(f"{code} in {name}")
            continue
        timed.append((round(float(value[0]), 3), str(value[1]), code, value))
    n_seen: Counter[tuple[object, ...]] = Counter()
    for time_s, subject, code, value in sorted(timed, key=lambda item: item[:3]):
        behavior = ethogram.get(code)
        if behavior is None:
            notes.unknown[code] = None
            behavior = _Behavior(code, False, ())
        modifiers = tuple(str(value[3] or "").split("|"))
        n_seen[subject, code, modifiers] += 1
        stop_or_start = START if n_seen[subject, code, modifiers] % 2 else STOP
        kind = stop_or_start if behavior.is_state else POINT
        yield Row(time_s, subject, behavior.label, modifiers, str(value[4] or ""), kind)


FORMAT = Format(
    "boris",
    "project of BORIS",
    (".boris", ".boris.gz"),
    _matches,
    read_project,
    write_project,
    frozenset({"subject", "target", "annotator", "comment", "point", "score"}),
    is_exact=False,
)
