"""What lower precision costs in accuracy: 8-bit integers and bfloat16 beside fp32.

    python benchmarks/precision.py MANIFEST [--out results/precision] [--json]

For each of five folds of the sources a model of both streams (recipe `frozen`, as that of `fight`)
that has not met the fold. Its frame CNN is quantized on clips of the fold's training part. The
fold's clips are recognized in each precision, by motion alone and by both streams, with the heads
as they are: they have learned from features in fp32. bfloat16 is measured where the processor has
it and OpenVINO is installed, and then holds for all networks. Nothing is chosen here. Differences
are paired over groups. What is in OUT is not made again, so a run that was cut short goes on.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from common_parts.show import build_parser, show
from har.api.settings import training
from har.files import write_json


def main() -> None:
    """Train, recognize in each precision, print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("manifest", type=Path, help="CSV of clips: path,label,group")
    parser.add_argument("--out", type=Path, default=Path("results/precision"))
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with training():
        from precision_parts.measure import measure

        found: dict[str, Any] = measure(options.manifest, options.out)
    write_json(options.out / "figures.json", found)
    print(json.dumps(found, indent=2) if options.json else "\n".join(show(found)))


if __name__ == "__main__":
    main()
