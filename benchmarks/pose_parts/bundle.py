"""What a three-class bundle says of real clips and half-real bodies, and what single cues tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cues_parts.check import HELD_PAIR, MAX_AUC, CueFigure, check_cues
from half_real.crude_rule import score_by_rule
from half_real.sequences import HalfReal, RealClip, build_half_real
from har.config import PredictConfig, TrainConfig
from har.dataset.store import Store
from har.inference.clips import recognize_clips
from har.inference.fusion import pool_windows
from har.inference.model import Recognizer
from har.pose.features import compute_window
from har.pose.pooling import pool_people
from har.sampling.times import compute_window_starts
from har.training.run import describe_recipe
from pose_parts.bench import CALM, HITS, LOOKED_AT, SURVFIGHT, UT, Bench, load_real_clips
from pose_parts.intervals import (
    Figure,
    bootstrap,
    bootstrap_auc,
    bootstrap_mean,
    compute_recall_at,
    find_cut,
)
from three_class.settings import SequencesConfig

FALSE_SHARE = 0.05
SELF, OTHERS = "hitting_self", "hitting_others"


def describe_bundle(bench: Bench) -> Figure:
    """Return what the bundle has learnt from, so that no figure is read without it."""
    info = bench.load_recognizer().info
    usual = describe_recipe(TrainConfig())
    same = [name for name in (UT, SURVFIGHT) if bench.load_store(name).data_hash == info.data_hash]
    return {
        "only_synthetic_data": info.synthetic_data,
        "stores_learnt_from": same or "none of these",
        "bias": list(info.bias),
        "recipe": {name: value for name, value in info.recipe.items() if name not in usual},
    }


def measure_synthetic(bench: Bench) -> Figure:
    """Measure hitting others against not, on real clips."""
    ut, survfight = bench.load_store(UT), bench.load_store(SURVFIGHT)
    recognizer = bench.load_recognizer()
    every = range(len(ut.clips))
    unseen = [clip for clip in every if ut.clips[clip].group not in LOOKED_AT]
    parts = {
        "UT, all sequences": (ut, every),
        "UT, seq05 to seq10": (ut, unseen),
        "survfight": (survfight, range(len(survfight.clips))),
    }
    rows = [_tell_hits(recognizer, store, clips, name) for name, (store, clips) in parts.items()]
    return {"bundle": describe_bundle(bench), "hitting_others_against_not": rows}


def _tell_hits(recognizer: Recognizer, store: Store, clips: Sequence[int], name: str) -> Figure:
    """A clip of which the bundle is uncertain counts as wrong, and by its idle score in the AUC."""
    answers = recognize_clips(recognizer, store, clips, progress=True)
    chosen = [store.clips[clip] for clip in clips]
    groups = [clip.group for clip in chosen]
    is_hit = np.isin([clip.label for clip in chosen], HITS)
    column = recognizer.info.labels.index(OTHERS)
    said = (answers.probs.argmax(axis=1) == column) & ~answers.is_uncertain
    correct = (said == is_hit) & ~answers.is_uncertain
    return {
        "clips": name,
        "n": len(chosen),
        "auc": bootstrap_auc(groups, is_hit, answers.probs[:, column]),
        "accuracy": bootstrap(groups, lambda rows: float(correct[rows].mean())),
        "recall": float(said[is_hit].mean()),
        "false_alarms": float(said[~is_hit].mean()),
        "uncertain": int(answers.is_uncertain.sum()),
    }


def measure_self(bench: Bench, n_hits: int = 600, n_alone: int = 300, seed: int = 0) -> Figure:
    """Measure self-hitting on half-real bodies, and how often it is said of real clips."""
    recognizer = bench.load_recognizer()
    rate_hz = recognizer.pose.spec.rate_hz
    stores = {name: bench.load_store(name) for name in (UT, SURVFIGHT)}
    clips = {
        name: load_real_clips(store, range(len(store.clips)), rate_hz)
        for name, store in stores.items()
    }
    looked_at = [clip for clip in clips[UT] if clip.group in LOOKED_AT] + clips[SURVFIGHT]
    parts = {
        "test: bodies of UT seq05 to seq10": [c for c in clips[UT] if c.group not in LOOKED_AT],
        "seen while shaping: bodies of UT seq01 to seq04 and survfight": looked_at,
    }
    return {
        "bundle": describe_bundle(bench),
        "seed": seed,
        **{
            name: _measure_half_real(recognizer, part, (n_hits, n_alone), seed)
            for name, part in parts.items()
        },
        "said_of_real_clips": [
            row for store in stores.values() for row in _count_said(recognizer, store)
        ],
    }


@dataclass(frozen=True)
class _Scored:
    """Samples of the half-real test with each sample's scores by name."""

    samples: tuple[HalfReal, ...]
    scores: dict[str, np.ndarray]
    labels: np.ndarray  # (N,) what the bundle decides: the index of a label, -1 for "is uncertain"


