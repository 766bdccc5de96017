"""The way back: from verdicts to a model that has learned from them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from har.api.agreement import compare
from har.api.clips import prepare
from har.api.model import Model
from har.api.settings import StrPath, extra, find_folder
from har.api.training import crossvalidate, train
from har.bundle import BundleInfo
from har.bundle_files import FOLDER as SHIPPED
from har.config import CrossvalConfig, TrainConfig
from har.errors import ConfigError
from har.files import replacing_folder
from har.interchange.events import EventTable
from har.locks import locking
from har.progress import Say

if TYPE_CHECKING:
    from har.metrics.comparison import Comparison


@dataclass(frozen=True)
class Learned:
    """A model that has learned from verdicts, beside the one that it started from.

    Attributes:
        model: The new one.
        before: Folder of the old one, which is as it was.
        comparison: Old against new on the clips of the verdicts, each group judged by a network
            that had not learned from it.
        n_confirmed: Clips of events that were kept.
        n_rejected: Clips of events that were rejected, as background.
    """

    model: Model
    before: Path
    comparison: Comparison
    n_confirmed: int
    n_rejected: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har train --verdicts --json` prints."""
        return {
            "bundle": str(self.model.path),
            "before": str(self.before),
            "n_confirmed": self.n_confirmed,
            "n_rejected": self.n_rejected,
            "comparison": self.comparison.to_json(),
        }

    def take(self) -> Path:
        """Put the new model in the place of the old one; the old one stays beside it.

        Returns:
            Folder of the old model.

        Raises:
            ConfigError: The old model comes with har, so it is used by name and has no place.
            OutputError: A folder cannot be written.
        """
        if self.before.is_relative_to(SHIPPED):
            raise ConfigError(
                f"{self.before.name} comes with har and stays as it is; use the new model by "
                f"--bundle {self.model.path}"
            )
        number = 1
        while (aside := self.before.with_name(f"{self.before.name}-before-{number}")).exists():
            number += 1
        with locking(self.before, beside=True):
            shutil.copytree(self.before, aside)
            with replacing_folder(self.before) as part:
                shutil.copytree(self.model.path, part, dirs_exist_ok=True)
        return aside


def learn(
    verdicts: str,
    start_from: StrPath,
    *,
    annotator: str = "",
    background: str = "",
    out: StrPath = "models/reviewed",
    results: StrPath = "results/reviewed",
    recipe: str | TrainConfig = "full",
    folds: int = CrossvalConfig.n_folds,
    seeds: int = 1,
    config: Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    overwrite: bool = False,
    progress: bool = True,
    say: Say | None = None,
) -> Learned:
    """Train a model further on what people decided in `har.open_review`.

    Events that were kept become clips of their label, rejected ones clips of the model's background
    label. A label with few clips weighs as much as one with many; within the background a rejected
    event weighs its score, so that the most confident errors count most. The recordings' groups
    stay together. What is found is written beside the present model, which stays as it is until
    `Learned.take`.

    Args:
        verdicts: The database: a file, or a URL of SQLAlchemy.
        start_from: The present model, by folder or name.
        annotator: Whose verdicts, where several people gave some.
        background: Label of clips of rejected events; the model's own background when empty.
        out: Folder of the new model.
        results: Folder of the clips, the figures and the state of an interrupted run.
        recipe: As of `har.train`; ``frozen`` only for a model with keypoints.
        folds: Parts of the cross-validation.
        seeds: Repetitions of it.
        config: As of `har.train`.
        seed: As of `har.train`.
        overwrite: As of `har.train`.
        progress: Show bars.
        say: As of `har.train`.

    Raises:
        ConfigError: No background is known, a label of the model has no clip, a verdict has another
            label, or several people gave verdicts and none was chosen.
        HarError: Otherwise as of `har.prepare` and `har.train`.

    Example:
        >>> import har
        >>> done = har.learn("results/predict/review.db", "models/har")  # doctest: +SKIP
        >>> done.comparison.figures["accuracy"].difference.mean  # doctest: +SKIP
        0.06
        >>> done.take()  # doctest: +SKIP
    """
    source, folder = find_folder(start_from), Path(results)
    present = Model(source)
    background = background or present.info.decode.background
    table = _read_lessons(verdicts, annotator, background, present.info)
    media = sorted({item.video for item in table.media})
    size, color = present.info.pictures.size, present.info.pictures.color
    store = prepare(
        table, folder / "store", media=media, size=size, color=color, progress=progress, folds=folds
    )
    present.evaluate(store, "all", progress=progress).save(folder / "before")
    options: dict[str, Any] = {"recipe": recipe, "config": config, "seed": seed, "say": say}
    options |= {"start_from": source, "progress": progress}
    crossvalidate(store, folds=folds, seeds=seeds, results=folder / "after", **options)
    comparison = compare(folder / "before", folder / "after", out=folder / "compare")
    model = train(store, out=out, results=folder, overwrite=overwrite, **options)
    n_rejected = sum(event.label == background for event in table.events)
    return Learned(model, source, comparison, len(table.events) - n_rejected, n_rejected)


def _read_lessons(verdicts: str, annotator: str, background: str, info: BundleInfo) -> EventTable:
    if background not in info.labels:
        raise ConfigError(
            f"Rejected events need the label of what is none; the model knows {list(info.labels)}, "
            f"received background={background!r} (--background)"
        )
    with extra("review"):
        from har.review.project import build_lessons
        from har.review.store import ReviewStore
    if "://" not in verdicts and not Path(verdicts).is_file():
        raise ConfigError(f"There is no database {verdicts}; give the review.db of 'har review'")
    store = ReviewStore(verdicts if "://" in verdicts else f"sqlite:///{verdicts}")
    try:
        table = build_lessons(store, annotator, background)
    finally:
        store.close()
    labels = {event.label for event in table.events}
    missing, foreign = sorted(set(info.labels) - labels), sorted(labels - set(info.labels))
    if missing or foreign:
        problem = f"no clip of {missing}" if missing else f"the labels {foreign}, too"
        raise ConfigError(
            f"The model knows {list(info.labels)}, the verdicts have {problem}. Keep events of "
            "each label, reject false ones, and relabel what the model does not know"
        )
    return table
