"""Rules by label, for events and alerts: settings of all labels, and what some have of their own.

The config of such rules is itself the rule of all labels, and has ``labels``: for some of them, the
settings that are different.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol, TypeVar

from har.config.bounds import Mistakes, check
from har.errors import ConfigError

Rule = TypeVar("Rule")


class HasLabels(Protocol):
    """A config that has settings of labels."""

    @property
    def labels(self) -> Mapping[str, Mapping[str, Any]]:
        """Return the settings that are different, by label."""
        ...


def list_fields(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a rule's settings."""
    return tuple(item.name for item in fields(kind))


def derive_rule(config: HasLabels, kind: type[Rule], label: str) -> Rule:
    """Return the rule of a label: its own settings over those of all."""
    shared = {name: getattr(config, name) for name in list_fields(kind)}
    return kind(**{**shared, **config.labels.get(label, {})})


def check_label_rules(config: HasLabels, kind: type[Any], title: str) -> None:
    """Refuse settings of labels that no rule could have.

    Args:
        config: The rules.
        kind: One of them.
        title: Stands before the label's name in messages.

    Raises:
        ConfigError: A name is unknown, or a value is of another kind or out of its bounds.
    """
    mistakes = Mistakes()
    for label in config.labels:
        with mistakes.gathering():
            _check_label_rule(config, kind, title, label)
    mistakes.refuse()


def _check_label_rule(config: HasLabels, kind: type[Any], title: str, label: str) -> None:
    kinds = {item.name: type(item.default) for item in fields(kind)}
    where, values = f"{title} {label!r}", config.labels[label]
    check(isinstance(values, Mapping), f"the settings of {where}", values, "a table")
    for name, value in values.items():
        check(name in kinds, f"a setting of {where}", name, f"one of {', '.join(kinds)}")
        is_switch = kinds[name] is bool
        fits = isinstance(value, bool if is_switch else int | float)
        expected = "true or false" if is_switch else "a number"
        check(fits and isinstance(value, bool) is is_switch, f"{name} of {where}", value, expected)
    try:
        derive_rule(config, kind, label)
    except ConfigError as error:
        raise ConfigError(f"{error} (for {where})") from error
