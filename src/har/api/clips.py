"""From videos to clips to learn from: synthesize and prepare."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from har.api.settings import StrPath, check_extra, extra, list_paths, to_path
from har.config import PoseConfig, PosesConfig, PrepareConfig, ScaleConfig, SynthConfig
from har.dataset.store import Store
from har.dataset.validation import Report
from har.errors import ConfigError
from har.parallel import Lost, StartCrew, Workers, count_cores
from har.progress import track
from har.types import Color

if TYPE_CHECKING:
    from har.dataset.catalog import Catalog
    from har.interchange.events import EventTable


@dataclass(frozen=True)
class Synthetic:
    """Files of synthetic clips; those that were not asked for are None.

    Attributes:
        n_clips: Clips in all.
        n_recordings: Long recordings in all.
        manifest: Table of the clips, which `har.prepare` takes.
        sheet: A picture of some of them.
        truth: Table of the acts in the recordings, which lie beside it.
    """

    n_clips: int
    n_recordings: int
    manifest: Path | None = None
    sheet: Path | None = None
    truth: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har synth --json` prints."""
        paths = {"manifest": self.manifest, "sheet": self.sheet, "truth": self.truth}
        return {
            "synthetic": True,
            "n_clips": self.n_clips,
            "n_recordings": self.n_recordings,
            **{name: str(path) for name, path in paths.items() if path is not None},
        }


def synthesize(
    out: StrPath,
    *,
    clips: int = SynthConfig.n_clips,
    scenes: int = SynthConfig.n_scenes,
    recordings: int = 0,
    minutes: float = SynthConfig.recording_min,
    variety: float = SynthConfig.variety,
    seed: int = SynthConfig.seed,
    jobs: int = 0,
    progress: bool = False,
) -> Synthetic:
    """Make labeled clips of people who hit themselves, hit others, or play.

    They are for set-up and tests; figures on them say nothing of real people.

    Args:
        out: The folder to write to.
        clips: Clips in all; 0 makes none.
        scenes: Scenes, which are the groups.
        recordings: Long recordings with their truth.
        minutes: Length of one recording.
        variety: 0 plain scenes, 1 the full range of nuisances.
        seed: The same seed gives the same bytes.
        jobs: Processes; 0 means one a core.
        progress: Show a bar.

    Raises:
        ConfigError: A setting is out of its bounds.
        OutputError: Files cannot be written.

    Example:
        >>> import har, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = har.synthesize(folder, clips=3, scenes=1, variety=0, jobs=1)
        ...     len(made.manifest.read_text().splitlines())
        4
    """
    from har.render.sheet import write_synthetic_sheet
    from har.synthetic.clips import write_clips
    from har.synthetic.recordings import write_recordings

    config = SynthConfig(
        n_clips=clips,
        n_scenes=scenes,
        n_recordings=recordings,
        recording_min=minutes,
        variety=variety,
        seed=seed,
    )
    folder, made = to_path(out), Synthetic(clips, recordings)
    if clips:
        manifest = write_clips(folder, config, jobs, progress)
        sheet = write_synthetic_sheet(folder / "sheet.png", manifest)
        made = replace(made, manifest=manifest, sheet=sheet)
    if recordings:
        truth = write_recordings(folder / "recordings", config, jobs, progress)
        made = replace(made, truth=truth)
    return made


