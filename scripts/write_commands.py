"""Writes docs/reference/commands.md from the help of every command."""

from __future__ import annotations

from pathlib import Path

import click

from har.cli import har

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "commands.md"

TITLE = """# Commands

Made from `--help` by `python scripts/write_commands.py`; a test holds it to the code.
"""

NOTES = """## For all commands

With `--json` the result goes to standard output; text for people and progress go to standard error.
Exit codes: 0 done, 1 an error with its remedy, 2 wrong usage, 130 stopped with Ctrl-C; `har --debug
COMMAND` adds the traceback of an error.

Every option can also be given as a variable (`HAR_PREDICT_OUT` is `--out` of `har predict`) or in a
project file, `har.toml`: see [Options, har.toml and environment
variables](../how-to/configuration.md).
"""


def render_table() -> str:
    """Return a table of all commands, each with a link to its part of the page."""
    rows = ["| command | what it does |", "| --- | --- |"]
    for name, command in sorted(har.commands.items()):
        rows.append(f"| [`har {name}`](#har-{name}) | {command.get_short_help_str(200)} |")
    return "\n".join(rows) + "\n"


def render_page() -> str:
    """Return the page's text."""
    parts = [TITLE, render_table(), NOTES]
    top = click.Context(har, info_name="har", **har.context_settings)
    parts.append(f"## har\n\n```text\n{har.get_help(top)}\n```\n")
    for name, command in sorted(har.commands.items()):
        parts += render_command(command, top, name)
    return "\n".join(parts)


def render_command(command: click.Command, parent: click.Context, name: str) -> list[str]:
    """Return a section for a command, and one for each command inside it."""
    context = click.Context(command, parent=parent, info_name=name)
    sections = [f"## {context.command_path}\n\n```text\n{command.get_help(context)}\n```\n"]
    for inner, item in command.commands.items() if isinstance(command, click.Group) else ():
        sections += render_command(item, context, inner)
    return sections


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
