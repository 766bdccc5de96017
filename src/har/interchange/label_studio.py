"""Label Studio's JSON: tasks whose videos have labels on a timeline.

A range counts frames from 1 and includes both ends, so frames 3 to 5 at 25 a second last from 0.08
to 0.2 s. How many frames make a second stands in each task that is written, as ``fps``, for
``<Video frameRate="$fps">``; when tasks of others are read, in ``data`` or in the settings. Older
templates that put labels on the sound count seconds.

Events are written as predictions, one for each annotator. What else an event has stands in
``meta``, which Label Studio keeps. Of tasks with annotations the predictions are left out.

Source: ``TimelineRegion.js`` and ``VideoCanvas.tsx`` of https://github.com/HumanSignal/label-studio
and https://labelstud.io/guide/predictions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from har.files import write_json
from har.interchange.events import CodedEvent, EventTable, Media, build_table, name_some
from har.interchange.format import Format, Source, WriteSettings
from har.interchange.frames import find_fps, require_fps, to_frames
from har.interchange.values import (
    check_dict,
    check_list,
    check_number,
    check_text,
    find_number,
    find_text,
    make_event,
    make_media,
    parsing,
)

_KINDS = ("annotations", "predictions")
_FRAME_LABELS = "timelinelabels"
_ENDS = ("start", "end")
_FPS_KEYS = ("fps", "frameRate", "framerate", "frame_rate")
_META = ("subject", "target")
_UPLOAD = re.compile(r"/data/upload/(?:.*/)?(?:[0-9a-f]{8}-)?([^/]+)")


def _matches(source: Source) -> bool:
    if not source.is_json:
        return False
    first = source.json[0] if isinstance(source.json, list) and source.json else source.json
    return isinstance(first, dict) and "data" in first and bool({*_KINDS} & set(first))


def read_label_studio(source: Source) -> EventTable:
    """Read the labels on the timelines of tasks.

    Raises:
        InterchangeError: The file is damaged, or does not say how many frames make a second.
    """
    media, events, notes = list[Media](), list[CodedEvent](), list[str]()
    others: dict[str, int] = {}
    with parsing(source, "JSON of Label Studio"):
        tasks = [source.json] if isinstance(source.json, dict) else source.json
        for number, task in enumerate(check_list(tasks, "the file"), 1):
            where = f"task {number}"
            task = check_dict(task, where)
            item = _read_media(source, task, where)
            media.append(item)
            kind = next((kind for kind in _KINDS if task.get(kind)), _KINDS[-1])
            if kind == _KINDS[0] and task.get(_KINDS[1]):
                notes.append("Predictions of tasks that have annotations are left out")
            for part in check_list(task.get(kind) or [], f"{where}, {kind}"):
                part = check_dict(part, f"{where}, {kind}")
                if not part.get("was_cancelled"):
                    events += _iter_events(source, item, part, where, others)
    left = [f"{kind} ({n})" for kind, n in others.items()]
    notes += name_some("Results without times are left out", left)
    return build_table(events, media, notes=dict.fromkeys(notes))


def _read_media(source: Source, task: Mapping[str, Any], where: str) -> Media:
    data = check_dict(task.get("data"), f"{where}, data")
    texts = {key: value for key, value in data.items() if isinstance(value, str) and value}
    named = sorted(texts, key=lambda key: (key != "video", "video" not in key.lower()))
    video = _name_video(texts[named[0]]) if named else source.settings.video
    if not video:
        raise ValueError(f"{where}, data: it names no video")
    fps = (find_number(data, key, f"{where}, data") for key in _FPS_KEYS if _is_number(data, key))
    return make_media(where, video, None, source.settings.fps or next(fps, None))


def _is_number(data: Mapping[str, Any], key: str) -> bool:
    return isinstance(data.get(key), (int, float)) and not isinstance(data[key], bool)


def _name_video(address: str) -> str:
    """Return what a video was called before Label Studio took it in.

    >>> _name_video("/data/upload/1/3d3ad63e-day%201.mp4")
    'day 1.mp4'
    >>> _name_video("/data/local-files/?d=films/a.mp4")
    'films/a.mp4'
    """
    if match := _UPLOAD.fullmatch(address):
        return unquote(match[1])
    if address.startswith("/data/local-files/"):
        return parse_qs(urlsplit(address).query).get("d", [address])[0]
    return address


def _iter_events(
    source: Source, item: Media, part: Mapping[str, Any], where: str, others: dict[str, int]
) -> Iterator[CodedEvent]:
    annotator = _read_annotator(part, where)
    for number, result in enumerate(check_list(part.get("result") or [], f"{where}, result"), 1):
        place = f"{where}, result {number}"
        result = check_dict(result, place)
        value = result.get("value")
        kind = find_text(result, "type", place)
        labels = value.get(kind) if isinstance(value, dict) else None
        spans = list(_iter_spans(source, item, check_dict(value or {}, place), place))
        if not labels or not spans:
            others[kind] = others.get(kind, 0) + 1
            continue
        meta = check_dict(result.get("meta") or {}, f"{place}, meta")
        comment = "\n".join(
            check_text(line, f"{place}, meta") for line in check_list(meta.get("text") or [], place)
        )
        score = result.get("score")
        for label in check_list(labels, f"{place}, {kind}"):
            for start_s, end_s, is_frame in spans:
                point = start_s == end_s or meta.get("point") is True
                yield make_event(
                    place,
                    item.video,
                    start_s,
                    start_s if point and is_frame else end_s,
                    check_text(label, f"{place}, {kind}"),
                    *(find_text(meta, name, f"{place}, meta") for name in _META),
                    annotator,
                    comment,
                    point,
                    None if score is None else check_number(score, f"{place}, score"),
                )


def _iter_spans(
    source: Source, item: Media, value: Mapping[str, Any], where: str
) -> Iterator[tuple[float, float, bool]]:
    """Return start and end in seconds, and whether that is a single frame."""
    if "ranges" in value:
        fps = item.fps or require_fps(source)
        for span in check_list(value["ranges"], f"{where}, ranges"):
            span = check_dict(span, f"{where}, ranges")
            first, last = (check_number(span.get(key), f"{where}, {key}") for key in _ENDS)
            if first < 1:
                raise ValueError(f"{where}: frames count from 1, received {first:g}")
            yield (first - 1) / fps, last / fps, first == last
    elif "start" in value and "end" in value:
        start_s, end_s = (check_number(value[key], f"{where}, {key}") for key in _ENDS)
        yield start_s, end_s, False


def _read_annotator(part: Mapping[str, Any], where: str) -> str:
    who = part.get("completed_by")
    if isinstance(who, dict):
        return find_text(who, "email", where) or find_text(who, "id", where)
    return find_text(part, "completed_by" if who else "model_version", where)


def write_label_studio(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write a task a video, with predictions.

    Raises:
        InterchangeError: It is not known how many frames a video has a second.
        OutputError: The file cannot be written.
    """
    tasks = []
    for item in table.media:
        fps = find_fps(item, settings, "Label Studio")
        by_annotator: dict[str, list[CodedEvent]] = {}
        for event in table.of_video(item.video):
            by_annotator.setdefault(event.annotator, []).append(event)
        predictions = [
            _describe(annotator, events, fps) for annotator, events in by_annotator.items()
        ]
        tasks.append({"data": {"video": item.video, "fps": fps}, "predictions": predictions})
    write_json(path, tasks)
    return []


