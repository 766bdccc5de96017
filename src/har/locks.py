"""One run at a time in a folder: a lock that says who holds it and ends with its process."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from har.errors import LockedError, OutputError

LOCK_NAME = ".har.lock"
_HOLDER_NAME = ".har.lock.json"


@contextmanager
def locking(folder: Path) -> Iterator[None]:
    """Hold a folder alone inside the ``with`` block; the system frees it if the process dies.

    Args:
        folder: Made if it is not there.

    Raises:
        LockedError: Another process holds it; the message says which.
        OutputError: The folder cannot be written.
    """
    lock = FileLock(folder / LOCK_NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        raise LockedError(
            f"{folder} is in use by {_describe_holder(folder)}. Wait until that has ended, stop "
            "it, or name another folder"
        ) from None
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}. Name another folder, or "
            "check its permissions and the disk"
        ) from error
    try:
        _note_holder(folder)
        yield
    finally:
        with suppress(OSError):
            (folder / _HOLDER_NAME).unlink(missing_ok=True)
        lock.release()


def _note_holder(folder: Path) -> None:
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]) if sys.argv else "python"
    values = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "command": command,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    with suppress(OSError):
        (folder / _HOLDER_NAME).write_text(json.dumps(values), encoding="utf-8")


def _describe_holder(folder: Path) -> str:
    try:
        values: dict[str, Any] = json.loads((folder / _HOLDER_NAME).read_text(encoding="utf-8"))
        return (
            f"process {values['process']} on {values['host']} ({values['command']}, since "
            f"{values['since']})"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"
