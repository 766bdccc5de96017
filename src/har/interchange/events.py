"""One table of coded events, whatever tool they come from or go to, and what is done with it.

Times are seconds from the first frame of the event's own video.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from har.types import TIME_EPS_S

MAX_TIME_S = 1e9
"""Later events are refused: thirty years, more than any recording and less than a slip of units."""
_N_NAMED = 5


@dataclass(frozen=True)
class CodedEvent:
    """What a person or a model says to happen in a video, ``[start_s, end_s)``.

    Attributes:
        video: As the file names it: a path, or a name.
        start_s: Seconds from the first frame.
        end_s: Likewise; the same as ``start_s`` for a point event that has no length.
        label: What happens; not empty.
        subject: Who does it; empty where that is not said.
        target: Whom it is done to; empty where that is not said.
        annotator: Who coded it; empty where that is not said.
        comment: Free text.
        point: Whether only the moment was coded, also where the event has been given a length.
        score: From 0 to 1, of a model; None where there is none.
        weight: How much a clip of it counts in training; no file holds it.

    Raises:
        ValueError: The label is empty, or the times are none.
    """

    video: str
    start_s: float
    end_s: float
    label: str
    subject: str = ""
    target: str = ""
    annotator: str = ""
    comment: str = ""
    point: bool = False
    score: float | None = None
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.label:
            raise ValueError("its label is empty")
        if not 0.0 <= self.start_s <= self.end_s <= MAX_TIME_S:
            raise ValueError(
                f"expected 0 <= start_s < end_s, received {self.start_s:g} and {self.end_s:g}"
            )
        if self.start_s == self.end_s and not self.point:
            raise ValueError(f"it has no length and is no point event, at {self.start_s:g} s")
        if self.score is not None and not 0.0 <= self.score <= 1.0:
            raise ValueError(f"expected a score from 0 to 1, received {self.score:g}")


@dataclass(frozen=True)
class Media:
    """What a table says of a video, which may have no events.

    Attributes:
        video: As `CodedEvent.video`.
        duration_s: None where that is not said.
        fps: Frames a second; None where that is not said.
        group: What the video depends on others by, such as the child; empty where not said.
    """

    video: str
    duration_s: float | None = None
    fps: float | None = None
    group: str = ""

    def __post_init__(self) -> None:
        for name, value in (("duration_s", self.duration_s), ("fps", self.fps)):
            if value is not None and not 0.0 < value <= MAX_TIME_S:
                raise ValueError(f"expected {name} above 0, received {value:g}")


@dataclass(frozen=True)
class EventTable:
    """Coded events of some videos.

    Attributes:
        events: By video in the order of ``media``, then by start.
        media: Every video once, also those that were watched and in which nothing happens.
        labels: Those that could be coded, where the file says that; else empty.
        notes: What had to be assumed or mended to read it, for the user.
    """

    events: tuple[CodedEvent, ...]
    media: tuple[Media, ...] = ()
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def of_video(self, video: str) -> tuple[CodedEvent, ...]:
        """Return the events of one video."""
        return tuple(event for event in self.events if event.video == video)


def build_table(
    events: Iterable[CodedEvent],
    media: Iterable[Media] = (),
    labels: Iterable[str] = (),
    notes: Iterable[str] = (),
) -> EventTable:
    """Return events in order as a table that names all of their videos.

    Args:
        events: In any order.
        media: Videos that the file names; those of events are added.
        labels: Those that could be coded, where the file says that; then those of events are added.
        notes: For the user.

    >>> table = build_table([CodedEvent("a", 2, 3, "hit"), CodedEvent("a", 0, 1, "kick")])
    >>> [event.label for event in table.events], table.media
    (['kick', 'hit'], (Media(video='a', duration_s=None, fps=None, group=''),))
    """
    found = tuple(events)
    known = {item.video: item for item in media}
    for event in found:
        known.setdefault(event.video, Media(event.video))
    rank = {video: place for place, video in enumerate(known)}
    ordered = sorted(
        found, key=lambda item: (rank[item.video], item.start_s, item.end_s, item.label)
    )
    every = dict.fromkeys(labels)
    if every:
        every |= dict.fromkeys(event.label for event in found)
    return EventTable(tuple(ordered), tuple(known.values()), tuple(every), tuple(notes))


def join_tables(tables: Sequence[EventTable]) -> EventTable:
    """Return several tables as one; what the first says of a video counts where they differ."""
    media: dict[str, Media] = {}
    for item in (item for table in tables for item in table.media):
        first = media.setdefault(item.video, item)
        media[item.video] = replace(
            first,
            duration_s=first.duration_s or item.duration_s,
            fps=first.fps or item.fps,
            group=first.group or item.group,
        )
    return build_table(
        (event for table in tables for event in table.events),
        media.values(),
        (label for table in tables for label in table.labels),
        dict.fromkeys(note for table in tables for note in table.notes),
    )


def join_codings(named: Mapping[str, EventTable]) -> EventTable:
    """Return several tables as one; where two code the same at once, each counts as an annotator.

    Else events that several files hold would count twice.

    Args:
        named: Tables by what their annotators are called where they must be told apart.

    >>> hit = CodedEvent("a", 1, 2, "hit")
    >>> both = join_codings({"x.csv": build_table([hit]), "y.csv": build_table([hit])})
    >>> [event.annotator for event in both.events]
    ['x.csv', 'y.csv']
    """
    spans: list[dict[tuple[str, ...], tuple[float, float]]] = []
    for table in named.values():
        reached: dict[tuple[str, ...], tuple[float, float]] = {}
        for event in table.events:
            key = (event.video, event.annotator, event.subject, event.label)
            first_s, last_s = reached.get(key, (event.start_s, event.end_s))
            reached[key] = min(first_s, event.start_s), max(last_s, event.end_s)
        spans.append(reached)
    by_key: dict[tuple[str, ...], list[tuple[float, float, int]]] = {}
    for place, reached in enumerate(spans):
        for key, (first_s, last_s) in reached.items():
            by_key.setdefault(key, []).append((first_s, last_s, place))
    shared: set[int] = set()
    for found in by_key.values():
        found.sort()
        for before, after in pairwise(found):
            if after[0] <= before[1]:
                shared |= {before[2], after[2]}
    tables = [
        _name_annotator(table, name) if place in shared else table
        for place, (name, table) in enumerate(named.items())
    ]
    joined = join_tables(tables)
    notes = name_some(
        "Several files code the same in one video; each counts as an annotator",
        [name for place, name in enumerate(named) if place in shared],
    )
    return replace(joined, notes=(*joined.notes, *notes))


def _name_annotator(table: EventTable, name: str) -> EventTable:
    events = (
        replace(event, annotator=" ".join(filter(None, (event.annotator, name))))
        for event in table.events
    )
    return replace(table, events=tuple(events))


def give_length(table: EventTable, length_s: float) -> EventTable:
    """Return a table whose point events last some seconds; they stay marked as points.

    >>> table = build_table([CodedEvent("a", 2, 2, "hit", point=True)])
    >>> [(event.end_s, event.point) for event in give_length(table, 0.5).events]
    [(2.5, True)]
    """
    events = (
        replace(event, end_s=event.start_s + length_s) if event.start_s == event.end_s else event
        for event in table.events
    )
    return replace(table, events=tuple(events))


def split_lanes(events: Iterable[CodedEvent]) -> list[list[CodedEvent]]:
    """Return events in as few lanes as hold them without overlap, each in order.

    Args:
        events: Of one video, subject and label, or whatever a lane shall hold.

    >>> spans = [(0, 4), (1, 2), (4, 5), (2, 3)]
    >>> lanes = split_lanes(CodedEvent("a", *span, "hit") for span in spans)
    >>> [[(event.start_s, event.end_s) for event in lane] for lane in lanes]
    [[(0, 4), (4, 5)], [(1, 2), (2, 3)]]
    """
    lanes: list[list[CodedEvent]] = []
    for event in sorted(events, key=lambda item: (item.start_s, item.end_s)):
        for lane in lanes:
            last = lane[-1]
            if last.end_s <= event.start_s and last.start_s < event.start_s:
                lane.append(event)
                break
        else:
            lanes.append([event])
    return lanes


def merge_overlaps(events: Iterable[CodedEvent]) -> tuple[list[CodedEvent], list[str]]:
    """Join events of one video, subject, target, annotator and label that overlap in time.

    Events that only touch stay apart, and so do points. The joined one has the first's comment and
    the higher score.

    Returns:
        The events in order, and a note where some were joined.

    >>> spans = [(0, 4), (1, 2), (4, 5)]
    >>> found, notes = merge_overlaps(CodedEvent("a", *span, "hit") for span in spans)
    >>> [(event.start_s, event.end_s) for event in found]
    [(0, 4), (4, 5)]
    >>> notes
    ['Events of one subject and label that overlap were joined: hit at 0 s in a']
    """
    open_by_key: dict[tuple[str, ...], int] = {}
    found: list[CodedEvent] = []
    joined: dict[int, str] = {}
    for event in sorted(events, key=lambda item: (item.video, item.start_s, item.end_s)):
        key = (event.video, event.subject, event.target, event.annotator, event.label)
        place = open_by_key.get(key)
        if event.point or place is None or found[place].end_s <= event.start_s:
            if not event.point:
                open_by_key[key] = len(found)
            found.append(event)
            continue
        first = found[place]
        scores = [item.score for item in (first, event) if item.score is not None]
        found[place] = replace(
            first, end_s=max(first.end_s, event.end_s), score=max(scores, default=None)
        )
        joined[place] = f"{first.label} at {first.start_s:g} s in {first.video}"
    return found, name_some(
        "Events of one subject and label that overlap were joined", list(joined.values())
    )


def note_outside(table: EventTable) -> list[str]:
    """Return a note where events end after their video does, which is known for some only."""
    lengths_s = {item.video: item.duration_s or math.inf for item in table.media}
    late = [
        f"{event.label} at {event.start_s:g} s in {event.video} ({lengths_s[event.video]:.1f} s)"
        for event in table.events
        if event.end_s > lengths_s[event.video] + max(TIME_EPS_S, 0.05)
    ]
    return name_some("Events reach beyond the end of their video", late)


def name_some(what: str, things: Sequence[object]) -> list[str]:
    """Return a note that names the first of some things, or none where there are none.

    >>> name_some("Left out", ["a", "b"]), name_some("Left out", [])
    (['Left out: a, b'], [])
    """
    if not things:
        return []
    more = f" and {len(things) - _N_NAMED} more" if len(things) > _N_NAMED else ""
    return [f"{what}: {', '.join(map(str, things[:_N_NAMED]))}{more}"]
