import hashlib
from pathlib import Path

import numpy as np
import pytest

from har.errors import BundleMismatchError
from har.inference.detector import GRAPH, PoseDetector, compute_detector_hash

REFERENCE = Path(__file__).parent / "data" / "movenet_reference.npz"
NAMES = ("192x320", "256x192")
PERSON = 55
"""Column of the person's score; before it are y, x and score of 17 keypoints and a box."""


@pytest.fixture(scope="module")
def detector() -> PoseDetector:
    return PoseDetector(n_threads=1)


@pytest.fixture(scope="module")
def reference() -> dict[str, np.ndarray]:
    with np.load(REFERENCE, allow_pickle=False) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("name", NAMES)
def test_it_gives_what_the_original_network_gives(detector, reference, name):
    picture, output = reference[f"{name}_picture"], reference[f"{name}_output"]
    height, width = picture.shape[:2]
    points, scores = detector.detect(picture)
    output = output[np.argsort(-output[:, PERSON], kind="stable")]
    # Both have the same fp16 weights; measured 1.6e-6 of the picture's side.
    assert np.abs(scores - output[:, PERSON]).max() < 1e-3
    assert np.abs(points[..., 0] / width - output[:, 1:51:3]).max() < 1e-3
    assert np.abs(points[..., 1] / height - output[:, 0:51:3]).max() < 1e-3
    assert np.abs(points[..., 2] - output[:, 2:51:3]).max() < 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_the_drawn_person_is_found_where_it_stands(detector, reference, name):
    picture = reference[f"{name}_picture"]
    height, width = picture.shape[:2]
    points, scores = detector.detect(picture)
    assert scores[0] > 0.4
    assert np.all(scores[1:] < 0.1)
    unit, middle = 0.85 * height, 0.45 * width  # as scripts/convert_movenet.py draws it
    assert abs(points[0, 0, 0] - middle) < 0.1 * unit
    shoulders, hips = points[0, [5, 6]], points[0, [11, 12]]
    np.testing.assert_allclose(
        shoulders[:, 0], [middle + 0.12 * unit, middle - 0.12 * unit], atol=9
    )
    np.testing.assert_allclose(shoulders[:, 1], 0.08 * height + 0.2 * unit, atol=9)
    np.testing.assert_allclose(hips[:, 1], 0.08 * height + 0.5 * unit, atol=9)


def test_shapes_and_dtypes(detector, reference):
    points, scores = detector.detect(reference["192x320_picture"])
    assert (points.shape, points.dtype) == ((6, 17, 3), np.float32)
    assert (scores.shape, scores.dtype) == ((6,), np.float32)
    assert np.all(np.diff(scores) <= 0)
    assert np.all((points[..., 2] >= 0) & (points[..., 2] <= 1))


def test_gray_is_seen_as_three_equal_colors(detector, reference):
    gray = reference["192x320_picture"][..., 1]
    points, scores = detector.detect(gray)
    again, scores_again = detector.detect(np.repeat(gray[..., None], 3, axis=-1))
    np.testing.assert_array_equal(points, again)
    np.testing.assert_array_equal(scores, scores_again)
    assert scores[0] > 0.2


def test_a_read_only_view_is_as_good(detector, reference):
    picture = reference["192x320_picture"]
    view = np.broadcast_to(picture, (1, *picture.shape))[0]
    np.testing.assert_array_equal(detector.detect(view)[0], detector.detect(picture)[0])


def test_nobody_in_an_empty_picture(detector):
    points, scores = detector.detect(np.zeros((96, 160), np.uint8))
    assert scores.max() < 0.1
    assert points.shape == (6, 17, 3)


@pytest.mark.parametrize("size", [(190, 320), (192, 300), (100, 100), (31, 32)])
def test_sides_must_be_multiples_of_32(detector, size):
    with pytest.raises(BundleMismatchError, match=f"received {size[0]}x{size[1]}"):
        detector.detect(np.zeros(size, np.uint8))


@pytest.mark.parametrize("shape", [(0, 32, 3), (64, 64, 4), (2, 64, 64, 3)])
def test_what_is_no_picture_is_refused(detector, shape):
    with pytest.raises(BundleMismatchError):
        detector.detect(np.zeros(shape, np.uint8))


def test_its_hash_is_of_the_shipped_file():
    assert compute_detector_hash() == hashlib.sha256(GRAPH.read_bytes()).hexdigest()