def _describe(annotator: str, events: Sequence[CodedEvent], fps: float) -> dict[str, Any]:
    scores = [event.score for event in events if event.score is not None]
    return {
        **({"model_version": annotator} if annotator else {}),
        **({"score": sum(scores) / len(scores)} if scores else {}),
        "result": [_to_json(event, number, fps) for number, event in enumerate(events, 1)],
    }


def _to_json(event: CodedEvent, number: int, fps: float) -> dict[str, Any]:
    first, end = to_frames(event, fps)
    meta: dict[str, Any] = {name: getattr(event, name) for name in _META if getattr(event, name)}
    meta |= {"text": event.comment.split("\n")} if event.comment else {}
    meta |= {"point": True} if event.point else {}
    return {
        "id": f"e{number}",
        "from_name": "label",
        "to_name": "video",
        "type": _FRAME_LABELS,
        "value": {"ranges": [{"start": first + 1, "end": end}], _FRAME_LABELS: [event.label]},
        **({"meta": meta} if meta else {}),
        **({} if event.score is None else {"score": event.score}),
    }


FORMAT = Format(
    "label-studio",
    "Label Studio",
    (".json",),
    _matches,
    read_label_studio,
    write_label_studio,
    frozenset({"subject", "target", "annotator", "comment", "point", "score"}),
    is_exact=False,
)
