"""Clips and recordings recognized with every step encoded, still ones passed over, and int8."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from har.config import (
    RECIPES,
    DecodeConfig,
    PredictConfig,
    PrepareConfig,
    TrainConfig,
    find_background,
    update_config,
)
from har.config.engine import Engine
from har.dataset.index import StoredClip
from har.dataset.prepare import prepare
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.events.decoder import decode_events
from har.events.files import load_scores, save_scores
from har.files import write_json
from har.inference.clips import recognize_clips
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.metrics.clips import bootstrap_difference, bootstrap_metrics
from har.metrics.comparison import compare_events
from har.metrics.events import CodedRecording, compute_event_metrics
from har.types import Event
from har.video.file.writer import open_writer
from recordings_parts.compose import (
    ComposeConfig,
    Composition,
    compose_recording,
    iter_pictures,
)
from recordings_parts.real import add_int8_once, train_once

_SEED, _N_FOLDS = 0, 5
_STILL_TIMES, _NOISE_LEVELS = 2, 2.0
"""A clip is followed by so many times its length without motion, with noise as of a camera."""
_FIGURES = ("recall", "precision", "f1@0.25", "f1@0.5", "false_alarms_per_hour")


@dataclass(frozen=True)
class Way:
    """One way to recognize.

    Attributes:
        name: What the table calls it.
        file: Part of a file's name.
        exact: Still steps are encoded too.
        engine: Of all networks; in 8-bit integers there is the frame CNN alone.
    """

    name: str
    file: str
    exact: bool = False
    engine: Engine = "onnxruntime"


WAYS = (
    Way("every step", "exact", exact=True),
    Way("still steps passed over", "gated"),
    Way("... and int8", "int8", engine="onnxruntime-int8"),
)


def measure(manifest: Path, out: Path, length_s: float) -> dict[str, Any]:
    """Return figures of each way, on clips and on recordings, and what each is less the first."""
    store = prepare(manifest, out / "store", PrepareConfig(), progress=True).store
    config = update_config(TrainConfig(streams="both"), RECIPES["frozen"])
    folds = build_folds(store.clips, _N_FOLDS, _SEED)
    probs = {way: np.zeros((len(store.clips), len(store.labels))) for way in WAYS}
    coded: dict[Way, list[CodedRecording]] = {way: [] for way in WAYS}
    shares: list[dict[str, Any]] = []
    for fold in range(_N_FOLDS):
        test = np.flatnonzero(folds == fold)
        bundle = out / f"fold{fold}" / "bundle"
        train_once(config, store, test, bundle)
        add_int8_once(store, test, bundle)
        film, truth = _write_film(store, test, out / f"fold{fold}", length_s, fold)
        for way in WAYS:
            recognizer = Recognizer(bundle, 1, way.engine, exact=way.exact)
            probs[way][test] = recognize_clips(recognizer, store, test.tolist()).probs
            found, still = _recognize(recognizer, way, film, truth)
            coded[way].append(found)
            shares += [] if way.exact else [still]
        print(f"fold {fold} is done", flush=True)
    return {
        "clips": [_compare_clips(store, way.name, probs[WAYS[0]], probs[way]) for way in WAYS],
        "recordings": _compare_recordings(store, coded),
        "passed over": {
            name: float(np.mean([still[name]["share"] for still in shares]))
            for name in ("motion", "pose")
        },
    }


def _compare_clips(store: Store, name: str, every: np.ndarray, own: np.ndarray) -> dict[str, Any]:
    """Return a row: the figures of a way, and how much they are above those of the first."""
    truth, groups = store.label_indices, [clip.group for clip in store.clips]
    found = bootstrap_metrics(truth, own, groups)
    more = bootstrap_difference(truth, every, own, groups)
    row: dict[str, Any] = {"way": name}
    for figure in ("accuracy", "auc"):
        row |= {figure: found[figure].to_json(), f"{figure}, more": more[figure].to_json()}
    return row | {"decided otherwise": int((every.argmax(1) != own.argmax(1)).sum())}


def _compare_recordings(
    store: Store, coded: dict[Way, list[CodedRecording]]
) -> list[dict[str, Any]]:
    """Return the same of recordings."""
    background = find_background(store.labels)
    acts = [label for label in store.labels if label != background]
    found = {way: compute_event_metrics(acts, recordings) for way, recordings in coded.items()}
    every, rows = found[WAYS[0]].per_recording, list[dict[str, Any]]()
    for way, metrics in found.items():
        more = compare_events(("", ""), every, metrics.per_recording).figures
        row: dict[str, Any] = {"way": way.name, "fights": metrics.overall.n_true}
        for name in _FIGURES:
            row[name] = metrics.overall.figures[name].to_json()
            row[f"{name}, more"] = more[name].difference.to_json()
        rows.append(row)
    return rows


def _recognize(
    recognizer: Recognizer, way: Way, film: Path, truth: tuple[Event, ...]
) -> tuple[CodedRecording, dict[str, Any]]:
    scores_file = film.with_suffix(f".{way.file}.scores.csv")
    kept = scores_file.with_suffix(".still.json")
    if not kept.is_file():
        result = recognize_video(recognizer, film, config=PredictConfig(exact=way.exact))
        save_scores(scores_file, result.scores)
        write_json(kept, result.still)
    scores = load_scores(scores_file)
    events = decode_events(scores, DecodeConfig(find_background(scores.labels)))
    seconds = float(scores.times_s[-1] + scores.step_s / 2)
    return CodedRecording(film.parent.name, truth, events, seconds), json.loads(kept.read_text())


def _write_film(
    store: Store, test: np.ndarray, folder: Path, length_s: float, seed: int
) -> tuple[Path, tuple[Event, ...]]:
    """Compose a fold's clips, each followed by stillness; return the film and its events."""
    film, truth = folder / "film.mp4", folder / "truth.json"
    config = ComposeConfig(length_s / (1 + _STILL_TIMES))
    clips: list[StoredClip] = [store.clips[place] for place in test]
    drawn = compose_recording(clips, find_background(store.labels), config, seed)
    if not truth.is_file():
        _write(film, drawn, config, seed)
        times = [asdict(event) for event in _stretch(drawn)]
        write_json(truth, times)
    return film, tuple(Event(**values) for values in json.loads(truth.read_text()))


def _stretch(drawn: Composition) -> list[Event]:
    """Return the events of a composition, each clip of which is followed by stillness.

    What is between two clips of a run is taken as part of it: people hold still and go on.
    """
    found = []
    for event in drawn.truth:
        pieces = [p for p in drawn.pieces if event.onset_s <= p.onset_s < event.offset_s]
        last_s = event.offset_s - pieces[-1].onset_s
        before_s = (1 + _STILL_TIMES) * event.onset_s
        moving_s = (1 + _STILL_TIMES) * (pieces[-1].onset_s - event.onset_s) + last_s
        found.append(Event(event.label, before_s, before_s + moving_s, 1.0))
    return found


def _write(film: Path, drawn: Composition, config: ComposeConfig, seed: int) -> None:
    rng = np.random.default_rng(seed)
    noise = rng.normal(0.0, _NOISE_LEVELS, (25, *config.size, 1))
    with open_writer(film, config.size, config.fps) as writer:
        for piece in drawn.pieces:
            last = None
            for last in iter_pictures(piece, config):
                writer.write(last)
            for _ in range(_STILL_TIMES * piece.n_frames if last is not None else 0):
                grain = np.roll(noise[rng.integers(len(noise))], rng.integers(600), axis=1)
                writer.write((last + grain).clip(0, 255).astype(np.uint8))
