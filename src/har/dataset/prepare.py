"""From a folder or manifest of clips to a store: scan, cut, group, split, report."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from har.config import PosesConfig, PrepareConfig
from har.dataset.catalog import SCENES, Catalog, Reject, scan
from har.dataset.cut import CutJob, CutResult, cut_video, probe_size
from har.dataset.index import StoredClip
from har.dataset.scenes import find_scenes
from har.dataset.splits import build_splits
from har.dataset.store import (
    FrameSettings,
    Store,
    StoreSettings,
    frames_path,
    keypoints_path,
    times_path,
)
from har.dataset.store_writer import StoreWriter, read_known_clips
from har.dataset.validation import Report, build_report
from har.errors import LockedError, NoClipsError, StoreError
from har.files import compute_file_hash
from har.locks import locking
from har.parallel import Crew, Lost, StartCrew, Workers, count_cores
from har.progress import track
from har.types import KEYPOINTS, Clip
from har.video.geometry import compute_fill

_log = logging.getLogger(__name__)

_ASPECTS = ((1, 1), (4, 3), (16, 9), (3, 4), (9, 16))
_SIDE_STEP_PX = 32
_N_NAMED = 5
_OWN_GROUPS = ("video ", "scene of ")
"""Begin the names of groups that no person named."""
_SIZE_SAMPLE = 100
_USUAL_SIZE = (9, 16)
"""Of videos that a model of keypoints may be used on."""


@dataclass(frozen=True)
class PrepareSummary:
    """The outcome of a run of `prepare`.

    Attributes:
        store: The finished store.
        report: Its figures and warnings, by `har.dataset.validation`.
        n_cut: Clips that this run has decoded.
        n_reused: Clips that were there already.
    """

    store: Store
    report: Report
    n_cut: int
    n_reused: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values: the report's figures and what this run did."""
        return {**self.report.to_json(), "n_cut": self.n_cut, "n_reused": self.n_reused}


def prepare(
    source: Path | Catalog,
    store_dir: Path,
    config: PrepareConfig,
    progress: bool = False,
    start_crew: StartCrew | None = None,
) -> PrepareSummary:
    """Create or update the store of a folder or manifest of clips.

    Each video is decoded once; videos that have not changed since the last run are not decoded
    at all. A video that cannot be used is listed in ``rejects.csv`` and never stops the others. A
    run that was interrupted goes on where it stopped.

    Args:
        source: See `har.dataset.catalog.scan`; or clips that are listed already.
        store_dir: Folder of the store; it is created if needed.
        config: Settings.
        progress: Whether to show a progress bar on standard error.
        start_crew: Who decodes videos; processes of this machine when None.

    Raises:
        NoClipsError: Fewer than two labels have a usable clip.
        ManifestError: The manifest or ``group_by`` cannot be understood.
        SplitError: The manifest's column ``split`` divides a group.
        StoreError: The store cannot be written.
        LockedError: Another run prepares the same store.
    """
    catalog = source if isinstance(source, Catalog) else scan(source, config.group_by)
    try:
        with locking(store_dir):
            return _prepare(catalog, store_dir, config, progress, start_crew)
    except LockedError:
        raise
    except OSError as error:
        raise StoreError(
            f"The store {store_dir} cannot be written: {error}; clips that are done stay, so fix"
            " this and run har prepare again"
        ) from error


def choose_size(sizes: Iterable[tuple[int, int]], long_side: int) -> tuple[int, int]:
    """Return the picture shape that leaves the least part of it to letterbox bars.

    Args:
        sizes: (H, W) of the videos, at least one.
        long_side: Pixels of the longer side.

    Returns:
        (H, W) near 1:1, 4:3, 16:9, 3:4 or 9:16, both multiples of 32.

    >>> choose_size([(360, 640), (720, 1280), (480, 640)], 224)
    (128, 224)
    """
    counted = Counter(sizes)
    shapes = [_shape(aspect, long_side) for aspect in _ASPECTS]
    return max(
        shapes, key=lambda shape: sum(n * compute_fill(s, shape) for s, n in counted.items())
    )


def _shape(aspect: tuple[int, int], long_side: int) -> tuple[int, int]:
    width, height = aspect
    scale = long_side / max(aspect)
    short = max(round(min(aspect) * scale / _SIDE_STEP_PX), 1) * _SIDE_STEP_PX
    return (short, long_side) if width > height else (long_side, short)


