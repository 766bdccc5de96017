"""The clips and the folds that every method is measured on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from har.config import PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.types import Color, Protocol

SURVFIGHT, UT = "survfight", "ut_interaction_set1"
OTHER_ORIGIN = frozenset(f"nofi{number:03d}" for number in range(62, 92))
"""Clips of two other collections, all of them noFight and of another format."""

Name = Literal["survfight", "random", "ut"]


@dataclass(frozen=True)
class Task:
    """One table: which clips, and how they are divided.

    Attributes:
        name: As the command line calls it.
        clips: The data's folder.
        n_folds: Parts; for UT-Interaction one a sequence.
        protocol: Whether a group may be divided.
        about: What a reader is told.
    """

    name: Name
    clips: str
    n_folds: int
    protocol: Protocol
    about: str

    def build_folds(self, store: Store, seed: int) -> np.ndarray:
        """Return (N,) each clip's fold: the same for every method."""
        return build_folds(store.clips, self.n_folds, seed, self.protocol)


TASKS: dict[Name, Task] = {
    "survfight": Task(
        "survfight", SURVFIGHT, 5, "grouped", "Surveillance Camera Fight, 5 folds of whole sources"
    ),
    "random": Task("random", SURVFIGHT, 5, "random", "the same clips, 5 random folds, which leak"),
    "ut": Task("ut", UT, 10, "grouped", "UT-Interaction set 1, leave one sequence out"),
}


class Stores:
    """Prepared clips, made once for each set and color."""

    def __init__(self, data_dir: Path, out: Path) -> None:
        self._data_dir, self._out = data_dir, out

    def load(self, clips: str, color: Color) -> Store:
        """Return a set's store; all methods see the same pictures, in gray or in color."""
        manifest = self._data_dir / clips / "manifest.csv"
        place = self._out / "stores" / f"{clips}_{color}"
        return prepare(manifest, place, PrepareConfig(color=color), progress=True).store


def find_own_origin(store: Store) -> np.ndarray:
    """Return (N,) bool: False for the clips that were added from other collections."""
    return np.array([clip.path.stem not in OTHER_ORIGIN for clip in store.clips])
