"""Synthetic people become windows with what each of them does; tracks are told whose they are."""

import numpy as np
import pytest
from bodies import detect, stand

from har.pose.keypoints import MAX_PEOPLE
from har.pose.tracking import track_people
from har.synthetic.motion import LABELS
from three_class.people import take_synthetic
from three_class.sequences import STYLE_NAMES, Sequences
from three_class.windows import find_owners

OTHERS, SELF, PLAYING = (
    LABELS.index(name) for name in ("hitting_others", "hitting_self", "playing")
)
ALONE = 0


def owners_of(rows, n_steps):
    """Return the (N, 6) owners of steps with the same people in every one."""
    owners = np.full((n_steps, MAX_PEOPLE), -1, dtype=np.int8)
    owners[:, : len(rows)] = rows
    return owners


def make_sequence(label, span_s, owners=(0,), n_steps=40):
    """Return one sequence at 10 Hz of people who stand apart; the first true one acts."""
    bodies = [stand(80 + 90 * place, 150, 100) for place in range(len(owners))]
    found = detect([bodies] * n_steps)
    rest = {"targets": -1, "styles": 3, "scenes": 7, "subjects": ALONE}
    return Sequences(
        points=found.points.astype(np.float16),
        scores=found.scores.astype(np.float16),
        owners=owners_of(owners, n_steps),
        lengths=np.array([n_steps], np.int32),
        labels=np.array([label], np.int8),
        spans_s=np.array([span_s], np.float32),
        sizes=np.array([[192, 320]], np.int16),
        rate_hz=10.0,
        label_names=LABELS,
        style_names=STYLE_NAMES,
        **{name: np.array([value]) for name, value in rest.items()},
    )


def test_each_track_is_whose_detections_it_follows():
    people = [stand(80, 150, 100), stand(200, 150, 100)]
    steps = [people[:: 1 if step % 3 else -1] for step in range(12)]  # they change places in rows
    detections = detect(steps)
    owners = np.array([[4, 2] if step % 3 else [2, 4] for step in range(12)], np.int8)
    owners = np.pad(owners, ((0, 0), (0, 4)), constant_values=-1)
    tracks = track_people(detections, 10.0)
    found = find_owners(tracks, detections, owners)
    by_place = {float(tracks.points[0, column, 0, 0]): owner for column, owner in enumerate(found)}
    assert by_place[float(people[0][0, 0])] == 4
    assert by_place[float(people[1][0, 0])] == 2


@pytest.mark.parametrize(("n_own", "owner"), [(10, 0), (8, 0), (6, -1), (0, 1)])
def test_a_track_that_is_no_one_person_has_no_owner(n_own, owner):
    detections = detect([[stand(80, 150, 100)]] * 10)
    owners = owners_of([1], 10)
    owners[:n_own, 0] = 0
    tracks = track_people(detections, 10.0)
    assert find_owners(tracks, detections, owners).tolist() == [owner]


def test_steps_without_the_person_do_not_count_and_false_people_own_nothing():
    steps = [[stand(80, 150, 100), stand(250, 150, 100)] if step < 4 else [] for step in range(12)]
    detections = detect(steps)
    tracks = track_people(detections, 10.0)
    assert find_owners(tracks, detections, owners_of([3, -1], 12)).tolist() == [3, -1]
    nobody = detect([[]] * 5)
    assert find_owners(track_people(nobody, 10.0), nobody, owners_of([], 5)).tolist() == []


def test_windows_over_the_act_have_its_label_and_those_with_a_little_of_it_are_left_out():
    """Windows start at 0, 0.8 and 1.5 s and last 2.5 s."""
    found = take_synthetic(make_sequence(SELF, (3.0, 4.0)), PLAYING)
    assert found.labels.tolist() == [PLAYING, SELF]
    assert found.windows.tolist() == [0, 2]
    whole = take_synthetic(make_sequence(SELF, (0.5, 1.5), n_steps=10), PLAYING)
    assert whole.labels.tolist() == [SELF]
    assert not whole.points[0, :, 10:].any()


def test_who_does_not_act_is_background_and_false_people_show_nothing():
    found = take_synthetic(make_sequence(OTHERS, (0.0, 4.0), owners=(0, 1, -1)), PLAYING)
    assert (found.labels == OTHERS).sum() == 3
    assert (found.labels != OTHERS).sum() <= 3  # of the other one; the false one is left out
    actor = found.points[found.labels == OTHERS][0]
    np.testing.assert_allclose(actor[1, 0, :, 0] - actor[0, 0, :, 0], 90.0, atol=0.3)
