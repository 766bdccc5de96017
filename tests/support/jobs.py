"""Jobs for worker processes, in a module that a fresh process can import."""

import os
import time
from pathlib import Path


def double(value: int) -> int:
    return 2 * value


def exit_on_seven(value: int) -> int:
    if value == 7:
        os._exit(1)
    return value


def raise_on_three(value: int) -> int:
    if value == 3:
        raise OSError("no space left")
    return value


def sleep_for_ever(folder: Path) -> None:
    """Leave the process's number in a folder, and never end."""
    (folder / f"{os.getpid()}.pid").touch()
    time.sleep(600)
