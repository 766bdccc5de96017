"""Recordings with gaps: each segment is recognized by itself, then all are put on one time line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from har.feature_files import FeatureWriter
from har.inference.steps import StreamOutput, StreamRecognizer
from har.types import Frame, People, Scores


@dataclass
class Segment:
    """What was recognized between two gaps.

    Attributes:
        begin_s: Time of its first frame; its own times count from here.
        found: What the streams gave.
        span_s: Its length.
        n_frames: Its frames.
        n_people: The highest number that a person in it has.
    """

    begin_s: float
    found: StreamOutput = field(default_factory=StreamOutput)
    span_s: float = 0.0
    n_frames: int = 0
    n_people: int = 0


class SegmentRecognizer:
    """Takes the frames of a recording and begins anew behind each gap."""

    def __init__(
        self,
        start_stream: Callable[[], StreamRecognizer],
        keep_places: bool,
        features: FeatureWriter | None = None,
    ) -> None:
        """Wait for the first frame.

        Args:
            start_stream: Gives an empty stream.
            keep_places: Whether it is kept where people and motion were seen.
            features: Takes those of the motion stream.
        """
        self._start_stream, self._keep_places = start_stream, keep_places
        self._features = features
        self._stream = start_stream()
        self._number = 0
        self.segments = [Segment(0.0)]

    def push(self, frame: Frame) -> None:
        """Take the next frame."""
        if frame.segment != self._number:
            self.flush()
            self._stream, self._number = self._start_stream(), frame.segment
            self.segments.append(Segment(frame.time_s))
        begin_s = self.segments[-1].begin_s
        own = replace(frame, time_s=frame.time_s - begin_s) if begin_s else frame
        self._add(self._stream.push(own))

    def flush(self) -> None:
        """End the segment that goes on."""
        self._add(self._stream.flush())
        last = self.segments[-1]
        last.span_s, last.n_frames = self._stream.span_s, self._stream.n_frames
        if self._features is not None:
            self._features.end_segment(last.begin_s, last.span_s, last.n_frames)

    def _add(self, found: StreamOutput) -> None:
        last = self.segments[-1]
        last.n_people = max(
            [last.n_people, *(n for people in found.places.get("pose", ()) for n in people)]
        )
        last.found.extend(found, self._keep_places)
        if self._features is not None:
            self._features.push(found.features.get("motion", ()))


def choose_segments(segments: Sequence[Segment], n_least: int, step_s: float) -> list[Segment]:
    """Return the segments that are long enough for a time step, or the longest if none is.

    Args:
        segments: In the order of time.
        n_least: Frames that are compared.
        step_s: Length of a time step.
    """
    enough = [segment for segment in segments if segment.n_frames >= n_least]
    whole = [segment for segment in enough if segment.span_s >= step_s]
    return whole or sorted(enough, key=lambda segment: -segment.span_s)[:1]


def join_probs(probs: Sequence[np.ndarray], segments: Sequence[Segment]) -> np.ndarray:
    """Return (K,) probabilities of all segments; each counts by its length, uncertain ones do not.

    >>> halves = [np.array([1.0, 0.0]), np.array([0.0, 1.0]), np.zeros(2)]
    >>> join_probs(halves, [Segment(0, span_s=3), Segment(9, span_s=1), Segment(99, span_s=5)])
    array([0.75, 0.25])
    """
    if len(probs) == 1:
        return probs[0]
    known = [(p, s.span_s) for p, s in zip(probs, segments, strict=True) if p.any()]
    total_s = sum(span_s for _, span_s in known)
    if not total_s:
        return np.zeros_like(probs[0])
    return sum((p * (span_s / total_s) for p, span_s in known), np.zeros_like(probs[0]))


def join_scores(scores: Sequence[Scores], segments: Sequence[Segment]) -> Scores:
    """Return the scores of all segments at their true times; nothing stands for a gap.

    Nobody is followed across a gap: people of later segments get numbers of their own.
    """
    if len(scores) == 1 and not segments[0].begin_s:
        return scores[0]
    times_s = [part.times_s + own.begin_s for part, own in zip(scores, segments, strict=True)]
    values = [part.values for part in scores]
    people = None
    if scores[0].people is not None:
        people = _join_people([part.people for part in scores if part.people], segments)
    return replace(
        scores[0],
        times_s=np.concatenate(times_s),
        values=np.concatenate(values),
        people=people,
    )


def count_people_before(segments: Sequence[Segment]) -> list[int]:
    """Return for each segment what its people's numbers are raised by.

    >>> count_people_before([Segment(0, n_people=2), Segment(9, n_people=1), Segment(99)])
    [0, 2, 3]
    """
    counts = np.cumsum([0, *(segment.n_people for segment in segments)])
    return counts[:-1].tolist()


def _join_people(people: Sequence[People], segments: Sequence[Segment]) -> People:
    before = count_people_before(segments)
    subjects, targets = (
        np.concatenate([np.where(own > 0, own + n, 0) for own, n in zip(rows, before, strict=True)])
        for rows in ([part.subjects for part in people], [part.targets for part in people])
    )
    return People(subjects, targets, np.concatenate([part.confidence for part in people]))
