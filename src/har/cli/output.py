"""What a person or a program gets to read: lines, tables, JSON, colors, and how much of it all.

A command's results are tables; lines beside them are left out with ``--quiet``, warnings are not.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from har import progress
from har.escaping import show_controls, show_line

QUIET, NORMAL, VERBOSE, DEBUG = -1, 0, 1, 2

LOG = logging.getLogger("har.cli")

_LIBRARY_LEVELS = {
    QUIET: logging.ERROR,
    NORMAL: logging.WARNING,
    VERBOSE: logging.INFO,
    DEBUG: logging.DEBUG,
}


@dataclass
class _State:
    verbosity: int = NORMAL
    has_json: bool = False


_state = _State()


def set_verbosity(verbosity: int) -> None:
    """Set how much is shown from here on: `QUIET`, `NORMAL`, `VERBOSE` or `DEBUG`."""
    _state.verbosity, _state.has_json = verbosity, False
    library = logging.getLogger("har")
    library.setLevel(_LIBRARY_LEVELS[verbosity])
    if not any(isinstance(handler, _EchoHandler) for handler in library.handlers):
        library.addHandler(_EchoHandler())
    progress.LOG.setLevel(logging.ERROR if verbosity == QUIET else logging.INFO)


def is_verbose() -> bool:
    """Return whether the library's log is shown."""
    return _state.verbosity >= VERBOSE


class _EchoHandler(logging.Handler):
    """Prints the library's log on standard error as it is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if record.exc_info:
            text = f"{text}\n{logging.Formatter().formatException(record.exc_info)}"
        if record.levelno >= logging.WARNING:
            warn(text)
        elif record.name == progress.LOG.name:
            echo(text)
        else:
            moment = time.strftime("%H:%M:%S", time.localtime(record.created))
            echo(f"{moment} {record.name}: {text}")


@contextmanager
def unlogged() -> Iterator[None]:
    """Leave the library's log to what runs meanwhile and shows it in a way of its own."""
    library = logging.getLogger("har")
    handlers = [item for item in library.handlers if isinstance(item, _EchoHandler)]
    for handler in handlers:
        library.removeHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            library.addHandler(handler)


def style(text: str, color: str) -> str:
    """Return the text in a color where standard error is a terminal and NO_COLOR is not set."""
    is_plain = os.environ.get("NO_COLOR") or not sys.stderr.isatty()
    return text if is_plain else click.style(text, fg=color, bold=True)


def echo(text: str, before: str = "") -> None:
    """Print on standard error, the one way there: what others wrote cannot steer the terminal.

    Args:
        text: Its control characters are shown as escapes.
        before: Stands before it and is printed as it is, colors too.
    """
    click.echo(before + show_controls(text), err=True)


def print_json(value: Any, indent: int | None = 2) -> None:
    """Print a result for programs, on standard output; without ``indent`` in one line."""
    _state.has_json = True
    click.echo(json.dumps(value, indent=indent))


def say(text: str = "") -> None:
    """Print a line for people on standard error, but not with ``--quiet``."""
    if _state.verbosity > QUIET:
        echo(text)


def say_result(text: str) -> None:
    """Print a line that is a result, unless a quiet command has printed it as JSON."""
    if _state.verbosity > QUIET or not _state.has_json:
        echo(text)


def warn(text: str) -> None:
    """Print what a person should know of before trusting the result."""
    echo(text, f"{style('Warning:', 'yellow')} ")


def say_error(text: str) -> None:
    """Print why a command ends without its result."""
    echo(text, f"{style('Error:', 'red')} ")


def say_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print results as a table with columns as wide as they need to be."""
    cells = [[show_line(str(cell)) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for number, row in enumerate(cells):
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say_result("  ".join(padded).rstrip())
        if number == 0:
            say_result("  ".join("-" * width for width in widths))


def format_interval(interval: dict[str, Any]) -> str:
    """Return a figure with its 95 % interval as text."""
    if interval["mean"] is None:
        return "not defined"
    if interval["ci95"] is None:
        return f"{interval['mean']:.3f} (no interval: {interval['reason']})"
    low, high = interval["ci95"]
    return f"{interval['mean']:.3f} [{low:.3f}, {high:.3f}]"
