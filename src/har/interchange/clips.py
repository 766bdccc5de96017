"""From coded recordings to clips to learn from: what `har prepare CODING --media DIR` takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from har.dataset.catalog import RECORDINGS, Catalog, Reject, assign_groups, iter_files
from har.dataset.manifest import make_clip_id
from har.errors import ConfigError, NoClipsError, VideoError
from har.interchange.coding import choose_annotator, find_video, note_namesakes
from har.interchange.events import CodedEvent, EventTable, give_length, name_some
from har.progress import format_count
from har.types import Clip
from har.video.file.reader import probe_video

MARGIN_S = 0.5
"""Background stays this far from every event: people code an onset some tenths of a second off."""
_LEAST_S, _MOST_S = 1.0, 10.0
_SHARE = 0.5
Span = tuple[float, float]


@dataclass(frozen=True)
class CodingOptions:
    """How a coding becomes clips.

    Attributes:
        background: Label of clips that are cut where nothing is coded; empty cuts none.
        point_s: Length that point events get, in seconds.
        annotator: Whose events count, where a file holds those of several; empty takes the only
            one.
        group_by: Regular expression with one group on the video's path; None takes the coding's
            groups, else each recording for itself.
    """

    background: str = ""
    point_s: float = 1.0
    annotator: str = ""
    group_by: str | None = None

    def __post_init__(self) -> None:
        if not 0.04 <= self.point_s <= 60.0:
            raise ConfigError(
                f"Expected a length of point events from 0.04 to 60 s, received {self.point_s:g}"
            )


def build_catalog(table: EventTable, media: Sequence[Path], options: CodingOptions) -> Catalog:
    """Return a clip for each coded event whose video is there.

    Events of one label that overlap in one recording become one clip. An event that overlaps those
    of other labels for more than half of its length shows both: it is left out. Whatever is left
    out is among the rejects.

    Args:
        table: The coding.
        media: The videos, or folders of them.
        options: What else to know.

    Raises:
        NoClipsError: No video of the coding is there.
        ConfigError: The coding has several annotators of a video, and none was chosen, or it has
            events that are called like the background.
    """
    table = choose_annotator(table, options.annotator, "The coding")
    events = give_length(table, options.point_s).events
    if options.background in {event.label for event in events} - {""}:
        raise ConfigError(
            f"The background cannot be called {options.background!r}: the coding has events of "
            "that label, and clips of where nothing is coded would be taken for them"
        )
    files, rejects = _find_files(media)
    by_video = {item.video: [e for e in events if e.video == item.video] for item in table.media}
    paths, missing = _match(by_video, files)
    rejects += [
        Reject(
            "",
            Path(video),
            f"coded ({format_count(len(by_video[video]), 'event')}), but no such file is there",
        )
        for video in missing
    ]
    if not paths:
        raise NoClipsError(
            f"None of the {len(by_video)} videos of the coding is in "
            f"{', '.join(map(str, media))}; the first is {next(iter(by_video), 'missing')!r}, the "
            f"folder has {', '.join(path.name for path in files[:5]) or 'no video'}"
        )
    root = media[0] if media[0].is_dir() else media[0].parent
    clips: list[Clip] = []
    for video, path in paths.items():
        made, left_out = _cut(by_video[video], path, root)
        clips += made
        rejects += left_out
    lengths_s = {item.video: item.duration_s for item in table.media}
    if options.background:
        clips += _cut_background(by_video, paths, lengths_s, options.background, root)
    groups = {item.video: item.group for item in table.media}
    grouped, source = _group(clips, paths, groups, options.group_by, root)
    uncoded = [path.name for path in files if path not in paths.values()]
    notes = (
        *table.notes,
        *name_some("Videos without a line in the coding are left out", uncoded),
        *note_namesakes((video, str(path)) for video, path in paths.items()),
    )
    ordered = sorted(grouped, key=lambda clip: (str(clip.path), clip.start_s, clip.clip_id))
    return Catalog(tuple(ordered), tuple(rejects), source, notes)


def _find_files(media: Sequence[Path]) -> tuple[list[Path], list[Reject]]:
    rejects: list[Reject] = []
    files: dict[Path, None] = {}
    for place in media:
        if not place.exists():
            raise NoClipsError(f"There is no folder or video {place}; check the name")
        found = iter_files(place, rejects) if place.is_dir() else [place]
        files |= dict.fromkeys(path.absolute() for path in found)
    return list(files), rejects


def _match(coded: Iterable[str], files: Sequence[Path]) -> tuple[dict[str, Path], list[str]]:
    """Return the file of each coded video, and the videos without one."""
    names = {str(path): path for path in files}
    paths: dict[str, Path] = {}
    missing: list[str] = []
    for video in coded:
        found = find_video(video, names)
        if found is None:
            missing.append(video)
        elif names[found] in paths.values():
            raise ConfigError(f"Two videos of the coding are the file {found}; rename one of them")
        else:
            paths[video] = names[found]
    return paths, missing


def _cut(events: Sequence[CodedEvent], path: Path, root: Path) -> tuple[list[Clip], list[Reject]]:
    clips: list[Clip] = []
    rejects: list[Reject] = []
    for label in dict.fromkeys(event.label for event in events):
        own = [event for event in events if event.label == label]
        others = join_spans((e.start_s, e.end_s) for e in events if e.label != label)
        for start_s, end_s in join_spans((event.start_s, event.end_s) for event in own):
            shared_s = sum(max(min(b, end_s) - max(a, start_s), 0.0) for a, b in others)
            clip_id = make_clip_id(path, root, start_s, end_s)
            if shared_s > _SHARE * (end_s - start_s):
                reason = (
                    f"{label} from {start_s:g} to {end_s:g} s overlaps other labels for "
                    f"{shared_s:.2f} s, so the clip would show both"
                )
                rejects.append(Reject(clip_id, path, reason))
                continue
            inside = [event for event in own if start_s <= event.start_s < end_s]
            who = {event.subject for event in inside}
            subject = who.pop() if len(who) == 1 else ""
            weight = max(event.weight for event in inside)
            clip = Clip(clip_id, path, label, "", subject, start_s, end_s, weight=weight)
            clips.append(clip)
    return clips, rejects


def join_spans(spans: Iterable[Span]) -> list[Span]:
    """Return what several spans cover, in order; those that touch stay apart.

    >>> join_spans([(0, 2), (5, 6), (1, 3), (3, 4)])
    [(0, 3), (3, 4), (5, 6)]
    """
    joined: list[Span] = []
    for start_s, end_s in sorted(spans):
        if joined and start_s < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end_s))
        else:
            joined.append((start_s, end_s))
    return joined


def find_free(spans: Iterable[Span], length_s: float, margin_s: float = MARGIN_S) -> list[Span]:
    """Return where nothing is, at a distance from everything, within a recording.

    >>> find_free([(2, 3), (9, 12)], 10.0)
    [(0.0, 1.5), (3.5, 8.5)]
    """
    free: list[Span] = []
    at_s = 0.0
    for start_s, end_s in join_spans((a - margin_s, b + margin_s) for a, b in spans):
        if start_s > at_s:
            free.append((at_s, min(start_s, length_s)))
        at_s = max(at_s, end_s)
    if at_s < length_s:
        free.append((at_s, length_s))
    return [(start_s, end_s) for start_s, end_s in free if end_s > start_s]


def _cut_background(
    by_video: Mapping[str, Sequence[CodedEvent]],
    paths: Mapping[str, Path],
    lengths_s: Mapping[str, float | None],
    label: str,
    root: Path,
) -> list[Clip]:
    """Return clips of the median event's length, as many as the most frequent label has events.

    They are spread evenly over all free time of all recordings.
    """
    events = [event for video in paths for event in by_video[video]]
    counts = [sum(event.label == name for event in events) for name in {e.label for e in events}]
    length_s = min(max(median(e.end_s - e.start_s for e in events), _LEAST_S), _MOST_S)
    pieces: list[tuple[Path, float]] = []
    for video, path in paths.items():
        spans = [(event.start_s, event.end_s) for event in by_video[video]]
        known_s = filter(None, (lengths_s[video], _probe_length_s(path)))  # a coding may be wrong
        end_s = min(known_s, default=max((b for _, b in spans), default=0))
        for start_s, stop_s in find_free(spans, end_s):
            n_pieces = int((stop_s - start_s) / length_s)
            pieces += [(path, round(start_s + k * length_s, 3)) for k in range(n_pieces)]
    n_wanted = min(max(counts), len(pieces))
    chosen = [pieces[(2 * k + 1) * len(pieces) // (2 * n_wanted)] for k in range(n_wanted)]
    return [
        Clip(
            make_clip_id(path, root, start_s, start_s + length_s),
            path,
            label,
            start_s=start_s,
            end_s=start_s + length_s,
        )
        for path, start_s in chosen
    ]


def _probe_length_s(path: Path) -> float | None:
    try:
        return probe_video(path).duration_s
    except VideoError:  # it becomes a reject when its clips are cut
        return None


def _group(
    clips: list[Clip],
    paths: Mapping[str, Path],
    groups: Mapping[str, str],
    group_by: str | None,
    root: Path,
) -> tuple[list[Clip], str]:
    if group_by is not None:
        return assign_groups(clips, {}, group_by, root)
    named = {path: groups[video] or f"video {video}" for video, path in paths.items()}
    source = "column group" if any(groups.values()) else RECORDINGS
    return [replace(clip, group=named[clip.path]) for clip in clips], source
