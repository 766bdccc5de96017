"""Which clips show the same scene: perceptual hashes of some frames, compared by their bits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

HASH_FRAMES = 3
"""Frames of a clip that are hashed, spread evenly."""

SAME_SCENE_BITS = 12
"""Hashes that differ in at most this many of 64 bits show one scene.

Source: measured on Surveillance Camera Fight, docs/decisions/005-groups-and-splits.md.
"""

_ROWS_AT_ONCE = 1024


def compute_scene_hash(gray: np.ndarray) -> int:
    """Return the 64-bit perceptual hash of a picture.

    The picture is averaged to 32 x 32, its cosine transform's 8 x 8 lowest frequencies are taken,
    and each bit says whether one lies above their median (the mean brightness left out of it).

    Args:
        gray: (H, W) uint8 without letterbox bars.

    Source: C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010.

    >>> scene = np.random.default_rng(0).integers(0, 200, (48, 64), dtype=np.uint8)
    >>> (compute_scene_hash(scene) ^ compute_scene_hash(scene + 40)).bit_count()
    0
    """
    small = cv2.resize(gray, (32, 32), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:8, :8].ravel()
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def iter_near_pairs(hashes: Sequence[Sequence[int]], max_bits: int) -> Iterator[tuple[int, int]]:
    """Return the pairs of clips ``i < j`` of which any two hashed frames are near.

    Args:
        hashes: For each clip its frames' 64-bit hashes, at least one.
        max_bits: Bits that may differ.
    """
    owners = np.repeat(np.arange(len(hashes)), [len(frames) for frames in hashes])
    flat = np.array([value for frames in hashes for value in frames], dtype=np.uint64)
    for start in range(0, len(flat), _ROWS_AT_ONCE):
        block = flat[start : start + _ROWS_AT_ONCE, None] ^ flat[None, :]
        rows, columns = np.nonzero(np.bitwise_count(block) <= max_bits)
        first, second = owners[rows + start], owners[columns]
        pairs = np.unique(np.stack([first, second], axis=1)[first < second], axis=0)
        yield from map(tuple, pairs.tolist())


def find_scenes(
    hashes: Sequence[Sequence[int]], videos: Sequence[str], max_bits: int = SAME_SCENE_BITS
) -> np.ndarray:
    """Return each clip the number of its scene.

    Clips of one video are one scene, and so are clips linked by a chain of near frames.

    Args:
        hashes: For each of N clips its frames' 64-bit hashes.
        videos: For each clip, which video it is cut from.
        max_bits: Bits that may differ between near frames.

    Returns:
        (N,) int64: the index of the scene's first clip.

    >>> find_scenes([[0], [1], [255 << 8], [2**64 - 1]], ["a", "b", "c", "c"], 4).tolist()
    [0, 0, 2, 2]
    """
    parents = list(range(len(hashes)))

    def find_root(item: int) -> int:
        while parents[item] != item:
            parents[item] = parents[parents[item]]
            item = parents[item]
        return item

    first_of_video: dict[str, int] = {}
    same_video = [(first_of_video.setdefault(video, i), i) for i, video in enumerate(videos)]
    for i, j in [*same_video, *iter_near_pairs(hashes, max_bits)]:
        low, high = sorted((find_root(i), find_root(j)))
        parents[high] = low
    return np.array([find_root(item) for item in range(len(parents))], dtype=np.int64)
