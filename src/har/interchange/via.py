"""Projects of the VGG Image Annotator 3 (VIA): temporal segments of videos.

A segment's attributes are written as one to select, the label, and as texts for what else an event
has. Point events last a millisecond and have the attribute ``point``.

Projects of others are read by the names of their attributes: one that is called label, behavior or
the like, else the first one of temporal segments, is the label; subject, target, annotator and
comment likewise. ``label=NAME`` among the columns names the attribute. A segment with several
options checked becomes several events. Boxes are left out.

Source: the format of VIA 3.1.1, https://gitlab.com/vgg/via/-/blob/master/via-3.x.y/CodeDoc.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from har.files import write_json
from har.interchange.events import CodedEvent, EventTable, Media, build_table, name_some
from har.interchange.format import Format, Source, WriteSettings
from har.interchange.tables import FIELDS
from har.interchange.values import (
    check_dict,
    check_list,
    check_number,
    check_text,
    find_text,
    make_event,
    parsing,
)

_SEGMENT = "FILE1_Z2_XY0"
_TEXT, _CHECKBOX, _SELECT = 1, 2, 4
_VIDEO, _BY_PATH = 4, 3
_TEXTS = ("subject", "target", "annotator", "comment")
_EXTRAS = (*_TEXTS, "point", "score")
_POINT_S = 0.001


def _matches(source: Source) -> bool:
    keys = {"attribute", "file", "metadata", "view"}
    return source.is_json and isinstance(source.json, dict) and keys <= set(source.json)


def read_via(source: Source) -> EventTable:
    """Read the temporal segments of a project.

    Raises:
        InterchangeError: The file is damaged, or has no attribute for a label.
    """
    with parsing(source, "a project of VIA 3"):
        values = check_dict(source.json, "the file")
        attributes = _read_attributes(values, source.settings.columns)
        names = {
            number: _name_video(number, item)
            for number, item in check_dict(values.get("file"), "file").items()
        }
        views = check_dict(values.get("view"), "view")
        events, n_other, unlabeled = list[CodedEvent](), 0, list[str]()
        for number, item in check_dict(values.get("metadata"), "metadata").items():
            where = f"metadata {number}"
            item = check_dict(item, where)
            span = check_list(item.get("z"), f"{where}, z")
            if len(span) != 2 or item.get("xy"):
                n_other += 1
                continue
            video = _find_video(item, views, names, where)
            found = list(_iter_events(where, video, span, item, attributes))
            events += found
            unlabeled += [] if found else [number]
    notes = name_some("Segments without a label are left out", unlabeled)
    if n_other:
        notes.append(f"Marks of VIA that are no temporal segments are left out: {n_other}")
    media = [Media(name) for name in dict.fromkeys(names.values())]
    return build_table(events, media, notes=notes)


def _read_attributes(
    values: Mapping[str, Any], columns: Mapping[str, str]
) -> dict[str, tuple[str, bool, dict[str, Any]]]:
    """Return by field the number of its attribute, whether it may be many, and its options."""
    found: dict[str, tuple[str, bool, dict[str, Any]]] = {}
    free: tuple[str, bool, dict[str, Any]] | None = None
    wanted = {name.strip().lower(): field for field, name in columns.items()}
    for number, item in check_dict(values.get("attribute"), "attribute").items():
        where = f"attribute {number}"
        item = check_dict(item, where)
        if item.get("anchor_id") != _SEGMENT:
            continue
        options = item.get("options") or {}
        entry = number, item.get("type") == _CHECKBOX, check_dict(options, f"{where}, options")
        name = find_text(item, "aname", where).strip().lower()
        fields = (field for field in ("label", *_EXTRAS) if name in FIELDS[field])
        field = wanted.get(name) or next((one for one in fields if one not in columns), None)
        if field is not None:
            found.setdefault(field, entry)
        elif free is None:
            free = entry
    missing = [name for field, name in columns.items() if field not in found]
    if missing:
        raise ValueError(f"it has no attribute {missing[0]!r} of temporal segments")
    if "label" not in found and free is not None:
        found["label"] = free
    if "label" not in found and values.get("metadata"):
        raise ValueError("it has no attribute of temporal segments that could be the label")
    return found


def _name_video(number: str, item: Any) -> str:
    values = check_dict(item, f"file {number}")
    return find_text(values, "fname", f"file {number}") or check_text(
        values.get("src"), f"file {number}, src"
    )


def _find_video(
    item: Mapping[str, Any], views: Mapping[str, Any], names: Mapping[str, str], where: str
) -> str:
    view = check_text(item.get("vid"), f"{where}, vid")
    shown = check_list(
        check_dict(views.get(view), f"{where}: view {view}").get("fid_list"), f"view {view}"
    )
    number = check_text(shown[0], f"view {view}") if shown else ""
    if number not in names:
        raise ValueError(f"{where} stands in view {view}, which shows no file of the project")
    return names[number]


def _iter_events(
    where: str,
    video: str,
    span: list[Any],
    item: Mapping[str, Any],
    attributes: Mapping[str, tuple[str, bool, dict[str, Any]]],
) -> Iterator[CodedEvent]:
    given = check_dict(item.get("av") or {}, f"{where}, av")
    texts: dict[str, list[str]] = {}
    for field, (number, is_many, options) in attributes.items():
        text = find_text(given, number, where)
        keys = text.split(",") if is_many else [text]
        texts[field] = [find_text(options, key, where) or key for key in keys if key]
    start_s, end_s = (check_number(time_s, f"{where}, z") for time_s in span)
    point = start_s == end_s or texts.get("point") in (["yes"], ["true"], ["1"])
    if point and end_s - start_s < 1.5 * _POINT_S:
        end_s = start_s
    who = {field: ", ".join(texts.get(field, ())) for field in _TEXTS}
    score = texts.get("score")
    for label in texts.get("label", ()):
        yield make_event(
            where,
            video,
            start_s,
            end_s,
            label,
            **who,
            point=point,
            score=float(score[0]) if score else None,
        )


def write_via(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write a project whose videos VIA opens by their paths.

    Raises:
        OutputError: The file cannot be written.
    """
    labels = sorted({*table.labels, *(event.label for event in table.events)})
    keys = {label: str(number) for number, label in enumerate(labels, 1)}
    views = {item.video: str(number) for number, item in enumerate(table.media, 1)}
    extras = [field for field in _EXTRAS if any(_to_text(event, field) for event in table.events)]
    attributes = {"1": _describe("label", _SELECT, {key: label for label, key in keys.items()})}
    attributes |= {str(n): _describe(field, _TEXT, {}) for n, field in enumerate(extras, 2)}
    metadata = {}
    for number, event in enumerate(table.events, 1):
        texts = {str(n): _to_text(event, field) for n, field in enumerate(extras, 2)}
        end_s = max(event.end_s, event.start_s + _POINT_S) if event.point else event.end_s
        metadata[f"{views[event.video]}_{number:08}"] = {
            "vid": views[event.video],
            "flg": 0,
            "z": [round(event.start_s, 6), round(end_s, 6)],
            "xy": [],
            "av": {"1": keys[event.label], **{n: text for n, text in texts.items() if text}},
        }
    write_json(
        path,
        {
            "project": {
                "pid": "__VIA_PROJECT_ID__",
                "rev": "__VIA_PROJECT_REV_ID__",
                "rev_timestamp": "__VIA_PROJECT_REV_TIMESTAMP__",
                "pname": path.stem,
                "creator": "har",
                "created": 0,
                "data_format_version": "3.1.1",
                "vid_list": list(views.values()),
            },
            "config": {
                "file": {"loc_prefix": {"1": "", "2": "", "3": "", "4": ""}},
                "ui": {
                    "file_content_align": "center",
                    "file_metadata_editor_visible": True,
                    "spatial_metadata_editor_visible": False,
                    "temporal_segment_metadata_editor_visible": True,
                    "spatial_region_label_attribute_id": "",
                    "gtimeline_visible_row_count": str(min(max(len(labels), 1), 12)),
                },
            },
            "attribute": attributes,
            "file": {
                number: {
                    "fid": number,
                    "fname": video,
                    "type": _VIDEO,
                    "loc": _BY_PATH,
                    "src": video,
                }
                for video, number in views.items()
            },
            "metadata": metadata,
            "view": {number: {"fid_list": [number]} for number in views.values()},
        },
    )
    return []


def _describe(name: str, kind: int, options: Mapping[str, str]) -> dict[str, Any]:
    return {
        "aname": name,
        "anchor_id": _SEGMENT,
        "type": kind,
        "desc": "",
        "options": dict(options),
        "default_option_id": "",
    }


def _to_text(event: CodedEvent, field: str) -> str:
    if field == "score":
        return "" if event.score is None else f"{event.score:.6g}"
    if field == "point":
        return "yes" if event.point else ""
    return getattr(event, field)


FORMAT = Format(
    "via",
    "VGG Image Annotator 3",
    (".json",),
    _matches,
    read_via,
    write_via,
    frozenset({*_TEXTS, "point", "score"}),
)
