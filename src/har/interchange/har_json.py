"""``results.json`` of `har predict` and ``events.json`` of `har events`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from har.errors import InterchangeError
from har.interchange.events import CodedEvent, EventTable, Media, build_table, name_some
from har.interchange.format import Format, ReadSettings, Source


def _matches(source: Source) -> bool:
    is_list = source.is_json and source.head.lstrip()[:1] == b"["
    return is_list and (b'"totals"' in source.head or b'"onset_s"' in source.head)


def read_results(source: Source) -> EventTable:
    """Read what `har predict` or `har events` found, also videos without events.

    Raises:
        InterchangeError: The file cannot be read, or holds something else.
    """
    events: list[CodedEvent] = []
    media: list[Media] = []
    labels: dict[str, None] = {}
    failed: list[str] = []
    try:
        for item in source.json:
            video = str(item["video"])
            if "error" in item:
                failed.append(video)
                continue
            length_s = float(item["totals"]["duration_s"])
            media.append(Media(video, length_s if length_s else None))
            events += [_parse_event(video, values) for values in item["events"]]
            in_totals = [total["label"] for total in item["totals"].get("labels", ())]
            labels |= dict.fromkeys([*item.get("probs", ()), *in_totals])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        raise InterchangeError(
            f"{source.path} cannot be read as results of videos: {error!r}. Give the results.json "
            f"of 'har predict', the events.json of 'har events', or another file of events."
        ) from error
    notes = name_some("Videos that could not be recognized are left out", failed)
    return build_table(events, media, labels, notes)


def _parse_event(video: str, values: Mapping[str, Any]) -> CodedEvent:
    subject, target = (str(values.get(name) or "") for name in ("subject", "target"))
    onset_s, offset_s = float(values["onset_s"]), float(values["offset_s"])
    label, score = str(values["label"]), float(values["score"])
    return CodedEvent(video, onset_s, offset_s, label, subject, target, score=score)


RESULTS = "results.json"
"""Name of the file of results in a folder of `har predict`."""
FORMAT = Format("har", "results of har", (".json",), matches=_matches, read=read_results)


def is_results(path: Path) -> bool:
    """Return whether a file was written by `har predict` or `har events`."""
    return path.is_file() and _matches(Source(path, ReadSettings()))
