"""Codings of several observers: read, joined by the videos' names, and compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from har.config import BACKGROUND_NAMES, AgreeConfig
from har.dataset.catalog import Reject, iter_files
from har.errors import ConfigError, VideoError
from har.interchange.coding import check_known, find_video, note_background, note_namesakes
from har.interchange.events import (
    CodedEvent,
    EventTable,
    build_table,
    give_length,
    name_some,
)
from har.interchange.formats import read_events
from har.interchange.har_json import RESULTS, is_results
from har.metrics.agreement import Agreement, ObservedRecording, Observer
from har.metrics.intervals import warn_few_groups
from har.metrics.observers import compute_agreement
from har.reports.scoring import warn_of_learned
from har.types import Event
from har.video.file.reader import probe_video

_SAME_LENGTH_S = 1.0


@dataclass(frozen=True)
class Coding:
    """What one observer coded.

    Attributes:
        observer: Who.
        table: The events.
        is_split: The observer is one of several in a file, which does not say of a video without
            an event whether this one watched it.
    """

    observer: Observer
    table: EventTable
    is_split: bool = False


def read_codings(
    sources: Sequence[Path | EventTable], models: Sequence[str | Path] = ()
) -> list[Coding]:
    """Read what several observers coded.

    A file in which several annotators are named is as many observers.

    Args:
        sources: Files of any format that `har.interchange.formats` reads, folders of `har predict`,
            or tables.
        models: Names of observers, or files, that are a model's; results of har are known as such,
            and so is a table in which every event has a score.

    Raises:
        InterchangeError: A file cannot be read.
        ConfigError: Two observers have the same name, or a model is none of the observers.
    """
    codings: list[Coding] = []
    wanted = {str(model) for model in models}
    found: set[str] = set()
    for number, source in enumerate(sources, start=1):
        table, name, is_model = _read(source, f"coding {number}")
        by_name = {str(source)} & wanted if isinstance(source, Path) else set[str]()
        for coding in _split(table, name, is_model or bool(by_name)):
            by_name |= {coding.observer.name} & wanted
            is_model = coding.observer.is_model or coding.observer.name in wanted
            codings.append(replace(coding, observer=replace(coding.observer, is_model=is_model)))
        found |= by_name
    names = [coding.observer.name for coding in codings]
    if wanted - found:
        raise ConfigError(
            f"There is no observer {min(wanted - found)!r}; there are: {', '.join(names)}"
        )
    return _name_apart(codings, sources)


def _read(source: Path | EventTable, name: str) -> tuple[EventTable, str, bool]:
    """Return the events, what their observer is called, and whether it is a model."""
    if isinstance(source, EventTable):
        table = build_table(source.events, source.media, source.labels, source.notes)
        return table, name, _is_scored(table)
    path = source / RESULTS if (source / RESULTS).is_file() else source
    table = read_events(path)
    if is_results(path):
        notes = (*table.notes, *warn_of_learned((), path))
        return replace(table, notes=notes), "model", True
    return table, path.stem, _is_scored(table)


def _is_scored(table: EventTable) -> bool:
    return bool(table.events) and all(event.score is not None for event in table.events)


def _split(table: EventTable, name: str, is_model: bool) -> list[Coding]:
    annotators = list(dict.fromkeys(event.annotator for event in table.events))
    if len(annotators) < 2:
        return [Coding(Observer(name, is_model), table)]
    return [
        Coding(
            Observer(annotator or name, is_model),
            replace(table, events=tuple(e for e in table.events if e.annotator == annotator)),
            is_split=True,
        )
        for annotator in annotators
    ]


def _name_apart(codings: list[Coding], sources: Sequence[Path | EventTable]) -> list[Coding]:
    """Give observers of one name different ones: their files, where each file is one observer."""
    names = [coding.observer.name for coding in codings]
    twice = sorted({name for name in names if names.count(name) > 1})
    if not twice:
        return codings
    if len(codings) != len(sources) or any(isinstance(item, EventTable) for item in sources):
        raise ConfigError(
            f"Several observers are called {twice[0]!r}; give their files or annotators different "
            "names"
        )
    paths = [str(source) for source in sources]
    if len(set(paths)) < len(paths):
        raise ConfigError(f"{max(paths, key=paths.count)} is given twice; give different codings")
    return [
        replace(item, observer=replace(item.observer, name=path))
        if item.observer.name in twice
        else item
        for item, path in zip(codings, paths, strict=True)
    ]


def agree(
    codings: Sequence[Coding],
    config: AgreeConfig | None = None,
    renames: Mapping[str, str] | None = None,
    labels: Sequence[str] = (),
    media: Path | None = None,
) -> Agreement:
    """Compare what several observers coded in the same recordings.

    Only recordings that all of them coded count; the others are named in the notes.

    Args:
        codings: Two or more.
        config: How time is divided; the defaults when None.
        renames: What labels of people are called by the model, or by the others; empty leaves them
            out.
        labels: Those that count; empty for all that occur but the background.
        media: Folder with the videos, for lengths that no coding says.

    Raises:
        ConfigError: There is nothing to compare, a name stands for several videos, a label is not
            known to the model, or one to rename does not occur.
    """
    config = config or AgreeConfig()
    codings = _rename(codings, renames or {})
    if len(codings) < 2:
        raise ConfigError(
            "Expected the codings of two observers or more, received one; give another file, or "
            "one whose column annotator names several"
        )
    _check_labels(codings)
    codings = [replace(c, table=give_length(c.table, config.point_s)) for c in codings]
    chosen = _choose_labels(codings, labels)
    videos, notes = _pair(codings)
    if not videos:
        firsts = [(item.observer.name, next(iter(_list_videos(item)), None)) for item in codings]
        named = ", ".join(f"{who} has {'none' if v is None else repr(v)}" for who, v in firsts)
        raise ConfigError(
            f"No recording was coded by all observers; the first of each: {named}. Name the videos "
            "alike in all codings; one in which nothing happens needs a line with empty label and "
            "times"
        )
    lengths_s, more = _measure(codings, videos, media)
    recordings, late = _build([coding.table for coding in codings], videos, lengths_s)
    found = compute_agreement([item.observer for item in codings], chosen, recordings, config)
    points = any(event.point for coding in codings for event in coding.table.events)
    every = (
        *(note for coding in codings for note in coding.table.notes),
        *notes,
        *more,
        ""
        if labels
        else note_background(event.label for item in codings for event in item.table.events),
        *name_some("Events begin after the end of their recording and do not count", late),
        f"Events of which only the moment was coded count as {config.point_s:g} s long in figures "
        "of time"
        if points
        else "",
        warn_few_groups(found.n_groups, "groups of recordings"),
    )
    return replace(found, notes=tuple(dict.fromkeys(filter(None, every))))


def _rename(codings: Sequence[Coding], renames: Mapping[str, str]) -> list[Coding]:
    """Rename the labels of people; where there are only people, or only models, of all."""
    has_both = len({item.observer.is_model for item in codings}) > 1
    changed, used = [], set[str]()
    for coding in codings:
        table = coding.table
        if not (has_both and coding.observer.is_model):
            used |= {event.label for event in table.events} & set(renames)
            new = [(event, renames.get(event.label, event.label)) for event in table.events]
            events = tuple(replace(event, label=label) for event, label in new if label)
            known = (renames.get(label, label) for label in table.labels)
            table = replace(table, events=events, labels=tuple(filter(None, known)))
        changed.append(replace(coding, table=table))
    if missing := sorted(set(renames) - used):
        seen = sorted({event.label for item in codings for event in item.table.events})
        raise ConfigError(
            f"There is no label {missing[0]!r} to rename; there are: {', '.join(map(repr, seen))}"
        )
    return changed


def _check_labels(codings: Sequence[Coding]) -> None:
    """Refuse labels of people that a model cannot find: they would look like its mistakes."""
    people = {
        event.label
        for coding in codings
        for event in coding.table.events
        if not coding.observer.is_model
    }
    for coding in codings:
        if coding.observer.is_model:
            check_known(people, coding.table.labels)


def _choose_labels(codings: Sequence[Coding], chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the labels that count, sorted where none is chosen."""
    seen = {event.label for coding in codings for event in coding.table.events}
    known = seen.union(*(coding.table.labels for coding in codings))
    if unknown := [label for label in chosen if label not in known]:
        raise ConfigError(
            f"There is no label {unknown[0]!r} in the codings; there are: "
            f"{', '.join(map(repr, sorted(known)))}"
        )
    labels = sorted(label for label in seen if label.lower() not in BACKGROUND_NAMES)
    if not (chosen or labels):
        why = note_background(event.label for item in codings for event in item.table.events)
        raise ConfigError(f"The codings have no event that counts. {why}".strip())
    return tuple(chosen) or tuple(labels)


