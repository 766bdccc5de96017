"""The command line: a command parses, builds a config, calls one library function, sums up.

Text for people and progress go to standard error; with ``--json`` the result goes to standard
output. Exit codes: 0 done, 1 a `HarError`, 2 wrong usage.
"""

from __future__ import annotations

import os
import sys
import traceback

import click

from har.cli.dataset import prepare, synth
from har.cli.demo import demo
from har.cli.events import events
from har.cli.export import export
from har.cli.predict import predict
from har.cli.record import stage
from har.cli.train import crossval, evaluate, train
from har.cli.tune import score_events, tune
from har.cli.watch import watch
from har.errors import HarError
from har.version import __version__


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="har")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def har(debug: bool) -> None:
    """Recognize human actions in video: a CNN for each frame, an LSTM over time.

    An aid for triage and coding; never a diagnosis, never an unattended alarm.
    """


for _command in (
    demo,
    synth,
    stage,
    prepare,
    train,
    crossval,
    evaluate,
    export,
    predict,
    events,
    tune,
    score_events,
    watch,
):
    har.add_command(_command)


def main() -> None:
    """Run the command line and turn errors of har into exit code 1."""
    if not sys.stderr.isatty():
        os.environ.setdefault("TQDM_MININTERVAL", "30")
    try:
        har.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        click.echo("Stopped; run the same command again to go on.", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except HarError as error:
        if "--debug" in sys.argv:
            traceback.print_exc()
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
