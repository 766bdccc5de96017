"""Files of results: those of each video, and those of a folder of videos.

Every file appears under its name only once it is complete. Of a video whose files begin with STEM:

    STEM.scores.csv       the scores with their time grid (`har.events.files`)
    STEM.events.csv       its events as a table; STEM.events.vtt: as subtitles
    STEM.timeline.svg     scores and events at a glance
    STEM.annotated.mp4    optional
    STEM.thumbnails/      optional, a picture of each event
    STEM.keypoints.npz    optional, people's keypoints at every step
    STEM.features.npz     optional, features of the frame CNN (`har.feature_files`), before these

and of all videos, also those of earlier runs, events.csv, results.json and totals.csv.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from har import files
from har.addresses import to_source
from har.config import DecodeConfig, OutputsConfig
from har.dataset.catalog import Reject
from har.escaping import guard_cell, show_controls
from har.events.files import RESULT_ENDING, join_events, write_event_files
from har.events.summary import Totals, add_totals, compute_totals
from har.interchange.har_json import RESULTS
from har.pose.adapters.reading import KEYPOINTS_ENDING, Poses, write_poses
from har.pose.keypoints import N_KEYPOINTS
from har.render.annotate import write_annotated
from har.render.thumbnails import write_thumbnails
from har.render.timeline import write_timeline
from har.result import VideoResult

_TOTALS = "totals.csv"
_STEM_BYTES = 200
"""Of the 255 that a disk allows in a name; the rest is for the endings."""

_TOTAL_COLUMNS = ("video", "duration_s", "label", "n_events", "total_s", "per_hour")


def write_video_outputs(
    base: Path, result: VideoResult, decode: DecodeConfig, outputs: OutputsConfig
) -> None:
    """Write the files of one video, but for its scores.

    Args:
        base: Folder and stem of the files.
        result: What was found. People are drawn if it has pose tracks.
        decode: The settings that the events were cut with.
        outputs: What to write beyond events and timeline; nothing more of what stood where a video
            would.

    Raises:
        OutputError: A file cannot be written.
        VideoError: The video cannot be read again, or the annotated one not written.
    """
    write_event_files(base, str(result.info.path), result.events, outputs.guard)
    write_timeline(files.add_ending(base, ".timeline.svg"), result, decode)
    if not result.info.has_pictures:
        return
    if outputs.keypoints and result.pose_tracks is not None:
        write_poses(files.add_ending(base, KEYPOINTS_ENDING), spread_tracks(result))
    if outputs.annotate:
        path = files.add_ending(base, ".annotated.mp4")
        write_annotated(path, result, decode, privacy=outputs.privacy)
    if outputs.thumbnails:
        path = files.add_ending(base, ".thumbnails")
        write_thumbnails(path, result, decode, outputs.privacy)


def spread_tracks(result: VideoResult) -> Poses:
    """Return the pose tracks of a result as a recording of keypoints, one picture a time step.

    People are in no lasting order, for whoever reads them follows people anew; nobody is seen in
    gaps of the recording.
    """
    tracks = result.pose_tracks
    if tracks is None:
        raise ValueError("Expected a result with pose tracks")
    n_steps = max(round(result.end_s / tracks.step_s), 1)
    steps = np.minimum(np.floor(tracks.times_s / tracks.step_s).astype(np.int64), n_steps - 1)
    seen, at = np.unique(np.stack([steps, tracks.numbers], axis=1), axis=0, return_index=True)
    rows = seen[:, 0]
    places = np.arange(len(rows)) - np.searchsorted(rows, rows)
    points = np.zeros((n_steps, places.max(initial=0) + 1, N_KEYPOINTS, 3), dtype=np.float32)
    points[rows, places] = tracks.points[at]
    size = (result.info.height, result.info.width)
    return Poses(points, 1.0 / tracks.step_s, size, result.info.path, is_followed=True)


def write_folder_outputs(
    folder: Path,
    outcomes: Sequence[VideoResult | Reject],
    stems: Mapping[Path, str],
    decode: DecodeConfig,
    guard: bool = True,
    order: Sequence[Path] = (),
) -> None:
    """Write ``events.csv``, ``results.json`` and ``totals.csv`` of a folder's videos.

    What earlier runs found in other videos stays in all three.

    Args:
        folder: Has the files of each video.
        outcomes: Of this run.
        stems: The stem of each video's files, by its path.
        decode: The settings of this run's events.
        guard: Make cells safe that a spreadsheet would take for a formula.
        order: Videos that stand in this order, behind all others, whichever run or shard did them.

    Raises:
        OutputError: A file cannot be read or written.
    """
    entries = to_json(outcomes, stems, decode)
    stems_now = {entry["stem"] for entry in entries if "stem" in entry}
    videos = {entry["video"] for entry in entries}
    failed = {entry["video"] for entry in entries if "stem" not in entry}
    earlier = [  # a name may be that of another video in another folder: then its stem is another
        entry
        for entry in _read_entries(folder / RESULTS)
        if entry.get("stem") not in stems_now
        and entry["video"] not in (failed if "stem" in entry else videos)
    ]
    place = {str(path): number for number, path in enumerate(order)}
    ordered = sorted([*earlier, *entries], key=lambda entry: place.get(entry["video"], -1))
    join_events(folder, guard)
    files.write_json(folder / RESULTS, ordered)
    _write_totals(folder / _TOTALS, ordered, guard)


def to_json(
    outcomes: Iterable[VideoResult | Reject], stems: Mapping[Path, str], decode: DecodeConfig
) -> list[dict[str, Any]]:
    """Return the values of `har predict --json`: a rejected video has ``video`` and ``error``.

    Arguments are those of `write_folder_outputs`.
    """
    return [
        {"video": str(outcome.path), "error": outcome.reason}
        if isinstance(outcome, Reject)
        else _describe(outcome, stems, decode)
        for outcome in outcomes
    ]


def add_up(results: Iterable[VideoResult], decode: DecodeConfig) -> Totals:
    """Return what the events of some videos add up to."""
    return add_totals([_compute_totals(result, decode) for result in results])


def _compute_totals(result: VideoResult, decode: DecodeConfig) -> Totals:
    return compute_totals(result.scores, result.events, decode, result.duration_s)


def _describe(
    result: VideoResult, stems: Mapping[Path, str], decode: DecodeConfig
) -> dict[str, Any]:
    totals = _compute_totals(result, decode)
    return {**result.to_json(), "stem": stems[result.info.path], "totals": totals.to_json()}


def _read_entries(path: Path) -> list[dict[str, Any]]:
    """Return what earlier runs wrote; nothing where there is none or it is not theirs."""
    try:
        text = path.read_text(encoding="utf-8")
        entries = json.loads(text, parse_constant=_parse_finite, parse_float=_parse_finite)
        return [entry for entry in entries if _is_entry(entry)]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return []


def _parse_finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value


def _is_entry(entry: Any) -> bool:
    """Tell whether what was read can be written again."""
    if not isinstance(entry, dict) or not isinstance(entry["video"], str):
        return False
    totals = entry.get("totals", {"labels": [], "duration_s": 0.0})
    return (
        isinstance(entry.get("stem", ""), str)
        and isinstance(totals["duration_s"], float | int)
        and all(
            isinstance(item["label"], str) and set(item) <= set(_TOTAL_COLUMNS)
            for item in totals["labels"]
        )
    )


def _write_totals(path: Path, entries: Iterable[dict[str, Any]], guard: bool) -> None:
    with (
        files.replacing(path) as part,
        part.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file,
    ):
        writer = csv.DictWriter(file, _TOTAL_COLUMNS, lineterminator="\n")
        writer.writeheader()
        for entry in entries:
            totals = entry.get("totals", {"labels": []})
            for item in totals["labels"]:
                writer.writerow(
                    {
                        **item,
                        "video": guard_cell(show_controls(entry["video"]), guard),
                        "duration_s": totals["duration_s"],
                        "label": guard_cell(show_controls(item["label"]), guard),
                    }
                )


def find_taken_stems(folder: Path) -> dict[str, Path]:
    """Return the stems that earlier runs have used, and the video of each."""
    taken: dict[str, Path] = {}
    for path in sorted(folder.glob(f"*{RESULT_ENDING}")):
        video = find_place(path)
        if video is not None:
            taken[path.name.removesuffix(RESULT_ENDING)] = video
    return taken


def find_place(path: Path) -> Path | None:
    """Return the video of a result; None where har has not written it, or it is damaged."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        place = values.get("place", values["info"]["path"])  # files of before have no place
        video = to_source(place)
        video.resolve()
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RuntimeError):
        return None
    return video


