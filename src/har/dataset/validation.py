"""What is in a store, and warnings about it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.config import MOTION_LAGS_S
from har.dataset.baseline import ShortcutBaseline, compute_shortcut_baseline
from har.dataset.catalog import SCENES
from har.dataset.index import StoredClip
from har.dataset.scenes import iter_near_pairs
from har.dataset.splits import PARTS
from har.dataset.store import Store
from har.progress import format_count
from har.sampling.times import explain_low_rate
from har.types import KEYPOINTS, SplitName

NEAR_DUPLICATE_BITS = 8
"""Frames of two clips that differ in at most this many of 64 bits are shown as near-duplicates."""

_FEW_CLIPS = 10
_NAMED = 5
_IMBALANCE = 3.0
_CLEAR_ACCURACY = 0.10
_CLEAR_AUC = 0.65


@dataclass(frozen=True)
class LabelStats:
    """The clips of one label.

    Attributes:
        duration_s: Shortest, median and longest clip.
        rates: Frames a second of the videos, in words, to the number of clips.
        sizes: ``WIDTHxHEIGHT`` of the videos to the number of clips.
        parts: Clips in train, val and test.
    """

    label: str
    n_clips: int
    n_groups: int
    duration_s: tuple[float, float, float]
    rates: dict[str, int]
    sizes: dict[str, int]
    parts: dict[SplitName, int]


@dataclass(frozen=True)
class NearDuplicate:
    """Two clips that are nearly the same and in different parts."""

    first: str
    second: str
    parts: tuple[SplitName, SplitName]


@dataclass(frozen=True)
class Report:
    """The figures of a store.

    Attributes:
        group_source: Where the groups are from, as in `har.dataset.catalog.Catalog`.
        size: (H, W) of the stored pictures.
        labels: One a label, in the order of the model's outputs.
        groups: Group to label to clips.
        splits_reason: Why there is no val or test; empty if there is.
        folds_reason: Why there are no folds; empty if there are.
        near_duplicates: Clips that are nearly the same across train, val and test.
        damaged: Clip id to the second at which its video is damaged, of the clips in the store.
        baseline: None where there are no folds to measure it on.
        warnings: What to check before training, in sentences.
    """

    n_clips: int
    n_rejects: int
    n_groups: int
    group_source: str
    size: tuple[int, int]
    labels: tuple[LabelStats, ...]
    groups: dict[str, dict[str, int]]
    splits: dict[SplitName, int]
    splits_reason: str
    n_folds: int
    folds_reason: str
    near_duplicates: tuple[NearDuplicate, ...]
    damaged: dict[str, float]
    baseline: ShortcutBaseline | None
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values; ``labels`` becomes label to clips, their figures ``label_stats``."""
        stats = [asdict(item) for item in self.labels]
        counts = {item.label: item.n_clips for item in self.labels}
        return {**asdict(self), "labels": counts, "label_stats": stats}


def build_report(store: Store, notes: Sequence[str] = ()) -> Report:
    """Count, compare and measure what is in a store.

    Args:
        store: The prepared clips.
        notes: What had to be assumed when its source was read; they come first in the warnings.
    """
    parts = store.splits.parts
    baseline = _measure_baseline(store)
    labels = tuple(_describe_label(store, label) for label in store.labels)
    near = _find_near_duplicates(store)
    damaged = {c.clip_id: c.damaged_s for c in store.clips if c.damaged_s is not None}
    groups: dict[str, Counter[str]] = {}
    for clip in store.clips:
        groups.setdefault(clip.group, Counter())[clip.label] += 1
    return Report(
        n_clips=len(store.clips),
        n_rejects=len(store.rejects),
        n_groups=len(groups),
        group_source=store.settings.group_source,
        size=store.size,
        labels=labels,
        groups={group: dict(counts) for group, counts in sorted(groups.items())},
        splits={part: sum(own == part for own in parts.values()) for part in PARTS},
        splits_reason=store.splits.reason,
        n_folds=len(set(store.splits.folds.values())),
        folds_reason=store.splits.folds_reason,
        near_duplicates=near,
        damaged=damaged,
        baseline=baseline,
        warnings=(*notes, *_warn(store, labels, near, damaged, baseline)),
    )


def _measure_baseline(store: Store) -> ShortcutBaseline | None:
    folds = store.splits.folds
    if not folds:
        return None
    return compute_shortcut_baseline(store.clips, np.array([folds[c.clip_id] for c in store.clips]))


def _describe_label(store: Store, label: str) -> LabelStats:
    clips = [clip for clip in store.clips if clip.label == label]
    durations = np.array([clip.duration_s for clip in clips])
    shortest, median, longest = np.percentile(durations, [0, 50, 100]).round(2).tolist()
    parts = Counter(store.splits.parts[clip.clip_id] for clip in clips)
    return LabelStats(
        label=label,
        n_clips=len(clips),
        n_groups=len({clip.group for clip in clips}),
        duration_s=(shortest, median, longest),
        rates=_count(f"{clip.fps:.4g}" for clip in clips),
        sizes=_count(f"{clip.width}x{clip.height}" if clip.width else "unknown" for clip in clips),
        parts={part: parts[part] for part in PARTS},
    )


def _count(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(values).most_common())


def _find_near_duplicates(store: Store) -> tuple[NearDuplicate, ...]:
    clips, parts = store.clips, store.splits.parts
    pairs = set(iter_near_pairs([clip.scene_hashes for clip in clips], NEAR_DUPLICATE_BITS))
    found = []
    for i, j in sorted(pairs):
        first, second = clips[i].clip_id, clips[j].clip_id
        if parts[first] != parts[second]:
            found.append(NearDuplicate(first, second, (parts[first], parts[second])))
    return tuple(found)


