"""The commands by task, each loaded when it is needed, and what every one of them shares.

Every command gets ``-v`` and ``-q``, and every option a variable: HAR_PREDICT_OUT is --out of
'har predict'.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from har.cli.output import DEBUG, LOG, QUIET, is_verbose, set_verbosity, warn


@dataclass(frozen=True)
class Entry:
    """Where a command is, and how ``har --help`` shows it.

    Attributes:
        task: The heading above it.
        module: In `har.cli`; the command has there its own name, with ``_`` for ``-``.
        help: The first sentence of the command's help, so that no module need be loaded for it.
    """

    task: str
    module: str
    help: str


ENTRIES = {
    "demo": Entry(
        "Try it",
        "demo",
        "See what it does within a minute, then try all of it on synthetic clips (6 minutes).",
    ),
    "synth": Entry(
        "Try it",
        "dataset",
        "Make labeled clips of people who hit themselves, hit others, or play.",
    ),
    "record": Entry(
        "Data",
        "record",
        "Record a first test set of your own: soft staged taps and everyday gestures.",
    ),
    "prepare": Entry(
        "Data",
        "dataset",
        "Turn a folder of clips (one sub-folder a class) or a CSV manifest into a store.",
    ),
    "convert": Entry(
        "Data",
        "convert",
        "Turn coded events of one tool into those of another: BORIS, ELAN, tables and more.",
    ),
    "train": Entry("Train", "train", "Train one stage or all three."),
    "export": Entry(
        "Train",
        "export",
        "Write a bundle's networks for another engine, and measure them beside Keras.",
    ),
    "bundle": Entry(
        "Train",
        "bundle",
        "Send, check or share a trained model: as one file, or on the Hugging Face Hub.",
    ),
    "predict": Entry(
        "Recognize",
        "predict",
        "Recognize actions in videos or folders of videos, and when they happen.",
    ),
    "events": Entry("Recognize", "events", "Cut events again from saved scores, in a moment."),
    "review": Entry(
        "Recognize",
        "review",
        "Look at what was found and mend it, in a browser on this machine.",
    ),
    "serve": Entry(
        "Recognize",
        "serve",
        "Recognize videos that other programs send over HTTP.",
    ),
    "crossval": Entry(
        "Evaluate", "train", "Cross-validate a recipe, by groups, over several seeds."
    ),
    "evaluate": Entry(
        "Evaluate",
        "train",
        "Measure a bundle on prepared clips: figures with intervals, confusion, a page to read.",
    ),
    "tune": Entry(
        "Evaluate",
        "tune",
        "Choose when scores become events, for a number of false alarms per hour.",
    ),
    "score-events": Entry(
        "Evaluate", "tune", "Compare found events with the reference coding of a person."
    ),
    "compare": Entry(
        "Evaluate",
        "compare",
        "Compare two evaluations of the same clips or recordings: is one better?",
    ),
    "agree": Entry(
        "Evaluate",
        "agree",
        "Compare codings of the same recordings by people, or by people and a model.",
    ),
    "watch": Entry(
        "Live",
        "watch",
        "Watch live cameras, write down events, and raise alerts for a person to review.",
    ),
    "forget": Entry(
        "Privacy", "forget", "Remove a person or a recording from all that har has written."
    ),
}

OLD_COMMANDS = {"stage": "record"}
"""Commands that were called otherwise in the version before: these names still work, with a
warning."""

OLD_OPTIONS = {"tune": {"--truth": "--reference"}}
"""By command, options that were called otherwise in the version before."""


@dataclass
class Settings:
    """What is set for the command line as a whole, shared by all contexts of a run.

    Attributes:
        debug: Show the traceback of an error.
        project: The file that gave defaults, if there is one.
        rank: How near to the command line the present verbosity was set.
    """

    debug: bool = False
    project: Path | None = None
    rank: int = 0


class Group(click.Group):
    """A group that lists its commands by task and knows former names."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and put present names in the place of former ones."""
        name, *rest = args
        present = OLD_COMMANDS.get(name, name)
        words, old = _rename_options(present, rest)
        if present != name:
            old.insert(0, (f"'har {name}'", f"'har {present}'"))
        if not ctx.resilient_parsing:
            for before, now in old:
                warn(f"{before} is now called {now}; the old name goes with the next version")
        return super().resolve_command(ctx, [present, *words])

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the tasks."""
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a section for each task."""
        width = max(map(len, ENTRIES))
        for task in dict.fromkeys(entry.task for entry in ENTRIES.values()):
            rows = [
                (name.ljust(width), entry.help)
                for name, entry in ENTRIES.items()
                if entry.task == task
            ]
            with formatter.section(task):
                formatter.write_dl(rows)


