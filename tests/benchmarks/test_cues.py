import dataclasses

import numpy as np
import pytest

from cues_parts.check import (
    HELD_PAIR,
    MAX_AUC,
    CueFigure,
    check_cues,
    find_leaks,
    require_no_leak,
)
from cues_parts.cues import (
    CUES,
    Actor,
    count_people,
    get_seen_actor,
    get_true_actor,
    measure_duration,
    measure_hand_to_head,
    measure_head_drop,
    measure_landings,
    measure_lean,
    measure_nearness,
    measure_wrist_speed,
)
from har.errors import ConfigError, DatasetError
from three_class.sequences import draw_sequence
from three_class.settings import SequencesConfig

pytestmark = pytest.mark.slow

RATE_HZ = 10.0


def stand(n_steps=30, others=0):
    """Someone 100 px tall between shoulders and hips, hands hanging at the hips."""
    places = [(0, -150), (5, -155), (-5, -155), (10, -150), (-10, -150), (30, -100), (-30, -100)]
    places += [(40, -50), (-40, -50), (40, 0), (-40, 0), (20, 0), (-20, 0)]
    places += [(20, 80), (-20, 80), (20, 160), (-20, 160)]
    points = np.broadcast_to(np.array(places, dtype=float), (n_steps, 17, 2)).copy()
    return Actor(
        points,
        np.ones((n_steps, 17)),
        np.broadcast_to(points[:, None] + [300.0, 0.0], (n_steps, others, 17, 2)).copy(),
        np.full(n_steps, 1 + others),
        (480, 640),
        100.0,
        RATE_HZ,
    )


def test_figures_of_someone_who_stands_are_as_worked_out_by_hand():
    actor = stand()
    assert measure_duration(actor) == (3.0,)
    assert count_people(actor) == (1.0, 1.0)
    assert measure_head_drop(actor) == pytest.approx((0.52, 0.0, 0.52, 0.52, 0.0, 0.0))
    assert measure_lean(actor) == pytest.approx((0.0,) * 5)
    assert measure_wrist_speed(actor) == pytest.approx((0.0,) * 5)
    assert measure_landings(actor) == (0.0, 0.0, 0.0)
    assert measure_nearness(actor) == (10.0, 10.0)
    assert measure_nearness(stand(others=1)) == pytest.approx((3.0, 3.0))


def test_a_hand_that_strikes_the_head_lands_there():
    actor = stand()
    wrist, head = actor.points[:, 9], actor.head[0]
    wrist[:] = [200.0, 0.0]
    for contact in (8, 16, 24):
        wrist[contact - 2] = head + np.array([120.0, 0.0])
        wrist[contact - 1] = head + np.array([60.0, 0.0])
        wrist[contact : contact + 2] = head
    closing, _, landings = measure_landings(actor)
    assert landings == 3
    assert closing == pytest.approx(6.0)
    assert measure_hand_to_head(actor)[2] == pytest.approx(0.0, abs=0.01)


def test_the_seen_actor_is_the_one_who_acts():
    config = SequencesConfig(seed=2)
    compared = 0
    for index in range(20):
        sequence = draw_sequence(config, index)
        seen, true = get_seen_actor(sequence, RATE_HZ), get_true_actor(sequence, RATE_HZ)
        if seen is None:
            continue
        off = np.linalg.norm(seen.pelvis - true.pelvis, axis=-1) / true.trunk_px
        assert np.median(off) < 0.6
        compared += 1
    assert compared >= 12


def test_someone_who_is_hardly_seen_has_no_cues():
    sequence = draw_sequence(SequencesConfig(seed=2), 0)
    hidden = dataclasses.replace(sequence, owners=np.full_like(sequence.owners, -1))
    assert get_seen_actor(hidden, RATE_HZ) is None


@pytest.mark.parametrize("cue", CUES, ids=lambda cue: cue.name)
def test_every_cue_is_a_few_finite_numbers(cue):
    for index in range(4):
        sequence = draw_sequence(SequencesConfig(seed=4), index)
        for actor in (get_true_actor(sequence, RATE_HZ), get_seen_actor(sequence, RATE_HZ)):
            if actor is not None:
                assert np.isfinite(cue.compute(actor)).all()


def test_only_nuisances_of_the_held_pair_leak():
    high = MAX_AUC + 0.05
    leak = CueFigure("head drop", *HELD_PAIR, 0.5, high, "")
    act = CueFigure("hand to own head", *HELD_PAIR, high, high, "it is the act")
    other = CueFigure("feet speed", "hitting_others", "playing", high, high, "")
    low = CueFigure("duration", *HELD_PAIR, MAX_AUC, 0.5, "")
    assert find_leaks([leak, act, other, low]) == [leak]


def test_every_cue_of_both_pairs_has_its_figures():
    figures = check_cues(SequencesConfig(n_sequences=200, seed=3), jobs=1)
    assert len(figures) == 2 * len(CUES)
    for figure in figures:
        assert 0.0 <= figure.true_auc <= 1.0
        assert 0.0 <= figure.seen_auc <= 1.0
    held = [figure.auc for figure in figures if (figure.label, figure.other) == HELD_PAIR]
    assert held == sorted(held, reverse=True)


def test_too_few_sequences_say_nothing():
    with pytest.raises(ConfigError, match="check more sequences"):
        check_cues(SequencesConfig(n_sequences=20), jobs=1)


def test_a_leak_is_named_and_refused():
    leak = CueFigure("head drop", *HELD_PAIR, 0.5, 0.71, "")
    fine = CueFigure("duration", *HELD_PAIR, 0.5, 0.5, "")
    require_no_leak([fine])
    with pytest.raises(DatasetError, match=r"head drop \(0\.710\)"):
        require_no_leak([leak, fine])
