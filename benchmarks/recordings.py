"""When do events happen in long recordings? All figures of `har.metrics.events`, out of fold.

    python benchmarks/recordings.py MANIFEST [--part real|synthetic]... [--out results/recordings]

MANIFEST lists real clips (``path,label,group``) of one act and of background. Parts, both where
none is named:

    real       for each fold of the sources a model that has not met them (the frozen recipe), and
               recordings composed of the fold's clips: fights among stretches without, a hard cut
               before every clip of either kind
    synthetic  synthetic recordings of three acts and a small model that has learnt from synthetic
               clips

Rules that make events of scores are the usual ones, and those chosen on the other folds for some
numbers of false alarms per hour. Bundles, recordings and scores are kept under OUT, so that a run
that was cut short goes on; each part writes OUT/PART/figures.json and pages to read.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from common_parts.show import build_parser
from har.api.settings import training
from har.files import write_json

PARTS = ("real", "synthetic")
SHOWN = ("f1@0.1", "f1@0.25", "f1@0.5", "ap@0.5", "ap", "precision", "recall")
SHOWN_AMOUNTS = ("false_alarms_per_hour", "onset_error_q1_s", "onset_error_s", "onset_error_q3_s")


def main() -> None:
    """Measure the parts that are asked for, and prints them."""
    options = _parse()
    found: dict[str, Any] = {}
    with training():
        from recordings_parts.compose import ComposeConfig
        from recordings_parts.real import Settings, measure_real
        from recordings_parts.synthetic import measure_synthetic

        compose = ComposeConfig(length_s=60.0 * options.minutes)
        rates = tuple(options.rate or (2.0, 10.0))
        settings = Settings(options.folds, options.recordings, compose, rates)
        for part in options.part or PARTS:
            out = options.out / part
            if part == "real":
                found[part] = measure_real(options.manifest, out, settings)
            else:
                found[part] = measure_synthetic(out, settings)
            write_json(out / "figures.json", found[part])
            if not options.json:
                print(*_show(part, found[part]), "", sep="\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("manifest", type=Path, help="CSV of real clips: path,label,group")
    parser.add_argument("--part", action="append", choices=PARTS, help="once a part; default both")
    parser.add_argument("--out", type=Path, default=Path("results/recordings"))
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--recordings", type=int, default=2, help="recordings a fold")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of a recording")
    parser.add_argument("--rate", action="append", type=float, help="false alarms per hour")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def _show(part: str, figures: dict[str, Any]) -> list[str]:
    lines = [
        f"{part}: {figures['n_recordings']} recordings, {figures['hours']:.2f} h, "
        f"{figures['n_acts']} acts"
    ]
    if figures["cuts"] is not None:
        near, far = figures["cuts"]["near"], figures["cuts"]["far"]
        lines.append(
            f"  score of an act in background: {near:.3f} at joins, {far:.3f} far from any"
        )
    for name, found in figures.items():
        if isinstance(found, dict) and "overall" in found:
            for metrics in (found["overall"], *found["per_label"]):
                lines.append(f"  {name}, {metrics['label'] or 'all labels'}")
                lines += [f"    {key:24}{_format(metrics[key])}" for key in SHOWN + SHOWN_AMOUNTS]
    return lines


def _format(figure: dict[str, Any]) -> str:
    if figure["mean"] is None:
        return "-"
    if figure["ci95"] is None:
        return f"{figure['mean']:.3f}"
    return f"{figure['mean']:.3f} [{figure['ci95'][0]:.3f}, {figure['ci95'][1]:.3f}]"


if __name__ == "__main__":
    main()
