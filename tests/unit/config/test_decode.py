"""Rules of events: shared ones, those of a label, and changes to both."""

from dataclasses import asdict
from typing import Any

import pytest

from har.config import DecodeConfig, change_rules, update_config
from har.errors import ConfigError

OWN = {"hit": {"onset": 0.9, "min_s": 2.0}, "kick": {"tail": 0.0}}


def test_a_label_takes_what_it_has_of_its_own_and_the_rest_from_all() -> None:
    config = DecodeConfig("play", offset=0.3, min_s=1.0, labels=OWN)
    hit, kick, other = (config.rule(label) for label in ("hit", "kick", "bite"))
    assert (hit.onset, hit.offset, hit.min_s, hit.tail) == (0.9, 0.3, 2.0, other.tail)
    assert (kick.onset, kick.offset, kick.min_s, kick.tail) == (other.onset, 0.3, 1.0, 0.0)
    assert (other.offset, other.min_s) == (0.3, 1.0)


def test_plain_values_are_read_back_and_old_ones_too() -> None:
    config = DecodeConfig("play", 0.7, smooth_s=0.5, labels=OWN)
    assert update_config(DecodeConfig(), asdict(config)) == config
    old = {"background": "play", "onset": 0.7, "offset": 0.4, "min_s": 0.5, "merge_gap_s": 0.5}
    assert update_config(DecodeConfig(), old) == DecodeConfig("play", 0.7)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"onset": 1.1}, "onset must be from 0 to 1, received 1.1"),
        ({"tail": float("nan")}, "tail must be from 0 to 1, received nan"),
        ({"smooth_s": 11.0}, "smooth_s must be from 0 to 10"),
        (
            {"labels": {"hit": {"onset": 0.3}}},
            "offset must be at most onset, which is 0.3, received 0.4; an event starts at onset "
            r"and ends under offset, so set both, such as onset=0.3 and offset=0.2 \(for the label "
            "'hit'",
        ),
        ({"onset": "x"}, "onset must be a number from 0 to 1, received 'x'"),
        ({"onset": None}, "onset must be a number from 0 to 1, received None"),
        ({"onset": True}, "onset must be a number from 0 to 1, received True"),
        ({"labels": {"hit": {"peak": 0.3}}}, "'hit' must be one of onset.*received.*'peak'"),
        (
            {"labels": {"hit": {"onset": "high"}}},
            "onset of the label 'hit' must be a number.*'high'",
        ),
        ({"labels": {"hit": {"onset": True}}}, "onset of the label 'hit' must be a number.*True"),
        ({"labels": {"hit": 0.7}}, "settings of the label 'hit' must be a table, received"),
    ],
)
def test_what_is_out_of_bounds_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        DecodeConfig(**changes)


def test_changes_go_over_what_there_is_and_leave_it_alone() -> None:
    config = DecodeConfig("play", labels=OWN)
    changed = change_rules(config, {"onset": 0.5, "hit.min_s": 0.0, "big.hit.onset": 0.4})
    assert changed.rule("hit") == change_rules(config, {"hit.min_s": 0.0}).rule("hit")
    assert changed.rule("hit").onset == 0.9
    assert changed.rule("bite").onset == 0.5
    assert changed.rule("big.hit").onset == 0.4
    assert config == DecodeConfig("play", labels=OWN)


@pytest.mark.parametrize("name", ["peak", "hit.", "hit.peak", "", "background"])
def test_a_change_of_something_unknown_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match="LABEL"):
        change_rules(DecodeConfig(), {name: 0.5})


def test_changes_are_judged_together() -> None:
    config = change_rules(DecodeConfig(), {"hit.onset": 0.3, "hit.offset": 0.2})
    assert (config.rule("hit").onset, config.rule("hit").offset) == (0.3, 0.2)
