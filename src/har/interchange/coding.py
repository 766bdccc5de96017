"""Codings as scoring needs them: by video, with the model's labels, joined by the videos' names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from har.config import BACKGROUND_NAMES
from har.errors import ConfigError
from har.feature_files import FEATURES_ENDING
from har.interchange.events import EventTable, build_table, give_length, name_some
from har.interchange.formats import read_events
from har.pose.adapters.reading import KEYPOINTS_ENDING
from har.types import Event

_ENDING = re.compile(
    r"\.(3gp|asf|avi|divx|dv|flv|gif|h26[45]|hevc|m2ts|m[24]v|mjpe?g|mkv|mov|mp4|mpe?g|mts|mxf|ogv"
    r"|rm|rmvb|ts|vob|webm|wmv|npz|csv|tsv|json|h5|hdf5|slp|pkl)"
)
"""Of videos and of keypoints, in small letters."""
POINT_EVENT_S = 1.0
"""Length that an event gets of which only the moment was coded, in seconds."""


@dataclass(frozen=True)
class VideoEvents:
    """The events of one video.

    Attributes:
        video: As the file names it.
        events: By onset.
        group: What the video depends on others by; empty where the file does not say.
        duration_s: None where the file does not say.
        labels: Those that could be found in it, where the file says.
    """

    video: str
    events: tuple[Event, ...]
    group: str = ""
    duration_s: float | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Coding:
    """A table of events.

    Attributes:
        videos: In the file's order.
        notes: What had to be assumed to read it, for the user.
    """

    videos: tuple[VideoEvents, ...]
    notes: tuple[str, ...] = ()


def read_coding(
    path: Path, renames: Mapping[str, str] | None = None, annotator: str = ""
) -> Coding:
    """Read a coding of any format, such as a person's, or what `har predict` wrote.

    Args:
        path: A file that `har.interchange.formats` reads, or a folder of such.
        renames: What labels of the file are called here; empty leaves their events out.
        annotator: As of `choose_annotator`.

    Raises:
        InterchangeError: The file cannot be read, lacks a column, or a line of it makes no sense.
        MissingDependencyError: The extra that it needs is not installed.
        ConfigError: A label to rename does not occur, or several annotators coded a video and none
            was chosen.
    """
    table = choose_annotator(read_events(path), annotator, str(path))
    table = rename_labels(table, renames or {}, str(path))
    events = give_length(table, POINT_EVENT_S).events
    found: dict[str, list[Event]] = {item.video: [] for item in table.media}
    for event in events:
        score = 1.0 if event.score is None else event.score
        found[event.video].append(Event(event.label, event.start_s, event.end_s, score))
    videos = tuple(
        VideoEvents(item.video, tuple(found[item.video]), item.group, item.duration_s, table.labels)
        for item in table.media
    )
    notes = [*table.notes]
    if any(event.start_s == event.end_s for event in table.events):
        notes.append(f"Point events of {path.name} count as {POINT_EVENT_S:g} s long")
    return Coding(videos, tuple(notes))


def choose_annotator(table: EventTable, chosen: str, where: str) -> EventTable:
    """Return the events of one annotator; those of nobody in particular belong to everybody.

    Videos in which others have events and this one has none are taken for not watched, and left
    out.

    Args:
        table: Coded events.
        chosen: The annotator; empty where no video has events of several, which would count twice.
        where: Name of the table, for the message.

    Raises:
        ConfigError: There is no such annotator, or none was chosen and a video has several.

    >>> from har.interchange.events import CodedEvent
    >>> events = [CodedEvent("a", 1, 2, "hit", annotator=who) for who in ("Ann", "Ben")]
    >>> table = build_table([*events, CodedEvent("b", 1, 2, "hit", annotator="Ben")])
    >>> [event.video for event in choose_annotator(table, "Ann", "t.csv").events]
    ['a']
    """
    coded: dict[str, set[str]] = {item.video: set() for item in table.media}
    for event in table.events:
        coded[event.video].add(event.annotator)
    names = sorted(set().union(*coded.values()) - {""})
    if chosen and chosen not in names:
        raise ConfigError(
            f"{where} has no annotator {chosen!r}; it has: {', '.join(names) or 'none named'}"
        )
    if not chosen:
        if twice := [video for video, who in coded.items() if len(who - {""}) > 1]:
            raise ConfigError(
                f"{where} holds the events of several annotators ({', '.join(names)}) of "
                f"{twice[0]}, which would count twice. Choose one with --annotator "
                f'"{min(coded[twice[0]] - {""})}", or give a file with one'
            )
        return table
    unseen = [video for video, who in coded.items() if who and not who & {"", chosen}]
    return replace(
        table,
        events=tuple(event for event in table.events if event.annotator in ("", chosen)),
        media=tuple(item for item in table.media if item.video not in unseen),
        notes=(
            *table.notes,
            *name_some(f"Coded by others but not by {chosen}, so left out", unseen),
        ),
    )


def parse_renames(texts: Iterable[str]) -> dict[str, str]:
    """Read what a command line took as ``CODED=LABEL``.

    >>> parse_renames(["Hitting others=fight", "Eating="])
    {'Hitting others': 'fight', 'Eating': ''}

    Raises:
        ConfigError: One has no ``=``, or a label is renamed twice.
    """
    renames: dict[str, str] = {}
    for text in texts:
        coded, equals, label = (part.strip() for part in text.rpartition("="))
        if not equals or not coded or coded in renames:
            raise ConfigError(
                f"Expected CODED=LABEL such as 'Hitting others=fight', each once, received {text!r}"
            )
        renames[coded] = label
    return renames


def rename_labels(table: EventTable, renames: Mapping[str, str], where: str) -> EventTable:
    """Return a table with other labels; those that are renamed to nothing lose their events.

    Args:
        table: Coded events.
        renames: By the label that the table has.
        where: Name of the table, for the message.

    Raises:
        ConfigError: A label to rename does not occur.
    """
    labels = {*table.labels, *(event.label for event in table.events)}
    for coded in renames:
        if coded not in labels:
            raise ConfigError(
                f"There is no label {coded!r} in {where} to rename; it has: {_quote(labels)}"
            )
    events = (
        replace(event, label=renames.get(event.label, event.label))
        for event in table.events
        if renames.get(event.label, event.label)
    )
    known = filter(None, (renames.get(label, label) for label in table.labels))
    return build_table(events, table.media, known, table.notes)


def check_known(coded: Iterable[str], known: Iterable[str]) -> None:
    """Refuse labels of a coding that the model does not have.

    Args:
        coded: Labels that a person coded; those that mean the background are left alone.
        known: Labels of the model; none leaves all alone.

    Raises:
        ConfigError: Some are unknown; the message lists both, and how to rename.
    """
    ours = set(known)
    unknown = {label for label in coded if label.lower() not in BACKGROUND_NAMES} - ours
    if not ours or not unknown:
        return
    first = min(unknown)
    alike = [label for label in sorted(ours) if _fold(label) == _fold(first)]
    target = (alike or sorted(label for label in ours if label.lower() not in BACKGROUND_NAMES))[:1]
    why = f"; {first!r} and {alike[0]!r} differ in case or blanks alone" if alike else ""
    raise ConfigError(
        f"The reference coding has labels that the model does not know: {_quote(unknown)}. The "
        f"model's are: {_quote(ours)}{why}. Say which is which, once a label, with "
        f'--map "{first}={(target or sorted(ours))[0]}"; --map "{first}=" leaves its events out'
    )


def _fold(label: str) -> str:
    return re.sub(r"[\s_-]+", "", label.casefold())


def _quote(labels: Iterable[str]) -> str:
    return ", ".join(map(repr, sorted(labels))) or "none"


def find_video(name: str, videos: Iterable[str]) -> str | None:
    """Return the one of some videos that a name stands for, or None.

    The same text comes first, then the same file name, then the name without its ending (of both
    only where it is that of a video: ``day.left`` and ``day.right`` are two recordings), then what
    `har predict` calls the files of videos of one name, then keypoints or features of it; letters
    may be small or capital, and accents letters of their own (NFC) or marks (NFD, as on Macs).

    Args:
        name: A path, a file's name, or what its results are called.
        videos: Different ones.

    Raises:
        ConfigError: The name stands for several.

    >>> find_video("out/day1", ["b/day2.mp4", "b/Day1.mp4"])
    'b/Day1.mp4'
    >>> find_video("cam.1/recording.000.mp4", ["recording.000"])
    'recording.000'
    """
    ours, theirs = _normalize(name), {video: _normalize(video) for video in videos}
    for mine, form in (
        (str(ours), str),
        (ours.name, _name),
        (ours.name, lambda path: path.stem),
        (ours.stem, _name),
        (_stem(ours), _stem),
        (_video_stem(ours), _flat_name),
        (_video_stem(ours), _flat_path),
        (ours.stem, _video_stem),
        (_video_stem(ours), _stem),
        (_video_stem(ours), _video_stem),
    ):
        alike = sorted(video for video, path in theirs.items() if form(path) == mine)
        if len(alike) > 1:
            raise ConfigError(
                f"{name} may be any of {', '.join(alike)}; give the videos different names"
            )
        if alike:
            return alike[0]
    return None


def note_namesakes(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Return a note on names that stand for one video although their folders differ.

    >>> note_namesakes([("day1/a.mp4", "day2/a.mp4"), ("x/b.mp4", "/y/x/b.avi"), ("c", "z/c.mp4")])
    ['Taken for one video, as the files are called alike: day1/a.mp4 and day2/a.mp4']
    """
    apart = []
    for first, second in pairs:
        folders = {path.parent.name for path in map(_normalize, (first, second))} - {""}
        if len(folders) > 1:
            apart.append(f"{first} and {second}")
    return name_some("Taken for one video, as the files are called alike", apart)