def _prepare(
    catalog: Catalog,
    store_dir: Path,
    config: PrepareConfig,
    progress: bool,
    start_crew: StartCrew | None,
) -> PrepareSummary:
    start = start_crew or partial(Workers, config.jobs or count_cores())
    with start(lambda: None) as workers:
        size = config.size or _measure_size(catalog.clips, store_dir, config.long_side, workers)
        poses = "" if config.poses == PosesConfig() else json.dumps(asdict(config.poses))
        frames = FrameSettings(size, config.color, config.max_rate_hz, poses)
        writer = StoreWriter(store_dir, frames)
        reused = _find_unchanged(catalog.clips, writer.reusable, store_dir)
        jobs = _plan_jobs(catalog.clips, reused, frames, config, store_dir)
        cut, rejects = _cut_all(jobs, writer, workers, progress)
    clips = _in_order(catalog, [*reused.values(), *cut])
    labels = _check_labels(catalog, clips, rejects)
    clips = _with_scenes(clips) if catalog.group_source == SCENES else clips
    clips, joined = join_recordings(clips)
    splits = build_splits(clips, config.n_folds, config.seed)
    settings = StoreSettings(frames, labels, catalog.group_source)
    store = writer.finish(settings, clips, splits, [*catalog.rejects, *rejects])
    report = build_report(store, (*catalog.notes, *joined))
    return PrepareSummary(store, report, n_cut=len(cut), n_reused=len(reused))


