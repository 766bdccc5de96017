"""What does it cost in accuracy to pass over steps at which nothing moves, and to encode in int8?

    python benchmarks/stillness.py MANIFEST [--out results/stillness] [--minutes 4]

For each of five folds of the sources a model of both streams (recipe `frozen`) that has not met the
fold, with its frame CNN in int8 too, calibrated on clips outside the fold. It recognizes the fold's
clips, and a recording composed of them in which every clip is followed by twice its length of its
last picture with a camera's noise on it: with every step encoded (`--exact`), as usual, and as
usual in int8. Nothing is chosen here. Differences are paired over sources and over recordings.
Bundles, recordings and scores stay under OUT, so that a run that was cut short goes on. Prints
tables.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from common_parts.show import build_parser, show
from har.api.settings import training
from har.files import write_json


def main() -> None:
    """Train, recognize in each way, print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("manifest", type=Path, help="CSV of clips: path,label,group")
    parser.add_argument("--out", type=Path, default=Path("results/stillness"))
    parser.add_argument("--minutes", type=float, default=4.0, help="of each fold's recording")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with training():
        from stillness_parts.measure import measure

        found: dict[str, Any] = measure(options.manifest, options.out, 60.0 * options.minutes)
    write_json(options.out / "figures.json", found)
    print("\n".join(show(found)))


if __name__ == "__main__":
    main()
