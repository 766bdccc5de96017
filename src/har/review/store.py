"""What is reviewed and every verdict on it, in SQLite or PostgreSQL: the only place with SQL.

Nothing is ever changed in place. A verdict is a new row with the next version of its event, so a
person's lane is what the newest rows say, the log can be replayed, and a verdict never touches what
the model said. Two pages that change one event at once cannot both write its next version: one is
told what the other did.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from har.errors import ConfigError, ReviewConflictError, ReviewError

Kind = Literal["keep", "reject", "clear", "watched"]
"""Of a verdict: the event is right as it stands in the verdict; the model's event is none; no
verdict any more (undo, or delete); a random sample has been watched to its end."""

MAX_TEXT = 500
MAX_TIME_S = 1e9
_MAX_ID = 2**31 - 1
_HALF_LETTER = re.compile("[\ud800-\udfff]")

_meta = sa.MetaData()
_recordings = sa.Table(
    "recordings",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("path", sa.Text, nullable=False, unique=True),
    sa.Column("duration_s", sa.Float, nullable=False),
    sa.Column("fps", sa.Float),
    sa.Column("grouping", sa.Text, nullable=False, default=""),
    sa.Column("labels", sa.JSON, nullable=False),
    sa.Column("scores", sa.Text, nullable=False, default=""),
)
_events = sa.Table(
    "events",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("recording", sa.ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("start_s", sa.Float, nullable=False),
    sa.Column("end_s", sa.Float, nullable=False),
    sa.Column("score", sa.Float),
    sa.Column("subject", sa.Text, nullable=False, default=""),
    sa.Column("target", sa.Text, nullable=False, default=""),
    sa.UniqueConstraint("recording", "source", "label", "start_s", "end_s", "subject", "target"),
)
_verdicts = sa.Table(
    "verdicts",
    _meta,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("uuid", sa.Text, nullable=False, unique=True),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("observer", sa.Text, nullable=False),
    sa.Column("recording", sa.ForeignKey("recordings.id", ondelete="CASCADE"), nullable=False),
    sa.Column("key", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("start_s", sa.Float, nullable=False),
    sa.Column("end_s", sa.Float, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("comment", sa.Text, nullable=False),
    sa.UniqueConstraint("recording", "observer", "key", "version"),
)
sa.Index("verdicts_by_observer", _verdicts.c.recording, _verdicts.c.observer)


@dataclass(frozen=True)
class Recording:
    """A video that is reviewed.

    Attributes:
        id: Given by the store; 0 before.
        path: Of the video.
        duration_s: Its length.
        fps: Frames a second; None where it is not known.
        group: What it depends on others by, such as the child.
        labels: Those that the model knows.
        scores: Path of the scores of `har predict`; empty where there are none.
    """

    id: int
    path: str
    duration_s: float
    fps: float | None = None
    group: str = ""
    labels: tuple[str, ...] = ()
    scores: str = ""


@dataclass(frozen=True)
class FoundEvent:
    """What a model, a camera's alert or an older coding says; it never changes.

    Attributes:
        id: Given by the store; 0 before.
        recording: Id of its video.
        source: ``model``, ``alert``, ``coding``, or ``sample`` for a random sample to watch.
        label: Of the event; empty for a sample.
        start_s: Seconds from the first frame.
        end_s: Likewise.
        score: From 0 to 1; None where there is none.
        subject: Who acts; empty where not known.
        target: On whom; empty where not known.
    """

    id: int
    recording: int
    source: str
    label: str
    start_s: float
    end_s: float
    score: float | None = None
    subject: str = ""
    target: str = ""

    @property
    def is_of_model(self) -> bool:
        """Whether a model found it, in a recording or before a camera."""
        return self.source in ("model", "alert")

    @property
    def key(self) -> str:
        """What verdicts on it are filed under."""
        return f"e{self.id}"


@dataclass(frozen=True)
class Verdict:
    """One decision of one person on one event.

    Attributes:
        uuid: Made by the page, so that a verdict that is sent twice counts once.
        observer: Who decided.
        recording: Id of the video.
        key: ``e12`` for the found event 12, else a name that the page made for a new event.
        version: 1 for the first verdict of this observer on this key, then one more each.
        kind: See `Kind`.
        label: Of the event as the person sees it; likewise the rest.
        start_s: Seconds.
        end_s: Seconds.
        subject: Who acts.
        target: On whom.
        comment: Free text.
        at: When it was stored, UTC in ISO form; given by the store.
        id: Its place in the log; given by the store.
    """

    uuid: str
    observer: str
    recording: int
    key: str
    version: int
    kind: Kind
    label: str = ""
    start_s: float = 0.0
    end_s: float = 0.0
    subject: str = ""
    target: str = ""
    comment: str = ""
    at: str = ""
    id: int = 0

    def __post_init__(self) -> None:
        """Refuse what no page sends.

        Raises:
            ConfigError: A value is out of its bounds.
        """
        texts = (self.uuid, self.observer, self.key, self.label, self.subject, self.target)
        if not (self.uuid and self.observer and self.key) or self.kind not in get_args(Kind):
            raise ConfigError(
                f"Expected a verdict with uuid, observer, key and kind, received {self}"
            )
        if any(
            len(text) > MAX_TEXT or "\0" in text or _HALF_LETTER.search(text)
            for text in (*texts, self.comment)
        ):
            raise ConfigError(f"Expected texts of at most {MAX_TEXT} letters in a verdict")
        if not all(1 <= number <= _MAX_ID for number in (self.version, self.recording)):
            raise ConfigError("Expected a version and the number of a recording, from 1")
        if not all(0 <= time_s <= MAX_TIME_S for time_s in (self.start_s, self.end_s)):
            raise ConfigError(f"Expected times from 0 to {MAX_TIME_S:g} s in a verdict")
        if self.kind == "keep" and not (self.label and self.start_s < self.end_s):
            raise ConfigError(
                f"Expected a label and 0 <= start_s < end_s, received {self.label!r}, "
                f"{self.start_s:g} and {self.end_s:g}"
            )


class ReviewStore:
    """The recordings, found events and verdicts of one project."""

    def __init__(self, url: str, must_exist: bool = False) -> None:
        """Open the database, and make its tables where they are missing.

        Args:
            url: Of SQLAlchemy: ``sqlite:///review.db`` or ``postgresql+psycopg://...``.
            must_exist: Make nothing; refuse a database without a review.

        Raises:
            ReviewError: It cannot be opened, or holds no review.
        """
        where = url.rpartition("@")[2]
        try:
            self._engine = sa.create_engine(url, pool_pre_ping=True)
            if must_exist and not _has_review(self._engine):
                self._engine.dispose()
                raise ReviewError(f"The database {where} holds no review; check its address")
            if self._engine.dialect.name == "sqlite":
                sa_event.listen(self._engine, "connect", _set_up_sqlite)
            _meta.create_all(self._engine)
        except (SQLAlchemyError, ModuleNotFoundError) as error:
            raise ReviewError(f"The review database {where} cannot be opened: {error}") from error

    @property
    def place(self) -> str:
        """Where the database is, without user and password: a file, or server and name."""
        url = self._engine.url
        return "/".join(part for part in (url.host, url.database) if part)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise ReviewError(f"The review database refused: {error.args[0]}") from error

    def add_recording(self, recording: Recording, events: Iterable[FoundEvent]) -> int:
        """Add a video and what was found in it, or only what is new of a known one.

        Returns:
            The id of the recording.

        Raises:
            ReviewError: The database refused.
        """
        with self._transaction() as connection:
            known = sa.select(_recordings.c.id).where(_recordings.c.path == recording.path)
            found = connection.execute(known).scalar()
            values = asdict(recording)
            del values["id"]
            values |= {"grouping": values.pop("group"), "labels": list(recording.labels)}
            if found is None:
                insert = sa.insert(_recordings).values(values).returning(_recordings.c.id)
                found = connection.execute(insert).scalar_one()
            else:
                where = _recordings.c.id == found
                connection.execute(sa.update(_recordings).where(where).values(values))
            self._add_events(connection, found, events)
            return int(found)

    def _add_events(
        self, connection: sa.Connection, recording: int, events: Iterable[FoundEvent]
    ) -> None:
        def identify(values: Mapping[Any, Any]) -> tuple[Any, ...]:
            names = ("source", "label", "start_s", "end_s", "subject", "target")
            return tuple(values[name] for name in names)

        rows = connection.execute(sa.select(_events).where(_events.c.recording == recording))
        seen = {identify(row) for row in rows.mappings()}
        new: list[dict[str, Any]] = []
        for event in events:
            values = asdict(event) | {"recording": recording}
            del values["id"]
            if identify(values) not in seen:
                seen.add(identify(values))
                new.append(values)
        if new:
            connection.execute(sa.insert(_events), new)

    def list_recordings(self) -> list[Recording]:
        """Return all recordings by path."""
        with self._transaction() as connection:
            rows = connection.execute(sa.select(_recordings).order_by(_recordings.c.path))
            return [_to_recording(row) for row in rows.mappings()]

    def load_recording(self, recording: int) -> Recording:
        """Return one recording.

        Raises:
            ReviewError: There is none of that id.
        """
        with self._transaction() as connection:
            where = _recordings.c.id == recording
            query = sa.select(_recordings).where(where)
            row = connection.execute(query).mappings().first() if recording <= _MAX_ID else None
        if row is None:
            raise ReviewError(f"There is no recording {recording}")
        return _to_recording(row)

    def list_events(self, recording: int | None = None) -> list[FoundEvent]:
        """Return what was found in one recording, or in all, by recording and start."""
        query = sa.select(_events).order_by(_events.c.recording, _events.c.start_s, _events.c.id)
        if recording is not None:
            query = query.where(_events.c.recording == recording)
        with self._transaction() as connection:
            rows = connection.execute(query).mappings()
            return [FoundEvent(**_to_values(row)) for row in rows]

    def add_verdict(self, verdict: Verdict) -> Verdict:
        """Store a verdict, at once and for good.

        Returns:
            It, with its time and place in the log; what was stored before if it is sent again.

        Raises:
            ReviewConflictError: Somebody has decided on the event since, or the version leaves one
                out; it says what stands there.
            ReviewError: There is no such recording, or the database refused; nothing is stored.
        """
        stamped = asdict(verdict) | {"at": datetime.now(UTC).isoformat(timespec="milliseconds")}
        del stamped["id"]
        try:
            with self._transaction() as connection:
                newest = self._load_newest(connection, verdict)
                latest = 0 if newest is None else newest.version
                if latest + 1 < verdict.version:
                    raise ReviewConflictError(
                        f"Expected at most version {latest + 1} of the event {verdict.key}, "
                        f"received {verdict.version}; what is stored stands, load the page again",
                        newest,
                    )
                insert = sa.insert(_verdicts).values(stamped).returning(_verdicts)
                return _to_verdict(connection.execute(insert).mappings().one())
        except IntegrityError as error:
            return self._explain(verdict, error)

    def _load_newest(self, connection: sa.Connection, verdict: Verdict) -> Verdict | None:
        query = sa.select(_verdicts).where(_same_event(verdict))
        newest = query.order_by(_verdicts.c.version.desc()).limit(1)
        row = connection.execute(newest).mappings().first()
        return None if row is None else _to_verdict(row)

    def _explain(self, verdict: Verdict, error: IntegrityError) -> Verdict:
        """Return the verdict if it was stored before; else say what stands in its way."""
        with self._transaction() as connection:
            same = sa.select(_verdicts).where(_verdicts.c.uuid == verdict.uuid)
            row = connection.execute(same).mappings().first()
            if row is not None:
                return _to_verdict(row)
            newest = self._load_newest(connection, verdict)
        if newest is None:
            raise ReviewError(f"There is no recording {verdict.recording}") from error
        raise ReviewConflictError(
            f"The event {verdict.key} has been changed in another window since", newest
        ) from error

    def list_verdicts(
        self, recording: int | None = None, observer: str | None = None
    ) -> list[Verdict]:
        """Return the newest verdict of each observer on each event, in the log's order."""
        keys = (_verdicts.c.recording, _verdicts.c.observer, _verdicts.c.key)
        newest = sa.select(sa.func.max(_verdicts.c.id)).group_by(*keys)
        query = sa.select(_verdicts).where(_verdicts.c.id.in_(newest))
        return self._select_verdicts(query, recording, observer)

    def read_log(self, recording: int | None = None) -> list[Verdict]:
        """Return every verdict that was ever given, in order."""
        return self._select_verdicts(sa.select(_verdicts), recording, None)

    def _select_verdicts(
        self, query: sa.Select[Any], recording: int | None, observer: str | None
    ) -> list[Verdict]:
        if recording is not None:
            query = query.where(_verdicts.c.recording == recording)
        if observer is not None:
            query = query.where(_verdicts.c.observer == observer)
        with self._transaction() as connection:
            rows = connection.execute(query.order_by(_verdicts.c.id)).mappings()
            return [_to_verdict(row) for row in rows]

    def delete_recordings(self, recordings: Sequence[int]) -> int:
        """Forget recordings with their events and verdicts, also in freed pages of the tables.

        Returns:
            How many verdicts went with them.

        Raises:
            ReviewError: The database refused.
        """
        chosen = list(recordings)
        with self._transaction() as connection:
            counted = sa.select(sa.func.count()).where(_verdicts.c.recording.in_(chosen))
            n_verdicts = connection.execute(counted).scalar() or 0
            for table in (_verdicts, _events):
                connection.execute(sa.delete(table).where(table.c.recording.in_(chosen)))
            connection.execute(sa.delete(_recordings).where(_recordings.c.id.in_(chosen)))
        if self._engine.dialect.name == "postgresql":
            self._rewrite_tables()
        return int(n_verdicts)

    def _rewrite_tables(self) -> None:
        """Free PostgreSQL's pages of deleted rows; SQLite overwrites its own at once."""
        try:
            with self._engine.connect() as connection:
                connection.execution_options(isolation_level="AUTOCOMMIT")
                connection.execute(sa.text("VACUUM FULL recordings, events, verdicts"))
        except SQLAlchemyError as error:
            raise ReviewError(
                f"Recordings are deleted, but the tables of {self.place} keep their old pages: "
                f"{error.args[0]}; run VACUUM FULL there"
            ) from error


