"""Measures hitting oneself: one way of making it is left out of training, real people are spared.

    python benchmarks/self_hits.py DATA_DIR [--part NAME]... [--out results/self_hits]

Nobody hits themselves in any real motion at hand. So hits are made in four ways that share little:
the generator of synthetic people (`generator`), drawn arms on real people (`arms`), strokes of
least jerk solved onto real bodies (`strokes`), and the rhythm of real claps, punches, throws and
waves re-aimed at the own body (`rhythm`); each hit has a control, the same strokes in the air
beside the body. What is learnt from three is tried on the fourth and on people of other folds, at
the threshold at which one in a hundred real near misses of yet other people is called a hit.

    families   recall on each family left out, by learner; false alarms by domain
    shipped    the same from what a shipped bundle may learn from
    own        what 5, 10 or 20 recorded clips of hits buy, simulated by re-aimed motion
    lstm       an LSTM on the steps in place of measures, on each family left out; slow
    rate       ten against thirty steps a second, on what was recorded at thirty

DATA_DIR has ``motion``, ``survfight`` and ``ut_interaction_set1``. Windows, stores and logits are
written to OUT and read again.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))  # three_class

from common_parts.show import build_parser

PARTS = ("families", "shipped", "own", "rate", "lstm")
LEARNERS = ("line, mean and spread", "line, all measures", "network", "deeper network")
RATES_HZ = (10.0, 30.0)


def main() -> None:
    """Measure the parts that are asked for, and print them."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("data_dir", type=Path, help="has motion/, survfight/, ut_interaction_set1/")
    parser.add_argument("--part", action="append", choices=PARTS, help="once a part; default all")
    parser.add_argument("--out", type=Path, default=Path("results/self_hits"))
    options = parser.parse_args()
    for part in options.part or PARTS:
        measure(part, options.data_dir, options.out)


def measure(part: str, data_dir: Path, out: Path) -> None:
    """Measure one part and write OUT/PART.json."""
    from har.files import write_json
    from self_hits_parts.building import build_windows
    from self_hits_parts.figures import (
        compare_learners,
        compare_rates,
        measure_own,
        measure_shipped,
    )
    from self_hits_parts.learners import compute_inputs

    if part == "rate":
        write_json(out / "rate.json", compare_rates(data_dir, out, RATES_HZ))
        return
    windows = build_windows(data_dir, out, 10.0)
    inputs = compute_inputs(windows.features, 10.0)
    if part == "families":
        figures = compare_learners(windows, inputs, out, list(LEARNERS))
    elif part == "lstm":
        figures = compare_learners(windows, inputs, out, ["LSTM"])
    elif part == "shipped":
        figures = measure_shipped(windows, inputs, out, "network", "mean")
    else:
        figures = measure_own(windows, inputs, "network", "mean")
    write_json(out / f"{part}.json", figures)


if __name__ == "__main__":
    main()
