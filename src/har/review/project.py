"""What is reviewed: recordings with their results, and an older coding if there is one."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from har.errors import ReviewError
from har.events.files import SCORES_ENDING
from har.interchange.coding import find_video
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.interchange.formats import find_writer, read_events, write_as
from har.interchange.har_json import RESULTS
from har.review.learning import Teacher
from har.review.media import MediaFolder
from har.review.queue import draw_samples
from har.review.store import FoundEvent, Recording, ReviewStore, Verdict
from har.review.watched import WatchFolder


@dataclass(frozen=True)
class Project:
    """Everything that the page works on.

    Attributes:
        store: Recordings, found events, verdicts.
        media: The videos as browsers play them.
        watched: Folders of `har watch`, whose alerts come into the same queue.
        teacher: Trains from verdicts.
    """

    store: ReviewStore
    media: MediaFolder
    watched: tuple[WatchFolder, ...] = ()
    teacher: Teacher = field(default_factory=lambda: Teacher(None))


def add_results(store: ReviewStore, folder: Path) -> int:
    """Add the videos of a folder that `har predict` wrote, with what it found.

    Returns:
        How many recordings.

    Raises:
        ReviewError: It is no such folder.
        InterchangeError: Its results cannot be read.
    """
    results = folder / RESULTS
    if not results.is_file():
        raise ReviewError(f"{folder} has no {RESULTS}; give a folder that 'har predict' wrote")
    table = read_events(results, "har")
    scores = {
        path.name.removesuffix(SCORES_ENDING): path for path in folder.glob(f"*{SCORES_ENDING}")
    }
    for item in table.media:
        stem = find_video(item.video, scores)
        found = [_to_found(event, "model") for event in table.of_video(item.video)]
        store.add_recording(
            Recording(
                0,
                item.video,
                item.duration_s or max((event.end_s for event in found), default=1.0),
                item.fps,
                item.group,
                table.labels,
                str(scores[stem]) if stem else "",
            ),
            found,
        )
    return len(table.media)


def add_coding(store: ReviewStore, table: EventTable) -> list[str]:
    """Add what a person coded before, to be seen beside the model's events.

    Returns:
        The coded videos that are not under review.
    """
    known = {recording.path: recording for recording in store.list_recordings()}
    missing: list[str] = []
    for item in table.media:
        path = find_video(item.video, known)
        if path is None:
            missing.append(item.video)
            continue
        events = [_to_found(event, "coding") for event in table.of_video(item.video)]
        store.add_recording(known[path], events)
    return missing


def add_samples(store: ReviewStore, n_samples: int, length_s: float, seed: int) -> None:
    """Draw random samples of every recording that has none, to estimate what was missed.

    Clips of alerts get none: they were chosen because something was found in them.

    Raises:
        ConfigError: The number or the length is out of its bounds.
    """
    drawn = {event.recording for event in store.list_events() if event.source == "sample"}
    alerts = {event.recording for event in store.list_events() if event.source == "alert"}
    for recording in store.list_recordings():
        if recording.id not in drawn | alerts:
            samples = draw_samples(recording, n_samples, length_s, seed)
            store.add_recording(recording, samples)


def _to_found(event: CodedEvent, source: str) -> FoundEvent:
    who = (event.subject, event.target)
    return FoundEvent(0, 0, source, event.label, event.start_s, event.end_s, event.score, *who)


def build_verdict_table(recordings: Sequence[Recording], verdicts: Iterable[Verdict]) -> EventTable:
    """Return what observers keep, as a table of coded events, the observer as annotator.

    Recordings without any verdict are left out: nobody has looked at them.
    """
    verdicts = tuple(verdicts)
    by_id = {recording.id: recording for recording in recordings}
    events = [
        CodedEvent(
            by_id[verdict.recording].path,
            verdict.start_s,
            verdict.end_s,
            verdict.label,
            verdict.subject,
            verdict.target,
            verdict.observer,
            verdict.comment,
        )
        for verdict in verdicts
        if verdict.kind == "keep"
    ]
    seen = {verdict.recording for verdict in verdicts}
    media = [Media(r.path, r.duration_s, r.fps, r.group) for r in recordings if r.id in seen]
    labels = dict.fromkeys(label for recording in recordings for label in recording.labels)
    return build_table(events, media, labels)


def build_lessons(store: ReviewStore, observer: str, background: str) -> EventTable:
    """Return what there is to learn: kept events, and rejected ones as background.

    A kept event weighs 1, a rejected one its score, or 1 where it has none: the errors of which the
    model was most confident count most. A rejected event that overlaps a kept one of its observer
    is left out: it was merged or moved.

    Args:
        store: Recordings, found events, verdicts.
        observer: Whose verdicts; empty takes all, the observer as annotator.
        background: Label of what was rejected.
    """
    recordings, verdicts = store.list_recordings(), store.list_verdicts(observer=observer or None)
    kept = build_verdict_table(recordings, verdicts)
    by_id = {recording.id: recording for recording in recordings}
    found = {(event.recording, event.key): event for event in store.list_events()}
    spans: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for event in kept.events:
        own = spans.setdefault((event.video, event.annotator), [])
        own.append((event.start_s, event.end_s))
    rejected: list[CodedEvent] = []
    for verdict in verdicts:
        event = found.get((verdict.recording, verdict.key))
        if verdict.kind == "reject" and event is not None and event.source != "sample":
            path, (start_s, end_s) = by_id[verdict.recording].path, (event.start_s, event.end_s)
            own = spans.get((path, verdict.observer), ())
            if all(stop_s <= start_s or end_s <= at_s for at_s, stop_s in own):
                weight = 1.0 if event.score is None else event.score
                coded = CodedEvent(
                    path, start_s, end_s, background, annotator=verdict.observer, weight=weight
                )
                rejected.append(coded)
    return build_table([*kept.events, *rejected], kept.media)


def pack_events(table: EventTable, name: str) -> tuple[bytes, str]:
    """Return a file of a format and its ending: a ZIP of files where it holds one video a file.

    Raises:
        InterchangeError: There is no such format that is written, or it lacks something.
        MissingDependencyError: The format needs an extra that is not installed.
    """
    chosen = find_writer(name)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_as(table, folder, chosen)
        written = sorted(path for path in folder.rglob("*") if path.is_file())
        if len(written) == 1:
            return written[0].read_bytes(), chosen.endings[0]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in written:
                archive.write(path, path.name)
        return packed.getvalue(), ".zip"
