"""Writes docs/commands.md from the help of every command: ``python scripts/write_commands.py``."""

from __future__ import annotations

from pathlib import Path

import click

from har.cli import har

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"

INTRO = """# Commands

Made from `--help` by `python scripts/write_commands.py`; a test holds it to the code.

With `--json` the result goes to standard output; text for people and progress go to standard error.
Exit codes: 0 done, 1 an error with its remedy, 2 wrong usage; `har --debug COMMAND` adds the
traceback of an error.
"""


def render_page() -> str:
    """Return the page's text."""
    parts = [INTRO]
    top = click.Context(har, info_name="har", **har.context_settings)
    for name, command in sorted(har.commands.items()):
        context = click.Context(command, parent=top, info_name=name)
        parts.append(f"## har {name}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