@dataclass(frozen=True)
class PreparedStore(Store):
    """A store, and what was found while it was made.

    Attributes:
        report: What there is of each label, what was left out, and what to be warned of.
        n_cut: Clips whose frames were made by this run.
        n_reused: Clips that were there already.
    """

    report: Report = field(kw_only=True)
    n_cut: int = field(kw_only=True)
    n_reused: int = field(kw_only=True)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har prepare --json` prints."""
        return {**self.report.to_json(), "n_cut": self.n_cut, "n_reused": self.n_reused}


def prepare(
    source: StrPath | EventTable = "data",
    store: StrPath | None = None,
    *,
    media: StrPath | Iterable[StrPath] | None = None,
    background: str = "",
    points: float = 1.0,
    annotator: str = "",
    renames: Mapping[str, str] | None = None,
    group_by: str | None = None,
    folds: int = PrepareConfig.n_folds,
    size: tuple[int, int] | None = None,
    long_side: int = PrepareConfig.long_side,
    color: Color = PrepareConfig.color,
    fps: float | None = None,
    pose_size: tuple[int, int] | None = None,
    joints: Mapping[str, str] | None = None,
    seed: int = PrepareConfig.seed,
    keypoints: bool = False,
    on: str | None = None,
    tries: int = ScaleConfig.tries,
    limit_s: float = ScaleConfig.limit_s,
    jobs: int = 0,
    progress: bool = False,
) -> PreparedStore:
    """Turn a folder of clips, one sub-folder a label, a manifest or a coding into a store.

    Run again, it only does what has changed. Videos that cannot be used are in ``rejects``, each
    with its reason. Keypoints of other tools may stand where videos do; models with streams 'pose'
    learn from them.

    Args:
        source: The folder, or a table of clips; with ``media`` a coding of recordings: what
            `har.read_events` gives, or a file that it reads.
        store: Folder of the store; ``.store`` in the folder of the clips when None.
        media: Folders of the recordings that a coding names, or their files. Each coded event
            becomes a clip, and each recording is a group unless the coding names groups.
        background: Label of clips that are cut where nothing is coded, as many as the most frequent
            label has events and as long as the median event (1 to 10 s); none when empty.
        points: Length that coded point events get, in seconds.
        annotator: Whose events count, where a coding has several annotators.
        renames: What labels of the coding are called here, such as ``{"Hitting others": "fight"}``;
            an empty text leaves a label's events out.
        group_by: Manifest column, or a regular expression with one group on the file's path. What
            has the same group is never divided between training and test.
        folds: Parts of the cross-validation.
        size: (H, W) of the stored pictures; chosen by the clips' shape when None.
        long_side: Pixels of the longer side where the size is chosen.
        color: ``gray`` for the motion input, ``rgb`` for the RGB input.
        fps: As of `har.read_poses`, for files of keypoints in the place of videos.
        pose_size: As ``size`` of `har.read_poses`.
        joints: As of `har.read_poses`.
        seed: Draws the splits.
        keypoints: Also find the people of every clip, which else training with a pose stream does.
        on: As of `har.predict`, like ``tries`` and ``limit_s``: the machines of a Ray cluster do
            it; they must see the videos and the store under the same paths.
        tries: So often a video may end its worker before it is left out.
        limit_s: Seconds that one try of a video may take.
        jobs: Videos at once; 0 means one a core.
        progress: Show a bar.

    Raises:
        MissingDependencyError: ``on``, and Ray is not installed.
        WorkerError: Worker processes cannot be started, or the cluster is not reached.
        NoClipsError: Fewer than two labels have a usable clip.
        ManifestError: The manifest or ``group_by`` cannot be understood.
        InterchangeError: The coding cannot be understood.
        SplitError: The manifest's column ``split`` divides a group.
        StoreError: The store cannot be written.
        LockedError: Another run prepares the same store.
        ConfigError: A setting is out of its bounds.

    Example:
        >>> import har, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = har.synthesize(folder, clips=6, scenes=3, variety=0, jobs=1)
        ...     store = har.prepare(folder, long_side=64, folds=2, jobs=1)
        >>> len(store.clips), store.labels
        (6, ('hitting_others', 'hitting_self', 'playing'))
    """
    cluster = None if on is None else ScaleConfig(on, jobs, tries, limit_s)
    if on is not None:
        check_extra("scale", "ray")
    with extra("train"):
        from har.dataset.prepare import prepare as prepare_store
        from har.reports.store import write_report
    clips: Path | Catalog
    if media is not None:
        clips = _read_coding(
            source, list_paths(media), background, points, annotator, renames, group_by
        )
        place = list_paths(media)[0]
    elif isinstance(source, str | Path):
        _refuse_coding(to_path(source), background or annotator or renames)
        clips = place = to_path(source)
    else:
        raise ConfigError("Events of recordings need media=, the folder of the recordings")
    folder = (
        (place if place.is_dir() else place.parent) / ".store" if store is None else to_path(store)
    )
    config = PrepareConfig(
        long_side=long_side,
        size=size,
        color=color,
        n_folds=folds,
        group_by=group_by,
        seed=seed,
        jobs=jobs,
        poses=PosesConfig(fps, pose_size, joints or {}),
    )
    start = _start_crew(cluster, folder, place, jobs)
    with extra("train"):
        done = prepare_store(clips, folder, config, progress, start)
        write_report(done.report, done.store)
    if keypoints:
        _find_people(done.store, start, progress)
    values = {item.name: getattr(done.store, item.name) for item in fields(Store)}
    return PreparedStore(**values, report=done.report, n_cut=done.n_cut, n_reused=done.n_reused)


def _start_crew(cluster: ScaleConfig | None, store: Path, source: Path, jobs: int) -> StartCrew:
    """Return what starts those who do it: processes of this machine, or a cluster's."""
    if cluster is None:
        return partial(Workers, jobs or count_cores())
    from har.scale.run import start_on_cluster

    return start_on_cluster(cluster, store, [store, source])


def _find_people(store: Store, start: StartCrew, progress: bool) -> None:
    from har.inference.cache import KeypointJob, find_keypoints

    clips = [clip for clip in store.clips if clip.clip_id not in store.keypoint_clips]
    rate_hz = PoseConfig().rate_hz
    jobs = [KeypointJob(store.path, store.data_hash, rate_hz, clip.clip_id) for clip in clips]
    with start(lambda: None) as crew:
        for job, done in track(
            crew.run(find_keypoints, jobs), "keypoints", "clip", len(jobs), progress
        ):
            if isinstance(done, Lost):
                why = done.reason or "its process was killed"
                warnings.warn(f"No keypoints of {job.clip_id}: {why}", stacklevel=3)


def _refuse_coding(source: Path, option: object) -> None:
    """Say that a coding of recordings needs the recordings.

    Raises:
        ConfigError: It does.
    """
    from har.dataset.manifest import has_header
    from har.interchange.formats import is_coding

    if option:
        raise ConfigError(
            "background, annotator and renames are for a coding of recordings; name the folder of "
            "the recordings with --media"
        )
    if source.is_file() and not has_header(source) and is_coding(source):
        raise ConfigError(
            f"{source} is a coding of recordings; name the folder of the recordings with --media"
        )


def _read_coding(
    source: StrPath | EventTable,
    media: list[Path],
    background: str,
    points: float,
    annotator: str,
    renames: Mapping[str, str] | None,
    group_by: str | None,
) -> Catalog:
    from har.dataset.catalog import check_classes
    from har.interchange.clips import CodingOptions, build_catalog
    from har.interchange.coding import rename_labels
    from har.interchange.formats import read_events

    options = CodingOptions(background, points, annotator, group_by)
    is_file = isinstance(source, str | Path)
    table = read_events(to_path(source)) if is_file else source
    where = to_path(source) if is_file else media[0]
    catalog = build_catalog(rename_labels(table, renames or {}, str(where)), media, options)
    check_classes(where, catalog.clips, catalog.rejects)
    return catalog


def open_store(store: Store | StrPath) -> Store:
    """Return a store, opened if it is named by its folder.

    Raises:
        StoreError: There is none, or it cannot be used.
    """
    return store if isinstance(store, Store) else Store.load(to_path(store))
