"""Recognizes the clips of a store with a bundle's graphs: what every evaluation uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from har.bundle import BundleInfo
from har.config import Engine, Faces, PrivacyConfig, ShownPeople, Uncertain
from har.config.privacy import list_options
from har.dataset.baseline import ShortcutBaseline, compute_shortcut_baseline
from har.dataset.index import StoredClip
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.files import write_json
from har.inference.fusion import StreamLogits, fuse_logits
from har.inference.model import Recognizer
from har.inference.steps import score_steps
from har.inference.streams import Stream
from har.inference.strips import build_frame_reader
from har.learned import build_mark
from har.metrics.clips import ClipMetrics, bootstrap_metrics, compute_clip_metrics
from har.metrics.intervals import Interval
from har.progress import format_count, track
from har.reports.clips import ClipReport, build_clip_page
from har.reports.facts import format_command, list_model_facts, list_store_facts
from har.reports.page import render_fragment, write_page
from har.reports.predictions import PREDICTIONS, write_predictions
from har.types import SplitName, Streams


@dataclass(frozen=True)
class ClipAnswers:
    """What a bundle says of N clips.

    Attributes:
        probs: (N, K) float32 in the bundle's order of labels.
        is_uncertain: (N,) bool: True where it is uncertain; the probabilities say nothing there.
    """

    probs: np.ndarray
    is_uncertain: np.ndarray


def recognize_clips(
    recognizer: Recognizer, store: Store, clips: Sequence[int], progress: bool = False
) -> ClipAnswers:
    """Recognize some clips of a store, as a recording of each would be.

    Args:
        recognizer: The bundle.
        store: Prepared with the picture size and color that the bundle takes.
        clips: Positions in ``store.clips``.
        progress: Show a bar.

    Raises:
        BundleMismatchError: The store's pictures are not what the bundle takes.
    """
    clip_ids = [store.clips[clip].clip_id for clip in clips]
    outputs = [_score_clips(stream, store, clip_ids, progress) for stream in recognizer.streams]
    fused = fuse_logits(outputs, recognizer.info.weights)
    return ClipAnswers(recognizer.compute_probs(fused.logits), fused.confidence == 0)


def _score_clips(
    stream: Stream, store: Store, clip_ids: Sequence[str], progress: bool
) -> StreamLogits:
    """Return what a stream says of each clip as a whole."""
    found = stream.iter_clips(store, clip_ids)
    bar = track(found, f"recognizing {stream.name}", "clip", len(clip_ids), progress)
    return StreamLogits.join([stream.pool(score_steps(stream, features)) for features in bar])


Part = SplitName | Literal["all"]


@dataclass(frozen=True)
class EvaluationResult:
    """How a bundle does on a part of a store.

    Attributes:
        part: Which clips.
        seen: The bundle was trained on the same store and the part has clips that it learned from,
            or on some of the same videos in another store.
        n_uncertain: Clips of which the bundle is uncertain; they count by what it would say all the
            same.
        probs: (N, K) float32 in the bundle's order of labels.
        clips: N clips.
        bundle: Its folder.
        store: Has the clips.
    """

    info: BundleInfo
    part: Part
    seen: bool
    n_groups: int
    n_uncertain: int
    metrics: ClipMetrics
    intervals: dict[str, Interval]
    baseline: ShortcutBaseline | None
    synthetic_data: bool
    probs: np.ndarray
    clips: tuple[StoredClip, ...]
    bundle: Path
    store: Store

    @property
    def warning(self) -> str:
        """Why the figures are no honest ones; empty where they are."""
        if not self.seen:
            return ""
        if self.info.held_out:
            return "The bundle learned from these clips or was chosen by them: no honest figure."
        return (
            "The bundle learned from every clip of its store, none was held back: no honest "
            "figure can come from it. Cross-validated figures of its recipe are in its card.md."
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har evaluate --json`` prints."""
        values = self.metrics.to_json()
        return {
            "split": self.part,
            "seen_in_training": self.seen,
            "held_out": self.info.held_out,
            "synthetic_data": self.synthetic_data,
            "labels": values["labels"],
            "n_clips": values["n_clips"],
            "n_groups": self.n_groups,
            "n_uncertain": self.n_uncertain,
            **{name: interval.to_json() for name, interval in self.intervals.items()},
            "per_class": values["per_class"],
            "confusion": values["confusion"],
            "baseline": None if self.baseline is None else self.baseline.to_json(),
        }

    def save(
        self,
        folder: str | Path,
        *,
        strips: bool = False,
        faces: Faces = "keep",
        people: ShownPeople = "keep",
        uncertain: Uncertain = "keep",
    ) -> Path:
        """Write figures, predictions and the page, whose path is returned.

        Args:
            folder: It is created.
            strips: Show frames of the worst errors on the page; else no picture of anyone is in it.
            faces: What becomes of heads in them, as of `har.predict`, like ``people`` and
                ``uncertain``; the videos of these clips are read again.

        Raises:
            OutputError: A file cannot be written.
            StoreError: Frames are missing or damaged.
        """
        folder, privacy = Path(folder), PrivacyConfig(faces, people, uncertain)
        words = ("har", "evaluate", self.bundle, *["--strips"] * strips)
        options = {"--store": self.store.path, "--split": self.part, "--results": folder}
        named = {name: [value] for name, value in options.items()} | list_options(privacy)
        command = format_command(words, named)
        write_json(folder / "metrics.json", self.to_json())
        write_predictions(folder / PREDICTIONS, self.info.labels, self.clips, self.probs)
        report = replace(self._describe(), command=command)
        page = build_clip_page(report, self.store if strips else None, build_frame_reader(privacy))
        write_page(folder / "report.html", page)
        return folder / "report.html"

    def _repr_html_(self) -> str:
        """Return the page for a notebook."""
        return render_fragment(build_clip_page(self._describe()))

    def _describe(self) -> ClipReport:
        metrics = self.info.metrics
        published = metrics.get("crossval")
        return ClipReport(
            kind="Evaluation on clips",
            title=f"{', '.join(self.metrics.labels)}: {self.part} clips",
            protocol=(
                f"{format_count(self.metrics.n_clips, 'clip')} from "
                f"{format_count(self.n_groups, 'group')}. Intervals are 95 %, "
                "over groups drawn whole."
            ),
            labels=self.metrics.labels,
            clips=self.clips,
            truth=np.array([self.info.labels.index(clip.label) for clip in self.clips]),
            probs=self.probs[None],
            intervals=self.intervals,
            baseline=self.baseline,
            warnings=tuple(filter(None, (self.warning, self._note_uncertain()))),
            is_synthetic=self.synthetic_data,
            histories=metrics.get("history", {}),
            crossval={published["protocol"]: published} if published else {},
            facts={
                **list_model_facts(self.info, self.bundle),
                **list_store_facts(self.store, self.part),
            },
            recipe=self.info.recipe,
        )

    def _note_uncertain(self) -> str:
        if not self.n_uncertain:
            return ""
        return (
            f"The model is uncertain of {format_count(self.n_uncertain, 'clip')}: nobody's "
            "keypoints are confident "
            "enough. They count by what it would say all the same."
        )


