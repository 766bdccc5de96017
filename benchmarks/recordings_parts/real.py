"""Recordings composed of real clips, recognized by models that have not met their sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from har.bundle import BUNDLE_FILE, INT8_GRAPH_FILE, load_info
from har.config import (
    RECIPES,
    DecodeConfig,
    PrepareConfig,
    TrainConfig,
    find_background,
    update_config,
)
from har.config.export import ExportConfig
from har.dataset.prepare import prepare
from har.dataset.splits import Splits, build_folds
from har.dataset.store import Store
from har.events.files import load_scores, save_scores
from har.export.int8 import add_int8
from har.files import write_json
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.metrics.alarms import ScoredRecording
from har.training.run import Run, compute_fingerprint
from har.training.stages import train_all
from har.types import SplitName
from recordings_parts.compose import ComposeConfig, compose_recording, write_composition
from recordings_parts.judge import Judged, judge

SEED = 0


@dataclass(frozen=True)
class Settings:
    """How much is measured.

    Attributes:
        n_folds: Parts of the sources; each is tested with a model of the others.
        n_recordings: Recordings a fold, each of sources of its own.
        compose: Length and shape of each.
        rates: False alarms per hour for which rules are chosen.
    """

    n_folds: int
    n_recordings: int
    compose: ComposeConfig
    rates: tuple[float, ...]


def measure_real(manifest: Path, out: Path, settings: Settings) -> dict[str, Any]:
    """Train, composes, recognize and judges; what is there already is not made again.

    Args:
        manifest: Real clips with groups: one label and a background.
        out: Gets the store and, under a name of clips and settings, bundles, recordings, scores.
        settings: How much.
    """
    store = prepare(manifest, out / "store", PrepareConfig(), progress=True).store
    config = update_config(TrainConfig(), RECIPES["frozen"])
    key = compute_fingerprint(config, store.data_hash, settings.n_folds, settings.n_recordings)
    folds = build_folds(store.clips, settings.n_folds, SEED)
    work = out / key
    items: list[Judged] = []
    for fold in range(settings.n_folds):
        test = np.flatnonzero(folds == fold)
        bundle = work / f"fold{fold}" / "bundle"
        train_once(config, store, test, bundle)
        items += _recognize_fold(store, test, bundle, settings, fold)
    background = find_background(store.labels)
    figures = judge(items, DecodeConfig(background), settings.rates, work, "Composed recordings")
    return {
        "clips": {"n": len(store.clips), "distinct_s": _measure_distinct(store)},
        "compose": asdict(settings.compose),
        **figures,
    }


def train_once(config: TrainConfig, store: Store, test: np.ndarray, bundle: Path) -> None:
    """Train on all clips but those of the fold; nothing is chosen on any of them."""
    if (bundle / BUNDLE_FILE).is_file():
        return
    trained = bundle.with_name("training") / "bundle"
    train_all(config, hold_out(store, test), Run(trained, bundle.with_name("results")))
    trained.replace(bundle)


def add_int8_once(store: Store, test: np.ndarray, bundle: Path) -> None:
    """Put its CNN in int8 beside that of a fold's bundle, calibrated on clips outside the fold."""
    if INT8_GRAPH_FILE not in load_info(bundle).files:
        add_int8(bundle, hold_out(store, test), ExportConfig())


def hold_out(store: Store, test: np.ndarray) -> Store:
    """Return the store with the clips of the fold as its test part, and all others to train on."""
    held_out = {store.clips[place].clip_id for place in test}
    parts: dict[str, SplitName] = {
        clip.clip_id: "test" if clip.clip_id in held_out else "train" for clip in store.clips
    }
    reason = "no validation part: all epochs are run"
    return replace(store, splits=Splits(parts, True, reason, {}, "", SEED))


def _recognize_fold(
    store: Store, test: np.ndarray, bundle: Path, settings: Settings, fold: int
) -> list[Judged]:
    clips = [store.clips[place] for place in test]
    parts = _part_sources(clips, settings.n_recordings)
    background = find_background(store.labels)
    items = []
    for part in range(settings.n_recordings):
        shown = [clip for clip, own in zip(clips, parts, strict=True) if own == part]
        drawn = compose_recording(shown, background, settings.compose, 100 * fold + part)
        stamp = compute_fingerprint(settings.compose, drawn.duration_s)
        video = bundle.parent / f"part{part}.{stamp}.mp4"
        scores = video.with_suffix(".scores.csv")
        if not video.is_file():
            write_composition(video, drawn, settings.compose)
            write_json(video.with_suffix(".truth.json"), [asdict(event) for event in drawn.truth])
        if not scores.is_file():
            result = recognize_video(Recognizer(bundle), video)
            save_scores(scores, result.scores)
        name = f"fold{fold}.part{part}"
        recording = ScoredRecording(name, load_scores(scores), drawn.truth, name)
        cuts_s = tuple(piece.onset_s for piece in drawn.pieces[1:])
        items.append(Judged(recording, f"fold{fold}", cuts_s))
    return items


def _part_sources(clips: Sequence[Any], n_parts: int) -> np.ndarray:
    """Return each clip its recording: sources are not shared, and each has clips of both labels."""
    if n_parts == 1:
        return np.zeros(len(clips), dtype=np.int64)
    return build_folds(clips, n_parts, SEED)


def _measure_distinct(store: Store) -> dict[str, float]:
    """Return the seconds of different film of each label, however often it is shown."""
    return {
        label: round(sum(clip.duration_s for clip in store.clips if clip.label == label), 1)
        for label in store.labels
    }
