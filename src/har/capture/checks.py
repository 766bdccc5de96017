"""Whether what was asked for could be seen: the same pictures, network and tracks as recognition.

A `Snapshot` is what one picture shows. `find_faults` says of some snapshots in a row what is in the
way of a good take, each fault with its remedy, the gravest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from har.capture.script import Hand, Take
from har.config import PrepareConfig
from har.dataset.prepare import choose_size
from har.inference.detector import PoseDetector
from har.pose.keypoints import INDEX, Detections
from har.pose.tracking import MIN_POINT_SCORE, START_SCORE, find_people, track_people
from har.types import Frame
from har.video.file.picture import downsample
from har.video.geometry import compute_letterbox

CHECK_RATE_HZ = 10.0
"""Snapshots a second, as many as the pose stream has steps."""

_HEAD = tuple(INDEX[name] for name in ("nose", "left_eye", "right_eye", "left_ear", "right_ear"))
_SHOULDERS = (INDEX["left_shoulder"], INDEX["right_shoulder"])
_WRISTS = (INDEX["left_wrist"], INDEX["right_wrist"])
_HIPS = (INDEX["left_hip"], INDEX["right_hip"])
_SIDE_NAMES = ("left", "right")
_WRISTS_OF: dict[Hand, tuple[int, ...]] = {"left": (0,), "right": (1,), "both": (0, 1)}

_MIN_BODY = 0.3
"""Of head and shoulders; 19 in 20 real bodies seen from the side in UT-Interaction are above."""
_MIN_BRIGHTNESS = 40.0
_MIN_TORSO_PX = 24.0
"""Under half of what UT-Interaction's people have in the same pictures."""
_MAX_TORSO = 0.5
"""Of the picture's height: hands that are raised or hang down leave it."""
_MIN_MOVE = 0.25
"""Torso lengths that a hand must cover; hands at rest cover up to 0.2, acting ones 0.4 and more."""
_MIN_SHARE_SEEN = 0.75
_MIN_SHARE_SEEN_PAIR = 0.6
"""Two who touch are seen as one now and then."""
_MIN_RATE_HZ = 9.0
_MIN_LENGTH = 0.85
"""Of a take: cameras and films drop a frame here and there."""


@dataclass(frozen=True)
class Snapshot:
    """What one picture shows.

    Attributes:
        points: (6, 17, 3) and
        scores: (6,) as in `har.pose.keypoints.Detections`, in pixels of the picture that
            the network sees.
        n_people: Different people seen.
        height_px: Of that picture.
        brightness: Mean gray level, 0 to 255, without bars.
    """

    points: np.ndarray
    scores: np.ndarray
    n_people: int
    height_px: int
    brightness: float

    def describe(self) -> str:
        """Return a line for people, such as ``1 person | head .90 shoulders .88 hands .81 .76``."""
        words = [f"{self.n_people} {'person' if self.n_people == 1 else 'people'}"]
        for points in self.points[: self.n_people]:
            hands = " ".join(_short(float(points[wrist, 2])) for wrist in _WRISTS)
            head, shoulders = _short(_see_head(points)), _short(_see_all(points, _SHOULDERS))
            words.append(f"head {head} shoulders {shoulders} hands {hands}")
        return " | ".join(words)


class FrameChecker:
    """Finds people in pictures as the pose stream does: gray, letterboxed to a store's size."""

    def __init__(self, detector: PoseDetector) -> None:
        self._detector = detector

    def check(self, image: np.ndarray) -> Snapshot:
        """Return what an RGB picture (H, W, 3) uint8 shows."""
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        size = choose_size([gray.shape], PrepareConfig.long_side)
        box = compute_letterbox(gray.shape, size)
        content = downsample(gray, box.height, box.width)
        picture = np.zeros(size, np.uint8)
        picture[box.rows, box.columns] = content
        points, scores = self._detector.detect(picture)
        people = [row for row in find_people(points, scores) if scores[row] >= START_SCORE]
        rows = [*people, *(row for row in range(len(scores)) if row not in people)]
        return Snapshot(points[rows], scores[rows], len(people), size[0], float(content.mean()))


def find_faults(snapshots: Sequence[Snapshot], n_people: int, hand: Hand) -> list[str]:
    """Return what is in the way of a good take, gravest first; nothing where all is well.

    Args:
        snapshots: Of consecutive pictures, at `CHECK_RATE_HZ`, at least one.
        n_people: People that should be there, 1 or 2.
        hand: Which hands must be seen; of two people, one hand of each.
    """
    brightness = float(np.median([snapshot.brightness for snapshot in snapshots]))
    if brightness < _MIN_BRIGHTNESS:
        return [f"It is too dark (brightness {brightness:.0f} of 255): turn on more light"]
    fault = _find_crowd(snapshots, n_people)
    if fault:
        return [fault]
    right = [snapshot for snapshot in snapshots if snapshot.n_people == n_people]
    faults = _find_weak(right, n_people, hand)
    return faults + _find_distance(right, n_people)


def find_take_faults(
    take: Take, frames: Sequence[Frame], snapshots: Sequence[Snapshot], length_s: float
) -> list[str]:
    """Return why a take is too weak to keep, gravest first; nothing where it is good.

    Args:
        take: What was asked for.
        frames: Those filmed, in order.
        snapshots: What some of them show, at `CHECK_RATE_HZ`.
        length_s: How long the take should be.
    """
    span_s = frames[-1].time_s - frames[0].time_s if frames else 0.0
    if span_s < _MIN_LENGTH * length_s:
        return [f"Only {span_s:.1f} s of {length_s:.1f} s are there"]
    rate_hz = (len(frames) - 1) / span_s
    if rate_hz < _MIN_RATE_HZ:
        return [f"Only {rate_hz:.1f} pictures a second: more light makes most cameras faster"]
    faults = find_faults(snapshots, take.n_people, take.hand)
    if not faults and not take.is_still and not has_moved(snapshots):
        return ["No hand has moved much: start when the take starts, and move a little more"]
    return faults


