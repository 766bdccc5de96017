"""Settings from files, over defaults: names and kinds are checked, former names still work."""

from __future__ import annotations

import dataclasses
import difflib
import json
import logging
import re
import tomllib
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from har.config.bounds import Mistakes
from har.config.secrets import resolve_secrets
from har.errors import ConfigError

_log = logging.getLogger(__name__)

Config = TypeVar("Config")

MAX_BYTES = 256 * 1024
"""Files of settings are smaller than this."""


@dataclass(frozen=True)
class _Source:
    """Where settings come from, and the TOML text of it if there is one."""

    name: str
    text: str = ""

    def place(self, table: str, setting: str = "") -> str:
        """Return file, line and table of a setting, or of a table."""
        line = find_line(self.text, table, setting)
        shown = f"{self.name}, line {line}" if line else self.name
        return f"{shown}, table [{table}]" if table else shown


def find_line(text: str, table: str, name: str = "") -> int:
    r"""Return the line, from 1, of a setting in a TOML text, or of a table; 0 where there is none.

    Settings under ``advanced`` are found by the table that they belong to.

    >>> find_line("seed = 1\n[advanced.cnn]\nfit.epochs = 2", "cnn.fit", "epochs")
    3
    """
    wanted, inside, table_line = ".".join(filter(None, (table, name))), "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            inside = path = _normalize(header[1])
            is_near = path == table or path.startswith(f"{wanted}.")
            table_line = table_line or (number if path and is_near else 0)
        elif setting := _SETTING.match(line):
            path = _normalize(f"{inside}.{setting[1]}")
        else:
            continue
        if path == wanted or (not header and wanted.startswith(f"{path}.")):
            return number
    return table_line


_HEADER = re.compile(r"\s*\[+([^\]]+)\]")
_NAME = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_SETTING = re.compile(rf"\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*=")


def _normalize(path: str) -> str:
    parts = [part.strip().strip("\"'") for part in path.split(".")]
    return ".".join(part for part in parts if part and part != _ADVANCED)


def update_config(config: Config, values: dict[str, Any], where: str = "the settings") -> Config:
    """Return ``config`` with the nested ``values`` put over it, all bounds checked again.

    Settings under ``advanced`` are put where they belong: ``{"advanced": {"cnn": {...}}}``.

    >>> from har.config.train import TrainConfig
    >>> update_config(TrainConfig(), {"temporal": {"units": 32}}).temporal.units
    32

    Raises:
        ConfigError: A name is unknown or a value is out of its bounds.
    """
    mistakes = Mistakes()
    updated = _put_over(config, values, _Source(where), mistakes)
    mistakes.refuse()
    return updated


def _put_over(
    config: Config, values: dict[str, Any], source: _Source, mistakes: Mistakes
) -> Config:
    return _update(config, _lower_advanced(config, values, source), source, "", mistakes)


