"""How scores become events: one rule for all labels, and what is different for some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from har.config.bounds import check, check_range
from har.errors import ConfigError

TAIL_S = 2.0
"""Length of the part of an event from which its end is set: about a window of a model."""


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
            in the `TAIL_S` before; 0 leaves it as it is. A score is a look through windows, which
            go on seeing an act that is over.
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
        check(self.offset <= self.onset, "offset", self.offset, f"at most onset={self.onset}")


RULE_FIELDS = tuple(item.name for item in fields(LabelRule))


@dataclass(frozen=True)
class DecodeConfig:
    """How scores become events.

    Attributes:
        background: Label that never makes an event, or empty for none.
        onset: As in `LabelRule`, for every label that ``labels`` says nothing else of.
        offset: Likewise.
        min_s: Likewise.
        merge_gap_s: Likewise.
        smooth_s: Likewise.
        tail: Likewise.
        labels: For some labels, the settings of `LabelRule` that are different for them.
    """

    background: str = ""
    onset: float = LabelRule.onset
    offset: float = LabelRule.offset
    min_s: float = LabelRule.min_s
    merge_gap_s: float = LabelRule.merge_gap_s
    smooth_s: float = LabelRule.smooth_s
    tail: float = LabelRule.tail
    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rule("")
        for label, values in self.labels.items():
            _check_values(label, values)
            try:
                self.rule(label)
            except ConfigError as error:
                raise ConfigError(f"{error} (for the label {label!r})") from error

    def rule(self, label: str) -> LabelRule:
        """Return the rule of a label: its own settings over those of all.

        >>> DecodeConfig(min_s=1.0, labels={"hit": {"onset": 0.8}}).rule("hit")
        LabelRule(onset=0.8, offset=0.4, min_s=1.0, merge_gap_s=0.5, smooth_s=0.0, tail=0.75)
        """
        shared = {name: getattr(self, name) for name in RULE_FIELDS}
        return LabelRule(**{**shared, **self.labels.get(label, {})})


def _check_values(label: str, values: object) -> None:
    where = f"the label {label!r}"
    if not isinstance(values, Mapping):
        raise ConfigError(f"Expected a table of settings for {where}, received {values!r}")
    for name, value in values.items():
        check(name in RULE_FIELDS, f"a setting of {where}", name, f"one of {RULE_FIELDS}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        check(is_number, f"{name} of {where}", value, "a number")


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
        check(name in RULE_FIELDS, "the name of a setting", key, f"[LABEL.]one of {RULE_FIELDS}")
        (labels.setdefault(label, {}) if label else shared)[name] = value
    return replace(config, **shared, labels=labels)
