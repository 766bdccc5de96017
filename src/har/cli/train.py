"""`har train`, `har crossval`, `har evaluate`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from har.cli.common import (
    PATH,
    Decorator,
    exact_option,
    json_option,
    path_option,
    precision_option,
    privacy_options,
    recipe_options,
    store_option,
    use_streams_option,
)
from har.cli.output import format_interval, print_json, say, say_result, say_table, warn
from har.config import CrossvalConfig
from har.progress import format_count

if TYPE_CHECKING:
    from har.bundle import BundleInfo
    from har.config import Precision
    from har.types import Streams


def results_option(default: str) -> Decorator:
    """Return the option for the folder of graphs, log and figures."""
    return path_option("--results", default=default, help="Graphs, logs and figures.")


streams_option = click.option(
    "--streams",
    type=click.Choice(["auto", "motion", "pose", "both"]),
    default="auto",
    show_default=True,
    help="Input of the model: motion in the picture, people's keypoints, or both; "
    "auto measures how confident the keypoints are.",
)
from_option = path_option(
    "--from",
    "start_from",
    help="A bundle to start from, or the name of one that comes with har: fine-tune it on few "
    "clips of one's own.",
)

strips_option = click.option(
    "--strips",
    is_flag=True,
    help="Show frames of the worst errors on the page; without it no picture of anyone is in it.",
)


@click.command()
@click.argument("stage", type=click.Choice(["cnn", "lstm", "system", "all"]))
@store_option
@path_option("--out", default="models/har", help="The bundle: what the stages leave behind.")
@results_option("results")
@streams_option
@from_option
@click.option(
    "--final",
    is_flag=True,
    help="Learn from every clip, with epochs, thresholds and figures of runs that held clips back.",
)
@click.option(
    "--overwrite",
    is_flag=True,
    help="Replace a model that is in --out; an interrupted training goes on without it.",
)
@recipe_options("full")
@click.option(
    "--track",
    metavar="mlflow[:ADDRESS]",
    help="Write recipe, figures, graphs and the model to MLflow as well; needs the extra mlflow.",
)
@click.option(
    "--verdicts",
    help="Learn from the decisions in a database of 'har review'; goes with all and --from.",
)
@click.option("--annotator", default="", help="With --verdicts: whose, where several gave some.")
@click.option(
    "--background",
    default="",
    help="With --verdicts: label of rejected events; the bundle's own background if not given.",
)
@click.option(
    "--take",
    is_flag=True,
    help="With --verdicts: put the new bundle in the place of the old one without asking.",
)
@json_option
def train(
    out: Path,
    results: Path,
    as_json: bool,
    verdicts: str | None,
    take: bool,
    **options: Any,
) -> None:
    """Train one stage or all three.

    cnn: the per-frame CNN on single time steps. lstm: the head on that CNN's features.
    system: both together. An interrupted stage goes on when the command is run again.
    With all --final every clip is learned from, once the recipe is cross-validated.
    With all --verdicts --from BUNDLE the old bundle and the new one are compared on the clips of
    the verdicts, by groups; the new one is taken only when you say so.
    """
    import har

    if verdicts is not None:
        _learn(verdicts, out, results, options, take, as_json)
        return
    for name in ("annotator", "background"):
        if options.pop(name):
            raise click.UsageError(f"--{name} goes with --verdicts.")
    if options["final"] and options["stage"] != "all":
        raise click.UsageError("--final goes with all: it trains every stage on every clip.")
    model = har.train(out=out, results=results, **options)
    if as_json:
        print_json(_describe(model.info, out, results))


def _learn(
    verdicts: str,
    out: Path,
    results: Path,
    options: dict[str, Any],
    take: bool,
    as_json: bool,
) -> None:
    import har

    source = options["start_from"]
    if options["track"] is not None:
        raise click.UsageError("--track does not go with --verdicts.")
    if options["stage"] != "all" or source is None or options["final"]:
        raise click.UsageError("--verdicts goes with all and --from BUNDLE, and without --final.")
    if out.absolute() == Path(source).absolute():
        raise click.UsageError("Name another folder with --out: the new bundle stands beside.")
    names = ("recipe", "config", "seed", "overwrite", "annotator", "background")
    chosen = {name: options[name] for name in names}
    done = har.learn(verdicts, source, out=out, results=results / "reviewed", **chosen)
    if as_json:
        print_json(done.to_json())
    say_result(f"Learned from {done.n_confirmed} kept and {done.n_rejected} rejected events: {out}")
    rows = [
        [name, _three(item.first), _three(item.second), format_interval(item.difference.to_json())]
        for name, item in done.comparison.figures.items()
    ]
    say_table(["", "old", "new", "difference [95 % over groups]"], rows)
    if not take and not as_json and sys.stdin.isatty():
        take = click.confirm(f"Take it in the place of {source}?", err=True)
    if take:
        say_result(f"{source} is the new one; the old one is in {done.take()}")
    else:
        say(f"{source} is as it was; use the new one by --bundle {out}")


def _describe(info: BundleInfo, out: Path, results: Path) -> dict[str, Any]:
    return {
        "bundle": str(out),
        "results": str(results),
        "stage": info.stage,
        "labels": list(info.labels),
        "streams": info.stream_names,
        "backbone": info.motion and info.motion.backbone,
        "temporal": info.motion and info.motion.temporal,
        "synthetic_data": info.synthetic_data,
        "held_out": info.held_out,
        "metrics": info.metrics,
    }


@click.command()
@store_option
@click.option("--folds", default=CrossvalConfig.n_folds, show_default=True, help="Parts.")
@click.option("--seeds", default=CrossvalConfig.n_seeds, show_default=True, help="Repetitions.")
@click.option(
    "--protocol",
    type=click.Choice(["grouped", "random"]),
    default="grouped",
    show_default=True,
    help="random divides groups and leaks: only to compare with published figures.",
)
@path_option(
    "--calibrate",
    help="A bundle of this recipe and store: it gets the temperature found, and the figures.",
)
@results_option("results/crossval")
@strips_option
@privacy_options()
@streams_option
@from_option
@recipe_options("frozen")
@json_option
def crossval(as_json: bool, **options: Any) -> None:
    """Cross-validate a recipe, by groups, over several seeds.

    The frozen recipe trains only the LSTM of each fold; full trains all three stages and takes
    long. An interrupted run goes on when the command is run again.
    """
    import har

    found = har.crossvalidate(**options)
    result = found.to_json()
    if as_json:
        print_json(result)
    _say_figures(result)
    say_result(
        f"Expected calibration error {found.calibration.ece:.3f}, before calibration "
        f"{found.calibration.ece_before:.3f}; temperature {found.calibration.temperature:.2f}"
    )
    say(f"Page: {options['results'] / 'report.html'}")


@click.command()
@click.argument("bundle", type=PATH)
@store_option
@click.option(
    "--split",
    type=click.Choice(["train", "val", "test", "all"]),
    default="test",
    show_default=True,
    help="Which clips; only test clips give an honest figure for a bundle of the same store.",
)
@use_streams_option
@results_option("results/evaluate")
@strips_option
@privacy_options()
@exact_option
@precision_option
@json_option
def evaluate(
    bundle: Path,
    store: Path,
    split: Any,
    streams: Streams | None,
    results: Path,
    exact: bool,
    precision: Precision,
    as_json: bool,
    **pictures: Any,
) -> None:
    """Measure a bundle on prepared clips: figures with intervals, confusion, a page to read."""
    import har

    model = har.load(bundle, exact=exact, streams=streams, precision=precision)
    result = model.evaluate(progress=True, store=store, split=split)
    page = result.save(results, **pictures)
    values = result.to_json()
    if as_json:
        print_json(values)
    _say_figures(values)
    rows = [
        [item["label"], item["support"], *(_three(item[key]) for key in _CLASS_FIGURES)]
        for item in values["per_class"]
    ]
    say_table(["class", "clips", *_CLASS_FIGURES], rows)
    if result.warning:
        warn(result.warning)
    say(f"Page: {page}")


_CLASS_FIGURES = ("precision", "recall", "f1")


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _say_figures(values: dict[str, Any]) -> None:
    from har.metrics.intervals import warn_few_groups

    made = " (synthetic clips)" if values["synthetic_data"] else ""
    baseline = values["baseline"] or {}
    say_result(
        f"{format_count(values['n_clips'], 'clip')}, "
        f"{format_count(values['n_groups'], 'group')}{made}"
    )
    if values.get("n_uncertain"):
        say_result(
            f"{format_count(values['n_uncertain'], 'clip is', 'clips are')} uncertain: "
            "nobody's keypoints are confident enough"
        )
    rows = [
        [name, format_interval(values[name]), _three(baseline.get(name))]
        for name in ("accuracy", "auc", "macro_f1")
    ]
    say_table(["figure", "value [95 % over groups]", "shortcut baseline"], rows)
    few = warn_few_groups(values["n_groups"])
    if few:
        warn(few)
    if values.get("leaks"):
        warn("Random splits leak: test clips share their scene with training clips.")
