"""How far observers agree on recordings that all of them coded, with intervals over recordings.

    agreement by intervals, counts and times (`har.metrics.ioa`)
                    of each label and recording; of several recordings their mean, of all labels
                    the mean of the labels
    kappa           Cohen's, over time bins (`har.metrics.kappa`) of all recordings; of a label it
                    is there or not, of all labels the code of a bin is what is there together
    kappa_linear, kappa_quadratic
                    weighted kappa over intervals: how many events of a label begin in each
    alpha           Krippendorff's, nominal, over the bins and codes of kappa; its interval is drawn
                    from whole recordings like all others, for bins are no independent units, as
                    Krippendorff's own bootstrap takes them
    f1@S, precision, recall, onset errors
                    of events that overlap, as in `har.metrics.events`; precision and recall take
                    the first observer's events as the true ones
    edit            segmental edit score of all labels in the order of their onsets, mean over
                    recordings

A figure that is not defined anywhere is None. Where a recording or a label has none, the mean is
over the others.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from har.config import AgreeConfig
from har.metrics.events import F1_IOUS
from har.metrics.intervals import Interval
from har.metrics.ioa import IOA_FIGURES
from har.types import Event

CHANCE_FIGURES = ("kappa", "kappa_linear", "kappa_quadratic", "alpha")
F1_FIGURES = tuple(f"f1@{iou:g}" for iou in F1_IOUS)
MEAN_FIGURES = (*IOA_FIGURES, *CHANCE_FIGURES, *F1_FIGURES, "edit")
"""Those of which a mean over several pairs of observers makes sense."""
EVENT_FIGURES = ("precision", "recall", "onset_error_s", "onset_error_q1_s", "onset_error_q3_s")
AGREEMENT_FIGURES = (*MEAN_FIGURES, *EVENT_FIGURES)

PairKind = Literal["people", "model", "models"]


@dataclass(frozen=True)
class Observer:
    """Who coded: a person, or a model."""

    name: str
    is_model: bool = False


@dataclass(frozen=True)
class ObservedRecording:
    """What several observers coded in one recording.

    Attributes:
        name: As the first observer names it.
        duration_s: Its length, above 0.
        codings: One for each observer, in their order; events lie within the recording.
        group: What it depends on others by; empty where it is a group of its own.
    """

    name: str
    duration_s: float
    codings: tuple[tuple[Event, ...], ...]
    group: str = ""

    def select(self, observer: int, label: str) -> list[Event]:
        """Return an observer's events of one label, or of all where it is empty, by onset."""
        events = (event for event in self.codings[observer] if label in ("", event.label))
        return sorted(events, key=lambda event: (event.onset_s, event.label, event.offset_s))


@dataclass(frozen=True)
class LabelAgreement:
    """Figures of one label, or of all.

    Attributes:
        label: Empty for all.
        figures: An interval by name.
    """

    label: str
    figures: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "label": self.label,
            **{name: item.to_json() for name, item in self.figures.items()},
        }


@dataclass(frozen=True)
class PairAgreement:
    """How far two observers agree.

    Attributes:
        first: Name of one.
        second: Name of the other.
        kind: Whether people, a person and a model, or two models.
        overall: All labels; figures of `AGREEMENT_FIGURES`.
        per_label: Each label by itself; without ``edit``, which is of the order of labels.
    """

    first: str
    second: str
    kind: PairKind
    overall: LabelAgreement
    per_label: tuple[LabelAgreement, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "first": self.first,
            "second": self.second,
            "kind": self.kind,
            "overall": self.overall.to_json(),
            "per_label": [item.to_json() for item in self.per_label],
        }


@dataclass(frozen=True)
class SetAlpha:
    """Krippendorff's alpha of more than two observers.

    Attributes:
        observers: Their names.
        overall: Of all labels.
        per_label: Each label by itself.
    """

    observers: tuple[str, ...]
    overall: Interval
    per_label: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        labels = {label: item.to_json() for label, item in self.per_label.items()}
        return {
            "observers": list(self.observers),
            "overall": self.overall.to_json(),
            "per_label": labels,
        }


@dataclass(frozen=True)
class Ceiling:
    """How far people agree with each other, beside how far a model agrees with people.

    Attributes:
        label: Empty for all.
        people: Mean over pairs of people, by names of `MEAN_FIGURES`.
        model: Mean over pairs of a model and a person.
        difference: Model less people, on the same resamples.
    """

    label: str
    people: dict[str, Interval]
    model: dict[str, Interval]
    difference: dict[str, Interval]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        parts = {"people": self.people, "model": self.model, "difference": self.difference}
        return {
            "label": self.label,
            **{
                part: {name: item.to_json() for name, item in figures.items()}
                for part, figures in parts.items()
            },
        }


@dataclass(frozen=True)
class RecordingAgreement:
    """How far two observers agree on one recording.

    Attributes:
        recording: Its name.
        group: What it depends on others by; its name where it is a group of its own.
        label: Empty for all.
        first: Name of an observer.
        second: Name of the other.
        n_first: Events of the first.
        n_second: Events of the second.
        figures: By names of `MEAN_FIGURES`; None where one is not defined.
    """

    recording: str
    group: str
    label: str
    first: str
    second: str
    n_first: int
    n_second: int
    figures: dict[str, float | None]


@dataclass(frozen=True)
class Budget:
    """What an observer coded of one label: counts, rate and time.

    Attributes:
        observer: Name.
        recording: Empty for all recordings.
        label: Of the events.
        n_events: Events.
        per_minute: Events a minute.
        time_s: Seconds in which the label is there.
        time_share: Part of the recording's time, from 0 to 1.
    """

    observer: str
    recording: str
    label: str
    n_events: int
    per_minute: float
    time_s: float
    time_share: float


@dataclass(frozen=True)
class Agreement:
    """How far observers agree.

    Attributes:
        observers: In the order in which they were given.
        labels: Those that count.
        n_recordings: Recordings that all observers coded.
        n_groups: Groups over which the intervals are.
        hours: Length of these recordings.
        config: How time was divided.
        pairs: Each two observers.
        alphas: Krippendorff's alpha of all observers and of all people, where that is more than two
            and a different set.
        ceilings: Of all labels and of each, where there are two people or more and a model.
        per_recording: Each recording, pair and label.
        budgets: Each observer and label, of all recordings and of each.
        notes: For the user: what was assumed, and what was left out.
        recordings: What each observer coded in each.
    """

    observers: tuple[Observer, ...]
    labels: tuple[str, ...]
    n_recordings: int
    n_groups: int
    hours: float
    config: AgreeConfig
    pairs: tuple[PairAgreement, ...]
    alphas: tuple[SetAlpha, ...]
    ceilings: tuple[Ceiling, ...]
    per_recording: tuple[RecordingAgreement, ...]
    budgets: tuple[Budget, ...]
    notes: tuple[str, ...] = ()
    recordings: tuple[ObservedRecording, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the fields that ``har agree --json`` prints."""
        return {
            "observers": [asdict(item) for item in self.observers],
            "labels": list(self.labels),
            "n_recordings": self.n_recordings,
            "n_groups": self.n_groups,
            "hours": self.hours,
            **asdict(self.config),
            "pairs": [item.to_json() for item in self.pairs],
            "alphas": [item.to_json() for item in self.alphas],
            "ceilings": [item.to_json() for item in self.ceilings],
            "per_recording": [asdict(item) for item in self.per_recording],
            "budgets": [asdict(item) for item in self.budgets],
            "notes": list(self.notes),
        }
