"""Cuts events again from saved scores, without the network and without the video."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from har.config import DecodeConfig
from har.events.decoder import decode_events, name_people
from har.events.files import (
    RESULT_ENDING,
    SCORES_ENDING,
    join_events,
    load_scores,
    write_event_files,
)
from har.events.summary import Totals, compute_totals
from har.files import add_ending, write_json
from har.types import Event, Scores


@dataclass(frozen=True)
class Recut:
    """The events of one video, cut again.

    Attributes:
        stem: Of the names of its files.
        video: Its path, where it is still known, else the stem.
        events: By onset.
        totals: What they add up to.
        decode: The settings that they were cut with.
        note: What 'har predict' noted of the video.
    """

    stem: str
    video: str
    events: tuple[Event, ...]
    totals: Totals
    decode: DecodeConfig
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the values that ``har events --json`` prints."""
        values: dict[str, Any] = {
            "video": self.video,
            "stem": self.stem,
            "events": [event.to_json() for event in self.events],
            "totals": self.totals.to_json(),
            "decode": asdict(self.decode),
        }
        return values | ({"note": self.note} if self.note else {})


def cut_again(
    paths: Iterable[Path],
    choose: Callable[[tuple[str, ...]], DecodeConfig],
    single_person_labels: Collection[str],
) -> Iterator[Recut]:
    """Cut the events of each file of scores.

    Args:
        paths: Files of scores written by `har predict`.
        choose: Gives the rules for the labels of a file.
        single_person_labels: Labels recognized from one body alone; their events have no target.

    Raises:
        OutputError: A file cannot be read.
        ConfigError: The rules are for labels that a file does not have.
    """
    for path in paths:
        scores = load_scores(path)
        config = choose(scores.labels)
        events = name_people(decode_events(scores, config), scores, single_person_labels)
        base = path.with_name(path.name.removesuffix(SCORES_ENDING))
        totals = compute_totals(scores, events, config, _compute_duration_s(scores))
        video, note = find_record(path)
        yield Recut(base.name, video, events, totals, config, note)


def write_recut(out_dir: Path, found: Iterable[Recut], guard: bool = True) -> None:
    """Write the events of each video as CSV and WebVTT, of all as CSV, and everything as JSON.

    Raises:
        OutputError: A file cannot be written.
    """
    found = tuple(found)
    for recut in found:
        write_event_files(out_dir / recut.stem, recut.video, recut.events, guard)
    join_events(out_dir, guard)
    write_json(out_dir / "events.json", [recut.to_json() for recut in found])


def _compute_duration_s(scores: Scores) -> float:
    """Return the length of what was looked at, without gaps in the recording."""
    steps_s = np.diff(scores.times_s)
    gaps_s = steps_s[steps_s > 1.5 * scores.step_s] - scores.step_s
    return float(scores.times_s[-1]) + scores.step_s / 2 - float(gaps_s.sum())


def find_record(scores: Path) -> tuple[str, str]:
    """Return the path of the video of a file of scores, and what 'har predict' noted of it.

    Where that is not known, the file's stem and an empty text.
    """
    base = scores.with_name(scores.name.removesuffix(SCORES_ENDING))
    try:
        values = json.loads(add_ending(base, RESULT_ENDING).read_text(encoding="utf-8"))
        return str(values["info"]["path"]), str(values.get("rest", {}).get("note", ""))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return base.name, ""
