"""Draws tracked people into a picture: thin skeletons with the people's numbers."""

from __future__ import annotations

import cv2
import numpy as np

from har.pose.keypoints import INDEX
from har.pose.tracking import MIN_POINT_SCORE
from har.render.text import SHIFT_BITS, SMOOTH, Color, measure_text, put_text, to_fixed
from har.types import Event

_COLORS: tuple[Color, ...] = (
    (86, 220, 255),
    (255, 214, 64),
    (150, 235, 120),
    (255, 150, 210),
    (255, 170, 90),
    (200, 180, 255),
)
"""Of the people, by number; light, so that they are seen on skin, cloth and floor."""

_BONES = tuple(
    (INDEX[a], INDEX[b])
    for a, b in (
        *(("left_shoulder", "right_shoulder"), ("left_hip", "right_hip")),
        *((f"{side}_shoulder", f"{side}_hip") for side in ("left", "right")),
        *((f"{side}_shoulder", f"{side}_elbow") for side in ("left", "right")),
        *((f"{side}_elbow", f"{side}_wrist") for side in ("left", "right")),
        *((f"{side}_hip", f"{side}_knee") for side in ("left", "right")),
        *((f"{side}_knee", f"{side}_ankle") for side in ("left", "right")),
    )
)
_HEAD = slice(0, 5)
_INK: Color = (20, 22, 26)
_SHADOW: Color = (30, 32, 36)
_WHITE: Color = (255, 255, 255)
_MIN_ARROW_PX = 8


def draw_people(
    picture: np.ndarray, people: dict[int, np.ndarray], event: Event | None, color: Color
) -> None:
    """Draw people with tags; that of who acts has the event's color, and an arrow to the target.

    Joints with a low score are left out.

    Args:
        picture: (H, W, 3) uint8 RGB, changed in place.
        people: (17, 3) keypoints in pixels of the picture by number.
        event: What goes on; None for nothing.
        color: Of the event.
    """
    width_px = max(round(min(picture.shape[:2]) / 300), 1)
    for number, points in people.items():
        _draw_bones(picture, points, _color_of(number), width_px)
    size_px = max(round(min(picture.shape[:2]) / 26), 12)
    tags = {
        number: _place_tag(picture, number, points, size_px) for number, points in people.items()
    }
    subject, target = (event.subject, event.target) if event else (0, 0)
    if subject in tags and target in tags:
        _draw_arrow(picture, tags[subject], tags[target], color, width_px + 1)
    for number, (left, top, right, bottom) in tags.items():
        fill, ink = (color, _WHITE) if number == subject else (_color_of(number), _INK)
        cv2.rectangle(picture, (left, top), (right, bottom), fill, -1)
        if number in (subject, target):
            cv2.rectangle(picture, (left, top), (right, bottom), _WHITE, 1)
        text = str(number)
        place = ((left + right - measure_text(text, size_px)) // 2, (top + bottom) // 2)
        put_text(picture, text, place, size_px, ink)


def _color_of(number: int) -> Color:
    return _COLORS[(number - 1) % len(_COLORS)]


def _draw_bones(picture: np.ndarray, points: np.ndarray, color: Color, width_px: int) -> None:
    is_seen = points[:, 2] >= MIN_POINT_SCORE
    bones = [(a, b) for a, b in _BONES if is_seen[a] and is_seen[b]]
    for ink, width in ((_SHADOW, width_px + 2), (color, width_px)):
        for a, b in bones:
            _draw_line(picture, points[a, :2], points[b, :2], ink, width)
    for joint in np.flatnonzero(is_seen):
        radius = round((0.6 if joint < _HEAD.stop else 1.2) * (width_px + 1) * (1 << SHIFT_BITS))
        center = _fix(points[joint, :2])
        cv2.circle(picture, center, radius, color, -1, *SMOOTH)


def _place_tag(
    picture: np.ndarray, number: int, points: np.ndarray, size_px: int
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a number's tag: over the head, within the picture."""
    is_seen = points[:, 2] >= MIN_POINT_SCORE
    body = points[is_seen, :2] if is_seen.any() else points[:, :2]
    head = points[_HEAD][is_seen[_HEAD], :2]
    x = (head if len(head) else body)[:, 0].mean()
    box = np.array([measure_text(str(number), size_px) + size_px * 0.7, size_px * 1.25])
    corner = np.array([x - box[0] / 2, body[:, 1].min() - 2.2 * size_px])
    corner = np.clip(corner, 0, np.maximum(np.array(picture.shape[1::-1]) - box - 1, 0))
    left, top, right, bottom = np.rint(np.concatenate([corner, corner + box])).astype(int).tolist()
    return left, top, right, bottom


def _draw_arrow(
    picture: np.ndarray,
    begin: tuple[int, int, int, int],
    end: tuple[int, int, int, int],
    color: Color,
    width_px: int,
) -> None:
    """Draw an arrow from one tag to another, unless they nearly touch."""
    middles = [np.array([tag[0] + tag[2], tag[1] + tag[3]]) / 2 for tag in (begin, end)]
    away = middles[1] - middles[0]
    length = float(np.linalg.norm(away))
    gap = 0.5 * float(np.hypot(end[2] - end[0], end[3] - end[1])) + 3
    if length < 2 * gap + _MIN_ARROW_PX:
        return
    away *= gap / length
    (x, y), (tip_x, tip_y) = np.rint([middles[0] + away, middles[1] - away]).astype(int).tolist()
    part = min((4 + 4 * width_px) / (length - 2 * gap), 0.5)
    for ink, width in ((_WHITE, width_px + 2), (color, width_px)):
        cv2.arrowedLine(picture, (x, y), (tip_x, tip_y), ink, width, cv2.LINE_AA, 0, part)


def _draw_line(
    picture: np.ndarray, begin: np.ndarray, end: np.ndarray, color: Color, width_px: int
) -> None:
    cv2.line(picture, _fix(begin), _fix(end), color, width_px, *SMOOTH)


def _fix(place: np.ndarray) -> tuple[int, int]:
    x, y = to_fixed(place).tolist()
    return x, y
