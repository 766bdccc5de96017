"""The networks that look at pictures, on all cores at once: they cost a recording the most time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from har.inference.stream import Detect, Encode
from har.runtime.detector import PoseDetector
from har.runtime.recognizer import Recognizer


@dataclass(frozen=True)
class Networks:
    """What a stream hands its pictures to.

    Attributes:
        encode: Gives the features of motion stacks.
        detect: Finds people; None for a bundle that does not look at them.
    """

    encode: Encode
    detect: Detect | None


@contextmanager
def open_networks(recognizer: Recognizer, n_cores: int) -> Iterator[Networks]:
    """Gives the networks of a bundle, each picture on one core, answers in the pictures' order.

    Several pictures side by side with a thread each take less time than one after the other with
    as many threads each, and answers are the same to the bit. The threads end with the ``with``
    block; what they have not begun by then is dropped.

    Args:
        recognizer: Loaded with ``n_threads=1``; its engine's own threads would be in the way.
        n_cores: Pictures at once. With one there are no threads.
    """
    if n_cores == 1:
        yield build_networks(recognizer)
        return
    pool = ThreadPoolExecutor(n_cores, "network")
    try:
        yield build_networks(recognizer, pool.map)
    finally:
        pool.shutdown(cancel_futures=True)


def build_networks(recognizer: Recognizer, spread: Callable[..., Iterable[Any]] = map) -> Networks:
    """Gives the networks of a bundle; ``spread`` applies a function to each of many pictures."""
    encode = partial(spread, partial(_encode, recognizer))
    if not recognizer.has_pose:
        return Networks(encode, None)
    return Networks(encode, partial(spread, PoseDetector(n_threads=1).detect))


def _encode(recognizer: Recognizer, stack: np.ndarray) -> np.ndarray:
    """Gives the (D,) features of one (H, W, C) stack."""
    return recognizer.compute_features(stack[None])[0]
