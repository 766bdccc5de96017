"""Bounds of what is read as a video."""

from __future__ import annotations

MAX_PICTURE_PIXELS = 8192 * 8192
"""Larger pictures are refused before memory is taken: twice those of 8K video."""

GAP_S = 5.0
"""A longer time between two frames is a gap, unless the frames come about as rarely before it.

A recorder that was away, or a clock that was set: what lies between is not recognized.
"""

RARE_TIMES = 3.0
"""So many usual intervals are no gap, where frames come rarely."""

LONGEST_INTERVAL_S = 30.0
"""A longer time between two frames is a gap however rarely frames come."""

FPS_BOUNDS = (0.1, 1000.0)
"""Frames a second beyond them can only be a slip."""
