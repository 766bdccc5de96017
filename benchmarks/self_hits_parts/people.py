"""Real people whose motion is at hand: in three dimensions, or lifted from pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from har.pose.keypoints import INDEX, N_KEYPOINTS
from three_class.arm_body import ArmBody, lift_body, smooth_course
from three_class.strokes import compute_jitter, draw_on

SENSORS = {
    "kinder_gator": "kinect",
    "utkinect": "kinect",
    "webcam_mit": "webcam",
    "webcam": "webcam",
}
_PARTS = {
    "shoulder": "sho",
    "elbow": "elb",
    "wrist": "wri",
    "hip": "hip",
    "knee": "kne",
    "ankle": "ank",
}
_MEDIAPIPE = {"eye": "eye", "ear": "ear"}
_PICTURE = (640.0, 480.0)
_TRUNK_PX = 70.0
_AXES_S = 0.15
MIN_S = 1.0
"""Shorter recordings are left out."""


@dataclass(frozen=True)
class Person:
    """One person in one recording.

    Attributes:
        domain: Where it is from.
        group: Who it is: a split never divides them.
        action: What is really done.
        rate_hz: Steps a second.
        body: In three dimensions; in pixels where it is lifted from a picture.
        points: (T, 17, 3) keypoints in the picture, or None where the sensor saw in depth.
        ankles: (T, 2, 3), of depth sensors.
    """

    domain: str
    group: str
    action: str
    rate_hz: float
    body: ArmBody
    points: np.ndarray | None = None
    ankles: np.ndarray | None = None

    @property
    def times_s(self) -> np.ndarray:
        """Seconds from the first step."""
        return np.arange(len(self.body.head)) / self.rate_hz

    def cut(self, span: slice) -> Person:
        """Return a part of the recording."""
        points = None if self.points is None else self.points[span]
        ankles = None if self.ankles is None else self.ankles[span]
        return Person(
            self.domain, self.group, self.action, self.rate_hz, self.body.cut(span), points, ankles
        )


@dataclass(frozen=True)
class View:
    """What a sequence is seen with; drawn before it is known what is done.

    Attributes:
        yaw_rad: How far the person is turned; only where the sensor saw in depth.
        pitch_rad: How far the camera looks down; the same.
        noise: Of all keypoints, in trunks.
        hand: How far the wrist is put towards the hand, in forearms.
        low: How far the shoulders are put towards the hips, in trunks: tools differ.
        high: How far the hips are put towards the shoulders.
        is_mirrored: Left and right exchanged.
        seed: Of the noise.
    """

    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    noise: float = 0.0
    hand: float = 0.0
    low: float = 0.0
    high: float = 0.0
    is_mirrored: bool = False
    seed: int = 0


def draw_view(rng: np.random.Generator) -> View:
    """Draw how a sequence is seen."""
    return View(
        yaw_rad=float(np.radians(rng.uniform(-45.0, 45.0))),
        pitch_rad=float(np.radians(rng.uniform(0.0, 25.0))),
        noise=float(rng.uniform(0.0, 0.025)),
        hand=float(rng.uniform(0.0, 0.25)) * (rng.random() < 0.5),
        low=float(rng.uniform(0.0, 0.2)) * (rng.random() < 0.5),
        high=float(rng.uniform(0.0, 0.2)) * (rng.random() < 0.5),
        is_mirrored=bool(rng.random() < 0.5),
        seed=int(rng.integers(2**31)),
    )


def load_people(folder: Path, name: str) -> list[Person]:
    """Return the people of one file of captured motion, in its order, but for those too short."""
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        data = {key: file[key] for key in file.files}
    joints = [str(joint) for joint in data["joints"]]
    found = []
    for row, (start, stop) in enumerate(zip(data["starts"][:-1], data["starts"][1:], strict=True)):
        rate_hz = float(data["fps"][row])
        if (stop - start) / rate_hz < MIN_S:
            continue
        group, action = str(data["subject"][row]), str(data["action"][row])
        places = data["points"][start:stop, 0].astype(np.float64)
        if SENSORS[name] == "kinect":
            domain = f"{name} {'children' if group.startswith('C:') else 'adults'}"
            body, ankles = build_body(places, joints, rate_hz)
            found.append(Person(domain, f"{name} {group}", action, rate_hz, body, None, ankles))
        else:
            points = build_points(places, joints)
            body = lift_body(points, rate_hz, has_thighs=False)
            found.append(Person(name, f"{name} {group}", action, rate_hz, body, points))
    return found


def build_body(places: np.ndarray, joints: list[str], rate_hz: float) -> tuple[ArmBody, np.ndarray]:
    """Return the body and the ankles (T, 2, 3) of a depth sensor's (T, J, 3) joints in meters."""
    seen = places * [-1.0, -1.0, 1.0]  # half a turn: the sensor's x grows to its left, y upwards

    def pair(part: str) -> np.ndarray:
        return seen[:, [joints.index(side + _PARTS[part]) for side in "lr"]]

    shoulders, elbows, wrists, hips = (pair(p) for p in ("shoulder", "elbow", "wrist", "hip"))
    neck, head = seen[:, joints.index("neck")], seen[:, joints.index("head")]
    ends = np.stack([shoulders[:, 0], shoulders[:, 1], neck, hips.mean(axis=1)], axis=1)
    ends = smooth_course(ends, np.ones(ends.shape[:2]), _AXES_S * rate_hz)
    up = _unit(ends[:, 2] - ends[:, 3])
    left = ends[:, 0] - ends[:, 1]
    left = _unit(left - (left * up).sum(axis=1, keepdims=True) * up)
    axes = np.stack([left, up, np.cross(left, up)], axis=1)
    chain = ((shoulders, elbows), (elbows, wrists))
    bones = np.stack([np.median(np.linalg.norm(b - a, axis=2), axis=0) for a, b in chain], axis=1)
    arm = float(bones.sum(axis=1).mean())
    body = ArmBody(shoulders, elbows, wrists, hips, pair("knee"), head + 0.0, axes, arm, bones)
    return body, pair("ankle")


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def build_points(places: np.ndarray, joints: list[str]) -> np.ndarray:
    """Return (T, 17, 3) keypoints in pixels of MediaPipe's (T, 33, 4) landmarks."""
    points = np.zeros((len(places), N_KEYPOINTS, 3))
    names = {"nose": "nose"}
    for part, short in (_PARTS | _MEDIAPIPE).items():
        names |= {f"left_{part}": f"l{short}", f"right_{part}": f"r{short}"}
    for keypoint, joint in names.items():
        landmark = places[:, joints.index(joint)]
        points[:, INDEX[keypoint], :2] = landmark[:, :2] * _PICTURE
        points[:, INDEX[keypoint], 2] = landmark[:, 3]
    return points


