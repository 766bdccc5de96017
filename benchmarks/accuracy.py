"""Measures recognition on real clips: all methods on the same folds, with intervals and baselines.

    python benchmarks/accuracy.py DATA_DIR [--part NAME]... [--method NAME]... [--seeds N]

DATA_DIR has the folders ``survfight`` and ``ut_interaction_set1``, each with a ``manifest.csv`` of
path, label and group. The parts, all of them where none is named:

    survfight     Surveillance Camera Fight, 5 folds of whole sources
    random        the same clips, 5 random folds: these leak, to compare with papers
    ut            UT-Interaction set 1, six actions, leave one sequence out
    calibration   do probabilities mean what they say, does the threshold hold on new sources
    curve         what more clips and more places buy

Every fold's probabilities are kept in OUT, and what is there is not trained again: a run that was
cut short goes on. After a change of code name another OUT. Nothing is chosen on a fold that is
tested; intervals are 95 % by bootstrap over groups.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common_parts.show import build_parser, show
from har.api.settings import training
from har.files import write_json

if TYPE_CHECKING:
    from accuracy_parts.figures import Bench

TABLES = ("survfight", "random", "ut")
PARTS = (*TABLES, "calibration", "curve")


def main() -> None:
    """Measure the parts that are asked for, and prints them."""
    options = _parse()
    found: dict[str, Any] = {}
    with training():
        from accuracy_parts.figures import Bench

        bench = Bench(options.data_dir, options.out, options.seeds, tuple(options.method or ()))
        for part in options.part or PARTS:
            found[part] = _measure(bench, part)
            write_json(options.out / f"{part}.json", found[part])
            if not options.json:
                print(part, *show(found[part], 1), "", sep="\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path, help="has survfight/ and ut_interaction_set1/")
    parser.add_argument("--part", action="append", choices=PARTS, help="once a part; default all")
    parser.add_argument("--method", action="append", help="once a method; default all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/accuracy"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def _measure(bench: Bench, part: str) -> dict[str, Any]:
    if part == "calibration":
        return bench.measure_calibration()
    return bench.measure_curve() if part == "curve" else bench.measure_table(part)


if __name__ == "__main__":
    main()
