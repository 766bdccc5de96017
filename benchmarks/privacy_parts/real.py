"""Heads of real clips, as a second network finds them: BlazePose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from har.video.file.reader import open_video
from privacy_parts.finders import Finder
from privacy_parts.tally import Cover, Tally, name_size

_SIDE_PX, _CLOSE_PX = 224, 256
_STRIDES = (8, 16, 32, 32, 32)
_LEAST_SCORE, _LEAST_PRESENCE = 0.6, 0.8
_LARGEST = 1 / 8
"""Of the picture's height; heads of a larger radius are errors of the second network here."""
_FACE, _EARS, _TRUNK = slice(0, 11), (7, 8), ((11, 12), (23, 24))
_OF_TRUNK, _OF_EARS = 0.24, 0.6
"""A head's radius in lengths of the trunk, of the way from ear to ear."""
_ROOM = 1.25


class HeadDetector:
    """Finds heads in pictures: BlazePose's detector, then its network of landmarks on each body.

    Source: V. Bazarevsky et al., "BlazePose: On-device Real-time Body Pose tracking", CVPR
    workshops 2020.
    """

    def __init__(self, detector: Path, landmarks: Path) -> None:
        """Load the TFLite graphs."""
        self._detector, self._landmarks = _Graph(detector), _Graph(landmarks)
        self._anchors = _lay_anchors()

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Return (N, 3): x, y and radius of the heads in a picture, (H, W, 3) uint8 RGB."""
        bodies: list[tuple[float, np.ndarray]] = []
        for left, top, side in _cut_squares(image.shape[0], image.shape[1]):
            square = image[top : top + side, left : left + side]
            corner = np.array([left, top])
            bodies += [(score, ends + corner) for score, ends in self._detect_square(square)]
        kept: list[np.ndarray] = []
        for _, ends in sorted(bodies, key=lambda body: -body[0]):
            head = self._find_head(image, ends)
            if head is None:
                continue
            if all(np.linalg.norm(head[:2] - other[:2]) > other[2] for other in kept):
                kept.append(head)
        return np.array(kept).reshape(-1, 3)

    def _detect_square(self, square: np.ndarray) -> list[tuple[float, np.ndarray]]:
        """Return scores of bodies, and (2, 2): the hips and how far the circle about it reaches."""
        side = max(square.shape[:2])
        padded = np.zeros((side, side, 3), np.uint8)
        padded[: square.shape[0], : square.shape[1]] = square
        small = cv2.resize(padded, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        outputs = self._detector.run(small.astype(np.float32) / 127.5 - 1.0)
        boxes, logits = sorted(outputs, key=lambda output: -output.shape[1])
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -80, 80)))
        rows = np.flatnonzero(scores >= _LEAST_SCORE)
        ends = boxes[rows, 4:8].reshape(-1, 2, 2) / _SIDE_PX + self._anchors[rows, None]
        order = np.argsort(-scores[rows])
        chosen: list[int] = []
        for row in order:
            reach = np.linalg.norm(ends[row, 1] - ends[row, 0])
            if all(np.linalg.norm(ends[row] - ends[i], axis=1).max() > reach / 2 for i in chosen):
                chosen.append(int(row))
        return [(float(scores[rows[row]]), ends[row] * side) for row in chosen]

    def _find_head(self, image: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
        """Return x, y and radius of the head of a body; None where it is none, seen closely."""
        middle, up = ends[0], ends[1] - ends[0]
        scale = _CLOSE_PX / (2 * _ROOM * max(float(np.linalg.norm(up)), 1.0))
        angle = np.arctan2(up[0], -up[1])
        turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        shift = np.full(2, _CLOSE_PX / 2) - turn @ middle
        close = cv2.warpAffine(image, np.column_stack([turn, shift]), (_CLOSE_PX, _CLOSE_PX))
        outputs = self._landmarks.run(close.astype(np.float32) / 255.0)
        points = next(o for o in outputs if o.size == 195).reshape(39, 5)[:, :2]
        presence = float(next(o for o in outputs if o.size == 1).reshape(()))
        if presence < _LEAST_PRESENCE:
            return None
        places = (points - shift) @ np.linalg.inv(turn).T
        face = places[_FACE]
        center = face.mean(axis=0)
        neck, waist = (places[list(pair)].mean(axis=0) for pair in _TRUNK)
        ears = np.linalg.norm(places[_EARS[0]] - places[_EARS[1]])
        radius = max(_OF_TRUNK * np.linalg.norm(neck - waist), _OF_EARS * ears)
        is_head = radius <= _LARGEST * image.shape[0]
        return np.array([*center, radius]) if is_head else None


class _Graph:
    """A TFLite graph."""

    def __init__(self, path: Path) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._own = Interpreter(model_content=path.read_bytes(), num_threads=2)
        self._own.allocate_tensors()

    def run(self, image: np.ndarray) -> list[np.ndarray]:
        """Return the outputs for one picture, (H, W, 3) float32."""
        self._own.set_tensor(self._own.get_input_details()[0]["index"], image[None])
        self._own.invoke()
        outputs = self._own.get_output_details()
        return [self._own.get_tensor(output["index"])[0] for output in outputs]


def _lay_anchors() -> np.ndarray:
    """Return the (2254, 2) middles of the cells, in shares of the side, two a layer."""
    found: list[np.ndarray] = []
    for stride in dict.fromkeys(_STRIDES):
        n_cells, n_boxes = _SIDE_PX // stride, 2 * _STRIDES.count(stride)
        cells = (np.arange(n_cells) + 0.5) / n_cells
        grid = np.stack(np.meshgrid(cells, cells), axis=-1).reshape(-1, 2)
        found.append(np.repeat(grid, n_boxes, axis=0))
    return np.concatenate(found)


def _cut_squares(height: int, width: int) -> list[tuple[int, int, int]]:
    """Return left, top and side: the whole, then squares of two thirds of the height across it."""
    side = max(2 * min(height, width) // 3, 1)
    tops = np.linspace(0, height - side, 2 if height > side else 1).astype(int)
    lefts = np.linspace(0, width - side, 3 if width > side else 1).astype(int)
    squares = [(int(left), int(top), side) for top in tops for left in lefts]
    return [(0, 0, max(height, width)), *squares]


def measure_real(
    folders: list[Path], second: tuple[Path, Path], n_clips: int, every_s: float, finder: Finder
) -> dict[str, Any]:
    """Return the shares of head pixels and of heads that stay open, by clips, by size, by light.

    Args:
        folders: Of clips; each is a line of the table.
        second: The TFLite graphs of the detector and of the landmarks.
        n_clips: Of each folder, spread over its files.
        every_s: Seconds from one picture that is judged to the next.
        finder: Says where people are.
    """
    detector = HeadDetector(*second)
    by_folder, by_size, by_light = Tally(), Tally(), Tally()
    for folder in folders:
        paths = sorted(p for p in folder.rglob("*") if p.suffix in (".avi", ".mp4", ".mpg"))
        for row in np.linspace(0, len(paths) - 1, min(n_clips, len(paths))).astype(int):
            for image, head, radius, covers in _iter_heads(paths[row], detector, every_s, finder):
                by_folder.add((folder.name,), head, *covers)
                by_size.add((name_size(radius),), head, *covers)
                by_light.add((_name_light(image),), head, *covers)
    return {
        "by clips": by_folder.to_rows(("clips",)),
        "by size": by_size.to_rows(("head px",)),
        "by light": by_light.to_rows(("light",)),
    }


def _iter_heads(path: Path, detector: HeadDetector, every_s: float, finder: Finder) -> Any:
    people = finder.find_in_video(path)
    due_s = 0.0
    with open_video(path) as reader:
        cover = Cover(people, (reader.info.height, reader.info.width))
        for frame in reader:
            covers = cover.find(frame.image, frame.time_s)
            if frame.time_s < due_s:
                continue
            due_s = frame.time_s + every_s
            for x, y, radius in detector.detect(frame.image):
                mask = np.zeros(frame.image.shape[:2], np.uint8)
                cv2.circle(mask, (round(x), round(y)), max(round(radius), 1), 1, -1)
                yield frame.image, mask.astype(bool), radius, covers


def _name_light(image: np.ndarray) -> str:
    mean = float(image.mean())
    return "dark (mean under 60)" if mean < 60 else "bright"
