"""What many machines cost and bring: one process, shards and Ray on the same videos; and a plan.

    python benchmarks/scale.py [--videos 1000] [--recordings 8] [--minutes 20] [--json]

Measured with `fight`, motion alone, each in a process of its own:

1. Short videos: so many of 2 seconds, by one process, by two processes of one command, by two
   shards at once and by a Ray of two workers on this machine. Each way runs on 10 videos first, so
   that its start is told from its work; the overhead of a video is what it takes beyond recognizing
   it.
2. Recordings: one process, two processes, two shards, and Ray with two workers. The share is of
   twice what one process does, with the start of each and without.
3. Rates for the plan: speed of a core, bytes of scores, of Parquet and of features for an hour, and
   how fast a head scores an hour anew from features.

    python benchmarks/scale.py --plan RATES.json [--hours 10e6]

takes what --json has printed and prints the plan of docs/explanation/scale.md: its arithmetic, and
a simulation of the same run, video by video, loss by loss. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict, replace
from pathlib import Path

from common_parts.show import build_parser, show


def main() -> None:
    """Measure, or plan, and print."""
    parser = build_parser(__doc__ or "")
    parser.add_argument("--videos", type=int, default=1000, help="short ones; 0 for none")
    parser.add_argument("--recordings", type=int, default=8, help="0 for none")
    parser.add_argument("--minutes", type=float, default=20.0, help="of one recording")
    parser.add_argument("--ways", type=_read_ways, help="of them, each after a comma")
    parser.add_argument("--no-rates", action="store_true")
    parser.add_argument("--film", type=Path, help="keeps the film of which all videos are made")
    parser.add_argument("--plan", type=Path, help="what --json has printed before")
    parser.add_argument("--hours", type=float, default=10e6, help="of the plan")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.plan:
        from scale_parts.plan import Assumed, check_plan, read_rates

        rates = read_rates(options.plan)
        found = check_plan(rates, replace(Assumed(), hours=options.hours))
        result = {"rates": asdict(rates), **found}
    else:
        from scale_parts.measure import (
            measure_rates,
            measure_recordings,
            measure_short,
            write_film,
        )

        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            film = write_film(work, options.film)
            result = {
                "cores": len(os.sched_getaffinity(0)),
                "load_before": round(os.getloadavg()[0], 2),
                "short": measure_short(film, options.videos, options.ways)
                if options.videos
                else [],
                "recordings": measure_recordings(
                    film, options.recordings, options.minutes, options.ways
                )
                if options.recordings
                else [],
                "rates": {} if options.no_rates else measure_rates(film),
            }
    print(json.dumps(result, indent=1) if options.json else "\n".join(show(result)))


def _read_ways(text: str) -> list[str]:
    from scale_parts.measure import WAYS

    unknown = set(ways := text.split(",")) - set(WAYS)
    if unknown:
        raise argparse.ArgumentTypeError(f"expected some of {', '.join(WAYS)}, received {unknown}")
    return ways


if __name__ == "__main__":
    main()
