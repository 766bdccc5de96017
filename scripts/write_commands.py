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

What an option is set to is looked for in this order: the command line, a variable, the project file
`har.toml`, the default.

- **Variables**: `HAR_`, the command and the option in capital letters, with `_` for `-`:
  `HAR_PREDICT_OUT` is `--out` of `har predict`, `HAR_SCORE_EVENTS_LABEL` is `--label` of
  `har score-events`, `HAR_DEBUG` is `--debug` of `har` itself. A switch takes `1` or `0`. Options
  that can be given more than once take several values with spaces between them, or, where they are
  paths, with the system's path separator. `HAR_ENGINE` names the engine that runs the networks,
  `HAR_NOTIFY` the addresses that are told of alerts.
- **`har.toml`** is looked for in the working directory and upwards, not above your home folder. It
  has a table for each command with the options' names, and above the tables `bundle` and `store`
  for all commands that read one (`har tune` writes to its bundle, so it only takes one that you
  name). Paths are meant from the file's folder. A name that does not exist is an error. `--verbose`
  says which file was used.

    ```toml
    bundle = "models/har"
    store = "data/.store"

    [predict]
    out = "coded"
    thumbnails = true

    [train]
    recipe = "frozen"
    ```

- **Colors** are only used on a terminal, and not where `NO_COLOR` is set. Progress is a bar on a
  terminal and a line every half minute elsewhere; `--quiet` leaves it out.
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
        context = click.Context(command, parent=top, info_name=name)
        parts.append(f"## har {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
