"""What several commands share: options and what they mean."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from har.config import RECIPES

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
store_option = click.option(
    "--store",
    type=click.Path(path_type=Path),
    default=Path("data/.store"),
    show_default=True,
    help="The store that 'har prepare' wrote.",
)

set_option = click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="[LABEL.]NAME=VALUE",
    help="When scores become events, such as hitting_self.onset=0.7; once a setting.",
)

decode_option = click.option(
    "--decode",
    "rules",
    type=click.Path(path_type=Path),
    help="JSON or TOML file of rules, such as 'har tune' writes, instead of the bundle's.",
)


def parse_changes(texts: Sequence[str]) -> dict[str, float]:
    """Read what `set_option` took, for `har.config.change_rules`.

    >>> parse_changes(["min_s=1", "hit.onset=0.7"])
    {'min_s': 1.0, 'hit.onset': 0.7}
    """
    changes: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            changes[name] = float(value)
        except ValueError as error:
            raise click.BadParameter(
                f"expected [LABEL.]NAME=VALUE such as onset=0.7, received {text!r}"
            ) from error
    return changes


def recipe_options(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the options of a recipe."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in (
            click.option("--seed", type=int, help="Of starting weights, order and changes."),
            click.option(
                "--config",
                "config_file",
                type=click.Path(path_type=Path),
                help="TOML file of settings that go over the recipe.",
            ),
            click.option(
                "--recipe",
                type=click.Choice(sorted(RECIPES)),
                default=default,
                show_default=True,
                help="full: three stages; frozen: the CNN stays as it is; tiny: a small CNN.",
            ),
        ):
            command = option(command)
        return command

    return add


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Read ``HxW``."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise click.BadParameter(f"expected HxW such as 128x224, received {text!r}")
    return int(parts[0]), int(parts[1])


_MAX_LIST_BYTES = 16 * 1024 * 1024


def read_file_list(
    ctx: click.Context, param: click.Parameter, paths: tuple[Path, ...]
) -> tuple[Path, ...]:
    """Put the files that standard input names, one a line or separated by NUL, in place of ``-``.

    Raises:
        BadParameter: It names none, or is far too long for a list of files.
    """
    if Path("-") not in paths:
        return paths
    data = sys.stdin.buffer.read(_MAX_LIST_BYTES + 1)
    if len(data) > _MAX_LIST_BYTES:
        raise click.BadParameter(f"standard input is longer than {_MAX_LIST_BYTES} bytes")
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    listed = [Path(os.fsdecode(name)) for name in names if name.strip()]
    if not listed:
        raise click.BadParameter("standard input names no file; give one a line")
    others = [path for path in paths if path != Path("-")]
    return (*others, *listed)
