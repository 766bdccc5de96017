"""Measures a recipe on thirds of the sources that it has not met, on the fights of survfight.

    python benchmarks/thirds.py DATA_DIR [--recipe NAME]... [--seeds N]

DATA_DIR has the folder ``survfight`` with a ``manifest.csv`` of path, label and group. A third of
the sources is left out as a whole, the model learns from the other two; each third in turn, and the
division is drawn anew for each seed. The temperature, which the calibration error needs, is that of
the scores of the two other thirds. The threshold is 0.5. The rows are the recipe's streams
together, and each by itself; "best threshold" is the one that is best in hindsight on those very
clips, which no user can have. Intervals are 95 % by bootstrap over sources.

Every third's probabilities are kept in OUT, and what is there is not trained again.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from common_parts.show import build_parser, show
from har.api.settings import training
from har.files import write_json
from thirds_parts.recipes import RECIPES_OF_FIGHTS


def main() -> None:
    """Measure the recipes that are asked for, and print them."""
    options = _parse()
    found = {}
    with training():
        from thirds_parts.thirds import Thirds

        thirds = Thirds(options.data_dir / "survfight", options.out, options.seeds)
        for name in options.recipe or RECIPES_OF_FIGHTS:
            found[name] = thirds.measure(name, RECIPES_OF_FIGHTS[name])
            write_json(options.out / f"{name}.json", found[name])
            if not options.json:
                print(name, *show(found[name], 1), "", sep="\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path, help="has survfight/")
    known = list(RECIPES_OF_FIGHTS)
    parser.add_argument("--recipe", action="append", choices=known, help="once a recipe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("results/thirds"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
