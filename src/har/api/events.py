"""From saved scores to events, rules and figures: no network, no video."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from har.api.html import render_table
from har.api.settings import Rules, StrPath, build_decode, find_folder, list_paths, to_path
from har.bundle import load_info, save_info
from har.bundle_files import FOLDER
from har.config import SINGLE_PERSON_LABELS, DecodeConfig, TuneConfig, find_background
from har.config.decode import RULE_FIELDS
from har.errors import ConfigError
from har.events.files import find_scores
from har.events.recut import Recut, cut_again, write_recut
from har.events.summary import Totals, add_totals
from har.files import write_json
from har.metrics.intervals import Interval
from har.metrics.tuning import TuneResult, tune_decode

if TYPE_CHECKING:
    from har.api.model import Model
    from har.reports.scoring import EventScore


@dataclass(frozen=True)
class Recuts:
    """The events of several recordings, cut again.

    Attributes:
        videos: ``stem``, ``video``, ``events``, ``totals`` and ``decode`` of each file of scores.
    """

    videos: tuple[Recut, ...]

    @property
    def totals(self) -> Totals:
        """What all events add up to."""
        return add_totals([video.totals for video in self.videos])

    def to_json(self) -> list[dict[str, Any]]:
        """Return the values that `har events --json` prints, one for each recording."""
        return [video.to_json() for video in self.videos]


def recut(
    scores: StrPath | Iterable[StrPath],
    *,
    model: Model | StrPath | None = None,
    decode: Rules | None = None,
    changes: Mapping[str, float] | None = None,
    out: StrPath | None = None,
    guard: bool = True,
) -> Recuts:
    """Cut events again from saved scores, in a moment; neither video nor network is needed.

    Args:
        scores: Files that `har.predict` or `Result.save` wrote, or folders of them.
        model: Whose rules are the start; har's own when None.
        decode: Rules in the place of those, or a file of some that go over them.
        changes: Single settings over those: ``{"onset": 0.7, "hit.min_s": 1.0}``.
        out: Gets the events as CSV, JSON and WebVTT; nothing is written when None.
        guard: As of `har.predict`.

    Raises:
        BundleError: The model is absent or damaged.
        ConfigError: A rule does not fit.
        OutputError: Scores cannot be read, or files not written.

    Example:
        >>> import har, numpy as np, tempfile
        >>> result = har.load("fight").predict(np.zeros((50, 180, 320), np.uint8), fps=25)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     base = result.save(folder)
        ...     (found,) = har.recut(folder, changes={"onset": 0.0, "offset": 0.0}).videos
        >>> [(event.label, event.onset_s, event.offset_s) for event in found.events]
        [('fight', 0.0, 2.0)]
    """
    info = None if model is None else load_info(find_folder(model))
    alone = info.pose.spec.single_person_labels if info and info.pose else SINGLE_PERSON_LABELS

    def choose(labels: tuple[str, ...]) -> DecodeConfig:
        base = info.decode if info else DecodeConfig(find_background(labels))
        return build_decode(base, decode, changes)

    found = Recuts(tuple(cut_again(find_scores(list_paths(scores)), choose, alone)))
    if out is not None:
        write_recut(to_path(out), found.videos, guard)
    return found


@dataclass(frozen=True)
class Tuned(TuneResult):
    """The chosen rules, and what may be expected of them.

    Attributes:
        decode: All rules, ready for use as ``decode`` of other functions.
        recall: Mean over the labels, on recordings that had no part in the choice.
        false_alarms_per_hour: Likewise, of all labels together.
        notes: What had to be assumed of the table; which videos were on one side only.
    """

    notes: tuple[str, ...] = field(kw_only=True)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har tune --json` prints."""
        return {**super().to_json(), "notes": list(self.notes)}

    def _repr_html_(self) -> str:
        rows = [
            [
                item.label,
                *(f"{getattr(item.rule, name):g}" for name in RULE_FIELDS),
                f"{item.n_hits} of {item.n_true}",
                item.n_false,
            ]
            for item in self.per_label
        ]
        header = ["label", *RULE_FIELDS, "found", "false alarms"]
        expected = [
            f"{name} on recordings that had no part in the choice: {_format_interval(found)}"
            for name, found in (
                ("Recall", self.recall),
                ("False alarms per hour", self.false_alarms_per_hour),
            )
        ]
        return render_table(header, rows, (*expected, *self.warnings, *self.notes))


def _format_interval(found: Interval) -> str:
    if found.mean is None or found.low is None or found.high is None:
        return found.reason if found.mean is None else f"{found.mean:.3f}"
    return f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"


