"""Where the people of a recording were: for drawing them and for checking their numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from har.types import VideoInfo, WindowSpec
from har.video.geometry import Letterbox

_TIME_EPS_S = 1e-6


@dataclass(frozen=True)
class Sightings:
    """One row for each person at each time step of the pose stream.

    Attributes:
        times_s: (M,) float64 ascending: the middle of the step.
        numbers: (M,) int64: of the person, as in `People` and `Event`.
        points: (M, 17, 3) float32 as in `har.pose.people.Detections`, x and y in pixels of the
            video itself, `VideoInfo.height` by `VideoInfo.width`.
        step_s: Length of a step.
    """

    times_s: np.ndarray
    numbers: np.ndarray
    points: np.ndarray
    step_s: float

    def find_people(self, time_s: float) -> dict[int, np.ndarray]:
        """Gives the (17, 3) keypoints of those who are there at a time, by their number.

        Between two steps they move on a straight line; who is seen at only one of them is there
        for the half that is nearer to it.
        """
        reach_s = self.step_s - _TIME_EPS_S
        first, last = np.searchsorted(self.times_s, [time_s - reach_s, time_s + reach_s])
        near: dict[int, list[int]] = {}
        for row in range(first, last):
            near.setdefault(int(self.numbers[row]), []).append(row)
        found = {number: self._place(rows, time_s) for number, rows in near.items()}
        return {number: points for number, points in found.items() if points is not None}

    def _place(self, rows: list[int], time_s: float) -> np.ndarray | None:
        before, after = rows[0], rows[-1]
        gap_s = float(self.times_s[after] - self.times_s[before])
        if gap_s <= 0:
            is_near = abs(time_s - self.times_s[before]) <= 0.5 * self.step_s + _TIME_EPS_S
            return self.points[before] if is_near else None
        part = np.float32((time_s - self.times_s[before]) / gap_s)
        return (1 - part) * self.points[before] + part * self.points[after]


def build_sightings(
    seen: Sequence[dict[int, np.ndarray]], times_s: np.ndarray, info: VideoInfo, box: Letterbox
) -> Sightings:
    """Gives what a stream saw in the video's own pixels.

    Args:
        seen: For each of N steps the (17, 3) keypoints by number, in letterboxed pixels.
        times_s: (N,) middles of the steps.
        info: Of the video.
        box: Where the video is in the letterboxed pictures.
    """
    rows = [
        (time_s, number, points)
        for time_s, people in zip(times_s, seen, strict=True)
        for number, points in people.items()
    ]
    points = np.array([row[2] for row in rows], dtype=np.float32).reshape(-1, 17, 3)
    points[..., 0] = (points[..., 0] - box.left) * (info.width / box.width)
    points[..., 1] = (points[..., 1] - box.top) * (info.height / box.height)
    return Sightings(
        times_s=np.array([row[0] for row in rows], dtype=np.float64),
        numbers=np.array([row[1] for row in rows], dtype=np.int64),
        points=points,
        step_s=float(2 * times_s[0]),
    )


def build_views(
    corners: Sequence[tuple[int, int]], spec: WindowSpec, info: VideoInfo, box: Letterbox
) -> np.ndarray:
    """Gives what the CNN saw of a video, in the video's own pixels.

    Args:
        corners: For each of N steps the (y, x) of the upper left, in letterboxed pixels.
        spec: The input contract.
        info: Of the video.
        box: Where the video is in the letterboxed pictures.

    Returns:
        (N, 4) float64: left, top, right and bottom, within the video.
    """
    near = np.array(corners, dtype=np.float64)
    far = near + [side // spec.zoom for side in spec.size]
    edges = np.stack([near, far], axis=1) - (box.top, box.left)  # (N, 2, 2): y and x of both
    edges *= (info.height / box.height, info.width / box.width)
    edges = np.clip(edges, 0.0, (info.height, info.width))
    return edges[..., ::-1].reshape(-1, 4)


def place_people(
    people: dict[int, np.ndarray], info: VideoInfo, box: Letterbox
) -> dict[int, np.ndarray]:
    """Gives keypoints of a video where a letterboxed picture of it shows them.

    Args:
        people: (17, 3) keypoints by number, in the video's own pixels.
        info: Of the video.
        box: Where the video is in the picture.
    """
    scale = np.array([box.width / info.width, box.height / info.height, 1.0])
    corner = np.array([box.left, box.top, 0.0])
    return {number: points * scale + corner for number, points in people.items()}
