"""Exports a bundle, compares it with Keras, and refuses what would lose too much."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from har.bundle import BUNDLE_FILE, BundleInfo, to_json
from har.bundle_files import compute_hashes
from har.config.export import ExportConfig, ExportFormat
from har.dataset.store import Store
from har.errors import ConfigError, ExportError
from har.export.int8 import iter_samples, quantize_graph
from har.export.measure import (
    Comparison,
    compare_clips,
    compare_drawn,
    measure_bytes,
    time_run,
)
from har.export.parts import Part, Samples, load_parts, open_form, write_form
from har.export.readme import format_readme
from har.files import replacing_folder, write_json, write_text
from har.inference.engines import Graph, Run
from har.inference.model import Recognizer

FIGURES_FILE = "export.json"
README_FILE = "README.md"
CONTRACT_FILE = "json"
"""Name of `bundle.json` in folders that har itself does not read."""


@dataclass(frozen=True)
class PartFigures:
    """What one network costs, in the bundle's own graph and as exported.

    An item is a frame of the frame CNN, or a window of a head.
    """

    name: str
    file: str
    bundle_bytes: int
    n_bytes: int
    bundle_ms: float
    ms: float


@dataclass(frozen=True)
class ExportResult:
    """What was written, and how close it is to Keras."""

    out_dir: Path
    format: ExportFormat
    int8: bool
    comparison: Comparison
    parts: tuple[PartFigures, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har export --json`` prints and ``export.json`` holds."""
        return {
            "format": self.format,
            "int8": self.int8,
            **asdict(self.comparison),
            "accuracy_change": self.comparison.accuracy_change,
            "parts": [asdict(part) for part in self.parts],
        }


def export_bundle(
    bundle_dir: Path,
    out_dir: Path,
    config: ExportConfig,
    store: Store | None = None,
    progress: bool = False,
) -> ExportResult:
    """Write a bundle's networks for another engine, with their contract and a page on their use.

    Args:
        bundle_dir: With its Keras models.
        out_dir: The folder to write, in one step; only an earlier export is replaced.
        config: What to write.
        store: Real clips to calibrate int8 on and to measure accuracy with.
        progress: Show a bar.

    Raises:
        BundleNotFoundError: There is no bundle in the folder.
        BundleIntegrityError: A file is missing, altered, or unsafe to load.
        BundleMismatchError: The store does not fit the bundle.
        ConfigError: int8 without a store or a frame CNN, or a folder that is not an export.
        ExportError: It cannot be written so, or int8 costs too much accuracy.
        ModuleNotFoundError: A package of that format is not installed.
        OutputError: The folder cannot be written.
    """
    _check_folder(out_dir)
    info, parts = load_parts(bundle_dir)
    samples = _find_samples(info, config, store)
    with replacing_folder(out_dir) as folder:
        paths = _write_parts(parts, folder, config, samples)
        runs = {part.graph.name: open_form(config.format, paths[part.name]) for part in parts}
        comparison = _compare(bundle_dir, parts, runs, store, progress)
        check_loss(config, comparison)
        figures = tuple(
            _measure(part, paths[part.name], runs[part.graph.name], config) for part in parts
        )
        result = ExportResult(out_dir, config.format, config.int8, comparison, figures)
        _write_pages(folder, info, parts, result)
    return result


def _check_folder(out_dir: Path) -> None:
    if out_dir.exists() and not (out_dir / FIGURES_FILE).is_file():
        raise ConfigError(
            f"{out_dir} exists and is not an earlier export; choose another folder with --out"
        )


def _find_samples(info: BundleInfo, config: ExportConfig, store: Store | None) -> Samples | None:
    """Return the source of samples for int8, None for fp32."""
    if not config.int8:
        return None
    if info.motion is None:
        raise ConfigError(
            "int8 is for the frame CNN, and this model has keypoints only; export without --int8"
        )
    if store is None:
        raise ConfigError("int8 is calibrated on real clips; give their store with --store")
    return partial(iter_samples, store, info.motion.spec, config)


def _write_parts(
    parts: Sequence[Part], folder: Path, config: ExportConfig, samples: Samples | None
) -> dict[str, Path]:
    """Write every network, the frame CNN alone in int8; return the paths by their names."""
    paths = {}
    with tempfile.TemporaryDirectory() as work:
        for part in parts:
            graph, own = part.graph, samples if part.is_cnn else None
            if own is not None and config.format != "litert":
                graph = Path(work) / part.graph.name
                quantize_graph(part.graph, own(), graph)
            paths[part.name] = write_form(config.format, part, graph, folder, own)
    return paths


def _compare(
    bundle_dir: Path,
    parts: Sequence[Part],
    runs: dict[str, Run],
    store: Store | None,
    progress: bool,
) -> Comparison:
    recognizer = Recognizer(bundle_dir, engine="onnxruntime")
    ours = recognizer.replace(runs)
    keras = recognizer.replace({part.graph.name: part.run_keras for part in parts})
    if store is None:
        return compare_drawn(ours, keras, parts)
    return compare_clips(ours, keras, store, progress)


def check_loss(config: ExportConfig, comparison: Comparison) -> None:
    """Refuse int8 that costs more accuracy than is allowed.

    Raises:
        ExportError: It does.
    """
    loss = -(comparison.accuracy_change or 0.0)
    if config.int8 and loss > config.max_loss:
        raise ExportError(
            f"int8 costs {loss:.1%} of accuracy (from {comparison.keras_accuracy:.1%} "
            f"to {comparison.accuracy:.1%} on {comparison.n_clips} {comparison.split} clips), more "
            f"than the {config.max_loss:.1%} that are allowed; nothing was written. Export "
            "without --int8, or allow more with --max-loss"
        )


def _measure(part: Part, path: Path, run: Run, config: ExportConfig) -> PartFigures:
    bundled = Graph(part.graph, engine="onnxruntime").run
    return PartFigures(
        name=part.name,
        file=path.name,
        bundle_bytes=measure_bytes(part.graph),
        n_bytes=measure_bytes(path),
        bundle_ms=time_run(bundled, part, config.n_timed),
        ms=time_run(run, part, config.n_timed),
    )


def _write_pages(
    folder: Path, info: BundleInfo, parts: Sequence[Part], result: ExportResult
) -> None:
    """Write the contract, the figures and the page on the use."""
    files = [(part, figures.file) for part, figures in zip(parts, result.parts, strict=True)]
    written = replace(info, files=compute_hashes(folder))
    name = BUNDLE_FILE if result.format == "onnx" else CONTRACT_FILE
    write_json(folder / name, to_json(written))
    write_json(folder / FIGURES_FILE, result.to_json())
    write_text(folder / README_FILE, format_readme(result.format, info, files))
