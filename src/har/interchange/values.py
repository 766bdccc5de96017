"""Values of files that other programs wrote: an error says where a wrong one is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from har.errors import HarError, InterchangeError
from har.interchange.events import CodedEvent, Media
from har.interchange.format import Source


@contextmanager
def parsing(source: Source, what: str, remedy: str = "") -> Iterator[None]:
    """Say of which file a value is that cannot be used.

    Raises:
        InterchangeError: A ``ValueError`` or ``OverflowError`` came up inside.
    """
    try:
        yield
    except HarError:
        raise
    except (ValueError, OverflowError) as error:
        raise InterchangeError(
            f"{source.path} cannot be read as {what}: {error}{remedy and f'. {remedy}'}"
        ) from error


def check_dict(value: Any, where: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ValueError: It is something else.
    """
    return _check(value, dict, "an object {...}", where)


def check_list(value: Any, where: str) -> list[Any]:
    """Return a JSON list.

    Raises:
        ValueError: It is something else.
    """
    return _check(value, list, "a list [...]", where)


def check_text(value: Any, where: str) -> str:
    """Return a text; whole numbers count as one.

    Raises:
        ValueError: It is something else.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return _check(value, str, "a text", where)


def check_number(value: Any, where: str) -> float:
    """Return a finite number.

    Raises:
        ValueError: It is something else, or too large.

    >>> check_number(2, "fps")
    2.0
    """
    if isinstance(value, bool):
        value = str(value)
    try:
        number = float(_check(value, (int, float), "a number", where))
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{where}: the number is too large")
    return number


def find_number(values: Mapping[str, Any], name: str, where: str) -> float | None:
    """Return a number that may be missing, null or 0: None then.

    Raises:
        ValueError: It is something else.
    """
    value = values.get(name)
    return None if value is None else check_number(value, f"{where}, {name}") or None


def find_text(values: Mapping[str, Any], name: str, where: str) -> str:
    """Return a text that may be missing or null: empty then.

    Raises:
        ValueError: It is something else.
    """
    value = values.get(name)
    return "" if value is None else check_text(value, f"{where}, {name}")


def make_event(where: str, *values: Any, **named: Any) -> CodedEvent:
    """Return a `CodedEvent`.

    Raises:
        ValueError: It makes no sense; the message says where.
    """
    try:
        return CodedEvent(*values, **named)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def make_media(where: str, *values: Any) -> Media:
    """Return a `Media`.

    Raises:
        ValueError: It makes no sense; the message says where.
    """
    try:
        return Media(*values)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _check(value: Any, kind: type | tuple[type, ...], wanted: str, where: str) -> Any:
    if isinstance(value, kind):
        return value
    found = {dict: "an object", list: "a list", type(None): "nothing"}.get(type(value))
    raise ValueError(f"{where}: expected {wanted}, received {found or ascii(value)[:60]}")