def _warn(
    store: Store,
    labels: Sequence[LabelStats],
    near: Sequence[NearDuplicate],
    damaged: dict[str, float],
    baseline: ShortcutBaseline | None,
) -> Iterator[str]:
    is_guessed = store.settings.group_source == SCENES
    if is_guessed and store.keypoint_clips:
        yield (
            "Keypoints show no scene, so each file of them is a group of its own. Files of one"
            " person may be divided between training and test, which makes results seem better than"
            " they are: name the groups with a manifest column 'group' or --group-by."
        )
    if is_guessed and len(store.keypoint_clips) < len(store.clips):
        yield (
            "The groups are guessed: similar clips are grouped together. Clips of one person or one"
            " recording that differ in the picture may still be divided, which makes results seem"
            " better than they are. If you know who or what is in them, name the groups with a"
            " manifest column 'group' or --group-by."
        )
    yield from _warn_of_labels(store.labels)
    yield from _warn_of_contradictions(store.clips)
    if not store.splits.possible:
        yield f"No honest test is possible. {store.splits.reason}."
    if not store.splits.folds:
        yield f"No cross-validation is possible. {store.splits.folds_reason}."
    if near:
        alike = format_count(len(near), "pair of clips", "pairs of clips")
        yield f"Nearly the same in train, val and test: {alike}; see below."
    if baseline is not None and _is_clear(baseline):
        yield (
            f"The format of the videos alone gives accuracy {baseline.accuracy:.2f} and AUC"
            f" {baseline.auc:.2f}. A model may learn the format and not the action: make size,"
            " frame rate and length alike for all labels, and compare results with this level."
        )
    counts = [item.n_clips for item in labels]
    if max(counts) > _IMBALANCE * min(counts):
        yield f"The labels are unequal: from {min(counts)} to {max(counts)} clips."
    for item in labels:
        if item.n_clips < _FEW_CLIPS:
            yield f"The label {item.label!r} has only {format_count(item.n_clips, 'clip')}."
    if damaged:
        named = [f"{name} at {time_s:.2f} s" for name, time_s in damaged.items()]
        more = [f"{len(named) - _NAMED} more"] if len(named) > _NAMED else []
        which = ", ".join([*named[:_NAMED], *more])
        yield (
            f"{format_count(len(damaged), 'clip is', 'clips are')} damaged part-way ({which});"
            " only what could be decoded of them is used."
        )
    yield from _warn_videos(store)
    if store.rejects:
        many = "clips, files or folders were"
        count = format_count(len(store.rejects), "clip, file or folder was", many)
        yield f"{count} left out; see rejects.csv."


def _warn_of_labels(labels: Sequence[str]) -> Iterator[str]:
    """Name labels that differ in case, blanks or underscores alone."""
    alike: dict[str, list[str]] = {}
    for label in labels:
        alike.setdefault(re.sub(r"[\s_-]+", "", label.casefold()), []).append(label)
    for names in alike.values():
        if len(names) > 1:
            yield (
                f"The labels {' and '.join(map(repr, names))} differ in case or blanks alone and"
                " count as different classes; spell them alike if they are one."
            )


def _warn_of_contradictions(clips: Sequence[StoredClip]) -> Iterator[str]:
    """Name clips of the same bytes and times that have different labels."""
    same: dict[tuple[str, float, float | None], list[StoredClip]] = {}
    for clip in clips:
        same.setdefault((clip.video_hash, clip.start_s, clip.end_s), []).append(clip)
    pairs = [found for found in same.values() if len({clip.label for clip in found}) > 1]
    for found in pairs[:_NAMED]:
        named = " and ".join(f"{clip.path} as {clip.label!r}" for clip in found)
        yield f"The same video under different labels: {named}; keep the right one."
    if len(pairs) > _NAMED:
        yield f"{len(pairs) - _NAMED} more videos stand under different labels."


def _warn_videos(store: Store) -> Iterator[str]:
    """Say whose videos are not what they say, and whose frames are too rare to show motion."""
    videos = [clip for clip in store.clips if clip.kind != KEYPOINTS]
    poses = [clip for clip in store.clips if clip.kind == KEYPOINTS]
    if poses:
        many = format_count(len(poses), "clip is", "clips are")
        yield f"{many} keypoints without pictures: only streams 'pose' can learn."
    for note, count in Counter(clip.note for clip in poses if clip.note).most_common(_NAMED):
        yield f"Of {format_count(count, 'clip')} of keypoints: {note}."
    noted = [f"{clip.clip_id}: {clip.note}" for clip in videos if clip.note]
    if noted:
        more = [f"{len(noted) - _NAMED} more"] if len(noted) > _NAMED else []
        yield (
            f"Of {format_count(len(noted), 'clip')} the video is odd. "
            f"{'. '.join([*noted[:_NAMED], *more])}."
        )
    rates = {clip.clip_id: clip.n_frames / clip.duration_s for clip in videos}
    lags_s = [abs(a - b) for a, b in MOTION_LAGS_S]
    rare = [name for name, rate_hz in rates.items() if explain_low_rate(rate_hz, lags_s)]
    if rare:
        named = [*rare[:_NAMED], *([f"{len(rare) - _NAMED} more"] if len(rare) > _NAMED else [])]
        slowest_hz = min(rates[name] for name in rare)
        yield (
            f"{format_count(len(rare), 'clip')} ({', '.join(named)}): "
            f"{explain_low_rate(slowest_hz, lags_s)}."
        )


def _is_clear(baseline: ShortcutBaseline) -> bool:
    return baseline.accuracy > baseline.majority + _CLEAR_ACCURACY or baseline.auc > _CLEAR_AUC
