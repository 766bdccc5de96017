"""What every report says of its limits."""

from __future__ import annotations

from collections.abc import Sequence

AID = (
    "The figures describe an aid for triage and coding: it points a person to moments worth "
    "seeing. It is never a diagnosis or an unattended alarm, and no decision about a person may "
    "rest on it alone."
)
SYNTHETIC = (
    "These clips are synthetic (rendered by har), not filmed. The figures show that training "
    "works, not how well real people are recognized."
)
OF_INTERVALS = (
    "An interval tells how far the figure moves when other groups of the same kind are drawn. It "
    "says nothing of data of another kind."
)


def list_limits(labels: Sequence[str]) -> list[str]:
    """Return the limits of figures for some labels, a sentence or two each."""
    return [
        AID,
        "The figures hold for people, places and cameras like those in these data; measure it on "
        "recordings of your own before you rely on it.",
        "A model knows only its labels: whatever else happens is taken for one of them "
        f"({', '.join(labels)}).",
        OF_INTERVALS,
    ]
