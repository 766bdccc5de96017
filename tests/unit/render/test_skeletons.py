"""People are drawn where they are, the one who acts in the event's color."""

import numpy as np
import pytest

from har.pose.keypoints import INDEX
from har.render.skeletons import draw_people
from har.types import Event

COLOR = (0, 114, 178)
SHOULDERS = (INDEX["left_shoulder"], INDEX["right_shoulder"])


def _body(x: float, y: float = 150.0, score: float = 0.9) -> np.ndarray:
    """Return a body of two shoulders 40 px apart, nothing else is sure."""
    points = np.zeros((17, 3), np.float32)
    for side, joint in zip((-20, 20), SHOULDERS, strict=True):
        points[joint] = [x + side, y, score]
    return points


def _draw(people: dict[int, np.ndarray], event: Event | None = None) -> np.ndarray:
    picture = np.full((300, 400, 3), 90, np.uint8)
    draw_people(picture, people, event, COLOR)
    return picture


def _count(picture: np.ndarray, color: tuple[int, int, int]) -> int:
    return int((picture == color).all(axis=2).sum())


def test_sure_joints_and_the_bone_between_them_are_drawn() -> None:
    picture = _draw({1: _body(200)})
    bone = picture[150, 184:216]
    assert (bone == picture[150, 200]).all()
    assert (picture[250:] == 90).all()
    assert (picture[:, :170] == 90).all()


def test_weak_joints_are_not_drawn() -> None:
    picture = _draw({1: _body(200, score=0.1)})
    assert (picture[145:156] == 90).all()


def test_each_number_has_a_color_of_its_own() -> None:
    picture = _draw({1: _body(100), 2: _body(300)})
    assert not np.array_equal(picture[150, 100], picture[150, 300])


def test_who_acts_is_in_the_events_color_with_an_arrow_to_whom() -> None:
    people = {1: _body(100), 2: _body(300)}
    event = Event("hit", 0.0, 1.0, 0.9, 2, 1)
    assert _count(_draw(people), COLOR) == 0
    alone = _draw(people, Event("hit", 0.0, 1.0, 0.9, 2))
    assert _count(alone[:, 250:], COLOR) > 50
    assert _count(alone[:, :250], COLOR) == 0
    pointed = _draw(people, event)
    between = (pointed[:, 140:260] == COLOR).all(axis=2)
    assert between.any(axis=0).mean() > 0.9
    # The head of the arrow is at person 1: there it is widest.
    heights = (pointed[:, 118:270] == COLOR).all(axis=2).sum(axis=0)
    assert heights.argmax() < 40


@pytest.mark.parametrize("place", [(0, 0), (399, 299), (-50, 400), (200, 5)])
def test_people_at_the_edge_keep_their_numbers_in_the_picture(place: tuple[int, int]) -> None:
    event = Event("hit", 0.0, 1.0, 0.9, 12)
    assert _count(_draw({12: _body(*place)}, event), COLOR) > 50


def test_an_event_of_people_who_are_not_seen_draws_nothing() -> None:
    assert (_draw({}, Event("hit", 0.0, 1.0, 0.9, 1, 2)) == 90).all()
