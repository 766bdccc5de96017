"""What a format of events is: how it is told from others, read and written."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from har.errors import InterchangeError
from har.interchange.events import EventTable

MAX_BYTES = 256 * 2**20
"""Larger files are refused: events of some thousand hours take less."""
_HEAD_BYTES = 64 * 2**10


@dataclass(frozen=True)
class ReadSettings:
    """What a file of events may not say itself.

    Attributes:
        columns: Name of the column of a table for a field such as ``start``, see
            `har.interchange.tables.FIELDS`.
        fps: Frames a second, for formats that count frames.
        video: Name of the video, for formats that hold none.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    fps: float | None = None
    video: str = ""


@dataclass(frozen=True)
class WriteSettings:
    """What a format must know and a table of events does not say.

    Attributes:
        fps: Frames a second, for formats that count frames, where the table does not know them.
        guard: Make cells safe that a spreadsheet would take for a formula.
    """

    fps: float | None = None
    guard: bool = True


class Source:
    """A file of events that is about to be read.

    Attributes:
        path: The file.
        settings: What the user said of it.
    """

    def __init__(self, path: Path, settings: ReadSettings) -> None:
        self.path, self.settings = path, settings

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB.

        Raises:
            InterchangeError: The file cannot be read.
        """
        return self._read(_HEAD_BYTES)

    @cached_property
    def data(self) -> bytes:
        """The whole file.

        Raises:
            InterchangeError: The file cannot be read, or is too large.
        """
        data = self._read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InterchangeError(
                f"{self.path} is larger than {MAX_BYTES // 2**20} MiB; split it, or name the file "
                "of events and not a video"
            )
        return data

    def _read(self, n_bytes: int) -> bytes:
        try:
            if self.path.exists() and not self.path.is_file():
                raise InterchangeError(f"{self.path} is no file; name a file of events")
            with self.path.open("rb") as file:
                return file.read(n_bytes)
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            raise InterchangeError(f"{self.path} cannot be read: {why}") from error

    def name_video(self) -> str:
        """Return the video of a file that names none: what the user said, else the file's name."""
        return self.settings.video or self.path.stem

    @property
    def is_json(self) -> bool:
        """Whether the file begins like a JSON object or list."""
        return self.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")

    @cached_property
    def json(self) -> Any:
        """The file's JSON.

        Raises:
            InterchangeError: It is damaged.
        """
        return parse_json(self.path, self.data)


def _refuse_constant(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def parse_json(
    path: Path, data: bytes, parse_constant: Callable[[str], object] = _refuse_constant
) -> Any:
    """Return the value of JSON in UTF-8; NaN and infinity are refused, or what is wanted instead.

    Raises:
        InterchangeError: It is damaged.
    """
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=parse_constant)
    except (ValueError, RecursionError) as error:
        raise InterchangeError(
            f"{path} is damaged as JSON: {error or 'nested too deep'}"
        ) from error


@dataclass(frozen=True)
class Format:
    """One format of events.

    Attributes:
        name: What a user calls it on the command line.
        title: What its makers call it.
        endings: Of its files, in lower case with the dot; the first one is written.
        matches: Whether a file is in it; None where it is not read.
        read: Gives the events of a file; raises `InterchangeError` or `TableError`, and never
            anything else, whatever the file holds.
        write: Takes the events, the file and the settings, gives notes on what was changed to fit.
        keeps: Fields of `CodedEvent` beyond video, times and label that survive being written and
            read again.
        one_video: Whether a file holds the events of one video only.
        is_exact: Whether events come back as they were, but for the fields that are not kept; not
            so where overlaps are joined or times go by frames.
    """

    name: str
    title: str
    endings: tuple[str, ...]
    matches: Callable[[Source], bool] | None = None
    read: Callable[[Source], EventTable] | None = None
    write: Callable[[EventTable, Path, WriteSettings], Iterable[str]] | None = None
    keeps: frozenset[str] = frozenset()
    one_video: bool = False
    is_exact: bool = True
