"""What projects and exports of BORIS have in common.

An observation plays its videos one after another on one timeline. A state is two rows, a point is
one. The action's target is a modifier ``target: NAME``, so that exports name it too; the annotator
and the group are independent variables; a score stands before the comment: ``[score 0.87]``.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from har.interchange.events import (
    MAX_TIME_S,
    CodedEvent,
    EventTable,
    Media,
    build_table,
    merge_overlaps,
    name_some,
)

NO_SUBJECT = "No focal subject"
START, STOP, POINT, STATE = "START", "STOP", "POINT", "STATE"
VARIABLES = ("annotator", "group")
"""The independent variables of an observation that are written."""
ANNOTATORS = ("annotator", "observer", "coder", "rater")
TARGET = "target"
_PREFIX = f"{TARGET}: "
_NOT_CHOSEN = ("", "None", "NA")
_SCORE = re.compile(r"\[score ([\d.e-]+)\] ?(.*)", re.DOTALL)
_BAR = re.compile(r"\||%(?=7C|25)")
_ESCAPED_BAR = re.compile(r"%(7C|25)")


@dataclass(frozen=True)
class Row:
    """One row of an observation: the start or stop of a state, or a point.

    Attributes:
        time_s: On the timeline of the observation.
        subject: Empty where there is none.
        code: Of the behavior.
        modifiers: One a set, in the order of the sets.
        comment: Free text.
        kind: START, STOP or POINT.
    """

    time_s: float
    subject: str
    code: str
    modifiers: tuple[str, ...]
    comment: str
    kind: str


@dataclass(frozen=True)
class Span:
    """A state from its start to its stop, or a point with both at one time."""

    start_s: float
    end_s: float
    subject: str
    code: str
    modifiers: tuple[str, ...] = ()
    comment: str = ""


@dataclass(frozen=True)
class Observation:
    """One observation without its events.

    Attributes:
        name: Its id.
        media: What player 1 plays, in order; not empty.
        starts_s: When each of them begins in the times of the events.
        annotator: Empty where that is not said.
    """

    name: str
    media: tuple[Media, ...]
    starts_s: tuple[float, ...]
    annotator: str = ""


def build_observation(
    name: str, media: Sequence[Media], offset_s: float, annotator: str
) -> Observation:
    """Return an observation whose videos follow one another without a gap.

    Args:
        name: Its id.
        media: A video whose length is not known lasts until the end of the timeline.
        offset_s: What BORIS added to all times.
        annotator: Empty where that is not said.

    >>> media = [Media("a", 60.5), Media("b", 30)]
    >>> build_observation("day 1", media, 10, "").starts_s
    (10, 70.5)
    """
    lengths_s = [_floor_ms(item.duration_s) for item in media[:-1]]
    starts_s = tuple(accumulate(lengths_s, initial=offset_s))
    return Observation(name, tuple(media), starts_s, annotator)


def _floor_ms(length_s: float | None) -> float:
    """Return a length as BORIS adds it up: whole milliseconds."""
    return math.inf if length_s is None else math.floor(length_s * 1000 + 1e-6) / 1000


def pair_rows(rows: Iterable[Row]) -> tuple[list[Span], list[str]]:
    """Return the states and points that rows make, and where a state lacks its start or stop.

    An unpaired row becomes a point: how long the state lasted is not known.

    Args:
        rows: Of one observation, by time.

    >>> rows = [Row(t, "", "hit", (), "", kind) for t, kind in [(1, START), (2, STOP), (3, START)]]
    >>> spans, unpaired = pair_rows(rows)
    >>> [(span.start_s, span.end_s) for span in spans], unpaired
    ([(1, 2), (3, 3)], ['START of hit at 3 s'])
    """
    spans: list[Span] = []
    unpaired: list[str] = []
    running: dict[tuple[str, str, tuple[str, ...]], Row] = {}

    def add_point(row: Row) -> None:
        spans.append(_join(row, row))
        if row.kind != POINT:
            unpaired.append(f"{row.kind} of {row.code} at {row.time_s:g} s")

    for row in rows:
        key = (row.subject, row.code, row.modifiers)
        if row.kind == POINT:
            add_point(row)
            continue
        start = running.pop(key, None)
        if row.kind == STOP and start is not None:
            spans.append(_join(start, row))
            continue
        if start is not None:
            add_point(start)
        if row.kind == START:
            running[key] = row
        else:
            add_point(row)
    for row in running.values():
        add_point(row)
    return spans, unpaired


def _join(start: Row, stop: Row) -> Span:
    comments = dict.fromkeys(filter(None, (start.comment, stop.comment)))
    return Span(
        *(start.time_s, stop.time_s, start.subject, start.code, start.modifiers),
        "; ".join(comments),
    )


def build_events(
    found: Sequence[tuple[Observation, Sequence[Span]]],
    set_names: Mapping[str, Sequence[str]],
    labels: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> EventTable:
    """Return the events of observations, each in its own video and with times from its beginning.

    Args:
        found: Observations and what was coded in them.
        set_names: Names of the sets of modifiers by the code of the behavior.
        labels: Codes that could be used, where the file says that.
        notes: What is known already.

    Raises:
        ValueError: A time is out of bounds.
    """
    named, more = _name_annotators(found)
    events: list[CodedEvent] = []
    split: list[str] = []
    early: list[str] = []
    for observation, (_, spans) in zip(named, found, strict=True):
        first_s = observation.starts_s[0]
        for span in spans:
            where = f"{span.code} at {span.start_s:g} s in {observation.name}"
            moved = replace(
                span, start_s=max(first_s, span.start_s), end_s=max(first_s, span.end_s)
            )
            try:
                parts = _place(observation, moved, set_names.get(span.code, ()))
            except ValueError as error:
                raise ValueError(f"{where}: {error}") from error
            events += parts
            early += [where] if moved != span else []
            split += [where] if len(parts) > 1 else []
    more += name_some(
        "Events that run on into the next video of their observation are split there", split
    )
    more += name_some("Events before the beginning of their video were moved to it", early)
    media = (item for observation in named for item in observation.media)
    return build_table(events, media, labels, (*notes, *more))


def _name_annotators(
    found: Sequence[tuple[Observation, Sequence[Span]]],
) -> tuple[list[Observation], list[str]]:
    """Name annotators by the observation, where two code the same and nobody is named."""
    coded = [
        {
            (media.video, observation.annotator, span.subject, span.code)
            for media in observation.media
            for span in spans
        }
        for observation, spans in found
    ]
    n_coded = Counter(key for keys in coded for key in keys)
    named, changed = [], []
    for (observation, _), keys in zip(found, coded, strict=True):
        if any(n_coded[key] > 1 for key in keys):
            changed.append(observation.name)
            names = filter(None, (observation.annotator, observation.name))
            observation = replace(observation, annotator=" ".join(names))
        named.append(observation)
    return named, name_some(
        "Several observations code the same in one video; each counts as an annotator", changed
    )


def _place(observation: Observation, span: Span, names: Sequence[str]) -> list[CodedEvent]:
    """Return the part of a span in each video that it reaches."""
    starts_s = observation.starts_s
    first = bisect_right(starts_s, span.start_s) - 1
    last = max(first, bisect_left(starts_s, span.end_s) - 1)
    target, more = _split_modifiers(span.modifiers, names)
    score, comment = _split_score(span.comment)
    comment = "; ".join(filter(None, (comment, *more)))
    subject = "" if span.subject == NO_SUBJECT else span.subject
    events = []
    for place in range(first, last + 1):
        next_s = starts_s[place + 1] if place < last else math.inf
        start_s = round(max(span.start_s - starts_s[place], 0.0), 3)
        end_s = round(min(span.end_s, next_s) - starts_s[place], 3)
        events.append(
            CodedEvent(
                *(observation.media[place].video, start_s, end_s, span.code, subject, target),
                *(observation.annotator, comment, start_s == end_s, score),
            )
        )
    return events


def _split_modifiers(values: Sequence[str], names: Sequence[str]) -> tuple[str, list[str]]:
    """Return whom an action is done to, and all other modifiers as texts for the comment."""
    target, more = "", []
    for place, value in enumerate(values):
        name = names[place] if place < len(names) else ""
        if value in _NOT_CHOSEN:
            continue
        if not target and (value.startswith(_PREFIX) or name.strip().lower() == TARGET):
            target = _ESCAPED_BAR.sub(
                lambda match: "|" if match[1] == "7C" else "%", value.removeprefix(_PREFIX)
            )
        else:
            more.append(f"{name or f'modifier {place + 1}'}: {value}")
    return target, more


def format_target(target: str) -> str:
    """Return the modifier for whom an action is done to; ``|`` parts modifiers, so it is escaped.

    >>> format_target("child 2"), format_target("a|b"), format_target("")
    ('target: child 2', 'target: a%7Cb', '')
    """
    text = _BAR.sub(lambda match: "%7C" if match[0] == "|" else "%25", target)
    return f"{_PREFIX}{text}" if target else ""


def format_comment(event: CodedEvent) -> str:
    """Return the comment with the score, if there is one.

    >>> format_comment(CodedEvent("a", 0, 1, "hit", comment="hard", score=0.875))
    '[score 0.875] hard'
    """
    score = "" if event.score is None else f"[score {event.score:.6g}]"
    return " ".join(filter(None, (score, event.comment)))


def _split_score(comment: str) -> tuple[float | None, str]:
    match = _SCORE.fullmatch(comment)
    try:
        score = float(match[1]) if match else math.nan
    except ValueError:
        return None, comment
    return (score, match[2]) if match and 0.0 <= score <= 1.0 else (None, comment)


def fit_events(events: Iterable[CodedEvent]) -> list[CodedEvent]:
    """Return events with times in whole milliseconds; points have no length.

    >>> found = fit_events([CodedEvent("a", 0.0006, 0.0008, "hit")])
    >>> [(event.start_s, event.end_s) for event in found]
    [(0.001, 0.002)]
    """
    fitted = []
    for event in events:
        start_s = round(min(event.start_s, MAX_TIME_S - 0.001), 3)
        end_s = start_s if event.point else max(round(event.end_s, 3), round(start_s + 0.001, 3))
        subject = "" if event.subject == NO_SUBJECT else event.subject
        fitted.append(replace(event, start_s=start_s, end_s=end_s, subject=subject))
    return fitted


def merge_events(events: Iterable[CodedEvent]) -> tuple[list[CodedEvent], list[str]]:
    """Return events as BORIS can hold them: `fit_events`, and no state within another.

    Returns:
        The events by start, and notes on what was joined, or runs at once with another target.
    """
    found, notes = merge_overlaps(fit_events(events))
    ends: dict[tuple[str, ...], tuple[float, str]] = {}
    at_once = []
    for event in found:
        key = (event.video, event.subject, event.annotator, event.label)
        end_s, target = ends.get(key, (0.0, ""))
        if event.point:
            continue
        if event.start_s < end_s and event.target != target:
            at_once.append(f"{event.label} at {event.start_s:g} s in {event.video}")
        ends[key] = max(ends.get(key, (0.0, "")), (event.end_s, event.target))
    notes += name_some(
        "Events of one subject and label with different targets overlap; BORIS tells them apart "
        "in analyses with 'include modifiers' only",
        at_once,
    )
    return found, notes
