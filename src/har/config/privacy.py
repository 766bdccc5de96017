"""What is hidden of people in all pictures that are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from har.config.bounds import check, check_range

Faces = Literal["keep", "blur", "pixelate", "black"]
ShownPeople = Literal["keep", "skeleton"]
Uncertain = Literal["keep", "blur-moving"]


@dataclass(frozen=True)
class PrivacyConfig:
    """What is hidden of people in videos and pictures that are written.

    Attributes:
        faces: ``blur``, ``pixelate`` or ``black`` covers heads; ``keep`` leaves them as they are.
        people: ``skeleton`` shows drawn skeletons on the still background in their place.
        uncertain: ``blur-moving`` also blurs what moves where nobody was found.
        hold_s: A head stays covered for so long before it is first seen and after it was last seen.
    """

    faces: Faces = "keep"
    people: ShownPeople = "keep"
    uncertain: Uncertain = "keep"
    hold_s: float = 1.0

    def __post_init__(self) -> None:
        kinds = {"faces": Faces, "people": ShownPeople, "uncertain": Uncertain}
        for name, kind in kinds.items():
            value, known = getattr(self, name), get_args(kind)
            check(value in known, name, value, f"one of {', '.join(known)}")
        check_range(self, hold_s=(0.2, 10.0))

    @property
    def is_on(self) -> bool:
        """Whether anything is hidden."""
        return (self.faces, self.people, self.uncertain) != ("keep", "keep", "keep")


def list_options(privacy: PrivacyConfig | None) -> dict[str, list[str]]:
    """Return the options of a command that hide as much; those of nothing hidden are left out.

    >>> list_options(PrivacyConfig("blur"))
    {'--faces': ['blur']}
    """
    if privacy is None:
        return {}
    values = {
        "--faces": privacy.faces,
        "--people": privacy.people,
        "--uncertain": privacy.uncertain,
    }
    return {name: [value] for name, value in values.items() if value != "keep"}
