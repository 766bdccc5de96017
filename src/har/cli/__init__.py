"""The command line: a command parses, builds a config, calls one library function, sums up.

Text for people and progress go to standard error; with ``--json`` the result goes to standard
output. Exit codes: 0 done, 1 a `HarError`, 2 wrong usage. What an option is set to is looked for on
the command line, then in its variable, then in ``har.toml``.
"""

from __future__ import annotations

import io
import os
import sys
import traceback
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from har.cli.arguments import hide_addresses
from har.cli.group import (
    Commands,
    Group,
    Settings,
    add_variables,
    log_project,
    make_verbosity_options,
)
from har.cli.output import NORMAL, echo, say_error, set_verbosity, warn
from har.errors import ConfigError, HarError
from har.version import __version__


@click.group(
    cls=Group,
    commands=Commands(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every option can be given as a variable (HAR_PREDICT_OUT is --out of 'har predict') "
    "and in a project file, har.toml.",
)
@click.version_option(__version__, prog_name="har")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def har(ctx: click.Context, debug: bool) -> None:
    """Recognize human actions in video: a CNN for each frame, an LSTM over time.

    An aid for triage and coding; never a diagnosis, never an unattended alarm.
    """
    from har.cli.project import find_project, list_unknown_variables, load_defaults

    settings = ctx.ensure_object(Settings)
    settings.debug = debug
    if settings.rank == 0:
        set_verbosity(NORMAL)
    settings.project = find_project(_find_current_folder(), Path.home())
    if settings.project is not None:
        ctx.default_map = load_defaults(settings.project, har.commands)
    log_project(settings)
    for text in list_unknown_variables(os.environ, har.commands):
        warn(text)


har.params += make_verbosity_options()
add_variables(har, "HAR")


def main() -> None:
    """Run the command line and turn errors of har into exit code 1."""
    hide_addresses()
    settings = Settings()
    warnings.showwarning = _show_warning
    try:
        har.main(prog_name="har", standalone_mode=False, obj=settings)
        sys.stdout.flush()
    except click.Abort:
        click.echo("Stopped; run the same command again to go on.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        echo(shown.getvalue().rstrip())
        sys.exit(error.exit_code)
    except HarError as error:
        if settings.debug:
            echo(traceback.format_exc())
        say_error(str(error))
        sys.exit(1)
    except OSError as error:  # the system refuses what every command does, such as printing
        if settings.debug:
            echo(traceback.format_exc())
        _drop_output()
        if not isinstance(error, BrokenPipeError):  # whoever read the output has seen enough
            what = error.filename or "The output"
            say_error(f"{what} cannot be written or read: {error.strerror or error}")
        sys.exit(1)


def _find_current_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise ConfigError("The current folder has been deleted; go to another folder") from error


def _drop_output() -> None:
    """Send what is still to be printed nowhere, so that Python does not fail on it at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    warn(str(message))
