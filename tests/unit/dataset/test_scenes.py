import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from har.dataset.scenes import compute_scene_hash, find_scenes, iter_near_pairs


def make_scene(seed, size=(120, 160)):
    noise = np.random.default_rng(seed).integers(0, 256, (6, 8), np.uint8)
    return cv2.resize(noise, size[::-1], interpolation=cv2.INTER_CUBIC)


def bits_apart(a, b):
    return (compute_scene_hash(a) ^ compute_scene_hash(b)).bit_count()


def test_same_scene_in_another_size_light_and_with_a_person_is_near():
    scene = make_scene(0)
    changed = cv2.resize(scene, (213, 160))
    changed = np.clip(changed * 0.8 + 20, 0, 255).astype(np.uint8)
    changed[60:110, 90:110] = 230
    assert bits_apart(scene, changed) <= 10


def test_other_scenes_are_far():
    scenes = [make_scene(seed) for seed in range(8)]
    apart = [bits_apart(a, b) for i, a in enumerate(scenes) for b in scenes[:i]]
    assert min(apart) > 14


def test_near_pairs_by_any_two_frames():
    hashes = [[0b0000, 0xFF00], [0xFFFFFF, 0b0011], [0xF0F0F0F0]]
    assert list(iter_near_pairs(hashes, 2)) == [(0, 1)]
    assert list(iter_near_pairs(hashes, 1)) == []


def test_chain_makes_one_scene():
    assert find_scenes([[0b0], [0b11], [0b1111], [0xFFFF]], list("abcd"), 2).tolist() == [
        0,
        0,
        0,
        3,
    ]


def test_clips_of_one_video_are_one_scene():
    assert find_scenes([[0], [2**40 - 1], [2**64 - 1]], ["a", "b", "a"], 0).tolist() == [0, 1, 0]


def test_no_clips():
    assert find_scenes([], []).tolist() == []


@given(
    st.lists(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=3), min_size=1, max_size=12),
    st.integers(0, 40),
)
def test_pairs_are_those_of_the_plain_definition(hashes, max_bits):
    expected = [
        (i, j)
        for i in range(len(hashes))
        for j in range(i + 1, len(hashes))
        if any((a ^ b).bit_count() <= max_bits for a in hashes[i] for b in hashes[j])
    ]
    assert list(iter_near_pairs(hashes, max_bits)) == expected
