"""What is in a store and what may be wrong with it: figures, near-duplicates, shortcuts."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from har.dataset.floor import ShortcutFloor, compute_shortcut_floor
from har.dataset.store import Store
from har.dataset.store_writer import write_json


@dataclass(frozen=True)
class Report:
    n_clips: int
    n_rejects: int
    n_groups: int
    group_source: str
    labels: dict[str, int]
    splits: dict[str, int]
    floor: ShortcutFloor | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def build_report(store: Store) -> Report:
    folds = np.array([store.splits.folds.get(clip.clip_id, -1) for clip in store.clips])
    return Report(
        len(store.clips),
        len(store.rejects),
        len({c.group for c in store.clips}),
        store.settings.group_source,
        dict(Counter(c.label for c in store.clips)),
        dict(Counter(store.splits.parts.values())),
        compute_shortcut_floor(store.clips, folds) if store.splits.folds else None,
    )


def write_report(report: Report, store: Store) -> None:
    write_json(store.path / "report.json", report.to_json())
