"""One run at a time in a folder: a lock that says who holds it and ends with its process.

The shards of a run hold a folder together: each its own lock, and in turns that of all.
"""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from har.errors import LockedError, OutputError
from har.parallel import end_if_starting

LOCK_NAME = ".har.lock"
_SHARDS = ".har.shards"
_START_WAIT_S, JOIN_WAIT_S = 30.0, 1800.0


@contextmanager
def locking(folder: Path, beside: bool = False) -> Iterator[None]:
    """Hold a folder alone inside the ``with`` block; the system frees it if the process dies.

    The lock is a hidden file, which stays; it means nothing unless a process holds it. A run that
    put nothing into a folder which it made leaves neither.

    Args:
        folder: Made if it is not there.
        beside: Put the lock beside the folder, not into it: for one that is replaced as a whole.

    Raises:
        LockedError: Another process holds it, or a shard of it; the message says which.
        OutputError: The folder cannot be written.
    """
    path = folder.with_name(f".{folder.name}{LOCK_NAME}") if beside else folder / LOCK_NAME
    with _holding(folder, path):
        _refuse_shards(folder, "")
        yield


@contextmanager
def locking_shard(folder: Path, number: int, count: int) -> Iterator[None]:
    """Hold one of ``count`` shards of a folder inside the ``with`` block.

    Others of as many may be held meanwhile; what all of them write needs `joining`.

    Raises:
        LockedError: Another process holds this shard, one of another number of them, or all.
        OutputError: The folder cannot be written.
    """
    kin = f"-of-{count}.lock"
    with _holding(folder, folder / _SHARDS / f"{number}{kin}"):
        with joining(folder, _START_WAIT_S):
            _refuse_shards(folder, kin)
        yield


@contextmanager
def joining(folder: Path, wait_s: float = JOIN_WAIT_S) -> Iterator[None]:
    """Hold a folder for the moment in which a shard brings up to date what all of them share.

    Raises:
        LockedError: It was not free within ``wait_s``.
        OutputError: The folder cannot be written.
    """
    with _holding(folder, folder / LOCK_NAME, wait_s):
        yield


def _refuse_shards(folder: Path, kin: str) -> None:
    """Raise `LockedError` if a shard is held but those of whose lock the name ends in ``kin``."""
    for path in sorted((folder / _SHARDS).glob("*.lock")):
        if not (kin and path.name.endswith(kin)):
            with _holding(folder, path):
                pass


@contextmanager
def _holding(folder: Path, path: Path, wait_s: float = 0.0) -> Iterator[None]:
    end_if_starting()
    holder = path.with_name(f"{path.name}.json")
    lock = FileLock(path)
    made = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=wait_s)
    except Timeout:
        raise LockedError(
            f"{folder} is in use by {_describe_holder(holder)}. Wait until that has ended, stop "
            "it, or name another folder"
        ) from None
    except (OSError, ValueError, NotImplementedError) as error:
        # a null byte in the name is a ValueError, a file system without locks the last
        why = getattr(error, "strerror", None) or error
        raise OutputError(
            f"{folder} cannot be written: {why}. Name another folder, or check its permissions "
            "and the disk"
        ) from error
    try:
        _note_holder(holder)
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        _remove_empty(path, made)
        lock.release()


def _remove_empty(path: Path, made: Sequence[Path]) -> None:
    """Remove a lock that is held, and the folders that were made for it, where it is all in them.

    Elsewhere it stays: who has opened it already must lock the same file as who comes later.
    """
    with suppress(OSError):
        if made and list(path.parent.iterdir()) == [path]:
            path.unlink()
            for folder in made:
                folder.rmdir()


def _note_holder(path: Path) -> None:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]) if sys.argv else "python"
    values = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with suppress(OSError):
        path.write_text(json.dumps(values), encoding="utf-8")


def _describe_holder(path: Path) -> str:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return (
            f"process {values['process']} on {values['host']} ({values['command']}, since "
            f"{values['since']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
