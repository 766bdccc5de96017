"""Checks of settings: a wrong one is refused before any work starts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from numbers import Integral, Real

from har.errors import ConfigError


@dataclass
class Mistakes:
    """Gathers what is wrong with settings, so that all of it is told at once."""

    found: list[str] = field(default_factory=list)

    @contextmanager
    def gathering(self, where: str = "") -> Iterator[None]:
        """Take over the mistakes that are raised inside, each with its place behind it."""
        try:
            yield
        except ConfigError as error:
            self.found += [f"{text} ({where})" if where else str(text) for text in error.args]

    def refuse(self) -> None:
        """Raise what was gathered.

        Raises:
            ConfigError: There is a mistake.
        """
        if self.found:
            raise ConfigError(*self.found)


def check(ok: bool, name: str, value: object, expected: str, remedy: str = "") -> None:
    """Refuse a value.

    Args:
        ok: Whether it is a right one.
        name: Of the setting.
        value: What was received.
        expected: Goes on after "must be".
        remedy: What to do, where that is not plain.

    Raises:
        ConfigError: ``ok`` is false.
    """
    if not ok:
        more = f"; {remedy}" if remedy else ""
        raise ConfigError(f"{name} must be {expected}, received {value!r}{more}")


def check_range(config: object, **bounds: tuple[float, float]) -> None:
    """Refuse settings that are no numbers between their bounds, both included.

    Args:
        config: Has the settings.
        **bounds: Two whole numbers allow whole numbers only.

    Raises:
        ConfigError: One is not.
    """
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        is_whole = isinstance(low, int) and isinstance(high, int)
        is_number = isinstance(value, Integral if is_whole else Real)
        is_number = is_number and not isinstance(value, bool)
        kind = "a whole number " if is_whole else "a number "
        ok = is_number and low <= value <= high
        bounds_text = f"from {_format(low)} to {_format(high)}"
        check(ok, name, value, f"{'' if is_number else kind}{bounds_text}")


def _format(bound: float) -> str:
    return str(int(bound)) if bound == int(bound) else f"{bound:g}"