def _measure_half_real(
    recognizer: Recognizer, clips: Sequence[RealClip], counts: tuple[int, int], seed: int
) -> Figure:
    rate_hz = recognizer.pose.spec.rate_hz
    half_real = build_half_real(clips, rate_hz, seed, *counts)
    answers = [score_people(recognizer, sample.points) for sample in half_real.samples]
    alone = [score_people(recognizer, s.points[:, [s.person]])[0] for s in half_real.samples]
    column = recognizer.info.labels.index(SELF)
    rule = [score_by_rule(sample.points, rate_hz) for sample in half_real.samples]
    scored = _Scored(
        half_real.samples,
        {
            "bundle": np.array([probs[column] for probs, _ in answers]),
            "bundle, actor only": np.array([probs[column] for probs in alone]),
            "crude rule": np.array([scores.max(initial=0.0) for scores in rule]),
            "crude rule, actor only": np.array(
                [scores[s.person] for scores, s in zip(rule, half_real.samples, strict=True)]
            ),
        },
        np.array([probs.argmax() if confidence > 0 else -1 for probs, confidence in answers]),
    )
    calm = np.isin([sample.label for sample in half_real.samples], CALM)
    return {
        "bodies": half_real.n_bodies,
        "clips": len({sample.clip_id for sample in half_real.samples}),
        "groups": len({sample.group for sample in half_real.samples}),
        "left_out": half_real.left_out,
        "scores": [
            _sum_up(scored, mask, name, which)
            for which, mask in (("all clips", np.ones_like(calm)), ("calm clips", calm))
            for name in scored.scores
        ],
        "own_decision": _decide(scored, column),
        "by_act": _list_acts(scored, column),
    }


def score_people(recognizer: Recognizer, points: np.ndarray) -> tuple[np.ndarray, float]:
    """Return what a bundle says of people who are followed already, as it would of a clip.

    Args:
        recognizer: A bundle of the pose stream.
        points: (T, P, 17, 3) as in `har.pose.keypoints.Tracks`.

    Returns:
        (K,) probabilities and the confidence, 0 where it is uncertain.
    """
    spec = recognizer.pose.spec
    hop = PredictConfig().hop(spec.n_steps)
    found = []
    for start in compute_window_starts(len(points), spec.n_steps, hop):
        window = compute_window(points[start : start + spec.n_steps], spec.rate_hz)
        found.append(
            pool_people(
                recognizer.pose.compute_people_logits(window),
                window.confidence,
                spec.people,
                recognizer.info.background,
                spec.min_confidence,
            )
        )
    logits = np.stack([window.logits for window in found])
    pooled = pool_windows(logits, np.array([window.confidence for window in found]))
    return recognizer.compute_probs(pooled.logits)[0], float(pooled.confidence[0])


def _sum_up(scored: _Scored, mask: np.ndarray, name: str, which: str) -> Figure:
    chosen = np.flatnonzero(mask)
    scores = scored.scores[name][chosen]
    kinds = np.array([scored.samples[row].kind for row in chosen])
    groups = np.array([scored.samples[row].group for row in chosen])

    def recall(rows: np.ndarray) -> float:
        near = scores[rows][kinds[rows] == "near_miss"]
        return compute_recall_at(scores[rows][kinds[rows] == "hit"], near, FALSE_SHARE)

    def auc(against: str) -> Figure:
        rows = np.flatnonzero((kinds == "hit") | (kinds == against))
        return bootstrap_auc(groups[rows].tolist(), kinds[rows] == "hit", scores[rows])

    return {
        "score": name,
        "of": which,
        "n_hits": int((kinds == "hit").sum()),
        "recall_at_5pc_false": bootstrap(groups.tolist(), recall),
        "auc_near_misses": auc("near_miss"),
        "auc_alone": auc("alone"),
    }


