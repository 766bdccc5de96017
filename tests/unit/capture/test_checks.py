"""What is in the way of a good take, seen by the real network in drawn pictures."""

import dataclasses

import numpy as np
import pytest
from puppet import iter_times, paint_moment, paint_people

from har.capture.checks import FrameChecker, find_faults, find_take_faults, has_moved
from har.capture.script import Take
from har.inference.detector import PoseDetector
from har.pose.keypoints import INDEX
from har.types import Frame

WAVE = Take("wave", "playing", "standing", "both", "p1", "", "Wave.")
IDLE = Take("idle", "playing", "standing", "both", "p1", "", "Rest.")


@pytest.fixture(scope="module")
def checker():
    return FrameChecker(PoseDetector(n_threads=1))


def film(checker, pictures):
    frames = [Frame(i, i / 10, picture) for i, picture in enumerate(pictures)]
    return frames, [checker.check(frame.image) for frame in frames]


def test_a_good_picture_has_no_fault_and_is_described(checker):
    snapshot = checker.check(paint_people((0.5,)))
    assert find_faults([snapshot], 1, "both") == []
    assert snapshot.describe().startswith("1 person | head .")
    pair = checker.check(paint_people((0.3, 0.7)))
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
def test_each_fault_is_named_with_its_remedy(checker, picture, n_people, said):
    (fault,) = find_faults([checker.check(picture)], n_people, "both")
    assert said in fault
    assert ":" in fault


@pytest.mark.parametrize(("shape", "looked_at"), [((240, 320), 256), ((360, 640), 192)])
def test_pictures_are_looked_at_in_the_size_of_a_store(checker, shape, looked_at):
    assert checker.check(np.zeros((*shape, 3), np.uint8)).height_px == looked_at


def change(snapshot, names, score):
    points = snapshot.points.copy()
    points[0, [INDEX[name] for name in names], 2] = score
    return dataclasses.replace(snapshot, points=points)


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
def test_what_is_not_seen_surely_is_named(checker, names, hand, said):
    snapshot = change(checker.check(paint_people((0.5,))), names, 0.05)
    faults = find_faults([snapshot], 1, hand)
    assert [word in fault for word, fault in zip(said, faults, strict=True)] == [True] * len(said)


def test_one_bad_look_in_four_is_no_fault(checker):
    good, bad = checker.check(paint_people((0.5,))), checker.check(paint_people(()))
    assert find_faults([good, bad, good, good], 1, "both") == []
    assert find_faults([good, bad, bad, good], 1, "both") != []


def test_movement_is_told_from_rest_and_from_walking(checker):
    _, moving = film(checker, [paint_moment(time_s) for time_s in iter_times(1.5)])
    assert has_moved(moving)
    walking = []
    for step in range(15):
        points = moving[0].points.copy()
        points[0, :, 0] += 3.0 * step
        walking.append(dataclasses.replace(moving[0], points=points))
    assert not has_moved(walking)
    assert not has_moved([checker.check(paint_people(()))] * 5)


def test_a_take_in_which_nothing_happens_is_kept_only_where_that_was_asked(checker):
    frames, snapshots = film(checker, [paint_people((0.5,))] * 20)
    assert find_take_faults(IDLE, frames, snapshots, 2.0) == []
    (fault,) = find_take_faults(WAVE, frames, snapshots, 2.0)
    assert "No hand has moved" in fault


def test_a_take_that_is_short_or_slow_is_too_weak(checker):
    frames, snapshots = film(checker, [paint_people((0.5,))] * 20)
    assert "1.9 s of 4.0 s" in find_take_faults(IDLE, frames, snapshots, 4.0)[0]
    assert "0.0 s of 4.0 s" in find_take_faults(IDLE, [], [], 4.0)[0]
    slow = [Frame(i, i / 5, frame.image) for i, frame in enumerate(frames)]
    assert "5.0 pictures a second" in find_take_faults(IDLE, slow, snapshots, 4.0)[0]
