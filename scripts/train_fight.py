"""Makes the bundle of fight and no fight from all clips of Surveillance Camera Fight.

    har prepare SURVFIGHT/manifest.csv --group-by group --store STORE
    python scripts/train_fight.py STORE src/har/shipped/fight

The recipe is cross-validated first, by source; then the bundle learns from all clips, and gets the
temperature and the figures that were found out of fold. What is written is what recognition needs:
graphs with weights in 16 bits, and the contract.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from har.bundle import BundleInfo, load_info, save_info
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.dataset.splits import Splits
from har.dataset.store import Store
from har.network.saving import load_models, save_bundle
from har.training.crossval import crossvalidate, record_crossval
from har.training.run import Run
from har.training.stages import train_all
from har.types import SplitName

RECIPE = update_config(TrainConfig(streams="motion"), RECIPES["frozen"])
CROSSVAL = CrossvalConfig(n_folds=5, n_seeds=3)
MAX_BYTES = 16_000_000


def main() -> None:
    """Read the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results/fight"))
    args = parser.parse_args()
    info = train_fight(Store.load(args.store), Run(args.out, args.results))
    size = sum(path.stat().st_size for path in args.out.iterdir())
    if size > MAX_BYTES:
        raise SystemExit(f"{args.out} has {size} bytes, more than {MAX_BYTES}")
    figures = info.metrics["crossval"]
    print(f"{args.out}: {size / 1e6:.1f} MB, temperature {info.temperature}")
    print(f"out of fold: accuracy {figures['accuracy']}, AUC {figures['auc']}")


def train_fight(store: Store, run: Run) -> BundleInfo:
    """Cross-validate, train on all clips and note the figures; return the contract."""
    found = crossvalidate(RECIPE, CROSSVAL, store, run)
    train_all(RECIPE, replace(store, splits=_take_all(store)), run)
    info, cnn, head = load_models(run.bundle_dir)
    save_bundle(run.bundle_dir, info, cnn, head, half=True)
    record_crossval(run.bundle_dir, found)
    return _keep_graphs(run.bundle_dir)


def _take_all(store: Store) -> Splits:
    """Return splits that train on everything: what the bundle can do is told by other folds."""
    parts: dict[str, SplitName] = {clip.clip_id: "train" for clip in store.clips}
    return Splits(parts, False, "all clips are learnt from", {}, "all clips are learnt from", 0)


def _keep_graphs(bundle_dir: Path) -> BundleInfo:
    """Delete the Keras files: with them the bundle would be three times as large."""
    info = load_info(bundle_dir)
    names = info.graph_names
    for name in set(info.files) - set(names):
        (bundle_dir / name).unlink()
    info = replace(info, files={name: info.files[name] for name in names})
    save_info(bundle_dir, info)
    return info


if __name__ == "__main__":
    main()
