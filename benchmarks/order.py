"""Measures what the order of steps adds to a pose head: heads over time alone and beside another.

    python benchmarks/order.py DATA_DIR [--set NAME]... [--out results/order] [--seeds 3]

DATA_DIR has the folders ``motion``, ``survfight`` and ``ut_interaction_set1``. The sets:

    sbu        two people before a Kinect, eight actions: the five published folds
    ut         UT-Interaction, set 1, six actions: two sequences left out in turn
    kinder     Kinder-Gator, 58 actions: from five adults to five children
    survfight  fight or not: each third of the sources left out in turn

Rows: the pose head's linear branch (mean, and spread so far), mean and spread over the window,
maximum, and LSTM, GRU and a temporal CNN, each alone and beside the linear branch. Mean, spread and
maximum draw nothing, the linear branch its inner folds; what draws has a run a seed. Intervals are
95 % by bootstrap over people, pairs, sequences or sources; ``gained`` is the paired difference to
the linear branch alone of the same seed. What was measured is not measured again while OUT is
there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # three_class

from common_parts.show import build_parser, show
from har.api.settings import training
from har.files import write_json

SETS = ("sbu", "ut", "kinder", "survfight")
LINEAR = "linear branch"
ROWS = (LINEAR, "mean and spread", "maximum", "lstm", "gru", "tcn")


def main() -> None:
    """Measure the sets that are named, and print their tables."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--set", action="append", choices=SETS, help="once a set; default all")
    parser.add_argument("--out", type=Path, default=Path("results/order"))
    parser.add_argument("--cache", type=Path, help="of stores and features; default OUT/domains")
    parser.add_argument("--row", action="append", choices=ROWS, help="once a row; default all")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    found: dict[str, Any] = {}
    with training():
        from order_parts.sets import load_set

        for name in options.set or SETS:
            motion = load_set(name, options.data_dir, options.cache or options.out / "domains")
            found[name] = _measure(motion, options.out, options.row or ROWS, options.seeds)
            write_json(options.out / f"{name}.json", found[name])
            if not options.json:
                print(name, *show(found[name], 1), "", sep="\n", flush=True)
    if options.json:
        print(json.dumps(found, indent=2))


def _measure(motion: Any, out: Path, heads: Sequence[str], n_seeds: int) -> dict[str, Any]:
    from order_parts.heads import KINDS
    from order_parts.measure import Ablation
    from pose_parts.intervals import bootstrap_auc, bootstrap_mean

    ablation, rows = Ablation(motion, out), []
    tested = motion.folds >= 0
    truth, groups = motion.targets[tested], motion.groups[tested].tolist()
    linear = np.stack([ablation.score(LINEAR, False, s)[0][tested] for s in range(n_seeds)])
    linear_right = linear.argmax(axis=2) == truth
    for row in heads:
        for beside in (False, True) if row != LINEAR else (False,):
            seeds = range(n_seeds if row in (*KINDS, LINEAR) else 1)
            scored = [ablation.score(row, beside, seed) for seed in seeds]
            logits = np.stack([item[0][tested] for item in scored])
            right = logits.argmax(axis=2) == truth
            gained = (right * 1.0 - linear_right[: len(right)]).mean(axis=0)
            figures = {
                "head": f"{LINEAR} and {row}" if beside else row,
                "accuracy": bootstrap_mean(groups, right.mean(axis=0)),
                "by_seed": right.mean(axis=1).tolist(),
                "gained": bootstrap_mean(groups, gained),
                "cpu_s": float(np.mean([item[1] for item in scored])),
            }
            if len(motion.labels) == 2:
                figures["auc"] = bootstrap_auc(groups, truth == 0, logits[..., 0] - logits[..., 1])
            rows.append(figures)
            print(motion.name, json.dumps(figures), file=sys.stderr, flush=True)
    return {"labels": len(motion.labels), "tested": int(tested.sum()), "heads": rows}


if __name__ == "__main__":
    main()
