"""Makes a bundle of hitting oneself, hitting others and playing, from synthetic people alone.

    har prepare SURVFIGHT/manifest.csv --group-by group --store STORE
    python scripts/train_three_class.py STORE models/three-class

STORE holds real clips of fights and of none (Surveillance Camera Fight): its thresholds are chosen
on them, nothing is learnt from them.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from har.config import TrainConfig
from three_class.settings import THREE_CLASS, PretrainConfig, SequencesConfig


def main() -> None:
    """Read the command line and write the bundle."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sequences", type=int, default=SequencesConfig.n_sequences)
    parser.add_argument("--results", type=Path, default=Path("results/three_class"))
    make_bundle(parser.parse_args())


def make_bundle(args: argparse.Namespace) -> None:
    """Draw sequences, train on them and choose the thresholds; loads Keras."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from har.dataset.store import Store
    from har.training.run import Run
    from three_class.pretrain import pretrain
    from three_class.sequences import draw_sequences
    from three_class.threshold import choose_bias

    config = SequencesConfig(n_sequences=args.sequences)
    run = Run(args.out, args.results)
    recipe = TrainConfig(streams="pose", pose=THREE_CLASS)
    sequences = draw_sequences(config, progress=True)
    pretrain(PretrainConfig(), recipe, sequences, run)
    info = choose_bias(args.out, Store.load(args.store), {"hitting_others": "fight"}, True)
    print(f"{args.out}: bias {dict(zip(info.labels, info.bias, strict=True))}")


if __name__ == "__main__":
    main()
