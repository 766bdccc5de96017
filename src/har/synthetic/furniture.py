"""Tables, walls and stools as blocks with visible faces."""

from __future__ import annotations

import itertools

import numpy as np

from har.synthetic.stage import Box

TABLE_TOP_M = 0.04
LEG_M = 0.05


def compute_faces(box: Box, eye: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """Gives the faces that can be seen from a place.

    Args:
        box: The piece; a table is a top on four legs.
        eye: (3,) metres.

    Returns:
        For each face (4, 3) corners in metres, and its brightness.
    """
    faces = []
    for low, high in _blocks(box):
        faces += _block_faces(box, low, high, eye)
    return faces


def _blocks(box: Box) -> list[tuple[np.ndarray, np.ndarray]]:
    """Gives lower and upper corners of the piece's blocks in its own axes."""
    half = np.array([0.5 * box.size[0], 0.5 * box.size[1]])
    top = box.size[2]
    if box.kind != "table":
        return [(np.array([*-half, 0.0]), np.array([*half, top]))]
    blocks = [(np.array([*-half, top - TABLE_TOP_M]), np.array([*half, top]))]
    leg = np.array([LEG_M, LEG_M, top - TABLE_TOP_M])
    corners = itertools.product((-half[0], half[0] - LEG_M), (-half[1], half[1] - LEG_M), (0.0,))
    blocks += [(np.array(corner), np.array(corner) + leg) for corner in corners]
    return blocks


def _block_faces(
    box: Box, low: np.ndarray, high: np.ndarray, eye: np.ndarray
) -> list[tuple[np.ndarray, float]]:
    turn = np.array(
        [
            [np.cos(box.yaw), -np.sin(box.yaw), 0.0],
            [np.sin(box.yaw), np.cos(box.yaw), 0.0],
            [0, 0, 1],
        ]
    )
    centre = np.array([*box.centre, 0.0])
    faces = []
    for axis in range(3):
        for is_high in (False, True):
            first, second = (axis + 1) % 3, (axis + 2) % 3
            corners = np.empty((4, 3))
            corners[:, axis] = high[axis] if is_high else low[axis]
            corners[:, first] = np.array([low, high, high, low])[:, first]
            corners[:, second] = np.array([low, low, high, high])[:, second]
            normal = turn[:, axis] * (1.0 if is_high else -1.0)
            world = corners @ turn.T + centre
            if (eye - world.mean(axis=0)) @ normal > 0.0:
                light = 1.15 if axis == 2 else 0.75 + 0.15 * abs(float(normal[0]))
                faces.append((world, light))
    return faces
