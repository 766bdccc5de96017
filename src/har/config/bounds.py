"""Checks of settings: a wrong one is refused before any work starts."""

from __future__ import annotations

from har.errors import ConfigError


def check(ok: bool, name: str, value: object, expected: str) -> None:
    """Refuse a value.

    Raises:
        ConfigError: ``ok`` is false; the message names the setting, its value and what is expected.
    """
    if not ok:
        raise ConfigError(f"Expected {name} {expected}, received {name}={value!r}")


def check_range(config: object, **bounds: tuple[float, float]) -> None:
    """Refuse settings that are not between their bounds, both included.

    Raises:
        ConfigError: One is not.
    """
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        check(low <= value <= high, name, value, f"from {low:g} to {high:g}")
