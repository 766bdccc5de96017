"""Makes the bundle of fight and no fight from all clips of Surveillance Camera Fight.

    har prepare SURVFIGHT/manifest.csv --group-by group --store STORE
    python benchmarks/thirds.py DATA_DIR --recipe shipped
    python scripts/train_fight.py STORE src/har/shipped/fight --thirds results/thirds/shipped.json

It is `har train all --final --recipe frozen --streams both`, cut down to what recognition needs,
graphs with weights in 16 bits, the contract and the card, and to the heads, so that training can
start from it: its CNN is the one that comes with the package. Beside it is the CNN in 8-bit
integers, calibrated on the clips, for `--precision fast`. What it reached on thirds of the
sources that were left out stands in the card, beside its folds.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from har.bundle import POSE_FILE, TEMPORAL_FILE, save_info
from har.config import RECIPES, ExportConfig, TrainConfig, update_config
from har.dataset.store import Store
from har.export.int8 import add_int8
from har.files import write_text
from har.network.saving import load_models, load_pose, save_bundle
from har.training.card import CARD_FILE, write_card
from har.training.final import train_final
from har.training.run import Run

RECIPE = update_config(TrainConfig(streams="both"), RECIPES["frozen"])
MAX_BYTES = 16_000_000


def main() -> None:
    """Read the command line and write the bundle."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--results", type=Path, default=Path("results/fight"))
    parser.add_argument("--thirds", type=Path, help="what benchmarks/thirds.py has written")
    args = parser.parse_args()
    store = Store.load(args.store)
    train_final(RECIPE, store, Run(args.out, args.results))
    thirds = json.loads(args.thirds.read_text(encoding="utf-8")) if args.thirds else {}
    keep_needed(args.out, thirds)
    info = add_int8(args.out, store, ExportConfig())
    size = sum(path.stat().st_size for path in args.out.iterdir())
    if size > MAX_BYTES:
        raise SystemExit(f"{args.out} has {size} bytes, more than {MAX_BYTES}")
    figures = info.metrics["crossval"]
    print(f"{args.out}: {size / 1e6:.1f} MB, temperature {info.temperature}, alone {info.alone}")
    for name, found in {"both": figures, **figures["alone"]}.items():
        print(f"out of fold, {name}: accuracy {found['accuracy']}, AUC {found['auc']}")


def keep_needed(bundle_dir: Path, thirds: dict[str, Any]) -> None:
    """Halve the weights' bits and delete the Keras file of the CNN, two thirds of a bundle."""
    info, cnn, head = load_models(bundle_dir)
    _, pose = load_pose(bundle_dir)
    info = save_bundle(bundle_dir, info, cnn, head, pose, half=True)
    files = {name: info.files[name] for name in (*info.graph_names, TEMPORAL_FILE, POSE_FILE)}
    for name in set(info.files) - set(files):
        (bundle_dir / name).unlink()
    metrics = {**info.metrics, "thirds": thirds} if thirds else info.metrics
    save_info(bundle_dir, replace(info, files=files, metrics=metrics))
    write_card(bundle_dir)
    if thirds:
        card = bundle_dir / CARD_FILE
        write_text(card, card.read_text(encoding="utf-8") + describe_thirds(thirds))


def describe_thirds(thirds: dict[str, Any]) -> str:
    """Return a section of the card: figures on sources that were left out as a whole."""
    rows = [
        f"| {row['streams']} | {_show(row['auc'])} | {_show(row['accuracy'])} | "
        f"{row['best_threshold']:.3f} | {row['ece']:.3f} |"
        for row in thirds["rows"]
    ]
    lines = [
        "",
        "## A third of the sources left out",
        "",
        f"The recipe learned from two thirds of the {thirds['sources']} sources and was judged on "
        f"the rest, each third in turn, {thirds['seeds']} divisions. The threshold is 0.5.",
        "",
        "| streams | AUC | accuracy | at the best threshold in hindsight | calibration error |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def _show(figure: dict[str, Any]) -> str:
    low, high = figure["ci95"]
    return f"{figure['mean']:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
