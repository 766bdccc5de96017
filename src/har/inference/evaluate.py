"""Measures a bundle on the clips of a store: figures, intervals, the floor beside them, a page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from har.contract import BundleInfo
from har.dataset.floor import ShortcutFloor, compute_shortcut_floor
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.evaluation.clips import ClipMetrics, bootstrap_metrics, compute_clip_metrics
from har.evaluation.figures import write_confusion
from har.evaluation.intervals import Interval
from har.evaluation.report import Picture, Report, write_report
from har.files import write_json
from har.runtime.clips import recognise_clips
from har.runtime.recognizer import Recognizer
from har.types import SplitName

Part = SplitName | Literal["all"]


@dataclass(frozen=True)
class EvaluationResult:
    """How a bundle does on a part of a store.

    Attributes:
        part: Which clips.
        seen: The bundle was trained on the same store and the part holds clips it learnt from.
        n_unknown: Clips of which the bundle cannot tell; they count by what it would say all the
            same.
        probs: (N, K) float32 in the bundle's order of labels.
    """

    info: BundleInfo
    part: Part
    seen: bool
    n_groups: int
    n_unknown: int
    metrics: ClipMetrics
    intervals: dict[str, Interval]
    floor: ShortcutFloor | None
    made_data: bool
    probs: np.ndarray

    def to_json(self) -> dict[str, Any]:
        """Gives the fields that ``har evaluate --json`` prints."""
        values = self.metrics.to_json()
        return {
            "split": self.part,
            "seen_in_training": self.seen,
            "made_data": self.made_data,
            "labels": values["labels"],
            "n_clips": values["n_clips"],
            "n_groups": self.n_groups,
            "n_unknown": self.n_unknown,
            **{name: interval.to_json() for name, interval in self.intervals.items()},
            "per_class": values["per_class"],
            "confusion": values["confusion"],
            "floor": None if self.floor is None else self.floor.to_json(),
        }


def evaluate_bundle(
    bundle_dir: Path, store: Store, part: Part, progress: bool = False
) -> EvaluationResult:
    """Recognises the clips of one part of a store and compares them with their labels.

    Raises:
        BundleMismatchError: The store has other labels or pictures than the bundle.
        SplitError: The store has no such part.
    """
    recognizer = Recognizer(bundle_dir)
    info = recognizer.info
    if not set(store.labels) <= set(info.labels):
        raise BundleMismatchError(
            f"The bundle {bundle_dir} knows the labels {info.labels}, the store {store.path} has "
            f"{store.labels}; evaluate on clips with the bundle's labels, or some of them"
        )
    clips = store.indices(part)
    truth = np.array([info.labels.index(store.clips[clip].label) for clip in clips])
    groups = [store.clips[clip].group for clip in clips]
    answers = recognise_clips(recognizer, store, clips.tolist(), progress)
    return EvaluationResult(
        info=info,
        part=part,
        seen=info.data_hash == store.data_hash and part in ("train", "val", "all"),
        n_groups=len(set(groups)),
        n_unknown=int(answers.is_unknown.sum()),
        metrics=compute_clip_metrics(info.labels, truth, answers.probs),
        intervals=bootstrap_metrics(truth, answers.probs, groups),
        floor=_compute_floor(store),
        made_data=store.is_made,
        probs=answers.probs,
    )


def _compute_floor(store: Store) -> ShortcutFloor | None:
    """Gives the floor, or None without folds or with clips of one label only."""
    folds = store.splits.folds
    if not folds or len({clip.label for clip in store.clips}) < 2:
        return None
    return compute_shortcut_floor(store.clips, np.array([folds[c.clip_id] for c in store.clips]))


def write_evaluation(out_dir: Path, result: EvaluationResult) -> Path:
    """Writes ``metrics.json``, ``confusion.png`` and ``report.html``; gives the page's path."""
    write_json(out_dir / "metrics.json", result.to_json())
    picture = out_dir / "confusion.png"
    write_confusion(picture, result.metrics.labels, result.metrics.confusion)
    warnings = ()
    if result.seen:
        warnings = ("The bundle learnt from these clips or was chosen by them: no honest figure.",)
    floor = result.floor
    report = Report(
        title=f"{', '.join(result.metrics.labels)}: {result.part} clips",
        protocol=(
            f"{result.metrics.n_clips} clips from {result.n_groups} groups; "
            "95 % intervals by bootstrap over groups"
        ),
        metrics=result.metrics,
        intervals=result.intervals,
        floor={} if floor is None else {"accuracy": floor.accuracy, "auc": floor.auc},
        pictures=(Picture("Confusion of the classes", picture),),
        warnings=warnings,
        is_made=result.made_data,
    )
    page = out_dir / "report.html"
    write_report(page, report)
    return page
