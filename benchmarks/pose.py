"""Measures the pose stream and a three-class bundle: every figure, with intervals and seeds.

    python benchmarks/pose.py DATA_DIR [--part NAME]... [--out results/pose] [--bundle DIR]

DATA_DIR has the folders ``survfight`` and ``ut_interaction_set1``, each with a ``manifest.csv`` of
path, label and group. The parts, all of them where none is named:

    ut         the pose stream alone, leave one sequence out, beside duration and speed alone
    synthetic  the shipped bundle, which has learnt from synthetic people, on real clips: hitting
               others against not
    self       hitting oneself: half-real bodies, and how often it is said of real clips
    cues       which single cues of synthetic sequences tell the classes
    few        few real clips: started from the bundle against from nothing
    both       motion, pose and both on the same folds, also for dark and far clips
    who        how often an act is given to the right people, on synthetic motion
    speed      what it costs
    sheets     annotated clips for the eye

Each part writes OUT/PART.json. A part that was measured before with the same bundle, clips and
settings is not measured again, and one that was cut short goes on where it can; ``--fresh`` starts
anew, as is needed after a change of code. Where nothing else is said, intervals are 95 % by
bootstrap over groups.
"""

from __future__ import annotations

import argparse
import inspect
import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # three_class

from common_parts.show import build_parser, show
from har import __version__
from har.api.settings import training
from har.bundle_files import FOLDER
from har.config import TrainConfig
from har.files import write_json

if TYPE_CHECKING:
    from pose_parts.bench import Bench

Measure = Callable[["Bench"], dict[str, Any]]

PARTS = ("ut", "synthetic", "self", "cues", "few", "both", "who", "speed", "sheets")
WITHOUT_BUNDLE = frozenset({"ut", "cues", "both"})


def main() -> None:
    """Measure the parts that are asked for, and prints them."""
    options = _parse()
    found = {}
    with training():  # nothing above loads Keras: the processes that parts start load it too then
        from pose_parts.bench import Bench

        bench, measures = Bench(options.data_dir, options.out, options.bundle), _load_measures()
        for part in options.part or PARTS:
            found[part] = _measure(bench, part, measures[part], options.fresh)
            if not options.json:
                lines = show(found[part]["figures"], 1)
                print(f"{part}  ({found[part]['took_s']} s)", *lines, "", sep="\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path, help="has survfight/ and ut_interaction_set1/")
    parser.add_argument("--part", action="append", choices=PARTS, help="once a part; default all")
    parser.add_argument("--out", type=Path, default=Path("results/pose"))
    parser.add_argument("--bundle", type=Path, default=FOLDER / "three_class", help="its folder")
    parser.add_argument("--fresh", action="store_true", help="measure again what is there")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


def _load_measures() -> dict[str, Measure]:
    from pose_parts import bundle, few, folds, sheets, speed, who

    return {
        "ut": folds.measure_ut,
        "synthetic": bundle.measure_synthetic,
        "self": bundle.measure_self,
        "cues": bundle.measure_cues,
        "few": few.measure_few,
        "both": folds.measure_both,
        "who": who.measure_who,
        "speed": speed.measure_speed,
        "sheets": sheets.measure_sheets,
    }


def _measure(bench: Bench, part: str, measure: Measure, fresh: bool) -> dict[str, Any]:
    """Return the record of a part, measured now or before."""
    path, stamp = bench.out / f"{part}.json", _stamp(bench, part, measure)
    if fresh:
        shutil.rmtree(bench.out / "work" / part, ignore_errors=True)
    elif path.is_file():
        before = json.loads(path.read_text(encoding="utf-8"))
        if before["stamp"] == stamp:
            return before
    print(f"{part}: measuring", file=sys.stderr, flush=True)
    began_s = time.perf_counter()
    figures = measure(bench)
    record = {"stamp": stamp, "took_s": round(time.perf_counter() - began_s), "figures": figures}
    write_json(path, record)
    return record


def _stamp(bench: Bench, part: str, measure: Measure) -> str:
    """Name all that shapes a part's figures but the code: bundle, clips and settings."""
    from har.training.run import compute_fingerprint

    settings = {name: repr(item.default) for name, item in _parameters(measure).items()}
    bundle = "" if part in WITHOUT_BUNDLE else bench.bundle_hash
    return compute_fingerprint(
        part, __version__, TrainConfig(), bench.fingerprint_stores(), bundle, settings
    )


def _parameters(measure: Measure) -> dict[str, inspect.Parameter]:
    return dict(list(inspect.signature(measure).parameters.items())[1:])


if __name__ == "__main__":
    main()
