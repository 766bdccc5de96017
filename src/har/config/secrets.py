"""Secrets of settings: what `env:NAME` and `file:PATH` stand for, which no message shows."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from har.config.bounds import Mistakes
from har.errors import ConfigError

_MAX_BYTES = 64 * 1024


class Secret(str):
    """A text from a variable or a file; messages that quote it show where it is from instead."""

    __slots__ = ("origin",)
    origin: str

    def __repr__(self) -> str:
        """Return its origin, never what it holds."""
        return repr(self.origin)


def resolve_secrets(
    values: dict[str, Any], place: Callable[[str, str], str], mistakes: Mistakes
) -> dict[str, Any]:
    """Return settings with what their texts ``env:NAME`` and ``file:PATH`` stand for.

    Args:
        values: Tables in tables, as a file of settings has them.
        place: Returns where a setting of a table stands.
        mistakes: Gets variables that are not set and files that cannot be read; they are left out
            of lists, and elsewhere an empty text takes their place.
    """
    return _resolve_table(values, "", place, mistakes)


def _resolve_table(
    values: dict[str, Any], table: str, place: Callable[[str, str], str], mistakes: Mistakes
) -> dict[str, Any]:
    def resolve(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return _resolve_table(value, f"{table}.{name}".strip("."), place, mistakes)
        if isinstance(value, list):
            items = [resolve(name, item) for item in value]
            return [item for item in items if not isinstance(item, Secret) or item]
        if not isinstance(value, str) or not value.startswith(("env:", "file:")):
            return value
        secret = Secret()
        with mistakes.gathering(place(table, name)):
            secret = Secret(read_secret(*value.split(":", 1)))
        secret.origin = value
        return secret

    return {name: resolve(name, value) for name, value in values.items()}


def read_secret(kind: str, name: str) -> str:
    """Return what a variable (``env``) or a file of one line (``file``) holds.

    Raises:
        ConfigError: It is not set, cannot be read, or holds none or several lines.
    """
    if kind == "env":
        text = os.environ.get(name, "")
        if not text:
            raise ConfigError(f"The environment variable {name} is not set, or empty; set it")
        return text
    try:
        with Path(name).open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        text = data.decode().strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f"The file {name} of a secret cannot be read: {reason}") from error
    if not text or len(data) > _MAX_BYTES or "\n" in text:
        raise ConfigError(f"The file {name} must hold one line, the secret, and nothing else")
    return text
