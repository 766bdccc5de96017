"""Who is in train, val, test and in which fold: stratified by label, never dividing a group.

Groups are dealt out greedily, largest first, to the part that stays nearest to its share of every
label; then single groups are moved while that helps. The best of several shuffled deals is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from har.errors import SplitError
from har.types import Clip, SplitName

Protocol = Literal["grouped", "random"]

PARTS: tuple[SplitName, ...] = ("train", "val", "test")
_SHARES = (0.66, 0.17, 0.17)
_MAX_TRIES = 50
_MAX_STEPS = 50_000
_MAX_ROUNDS = 20


@dataclass(frozen=True)
class Splits:
    """The part and the fold of each clip.

    Attributes:
        parts: Clip id to train, val or test.
        possible: Whether train, val and test all hold every label.
        reason: If not, why not and what to do; else empty.
        folds: Clip id to its fold, from 0; empty where folds are impossible.
        folds_reason: Why there are no folds; else empty.
        seed: Drew them.
    """

    parts: dict[str, SplitName]
    possible: bool
    reason: str
    folds: dict[str, int]
    folds_reason: str
    seed: int

    def members(self, part: SplitName) -> frozenset[str]:
        """Return the ids of a part's clips.

        Raises:
            SplitError: The part is empty; the message has the reason and what to do.
        """
        inside = frozenset(clip_id for clip_id, own in self.parts.items() if own == part)
        if not inside:
            raise SplitError(f"There is no {part} part. {self.reason}")
        return inside

    def to_json(self) -> dict[str, Any]:
        """Return plain values that `from_json` reads back."""
        return {
            "possible": self.possible,
            "reason": self.reason,
            "folds_reason": self.folds_reason,
            "seed": self.seed,
            "parts": self.parts,
            "folds": self.folds,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Splits:
        """Read what `to_json` gave.

        Raises:
            ValueError: A field is missing or of the wrong kind.
        """
        try:
            return cls(
                parts={clip_id: _part_name(part) for clip_id, part in values["parts"].items()},
                possible=bool(values["possible"]),
                reason=str(values["reason"]),
                folds={clip_id: int(fold) for clip_id, fold in values["folds"].items()},
                folds_reason=str(values["folds_reason"]),
                seed=int(values["seed"]),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a field is missing or of the wrong kind: {error}") from error


def build_folds(
    clips: Sequence[Clip], n_folds: int, seed: int, protocol: Protocol = "grouped"
) -> np.ndarray:
    """Return the fold of each clip.

    Args:
        clips: N clips with labels and groups.
        n_folds: Parts, at least 2; where there are fewer groups, each of them is left out in turn.
        seed: Same seed, same folds.
        protocol: ``grouped`` never divides a group. ``random`` does, so that a model
            has seen the scenes of its test clips in training: only to compare with published
            figures.

    Returns:
        (N,) int64 from 0 to the number of folds less one; no fold is empty, and every
        label is also found outside each fold.

    Raises:
        SplitError: There is one group, or a label is in one group only.
    """
    groups = [clip.group for clip in clips] if protocol == "grouped" else list(range(len(clips)))
    counts, group_of = _count_labels([clip.label for clip in clips], groups)
    if len(counts) < 2:
        raise SplitError(
            f"All {len(clips)} clips are of one group, so none can be held back to measure on; add"
            " clips of other scenes or people, or name the groups (har prepare --group-by)"
        )
    _check_spread(clips, counts, 2)
    if len(counts) <= n_folds:
        return np.random.default_rng(seed).permutation(len(counts))[group_of]
    parts = _deal_out(counts, np.full(n_folds, 1.0 / n_folds), seed)
    if not _leaves_every_label(counts, parts, n_folds):
        raise SplitError(
            f"No way was found to make {n_folds} folds that each leave every label to train on;"
            " choose another number of folds, or add clips of the rarest label"
        )
    return parts[group_of]


def build_splits(clips: Sequence[Clip], n_folds: int, seed: int) -> Splits:
    """Return train, val and test in about 66, 17 and 17 of 100 clips, and the folds.

    A split that the clips bring along (all of them or none) stays. What cannot be made without
    dividing a group is not made: all clips are then in train, with the reason.

    Raises:
        SplitError: The split that the clips bring along divides a group.
    """
    folds: dict[str, int] = {}
    folds_reason = ""
    try:
        drawn = build_folds(clips, n_folds, seed)
        folds = {clip.clip_id: int(fold) for clip, fold in zip(clips, drawn, strict=True)}
    except SplitError as error:
        folds_reason = str(error)
    parts, reason = _choose_parts(clips, seed)
    return Splits(parts, not reason, reason, folds, folds_reason, seed)


def _choose_parts(clips: Sequence[Clip], seed: int) -> tuple[dict[str, SplitName], str]:
    """Return each clip's part, and why not all parts are whole."""
    given: dict[str, SplitName] = {c.clip_id: c.split for c in clips if c.split is not None}
    if given:
        _check_given(clips)
        return given, _missing_labels(clips, given)
    try:
        return _draw_parts(clips, seed), ""
    except SplitError as error:
        return {clip.clip_id: "train" for clip in clips}, str(error)


