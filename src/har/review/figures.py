"""How far the observers and the model agree so far: the page of `har agree`, from the store."""

from __future__ import annotations

from har.interchange.events import CodedEvent, EventTable, Media, build_table
from har.metrics.agreement import Observer
from har.reports.agreement import Coding, agree
from har.reports.agreement_page import AgreementReport, build_agreement_page
from har.reports.page import Page
from har.review.project import build_verdict_table
from har.review.store import FoundEvent, Recording, ReviewStore

MODEL = "model"
_UNDECIDED = (
    "An event of the model that nobody has decided on counts as one that the observers do not "
    "have. Decide on all events of a recording before you report figures of it"
)


def build_figures(store: ReviewStore) -> Page:
    """Return the page of all observers and the model, over recordings that all observers began.

    Raises:
        ConfigError: There is nothing to compare: nobody has decided on anything yet, or the
            observers have no recording in common.
    """
    recordings, verdicts = store.list_recordings(), store.list_verdicts()
    names = dict.fromkeys(verdict.observer for verdict in verdicts)
    people = [
        Coding(
            Observer(name, is_model=False),
            build_verdict_table(recordings, [item for item in verdicts if item.observer == name]),
        )
        for name in names
    ]
    found = _build_found(recordings, store.list_events())
    model = Coding(Observer(MODEL if MODEL not in names else "the model", is_model=True), found)
    facts = {"Recordings": str(len(recordings)), "Observers": ", ".join(names) or "none"}
    result = agree([model, *people])
    return build_agreement_page(AgreementReport(result, facts | {"Undecided": _UNDECIDED}))


def _build_found(recordings: list[Recording], events: list[FoundEvent]) -> EventTable:
    paths = {recording.id: recording.path for recording in recordings}
    coded = (
        CodedEvent(
            paths[event.recording],
            event.start_s,
            event.end_s,
            event.label,
            event.subject,
            event.target,
            score=event.score,
        )
        for event in events
        if event.is_of_model
    )
    media = (Media(r.path, r.duration_s, r.fps, r.group) for r in recordings)
    labels = dict.fromkeys(label for recording in recordings for label in recording.labels)
    return build_table(coded, media, labels)