def tune(
    scores: StrPath | Iterable[StrPath],
    truth: StrPath,
    *,
    false_alarms_per_hour: float = TuneConfig.false_alarms_per_hour,
    renames: Mapping[str, str] | None = None,
    annotator: str = "",
    model: StrPath | None = None,
    out: StrPath | None = None,
    progress: bool = False,
) -> Tuned:
    """Choose when scores become events, for a number of false alarms per hour.

    The choice finds the most acts within the false alarms that are asked for; what to expect is
    measured on recordings that are left out of the choice one by one.

    Args:
        scores: Files that `har.predict` wrote, or folders of them, of recordings that the model has
            not learnt from and that a person has coded in full.
        truth: Table of the acts: video, label, start and end.
        false_alarms_per_hour: At most as many, of all labels together.
        renames: What labels of the truth are called by the model, such as ``{"Hitting others":
            "fight"}``; an empty text leaves a label's acts out.
        annotator: Whose acts count, where several coded a video.
        model: Folder of a model: the choice starts from its rules and is written there.
        out: JSON file for the rules, such as other functions take as ``decode``.
        progress: Show a bar.

    Raises:
        BundleError: The model is absent or damaged.
        ConfigError: There is nothing to tune on, the truth has a label that the model does not
            know or a video of several annotators, or the model is one that comes with har.
        InterchangeError: The truth cannot be understood.
        OutputError: Scores cannot be read, or the rules not written.

    Example:
        >>> import har
        >>> chosen = har.tune("results", "coded.csv", out="rules.json")  # doctest: +SKIP
        >>> chosen.decode.rule("hit").onset  # doctest: +SKIP
        0.85
    """
    from har.interchange.coding import check_known, read_coding
    from har.reports.scoring import load_scored, note_late_events, warn_of_learned

    config = TuneConfig(false_alarms_per_hour=false_alarms_per_hour)
    info = None if model is None else load_info(to_path(model))
    if model is not None and to_path(model).resolve().parent == FOLDER.resolve():
        raise ConfigError(f"{model} comes with har and stays as it is; write the rules to a file")
    coding = read_coding(to_path(truth), renames, annotator)
    recordings, notes = load_scored(list_paths(scores), coding.videos)
    if not recordings:
        raise ConfigError(
            f"There is no event to tune on: {truth} names none of the recordings that have scores"
            f" ({'; '.join(notes)})"
        )
    coded = {event.label for video in coding.videos for event in video.events}
    check_known(coded, (label for item in recordings for label in item.scores.labels))
    late = note_late_events((item.name, item.hours * 3600.0, item.truth) for item in recordings)
    base = info.decode if info else DecodeConfig(find_background(recordings[0].scores.labels))
    found = tune_decode(recordings, base, config, progress)
    warnings = (*warn_of_learned(list_paths(scores)), *found.warnings)
    result = Tuned(**vars(found), notes=(*coding.notes, *notes, *late))
    result = replace(result, warnings=warnings)
    if model is not None and info is not None:
        metrics = {**info.metrics, "tune": found.to_json()}
        save_info(to_path(model), replace(info, decode=result.decode, metrics=metrics))
    if out is not None:
        write_json(to_path(out), asdict(result.decode))
    return result


def score_events(
    predicted: StrPath,
    truth: StrPath,
    *,
    scores: StrPath | Iterable[StrPath] = (),
    labels: Sequence[str] = (),
    renames: Mapping[str, str] | None = None,
    annotator: str = "",
    decode: Rules | None = None,
    out: StrPath | None = None,
    guard: bool = True,
) -> EventScore:
    """Compare found events with the acts that a person coded.

    Args:
        predicted: ``results.json`` of `har.predict` or ``events.json`` of `har.recut`, which know
            all videos and their lengths, or a CSV of events.
        truth: Table of the acts: video, label, start and end.
        scores: Files of scores or folders of them, for the curve over all thresholds.
        labels: Those that count; none means all that occur and are no background.
        renames: What labels of the truth are called by the model, such as ``{"Hitting others":
            "fight"}``; an empty text leaves a label's acts out.
        annotator: Whose acts count, where several coded a video.
        decode: The rules in use, for the curve.
        out: Folder for ``metrics.json``, ``matches.csv`` (every hit, miss and false alarm),
            ``recordings.csv`` and ``report.html``; None writes nothing.
        guard: As of `har.predict`.

    Raises:
        InterchangeError: A table cannot be understood.
        OutputError: Results or scores cannot be read, or files not written.
        ConfigError: A name stands for several videos, the truth has a label that the model does not
            know or a video of several annotators, or there is nothing to compare.

    Example:
        >>> import har
        >>> found = har.score_events("results/results.json", "coded.csv")  # doctest: +SKIP
        >>> found.metrics.overall.figures["recall"].mean  # doctest: +SKIP
        0.91
    """
    from har.reports import scoring

    rules = None if decode is None else build_decode(DecodeConfig(), decode, None)
    chosen = (labels,) if isinstance(labels, str) else labels
    result = scoring.score_events(
        to_path(predicted), to_path(truth), list_paths(scores), chosen, rules, renames, annotator
    )
    if out is not None:
        from har.reports.events import write_event_score
        from har.reports.facts import format_command, list_file_facts

        scoring.write_score_tables(to_path(out), result, guard)
        found, reference = to_path(predicted), to_path(truth)
        command = format_command(
            ("har", "score-events", found, reference, *["--no-guard"] * (not guard)),
            {
                "--scores": list_paths(scores),
                "--label": chosen,
                "--map": [f"{coded}={label}" for coded, label in (renames or {}).items()],
                "--annotator": [annotator] if annotator else [],
                "--out": [to_path(out)],
            },
        )
        title = f"{found.name} against {reference.name}"
        facts = list_file_facts({"Found events": found, "Reference": reference})
        write_event_score(to_path(out), result, title, facts, command)
    return result
