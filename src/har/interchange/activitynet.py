"""ActivityNet's JSON: what the benchmark's own evaluation, MMAction2 and FiftyOne read.

    {"version": ..., "database": {VIDEO: {"duration": s, "subset": ..., "annotations": [...]}}}
    {"version": ..., "results": {VIDEO: [...]}, "external_data": {}}
    {VIDEO: {"duration_second": s, "fps": ..., "annotations": [...]}}      MMAction2, read only

An annotation is ``{"label": ..., "segment": [start_s, end_s]}``, in results with a ``score``.
Predictions are written where every event has a score, else annotations. What else an event has
stands in keys of its own, which those programs pass over.

Source: the evaluation code ``eval_detection.py`` of https://github.com/activitynet/ActivityNet, and
``tools/data/activitynet`` of https://github.com/open-mmlab/mmaction2.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from har.files import write_json
from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.interchange.format import Format, Source, WriteSettings
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

_TEXTS = ("subject", "target", "annotator", "comment")
_VERSION = "VERSION 1.3"


def _matches(source: Source) -> bool:
    if not source.is_json or not isinstance(source.json, dict):
        return False
    first = next(iter(source.json.values()), None)
    return (
        isinstance(source.json.get("database"), dict)
        or isinstance(source.json.get("results"), dict)
        or (isinstance(first, dict) and {"annotations", "duration_second"} <= set(first))
    )


def read_activitynet(source: Source) -> EventTable:
    """Read annotations or predictions.

    Raises:
        InterchangeError: The file is damaged, or holds something else.
    """
    with parsing(source, "JSON of ActivityNet"):
        values = check_dict(source.json, "the file")
        videos = check_dict(values.get("database", values.get("results", values)), "the videos")
        media, events = list[Media](), list[CodedEvent]()
        for video, item in videos.items():
            if isinstance(item, dict):
                name = "duration" if "database" in values else "duration_second"
                length_s, fps = (find_number(item, key, video) for key in (name, "fps"))
                media.append(make_media(video, video, length_s, fps))
                item = item.get("annotations", [])
            else:
                media.append(Media(video))
            events += _iter_events(video, item)
    return build_table(events, media)


def _iter_events(video: str, items: Any) -> Iterator[CodedEvent]:
    for number, item in enumerate(check_list(items, video), 1):
        where = f"event {number} of {video}"
        values = check_dict(item, where)
        segment = check_list(values.get("segment"), f"{where}, segment")
        if len(segment) != 2:
            raise ValueError(f"{where}: expected a segment [start, end]")
        start_s, end_s = (check_number(time_s, f"{where}, segment") for time_s in segment)
        score = values.get("score")
        yield make_event(
            where,
            video,
            start_s,
            end_s,
            check_text(values.get("label"), f"{where}, label"),
            *(find_text(values, name, where) for name in _TEXTS),
            point=start_s == end_s or values.get("point") is True,
            score=None if score is None else check_number(score, f"{where}, score"),
        )


def write_activitynet(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write predictions where every event has a score, else annotations.

    Raises:
        OutputError: The file cannot be written.
    """
    events = {item.video: list(map(_to_json, table.of_video(item.video))) for item in table.media}
    if table.events and all(event.score is not None for event in table.events):
        write_json(path, {"version": _VERSION, "results": events, "external_data": {}})
        return []
    database = {
        item.video: {
            **({"duration": item.duration_s} if item.duration_s else {}),
            **({"fps": item.fps} if item.fps else {}),
            "subset": "training",
            "annotations": events[item.video],
        }
        for item in table.media
    }
    labels = sorted({*table.labels, *(event.label for event in table.events)})
    taxonomy = [
        {"nodeId": number, "nodeName": label, "parentId": None, "parentName": None}
        for number, label in enumerate(labels)
    ]
    write_json(path, {"version": _VERSION, "taxonomy": taxonomy, "database": database})
    return []


def _to_json(event: CodedEvent) -> dict[str, Any]:
    more = {name: getattr(event, name) for name in (*_TEXTS, "point") if getattr(event, name)}
    if event.score is not None:
        more["score"] = event.score
    segment = [round(event.start_s, 6), round(event.end_s, 6)]
    return {"label": event.label, "segment": segment, **more}


FORMAT = Format(
    "activitynet",
    "ActivityNet JSON",
    (".json",),
    _matches,
    read_activitynet,
    write_activitynet,
    frozenset({*_TEXTS, "point", "score"}),
)
