"""How scores become events: one rule for all labels, and what is different for some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from har.config.bounds import check, check_range
from har.config.rules import check_label_rules, derive_rule, list_fields

BACKGROUND_NAMES = frozenset(
    {"background", "idle", "neutral", "no_fight", "nofight", "none", "normal", "nothing"}
    | {"other", "playing", "rest"}
)
"""Labels, in lower case, that are taken to mean that nothing of interest happens."""


def find_background(labels: Iterable[str]) -> str:
    """Return the first label that means "nothing of interest", or an empty text.

    >>> find_background(("fight", "noFight"))
    'noFight'
    """
    return next((label for label in labels if label.lower() in BACKGROUND_NAMES), "")


TAIL_S = 2.0
"""Length of the part of an event from which its end is set: about a window of a model."""


_USUAL_RATIO = 2 / 3
"""Of offset to onset in the default settings."""


@dataclass(frozen=True)
class LabelRule:
    """How the scores of one label become events.

    Attributes:
        onset: Score at which an event starts.
        offset: Score under which it ends; at most ``onset``.
        min_s: Events that are shorter in the end are dropped.
        merge_gap_s: Events that are nearer than this become one.
        smooth_s: Scores are a mean over this long before they are compared with the thresholds; 0
            for none. A live stream decides later by half of it.
        tail: An event's end is drawn in to where its score last reaches this share of the highest
            in the `TAIL_S` before; 0 leaves it as it is. A score is computed over windows,
            which still cover an act that is over.
    """

    onset: float = 0.6
    offset: float = 0.4
    min_s: float = 0.5
    merge_gap_s: float = 0.5
    smooth_s: float = 0.0
    tail: float = 0.75

    def __post_init__(self) -> None:
        check_range(
            self,
            onset=(0.0, 1.0),
            offset=(0.0, 1.0),
            min_s=(0.0, 600.0),
            merge_gap_s=(0.0, 600.0),
            smooth_s=(0.0, 10.0),
            tail=(0.0, 1.0),
        )
        check(
            self.offset <= self.onset,
            "offset",
            self.offset,
            f"at most onset, which is {self.onset:g}",
            f"an event starts at onset and ends under offset, so set both, such as "
            f"onset={self.onset:g} and offset={self.onset * _USUAL_RATIO:.2g}",
        )


RULE_FIELDS = list_fields(LabelRule)


@dataclass(frozen=True)
class _Background:
    background: str = ""


@dataclass(frozen=True)
class DecodeConfig(LabelRule, _Background):
    """How scores become events: a rule for every label that has none of its own in ``labels``.

    Attributes:
        background: Label that never makes an event, or empty for none. It is the first setting.
        labels: For some labels, the settings of `LabelRule` that are different for them.
    """

    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_label_rules(self, LabelRule, "the label")

    def rule(self, label: str) -> LabelRule:
        """Return the rule of a label: its own settings over those of all.

        >>> DecodeConfig(min_s=1.0, labels={"hit": {"onset": 0.8}}).rule("hit")
        LabelRule(onset=0.8, offset=0.4, min_s=1.0, merge_gap_s=0.5, smooth_s=0.0, tail=0.75)
        """
        return derive_rule(self, LabelRule, label)


def change_rules(config: DecodeConfig, changes: Mapping[str, float]) -> DecodeConfig:
    """Return a config with some settings of all labels, or of one, put over it.

    Args:
        config: What is changed.
        changes: By the setting's name, ``onset``, or with a label before it, ``hit.onset``. A
            setting of all labels leaves alone what a label has of its own.

    Raises:
        ConfigError: A name is unknown or a value is out of its bounds.

    >>> config = change_rules(DecodeConfig(), {"min_s": 1.0, "hit.onset": 0.7})
    >>> config.min_s, config.labels
    (1.0, {'hit': {'onset': 0.7}})
    """
    shared: dict[str, float] = {}
    labels = {label: dict(values) for label, values in config.labels.items()}
    for key, value in changes.items():
        label, _, name = key.rpartition(".")
        known = f"one of {', '.join(RULE_FIELDS)}, or LABEL.NAME"
        check(name in RULE_FIELDS, "the name of a setting", key, known)
        (labels.setdefault(label, {}) if label else shared)[name] = value
    return replace(config, **shared, labels=labels)
