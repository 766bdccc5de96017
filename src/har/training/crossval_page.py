"""The page of a cross-validation, beside the one by the other protocol where that was run too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from har.config import PrivacyConfig
from har.config.privacy import list_options
from har.dataset.store import Store
from har.files import show_path
from har.inference.strips import build_frame_reader
from har.reports.clips import ClipReport, build_clip_page
from har.reports.facts import format_command, list_store_facts
from har.reports.page import write_page
from har.training.crossval import CrossvalResult
from har.training.run import compute_recipe_hash

_LEAKS = "Random splits leak: test clips share their scene with training clips."


def write_crossval_page(
    folder: Path,
    result: CrossvalResult,
    store: Store,
    *,
    strips: bool = False,
    privacy: PrivacyConfig | None = None,
) -> Path:
    """Write ``report.html`` into the folder of a cross-validation.

    Args:
        folder: Has ``grouped.json`` or ``random.json`` or both, of this or an earlier run; one of
            another recipe or store is left out.
        result: What was found.
        store: The clips.
        strips: Show frames of the worst errors.
        privacy: What is hidden of people there; nothing when None.

    Raises:
        OutputError: The page cannot be written.
        StoreError: Frames are missing or damaged.
    """
    config, figures = result.config, result.to_json()
    found = {protocol: _read(folder, protocol, figures) for protocol in ("grouped", "random")}
    n_clips = len(store.clips)
    report = ClipReport(
        kind="Cross-validation",
        title=f"{', '.join(result.labels)}: {config.n_folds} folds, {config.protocol}",
        protocol=(
            f"Each of {n_clips} clips from {result.n_groups} groups is tested by a model that has "
            f"not learned from it: {config.n_folds} folds, {config.n_seeds} "
            f"seed{'s' * (config.n_seeds != 1)}. Intervals are 95 %, over groups drawn whole."
        ),
        labels=result.labels,
        clips=store.clips,
        truth=store.label_indices,
        probs=result.probs,
        intervals=result.intervals,
        baseline=result.baseline,
        warnings=(_LEAKS,) if figures["leaks"] else (),
        is_synthetic=result.synthetic_data,
        bins=result.calibration.bins,
        crossval={protocol: values for protocol, values in found.items() if values},
        per_fold=figures["per_fold"],
        facts={
            "Recipe (hash)": compute_recipe_hash(result.recipe),
            "Temperature": f"{result.calibration.temperature:.3f}",
            "Figures of all folds": show_path(folder / f"{config.protocol}.json"),
            **list_store_facts(store, "all"),
        },
        recipe=result.recipe,
        command=format_command(
            ("har", "crossval", *["--strips"] * strips),
            {
                "--store": [store.path],
                "--folds": [config.n_folds],
                "--seeds": [config.n_seeds],
                "--protocol": [config.protocol],
                "--results": [folder],
                **list_options(privacy),
            },
        ),
    )
    page = folder / "report.html"
    write_page(
        page, build_clip_page(report, store if strips else None, build_frame_reader(privacy))
    )
    return page


def _read(folder: Path, protocol: str, like: dict[str, Any]) -> dict[str, Any]:
    """Return the figures of a protocol where they are of the same recipe, clips and folds."""
    if protocol == like["protocol"]:
        return like
    try:
        values = json.loads((folder / f"{protocol}.json").read_text(encoding="utf-8"))
        same = all(values[name] == like[name] for name in ("recipe_hash", "data_hash", "n_folds"))
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    return values if same else {}
