"""ELAN's ``.eaf``: tiers of annotations on the time of one video.

A tier is written for each subject, label and annotator; where its events would overlap, which ELAN
does not allow, for each lane of them. Point events last a millisecond and stand in tiers of their
own linguistic type.

Files of others are read as they are mostly made: an annotation's value is the label, or its tier's
name where the value is empty, and the tier's participant is the subject. ``label=tier`` among the
columns takes the tier's name for the label and the value for a comment.

Source: EAF 2.8 and 3.0, the schema and its description by the Max Planck Institute for
Psycholinguistics, https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf.
"""

from __future__ import annotations

import datetime
import mimetypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from xml.etree import ElementTree
from xml.parsers import expat

from har import files
from har.interchange.events import (
    CodedEvent,
    EventTable,
    Media,
    build_table,
    name_some,
    split_lanes,
)
from har.interchange.format import Format, Source, WriteSettings
from har.interchange.values import make_event, parsing

MAX_ELEMENTS = 2_000_000
"""Documents with more are refused: a day of codings has a tenth of it."""
_MAX_DEPTH = 64
_UNITS = "milliseconds"
_STATE, _POINT = "event", "point_event"
_NO_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv2.8.xsd"


@dataclass
class _Tier:
    name: str
    participant: str
    annotator: str
    kind: str
    spans: list[tuple[str, str, str, str]] = field(default_factory=list)
    """Of each annotation its number, the slots of its start and end, and its value."""
    n_dependent: int = 0


class _Document:
    """What is needed of a document, taken as it is parsed."""

    def __init__(self, data: bytes) -> None:
        self.units = _UNITS
        self.media: list[dict[str, str]] = []
        self.slots: dict[str, str] = {}
        self.tiers: list[_Tier] = []
        self._depth = self._n_elements = 0
        self._open: tuple[str, str, str] | None = None
        self._value: list[str] | None = None
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._take_text
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, LookupError) as error:
            raise ValueError(f"it is damaged as XML: {error}") from error

    def _start(self, name: str, values: dict[str, str]) -> None:
        self._depth += 1
        self._n_elements += 1
        if self._n_elements > MAX_ELEMENTS:
            raise ValueError(f"it has more than {MAX_ELEMENTS:,} elements")
        if self._depth > _MAX_DEPTH or (self._depth == 1 and name != "ANNOTATION_DOCUMENT"):
            raise ValueError(f"it is no document of ELAN; <{name[:40]}> stands where none may")
        match name:
            case "HEADER":
                self.units = values.get("TIME_UNITS", _UNITS)
            case "MEDIA_DESCRIPTOR":
                self.media.append(values)
            case "TIME_SLOT":
                self.slots[values.get("TIME_SLOT_ID", "")] = values.get("TIME_VALUE", "")
            case "TIER":
                who = values.get("PARTICIPANT", ""), values.get("ANNOTATOR", "")
                kind = values.get("LINGUISTIC_TYPE_REF", "")
                self.tiers.append(_Tier(values.get("TIER_ID", ""), *who, kind))
            case "ALIGNABLE_ANNOTATION" if self.tiers:
                slots = values.get("TIME_SLOT_REF1", ""), values.get("TIME_SLOT_REF2", "")
                self._open = (values.get("ANNOTATION_ID", ""), *slots)
            case "REF_ANNOTATION" if self.tiers:
                self.tiers[-1].n_dependent += 1
            case "ANNOTATION_VALUE":
                self._value = []

    def _take_text(self, text: str) -> None:
        if self._value is not None:
            self._value.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "ALIGNABLE_ANNOTATION":
            self._open = None
        elif name == "ANNOTATION_VALUE":
            if self._open is not None:
                self.tiers[-1].spans.append((*self._open, "".join(self._value or ())))
            self._value = None


def _refuse_doctype(*_: object) -> None:
    raise ValueError("it declares a document type, which no file of ELAN does; entities are unsafe")


