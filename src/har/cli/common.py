"""What several commands share: options and what they mean.

Options have the names of the parameters of the public function that a command calls, so a command
passes on as they are all that it does not use itself.
"""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import click

from har.config import PRECISION, RECIPES, Faces, Precision, ScaleConfig, ShownPeople, Uncertain


class _NamedPath(click.Path):
    """A path that is not empty: an empty text would mean the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of a text."""
        if value == "":
            self.fail("is empty; name a file or folder, or . for the current folder", param, ctx)
        return super().convert(value, param, ctx)


PATH = _NamedPath(path_type=Path)

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def path_option(*names: str, default: str | None = None, help: str) -> Decorator:  # noqa: A002
    """Return an option for a file or folder."""
    path = None if default is None else Path(default)
    return click.option(*names, type=PATH, default=path, show_default=path is not None, help=help)


json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
store_option = path_option(
    "--store", default="data/.store", help="The store that 'har prepare' wrote."
)
use_streams_option = click.option(
    "--streams",
    type=click.Choice(["motion", "pose", "both"]),
    help="What a model that knows both looks at: motion alone is about five times as fast as "
    "people's keypoints beside it.  [default: all that it has]",
)
decode_option = path_option(
    "--decode",
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


def _refuse_threshold(_ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value is not None:
        raise click.UsageError(
            f"There is no --threshold: events start at the score 'onset' and end under 'offset'. "
            f"Use --set onset={value}, for one label --set LABEL.onset={value}"
        )


def set_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--set``, and an answer to ``--threshold``, which other tools have."""
    command = click.option(
        "--threshold", hidden=True, expose_value=False, callback=_refuse_threshold
    )(command)
    return click.option(
        "--set",
        "changes",
        multiple=True,
        metavar="[LABEL.]NAME=VALUE",
        callback=lambda _, __, texts: parse_changes(texts),
        help="When scores become events, such as hitting_self.onset=0.7; once a setting.",
    )(command)


def _parse_renames(_: object, __: object, texts: Sequence[str]) -> dict[str, str]:
    from har.interchange.coding import parse_renames

    return parse_renames(texts)


map_option = click.option(
    "--map",
    "renames",
    multiple=True,
    metavar="CODED=LABEL",
    callback=_parse_renames,
    help="What a label of the coding is called here, or by the model, such as "
    "'Hitting others=fight'; 'Eating=' leaves its events out. Once a label.",
)


exact_option = click.option(
    "--exact",
    is_flag=True,
    help="Look at every moment. By default those at which nothing moves are not encoded.",
)

precision_option = click.option(
    "--precision",
    type=click.Choice(get_args(Precision)),
    default=PRECISION,
    show_default=True,
    help="fast: also bfloat16 and 8-bit integers, where machine and model have them.",
)


def format_engines(engines: Mapping[str, str]) -> str:
    """Return what runs a model's networks, for a person.

    >>> format_engines({"frame_cnn": "openvino fp32", "temporal": "onnxruntime fp32"})
    'openvino fp32 (frame_cnn), onnxruntime fp32 (temporal)'
    >>> format_engines({"frame_cnn": "onnxruntime fp32", "temporal": "onnxruntime fp32"})
    'onnxruntime fp32'
    """
    kinds = dict.fromkeys(engines.values())
    if len(kinds) == 1:
        return next(iter(kinds))
    return ", ".join(
        f"{kind} ({', '.join(name for name, own in engines.items() if own == kind)})"
        for kind in kinds
    )


guard_option = click.option(
    "--guard/--no-guard",
    default=True,
    show_default=True,
    help="Make cells of tables safe that a spreadsheet would take for a formula.",
)


def add_options(*options: Decorator) -> Decorator:
    """Return several options as one; help shows the last one first."""

    def add(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in options:
            command = option(command)
        return command

    return add


def recipe_options(default: str) -> Decorator:
    """Add the options of a recipe."""
    return add_options(
        click.option("--seed", type=int, help="Of starting weights, order and changes."),
        path_option("--config", help="TOML file of settings that go over the recipe."),
        click.option(
            "--recipe",
            type=click.Choice(sorted(RECIPES)),
            default=default,
            show_default=True,
            help="frozen: for up to some hundred clips, in minutes, the CNN stays as it is; "
            "full: for a thousand clips and more, all three stages; tiny: to run on small "
            "machines, a small CNN from scratch, which takes longer to train than frozen.",
        ),
    )


def parse_size(text: str | None) -> tuple[int, int] | None:
    """Read ``HxW``."""
    if text is None:
        return None
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        raise click.BadParameter(f"expected HxW such as 128x224, received {text!r}")
    return int(parts[0]), int(parts[1])


def parse_shard(text: str | None) -> tuple[int, int] | None:
    """Read ``I/N``.

    >>> parse_shard("3/100")
    (3, 100)
    """
    if text is None:
        return None
    parts = text.split("/")
    if len(parts) != 2 or not all(part.isdecimal() for part in parts):
        raise click.BadParameter(f"expected I/N such as 3/100, received {text!r}")
    return int(parts[0]), int(parts[1])


def cluster_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add where a run takes place, and what becomes of videos that always fail there."""
    return add_options(
        click.option(
            "--limit",
            "limit_s",
            type=float,
            default=ScaleConfig.limit_s,
            show_default=True,
            help="With --on: seconds that one try of a video may take.",
        ),
        click.option(
            "--tries",
            type=int,
            default=ScaleConfig.tries,
            show_default=True,
            help="With --on: lost workers or limits after which a video is set aside.",
        ),
        click.option(
            "--on",
            metavar="ray[://HOST]",
            help="Run on a Ray cluster: ray is the one of this machine, or this machine alone.",
        ),
    )(command)


def parse_joints(texts: Sequence[str]) -> dict[str, str]:
    """Read NAME=KEYPOINT, once or several times, or parted by commas.

    >>> parse_joints(["Hand_R=right_wrist,Tail="])
    {'Hand_R': 'right_wrist', 'Tail': ''}
    """
    joints: dict[str, str] = {}
    for text in (part for whole in texts for part in whole.split(",") if part.strip()):
        name, equals, keypoint = text.partition("=")
        if not equals or not name.strip():
            raise click.BadParameter(
                f"expected NAME=KEYPOINT such as Hand_R=right_wrist, received {text!r}"
            )
        joints[name.strip()] = keypoint.strip()
    return joints


def poses_options(size_name: str) -> Decorator:
    """Add what files of keypoints may not say themselves."""
    return add_options(
        click.option(
            "--joints",
            multiple=True,
            metavar="NAME=KEYPOINT",
            callback=lambda _, __, texts: parse_joints(texts),
            help="Of keypoint files: what a joint is, such as Hand_R=right_wrist.",
        ),
        click.option(
            size_name,
            callback=lambda _, __, text: parse_size(text),
            help="Of keypoint files: HxW of the picture, where they hold shares of it.",
        ),
        click.option(
            "--fps", type=float, help="Of keypoint files: frames a second, if they have none."
        ),
    )


def privacy_options(default: str | None = "keep") -> Decorator:
    """Add what is hidden of people in all that is written."""

    def choose(name: str, choices: Sequence[str], help: str) -> Decorator:  # noqa: A002
        return click.option(
            name,
            type=click.Choice(choices),
            default=default,
            show_default=default is not None,
            help=help,
        )

    return add_options(
        choose("--uncertain", get_args(Uncertain), "What moves where nobody was found."),
        choose(
            "--people",
            get_args(ShownPeople),
            "skeleton: drawn on the still background in the place of people.",
        ),
        choose("--faces", get_args(Faces), "Heads in videos and pictures that are written."),
    )


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
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):  # as PowerShell writes it
        data = data.decode("utf-16", "replace").encode()
    names = data.split(b"\0") if b"\0" in data else data.splitlines()
    listed = [Path(os.fsdecode(name)) for name in names if name.strip()]
    if not listed:
        raise click.BadParameter("standard input names no file; give one a line")
    others = [path for path in paths if path != Path("-")]
    return (*others, *listed)
