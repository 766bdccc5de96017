"""The clips of each fold, recognized in each precision by a model that has not met them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from har.config import RECIPES, PrepareConfig, TrainConfig, update_config
from har.config.engine import Engine
from har.dataset.prepare import prepare
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.files import replacing
from har.inference.cache import FOLDER
from har.inference.clips import recognize_clips
from har.inference.engines import ENGINE_VARIABLE
from har.inference.model import Recognizer
from har.metrics.clips import bootstrap_difference, bootstrap_metrics
from har.types import Streams
from recordings_parts.real import add_int8_once, train_once

_SEED, _N_FOLDS = 0, 5
_STREAMS: tuple[Streams, ...] = ("motion", "both")


@dataclass(frozen=True)
class Precision:
    """One way to run the networks.

    Attributes:
        name: What the table calls it.
        engine: Of all networks; in 8-bit integers there is the frame CNN alone.
    """

    name: str
    engine: Engine


_WAYS = (
    Precision("fp32", "onnxruntime"),
    Precision("int8", "onnxruntime-int8"),
    Precision("bfloat16", "openvino-bf16"),
)


def measure(manifest: Path, out: Path) -> dict[str, Any]:
    """Return figures of each precision and stream, and what each is less fp32."""
    store = prepare(manifest, out / "store", PrepareConfig(), progress=True).store
    config = update_config(TrainConfig(streams="both"), RECIPES["frozen"])
    folds = build_folds(store.clips, _N_FOLDS, _SEED)
    ways = [way for way in _WAYS if _is_possible(way)]
    shape = (len(store.clips), len(store.labels))
    probs: dict[tuple[Precision, Streams], np.ndarray] = {
        (way, streams): np.zeros(shape, np.float32) for way in ways for streams in _STREAMS
    }
    for fold in range(_N_FOLDS):
        test = np.flatnonzero(folds == fold)
        folder = out / f"fold{fold}"
        train_once(config, store, test, folder / "bundle")
        add_int8_once(store, test, folder / "bundle")
        for way in ways:
            for streams in _STREAMS:
                found = _recognize(way, streams, store, test, folder)
                probs[way, streams][test] = found
        print(f"fold {fold} is done", flush=True)
    rows = [
        _compare(store, way.name, streams, probs[_WAYS[0], streams], found)
        for (way, streams), found in probs.items()
    ]
    return {"clips": len(store.clips), "folds": _N_FOLDS, "precisions": rows}


def _is_possible(way: Precision) -> bool:
    return way.engine != "openvino-bf16" or importlib.util.find_spec("openvino") is not None


def _recognize(
    way: Precision, streams: Streams, store: Store, test: np.ndarray, folder: Path
) -> np.ndarray:
    """Return (N, K) probabilities of a fold's clips."""
    path = folder / f"{streams}.{way.engine}.npy"
    if not path.is_file():
        with _having_keypoints(way, store) as own:
            recognizer = Recognizer(folder / "bundle", 1, way.engine, streams=streams)
            found = recognize_clips(recognizer, own, test.tolist()).probs
        with replacing(path) as part, part.open("wb") as file:
            np.save(file, found)
    return np.load(path, allow_pickle=False)


@contextmanager
def _having_keypoints(way: Precision, store: Store) -> Iterator[Store]:
    """Give the store with keypoints that the pose network finds in this precision."""
    if way.engine != "openvino-bf16":
        yield store
        return
    twin = store.path.with_name(f"store.{way.engine}")
    if not twin.exists():
        shutil.copytree(store.path, twin, ignore=shutil.ignore_patterns(FOLDER, "features"))
    before = os.environ.get(ENGINE_VARIABLE)
    os.environ[ENGINE_VARIABLE] = way.engine  # the cache of keypoints takes no engine
    try:
        yield replace(store, path=twin)
    finally:
        os.environ.pop(ENGINE_VARIABLE)
        os.environ.update({} if before is None else {ENGINE_VARIABLE: before})


def _compare(
    store: Store, name: str, streams: Streams, plain: np.ndarray, found: np.ndarray
) -> dict[str, Any]:
    """Return a row: the figures of a precision, and how much they are above those of fp32."""
    truth, groups = store.label_indices, [clip.group for clip in store.clips]
    own = bootstrap_metrics(truth, found, groups)
    more = bootstrap_difference(truth, plain, found, groups)
    row: dict[str, Any] = {"precision": name, "streams": streams}
    for figure in ("accuracy", "auc"):
        row |= {figure: own[figure].to_json(), f"{figure}, less fp32": more[figure].to_json()}
    apart = np.abs(found - plain)
    return row | {
        "clips decided otherwise": int((found.argmax(1) != plain.argmax(1)).sum()),
        "probability apart, mean": float(apart.mean()),
        "probability apart, most": float(apart.max()),
    }
