# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
"""Tables of pandas, which is an extra."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from har.api.settings import extra
from har.types import Event, Scores

if TYPE_CHECKING:
    import pandas as pd


def build_scores_frame(scores: Scores) -> pd.DataFrame:
    """Return one row a time step: ``time_s``, a column a label, ``confidence`` if there is one.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    with extra("pandas"):
        import pandas as pd
    columns: dict[str, Any] = {"time_s": scores.times_s}
    columns |= {label: scores.values[:, column] for column, label in enumerate(scores.labels)}
    if scores.people is not None:
        columns["confidence"] = scores.people.confidence
    return pd.DataFrame(columns)


def build_events_frame(events: Sequence[Event], video: str) -> pd.DataFrame:
    """Return one row an event, with the columns of ``events.csv``.

    Raises:
        MissingDependencyError: pandas is not installed.
    """
    with extra("pandas"):
        import pandas as pd
    columns: dict[str, Any] = {
        "video": pd.Series([video] * len(events), dtype="str"),
        "start_s": pd.Series([event.onset_s for event in events], dtype="float64"),
        "end_s": pd.Series([event.offset_s for event in events], dtype="float64"),
        "label": pd.Series([event.label for event in events], dtype="str"),
        "score": pd.Series([event.score for event in events], dtype="float64"),
        "subject": pd.Series([event.subject or None for event in events], dtype="Int64"),
        "target": pd.Series([event.target or None for event in events], dtype="Int64"),
    }
    return pd.DataFrame(columns)