def compute_output_stems(
    paths: Sequence[Path], taken: Mapping[str, Path] | None = None
) -> list[str]:
    """Return a stem for the files of each video, so that many share a folder without a clash.

    Args:
        paths: Different videos, of any folders.
        taken: Stems that are in use, and the video of each; that video has it again.

    Returns:
        The file's own stem where no other has it (whatever the case of its letters), else with
        its ending, with its folder, or with a hash of its path, the first that is enough. A run
        that goes on where one was stopped gives the same stems.

    >>> compute_output_stems([Path("a/x.mp4"), Path("b/x.mp4"), Path("b/y.avi"), Path("b/y.mp4")])
    ['a_x_mp4', 'b_x_mp4', 'y_avi', 'y_mp4']
    >>> compute_output_stems([Path("b/x.mp4")], {"x": Path("a/x.mp4")})
    ['x_mp4']
    """
    in_use = {stem: video.resolve() for stem, video in (taken or {}).items()}
    names = [_list_names(path, in_use) for path in paths]
    levels = [0] * len(paths)
    while True:
        stems = [own[level] for own, level in zip(names, levels, strict=True)]
        counts = Counter(stem.casefold() for stem in stems)
        shared = [
            index
            for index, stem in enumerate(stems)
            if counts[stem.casefold()] > 1 and levels[index] + 1 < len(names[index])
        ]
        if not shared:
            own = {video: stem for stem, video in in_use.items()}
            return [own.get(path.resolve(), stem) for path, stem in zip(paths, stems, strict=True)]
        for index in shared:
            levels[index] += 1


def _list_names(path: Path, in_use: Mapping[str, Path]) -> list[str]:
    """Return the stems that a video may have, the best first; the last is always free."""
    place = path.resolve()
    with_ending = path.name.replace(".", "_")
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:8]
    others = {stem.casefold() for stem, video in in_use.items() if video != place}
    names = [path.stem, with_ending, f"{place.parent.name}_{with_ending}"]
    short = [name for name in names if len(os.fsencode(name)) <= _STEM_BYTES]
    free = [name for name in short if name.casefold() not in others]
    cut = os.fsencode(with_ending)[: _STEM_BYTES - len(digest) - 1].decode("utf-8", "ignore")
    return [*free, f"{cut}_{digest}"]
