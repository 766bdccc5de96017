"""Settings from files, over defaults: names and kinds are checked, former names still work."""

from __future__ import annotations

import dataclasses
import json
import logging
import tomllib
import warnings
from collections.abc import Collection, Container, Iterator
from pathlib import Path
from typing import Any, TypeVar

from har.errors import ConfigError

_log = logging.getLogger(__name__)

Config = TypeVar("Config")

MAX_BYTES = 256 * 1024
"""Files of settings are smaller than this."""


def update_config(config: Config, values: dict[str, Any], where: str = "the settings") -> Config:
    """Return ``config`` with the nested ``values`` put over it, all bounds checked again.

    Settings under ``advanced`` are put where they belong: ``{"advanced": {"cnn": {...}}}``.

    >>> from har.config.train import TrainConfig
    >>> update_config(TrainConfig(), {"temporal": {"units": 32}}).temporal.units
    32

    Raises:
        ConfigError: A name is unknown or a value is out of its bounds.
    """
    return _update(config, _lower_advanced(config, values, where), where, "")


def _update(config: Config, values: dict[str, Any], where: str, table: str) -> Config:
    place = f"{where}, table [{table}]" if table else where
    known = {item.name: item for item in dataclasses.fields(config)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for given, value in values.items():
        name = _find_present_name(given, known, place)
        if name not in known:
            raise ConfigError(
                f"Unknown setting {name!r} in {place}; known here: {', '.join(sorted(known))}"
            )
        current = getattr(config, name)
        if dataclasses.is_dataclass(current) and isinstance(value, dict):
            inner = f"{table}.{name}" if table else name
            changed[name] = _update(current, value, where, inner)
        else:
            changed[name] = _as_tuple(value)
            shown = repr(value) if known[name].repr else "something else"
            _check_kind(name, changed[name], current, place, shown)
    try:
        return dataclasses.replace(config, **changed)  # type: ignore[type-var]
    except ConfigError as error:
        raise ConfigError(f"{error} (in {place})") from error


_RENAMED = {
    "shrink": "downsample",
    "zoom": "motion_crop",
    "own_labels": "single_person_labels",
    "min_sureness": "min_confidence",
    "n_views": "n_variants",
}


def _find_present_name(name: str, known: Container[str], where: str) -> str:
    """Return the present name of a setting that was called otherwise before, with a warning."""
    present = _RENAMED.get(name)
    if name in known or present is None or present not in known:
        return name
    warnings.warn(f"{name} in {where} is now called {present}", FutureWarning, stacklevel=2)
    return present


def _check_kind(name: str, value: Any, current: Any, where: str, shown: str) -> None:
    """Refuse a value of another kind than the default; whole numbers serve as any number.

    Fields with ``repr=False`` hold secrets, so ``shown`` stands for their value in messages.
    """
    kinds = (int, float) if type(current) is float else type(current)
    if current is not None and (
        not isinstance(value, kinds) or isinstance(value, bool) is not isinstance(current, bool)
    ):
        raise ConfigError(
            f"Expected {name} of the kind of its default {current!r} in {where}, received {shown}"
        )


_ADVANCED = "advanced"


def _lower_advanced(config: Any, values: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the values with those under ``advanced`` put beside the others of their stage."""
    basic: Collection[str] = getattr(config, "BASIC", ())
    under = values.get(_ADVANCED)
    if not basic or not isinstance(under, dict):
        return values
    for path in _list_paths(under, basic):
        if path in basic:
            table, _, name = path.rpartition(".")
            home = f"to the table [{table}]" if table else "above all tables"
            raise ConfigError(f"{name} in {where} is no advanced setting; move it {home}")
    return _merge({name: item for name, item in values.items() if name != _ADVANCED}, under)


def _warn_of_moved(config: Any, values: dict[str, Any], where: str) -> None:
    """Warn of advanced settings that stand where they stood before."""
    basic: Collection[str] = getattr(config, "BASIC", ())
    values = {name: item for name, item in values.items() if name != _ADVANCED}
    for path in _list_paths(values, basic) if basic else ():
        if path not in basic:
            table, _, name = f"{_ADVANCED}.{path}".rpartition(".")
            text = f"{name} in {where} has moved to the table [{table}]"
            warnings.warn(text, FutureWarning, stacklevel=3)


def _list_paths(values: dict[str, Any], basic: Collection[str], above: str = "") -> Iterator[str]:
    """Yield the paths of all settings, a table that holds no basic one as a whole."""
    for given, value in values.items():
        path = f"{above}{_RENAMED.get(given, given)}"
        if isinstance(value, dict) and any(item.startswith(f"{path}.") for item in basic):
            yield from _list_paths(value, basic, f"{path}.")
        else:
            yield path


def _merge(values: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for name, value in over.items():
        inner = merged.get(name)
        is_table = isinstance(inner, dict) and isinstance(value, dict)
        merged[name] = _merge(inner, value) if is_table else value  # type: ignore[arg-type]
    return merged


def load_config(path: Path, base: Config) -> Config:
    """Read a TOML file, or a ``.json`` file such as `har tune` writes, over the defaults ``base``.

    Raises:
        ConfigError: The file is missing, cannot be read, or holds a bad setting.
    """
    try:
        read = json.loads if path.suffix == ".json" else tomllib.loads
        values = dict(read(read_settings(path)))
    except (ValueError, TypeError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}") from error
    config = update_config(base, values, str(path))
    _log.info("Settings come from %s", path)
    _warn_of_moved(base, values, str(path))
    return config


def read_settings(path: Path) -> str:
    """Return the text of a file of settings.

    Raises:
        ConfigError: The file is missing, cannot be read, or is far too large.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"The settings file {path} is larger than {MAX_BYTES} bytes")
    return text


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