def _decide(scored: _Scored, column: int) -> list[Figure]:
    """Return how often the bundle itself says hitting oneself, and how often it is uncertain."""
    kinds = np.array([sample.kind for sample in scored.samples])
    rows = []
    for kind in ("hit", "near_miss", "alone"):
        said = scored.labels[kinds == kind]
        groups = [sample.group for sample in scored.samples if sample.kind == kind]
        shown = bootstrap_mean(groups, said == column)
        rows.append({"kind": kind, "says_self": shown, "uncertain": int((said < 0).sum())})
    return rows


def _list_acts(scored: _Scored, column: int) -> list[Figure]:
    acts = np.array([sample.act for sample in scored.samples])
    kinds = np.array([sample.kind for sample in scored.samples])
    cuts = {
        name: find_cut(scores[kinds == "near_miss"], FALSE_SHARE)
        for name, scores in scored.scores.items()
    }
    rows = []
    for act in sorted(set(acts), key=lambda act: (kinds[acts == act][0], act)):
        own = acts == act
        row: Figure = {"act": act, "kind": str(kinds[own][0]), "n": int(own.sum())}
        for name, scores in scored.scores.items():
            row[name] = float((scores[own] > cuts[name]).mean())
        rows.append({**row, "says_self": float((scored.labels[own] == column).mean())})
    return rows


def _count_said(recognizer: Recognizer, store: Store) -> list[Figure]:
    """Return how often hitting oneself is said of real clips, in none of which anyone does it."""
    answers = recognize_clips(recognizer, store, range(len(store.clips)), progress=True)
    column = recognizer.info.labels.index(SELF)
    said = (answers.probs.argmax(axis=1) == column) & ~answers.is_uncertain
    groups = np.array([clip.group for clip in store.clips])
    parts = {store.path.name: np.ones(len(groups), bool)}
    if np.isin(groups, LOOKED_AT).any():
        parts[f"{store.path.name}, seq05 to seq10"] = ~np.isin(groups, LOOKED_AT)
    return [
        {
            "clips": name,
            "says_self": bootstrap_mean(groups[mask].tolist(), said[mask]),
            "n_said": int(said[mask].sum()),
            "uncertain": int(answers.is_uncertain[mask].sum()),
            "named": [store.clips[clip].clip_id for clip in np.flatnonzero(said & mask)],
        }
        for name, mask in parts.items()
    ]


def measure_cues(
    bench: Bench, n_sequences: int = 3000, seeds: tuple[int, ...] = (0, 1, 2)
) -> Figure:
    """Measure which single cues of synthetic sequences tell the classes, as ``har synth --check``.

    Each seed makes sequences of its own; a cue leaks by the mean over seeds.
    """
    by_cue: dict[tuple[str, str, str], list[CueFigure]] = {}
    for seed in seeds:
        config = SequencesConfig(n_sequences=n_sequences, seed=seed)
        for figure in check_cues(config, progress=True):
            by_cue.setdefault((figure.label, figure.other, figure.cue), []).append(figure)
    rows = [_sum_up_cue(figures) for figures in by_cue.values()]
    rows.sort(key=lambda row: ((row["label"], row["other"]) != HELD_PAIR, -row["most"]))
    held = [row for row in rows if (row["label"], row["other"]) == HELD_PAIR and not row["act"]]
    return {
        "seeds": list(seeds),
        "n_sequences_a_seed": n_sequences,
        "allowed": MAX_AUC,
        "most_of_a_nuisance": max(row["most"] for row in held),
        "leaks": [row["cue"] for row in held if row["most"] > MAX_AUC] or "none",
        "cues": rows,
    }


def _sum_up_cue(figures: list[CueFigure]) -> Figure:
    """Return a cue's AUC by true and by detected keypoints: mean, least and greatest over seeds."""
    true, seen = ([getattr(f, name) for f in figures] for name in ("true_auc", "seen_auc"))
    return {
        "label": figures[0].label,
        "other": figures[0].other,
        "cue": figures[0].cue,
        "most": float(max(np.mean(true), np.mean(seen))),
        "true_auc": float(np.mean(true)),
        "true_range": [min(true), max(true)],
        "seen_auc": float(np.mean(seen)),
        "seen_range": [min(seen), max(seen)],
        "act": figures[0].why,
    }
