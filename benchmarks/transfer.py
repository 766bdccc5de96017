"""Measures what carries over to places, people and sensors that a three-class bundle has not seen.

    python benchmarks/transfer.py DATA_DIR [--bundle DIR]... [--leave-out] [--out results/transfer]
        [--cache DIR]

DATA_DIR has the folders ``survfight`` and ``ut_interaction_set1``, each with a ``manifest.csv``,
and ``motion`` with joints of real people. Rows are domains, see ``transfer_parts/domains.py``; the
table says how well hitting others is told from all else (AUC, accuracy at the bundle's own
threshold), and of which share of the recordings without it hitting others and hitting oneself is
said. Children stand by themselves. Intervals are 95 %, over subjects.

--bundle     a folder of a three-class bundle, the shipped one where none is named; its card says
             what it has learnt from: of that, nothing is carried over
--leave-out  train the recipe anew without each domain in turn, choose its thresholds without that
             domain too, and judge it there; what only may be measured is in neither. The branch
             that tells hitting oneself is learnt with the rest, not taken from a bundle before

Stores and features of all domains are computed once and kept in the folder of ``--cache``, else in
OUT; bundles that are made and the table are in OUT.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # three_class

from common_parts.show import build_parser, show
from har.api.settings import training
from har.bundle_files import FOLDER
from har.files import write_json


def main() -> None:
    """Judge bundles, or the recipe without each domain, and print the table."""
    options = _parse()
    found, cache = {}, options.cache or options.out
    bundles = {str(bundle): bundle for bundle in options.bundle or ()}
    if not bundles and not options.leave_out:
        bundles["three-class, shipped"] = FOLDER / "three_class"
    with training():
        from transfer_parts.table import judge_bundle, leave_out, sum_up

        if options.leave_out:
            rows = leave_out(options.data_dir, cache, options.out)
            found["recipe, each domain left out"] = [*rows, sum_up(rows)]
        for name, bundle in bundles.items():
            rows = judge_bundle(bundle, options.data_dir, cache)
            found[name] = [*rows, sum_up(rows)]
    write_json(options.out / "transfer.json", found)
    text = json.dumps(found, indent=2) if options.json else "\n".join(show(found))
    print(text)


def _parse() -> argparse.Namespace:
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path, help="has survfight/, ut_interaction_set1/, motion/")
    parser.add_argument("--bundle", action="append", type=Path, help="once a bundle")
    parser.add_argument("--leave-out", action="store_true", help="train without each domain")
    parser.add_argument("--out", type=Path, default=Path("results/transfer"))
    parser.add_argument("--cache", type=Path, help="of stores and features; default OUT")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    return parser.parse_args()


if __name__ == "__main__":
    main()
