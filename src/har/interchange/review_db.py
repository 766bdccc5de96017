"""The SQLite database of `har review`: what observers keep, read without the extra ``review``."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.interchange.format import Format, Source

_MARK = b"SQLite format 3\0"
_RECORDINGS = """
SELECT path, duration_s, fps, grouping, labels FROM recordings
WHERE id IN (SELECT recording FROM verdicts) ORDER BY path"""
_UNDECIDED = """
SELECT COUNT(*) FROM events e
WHERE e.source IN ('model', 'alert') AND e.recording IN (SELECT recording FROM verdicts)
  AND NOT EXISTS (SELECT 1 FROM verdicts v
    WHERE v.recording = e.recording AND v.key = 'e' || e.id AND v.kind <> 'clear')"""
_NEWEST = """
SELECT r.path, v.start_s, v.end_s, v.label, v.subject, v.target, v.observer, v.comment
FROM verdicts v JOIN recordings r ON r.id = v.recording
WHERE v.kind = 'keep' AND v.id IN
  (SELECT MAX(id) FROM verdicts GROUP BY recording, observer, key)
ORDER BY v.id"""

_NOTE = "Found events that nobody has decided on count as rejected: {}"


def _matches(source: Source) -> bool:
    return source.head.startswith(_MARK)


def read_review(source: Source) -> EventTable:
    """Read the newest verdicts of every observer, the observer as annotator.

    Recordings without any verdict are left out: nobody has looked at them.

    Raises:
        InterchangeError: It is no such database, or it is damaged.
    """
    if not _matches(source):
        raise InterchangeError(
            f"{source.path} is no database of SQLite; give the review.db of 'har review'"
        )
    address = f"{source.path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as database:
            labels: dict[str, None] = {}
            media = list(_read_media(database, labels))
            events = [CodedEvent(*row) for row in database.execute(_NEWEST)]
            ((n_undecided,),) = database.execute(_UNDECIDED)
            notes = [_NOTE.format(n_undecided)] if n_undecided else []
            return build_table(events, media, labels, notes)
    except (sqlite3.Error, ValueError, TypeError, RecursionError) as error:
        raise InterchangeError(
            f"{source.path} cannot be read as a database of 'har review': {error}"
        ) from error


def _read_media(database: sqlite3.Connection, labels: dict[str, None]) -> Iterator[Media]:
    for path, duration_s, fps, group, known in database.execute(_RECORDINGS):
        labels.update(dict.fromkeys(str(label) for label in json.loads(known)))
        yield Media(str(path), duration_s, fps, str(group))


FORMAT = Format("review", "database of har review", (".db",), matches=_matches, read=read_review)