def _matches(source: Source) -> bool:
    return b"<ANNOTATION_DOCUMENT" in source.head.replace(b"\0", b"")


def read_eaf(source: Source) -> EventTable:
    """Read the annotations that have times of their own.

    Raises:
        InterchangeError: The file is damaged, or counts time in other units.
    """
    with parsing(source, "a file of ELAN"):
        document = _Document(source.data)
        if document.units != _UNITS:
            raise ValueError(f"its times are in {document.units!r}; {_UNITS} are expected")
        origin_ms = int(document.media[0].get("TIME_ORIGIN") or 0) if document.media else 0
        video = _read_video(document) or source.name_video()
        columns = source.settings.columns
        if columns and (set(columns) != {"label"} or columns["label"].lower() != "tier"):
            raise ValueError(f"of its columns, only label=tier may be named, received {columns}")
        by_tier = bool(columns)
        events = list(_iter_events(document, video, origin_ms, by_tier))
    timeless = [
        tier.name
        for tier in document.tiers
        if any(not (document.slots.get(a) and document.slots.get(b)) for _, a, b, _ in tier.spans)
    ]
    dependent = [f"{tier.name} ({tier.n_dependent})" for tier in document.tiers if tier.n_dependent]
    notes = [
        *name_some("Annotations without times of their own are left out, in tier", timeless),
        *name_some("Annotations that depend on others are left out, in tier", dependent),
    ]
    if not (_read_video(document) or source.settings.video):
        notes.append(f"{source.path.name} names no video; it is taken as {video}")
    if len(document.media) > 1:
        notes.append(
            f"{source.path.name} has several videos; its events stand in the first, {video}"
        )
    if origin_ms:
        notes.append(f"{source.path.name} begins {origin_ms / 1000:g} s into its video")
    return build_table(events, [Media(video)], notes=notes)


def _read_video(document: _Document) -> str:
    """Return the first video's path without what makes it an address."""
    values = document.media[0] if document.media else {}
    url = values.get("MEDIA_URL") or values.get("RELATIVE_MEDIA_URL") or ""
    path = re.sub("^file:(//)?", "", url)
    return re.sub(r"^/(?=[A-Za-z]:)", "", path).removeprefix("./")


def _iter_events(
    document: _Document, video: str, origin_ms: int, by_tier: bool
) -> Iterator[CodedEvent]:
    for tier in document.tiers:
        for number, first, last, value in tier.spans:
            ends = document.slots.get(first), document.slots.get(last)
            if not all(ends):
                continue
            where = f"annotation {number} of tier {tier.name}"
            start_ms, end_ms = (int(end or 0) + origin_ms for end in ends)
            is_point = tier.kind == _POINT or start_ms == end_ms
            if is_point and end_ms - start_ms == 1:
                end_ms = start_ms
            text = value.strip()
            label, comment = (tier.name, text) if by_tier else (text or tier.name, "")
            yield make_event(
                where,
                video,
                start_ms / 1000,
                end_ms / 1000,
                label,
                tier.participant,
                annotator=tier.annotator,
                comment=comment,
                point=is_point,
            )


