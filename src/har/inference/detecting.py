"""The pose network on many pictures at once, for recordings: it is what costs the most time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from har.inference.stream import Detect
from har.runtime.detector import PoseDetector


@contextmanager
def open_detector() -> Iterator[Detect]:
    """Gives a function that finds people in pictures, one picture a core, in the pictures' order.

    Two pictures side by side with a thread each take less time than one after the other with two
    threads each. The threads end with the ``with`` block.
    """
    detector = PoseDetector(n_threads=1)
    with ThreadPoolExecutor(os.cpu_count(), "pose") as pool:
        yield partial(pool.map, detector.detect)