def replay(log: Iterable[Verdict]) -> list[Verdict]:
    """Return the newest verdict of each observer on each event from a log, in the log's order.

    >>> first = Verdict("u1", "Ada", 1, "e1", 1, "reject")
    >>> [verdict.uuid for verdict in replay([first, Verdict("u2", "Ada", 1, "e1", 2, "clear")])]
    ['u2']
    """
    newest: dict[tuple[int, str, str], Verdict] = {}
    for verdict in log:
        key = (verdict.recording, verdict.observer, verdict.key)
        newest.pop(key, None)
        newest[key] = verdict
    return list(newest.values())


def _has_review(engine: sa.Engine) -> bool:
    name = engine.url.database
    if engine.dialect.name == "sqlite" and not (name and Path(name).is_file()):
        return False  # to look into it would make the file
    return sa.inspect(engine).has_table(_verdicts.name)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    for pragma in (
        "foreign_keys=ON",
        "secure_delete=ON",
        "journal_mode=WAL",
        "synchronous=FULL",
        "busy_timeout=5000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _same_event(verdict: Verdict) -> sa.ColumnElement[bool]:
    return sa.and_(
        _verdicts.c.recording == verdict.recording,
        _verdicts.c.observer == verdict.observer,
        _verdicts.c.key == verdict.key,
    )


def _to_values(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _to_recording(row: Mapping[Any, Any]) -> Recording:
    values = _to_values(row)
    group, labels = values.pop("grouping"), tuple(values.pop("labels"))
    return Recording(**values, group=group, labels=labels)


def _to_verdict(row: Mapping[Any, Any]) -> Verdict:
    return Verdict(**_to_values(row))
