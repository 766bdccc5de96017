"""What is done with results, in a module that a fresh process can import."""

import os
from functools import partial
from pathlib import Path

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
