"""Networks on several cores: the answers of one core, in the pictures' order."""

import threading
from pathlib import Path

import numpy as np
import pytest
from bundles import PEOPLE_SPEC, SPEC, make_bundle, make_people_bundle

from har.errors import BundleMismatchError
from har.inference.model import Recognizer
from har.inference.steps import build_networks, open_networks

RNG = np.random.default_rng(0)


def test_stacks_are_encoded_in_order_and_to_the_bit(tmp_path: Path) -> None:
    recognizer = Recognizer(make_bundle(tmp_path), n_threads=1)
    stacks = [RNG.integers(0, 256, (*SPEC.size, SPEC.n_channels), np.uint8) for _ in range(40)]
    together = recognizer.motion.compute_features(np.stack(stacks))
    with open_networks(recognizer, 3) as networks:
        assert list(networks) == ["motion"]
        assert np.array_equal(list(networks["motion"](stacks)), together)
    assert np.array_equal(list(build_networks(recognizer)["motion"](stacks)), together)


def test_batches_are_small_enough_for_all_threads(tmp_path: Path) -> None:
    recognizer = Recognizer(make_bundle(tmp_path), n_threads=1)
    stacks = [np.zeros((*SPEC.size, SPEC.n_channels), np.uint8)] * 10
    sizes: list[int] = []

    def spread(function, batches):
        sizes.extend(map(len, batches))
        return map(function, batches)

    for n_threads, expected in ((1, [4, 4, 2]), (4, [3, 3, 3, 1]), (16, [1] * 10)):
        sizes.clear()
        found = build_networks(recognizer, spread, n_threads)["motion"](stacks)
        assert len(list(found)) == 10
        assert sizes == expected
    assert list(build_networks(recognizer)["motion"]([])) == []


def test_people_are_found_in_order_and_to_the_bit(tmp_path: Path) -> None:
    recognizer = Recognizer(make_people_bundle(tmp_path), n_threads=1)
    pictures = [RNG.integers(0, 256, PEOPLE_SPEC.size, np.uint8) for _ in range(4)]
    alone = build_networks(recognizer)
    with open_networks(recognizer, 2) as networks:
        found, expected = networks["pose"](pictures), alone["pose"](pictures)
        for (points, scores), (points_of_one, scores_of_one) in zip(found, expected, strict=True):
            assert np.array_equal(points, points_of_one)
            assert np.array_equal(scores, scores_of_one)


def test_an_error_is_raised_here_and_no_thread_stays(tmp_path: Path) -> None:
    recognizer = Recognizer(make_bundle(tmp_path), n_threads=1)
    with (
        open_networks(recognizer, 2) as networks,
        pytest.raises(BundleMismatchError, match="does not take an input"),
    ):
        list(networks["motion"]([np.zeros((4, 4), np.float32)]))
    assert not any(thread.name.startswith("network") for thread in threading.enumerate())
