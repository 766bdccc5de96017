"""`har export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from har.cli.common import PATH, json_option, path_option
from har.cli.output import print_json, say, say_result, say_table
from har.config import ExportConfig, ExportFormat

if TYPE_CHECKING:
    from har.export.run import ExportResult


@click.command()
@click.argument("bundle", type=PATH)
@click.option(
    "--format",
    type=click.Choice(get_args(ExportFormat)),
    default=ExportConfig.format,
    show_default=True,
    help="onnx makes a bundle that har reads too; openvino and litert need the extra of that name.",
)
@click.option("--int8", is_flag=True, help="Frame CNN in 8-bit integers; needs --store.")
@path_option(
    "--store",
    help="Real clips: int8 is calibrated on its training part, accuracy measured on its test part.",
)
@click.option(
    "--max-loss",
    type=click.FloatRange(0.0, 1.0),
    default=ExportConfig.max_loss,
    show_default=True,
    help="int8 is refused where it costs a larger share of accuracy.",
)
@path_option("--out", help="The folder to write.  [default: BUNDLE-FORMAT beside the bundle]")
@json_option
def export(bundle: Path, as_json: bool, **options: Any) -> None:
    """Write a bundle's networks for another engine, and measure them beside Keras."""
    import har

    result = har.export_model(bundle, progress=True, **options)
    if as_json:
        print_json({"out": str(result.out_dir), **result.to_json()})
    _say_result(result)


def _say_result(result: ExportResult) -> None:
    rows = [
        [
            part.name,
            part.file,
            f"{part.bundle_bytes / 1e6:.2f} -> {part.n_bytes / 1e6:.2f}",
            f"{part.bundle_ms:.2f} -> {part.ms:.2f}",
        ]
        for part in result.parts
    ]
    say_table(["network", "file", "MB", "ms"], rows)
    say_result(
        "MB and ms: of the bundle's own graph -> as exported; of a frame, and of a head's window"
    )
    found = result.comparison
    on = "noise" if found.split == "drawn" else f"{found.n_clips} {found.split} clips"
    say_result(f"Largest difference of a probability against Keras: {found.parity:.2g} ({on})")
    if found.accuracy_change is None:
        say_result("Accuracy was not measured; name a store of clips with --store")
    else:
        say_result(
            f"Accuracy: {found.keras_accuracy:.3f} -> {found.accuracy:.3f} "
            f"({found.accuracy_change:+.1%}, {on})"
        )
    say(f"Written: {result.out_dir}; its README.md shows how it is used")