def _update(
    config: Config, values: dict[str, Any], source: _Source, table: str, mistakes: Mistakes
) -> Config:
    known = {item.name: item for item in dataclasses.fields(config)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for given, value in values.items():
        place = source.place(table, given)
        name = _find_present_name(given, known, place)
        if name not in known:
            text = f"There is no setting {given!r} ({place}); {_suggest(given, known)}"
            mistakes.found.append(text)
            continue
        current = getattr(config, name)
        if dataclasses.is_dataclass(current) and isinstance(value, dict):
            inner = f"{table}.{name}" if table else name
            changed[name] = _update(current, value, source, inner, mistakes)
            continue
        with mistakes.gathering():
            shown = repr(value) if known[name].repr else "something else"
            _check_kind(name, _as_tuple(value), current, place, shown)
            changed[name] = _as_tuple(value)
    return _replace(config, changed, source, table, mistakes)


def _replace(
    config: Config, changed: dict[str, Any], source: _Source, table: str, mistakes: Mistakes
) -> Config:
    """Return the config with what is right of its changes; what is wrong is among the mistakes."""
    while True:
        try:
            return dataclasses.replace(config, **changed)  # type: ignore[type-var]
        except ConfigError as error:
            wrong = {str(text): _find_wrong(str(text), changed) for text in error.args}
            mistakes.found += [
                f"{text} ({source.place(table, name or 'labels')})" for text, name in wrong.items()
            ]
            if not any(wrong.values()):
                return config
            changed = {name: value for name, value in changed.items() if name not in wrong.values()}


def _find_wrong(text: str, changed: Collection[str]) -> str:
    """Return the setting that a message is about, empty where that is not plain."""
    found = next((name for name in changed if text.startswith(f"{name} ")), "")
    return "labels" if not found and "labels" in changed and " label " in text else found


def _suggest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    meant = f"did you mean {near[0]!r}? " if near else ""
    return f"{meant}There are: {', '.join(sorted(known))}"


_RENAMED = {
    "shrink": "downsample",
    "zoom": "motion_crop",
    "own_labels": "single_person_labels",
    "min_sureness": "min_confidence",
    "n_views": "n_variants",
}


def _find_present_name(name: str, known: Collection[str], where: str) -> str:
    """Return the present name of a setting that was called otherwise before, with a warning."""
    present = _RENAMED.get(name)
    if name in known or present is None or present not in known:
        return name
    warnings.warn(f"{name} is now called {present} ({where})", FutureWarning, stacklevel=2)
    return present


def _check_kind(name: str, value: Any, current: Any, where: str, shown: str) -> None:
    """Refuse a value of another kind than the default; whole numbers serve as any number.

    Fields with ``repr=False`` hold secrets, so ``shown`` stands for their value in messages.
    """
    kinds = (int, float) if type(current) is float else type(current)
    if current is not None and (
        not isinstance(value, kinds) or isinstance(value, bool) is not isinstance(current, bool)
    ):
        expected = _KINDS.get(type(current), "a table")
        raise ConfigError(f"{name} must be {expected}, received {shown} ({where})")


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list",
}


_ADVANCED = "advanced"


def _lower_advanced(config: Any, values: dict[str, Any], source: _Source) -> dict[str, Any]:
    """Return the values with those under ``advanced`` put beside the others of their stage."""
    basic: Collection[str] = getattr(config, "BASIC", ())
    under = values.get(_ADVANCED)
    if not basic or not isinstance(under, dict):
        return values
    for path in _list_paths(under, basic):
        if path in basic:
            table, _, name = path.rpartition(".")
            home = f"to the table [{table}]" if table else "above all tables"
            where = source.place(table, name)
            raise ConfigError(f"{name} is no advanced setting; move it {home} ({where})")
    return _merge({name: item for name, item in values.items() if name != _ADVANCED}, under)


def _warn_of_moved(config: Any, values: dict[str, Any], source: _Source) -> None:
    """Warn of advanced settings that stand where they stood before."""
    basic: Collection[str] = getattr(config, "BASIC", ())
    values = {name: item for name, item in values.items() if name != _ADVANCED}
    for path in _list_paths(values, basic) if basic else ():
        if path not in basic:
            table, _, name = path.rpartition(".")
            home = ".".join(filter(None, (_ADVANCED, table)))
            text = f"{name} has moved to the table [{home}] ({source.place(table, name)})"
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
        ConfigError: The file is missing, cannot be read, or holds bad settings, all of which are
            told.
    """
    mistakes = Mistakes()
    config = read_config(path, base, mistakes)
    mistakes.refuse()
    return config


def read_config(path: Path, base: Config, mistakes: Mistakes) -> Config:
    """Read a file of settings as `load_config` does; what is wrong in it is added to ``mistakes``.

    Raises:
        ConfigError: The file is missing or cannot be read.
    """
    is_json, text = path.suffix == ".json", read_settings(path)
    try:
        values = dict((json.loads if is_json else tomllib.loads)(text))
    except (ValueError, TypeError, RecursionError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}") from error
    source = _Source(str(path), "" if is_json else text)
    if getattr(base, "HAS_SECRETS", False):
        values = resolve_secrets(values, source.place, mistakes)
    config = _put_over(base, values, source, mistakes)
    _log.info("Settings come from %s", path)
    if not mistakes.found:
        _warn_of_moved(base, values, source)
    return config


def read_settings(path: Path) -> str:
    """Return the text of a file of settings.

    Raises:
        ConfigError: The file is missing, cannot be read, or is far too large.
    """
    try:
        if not path.is_file() and path.exists():
            raise ConfigError(f"The settings file {path} is no file but a folder, pipe or device")
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        text = data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"The settings file {path} is larger than {MAX_BYTES} bytes")
    return text


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