def _measure_size(
    clips: Sequence[Clip], store_dir: Path, long_side: int, workers: Crew
) -> tuple[int, int]:
    """Choose the picture's shape by a sample of the clips, known ones without opening them."""
    sample = clips[:: -(-len(clips) // _SIZE_SAMPLE)]
    known = read_known_clips(store_dir)
    sizes = [
        (known[c.clip_id].height, known[c.clip_id].width)
        for c in sample
        if c.clip_id in known and known[c.clip_id].height
    ]
    unknown = sorted({clip.path for clip in sample if clip.clip_id not in known})
    probed = (size for _, size in workers.run(probe_size, unknown))
    sizes += [size for size in probed if isinstance(size, tuple)]
    return choose_size(sizes or [_USUAL_SIZE], long_side)


def _find_unchanged(
    clips: Sequence[Clip], known: dict[str, StoredClip], store_dir: Path
) -> dict[str, StoredClip]:
    """Return the clips whose video has not changed, with their present labels and groups."""
    same: dict[str, StoredClip] = {}
    for clip in clips:
        before = known.get(clip.clip_id)
        if before is None or not _has_files(store_dir, before):
            continue
        try:
            stat = clip.path.stat()
            seen = (before.video_bytes, before.video_mtime_ns)
            is_same = (stat.st_size, stat.st_mtime_ns) == seen or (
                stat.st_size == before.video_bytes
                and compute_file_hash(clip.path) == before.video_hash
            )
        except OSError:  # the reader reports what is wrong with it
            continue
        if is_same:
            same[clip.clip_id] = replace(before, video_mtime_ns=stat.st_mtime_ns, **vars(clip))
    return same


def _has_files(store_dir: Path, clip: StoredClip) -> bool:
    find_path = keypoints_path if clip.kind == KEYPOINTS else frames_path
    paths = find_path(store_dir, clip.clip_id), times_path(store_dir, clip.clip_id)
    return all(path.is_file() for path in paths)


def _plan_jobs(
    clips: Sequence[Clip],
    reused: dict[str, StoredClip],
    frames: FrameSettings,
    config: PrepareConfig,
    store_dir: Path,
) -> list[CutJob]:
    """Return one job a video, the largest files first so that none is left for the end."""
    wanted = [clip for clip in clips if clip.clip_id not in reused]
    jobs = [
        CutJob(path, tuple(of_video), frames, config.min_frames, store_dir, config.poses)
        for path, of_video in groupby(wanted, key=lambda clip: clip.path)
    ]
    return sorted(jobs, key=lambda job: -_file_size(job.path))


def _file_size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # the reader reports what is wrong with it
        return 0


def _cut_all(
    jobs: list[CutJob], writer: StoreWriter, workers: Crew, progress: bool
) -> tuple[list[StoredClip], list[Reject]]:
    cut: list[StoredClip] = []
    rejects: list[Reject] = []
    results = workers.run(cut_video, jobs)
    for job, result in track(results, "preparing", "video", len(jobs), progress):
        if isinstance(result, Lost):
            why = result.reason or "the decoder crashed on this video; repair or replace the file"
            result = CutResult((), tuple(Reject(c.clip_id, c.path, why) for c in job.clips))
        for clip in result.clips:
            writer.add(clip)
        trace = result.rejects[0].trace if result.rejects else ""
        _log.info(
            "%s: %d clips, %d left out%s",
            job.path,
            len(result.clips),
            len(result.rejects),
            trace and f"\n{trace}",
        )
        cut += result.clips
        rejects += result.rejects
    return cut, rejects


def _in_order(catalog: Catalog, clips: Iterable[StoredClip]) -> list[StoredClip]:
    place = {clip.clip_id: place for place, clip in enumerate(catalog.clips)}
    return sorted(clips, key=lambda clip: place[clip.clip_id])


def _check_labels(
    catalog: Catalog, clips: Sequence[StoredClip], rejects: Sequence[Reject]
) -> tuple[str, ...]:
    labels = sorted({clip.label for clip in clips})
    if len(labels) < 2:
        wanted = sorted({clip.label for clip in catalog.clips})
        raise NoClipsError(
            f"Usable clips of at least two labels are needed, of {', '.join(wanted)}; there are"
            f" {len(clips)}, of {', '.join(labels) or 'none'}. The first that was left out:"
            f" {rejects[0].path}: {rejects[0].reason}"
        )
    return tuple(labels)


def join_recordings(clips: Sequence[StoredClip]) -> tuple[list[StoredClip], list[str]]:
    """Return clips with one group where groups share a recording, and notes on which do.

    In training and in test at once a recording would make results seem better than they are. So
    groups that have the same file become one, called like the first of them, and so do those of
    recordings and scenes that have the same bytes under several names. Groups that a person named
    stay apart where they have only the same bytes; a note says so.
    """
    group_of = {clip.group: clip.group for clip in clips}

    def find(group: str) -> str:
        while group_of[group] != group:
            group = group_of[group]
        return group

    by_path: dict[str, dict[str, None]] = {}
    by_bytes: dict[str, dict[str, None]] = {}
    for clip in clips:
        by_path.setdefault(str(clip.path), {})[clip.group] = None
        by_bytes.setdefault(clip.video_hash, {})[clip.group] = None
    for found in by_path.values():
        for group in found:
            group_of[find(group)] = find(next(iter(found)))
    apart: dict[tuple[str, ...], None] = {}
    for found in by_bytes.values():
        named = [group for group in found if not group.startswith(_OWN_GROUPS)]
        for group in found:
            if group not in named:
                group_of[find(group)] = find((named or list(found))[0])
        roots = dict.fromkeys(map(find, named))
        apart |= {tuple(roots): None} if len(roots) > 1 else {}
    joined: dict[str, list[str]] = {}
    for group in group_of:
        joined.setdefault(find(group), []).append(group)
    together = [names for names in joined.values() if len(names) > 1]
    notes = [
        *_name_groups("Groups that share a recording count as one", together),
        *_name_groups(
            "Groups have the same bytes under several names, so a recording may be in training and "
            "test at once; if it is one, name one group",
            apart,
        ),
    ]
    return [replace(clip, group=joined[find(clip.group)][0]) for clip in clips], notes


def _name_groups(what: str, sets: Iterable[Iterable[str]]) -> list[str]:
    named = [" and ".join(map(repr, names)) for names in sets]
    more = [f"{len(named) - _N_NAMED} more"] if len(named) > _N_NAMED else []
    return [f"{what}: {'; '.join([*named[:_N_NAMED], *more])}"] if named else []


def _with_scenes(clips: Sequence[StoredClip]) -> list[StoredClip]:
    """Return the clips with groups named after the first clip of each scene."""
    hashes = [clip.scene_hashes for clip in clips]
    scenes: np.ndarray = find_scenes(hashes, [str(clip.path) for clip in clips])
    return [
        replace(clip, group=f"scene of {clips[first].clip_id}")
        for clip, first in zip(clips, scenes.tolist(), strict=True)
    ]