def has_moved(snapshots: Sequence[Snapshot]) -> bool:
    """Return whether any hand went anywhere, apart from what the whole body did."""
    seen = Detections(
        np.stack([k.points for k in snapshots]), np.stack([k.scores for k in snapshots])
    )
    tracks = track_people(seen, CHECK_RATE_HZ)
    people = tracks.points.transpose(1, 0, 2, 3)
    return any(_compute_reach(points, wrist) >= _MIN_MOVE for points in people for wrist in _WRISTS)


def _compute_reach(points: np.ndarray, wrist: int) -> float:
    """Return how far a wrist of (N, 17, 3) keypoints goes from the shoulders, in torso lengths."""
    needed = (wrist, *_SHOULDERS, *_HIPS)
    seen = points[(points[:, needed, 2] >= MIN_POINT_SCORE).all(axis=1)]
    if len(seen) < 3:
        return 0.0
    shoulders = seen[:, _SHOULDERS, :2].mean(axis=1)
    offsets = seen[:, wrist, :2] - shoulders
    low, high = np.percentile(offsets, [10, 90], axis=0)
    return float(np.linalg.norm(high - low) / max(_compute_torso(seen), 1.0))


def _compute_torso(points: np.ndarray) -> float:
    """Return the median length from shoulders to hips of (N, 17, 3) keypoints in pixels."""
    ends = points[:, _SHOULDERS, :2].mean(axis=1) - points[:, _HIPS, :2].mean(axis=1)
    return float(np.median(np.linalg.norm(ends, axis=1)))


def _find_crowd(snapshots: Sequence[Snapshot], n_people: int) -> str:
    counts = np.array([snapshot.n_people for snapshot in snapshots])
    least = _MIN_SHARE_SEEN if n_people == 1 else _MIN_SHARE_SEEN_PAIR
    if np.mean(counts == n_people) >= least:
        return ""
    if np.mean(counts > n_people) > np.mean(counts < n_people):
        return (
            f"More than {n_people} seen: others leave the picture, pictures of people are covered"
        )
    if np.all(counts == 0):
        return "Nobody is seen: stand before the camera, some two to three meters away"
    whole = "the whole body from head to knees in the picture, light from the front"
    if n_people == 2:
        return f"Two people are seen too seldom: stand side by side with a gap, {whole}"
    return f"You are seen too seldom: {whole}"


def _find_weak(snapshots: Sequence[Snapshot], n_people: int, hand: Hand) -> list[str]:
    """Name what of the bodies is not seen well; who is seen worst counts."""
    bodies = [[snapshot.points[person] for person in range(n_people)] for snapshot in snapshots]
    head = np.median([min(map(_see_head, people)) for people in bodies])
    shoulders = np.median([min(_see_all(p, _SHOULDERS) for p in people) for people in bodies])
    hips = np.median([min(_see_all(p, _HIPS) for p in people) for people in bodies])
    faults = []
    if head < _MIN_BODY:
        faults.append(f"The head is uncertain ({_short(head)}): face the camera, light from before")
    if shoulders < _MIN_BODY:
        faults.append(f"The shoulders are uncertain ({_short(shoulders)}): turn to the camera")
    if hips < MIN_POINT_SCORE:
        faults.append(f"The hips are not seen ({_short(hips)}): step back or tilt the camera down")
    wrists = np.array([[p[_WRISTS, 2] for p in people] for people in bodies])
    if n_people == 2:
        seen = np.median(wrists.max(axis=2), axis=0) >= MIN_POINT_SCORE
        return faults if seen.all() else [*faults, _advise_hands("A hand of each")]
    by_side = np.median(wrists[:, 0], axis=0)
    return faults + [
        _advise_hands(f"The {_SIDE_NAMES[side]} hand ({_short(by_side[side])})")
        for side in _WRISTS_OF[hand]
        if by_side[side] < MIN_POINT_SCORE
    ]


def _advise_hands(what: str) -> str:
    return f"{what} is not seen well: keep hands in the picture, sleeves up, not too fast"


def _find_distance(snapshots: Sequence[Snapshot], n_people: int) -> list[str]:
    torsos = [_compute_torso(snapshot.points[:n_people]) for snapshot in snapshots]
    torso_px = float(np.median(torsos))
    if torso_px < _MIN_TORSO_PX:
        return [f"Too far away (the trunk has {torso_px:.0f} pixels): come nearer"]
    if torso_px > _MAX_TORSO * snapshots[0].height_px:
        return [f"Too near (the trunk fills {torso_px / snapshots[0].height_px:.0%}): step back"]
    return []


def _see_head(points: np.ndarray) -> float:
    """Return how confident the most confident keypoint of the head is."""
    return float(points[_HEAD, 2].max())


def _see_all(points: np.ndarray, which: tuple[int, ...]) -> float:
    return float(points[which, 2].min())


def _short(score: float) -> str:
    """Return two digits of a score.

    >>> _short(0.456), _short(1.0)
    ('.46', '1.0')
    """
    return "1.0" if score >= 0.995 else f"{score:.2f}"[1:]
