"""What to look at next, how far one is, and what the verdicts say of the model so far."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from har.errors import ConfigError
from har.metrics.intervals import Interval, bootstrap_figures
from har.review.store import FoundEvent, Recording, Verdict

Order = Literal["uncertain", "confident", "time", "random"]
SAMPLE = "sample"
"""`FoundEvent.source` of a random sample, which is watched for events that the model missed."""
Outcome = Literal["kept", "mended", "relabeled", "rejected"]
"""Of a decided event: as it was found; its times or people are others; its label is another; it was
none."""
_MAX_SAMPLES = 1000
_SAME_S = 0.001
"""The page rounds times to milliseconds."""


@dataclass(frozen=True)
class QueueItem:
    """One thing to decide on.

    Attributes:
        event: What was found, or a sample to watch.
        recording: Its video.
        verdict: The observer's newest one; None where there is none.
    """

    event: FoundEvent
    recording: Recording
    verdict: Verdict | None

    @property
    def is_done(self) -> bool:
        """Whether it has been decided on."""
        return self.verdict is not None and self.verdict.kind != "clear"


def build_queue(
    recordings: Iterable[Recording],
    events: Iterable[FoundEvent],
    verdicts: Iterable[Verdict],
    order: Order = "uncertain",
    label: str = "",
    seed: int = 0,
) -> list[QueueItem]:
    """Return what one observer decides on, in order, also what is done.

    Args:
        recordings: All of the project.
        events: Found in them.
        verdicts: The newest ones of the observer.
        order: ``uncertain`` begins with scores near 0.5 and with samples among them evenly,
            ``confident`` with high scores, ``time`` goes by recording and start, ``random`` is
            unbiased.
        label: Only events of it, and no samples; empty means all.
        seed: Of the random order.

    >>> recording = Recording(1, "a.mp4", 60.0)
    >>> found = [FoundEvent(k, 1, "model", "hit", k, k + 1, s) for k, s in ((1, 0.9), (2, 0.5))]
    >>> [item.event.id for item in build_queue([recording], found, [])]
    [2, 1]
    """
    by_id = {recording.id: recording for recording in recordings}
    newest = {(verdict.recording, verdict.key): verdict for verdict in verdicts}
    items = [
        QueueItem(event, by_id[event.recording], newest.get((event.recording, event.key)))
        for event in events
        if event.source != "coding" and (not label or event.label == label)
    ]
    if order == "random":
        random.Random(seed).shuffle(items)  # noqa: S311
        return items
    keys = {
        "uncertain": lambda item: abs(_score(item) - 0.5),
        "confident": lambda item: -_score(item),
        "time": lambda item: (item.recording.path, item.event.start_s),
    }
    found = sorted((item for item in items if item.event.source != SAMPLE), key=keys[order])
    samples = sorted((i for i in items if i.event.source == SAMPLE), key=keys["time"])
    return _mix(found, samples)


def parse_order(text: str) -> Order:
    """Return the order of a name.

    Raises:
        ConfigError: There is none of that name.
    """
    for order in get_args(Order):
        if order == text:
            return order
    raise ConfigError(f"Expected order {', '.join(get_args(Order))}, received {text!r}")


def _score(item: QueueItem) -> float:
    return 0.5 if item.event.score is None else item.event.score


def _mix(found: list[QueueItem], samples: list[QueueItem]) -> list[QueueItem]:
    """Return two lists as one, the second spread evenly over the first."""
    total = len(found) + len(samples)
    places = {(2 * k + 1) * total // (2 * len(samples)) for k in range(len(samples))}
    rest, watched = iter(found), iter(samples)
    return [next(watched) if place in places else next(rest) for place in range(total)]


def draw_samples(
    recording: Recording, n_samples: int, length_s: float, seed: int
) -> list[FoundEvent]:
    """Draw samples of one recording to be watched, none of which overlap.

    Raises:
        ConfigError: The number or the length is out of its bounds.

    >>> drawn = draw_samples(Recording(1, "a.mp4", 35.0), 2, 10.0, seed=0)
    >>> [(item.start_s, item.end_s, item.source) for item in drawn]
    [(0.0, 10.0, 'sample'), (20.0, 30.0, 'sample')]
    """
    if not 0 <= n_samples <= _MAX_SAMPLES or not 1.0 <= length_s <= 600.0:
        raise ConfigError(
            f"Expected up to {_MAX_SAMPLES} samples of 1 to 600 s, received {n_samples} of "
            f"{length_s:g} s"
        )
    n_places = max(int(recording.duration_s // length_s), 1)
    drawn = random.Random(f"{seed} {recording.path}").sample(  # noqa: S311
        range(n_places), min(n_samples, n_places)
    )
    ends_s = [min((place + 1) * length_s, recording.duration_s) for place in sorted(drawn)]
    return [
        FoundEvent(0, recording.id, SAMPLE, "", place * length_s, end_s)
        for place, end_s in zip(sorted(drawn), ends_s, strict=True)
    ]


@dataclass(frozen=True)
class Progress:
    """How far an observer is, and what the verdicts say of the model.

    Attributes:
        n_items: Things to decide on.
        n_done: Decided.
        outcomes: How many of the model's decided events became what; see `Outcome`.
        precision: Share of them whose label was right: kept or mended.
        recall: Share of the events in watched samples that the model had found; None where no
            sample with an event was watched.
    """

    n_items: int
    n_done: int
    outcomes: Mapping[Outcome, int]
    precision: Interval
    recall: Interval

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "n_items": self.n_items,
            "n_done": self.n_done,
            "outcomes": dict(self.outcomes),
            "precision": self.precision.to_json(),
            "recall": self.recall.to_json(),
        }


def compute_progress(queue: Sequence[QueueItem], verdicts: Iterable[Verdict]) -> Progress:
    """Return how far the observer of a queue is, with 95 % intervals over groups of recordings.

    Precision counts events that were decided on; where the queue was worked in an order other than
    random it holds for those alone. Recall counts the events that the observer keeps and that begin
    in a sample that was watched: those of the model, and those that were added.

    Args:
        queue: All items of the observer.
        verdicts: The observer's newest ones, also on events that were added.
    """
    judged = [
        (_group(item.recording), judge(item.event, item.verdict))
        for item in queue
        if item.is_done and item.verdict is not None and item.event.source != SAMPLE
    ]
    n_each = Counter(outcome for _, outcome in judged)
    outcomes: dict[Outcome, int] = {word: n_each[word] for word in get_args(Outcome)}
    rows = [(group, int(outcome in ("kept", "mended")), 1) for group, outcome in judged]
    precision = _share(rows, "decided events")
    recall = _share(_find_watched(queue, verdicts), "events in watched samples")
    n_done = sum(item.is_done for item in queue)
    return Progress(len(queue), n_done, outcomes, precision, recall)


def _group(recording: Recording) -> str:
    return recording.group or recording.path


def judge(event: FoundEvent, verdict: Verdict) -> Outcome:
    """Return what became of a found event; the page shows the same words (``lanes.js``).

    >>> event = FoundEvent(1, 1, "model", "hit", 2.0, 3.0)
    >>> judge(event, Verdict("u", "Ada", 1, "e1", 1, "keep", "hit", 2.0, 3.5))
    'mended'
    """
    if verdict.kind != "keep":
        return "rejected"
    if verdict.label != event.label:
        return "relabeled"
    moved_s = max(abs(verdict.start_s - event.start_s), abs(verdict.end_s - event.end_s))
    same_people = (verdict.subject, verdict.target) == (event.subject, event.target)
    return "kept" if same_people and moved_s < _SAME_S else "mended"


def _find_watched(
    queue: Sequence[QueueItem], verdicts: Iterable[Verdict]
) -> list[tuple[str, int, int]]:
    """Return group, found or not, and 1, of each event that begins in a watched sample."""
    watched: dict[int, list[FoundEvent]] = {}
    groups: dict[int, str] = {}
    for item in queue:
        groups[item.recording.id] = _group(item.recording)
        if item.event.source == SAMPLE and item.is_done:
            watched.setdefault(item.recording.id, []).append(item.event)
    model = {
        (item.recording.id, item.event.key): item.event
        for item in queue
        if item.event.source != SAMPLE
    }
    rows: list[tuple[str, int, int]] = []
    for verdict in verdicts:
        inside = any(
            sample.start_s <= verdict.start_s < sample.end_s
            for sample in watched.get(verdict.recording, ())
        )
        if verdict.kind == "keep" and inside:
            found = model.get((verdict.recording, verdict.key))
            is_found = found is not None and found.label == verdict.label
            rows.append((groups[verdict.recording], int(is_found), 1))
    return rows


def _share(rows: Sequence[tuple[str, int, int]], what: str) -> Interval:
    if not rows:
        return Interval(None, None, None, reason=f"there are no {what} yet")
    hits = np.array([hit for _, hit, _ in rows], dtype=np.float64)
    (interval,) = bootstrap_figures(
        lambda weights: np.array([weights @ hits / weights.sum()]),
        [group for group, _, _ in rows],
        what,
        "",
    )
    return interval
