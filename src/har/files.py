"""Files that are written whole or not at all, and the hash of one."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from har.errors import HarError, OutputError

_NAME_BYTES = 255
"""Longer names are refused by most file systems."""


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Return a temporary path beside ``path`` to write to; afterwards it takes its place.

    On any error the temporary file is removed and what was there before stays. The folder is made.

    Raises:
        OutputError: The file cannot be written.
    """
    _check_name(path)
    part = find_part(path)
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Say which file or folder could not be written, where the system refuses inside.

    Raises:
        OutputError: The system refused.
    """
    try:
        yield
    except HarError:  # some are OSErrors, too: a video that has gone
        raise
    except OSError as error:
        raise OutputError(
            f"{path} could not be written: {error.strerror or error}. Check that its folder may "
            f"be written to and that the disk is not full."
        ) from error


def _check_name(path: Path) -> None:
    if "\0" in str(path):
        raise OutputError(f"{show_path(path)} holds a null byte, which no name can; take it out")


def find_part(path: Path) -> Path:
    """Return where a file is written until it is whole: beside it, under a name that fits the disk.

    >>> find_part(Path("out/a.mp4")).as_posix()
    'out/a.mp4.part'
    """
    name = os.fsencode(path.name)
    if len(name) > _NAME_BYTES - len(".part"):
        return path.with_name(f"{hashlib.sha256(name).hexdigest()}.part")
    return path.with_name(f"{path.name}.part")


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a table; what no text can hold of odd names is escaped.

    Raises:
        OutputError: The file cannot be written.
    """
    with (
        replacing(path) as part,
        part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def compute_file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def show_path(path: Path | str) -> str:
    r"""Return a path as text that any terminal and file can take, odd bytes and controls escaped.

    >>> print(show_path("a\udce9\nb.mp4"))
    a\udce9\nb.mp4
    """
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def add_ending(base: Path, ending: str) -> Path:
    """Return the path of one of the files whose names begin alike.

    >>> add_ending(Path("out/day.1"), ".events.csv").as_posix()
    'out/day.1.events.csv'
    """
    return base.with_name(f"{base.name}{ending}")


@contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Return an empty folder beside ``folder`` to fill; afterwards it takes its place, whole.

    On any error it is removed and what was there before stays.

    Raises:
        OutputError: The folder cannot be written.
    """
    _check_name(folder)
    part = folder.with_name(f".{folder.name}.part")
    old = folder.with_name(f".{folder.name}.old")
    try:
        with writing(folder):
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            yield part
            _take_place(part, folder, old)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_place(part: Path, folder: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    try:
        part.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    r"""Write a text file in UTF-8; bytes of file names that are none are written as ``\udc..``.

    Raises:
        OutputError: It cannot be written.
    """
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8", errors="backslashreplace")


def write_json(path: Path, values: Any) -> None:
    """Write plain values as readable JSON; what is not a number is refused.

    Raises:
        OutputError: It cannot be written.
        ValueError: A value is no plain one, or not finite.
    """
    write_text(path, json.dumps(values, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