def _normalize(name: str) -> PurePath:
    return PurePath(unicodedata.normalize("NFC", name.replace("\\", "/").casefold()))


def _name(path: PurePath) -> str:
    return path.name


def _stem(path: PurePath) -> str:
    """Return the name without what is known to be an ending."""
    return path.stem if _ENDING.fullmatch(path.suffix) else path.name


def _flat_name(path: PurePath) -> str:
    return path.name.replace(".", "_")


def _flat_path(path: PurePath) -> str:
    return f"{path.parent.name}_{_flat_name(path)}"


def _video_stem(path: PurePath) -> str:
    return path.name.removesuffix(KEYPOINTS_ENDING).removesuffix(FEATURES_ENDING)


def list_labels(
    truth: Sequence[VideoEvents], found: Sequence[VideoEvents], background: Iterable[str]
) -> list[str]:
    """Return the labels of all events, sorted, without the background (lower case)."""
    labels = {event.label for video in (*truth, *found) for event in video.events}
    return sorted(label for label in labels if label.lower() not in set(background))


def note_background(labels: Iterable[str]) -> str:
    """Return a note on coded labels that do not count, since they are background; or nothing.

    Args:
        labels: Of each coded event.

    >>> note_background(["hit", "playing"]).partition(": ")[2].partition(";")[0]
    "'playing' (1 event)"
    """
    counts = Counter(label for label in labels if label.lower() in BACKGROUND_NAMES)
    named = (f"{key!r} ({n} event{'s' * (n != 1)})" for key, n in sorted(counts.items()))
    return (
        "Not counted, since their names say that nothing of interest happens: "
        f"{', '.join(named)}; --label, once a label, says which count"
        if counts
        else ""
    )
