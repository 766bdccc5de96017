"""Events beside a reference coding: both read, joined by the videos' names, and scored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from har import files
from har.config import BACKGROUND_NAMES, DecodeConfig, find_background
from har.errors import ConfigError
from har.escaping import guard_cell
from har.events.files import SCORES_ENDING, find_scores, load_scores
from har.events.recut import find_record
from har.interchange.coding import (
    VideoEvents,
    check_known,
    find_video,
    list_labels,
    note_background,
    note_namesakes,
    read_coding,
)
from har.interchange.har_json import RESULTS, is_results
from har.learned import NOTE
from har.metrics.alarms import AlarmCurve, AlarmPoint, ScoredRecording, compute_curves
from har.metrics.events import CodedRecording, EventMetrics, compute_event_metrics
from har.metrics.intervals import warn_few_groups
from har.metrics.outcomes import EventMatch, RecordingCounts, count_recordings, list_matches
from har.types import Event

_N_NAMED = 5
_UNCODED = (
    "Not in the reference coding, so left out (one that was watched and in which nothing happens "
    "needs a line with empty label and times)"
)


@dataclass(frozen=True)
class EventScore:
    """How well events agree with a reference coding (truth).

    Attributes:
        metrics: Figures with intervals over recordings.
        curves: One a label, where scores were given.
        matches: Every hit, miss and false alarm, by recording and time.
        recordings: The same, counted for each recording, the worst first.
        notes: What had to be assumed of the tables; videos that are on one side only, and how they
            count.
        warnings: Why the figures are no honest ones, in sentences; usually none.
    """

    metrics: EventMetrics
    curves: tuple[AlarmCurve, ...]
    matches: tuple[EventMatch, ...]
    recordings: tuple[RecordingCounts, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har score-events --json`` prints."""
        curves = [curve.to_json() for curve in self.curves]
        return {
            **self.metrics.to_json(),
            "curves": curves,
            "recordings": [item.to_json() for item in self.recordings],
            "notes": list(self.notes),
            "warnings": list(self.warnings),
        }

    def _repr_html_(self) -> str:
        from har.reports.events import render_score

        return render_score(self)


def score_events(
    predicted: Path,
    truth: Path,
    scores: Sequence[Path] = (),
    labels: Sequence[str] = (),
    decode: DecodeConfig | None = None,
    renames: Mapping[str, str] | None = None,
    annotator: str = "",
) -> EventScore:
    """Compare recognized events with a reference coding.

    Args:
        predicted: ``results.json`` of `har predict` or ``events.json`` of `har events`, which have
            the length of each video, too, and videos without any event; or a CSV of events.
        truth: A table of events, see `har.interchange.coding`.
        scores: Files of scores, or folders of them: for the curve, and for lengths that
            ``predicted`` does not know.
        labels: Those that count; empty for all that occur but the background.
        decode: The settings in use, for the curve; the defaults when None.
        renames: What labels of the reference coding are called by the model; empty leaves them out.
        annotator: Whose events of the reference count, where several coded a video.

    Raises:
        InterchangeError: A table cannot be understood.
        OutputError: The results or the scores cannot be read.
        ConfigError: A name stands for several videos, a label is not known to the model, several
            annotators coded a video, or there is nothing to compare.
    """
    predicted = predicted / RESULTS if (predicted / RESULTS).is_file() else predicted
    if is_results(truth) and not is_results(predicted):
        raise ConfigError(
            f"{truth} holds results of har, {predicted} does not: the found events come first, "
            "then the reference coding. Exchange the two"
        )
    is_complete = predicted.suffix.lower() == ".json"
    found = read_coding(predicted)
    coded = read_coding(truth, renames, annotator)
    scored, scored_notes = load_scored(scores, coded.videos)
    lengths_s = {item.name: item.hours * 3600.0 for item in scored}
    recordings, notes = _pair(found.videos, coded.videos, is_complete, lengths_s)
    if not recordings:
        ours, theirs = (
            next((v.video for v in part), "none") for part in (found.videos, coded.videos)
        )
        raise ConfigError(
            f"No recording is in both: the first of {predicted} is {ours!r}, that of {truth} "
            f"{theirs!r}. Name the videos alike"
        )
    only_coded = _check_labels(coded.videos, found.videos, scored, labels)
    chosen = list(labels) or list_labels(coded.videos, found.videos, BACKGROUND_NAMES)
    metrics = compute_event_metrics(chosen, recordings)
    curves = _compute_curves(scored, chosen, decode, metrics)
    coded_labels = [event.label for video in coded.videos for event in video.events]
    left_out = "" if labels else note_background(coded_labels)
    late = note_late_events((item.name, item.duration_s, item.truth) for item in recordings)
    few = warn_few_groups(metrics.n_groups, "groups of recordings")
    every = (*coded.notes, *found.notes, *notes, *scored_notes, *only_coded, *late, left_out, few)
    matches = list_matches(chosen, recordings)
    learned = warn_of_learned(scores, predicted)
    counts = count_recordings(matches, recordings)
    noted = tuple(dict.fromkeys(filter(None, every)))
    return EventScore(metrics, curves, matches, counts, noted, tuple(learned))