def evaluate_bundle(
    bundle_dir: Path,
    store: Store,
    part: Part,
    progress: bool = False,
    exact: bool = False,
    streams: Streams | None = None,
    engines: Mapping[str, Engine] | None = None,
) -> EvaluationResult:
    """Recognize the clips of one part of a store and compare them with their labels.

    With ``exact`` steps at which nothing moves are encoded, too; with ``streams`` only those of the
    bundle's are used. ``engines`` run its networks, as in those of a `Recognizer`.

    Raises:
        BundleMismatchError: The store has other labels or pictures than the bundle, or it lacks one
            of the streams.
        SplitError: The store has no such part.
    """
    recognizer = Recognizer(bundle_dir, engine=engines, exact=exact, streams=streams)
    info = recognizer.info
    if not set(store.labels) <= set(info.labels):
        raise BundleMismatchError(
            f"The bundle {bundle_dir} knows the labels {info.labels}, the store {store.path} has "
            f"{store.labels}; evaluate on clips with the bundle's labels, or some of them"
        )
    clips = store.indices(part)
    truth = np.array([info.labels.index(store.clips[clip].label) for clip in clips])
    groups = [store.clips[clip].group for clip in clips]
    answers = recognize_clips(recognizer, store, clips.tolist(), progress)
    return EvaluationResult(
        info=info,
        part=part,
        seen=_has_seen(info, store, part, clips),
        n_groups=len(set(groups)),
        n_uncertain=int(answers.is_uncertain.sum()),
        metrics=compute_clip_metrics(info.labels, truth, answers.probs),
        intervals=bootstrap_metrics(truth, answers.probs, groups),
        baseline=_compute_baseline(store),
        synthetic_data=store.is_synthetic,
        probs=answers.probs,
        clips=tuple(store.clips[clip] for clip in clips),
        bundle=bundle_dir,
        store=store,
    )


def _has_seen(info: BundleInfo, store: Store, part: Part, clips: np.ndarray) -> bool:
    if info.data_hash == store.data_hash:
        return part != "test" or not info.held_out
    used = (store.clips[clip] for clip in clips)
    return any(build_mark(c.video_bytes, c.video_hash) in info.learned_from for c in used)


def _compute_baseline(store: Store) -> ShortcutBaseline | None:
    """Return the baseline, or None without folds or with clips of one label only."""
    folds = store.splits.folds
    if not folds or len({clip.label for clip in store.clips}) < 2:
        return None
    return compute_shortcut_baseline(store.clips, np.array([folds[c.clip_id] for c in store.clips]))
