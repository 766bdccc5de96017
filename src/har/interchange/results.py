"""What a model found, as a table of coded events: the model is one more annotator."""

from __future__ import annotations

from collections.abc import Iterable

from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.result import VideoResult


def build_result_table(results: Iterable[VideoResult], annotator: str) -> EventTable:
    """Return the events of some videos.

    Args:
        results: Of videos that were recognized.
        annotator: Name of the model.

    Returns:
        Events with their score; subject and target are the numbers of people as text.
    """
    events: list[CodedEvent] = []
    media: list[Media] = []
    labels: dict[str, None] = {}
    for result in results:
        video = str(result.info.path)
        end_s = max([result.duration_s, *(event.offset_s for event in result.events)])
        media.append(Media(video, end_s or None, result.info.fps or None))
        labels |= dict.fromkeys(result.scores.labels)
        events += [
            CodedEvent(
                video,
                event.onset_s,
                event.offset_s,
                event.label,
                str(event.subject or ""),
                str(event.target or ""),
                annotator,
                score=min(max(event.score, 0.0), 1.0),
            )
            for event in result.events
        ]
    return build_table(events, media, labels)
