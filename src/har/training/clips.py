"""Which clips of a store are learned from and which validate; needs no Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from har.dataset.splits import Splits, build_folds
from har.dataset.store import Store
from har.errors import NoClipsError, SplitError
from har.types import SplitName


@dataclass(frozen=True)
class ClipSplit:
    """Positions in ``store.clips``; ``val`` is empty where the groups allow no validation."""

    train: tuple[int, ...]
    val: tuple[int, ...]


def split_clips(store: Store) -> ClipSplit:
    """Return the clips to learn from and to validate on.

    Raises:
        NoClipsError: A class has no clip to learn from.
    """
    train = tuple(int(clip) for clip in store.indices("train"))
    counts = np.bincount(store.label_indices[list(train)], minlength=len(store.labels))
    missing = [label for label, n in zip(store.labels, counts, strict=True) if n == 0]
    if missing or len(store.labels) < 2:
        raise NoClipsError(
            f"Expected two or more classes with clips to learn from in {store.path}, received "
            f"{dict(zip(store.labels, counts.tolist(), strict=True))}; add clips and prepare again"
        )
    try:
        val = tuple(int(clip) for clip in store.indices("val"))
    except SplitError:
        val = ()
    return ClipSplit(train, val)


INNER_FOLDS = 5
"""Parts of clips that are learned from, one of which is held back to validate on."""


def hold_back(store: Store, clips: Sequence[int], seed: int) -> ClipSplit:
    """Return some clips in two parts: about a fifth of their groups validates.

    Raises:
        SplitError: There are too few groups, or a label is in one group only.
    """
    folds = build_folds([store.clips[clip] for clip in clips], INNER_FOLDS, seed)
    held = [int(clip) for clip, fold in zip(clips, folds, strict=True) if fold == 0]
    rest = [int(clip) for clip, fold in zip(clips, folds, strict=True) if fold != 0]
    return ClipSplit(tuple(rest), tuple(held))


def apply_split(store: Store, clips: ClipSplit, seed: int) -> Store:
    """Return a store whose own splits are these; clips in neither part are to be tested on."""
    parts: dict[str, SplitName] = {clip.clip_id: "test" for clip in store.clips}
    for clip in clips.train:
        parts[store.clips[clip].clip_id] = "train"
    for clip in clips.val:
        parts[store.clips[clip].clip_id] = "val"
    return replace(store, splits=Splits(parts, True, "", {}, "chosen in training", seed))
