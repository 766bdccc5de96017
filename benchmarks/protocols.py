"""Measures the pose recipe by published protocols, on joints that no picture was needed for.

    python benchmarks/protocols.py DATA_DIR [--part NAME]... [--out results/protocols] [--seeds 3]

DATA_DIR has the folders ``motion`` and ``ut_interaction_set1``. The parts, all where none is named:

    sbu     SBU Kinect Interaction: eight actions of two people, the five published folds
    ut      UT-Interaction, set 1: six actions, each sequence left out in turn
    kinder  Kinder-Gator: 58 actions of five children and five adults, each person left out in turn,
            from adults to children and back, and how accuracy grows with the people learned from
    scores  hits against none, from SBU to UT-Interaction and back: the linear branch with keypoint
            scores among its inputs, and without
    speed   milliseconds a window of 2.5 s, on one thread

Joints go the public way for keypoints of other tools: an archive a sequence, ``har prepare``, and
the recipe of ``har crossval --streams pose``. Beside it stands its linear branch alone, which is
the recipe without training. Seeds are of training; Kinder-Gator has one. Intervals are 95 % by
bootstrap over people, pairs or sequences.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # three_class

from common_parts.show import build_parser, show
from har.api.settings import training
from har.files import write_json

PARTS = ("sbu", "ut", "kinder", "scores", "speed")


def main() -> None:
    """Measure the parts that are named, and print them."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--part", action="append", choices=PARTS, help="once a part; default all")
    parser.add_argument("--out", type=Path, default=Path("results/protocols"))
    parser.add_argument("--cache", type=Path, help="of other features; default OUT/domains")
    parser.add_argument("--seeds", type=int, default=3, help="0: the linear branch alone")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with training():
        measures = _load_measures(options.data_dir, options.out, options.cache, options.seeds)
        for part in options.part or PARTS:
            found[part] = measures[part]()
            write_json(options.out / f"{part}.json", found[part])
            if not options.json:
                print(part, *show(found[part], 1), "", sep="\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


def _load_measures(
    data_dir: Path, out: Path, cache: Path | None, n_seeds: int
) -> dict[str, Callable[[], Any]]:
    from protocols_parts.measure import Bench, measure_kinder, measure_sbu, measure_ut
    from protocols_parts.scores import measure_scores
    from protocols_parts.speed import measure_speed

    bench = Bench(data_dir, out, n_seeds)
    return {
        "sbu": lambda: measure_sbu(bench),
        "ut": lambda: measure_ut(bench),
        "kinder": lambda: measure_kinder(bench),
        "scores": lambda: measure_scores(data_dir, cache or out / "domains"),
        "speed": lambda: {"two people": measure_speed(2, 8), "one person": measure_speed(1, 58)},
    }


if __name__ == "__main__":
    main()
