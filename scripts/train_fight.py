"""Makes the bundle of fight and no fight from all clips of Surveillance Camera Fight.

    har prepare SURVFIGHT/manifest.csv --group-by group --store STORE
    python scripts/train_fight.py STORE src/har/shipped/fight

It is `har train all --final --recipe frozen --streams motion`, cut down to what recognition needs,
graphs with weights in 16 bits, the contract and the card, and to the head, so that training can
start from it: its CNN is the one that comes with the package.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from har.bundle import TEMPORAL_FILE, BundleInfo, load_info, save_info
from har.config import RECIPES, TrainConfig, update_config
from har.dataset.store import Store
from har.network.saving import load_models, save_bundle
from har.training.card import write_card
from har.training.final import train_final
from har.training.run import Run

RECIPE = update_config(TrainConfig(streams="motion"), RECIPES["frozen"])
MAX_BYTES = 16_000_000


def main() -> None:
    """Read the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results/fight"))
    args = parser.parse_args()
    train_final(RECIPE, Store.load(args.store), Run(args.out, args.results))
    info = keep_needed(args.out)
    size = sum(path.stat().st_size for path in args.out.iterdir())
    if size > MAX_BYTES:
        raise SystemExit(f"{args.out} has {size} bytes, more than {MAX_BYTES}")
    figures = info.metrics["crossval"]
    print(f"{args.out}: {size / 1e6:.1f} MB, temperature {info.temperature}")
    print(f"out of fold: accuracy {figures['accuracy']}, AUC {figures['auc']}")


def keep_needed(bundle_dir: Path) -> BundleInfo:
    """Halve the weights' bits and delete the Keras file of the CNN, two thirds of a bundle."""
    info, cnn, head = load_models(bundle_dir)
    info = save_bundle(bundle_dir, info, cnn, head, half=True)
    files = {name: info.files[name] for name in (*info.graph_names, TEMPORAL_FILE)}
    for name in set(info.files) - set(files):
        (bundle_dir / name).unlink()
    save_info(bundle_dir, replace(info, files=files))
    write_card(bundle_dir)
    return load_info(bundle_dir)


if __name__ == "__main__":
    main()