def _rename_options(command: str, words: list[str]) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the words with present names of options, up to a ``--``, and what was renamed."""
    old = OLD_OPTIONS.get(command, {})
    end = words.index("--") if "--" in words else len(words)
    split = [word.partition("=") for word in words[:end]]
    renamed = [f"{old.get(name, name)}{equals}{value}" for name, equals, value in split]
    return renamed + words[end:], [(name, old[name]) for name, _, _ in split if name in old]


class Commands(MutableMapping[str, click.Command]):
    """The commands by name; one is loaded when it is first taken."""

    def __init__(self) -> None:
        self._loaded: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._loaded:
            entry = ENTRIES[name]
            module = importlib.import_module(f"har.cli.{entry.module}")
            command = getattr(module, name.replace("-", "_"))
            for item, words in iter_commands(command, (name,)):
                item.params += make_verbosity_options()
                add_variables(item, "_".join(("HAR", *words)))
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*ENTRIES, *self._loaded)))

    def __len__(self) -> int:
        return len(list(iter(self)))


def iter_commands(
    command: click.Command, words: tuple[str, ...]
) -> Iterator[tuple[click.Command, tuple[str, ...]]]:
    """Return a command, and those inside it, each with the words that call it."""
    yield command, words
    for name, inner in command.commands.items() if isinstance(command, click.Group) else ():
        yield from iter_commands(inner, (*words, name))


def find_long_name(param: click.Parameter) -> str | None:
    """Return an option's name without its dashes, or None for an argument."""
    names = [name for name in param.opts if name.startswith("--")]
    return names[0].removeprefix("--") if names else None


def add_variables(command: click.Command, prefix: str) -> None:
    """Let every option be given as a variable too, beside one that it may have already."""
    for param in command.params:
        name = find_long_name(param)
        if name is None:
            continue
        variable = f"{prefix}_{name}".upper().replace("-", "_")
        had = param.envvar or ()
        param.envvar = [variable, *([had] if isinstance(had, str) else had)]


def make_verbosity_options() -> list[click.Parameter]:
    """Return ``-v`` and ``-q``."""
    verbose = click.Option(
        ["-v", "--verbose"],
        count=True,
        expose_value=False,
        callback=_on_verbosity,
        help="Log what the library does; twice for more.",
    )
    quiet = click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_on_verbosity,
        help="Only results, warnings and errors.",
    )
    return [verbose, quiet]


_RANKS = {
    ParameterSource.DEFAULT_MAP: 1,
    ParameterSource.ENVIRONMENT: 2,
    ParameterSource.COMMANDLINE: 3,
}


def _on_verbosity(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    """Set the verbosity unless it was set from nearer to the command line."""
    settings = ctx.ensure_object(Settings)
    source = ctx.get_parameter_source(param.name or "")
    rank = 0 if source is None else _RANKS.get(source, 0)
    if value and rank >= settings.rank:
        set_verbosity(QUIET if param.name == "quiet" else min(int(value), DEBUG))
        settings.rank = rank
        log_project(settings)


def log_project(settings: Settings) -> None:
    """Log which file gave defaults."""
    if settings.project is not None and is_verbose():
        LOG.info("Defaults come from %s", settings.project)