def _pair(codings: Sequence[Coding]) -> tuple[list[list[str]], list[str]]:
    """Return the videos that all observers coded, by each one's own name, and notes on others."""
    first, *others = [_list_videos(coding) for coding in codings]
    rows: list[list[str]] = []
    taken: list[set[str]] = [set() for _ in codings]
    for video in first:
        names = [video, *(find_video(video, theirs) for theirs in others)]
        if all(name is not None for name in names):
            row = [str(name) for name in names]
            for place, name in enumerate(row):
                if name in taken[place]:
                    raise ConfigError(
                        f"{name} of {codings[place].observer.name} may be several videos of "
                        f"{codings[0].observer.name}; give the videos different names"
                    )
                taken[place].add(name)
            rows.append(row)
    notes = note_namesakes((row[0], name) for row in rows for name in row[1:])
    for coding, videos, names in zip(codings, (first, *others), taken, strict=True):
        why = (
            " (videos in which this annotator has no event are taken for not watched; give each "
            "observer a file)"
            if coding.is_split
            else ""
        )
        alone = [video for video in videos if video not in names]
        notes += name_some(
            f"Coded by {coding.observer.name} but not by all others, so left out{why}", alone
        )
    return rows, notes


def _list_videos(coding: Coding) -> list[str]:
    """Return the videos that an observer coded."""
    if not coding.is_split:
        return [item.video for item in coding.table.media]
    return list(dict.fromkeys(event.video for event in coding.table.events))