def write_eaf(table: EventTable, path: Path, settings: WriteSettings) -> list[str]:
    """Write the events of one video.

    Raises:
        OutputError: The file cannot be written.
    """
    root = ElementTree.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "",
            "DATE": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "FORMAT": "2.8",
            "VERSION": "2.8",
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:noNamespaceSchemaLocation": _SCHEMA,
        },
    )
    header = _add(root, "HEADER", MEDIA_FILE="", TIME_UNITS=_UNITS)
    for item in table.media:
        _add_media(header, item.video)
    _add(header, "PROPERTY", NAME="lastUsedAnnotationId").text = str(len(table.events))
    _add_tiers(root, _build_tiers(table))
    for kind in (_STATE, _POINT):
        values = {"GRAPHIC_REFERENCES": "false", "LINGUISTIC_TYPE_ID": kind}
        _add(root, "LINGUISTIC_TYPE", TIME_ALIGNABLE="true", **values)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    files.write_text(path, f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')
    texts = (text for e in table.events for text in (e.video, e.label, e.subject, e.annotator))
    odd = [_clean(text) for text in dict.fromkeys(texts) if _NO_XML.search(text)]
    return name_some("Control characters, which XML cannot hold, were written as escapes in", odd)


def _build_tiers(table: EventTable) -> list[tuple[str, list[CodedEvent]]]:
    """Return the name and the events of each tier, to the millisecond."""
    groups: dict[tuple[str, str, str, bool], list[CodedEvent]] = {}
    for event in table.events:
        key = (event.label, event.subject, event.annotator, event.point)
        start_ms, end_ms = _to_ms(event)
        moved = replace(event, start_s=start_ms / 1000, end_s=end_ms / 1000)
        groups.setdefault(key, []).append(moved)
    tiers: dict[str, list[CodedEvent]] = {}
    for (label, subject, _, _), events in groups.items():
        for lane in split_lanes(events):
            base = name = f"{label}@{subject}" if subject else label
            number = 1
            while name in tiers:
                number += 1
                name = f"{base} {number}"
            tiers[name] = lane
    return list(tiers.items())


def _to_ms(event: CodedEvent) -> tuple[int, int]:
    start_ms = round(event.start_s * 1000)
    return start_ms, max(round(event.end_s * 1000), start_ms + 1)


def _add(parent: ElementTree.Element, name: str, **values: str) -> ElementTree.Element:
    return ElementTree.SubElement(parent, name, values)


def _add_tiers(root: ElementTree.Element, tiers: list[tuple[str, list[CodedEvent]]]) -> None:
    """Write the tiers, and before them the slots of all times in order."""
    times_ms = [ms for _, lane in tiers for event in lane for ms in _to_ms(event)]
    places = sorted(range(len(times_ms)), key=times_ms.__getitem__)
    order, slots = _add(root, "TIME_ORDER"), dict[int, str]()
    for number, place in enumerate(places, 1):
        slots[place] = f"ts{number}"
        _add(order, "TIME_SLOT", TIME_SLOT_ID=slots[place], TIME_VALUE=str(times_ms[place]))
    n_written = 0
    for name, lane in tiers:
        first = lane[0]
        who = {"PARTICIPANT": first.subject, "ANNOTATOR": first.annotator}
        tier = _add(
            root,
            "TIER",
            LINGUISTIC_TYPE_REF=_POINT if first.point else _STATE,
            TIER_ID=_clean(name),
            **{key: _clean(value) for key, value in who.items() if value},
        )
        for event in lane:
            ends = {
                "TIME_SLOT_REF1": slots[2 * n_written],
                "TIME_SLOT_REF2": slots[2 * n_written + 1],
            }
            n_written += 1
            span = _add(_add(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", **ends)
            span.set("ANNOTATION_ID", f"a{n_written}")
            _add(span, "ANNOTATION_VALUE").text = _clean(event.label)


def _add_media(header: ElementTree.Element, video: str) -> None:
    path = url = _clean(video.replace("\\", "/"))
    if path.startswith("/") or re.match("[A-Za-z]:", path):
        url, path = f"file:///{path.removeprefix('/')}", path.rpartition("/")[2]
    elif "://" not in path:
        url = f"./{path}"
    mime = mimetypes.guess_type(path)[0] or "unknown"
    values = {"MEDIA_URL": url, "RELATIVE_MEDIA_URL": f"./{path}"}
    _add(header, "MEDIA_DESCRIPTOR", MIME_TYPE=mime, **values)


def _clean(text: str) -> str:
    return _NO_XML.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


FORMAT = Format(
    "elan",
    "ELAN",
    (".eaf",),
    _matches,
    read_eaf,
    write_eaf,
    frozenset({"subject", "annotator", "point"}),
    one_video=True,
)
