"""`har demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from har.cli.common import format_interval, json_option, print_json, say, say_table, training


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("demo"))
@json_option
def demo(folder: Path, as_json: bool) -> None:
    """Try everything on synthetic clips: make, prepare, train, measure, recognize (5 minutes)."""
    with training():
        from har.demo import run_demo

        result = run_demo(folder, say).to_json()
    if as_json:
        print_json(result)
    _say_result(result)


def _say_result(result: dict[str, Any]) -> None:
    test, matches = result["test"], result["matches"]
    say()
    rows = [
        ["test accuracy (synthetic clips)", format_interval(test["accuracy"])],
        ["test AUC (synthetic clips)", format_interval(test["auc"])],
        ["test clips, scenes", f"{test['n_clips']}, {test['n_groups']}"],
        ["shortcut baseline, accuracy", f"{test['baseline']['accuracy']:.3f}"],
        ["acts found in the synthetic recording", f"{matches['n_found']} of {matches['n_true']}"],
        ["false events in it", matches["n_false"]],
        ["minutes", f"{result['wall_s'] / 60:.1f}"],
    ]
    say_table(["what", "value"], rows)
    say()
    say_table(["look at", "where"], list(result["paths"].items()))
    say("Synthetic clips show that the whole way works; they say nothing of real people.")
