"""``har.toml``: a project's defaults for options, found upwards from the working directory.

A table for each command has the options' names; ``bundle`` and ``store`` above all tables are for
every command that reads one. Paths are meant from the folder of the file.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from har.addresses import is_hub_address
from har.bundle_files import list_shipped
from har.cli.group import find_long_name, iter_commands
from har.config.loading import find_line, read_settings
from har.errors import ConfigError

FILE_NAME = "har.toml"

SHARED = ("bundle", "store")
_WRITES_BUNDLE = ("tune",)
"""Commands whose --bundle is written to: that is done only on a word of its own."""

_BUNDLE_OPTIONS = ("bundle", "from")
"""They take the name of a shipped bundle as well as a folder."""


def find_project(start: Path, home: Path) -> Path | None:
    """Return the nearest ``har.toml`` upwards from a folder, up to the home folder or the root."""
    for folder in (start, *start.parents):
        if (folder / FILE_NAME).exists():
            return folder / FILE_NAME
        if folder == home:
            return None
    return None


def load_defaults(path: Path, commands: Mapping[str, click.Command]) -> dict[str, dict[str, Any]]:
    """Return the file's values for click's ``default_map``: by command, by parameter.

    Raises:
        ConfigError: The file cannot be read, is too large, or holds an unknown name or a value that
            its option does not take.
    """
    return _Project(path, read_settings(path)).collect(commands)


_OTHER_VARIABLES = ("HAR_ENGINE", "HAR_DEBUG", "HAR_VERBOSE", "HAR_QUIET", "HAR_VERSION")


def list_unknown_variables(
    environ: Iterable[str], commands: Mapping[str, click.Command]
) -> list[str]:
    """Return a sentence for each variable that was meant for har and that no option has.

    Args:
        environ: Names of all variables.
        commands: By name; they are loaded only where there is a variable to look up.
    """
    found = sorted(name for name in environ if name.startswith("HAR_"))
    prefixes = tuple(f"HAR_{name}_".upper().replace("-", "_") for name in commands)
    found = [name for name in found if name not in _OTHER_VARIABLES]
    if not found:
        return []
    known = {variable for item in commands.values() for variable in _list_variables(item)}
    texts = []
    for name in found:
        near = difflib.get_close_matches(name, [*known, *_OTHER_VARIABLES], 1, 0.8)
        if name not in known and (near or name.startswith(prefixes)):
            meant = f"; did you mean {near[0]}?" if near else ""
            texts.append(f"The variable {name} is ignored, for no option has this name{meant}")
    return texts


def _list_variables(command: click.Command) -> Iterator[str]:
    for item, _ in iter_commands(command, ()):
        for param in item.params:
            names = param.envvar or ()
            yield from [names] if isinstance(names, str) else names


class _Project:
    def __init__(self, path: Path, text: str) -> None:
        self._path, self._text = path, text
        try:
            self._values = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"The project file {path} is no TOML: {error}") from error

    def collect(self, commands: Mapping[str, click.Command]) -> dict[str, dict[str, Any]]:
        """Return the values by command and parameter."""
        for name, values in self._values.items():
            known = [*SHARED] if name in SHARED else [*commands]
            if (name in SHARED) is isinstance(values, dict) or name not in known:
                what = "table" if isinstance(values, dict) else "setting"
                raise ConfigError(
                    f"Unknown {what} {name!r} in {self._place('', name)}; known are the settings "
                    f"{', '.join(SHARED)} and the tables {', '.join(commands)}"
                )
        return {
            name: self._collect_command(name, item)
            for name, item in commands.items()
            if not isinstance(item, click.Group)  # 'har bundle': its name is a setting here
        }

    def _collect_command(self, name: str, command: click.Command) -> dict[str, Any]:
        params = _name_params(command)
        found: dict[str, Any] = {}
        for key in SHARED:
            is_read = key != "bundle" or name not in _WRITES_BUNDLE
            if key in self._values and key in params and is_read:
                found[str(params[key].name)] = self._convert("", key, params[key])
        for key in self._values.get(name, {}):
            param = params.get(key.replace("_", "-"))
            if param is None:
                raise ConfigError(
                    f"Unknown option {key!r} in {self._place(name, key)}; "
                    f"'har {name}' has {', '.join(sorted(params))}"
                )
            found[str(param.name)] = self._convert(name, key, param)
        return found

    def _convert(self, table: str, key: str, param: click.Parameter) -> Any:
        """Return a value as the option takes it, paths from the file's folder."""
        value = (self._values[table] if table else self._values)[key]
        items = value if isinstance(value, list) else [value]
        self._check_kind(table, key, value, param)
        if isinstance(param.type, click.Path):
            items = [self._resolve(item, find_long_name(param) or key) for item in items]
        try:
            for item in items:
                param.type.convert(item, param, None)
        except click.BadParameter as error:
            raise ConfigError(
                f"Bad value of {key} in {self._place(table, key)}: {error.message}"
            ) from error
        return items if getattr(param, "multiple", False) else items[0]

    def _check_kind(self, table: str, key: str, value: Any, param: click.Parameter) -> None:
        is_multiple = getattr(param, "multiple", False)
        items = value if isinstance(value, list) and is_multiple else [value]
        if getattr(param, "is_flag", False):
            kind: Any = bool
            expected = "true or false"
        elif isinstance(param.type, click.types.IntParamType):
            kind, expected = int, "a whole number"
        elif isinstance(param.type, click.types.FloatParamType):
            kind, expected = (int, float), "a number"
        else:
            kind, expected = str, "a text"
        for item in items:
            if not isinstance(item, kind) or isinstance(item, bool) is not (kind is bool):
                more = ", or a list of such" if is_multiple else ""
                raise ConfigError(
                    f"Expected {key} in {self._place(table, key)} as {expected}{more}, "
                    f"received {value!r}"
                )

    def _resolve(self, text: str, option: str) -> str:
        folder = self._path.parent
        if not text or is_hub_address(text):
            return text
        is_shipped = option in _BUNDLE_OPTIONS and text in list_shipped()
        if folder == Path.cwd() or (is_shipped and not (folder / text).exists()):
            return text
        return str(folder / Path(text).expanduser())

    def _place(self, table: str, key: str) -> str:
        """Return the file, the line where it is found, and the table."""
        number = find_line(self._text, table, key)
        shown = f"{self._path}, line {number}" if number else str(self._path)
        return f"{shown}, table [{table}]" if table else shown


def _name_params(command: click.Command) -> dict[str, click.Parameter]:
    """Return what can be set, by its name on the command line: options, and single arguments."""
    named: dict[str, click.Parameter] = {}
    for param in command.params:
        name = find_long_name(param) or (param.name if param.nargs == 1 else None)
        if name is not None:
            named[name] = param
    return named
