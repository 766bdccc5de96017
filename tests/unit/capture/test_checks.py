"""What is in the way of a good take, seen by the real network in drawn pictures."""

import dataclasses

import numpy as np
import pytest
from puppet import iter_times, paint_moment, paint_people

from har.capture.checks import Looker, find_faults, find_take_faults, has_moved
from har.capture.script import Take
from har.inference.detector import PoseDetector
from har.pose.keypoints import INDEX
from har.types import Frame

WAVE = Take("wave", "playing", "standing", "both", "p1", "", "Wave.")
IDLE = Take("idle", "playing", "standing", "both", "p1", "", "Rest.")


@pytest.fixture(scope="module")
def looker():
    return Looker(PoseDetector(n_threads=1))


def film(looker, pictures):
    frames = [Frame(i, i / 10, picture) for i, picture in enumerate(pictures)]
    return frames, [looker.look(frame.image) for frame in frames]


def test_a_good_picture_has_no_fault_and_is_described(looker):
    look = looker.look(paint_people((0.5,)))
    assert find_faults([look], 1, "both") == []
    assert look.describe().startswith("1 person | head .")
    pair = looker.look(paint_people((0.3, 0.7)))
    assert find_faults([pair], 2, "both") == []
    assert pair.describe().startswith("2 people")


@pytest.mark.parametrize(
    ("picture", "n_people", "said"),
    [
        (paint_people(()), 1, "Nobody"),
        (paint_people((0.3, 0.7)), 1, "More than 1"),
        (paint_people((0.5,)), 2, "Two people"),
        (paint_people((0.5,), height=0.25), 1, "Too far"),
        (paint_people((0.5,), light=0.15), 1, "too dark"),
    ],
)
def test_each_fault_is_named_with_its_remedy(looker, picture, n_people, said):
    (fault,) = find_faults([looker.look(picture)], n_people, "both")
    assert said in fault
    assert ":" in fault


@pytest.mark.parametrize(("shape", "looked_at"), [((240, 320), 256), ((360, 640), 192)])
def test_pictures_are_looked_at_in_the_size_of_a_store(looker, shape, looked_at):
    assert looker.look(np.zeros((*shape, 3), np.uint8)).height_px == looked_at


def change(look, names, score):
    points = look.points.copy()
    points[0, [INDEX[name] for name in names], 2] = score
    return dataclasses.replace(look, points=points)


@pytest.mark.parametrize(
    ("names", "hand", "said"),
    [
        (["left_wrist"], "left", ["left hand"]),
        (["left_wrist"], "right", []),
        (["left_wrist", "right_wrist"], "both", ["left hand", "right hand"]),
        (["nose", "left_eye", "right_eye", "left_ear", "right_ear"], "right", ["head"]),
        (["right_shoulder"], "right", ["shoulders"]),
        (["left_hip"], "right", ["hips"]),
    ],
)
def test_what_is_not_seen_surely_is_named(looker, names, hand, said):
    look = change(looker.look(paint_people((0.5,))), names, 0.05)
    faults = find_faults([look], 1, hand)
    assert [word in fault for word, fault in zip(said, faults, strict=True)] == [True] * len(said)


def test_one_bad_look_in_four_is_no_fault(looker):
    good, bad = looker.look(paint_people((0.5,))), looker.look(paint_people(()))
    assert find_faults([good, bad, good, good], 1, "both") == []
    assert find_faults([good, bad, bad, good], 1, "both") != []


def test_movement_is_told_from_rest_and_from_walking(looker):
    _, moving = film(looker, [paint_moment(time_s) for time_s in iter_times(1.5)])
    assert has_moved(moving)
    walking = []
    for step in range(15):
        points = moving[0].points.copy()
        points[0, :, 0] += 3.0 * step
        walking.append(dataclasses.replace(moving[0], points=points))
    assert not has_moved(walking)
    assert not has_moved([looker.look(paint_people(()))] * 5)


def test_a_take_in_which_nothing_happens_is_kept_only_where_that_was_asked(looker):
    frames, looks = film(looker, [paint_people((0.5,))] * 20)
    assert find_take_faults(IDLE, frames, looks, 2.0) == []
    (fault,) = find_take_faults(WAVE, frames, looks, 2.0)
    assert "No hand has moved" in fault


def test_a_take_that_is_short_or_slow_is_too_weak(looker):
    frames, looks = film(looker, [paint_people((0.5,))] * 20)
    assert "1.9 s of 4.0 s" in find_take_faults(IDLE, frames, looks, 4.0)[0]
    assert "0.0 s of 4.0 s" in find_take_faults(IDLE, [], [], 4.0)[0]
    slow = [Frame(i, i / 5, frame.image) for i, frame in enumerate(frames)]
    assert "5.0 pictures a second" in find_take_faults(IDLE, slow, looks, 4.0)[0]
