"""Cross-validation on real clips: the pose stream alone, and both streams together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from half_real.sequences import RealClip
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.files import replacing
from har.inference.fusion import StreamLogits, fuse_logits
from har.inference.model import compute_softmax
from har.pose.tracking import compute_extents
from har.training.clips import ClipSplit
from har.training.crossval import HeadFolds, crossvalidate
from har.training.run import Run
from har.video.geometry import compute_letterbox
from pose_parts.baselines import compute_baselines, predict_held_out
from pose_parts.bench import HITS, SURVFIGHT, UT, Bench, load_real_clips
from pose_parts.intervals import Figure, bootstrap, bootstrap_auc, bootstrap_mean, compute_auc

STREAMS = ("motion", "pose", "both")


def measure_ut(bench: Bench, n_seeds: int = 3) -> Figure:
    """Leave one sequence out: six classes by the pose stream, and by duration or speed alone."""
    store, config = bench.load_store(UT), TrainConfig(streams="pose")
    groups = [clip.group for clip in store.clips]
    n_folds = len(set(groups))
    found = crossvalidate(config, CrossvalConfig(n_folds, n_seeds), store, bench.make_run("ut"))
    is_hit = np.isin([clip.label for clip in store.clips], HITS)
    folds = build_folds(store.clips, n_folds, config.seed)
    hit_columns = [place for place, label in enumerate(store.labels) if label in HITS]
    return {
        "protocol": f"{n_folds} folds of {len(set(zip(folds, groups, strict=True)))} groups",
        "seeds": n_seeds,
        "n_clips": len(store.clips),
        "pose_stream": {
            "accuracy": found.intervals["accuracy"].to_json(),
            "by_seed": (found.probs.argmax(axis=2) == store.label_indices).mean(axis=1).tolist(),
            "hitting_auc": bootstrap_auc(groups, is_hit, found.probs[..., hit_columns].sum(axis=2)),
        },
        "baselines": _measure_baselines(store, is_hit, folds, config.pose.rate_hz),
    }


def _measure_baselines(
    store: Store, is_hit: np.ndarray, folds: np.ndarray, rate_hz: float
) -> list[Figure]:
    groups = [clip.group for clip in store.clips]
    durations_s = np.array([clip.duration_s for clip in store.clips])
    clips = load_real_clips(store, range(len(store.clips)), rate_hz)
    rows = []
    for name, values in compute_baselines(clips, durations_s, rate_hz).items():
        labels = predict_held_out(values, store.label_indices, folds).argmax(axis=1)
        hits = predict_held_out(values, is_hit.astype(int), folds)[:, 1]
        accuracy = bootstrap_mean(groups, labels == store.label_indices)
        rows.append(
            {
                "baseline": f"{name} alone",
                "accuracy": accuracy,
                "hitting_auc": bootstrap_auc(groups, is_hit, hits),
            }
        )
    return rows


def measure_both(bench: Bench, n_seeds: int = 3, n_folds: int = 5) -> Figure:
    """Cross-validate motion, pose and both on the same folds, over all clips and by their kind."""
    store = bench.load_store(SURVFIGHT)
    recipe = update_config(TrainConfig(), RECIPES["frozen"])
    probs = _crossvalidate_streams(store, bench.make_run("both"), recipe, n_seeds, n_folds)
    kinds = {"all": np.ones(len(store.clips), bool), **_find_kinds(store, recipe.pose.rate_hz)}
    return {
        "protocol": f"grouped {n_folds}-fold, frozen recipe for motion",
        "seeds": n_seeds,
        "streams": [
            _compare(store, np.flatnonzero(mask), name, probs) for name, mask in kinds.items()
        ],
    }


def _crossvalidate_streams(
    store: Store, run: Run, recipe: TrainConfig, n_seeds: int, n_folds: int
) -> dict[str, np.ndarray]:
    """Return (S, N, K) probabilities by the name of the streams.

    What `har crossval` gives for each, but each stream is trained once a fold and serves both.
    """
    run.results_dir.mkdir(parents=True, exist_ok=True)
    streams = HeadFolds(replace(recipe, streams="both"), store, run).streams
    shape = (n_seeds, len(store.clips), len(store.labels))
    probs = {name: np.zeros(shape, dtype=np.float32) for name in STREAMS}
    for row, fold in tqdm(list(np.ndindex(n_seeds, n_folds)), "folds"):
        seed = recipe.seed + row
        is_test = build_folds(store.clips, n_folds, seed) == fold
        train, test = np.flatnonzero(~is_test), np.flatnonzero(is_test)
        path = run.results_dir / f"{n_folds}folds.seed{seed}.fold{fold}.npz"
        if not path.is_file():
            for stream in streams.values():
                stream.fit(ClipSplit(tuple(train.tolist()), ()), seed)
            motion, pose = (item.compute_logits(test.tolist()) for item in streams.values())
            with replacing(path) as part, part.open("wb") as file:
                np.savez(file, motion=motion.logits, pose=pose.logits, confidence=pose.confidence)
        with np.load(path, allow_pickle=False) as saved:
            motion = StreamLogits(saved["motion"], np.ones(len(test)))
            pose = StreamLogits(saved["pose"], saved["confidence"])
            both = fuse_logits([motion, pose], [recipe.pose.weight]).logits
            for name, logits in (
                ("motion", saved["motion"]),
                ("pose", saved["pose"]),
                ("both", both),
            ):
                probs[name][row, test] = compute_softmax(logits)
    return probs


def _compare(store: Store, chosen: np.ndarray, kind: str, probs: dict[str, np.ndarray]) -> Figure:
    """Return the figures of the streams on some clips, and what both have over the better one."""
    groups = [store.clips[clip].group for clip in chosen]
    truth = store.label_indices[chosen]
    correct = {name: (p[:, chosen].argmax(axis=2) == truth).mean(0) for name, p in probs.items()}
    scores = {name: p[:, chosen, 1] for name, p in probs.items()}
    row: Figure = {"clips": kind, "n": len(chosen), "n_groups": len(set(groups))}
    for name in probs:
        row[f"{name}_accuracy"] = bootstrap(groups, lambda r, n=name: float(correct[n][r].mean()))
        row[f"{name}_auc"] = bootstrap_auc(groups, truth == 1, scores[name])
    better = max(("motion", "pose"), key=lambda name: float(correct[name].mean()))
    gained = correct["both"] - correct[better]
    row["better_alone"] = better
    row["accuracy_gained"] = bootstrap(groups, lambda rows: float(gained[rows].mean()))
    row["auc_gained"] = bootstrap(
        groups,
        lambda rows: (
            compute_auc(truth[rows] == 1, scores["both"][:, rows])
            - compute_auc(truth[rows] == 1, scores[better][:, rows])
        ),
    )
    return row


def _find_kinds(store: Store, rate_hz: float) -> dict[str, np.ndarray]:
    """Return which clips are of the darkest third of the groups, and so on."""
    clips = load_real_clips(store, range(len(store.clips)), rate_hz)
    luma = np.array([_measure_luma(store, clip) for clip in range(len(store.clips))])
    size_px, confidence = np.array([_measure_people(clip) for clip in clips]).T
    groups = [clip.group for clip in store.clips]
    found = {}
    for low, high, values in (
        ("dark", "bright", luma),
        ("far", "near", size_px),
        ("uncertain", "confident", confidence),
    ):
        is_low = _find_lowest_third(groups, values)
        found |= {low: is_low, high: ~is_low}
    return found


def _measure_luma(store: Store, clip: int) -> float:
    stored = store.clips[clip]
    box = compute_letterbox((stored.height, stored.width), store.size)
    frames = store.open_frames(stored.clip_id)[::10]
    return float(frames[:, box.rows, box.columns].mean())


def _measure_people(clip: RealClip) -> tuple[float, float]:
    """Return the median size in pixels and the median keypoint score of the clip's people."""
    points = clip.tracks.points.reshape(-1, 17, 3)
    seen = points[points[..., 2].max(axis=1) > 0]
    if not len(seen):
        return 0.0, 0.0
    return float(np.median(compute_extents(seen))), float(np.median(seen[..., 2]))


def _find_lowest_third(groups: Sequence[str], values: np.ndarray) -> np.ndarray:
    """Return (N,) bool: the clips of the third of the groups with the lowest median."""
    names, member_of = np.unique(groups, return_inverse=True)
    medians = np.array([np.median(values[member_of == group]) for group in range(len(names))])
    lowest = np.argsort(medians, kind="stable")[: len(names) // 3]
    return np.isin(member_of, lowest)
