"""`har synth` and `har prepare`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from har.cli.common import (
    PATH,
    cluster_options,
    json_option,
    map_option,
    parse_size,
    poses_options,
    store_option,
)
from har.cli.output import print_json, say, say_table, warn
from har.config import PrepareConfig, SynthConfig
from har.progress import format_count


@click.command()
@click.argument("out", type=PATH)
@click.option("--clips", default=SynthConfig.n_clips, show_default=True, help="Clips in all.")
@click.option("--scenes", default=SynthConfig.n_scenes, show_default=True, help="Scenes (groups).")
@click.option("--seed", default=SynthConfig.seed, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--recordings",
    default=0,
    show_default=True,
    help="Long recordings, with their reference coding.",
)
@click.option(
    "--minutes", default=SynthConfig.recording_min, show_default=True, help="Of one recording."
)
@click.option(
    "--variety",
    default=SynthConfig.variety,
    show_default=True,
    help="0 plain scenes, 1 the full range of nuisances.",
)
@click.option("--skeletons", type=int, hidden=True)
@click.option("--jobs", default=0, help="Processes; 0 means one a core.")
@json_option
def synth(out: Path, skeletons: int | None, as_json: bool, **options: Any) -> None:
    """Make labeled clips of people who hit themselves, hit others, or play.

    Synthetic clips are for set-up, tests and pre-training; figures on them do not hold
    for real people.
    """
    if skeletons is not None:
        raise click.UsageError(
            "Skeleton sequences are no longer made by this command; in the repository run: python "
            f"scripts/three_class/write_sequences.py {out} --sequences {skeletons}"
        )
    import har

    result = har.synthesize(out, progress=True, **options).to_json()
    if as_json:
        print_json(result)
    for name in ("manifest", "sheet", "truth"):
        if name in result:
            say(f"{name}: {result[name]}")


@click.command()
@click.argument("source", type=PATH, default=Path("data"))
@store_option
@click.option(
    "--media",
    multiple=True,
    type=PATH,
    help="SOURCE is a coding: the folder of its recordings, or a recording; once each.",
)
@click.option(
    "--background",
    default="",
    help="With --media: cut clips of this label, too, where nothing is coded.",
)
@click.option(
    "--points",
    default=1.0,
    show_default=True,
    help="With --media: seconds that a point event gets.",
)
@click.option("--annotator", default="", help="With --media: whose events count.")
@map_option
@click.option("--group-by", help="Manifest column, or a regular expression with one group.")
@click.option("--folds", default=PrepareConfig.n_folds, show_default=True, help="Cross-validation.")
@click.option("--jobs", default=0, help="Videos at once; 0 means one a core.")
@click.option(
    "--size",
    callback=lambda _, __, text: parse_size(text),
    help="HxW of the stored pictures; chosen by the clips' shape if not given.",
)
@click.option(
    "--long-side",
    default=PrepareConfig.long_side,
    show_default=True,
    help="Pixels of the longer side where the size is chosen.",
)
@click.option(
    "--color",
    type=click.Choice(["gray", "rgb"]),
    default="gray",
    show_default=True,
    help="gray for the motion input, rgb for the RGB input.",
)
@poses_options("--pose-size")
@click.option("--seed", default=PrepareConfig.seed, show_default=True, help="Draws the splits.")
@click.option(
    "--keypoints",
    is_flag=True,
    help="Find people's keypoints, too, which training with a pose stream else does.",
)
@cluster_options
@json_option
def prepare(
    source: Path, store: Path, media: tuple[Path, ...], as_json: bool, **options: Any
) -> None:
    """Turn a folder of clips (one sub-folder a class) or a CSV manifest into a store.

    With --media, SOURCE is the coding of whole recordings in any format that 'har convert' reads:
    each coded event becomes a clip. Keypoints of other tools may stand where videos do.

    Run again, it only does what has changed. Videos that cannot be used are listed with the reason.
    """
    import har

    made = har.prepare(source, store, media=media or None, progress=True, **options)
    summary = made.to_json()
    if as_json:
        print_json(summary)
    _say_summary(summary, store)


def _say_summary(summary: dict[str, Any], store: Path) -> None:
    say(
        f"{format_count(summary['n_clips'], 'clip')}, "
        f"{format_count(summary['n_groups'], 'group')} ({summary['group_source']}), "
        f"{summary['n_rejects']} left out"
    )
    say_table(["class", "clips"], list(summary["labels"].items()))
    say_table(["split", "clips"], list(summary["splits"].items()))
    baseline = summary["baseline"]
    if baseline:
        say(
            "Chance level from file format (what size, frame rate and length alone predict): "
            f"accuracy {baseline['accuracy']:.3f}, AUC {baseline['auc']:.3f}"
        )
    for warning in summary["warnings"]:
        warn(warning)
    say(f"Store and rejects: {store}; to read first: {store / 'report.md'}")
