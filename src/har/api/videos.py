"""Many videos at once, with files of each: what `har predict` does."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

from har.addresses import ObjectPath, refuse_addresses, to_source
from har.api.model import Model, load
from har.api.result import Result, render_results
from har.api.settings import Rules, StrPath, check_extra, list_paths, to_path
from har.bundle import BUNDLE_FILE
from har.config import (
    PRECISION,
    DecodeConfig,
    Faces,
    FetchConfig,
    OutputsConfig,
    PosesConfig,
    Precision,
    PredictConfig,
    PrivacyConfig,
    ScaleConfig,
    ShownPeople,
    Uncertain,
)
from har.dataset.catalog import Reject
from har.errors import BundleMismatchError, ConfigError, LockedError, VideoError
from har.escaping import show_line
from har.events.summary import Totals
from har.inference.folder import (
    Finished,
    Plan,
    Standing,
    StoredFile,
    VideoJob,
    recognize_folder,
)
from har.inference.video import find_videos
from har.interchange.events import EventTable
from har.interchange.format import WriteSettings
from har.interchange.formats import find_writer, write_as
from har.interchange.results import build_result_table
from har.locks import JOIN_WAIT_S, joining, locking, locking_shard
from har.reports import results as outputs
from har.result import VideoResult
from har.scale.objects import fetching
from har.scale.objects import list_videos as list_stored_videos
from har.scale.parquet import write_parquet
from har.scale.run import recognize_on_cluster
from har.scale.shards import Shard, name_videos
from har.types import Streams

Keep = Literal["keypoints", "features"]

_TABLES_EVERY_S = 3.0
_TABLES_REST = 20


@dataclass(frozen=True)
class Predictions:
    """What became of many videos.

    Attributes:
        out: The folder of their files.
        model: That has recognized them.
        results: A result for each video; one with an ``error`` for each that could not be
            recognized.
        stems: What the names of a video's files begin with, by the path of the video.
        decode: The rules that made the events.
        n_unchanged: Videos that an earlier run had done, and that have not changed since.
    """

    out: Path
    model: Model
    results: tuple[Result, ...]
    stems: Mapping[Path, str]
    decode: DecodeConfig
    n_unchanged: int

    @property
    def recognized(self) -> tuple[Result, ...]:
        """The results without an error."""
        return tuple(result for result in self.results if not result.error)

    @property
    def totals(self) -> Totals:
        """What all events add up to."""
        return outputs.add_up(self.recognized, self.decode)

    def to_events(self) -> EventTable:
        """Return all events as a table of coded events, the model as their annotator."""
        return build_result_table(self.recognized, self.model.path.name)

    def to_json(self) -> list[dict[str, Any]]:
        """Return the values that `har predict --json` prints, one for each video."""
        return outputs.to_json(_to_outcomes(self.results), self.stems, self.decode)

    def _repr_html_(self) -> str:
        return render_results(self.results)


def _to_outcomes(results: Iterable[Result]) -> list[VideoResult | Reject]:
    return [
        Reject("", result.info.path, result.error) if result.error else result for result in results
    ]


def predict(
    sources: StrPath | Iterable[StrPath],
    *,
    out: StrPath = "results/predict",
    model: Model | StrPath | None = None,
    streams: Streams | None = None,
    annotate: bool = False,
    thumbnails: bool = False,
    faces: Faces = "keep",
    people: ShownPeople = "keep",
    uncertain: Uncertain = "keep",
    keep: Keep | Iterable[Keep] | None = None,
    fps: float | None = None,
    size: tuple[int, int] | None = None,
    joints: Mapping[str, str] | None = None,
    decode: Rules | None = None,
    changes: Mapping[str, float] | None = None,
    exact: bool = False,
    precision: Precision = PRECISION,
    jobs: int = 0,
    again: bool = False,
    guard: bool = True,
    to: str | None = None,
    parquet: bool = False,
    shard: tuple[int, int] | None = None,
    on: str | None = None,
    tries: int = ScaleConfig.tries,
    limit_s: float = ScaleConfig.limit_s,
    scratch: StrPath | None = None,
    max_gb: float = FetchConfig.max_gb,
    on_start: Callable[[Model, DecodeConfig], None] | None = None,
    progress: Callable[[Standing], None] | None = None,
) -> Predictions:
    """Recognize many videos, several at once, and write the files of each as soon as it is done.

    A run that was stopped goes on: videos that are done, and have not changed since, are passed
    over, unless the model or the settings are other ones. A video that cannot be read never stops
    the others: its result has an ``error``, and at the end a warning says so.

    Several videos are recognized in processes of their own: a script that calls this must do so
    below ``if __name__ == "__main__":``, as Python's `multiprocessing` demands.

    Args:
        sources: Videos, keypoints of other tools (`har.read_poses`) or features (``keep``) in their
            place, and folders, which are searched to their depth. Also addresses of object stores,
            such as ``s3://bucket/folder`` or ``gs://bucket/a.mp4``: each video is fetched when its
            turn comes, and removed when it is done.
        out: Folder of the events, scores and timeline of each video, and of ``events.csv``,
            ``results.json`` and ``totals.csv`` of all.
        model: A loaded one, a folder or a name; the default as of `har.load` when None.
        streams: What it looks at, as of `har.load`; of a loaded one it stays what it is.
        annotate: Write an annotated video of each, too.
        thumbnails: Write a picture of each event, too.
        faces: What becomes of heads in annotated videos and pictures: ``blur``, ``pixelate``,
            ``black``.
        people: ``skeleton`` shows skeletons on the still background there, and no people.
        uncertain: ``blur-moving`` also blurs there what moves where nobody was found.
        keep: ``keypoints`` writes those of each video, and nothing that shows people; ``features``
            what the frame CNN gave at each step, so that a model with another head, but the same
            CNN and input, scores it without the video. Both may be named; `har.predict` reads both
            in the place of the video.
        fps: As of `har.read_poses`, like ``size`` and ``joints``, for files of keypoints.
        size: (H, W).
        joints: Names of joints to keypoints.
        decode: Rules for events in the place of the model's, or a file of some that go over them.
        changes: Single settings over those: ``{"onset": 0.7, "hit.min_s": 1.0}``.
        exact: Look at every moment; by default those at which nothing moves are taken for still.
        precision: As of `har.load`; of a loaded model it stays what it is, like ``exact``.
        jobs: Cores to use, and videos at once where there are several; 0 means all.
        again: Also do videos anew whose files are there from the same settings.
        guard: Put a ``'`` before cells of tables that a spreadsheet would take for a formula; False
            leaves them as they are, for programs.
        to: A format of events, such as ``boris``: all events are written in it, too, into ``out``.
        parquet: At the end write events and scores of all videos in ``out`` as ``events.parquet``
            and ``scores.parquet``, too.
        shard: ``(3, 100)`` does the third of 100 parts of the videos, for as many jobs that know
            nothing of each other; all may write to the same ``out``, then it is as of one run.
        on: ``ray`` or ``ray://HOST``: the machines of a Ray cluster do it, ``jobs`` videos at once.
            They must see the videos, the model and ``out`` under the same paths.
        tries: On a cluster: so often a video may end its worker, or take too long, before it is set
            aside in ``failed.json``.
        limit_s: On a cluster: seconds that one try of a video may take.
        scratch: Folder in which a video of an object store lies while it is worked on; the system's
            own for such files when None.
        max_gb: A larger file of an object store is left out.
        on_start: Is called with the model and the rules before the first video.
        progress: Is told now and then how far all is.

    Raises:
        BundleError: The model is absent, damaged or does not fit this version.
        BundleMismatchError: ``keep`` with a model that lacks the stream.
        ConfigError: A rule does not fit, a source is a model or an address, ``keep`` is unknown, or
            of keypoints beside ``annotate`` or ``thumbnails``, or ``shard`` beside ``to``,
            ``parquet`` or ``on``.
        MissingDependencyError: ``on`` or ``parquet``, and the extra ``scale`` is not installed.
        WorkerError: Worker processes cannot be started, or the cluster is not reached.
        InterchangeError: There is no such format to write.
        LockedError: Another run writes to the folder.
        OutputError: Files cannot be written; those of finished videos stay.
        VideoWriteError: Likewise, of an annotated video.

    Example:
        >>> import har
        >>> found = har.predict("clips", out="results")  # doctest: +SKIP
        >>> [result.label for result in found.recognized]  # doctest: +SKIP
        ['fight', 'noFight']
    """
    named = [to_source(path) for path in list_paths(sources)]
    refuse_addresses(named, "videos or folders of videos")
    for path in named:
        if (path / BUNDLE_FILE).is_file():
            raise ConfigError(f"{path} is a model, no video; name it as the model")
    chosen = None if to is None else find_writer(to)
    part = None if shard is None else Shard(*shard)
    cluster = None if on is None else ScaleConfig(on, jobs, tries, limit_s)
    _check_shard(part, to is not None or parquet, on)
    for package in [*(["pyarrow"] if parquet else []), *(["ray"] if on else [])]:
        check_extra("scale", package)
    loaded = model
    if not isinstance(loaded, Model):
        loaded = load(loaded, jobs=jobs, exact=exact, streams=streams, precision=precision)
    rules = loaded.build_rules(decode, changes)
    privacy = PrivacyConfig(faces, people, uncertain)
    shown = privacy if annotate or thumbnails else PrivacyConfig()
    keeps = _list_keeps(keep)
    wants = OutputsConfig(annotate, thumbnails, "keypoints" in keeps, shown, guard)
    _check_keep(loaded, wants, "features" in keeps)
    if on_start is not None:
        on_start(loaded, rules)
    folder = to_path(out)
    fetch = partial(fetching, FetchConfig(None if scratch is None else to_path(scratch), max_gb))
    plan = Plan(
        loaded.path,
        write=partial(outputs.write_video_outputs, decode=rules, outputs=wants),
        outputs=_describe(replace(wants, keypoints=False)),
        keeps=tuple(sorted(keeps)),
        config=PredictConfig(
            keep_places=wants != OutputsConfig(),
            jobs=0 if cluster else jobs,
            poses=PosesConfig(fps, size, joints or {}),
            exact=loaded.is_exact,
            precision=loaded.precision,
            find_people=wants.privacy.is_on,
        ),
        decode=rules,
        fetch=fetch,
        streams=loaded.streams,
        engines=loaded.recognizer.engines,
    )
    with locking(folder) if part is None else locking_shard(folder, part.number, part.count):
        predictions = _recognize(
            loaded, plan, named, folder, wants.guard, again, progress, part, cluster
        )
        if parquet:
            write_parquet(folder)
    if chosen is not None:
        settings = WriteSettings(guard=guard)
        for note in write_as(predictions.to_events(), folder, chosen, settings):
            warnings.warn(note, stacklevel=2)
    for result in predictions.results:
        if result.error:
            text = show_line(f"Left out {result.info.path}: {result.error}")
            warnings.warn(text, stacklevel=2)
    n_without = sum(not result.info.has_pictures for result in predictions.recognized)
    if n_without and (keeps or wants != OutputsConfig()):
        warnings.warn(
            f"{n_without} of the sources are keypoints or features: there are no pictures to draw "
            "on, and nothing more to keep",
            stacklevel=2,
        )
    return predictions


def _check_shard(part: Shard | None, joins_all: bool, on: str | None) -> None:
    if part is None:
        return
    if joins_all:
        raise ConfigError(
            "A shard knows only its own videos: leave out to and parquet (--to, --parquet), and "
            "when all shards are done run once more with them and without shard (--shard)"
        )
    if on is not None:
        raise ConfigError(
            "A cluster divides the videos itself: name shard (--shard) or on (--on), not both"
        )


def _list_keeps(keep: Keep | Iterable[Keep] | None) -> set[str]:
    keeps = {keep} if isinstance(keep, str) else set(keep or ())
    if unknown := keeps - set(get_args(Keep)):
        raise ConfigError(
            f"Expected keep to name some of {', '.join(get_args(Keep))}, received "
            f"{', '.join(sorted(unknown))}"
        )
    return set(keeps)


def _describe(wants: OutputsConfig) -> str:
    return str(wants) if wants.guard else f"{wants}, plain tables"


def _check_keep(model: Model, wants: OutputsConfig, keeps_features: bool) -> None:
    if wants.keypoints and (wants.annotate or wants.thumbnails):
        raise ConfigError(
            "keep='keypoints' keeps nothing else that shows people: leave out annotate and "
            "thumbnails, or keep"
        )
    if wants.keypoints and model.info.pose is None:
        raise BundleMismatchError(
            f"{_name(model)} has no pose stream, so there are no keypoints to keep; take a model "
            "that has, such as three-class"
        )
    if keeps_features and model.info.motion is None:
        raise BundleMismatchError(
            f"{_name(model)} has no motion stream, so there are no features to keep; what its pose "
            "stream has are keypoints: keep='keypoints' (--keep keypoints)"
        )


def _name(model: Model) -> str:
    own = "" if model.streams is None else f", used with streams={model.streams!r} (--streams),"
    return f"{model.path}{own}"


def _recognize(
    loaded: Model,
    plan: Plan,
    named: Sequence[Path],
    folder: Path,
    guard: bool,
    again: bool,
    progress: Callable[[Standing], None] | None,
    shard: Shard | None,
    cluster: ScaleConfig | None,
) -> Predictions:
    rules = plan.decode or loaded.info.decode
    stored, rejects = _list_stored(named)
    local = [path for path in named if not isinstance(path, ObjectPath)]
    here, more = find_videos(local, with_features=True, without=folder)
    paths, rejects = [*here, *stored], [*more, *rejects]
    names = outputs.compute_output_stems(paths, outputs.find_taken_stems(folder))
    stems = dict(zip(paths, names, strict=True))
    jobs_of = [
        VideoJob(path, folder / stems[path], stored.get(path))
        for path, name in zip(paths, name_videos(paths, named), strict=True)
        if shard is None or shard.has(name)
    ]
    there = [reject for reject in rejects if os.path.lexists(reject.path)]  # no slips of typing
    order = [*(reject.path for reject in there), *paths]

    def write(outcomes: Sequence[VideoResult | Reject]) -> None:
        outputs.write_folder_outputs(folder, outcomes, stems, rules, guard, order)

    found, tables = dict[VideoJob, Finished](), _Tables(write, folder, is_shared=shard is not None)
    if cluster is None:
        finished = recognize_folder(plan, jobs_of, again, progress)
    else:
        finished = recognize_on_cluster(plan, jobs_of, folder, cluster, again, progress)
    for item in finished:
        found[item.job] = item
        tables.write_if_due([*there, *(each.outcome for each in found.values())])
    done = [found[job] for job in jobs_of]
    tables.write([*there, *(item.outcome for item in done)])
    return Predictions(
        out=folder,
        model=loaded,
        results=tuple(
            loaded.to_result(outcome, rules)
            for outcome in [*rejects, *(item.outcome for item in done)]
        ),
        stems={job.path: stems[job.path] for job in jobs_of},
        decode=rules,
        n_unchanged=sum(item.is_unchanged for item in done),
    )


def _list_stored(named: Sequence[Path]) -> tuple[dict[Path, StoredFile], list[Reject]]:
    """Return the videos at the addresses of object stores, and a reject for each without any."""
    found, rejects = dict[Path, StoredFile](), list[Reject]()
    for address in named:
        if isinstance(address, ObjectPath):
            try:
                found |= list_stored_videos(address)
            except VideoError as error:
                rejects.append(Reject("", address, str(error)))
    return found, rejects


class _Tables:
    """Writes what is known of all videos now and then, so that a run that is killed leaves it."""

    def __init__(
        self, write: Callable[[Sequence[VideoResult | Reject]], None], folder: Path, is_shared: bool
    ) -> None:
        self._write, self._folder, self._is_shared = write, folder, is_shared
        self._due_s = 0.0

    def write(self, outcomes: Sequence[VideoResult | Reject], wait_s: float = JOIN_WAIT_S) -> None:
        """Write, and let many times the time that it took go by before it is due again."""
        began_s = time.monotonic()
        with joining(self._folder, wait_s) if self._is_shared else nullcontext():
            self._write(outcomes)
        now_s = time.monotonic()
        self._due_s = now_s + max(_TABLES_EVERY_S, _TABLES_REST * (now_s - began_s))

    def write_if_due(self, outcomes: Sequence[VideoResult | Reject]) -> None:
        """Write, unless that was done just before, or another shard does it."""
        if time.monotonic() >= self._due_s:
            with suppress(LockedError):
                self.write(outcomes, wait_s=0.0)
