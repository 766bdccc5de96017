"""Makes a bundle of hitting oneself, hitting others and playing, from synthetic and real people.

    har prepare SURVFIGHT/manifest.csv --group-by group --store STORE
    python scripts/train_three_class.py STORE WEBCAMS models/three-class

WEBCAMS is a file of captured motion of people at webcams (``points``, ``starts``, ``joints``,
``fps``, ``action``, ``subject``) who hit nobody. It learns from them, from synthetic people, and
from strokes that are drawn onto the bodies at the webcams. STORE holds real clips of fights and of
none (Surveillance Camera Fight): its thresholds are chosen on them, on the webcams, and on
synthetic people and strokes that it has not learnt from. Unless ``--learn`` says so, nothing is
learnt from STORE. ``--self-from`` takes the branch that tells hitting oneself from another bundle.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from three_class.settings import LearnConfig


def main() -> None:
    """Read the command line and write the bundle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path)
    parser.add_argument("webcams", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sequences", type=int, default=LearnConfig.n_sequences)
    parser.add_argument("--learn", nargs="+", help="of synthetic, webcams and fights")
    parser.add_argument("--seed", type=int, default=LearnConfig.seed)
    parser.add_argument("--self-from", type=Path, help="bundle with the branch of hitting oneself")
    make_bundle(parser.parse_args())


def make_bundle(args: argparse.Namespace) -> None:
    """Learn, choose the thresholds and write the bundle; loads Keras."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from har.dataset.store import Store
    from three_class.bundle import LABELS, LEARNT, Sources, make

    sources = Sources.load(Store.load(args.store), args.webcams, args.sequences)
    config = LearnConfig(n_sequences=args.sequences, seed=args.seed)
    info = make(sources, args.out, config, args.learn or LEARNT, self_from=args.self_from)
    print(f"{args.out}: bias {dict(zip(LABELS, info.bias, strict=True))}")


if __name__ == "__main__":
    main()
