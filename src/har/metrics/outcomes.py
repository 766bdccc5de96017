"""What became of every event: hits, misses and false alarms, each with its place to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from har.events.matching import compute_ious, match_events
from har.metrics.events import MATCH_IOU, CodedRecording
from har.types import Event

Kind = Literal["hit", "miss", "false alarm"]


@dataclass(frozen=True)
class EventMatch:
    """A coded event and the found one that is paired with it, or one without the other.

    Attributes:
        video: As the reference coding names it.
        kind: ``hit`` for a pair, ``miss`` for a coded event that was not found, ``false alarm`` for
            a found one that was not coded.
        label: Of both.
        coded: None for a false alarm.
        found: None for a miss.
        overlap: Temporal intersection over union of the pair; for one alone the greatest with any
            event of its label on the other side, which was too small or has another partner.
    """

    video: str
    kind: Kind
    label: str
    coded: Event | None
    found: Event | None
    overlap: float

    @property
    def start_s(self) -> float:
        """Where to look: the first onset of the two."""
        return min(event.onset_s for event in (self.coded, self.found) if event)

    @property
    def onset_error_s(self) -> float | None:
        """Onset of the found event less that of the coded one; None without a pair."""
        if self.coded is None or self.found is None:
            return None
        return self.found.onset_s - self.coded.onset_s

    def to_json(self) -> dict[str, Any]:
        """Return plain values: times to the millisecond, None where there are none."""
        error_s = self.onset_error_s
        return {
            "video": self.video,
            "kind": self.kind,
            "label": self.label,
            "coded_start_s": self.coded and round(self.coded.onset_s, 3),
            "coded_end_s": self.coded and round(self.coded.offset_s, 3),
            "found_start_s": self.found and round(self.found.onset_s, 3),
            "found_end_s": self.found and round(self.found.offset_s, 3),
            "overlap": round(self.overlap, 3),
            "onset_error_s": None if error_s is None else round(error_s, 3),
            "score": self.found and round(self.found.score, 4),
        }


@dataclass(frozen=True)
class RecordingCounts:
    """What was found in one recording.

    Attributes:
        video: As the reference coding names it.
        group: As in `CodedRecording`.
        duration_s: None where it is not known.
        n_hits: Coded events that were found.
        n_misses: Coded events that were not.
        n_false: Found events that were not coded.
    """

    video: str
    group: str
    duration_s: float | None
    n_hits: int
    n_misses: int
    n_false: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values; recall and precision are None where nothing was coded or found."""
        n_true, n_found = self.n_hits + self.n_misses, self.n_hits + self.n_false
        hours = None if self.duration_s is None else self.duration_s / 3600.0
        return {
            **vars(self),
            "recall": round(self.n_hits / n_true, 4) if n_true else None,
            "precision": round(self.n_hits / n_found, 4) if n_found else None,
            "false_alarms_per_hour": round(self.n_false / hours, 3) if hours else None,
        }


def list_matches(
    labels: Iterable[str], recordings: Sequence[CodedRecording]
) -> tuple[EventMatch, ...]:
    """Return what became of every event, by recording and then by time.

    Events are paired as precision, recall and false alarms are counted, at an overlap of
    `har.metrics.events.MATCH_IOU`.

    >>> coded, early = Event("hit", 1.0, 3.0, 1.0), Event("hit", 0.5, 3.0, 0.9)
    >>> found = CodedRecording("a", (coded,), (early, Event("hit", 8.0, 9.0, 0.7)))
    >>> [(item.kind, item.start_s, item.overlap) for item in list_matches(["hit"], [found])]
    [('hit', 0.5, 0.8), ('false alarm', 8.0, 0.0)]
    """
    wanted = tuple(labels)
    return tuple(
        match
        for recording in recordings
        for match in sorted(
            (match for label in wanted for match in _match_label(label, recording)),
            key=lambda match: (match.start_s, match.label),
        )
    )


def _match_label(label: str, recording: CodedRecording) -> list[EventMatch]:
    truth = [event for event in recording.truth if event.label == label]
    found = [event for event in recording.found if event.label == label]
    ious = compute_ious(found, truth)
    partner = match_events(ious, MATCH_IOU)
    taken = set(partner.values())
    rows = [
        EventMatch(recording.name, "hit", label, truth[t], found[f], float(ious[f, t]))
        for f, t in partner.items()
    ]
    rows += [
        EventMatch(recording.name, "miss", label, event, None, float(ious[:, t].max(initial=0.0)))
        for t, event in enumerate(truth)
        if t not in taken
    ]
    return rows + [
        EventMatch(recording.name, "false alarm", label, None, event, float(ious[f].max(initial=0)))
        for f, event in enumerate(found)
        if f not in partner
    ]


def count_recordings(
    matches: Iterable[EventMatch], recordings: Sequence[CodedRecording]
) -> tuple[RecordingCounts, ...]:
    """Return what `list_matches` gave, counted for each recording; the worst come first.

    The worst has the most misses and false alarms together.
    """
    counts = {recording.name: {"hit": 0, "miss": 0, "false alarm": 0} for recording in recordings}
    for match in matches:
        counts[match.video][match.kind] += 1
    found = [
        RecordingCounts(item.name, item.group, item.duration_s, *counts[item.name].values())
        for item in recordings
    ]
    return tuple(sorted(found, key=lambda item: (-item.n_misses - item.n_false, item.video)))
