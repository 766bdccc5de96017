"""The sets of the ablation: windows of people, labels, and what is left out together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.pose.features import PoseWindow
from transfer_parts.domains import THIRDS, load_domain

SBU_TESTED = ((1, 9, 15, 19), (5, 7, 10, 16), (2, 3, 20, 21), (4, 6, 8, 11), (12, 13, 14, 17, 18))
"""Sets of pairs, counted from 1 in the order of their names, that each fold is tested on.

Source: K. Yun et al., "Two-person Interaction Detection Using Body-Pose Features and Multiple
Instance Learning", CVPRW 2012.
"""
SETS = ("sbu", "ut", "kinder", "survfight")
_MOST_PEOPLE = 4
_UT_FOLDS = 5


@dataclass(frozen=True)
class MotionSet:
    """What is learned from and tested on.

    Attributes:
        name: One of `SETS`.
        labels: K names.
        targets: (N,) class index of every sequence.
        groups: N names: people, pairs or places that are never divided.
        folds: (N,) number of the fold that tests a sequence, -1 for one that is only learned from.
        windows: The windows of each sequence.
        tracks: (T, P, 17, 3) of each sequence.
    """

    name: str
    labels: tuple[str, ...]
    targets: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
    windows: list[list[PoseWindow]]
    tracks: list[np.ndarray]


def load_set(name: str, data_dir: Path, cache: Path) -> MotionSet:
    """Return a set with the folds that its figures are reported on."""
    domains = {"kinder": ("adults", "children"), "survfight": THIRDS}.get(name, (name,))
    found = [load_domain(domain, data_dir, cache) for domain in domains]
    sequences = [sequence for domain in found for sequence in domain]
    groups = np.array([sequence.subject for sequence in sequences])
    labels = tuple(sorted({sequence.action for sequence in sequences}))
    return MotionSet(
        name=name,
        labels=labels,
        targets=np.array([labels.index(sequence.action) for sequence in sequences]),
        groups=groups,
        folds=_build_folds(name, groups, [len(domain) for domain in found]),
        windows=[[_thin(window) for window in sequence.windows] for sequence in sequences],
        tracks=[sequence.tracks for sequence in sequences],
    )


def _build_folds(name: str, groups: np.ndarray, sizes: list[int]) -> np.ndarray:
    if name == "kinder":  # from adults to children
        return np.repeat([-1, 0], sizes)
    if name == "survfight":
        return np.repeat(np.arange(len(sizes)), sizes)
    if name == "sbu":
        return fold_by_pairs(groups)
    return np.unique(groups, return_inverse=True)[1] % _UT_FOLDS


def fold_by_pairs(groups: np.ndarray) -> np.ndarray:
    """Return the (N,) folds of SBU's published protocol."""
    numbers = np.unique(groups, return_inverse=True)[1] + 1
    return np.array(
        [
            next(fold for fold, tested in enumerate(SBU_TESTED) if number in tested)
            for number in numbers
        ]
    )


def _thin(window: PoseWindow) -> PoseWindow:
    """Return a window with its most confident people alone, so that crowds cost no more."""
    rows = np.sort(np.argsort(-window.confidence, kind="stable")[:_MOST_PEOPLE])
    return PoseWindow(
        window.features[rows], window.columns[rows], window.others[rows], window.confidence[rows]
    )
