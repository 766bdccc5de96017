"""What is done with results, in a module that a fresh process can import."""

import os
import resource
import signal
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from har.files import write_text
from har.inference.folder import Write
from har.result import VideoResult


def write_label(base: Path, result: VideoResult, ending: str = ".label.txt") -> None:
    base.with_name(base.name + ending).write_text(result.label)


def kill_at(name: str) -> Write:
    """Return a `Write` that makes the process die when it comes to a video of that name."""
    return partial(_write_or_die, name)


def _write_or_die(name: str, base: Path, result: VideoResult) -> None:
    if result.info.path.name == name:
        os._exit(1)
    write_label(base, result)


def fill_disk_of_first(mark: Path) -> Write:
    """Return a `Write` for which the disk is full in the first process that calls it, for good."""
    return partial(_write_unless_full, mark)


def _write_unless_full(mark: Path, base: Path, result: VideoResult) -> None:
    with suppress(FileExistsError), mark.open("x") as file:
        file.write(str(os.getpid()))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if mark.read_text() == str(os.getpid()):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, hard))
    try:
        write_text(base.with_name(f"{base.name}.label.txt"), result.label)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def sleep_at(name: str) -> Write:
    """Return a `Write` that never ends when it comes to a video of that name."""
    return partial(_write_or_sleep, name)


def _write_or_sleep(name: str, base: Path, result: VideoResult) -> None:
    if result.info.path.name == name:
        time.sleep(600)
    write_label(base, result)


def die_once_at(name: str, mark: Path) -> Write:
    """Return a `Write` that makes the first process die that comes to a video of that name."""
    return partial(_write_or_die_once, name, mark)


def _write_or_die_once(name: str, mark: Path, base: Path, result: VideoResult) -> None:
    if result.info.path.name == name and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    write_label(base, result)
