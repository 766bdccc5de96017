"""WebVTT and SubRip: the events of one video as subtitles, for any player."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from har.events.files import describe_cue, write_cues
from har.interchange.events import EventTable
from har.interchange.format import Format, WriteSettings


def write_subtitles(
    table: EventTable, path: Path, settings: WriteSettings, is_srt: bool = False
) -> list[str]:
    """Write a cue an event: what happens, who acts and on whom, and its score.

    Raises:
        OutputError: The file cannot be written.
    """
    cues = []
    for event in table.events:
        who = [name for name in (event.subject, event.target) if name]
        cues.append((event.start_s, event.end_s, describe_cue(event.label, who, event.score)))
    write_cues(path, cues, is_srt)
    return []


FORMATS = (
    Format("webvtt", "WebVTT subtitles", (".vtt",), write=write_subtitles, one_video=True),
    Format(
        "srt",
        "SubRip subtitles",
        (".srt",),
        write=partial(write_subtitles, is_srt=True),
        one_video=True,
    ),
)
