"""Clips and recordings recognized twice: every step encoded, and still ones passed over."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
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
from har.metrics.events import CodedRecording, compute_event_metrics
from har.types import Event
from har.video.file.writer import open_writer
from recordings_parts.compose import (
    ComposeConfig,
    Composition,
    compose_recording,
    iter_pictures,
)
from recordings_parts.real import train_once

WAYS = {"every step": True, "still steps passed over": False}
_SEED, _N_FOLDS = 0, 5
_STILL_TIMES, _NOISE_LEVELS = 2, 2.0
"""A clip is followed by so many times its length without motion, with noise as of a camera."""


def measure(manifest: Path, out: Path, length_s: float) -> dict[str, Any]:
    """Return figures of both ways, on clips and on recordings, and their difference."""
    store = prepare(manifest, out / "store", PrepareConfig(), progress=True).store
    config = update_config(TrainConfig(streams="both"), RECIPES["frozen"])
    folds = build_folds(store.clips, _N_FOLDS, _SEED)
    probs = {way: np.zeros((len(store.clips), len(store.labels))) for way in WAYS}
    recordings: dict[str, list[CodedRecording]] = {way: [] for way in WAYS}
    shares: list[dict[str, Any]] = []
    for fold in range(_N_FOLDS):
        test = np.flatnonzero(folds == fold)
        bundle = out / f"fold{fold}" / "bundle"
        train_once(config, store, test, bundle)
        for way, exact in WAYS.items():
            recognizer = Recognizer(bundle, n_threads=1, exact=exact)
            probs[way][test] = recognize_clips(recognizer, store, test.tolist()).probs
        film, truth = _write_film(store, test, out / f"fold{fold}", length_s, fold)
        for way, exact in WAYS.items():
            coded, still = _recognize(bundle, film, truth, exact, fold)
            recordings[way].append(coded)
            shares += [] if exact else [still]
    return {
        "clips": _compare_clips(store, probs),
        "recordings": {way: _describe(store, coded) for way, coded in recordings.items()},
        "passed over": {
            name: float(np.mean([still[name]["share"] for still in shares]))
            for name in ("motion", "pose")
        },
    }


def _compare_clips(store: Store, probs: dict[str, np.ndarray]) -> dict[str, Any]:
    truth = np.array([store.labels.index(clip.label) for clip in store.clips])
    groups = [clip.group for clip in store.clips]
    every, passed = probs.values()
    found = {way: bootstrap_metrics(truth, values, groups) for way, values in probs.items()}
    less = bootstrap_difference(truth, every, passed, groups)
    plain = {
        way: {name: each[name].to_json() for name in ("accuracy", "auc")}
        for way, each in found.items()
    }
    return {
        **plain,
        "passed over less every": {name: item.to_json() for name, item in less.items()},
    }


def _describe(store: Store, coded: Sequence[CodedRecording]) -> dict[str, Any]:
    background = find_background(store.labels)
    acts = [label for label in store.labels if label != background]
    values = compute_event_metrics(acts, coded).to_json()["overall"]
    names = ("recall", "precision", "f1@0.25", "f1@0.5", "false_alarms_per_hour", "onset_error_s")
    return {name: values[name] for name in names}


def _recognize(
    bundle: Path, film: Path, truth: tuple[Event, ...], exact: bool, fold: int
) -> tuple[CodedRecording, dict[str, Any]]:
    scores_file = film.with_name(f"film.{'exact' if exact else 'gated'}.scores.csv")
    kept = scores_file.with_suffix(".still.json")
    if not kept.is_file():
        recognizer = Recognizer(bundle, n_threads=1, exact=exact)
        result = recognize_video(recognizer, film, config=PredictConfig(exact=exact))
        save_scores(scores_file, result.scores)
        write_json(kept, result.still)
    scores = load_scores(scores_file)
    events = decode_events(scores, DecodeConfig(find_background(scores.labels)))
    seconds = float(scores.times_s[-1] + scores.step_s / 2)
    name = f"fold{fold}"
    return CodedRecording(name, truth, events, seconds, name), json.loads(kept.read_text())


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