def write_score_tables(out_dir: Path, result: EventScore, guard: bool = True) -> None:
    """Write ``matches.csv``, every hit, miss and false alarm, and ``recordings.csv``.

    Raises:
        OutputError: A file cannot be written.
    """
    for name, items in (("matches.csv", result.matches), ("recordings.csv", result.recordings)):
        rows = [item.to_json() for item in items]
        if rows:
            cells = [
                ["" if value is None else guard_cell(str(value), guard) for value in row.values()]
                for row in rows
            ]
            files.write_csv(out_dir / name, list(rows[0]), cells)


def warn_of_learned(scores: Iterable[Path], results: Path | None = None) -> list[str]:
    """Return a warning where recordings are ones that the model has learned from.

    Args:
        scores: Files of scores, or folders of them.
        results: ``results.json`` or ``events.json``; of other files nothing is known.
    """
    known = [find_record(path) for path in find_scores(scores)]
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):  # not of har
        entries = json.loads(results.read_text(encoding="utf-8")) if results else []
        known += [(str(item["video"]), str(item.get("note", ""))) for item in entries]
    names = dict.fromkeys(Path(video).name for video, note in known if NOTE in note)
    return _note(
        "The model has learned from these recordings, so figures on them are no honest ones",
        list(names),
    )


def _check_labels(
    coded: Sequence[VideoEvents],
    found: Sequence[VideoEvents],
    scored: Sequence[ScoredRecording],
    chosen: Sequence[str],
) -> list[str]:
    """Refuse labels that no result can have.

    A table of events tells no more of a model than what it has found; then a label may be missing
    because nothing was found: that is noted, and only a table that shares none with the coding is
    refused.
    """
    known = {label for video in found for label in video.labels}
    known |= {label for item in scored for label in item.scores.labels}
    true, seen = ({e.label for v in videos for e in v.events} for videos in (coded, found))
    wanted = set(chosen) or true
    if known or not (wanted & seen):
        check_known(wanted, known | seen)
        return []
    missing = [label for label in list_labels(coded, (), BACKGROUND_NAMES) if label not in seen]
    return _note("Coded, but no found event has such a label; --map renames one", missing)


def note_late_events(
    recordings: Iterable[tuple[str, float | None, Sequence[Event]]],
) -> list[str]:
    """Return a note where coded events begin after the end of their video.

    Args:
        recordings: Name, length in seconds or None, and coded events of each.
    """
    late = [
        f"{name} ({event.label} at {event.onset_s:g} s, the video has {duration_s:.1f} s)"
        for name, duration_s, events in recordings
        for event in events
        if duration_s and event.onset_s >= duration_s
    ]
    return _note("Coded events begin after the end of their video and count as not found", late)


