"""Writes synthetic sequences of detected skeletons to a file, from which a pose bundle can learn.

    python scripts/three_class/write_sequences.py OUT [--sequences 30000] [--variety 1] [--seed 0]

The file is OUT/sequences.npz; `three_class.sequences.load_sequences` reads it. Same settings, same
sequences, whatever the number of processes.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # three_class

from three_class.sequences import write_sequences
from three_class.settings import SequencesConfig

NAME = "sequences.npz"


def main() -> None:
    """Read the command line, draw the sequences and print where they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="folder, made if missing")
    parser.add_argument("--sequences", type=int, default=SequencesConfig.n_sequences)
    parser.add_argument("--variety", type=float, default=SequencesConfig.variety)
    parser.add_argument("--seed", type=int, default=SequencesConfig.seed)
    parser.add_argument("--jobs", type=int, default=0, help="processes; 0 means one a core")
    args = parser.parse_args()
    config = SequencesConfig(args.sequences, variety=args.variety, seed=args.seed)
    path = write_sequences(args.out / NAME, config, args.jobs, progress=True)
    print(json.dumps({"synthetic": True, "n_sequences": args.sequences, "sequences": str(path)}))


if __name__ == "__main__":
    main()
