"""Synthetic people become windows with what each of them does; tracks are told whose they are."""

import numpy as np
import pytest
from bodies import detect, stand

from har.config import PoseConfig
from har.pose.features import N_FEATURES, SEEN_COLUMN
from har.pose.keypoints import MAX_PEOPLE
from har.pose.tracking import track_people
from har.synthetic.motion import LABELS
from three_class.sequences import STYLE_NAMES, Sequences, draw_sequences
from three_class.settings import SequencesConfig
from three_class.windows import compute_person_windows, find_owners

OTHERS, SELF, PLAYING = (
    LABELS.index(name) for name in ("hitting_others", "hitting_self", "playing")
)
SPEC = PoseConfig(n_steps=10).pose_spec(LABELS, "playing", "hash")
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


def cut(sequence):
    return compute_person_windows(sequence, SPEC, PLAYING, jobs=1)


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


def test_windows_over_the_act_have_its_label_and_the_rest_are_background():
    """Windows start at 0, 0.8, 1.6, 2.4 and 3.0 s: the third and fourth hold 0.6 s of the act."""
    found = cut(make_sequence(SELF, (2.0, 3.0)))
    acting = found.labels == SELF
    assert acting.sum() == 2
    assert set(found.styles[acting]) == {3}
    assert set(found.scenes) == {7}
    assert set(found.labels[~acting]) <= {PLAYING}
    assert set(found.styles[~acting]) <= {-1, 3}
    assert found.features.shape[1:] == (10, N_FEATURES)
    assert found.features.dtype == np.float16


def test_windows_with_a_little_of_the_act_are_left_out():
    whole, part = (
        cut(make_sequence(SELF, (0.0, 4.0))),
        cut(make_sequence(SELF, (0.5, 1.1), n_steps=10)),
    )
    assert (whole.labels == SELF).all()
    assert (part.labels == SELF).all()  # the whole act is in the one window
    assert len(cut(make_sequence(SELF, (0.7, 2.7), n_steps=10)).labels) == 0  # 0.3 s of a second


def test_who_does_not_act_is_background_and_false_people_show_nothing():
    found = cut(make_sequence(OTHERS, (0.0, 4.0), owners=(0, 1, -1)))
    assert (found.labels == OTHERS).sum() == 5
    assert (found.labels != OTHERS).sum() <= 5  # of the other one; the false one is left out


def test_a_short_sequence_is_one_window_padded_at_its_end():
    found = cut(make_sequence(SELF, (0.0, 0.4), n_steps=4))
    assert len(found.labels) == 1
    assert found.features[0, :4, SEEN_COLUMN].tolist() == [1.0] * 4
    assert not found.features[0, 4:].any()


def test_sequences_of_the_generator_give_the_same_windows_in_any_number_of_processes():
    sequences = draw_sequences(SequencesConfig(n_sequences=60, per_scene=3, seed=5), jobs=1)
    one, two = (compute_person_windows(sequences, SPEC, PLAYING, jobs) for jobs in (1, 2))
    for name in ("features", "labels", "styles", "scenes"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert set(one.labels) == {OTHERS, SELF, PLAYING}
    assert set(one.scenes) <= set(sequences.scenes.tolist())
    assert np.isfinite(one.features).all()
