"""The benchmark of what carries over: nothing that is judged was learnt from or chosen on."""

from dataclasses import replace

import numpy as np
import pytest
from bodies import detect, stand

from har.pose.tracking import track_people
from three_class.bundle import DOMAINS, LABELS, OTHERS, SELF, Sources, Tracked, choose
from three_class.sequences import draw_sequences
from three_class.settings import SequencesConfig
from transfer_parts.table import LEFT_OUT, ROWS

SOURCE_OF_ROW = {"survfight": "fights", "synthetic": "synthetic", "webcam_mit": "webcams"}
"""What the recipe may take of the domains of rows; the other rows are measured only."""
N_STEPS = 30


def score_by_head_height(features):
    """Give logits that differ from person to person."""
    logits = np.zeros((*features.shape[:2], len(LABELS)))
    logits[..., OTHERS] = features[..., 0]
    logits[..., SELF] = features[..., 1]
    return logits


def build_sources(n_people):
    """Return sources of people who stand still, and of a few synthetic ones."""
    found = detect([[stand(80 + 90 * place, 150, 100) for place in range(n_people)]] * N_STEPS)
    still = track_people(found, 10.0).points
    return Sources(
        fights=Tracked([still, still[:, ::-1]], ["a", "b"], [True, False]),
        webcams=Tracked([still], ["c"], [False]),
        synthetic=(),
        held=draw_sequences(SequencesConfig(24), jobs=1),
        data_hash="",
        marks=(),
    )


def test_a_row_is_of_what_was_neither_learnt_nor_chosen_on():
    for item in LEFT_OUT:
        assert not {SOURCE_OF_ROW.get(row) for row in item.judged} & {
            *item.learnt,
            *item.chosen_on,
        }


def test_every_row_is_judged_once():
    assert sorted(row for item in LEFT_OUT for row in item.judged) == sorted(ROWS)


@pytest.mark.parametrize("without", DOMAINS)
def test_thresholds_do_not_depend_on_a_domain_that_is_left_out(without):
    sources = build_sources(2)
    other = {
        "fights": {"fights": Tracked([], [], [])},
        "webcams": {"webcams": Tracked([], [], [])},
        "synthetic": {"held": draw_sequences(SequencesConfig(24, seed=9), jobs=1)},
    }[without]
    domains = [name for name in DOMAINS if name != without]
    expected = choose(sources, score_by_head_height, domains)
    np.testing.assert_array_equal(
        choose(replace(sources, **other), score_by_head_height, domains), expected
    )
