"""Events as WebVTT: subtitles that browsers and players show with the video."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from har import files
from har.types import Event

_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def write_vtt(path: Path, events: Iterable[Event]) -> None:
    """Writes one cue an event: its label, who acts and on whom, and its score.

    Args:
        path: Usually a ``.vtt`` beside the video; missing folders are made.
        events: In any order; cues stand by onset.

    Raises:
        OutputError: The file cannot be written.

    Source: WebVTT, https://www.w3.org/TR/webvtt1/, sections 4.1 to 4.3.
    """
    ordered = sorted(events, key=lambda event: (event.onset_s, event.offset_s))
    cues = [f"{number}\n{format_cue(event)}\n" for number, event in enumerate(ordered, start=1)]
    files.write_text(path, "\n".join(["WEBVTT\n", *cues]))


def format_cue(event: Event) -> str:
    """Gives the times and the text of a cue, which lasts a millisecond at least.

    >>> print(format_cue(Event("hit <hard>", 3599.9996, 3601.5, 0.874, subject=2, target=1)))
    01:00:00.000 --> 01:00:01.500
    hit &lt;hard&gt; 2→1 87%
    """
    onset_ms, offset_ms = (round(time_s * 1000) for time_s in (event.onset_s, event.offset_s))
    who = "→".join(str(number) for number in (event.subject, event.target) if number)
    label = " ".join(event.label.split()).translate(_ESCAPES)
    text = " ".join(part for part in (label, who, f"{event.score:.0%}") if part)
    times = (_format_ms(onset_ms), _format_ms(max(offset_ms, onset_ms + 1)))
    return f"{times[0]} --> {times[1]}\n{text}"


def _format_ms(time_ms: int) -> str:
    seconds, milliseconds = divmod(time_ms, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
