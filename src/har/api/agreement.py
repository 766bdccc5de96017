"""Agreement of observers, and the difference between two evaluations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from har.api.settings import StrPath, to_path
from har.config import AgreeConfig
from har.interchange.events import EventTable

if TYPE_CHECKING:
    from har.metrics.agreement import Agreement
    from har.metrics.comparison import Comparison


def agree(
    first: StrPath | EventTable,
    *others: StrPath | EventTable,
    models: StrPath | Sequence[StrPath] = (),
    interval_s: float = AgreeConfig.interval_s,
    bin_s: float = AgreeConfig.bin_s,
    point_s: float = AgreeConfig.point_s,
    renames: Mapping[str, str] | None = None,
    labels: str | Sequence[str] = (),
    media: StrPath | None = None,
    out: StrPath | None = None,
) -> Agreement:
    """Compare what people, or people and a model, coded in the same recordings.

    Only recordings that all observers coded count. With two people or more and a model, the
    agreement of people with each other stands beside that of the model with people.

    Args:
        first: A coding in any format of `har.read_events`, results of `har.predict` or their
            folder, or a table. A file that names several annotators is as many observers.
        others: More of them.
        models: Which observers are a model, by name or file, where that is not known: results of
            har are, and tables in which every event has a score.
        interval_s: Length of the intervals of interval agreement, in seconds.
        bin_s: Length of the time bins of kappa and alpha, in seconds.
        point_s: Length in figures of time of an event of which only the moment was coded.
        renames: What labels of people are called by the model, such as ``{"Hitting others":
            "fight"}``; an empty text leaves a label out.
        labels: Those that count; none means all that occur and are no background.
        media: Folder of the videos, for lengths that no coding says.
        out: Folder for ``metrics.json``, ``agreement.csv`` by recording and label, and
            ``budgets.csv`` and ``report.html``; None writes nothing.

    Raises:
        InterchangeError: A coding cannot be understood.
        ConfigError: There is nothing to compare, a name stands for several videos or observers, or
            a label is not known to the model.
        OutputError: A file cannot be written.

    Example:
        >>> import har
        >>> hits = [har.CodedEvent("a.mp4", at, at + 2.0, "hit") for at in (5.0, 20.0)]
        >>> film = (har.Media("a.mp4", duration_s=60.0),)
        >>> found = har.agree(har.EventTable(tuple(hits), film), har.EventTable((hits[0],), film))
        >>> found.pairs[0].overall.figures["total_count"].mean
        0.5
    """
    from har.reports import agreement, agreement_text

    config = AgreeConfig(interval_s, bin_s, point_s)
    sources = [item if isinstance(item, EventTable) else to_path(item) for item in (first, *others)]
    known = (models,) if isinstance(models, str | Path) else tuple(models)
    codings = agreement.read_codings(sources, known)
    chosen = (labels,) if isinstance(labels, str) else tuple(labels)
    folder = None if media is None else to_path(media)
    found = agreement.agree(codings, config, renames, chosen, folder)
    if out is not None:
        from har.reports.agreement_page import AgreementReport, build_agreement_page
        from har.reports.facts import format_command, list_file_facts
        from har.reports.page import write_page

        agreement_text.write_agreement(to_path(out), found)
        files = [item for item in sources if isinstance(item, Path)]
        options = {
            "--model": list(map(str, known)),
            "--interval": [interval_s],
            "--bin": [bin_s],
            "--label": chosen,
            "--map": [f"{coded}={label}" for coded, label in (renames or {}).items()],
            "--media": [] if folder is None else [folder],
            "--out": [to_path(out)],
        }
        facts = list_file_facts({f"Coding {k}": path for k, path in enumerate(files, start=1)})
        command = format_command(("har", "agree", *files), options)
        report = AgreementReport(found, facts, command if len(files) == len(sources) else "")
        write_page(to_path(out) / "report.html", build_agreement_page(report))
    return found


def compare(first: StrPath, second: StrPath, *, out: StrPath | None = None) -> Comparison:
    """Compare two evaluations of the same clips or recordings.

    Both are measured on the same resamples of whole groups, so that what is hard for both does not
    hide a difference.

    Args:
        first: Folder that `har.crossvalidate`, ``save`` of `Model.evaluate` or `har.score_events`
            wrote, or a table of predictions in it.
        second: Another one, of the same kind.
        out: Folder for ``comparison.json`` and ``groups.csv``; None writes nothing.

    Returns:
        Differences, second less first, with their intervals; McNemar's test for clips; each group.

    Raises:
        OutputError: An evaluation cannot be read, or files not written.
        ConfigError: They are of different kinds, have nothing in common, or disagree about what is
            true.

    Example:
        >>> import har
        >>> found = har.compare("results/motion", "results/both")  # doctest: +SKIP
        >>> found.figures["accuracy"].difference.mean  # doctest: +SKIP
        0.04
    """
    from har.reports import comparison

    names = (str(first), str(second))
    one, other = (comparison.read_evaluation(to_path(name)) for name in names)
    found = comparison.compare(one, other, names)
    if out is not None:
        comparison.write_comparison(to_path(out), found)
    return found
