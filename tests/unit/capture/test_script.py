"""What a session asks for, and when."""

import itertools
from collections import Counter

import pytest

from har.capture.script import plan_slots, plan_takes
from har.config import CaptureConfig
from har.errors import ConfigError

WHOLE = CaptureConfig(partner="p2")


def test_every_take_has_a_name_of_its_own_and_no_gap_in_its_cue():
    takes = plan_takes(WHOLE)
    assert len({take.name for take in takes}) == len(takes) == 84
    assert not [take.cue for take in takes if "{" in take.cue or "  " in take.cue]


def test_more_is_asked_of_playing_than_of_hits_in_every_part():
    counts = Counter((take.posture, take.label) for take in plan_takes(WHOLE))
    assert counts["standing", "playing"] > counts["standing", "hitting_self"] == 15
    assert counts["sitting", "playing"] > counts["sitting", "hitting_self"] == 15
    assert counts["pair", "playing"] > counts["pair", "hitting_others"] == 8


def test_hands_say_nothing_of_the_class():
    takes = [take for take in plan_takes(WHOLE) if take.hand != "both"]
    for label in ("hitting_self", "hitting_others", "playing"):
        counts = Counter(take.hand for take in takes if take.label == label)
        assert counts["left"] == counts["right"], label


def test_both_act_and_only_hits_have_a_target():
    pair = [take for take in plan_takes(WHOLE) if take.posture == "pair"]
    assert Counter(take.actor for take in pair) == {"p1": 9, "p2": 9}
    assert {take.target for take in pair if take.label == "playing"} == {""}
    hits = {(take.actor, take.target) for take in pair if take.label == "hitting_others"}
    assert hits == {("p1", "p2"), ("p2", "p1")}


def test_without_a_partner_there_are_no_takes_of_two():
    assert {take.posture for take in plan_takes(CaptureConfig())} == {"standing", "sitting"}


def test_the_order_is_the_person_s_and_the_seed_s():
    def names(**changes):
        return [take.name.removesuffix("_p1").removesuffix("_p3") for take in plan_takes(
            CaptureConfig(**changes)
        )]  # fmt: skip

    assert names() == names()
    assert names() != names(person="p3")
    assert sorted(names()) == sorted(names(person="p3"))
    assert names() != names(seed=2)


def test_slots_follow_each_other_with_time_to_get_ready_and_to_sit_down():
    config = CaptureConfig(take_s=4.0, ready_s=5.0, settle_s=15.0)
    slots = plan_slots(config)
    gaps = [b.start_s - a.end_s for a, b in itertools.pairwise(slots)]
    changes = [a.take.posture != b.take.posture for a, b in itertools.pairwise(slots)]
    assert gaps == [20.0 if change else 5.0 for change in changes]
    assert sum(changes) == 1
    assert slots[-1].end_s < 20 * 60


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("person", "Anna Maria"),
        ("person", ""),
        ("place", "../up"),
        ("partner", "p1"),
        ("postures", ()),
        ("postures", ("lying",)),
        ("postures", ("sitting", "sitting")),
        ("take_s", 0.1),
        ("max_tries", 0),
    ],
)
def test_settings_out_of_bounds_are_refused(name, value):
    with pytest.raises(ConfigError, match=name):
        CaptureConfig(**{name: value})


def test_takes_of_two_alone_need_a_partner():
    with pytest.raises(ConfigError, match="second one"):
        CaptureConfig(postures=("pair",))