def _measure(
    codings: Sequence[Coding], videos: Sequence[Sequence[str]], media: Path | None
) -> tuple[list[float], list[str]]:
    """Return the length of each recording, and notes on those that had to be guessed.

    The length is 0 where nothing says how long it is.
    """
    known = [{item.video: item for item in coding.table.media} for coding in codings]
    files = {} if media is None else _list_files(media)
    lengths_s, guessed, empty, missing, differ = [], [], [], [], []
    for names in videos:
        says = [own[name].duration_s for own, name in zip(known, names, strict=True)]
        length_s = next(filter(None, says), None)
        stated_s = list(filter(None, says))
        if stated_s and max(stated_s) - min(stated_s) > _SAME_LENGTH_S:
            differ.append(f"{names[0]} ({', '.join(f'{say_s:g} s' for say_s in stated_s)})")
        if length_s is None and media is not None:
            length_s = _probe(names, files)
            missing += [] if length_s else [names[0]]
        if length_s is None:
            ends = [_find_end(coding, name) for coding, name in zip(codings, names, strict=True)]
            length_s = max(ends)
            guessed += [names[0]] if length_s else []
            empty += [] if length_s else [names[0]]
        lengths_s.append(length_s)
    return lengths_s, [
        *name_some(f"There is no readable video in {media} of", missing),
        *name_some(
            "The observers' files say different lengths, of which the first counts; check that "
            "they are of one video",
            differ,
        ),
        *name_some(
            "The length is not known, so the last event is taken for the end, and time without "
            "events after it does not count (--media names the folder of the videos)",
            guessed,
        ),
        *name_some(
            "Nobody coded an event and the length is not known, so left out (--media names the "
            "folder of the videos)",
            empty,
        ),
    ]


def _find_end(coding: Coding, video: str) -> float:
    return max((event.end_s for event in coding.table.of_video(video)), default=0.0)


def _list_files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise ConfigError(f"There is no folder {folder} of videos; check its name")
    rejects: list[Reject] = []
    return {str(path): path for path in iter_files(folder, rejects)}


def _probe(names: Iterable[str], files: Mapping[str, Path]) -> float | None:
    """Return the length of the file that one of a video's names stands for, if it has one."""
    found = next(filter(None, (find_video(name, files) for name in names)), None)
    if found is None:
        return None
    try:
        return probe_video(files[found]).duration_s
    except VideoError:
        return None


def _build(
    tables: Sequence[EventTable], videos: Sequence[Sequence[str]], lengths_s: Sequence[float]
) -> tuple[list[ObservedRecording], list[str]]:
    """Return the recordings with all events within them, and which events begin too late."""
    events = [_sort_by_video(table) for table in tables]
    groups = [{item.video: item.group for item in table.media} for table in tables]
    recordings, late = [], []
    for names, length_s in zip(videos, lengths_s, strict=True):
        if not length_s:
            continue
        coded = [own.get(name, []) for own, name in zip(events, names, strict=True)]
        late += [
            f"{event.label} at {event.start_s:g} s in {event.video} ({length_s:.1f} s)"
            for own in coded
            for event in own
            if event.start_s >= length_s
        ]
        inside = [
            [_cut(event, length_s) for event in own if event.start_s < length_s] for own in coded
        ]
        group = next(filter(None, (own[n] for own, n in zip(groups, names, strict=True))), "")
        recordings.append(ObservedRecording(names[0], length_s, tuple(map(tuple, inside)), group))
    return recordings, late


def _sort_by_video(table: EventTable) -> dict[str, list[CodedEvent]]:
    found: dict[str, list[CodedEvent]] = {}
    for event in table.events:
        found.setdefault(event.video, []).append(event)
    return found


def _cut(event: CodedEvent, length_s: float) -> Event:
    score = 1.0 if event.score is None else event.score
    return Event(event.label, event.start_s, min(event.end_s, length_s), score)