def _draw_parts(clips: Sequence[Clip], seed: int) -> dict[str, SplitName]:
    counts, group_of = _count_labels([c.label for c in clips], [c.group for c in clips])
    _check_spread(clips, counts, len(PARTS))
    parts = _deal_out(counts, np.array(_SHARES), seed)
    drawn = {clip.clip_id: PARTS[part] for clip, part in zip(clips, parts[group_of], strict=True)}
    if reason := _missing_labels(clips, drawn):
        raise SplitError(reason)
    return drawn


def _check_spread(clips: Sequence[Clip], counts: np.ndarray, n_needed: int) -> None:
    labels = sorted({clip.label for clip in clips})
    for label, n_groups in zip(labels, (counts > 0).sum(axis=0), strict=True):
        if n_groups < n_needed:
            raise SplitError(
                f"The label {label!r} is found in {n_groups} of the {n_needed} groups that are"
                " needed to hold some back without showing the same scene twice. Add clips of"
                f" {label!r} from other scenes or people, or, if they already differ, name the"
                " groups: a manifest column 'group', or har prepare --group-by"
            )


def _check_given(clips: Sequence[Clip]) -> None:
    part_of: dict[str, Clip] = {}
    for clip in clips:
        first = part_of.setdefault(clip.group, clip)
        if first.split != clip.split:
            raise SplitError(
                f"The column split divides the group {clip.group!r}: {first.path.name} is in"
                f" {first.split}, {clip.path.name} in {clip.split}. Put a group into one part, or"
                " correct the column 'group' if the two show different scenes"
            )


def _missing_labels(clips: Sequence[Clip], parts: dict[str, SplitName]) -> str:
    label_of = {clip.clip_id: clip.label for clip in clips}
    for part in PARTS:
        present = {label_of[clip_id] for clip_id, own in parts.items() if own == part}
        missing = sorted(set(label_of.values()) - present)
        if missing:
            return (
                f"The {part} part has no clip of {', '.join(map(repr, missing))}. Add clips of it"
                " from other scenes or people, or change the column 'split' if you gave one"
            )
    return ""


# Dealing out groups


def _count_labels(labels: Sequence[str], groups: Sequence[object]) -> tuple[np.ndarray, np.ndarray]:
    """Return (G, K) clips of each group and label, and each clip's group as (N,) int."""
    _, label_of = np.unique(np.array(labels), return_inverse=True)
    _, group_of = np.unique(np.array(groups), return_inverse=True)
    counts = np.zeros((group_of.max() + 1, label_of.max() + 1), dtype=np.int64)
    np.add.at(counts, (group_of, label_of), 1)
    return counts, group_of


def _deal_out(counts: np.ndarray, shares: np.ndarray, seed: int) -> np.ndarray:
    """Return the part of each group.

    Args:
        counts: (G, K) clips of each group and label.
        shares: (P,) of all clips that each part should get, summing to 1.
        seed: Shuffles groups of like size.

    Returns:
        (G,) int64.
    """
    weights = np.column_stack([counts / counts.sum(axis=0), counts.sum(axis=1) / counts.sum()])
    rng = np.random.default_rng(seed)
    n_tries = int(np.clip(_MAX_STEPS // len(counts), 1, _MAX_TRIES))
    deals = [_deal_once(weights, shares, rng) for _ in range(n_tries)]
    return min(deals, key=lambda parts: _cost(weights, shares, parts))


def _deal_once(weights: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    size = weights.sum(axis=1) * rng.uniform(0.7, 1.3, len(weights))
    order = np.argsort(-size, kind="stable")
    held = np.zeros((len(shares), weights.shape[1]))
    parts = np.full(len(weights), -1)
    for _ in range(_MAX_ROUNDS):
        before = parts.copy()
        for group in order:
            if parts[group] >= 0:
                held[parts[group]] -= weights[group]
            parts[group] = _best_part(held, weights[group], shares)
            held[parts[group]] += weights[group]
        if np.array_equal(before, parts):
            break
    return parts


def _best_part(held: np.ndarray, weight: np.ndarray, shares: np.ndarray) -> int:
    """Return the part whose distance from its share grows least by taking a group in."""
    gap = held - shares[:, None]
    growth = ((gap + weight) ** 2 - gap**2).sum(axis=1) / shares
    return int(np.argmin(growth))


def _cost(weights: np.ndarray, shares: np.ndarray, parts: np.ndarray) -> float:
    held = np.stack([weights[parts == part].sum(axis=0) for part in range(len(shares))])
    n_empty = int((held <= 0).sum())
    return n_empty + float((((held - shares[:, None]) ** 2) / shares[:, None]).sum())


def _leaves_every_label(counts: np.ndarray, parts: np.ndarray, n_parts: int) -> bool:
    held = np.stack([counts[parts == part].sum(axis=0) for part in range(n_parts)])
    return bool((held.sum(axis=1) > 0).all() and (counts.sum(axis=0) - held > 0).all())


def _part_name(value: object) -> SplitName:
    for part in PARTS:
        if value == part:
            return part
    raise ValueError(f"expected train, val or test, received {value!r}")