def load_scored(
    paths: Iterable[Path], coded: Sequence[VideoEvents]
) -> tuple[list[ScoredRecording], list[str]]:
    """Read files of scores and join them with a reference coding.

    Args:
        paths: Files written by `har predict`, or folders: then all in them that end in
            ``.scores.csv``.
        coded: The reference coding. A recording that it does not name is left out.

    Returns:
        The recordings, by name, and notes about videos that are on one side only.

    Raises:
        OutputError: A file cannot be read, or a folder holds none.
        ConfigError: Two files are of one video, or a name stands for several.
    """
    by_video = {video.video: video for video in coded}
    recordings, uncoded, taken = [], [], dict[str, Path]()
    for path in find_scores(paths):
        name = path.name.removesuffix(SCORES_ENDING)
        video = find_video(name, by_video) or find_video(find_record(path)[0], by_video)
        if video is None:
            uncoded.append(name)
            continue
        truth = by_video[video]
        if truth.video in taken:
            raise ConfigError(
                f"{taken[truth.video]} and {path} are both scores of {truth.video}; give one"
            )
        taken[truth.video] = path
        scored = ScoredRecording(truth.video, load_scores(path), truth.events, truth.group)
        recordings.append(scored)
    unscored = [video for video in by_video if video not in taken]
    if not recordings and not uncoded:
        return [], []
    return recordings, [
        *_note(_UNCODED, uncoded),
        *_note("Coded but without scores, so they are left out of the curve", unscored),
    ]


def _pair(
    found: Sequence[VideoEvents],
    coded: Sequence[VideoEvents],
    is_complete: bool,
    lengths_s: dict[str, float],
) -> tuple[list[CodedRecording], list[str]]:
    """Join both sides by the videos' names."""
    by_video = {video.video: video for video in coded}
    recordings, uncoded, taken, pairs = [], [], set[str](), []
    for video in found:
        name = find_video(video.video, by_video)
        if name is None:
            uncoded.append(video.video)
            continue
        if name in taken:
            raise ConfigError(f"Several videos of the results are {name} of the reference coding")
        truth = by_video[name]
        taken.add(truth.video)
        pairs.append((truth.video, video.video))
        duration_s = video.duration_s or lengths_s.get(truth.video)
        recordings.append(
            CodedRecording(truth.video, truth.events, video.events, duration_s, truth.group)
        )
    missing = [name for name in by_video if name not in taken]
    notes = [*_note(_UNCODED, uncoded), *note_namesakes(pairs)]
    if is_complete:
        return recordings, [*notes, *_note("Coded but not recognized, so left out", missing)]
    recordings += [
        CodedRecording(name, by_video[name].events, (), lengths_s.get(name), by_video[name].group)
        for name in missing
    ]
    return recordings, notes


def _note(what: str, videos: Sequence[str]) -> list[str]:
    if not videos:
        return []
    more = f" and {len(videos) - _N_NAMED} more" if len(videos) > _N_NAMED else ""
    return [f"{what}: {', '.join(videos[:_N_NAMED])}{more}"]


def _compute_curves(
    scored: Sequence[ScoredRecording],
    labels: Sequence[str],
    decode: DecodeConfig | None,
    metrics: EventMetrics,
) -> tuple[AlarmCurve, ...]:
    """Return the curves; the operating point on them is that of the events themselves."""
    if not scored:
        return ()
    known = [label for label in labels if all(label in item.scores.labels for item in scored)]
    rule = decode or DecodeConfig(find_background(scored[0].scores.labels))
    curves = compute_curves(scored, known, rule) if known else ()
    by_label = {item.label: item.figures for item in metrics.per_label}
    return tuple(_mark_events(curve, by_label[curve.label]) for curve in curves)


def _mark_events(curve: AlarmCurve, figures: dict[str, Any]) -> AlarmCurve:
    recall, rate = figures["recall"].mean, figures["false_alarms_per_hour"].mean
    if recall is None or rate is None:
        return curve
    return replace(curve, chosen=AlarmPoint(None, recall, rate))
