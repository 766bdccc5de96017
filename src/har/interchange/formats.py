"""Every format of events: which one a file is in, and the one way to read and to write it.

A format is a module with a `FORMAT`, listed in `FORMATS` in the order in which a file is tried.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from pathlib import Path

from har.errors import InterchangeError, TableError
from har.interchange import (
    activitynet,
    boris,
    boris_tables,
    cvat,
    datavyu,
    deepethogram,
    elan,
    feral,
    har_json,
    label_studio,
    review_db,
    simba,
    subtitles,
    tables,
    via,
)
from har.interchange.events import (
    EventTable,
    build_table,
    join_codings,
    name_some,
    note_outside,
)
from har.interchange.format import Format, ReadSettings, Source, WriteSettings

FORMATS: tuple[Format, ...] = (
    *(har_json.FORMAT, review_db.FORMAT, boris.FORMAT, *boris_tables.FORMATS),
    elan.FORMAT,
    activitynet.FORMAT,
    via.FORMAT,
    label_studio.FORMAT,
    feral.FORMAT,
    deepethogram.FORMAT,
    simba.FORMAT,
    cvat.FORMAT,
    datavyu.FORMAT,
    *subtitles.FORMATS,
    *tables.FORMATS,
)
"""The last one that reads takes any table, so the others come before it."""
_NOT_USERS = (".", "~$")
"""Begin the names of files that systems and Excel leave beside those of users."""
_STEM_BYTES = 200
"""Longer names of videos are cut in names of files, which may have 255 bytes."""


def read_events(
    path: Path, name: str | None = None, settings: ReadSettings | None = None
) -> EventTable:
    """Read coded events from a file of any format, or from all such files of a folder.

    Args:
        path: The file, or a folder: then every file in it whose ending is of a format that is read.
        name: The format; None finds it from content and ending.
        settings: What the file does not say itself.

    Returns:
        The events, with notes on what had to be assumed, and on events beyond their video's end.
        Files of a folder that code the same at once are those of different annotators.

    Raises:
        InterchangeError: The file cannot be read, is in no known format, or a line of it makes no
            sense.
        MissingDependencyError: The format needs an extra that is not installed.
    """
    chosen = None if name is None else find_format(name)
    if path.is_dir():
        files = _list_files(path, chosen)
        table = join_codings({file.name: _read(file, chosen, settings) for file in files})
    else:
        table = _read(path, chosen, settings)
    notes = (*table.notes, *note_outside(table))
    return build_table(table.events, table.media, table.labels, dict.fromkeys(notes))


def _list_files(folder: Path, chosen: Format | None) -> list[Path]:
    formats = FORMATS if chosen is None else (chosen,)
    endings = tuple(ending for item in formats if item.read for ending in item.endings)
    found = sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(endings)
        and not path.name.startswith(_NOT_USERS)
        and not path.is_dir()
    )
    if not found:
        raise InterchangeError(
            f"The folder {folder} holds no file that ends in {', '.join(sorted(set(endings)))}"
        )
    return found


def _read(path: Path, chosen: Format | None, settings: ReadSettings | None) -> EventTable:
    source = Source(path, settings or ReadSettings())
    chosen = chosen or _detect(source)
    if chosen.read is None:
        raise InterchangeError(
            f"{chosen.title} is written only, not read; {path} needs another format"
        )
    try:
        return chosen.read(source)
    except TableError as error:
        raise InterchangeError(f"The table of events cannot be used: {error}") from error


def _detect(source: Source) -> Format:
    for item in FORMATS:
        if item.matches is not None and item.matches(source):
            return item
    known = ", ".join(item.name for item in FORMATS if item.read)
    raise InterchangeError(
        f"{source.path} is in no format that is known here. If it is one of these, name which "
        f"(--from): {known}"
    )


def is_coding(path: Path) -> bool:
    """Return whether a file is in a format of events that shows by its content or ending."""
    source = Source(path, ReadSettings())
    marked = (item for item in FORMATS if item.matches and item.name != "csv")
    return any(item.matches and item.matches(source) for item in marked) or bool(
        path.suffix.lower() in (".csv", ".tsv", ".xlsx", ".txt") and tables.has_columns(path)
    )


def find_format(name: str) -> Format:
    """Return a format by its name.

    Raises:
        InterchangeError: There is none of that name.
    """
    for item in FORMATS:
        if item.name == name.lower():
            return item
    known = ", ".join(item.name for item in FORMATS)
    raise InterchangeError(f"There is no format {name!r}; there are: {known}")


def choose_format(path: Path) -> Format:
    """Return the format that a file's ending asks for when it is written.

    The longest ending counts, ``.boris.csv`` before ``.csv``; where several formats have it, the
    one that is named like it, such as ``csv``.

    Raises:
        InterchangeError: None has that ending, or several have and none is named like it.
    """
    name = path.name.lower()
    sizes = {
        item: max(len(ending) for ending in item.endings if name.endswith(ending))
        for item in FORMATS
        if item.write and name.endswith(item.endings)
    }
    fit = [item for item, size in sizes.items() if size == max(sizes.values())]
    named = [item for item in fit if path.suffix.lower() == f".{item.name}"]
    if len(named or fit) == 1:
        return (named or fit)[0]
    names = ", ".join(item.name for item in (fit or FORMATS) if item.write)
    why = "Several formats have" if fit else "No format has"
    raise InterchangeError(
        f"{why} the ending of {path.name}; name the one to write (--to): {names}"
    )


def find_writer(name: str) -> Format:
    """Return a format that is written, by its name.

    Raises:
        InterchangeError: There is none of that name, or it is read only.
    """
    chosen = find_format(name)
    if chosen.write is None:
        known = ", ".join(item.name for item in FORMATS if item.write)
        raise InterchangeError(f"{chosen.title} is read only; these are written: {known}")
    return chosen


def write_as(
    table: EventTable, folder: Path, chosen: Format, settings: WriteSettings | None = None
) -> list[str]:
    """Write events into a folder: as ``found``, or a file a video where one holds no more.

    Returns:
        What could not be kept as it was, for the user.

    Raises:
        MissingDependencyError: The format needs an extra that is not installed.
        OutputError: A file cannot be written.
    """
    ending = chosen.endings[0]
    name = f"found{ending}" if ending == f".{chosen.name}" else f"found.{chosen.name}{ending}"
    if chosen.one_video:
        name = chosen.name
        (folder / name).mkdir(exist_ok=True)
    return write_events(table, folder / name, chosen.name, settings)


def write_events(
    table: EventTable, path: Path, name: str | None = None, settings: WriteSettings | None = None
) -> list[str]:
    """Write coded events in a format.

    Args:
        table: The events.
        path: The file. Where the format holds one video a file and there are several, a folder that
            gets a file each.
        name: The format; None takes that of the file's ending.
        settings: What the format must know and the table does not say.

    Returns:
        What could not be kept as it was, for the user; often nothing.

    Raises:
        InterchangeError: The format is not written, or lacks something that it needs.
        MissingDependencyError: The format needs an extra that is not installed.
        OutputError: A file cannot be written.
    """
    chosen = choose_format(path) if name is None else find_writer(name)
    if chosen.write is None:
        raise InterchangeError(f"{chosen.title} is read only; {path} needs another format")
    options = settings or WriteSettings()
    notes = _note_lost(table, chosen)
    if not chosen.one_video or (len(table.media) <= 1 and not path.is_dir()):
        return [*notes, *chosen.write(table, path, options)]
    for video, part in _split(table).items():
        file = path / f"{video}{chosen.endings[0]}"
        notes += chosen.write(part, file, options)
    return list(dict.fromkeys(notes))


def _note_lost(table: EventTable, chosen: Format) -> list[str]:
    """Return a note on columns that are in use and that the format does not hold."""
    fields = ("subject", "target", "annotator", "comment", "point", "score")
    lost = [
        field
        for field in fields
        if field not in chosen.keeps
        and any(getattr(event, field) not in ("", None, False) for event in table.events)
    ]
    return name_some(f"{chosen.title} does not hold", lost)


def _split(table: EventTable) -> Mapping[str, EventTable]:
    """Return the part of each video, by a file name that no other has."""
    parts: dict[str, EventTable] = {}
    taken: set[str] = set()
    for item in table.media:
        stem = _name_file(item.video)
        name, number = stem, 1
        while _fold(name) in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(_fold(name))
        parts[name] = build_table(table.of_video(item.video), [item], table.labels)
    return parts


def _name_file(video: str) -> str:
    r"""Return a name for a file of a video's events that disks take and folders show.

    >>> _name_file("../../day 1.mp4"), _name_file("a\nb"), _name_file(".."), _name_file("/")
    ('day 1', 'a_b', 'video', 'video')
    """
    stem = Path(video.replace("\\", "/")).stem.lstrip(".~$")
    text = stem.encode("utf-8", "replace").decode("utf-8")
    shown = "".join(letter if letter.isprintable() else "_" for letter in text) or "video"
    return shown.encode("utf-8")[:_STEM_BYTES].decode("utf-8", "ignore")


def _fold(name: str) -> str:
    """Return what names have in common that are one on some disk: case, accents as marks."""
    return unicodedata.normalize("NFC", name.casefold())