def show(person: Person, moved: ArmBody, share: np.ndarray, view: View) -> np.ndarray:
    """Return (T, 17, 3) keypoints of a person whose arms were perhaps moved.

    Args:
        person: As recorded.
        moved: The same body in a bout; ``person.body`` where nothing is done.
        share: (T,) how far arms are the drawn ones.
        view: How it is seen.
    """
    if person.points is None:
        points = _project(person, moved, share, view)
    else:
        points = draw_on(person.points, person.body, moved, share)
    wrists, elbows = ([INDEX[f"{s}_{p}"] for s in ("left", "right")] for p in ("wrist", "elbow"))
    points[:, wrists, :2] += view.hand * (points[:, wrists, :2] - points[:, elbows, :2])
    upper, lower = ([INDEX[f"{s}_{p}"] for s in ("left", "right")] for p in ("shoulder", "hip"))
    trunk = points[:, lower, :2] - points[:, upper, :2]
    points[:, upper, :2] += view.low * trunk
    points[:, lower, :2] -= view.high * trunk
    rng = np.random.default_rng(view.seed)
    size = person.body.arm / 1.24 if person.points is not None else _TRUNK_PX
    points[..., :2] += view.noise * size * rng.standard_normal(points[..., :2].shape)
    if view.is_mirrored:
        points = mirror(points)
    points[points[..., 2] <= 0] = 0.0
    return points.astype(np.float32)


def mirror(points: np.ndarray) -> np.ndarray:
    """Return keypoints (..., 17, 3) as in a mirror."""
    order = [0] + [joint + (1 if joint % 2 else -1) for joint in range(1, N_KEYPOINTS)]
    return points[..., order, :] * [-1.0, 1.0, 1.0] + [_PICTURE[0], 0.0, 0.0]


def _project(person: Person, moved: ArmBody, share: np.ndarray, view: View) -> np.ndarray:
    body, most = person.body, 0.05 * person.body.arm
    parts = {"shoulder": body.shoulders, "hip": body.hips, "knee": body.knees}
    for part, before, after in (
        ("elbow", body.elbows, moved.elbows),
        ("wrist", body.wrists, moved.wrists),
    ):
        is_drawn = (before != after).any(axis=(0, 2))[:, None] * share[:, None, None]
        parts[part] = after + is_drawn * compute_jitter(before, most)
    if person.ankles is not None:
        parts["ankle"] = person.ankles
    sine, cosine = np.sin(view.yaw_rad), np.cos(view.yaw_rad)
    turn = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    sine, cosine = np.sin(view.pitch_rad), np.cos(view.pitch_rad)
    turn = np.array([[1.0, 0.0, 0.0], [0.0, cosine, sine], [0.0, -sine, cosine]]) @ turn
    scale = _TRUNK_PX / (body.arm / 1.24)
    points = np.zeros((len(body.head), N_KEYPOINTS, 3))
    points[:, INDEX["nose"], :2] = (body.head @ turn.T)[:, :2]
    for part, places in parts.items():
        for side, name in enumerate(("left", "right")):
            points[:, INDEX[f"{name}_{part}"], :2] = (places[:, side] @ turn.T)[:, :2]
    seen = points.any(axis=2)
    points[..., :2] = scale * points[..., :2] + np.array(_PICTURE) / 2.0
    points[..., 2] = seen
    return points
