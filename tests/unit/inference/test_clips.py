"""A clip of a store gets the answer that a recording of it gets."""

import numpy as np
import pytest
from acting import make_scene
from bundles import LABELS, PEOPLE_SPEC, make_bundle, make_people_bundle
from stores import make_store

from har.config import PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.inference.clips import recognize_clips
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.types import UNCERTAIN

LENGTHS_S = {"short": 0.5, "window": 1.0, "long": 2.7}


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Film of two people of whom one moves the arms, and one of nobody; and a store of them."""
    folder = tmp_path_factory.mktemp("films")
    for name, length_s in LENGTHS_S.items():
        path = folder / "films" / "acts" / f"{name}.mp4"
        make_scene(path, lambda t: ((0.3, t % 1.2 > 0.6), (0.7, False)), length_s, fps=20)
    make_scene(folder / "films" / "empty" / "empty.mp4", lambda _: (), 0.6, fps=20)
    prepare(folder / "films", folder / "store", PrepareConfig(size=PEOPLE_SPEC.size, jobs=1))
    return Store.load(folder / "store")


@pytest.mark.parametrize("streams", ["pose", "both"])
def test_a_clip_is_answered_as_its_recording_is(films, tmp_path, streams):
    recognizer = Recognizer(make_people_bundle(tmp_path, streams))
    answers = recognize_clips(recognizer, films, range(len(films.clips)))
    for row, clip in enumerate(films.clips):
        result = recognize_video(recognizer, clip.path)
        assert answers.is_uncertain[row] == (result.label == UNCERTAIN)
        if result.label != UNCERTAIN:
            probs = list(result.probs.values())
            np.testing.assert_allclose(answers.probs[row], probs, rtol=0, atol=1e-5)
    assert answers.is_uncertain.tolist() == [
        clip.label == "empty" and streams == "pose" for clip in films.clips
    ]
    said = answers.probs[[clip.label == "acts" for clip in films.clips]]
    assert np.ptp(said[:, 1]) > 0.01  # they differ, so that agreement means something


def test_motion_alone_is_answered_so_too(films, tmp_path):
    recognizer = Recognizer(make_bundle(tmp_path, spec=PEOPLE_SPEC))
    answers = recognize_clips(recognizer, films, range(len(films.clips)))
    assert not answers.is_uncertain.any()
    for probs, clip in zip(answers.probs, films.clips, strict=True):
        expected = list(recognize_video(recognizer, clip.path).probs.values())
        np.testing.assert_allclose(probs, expected, rtol=0, atol=1e-5)


def test_clips_come_in_the_order_asked_for(films, tmp_path):
    recognizer = Recognizer(make_people_bundle(tmp_path))
    everyone = recognize_clips(recognizer, films, range(4))
    some = recognize_clips(recognizer, films, [3, 1])
    assert (some.probs.shape, some.probs.dtype) == ((2, len(LABELS)), np.float32)
    np.testing.assert_array_equal(some.probs, everyone.probs[[3, 1]])
    np.testing.assert_array_equal(some.is_uncertain, everyone.is_uncertain[[3, 1]])


def test_pictures_that_the_motion_stream_does_not_take_are_refused(tmp_path):
    store = make_store(tmp_path, n_groups=2)
    for streams in ("motion", "both"):
        make = make_bundle if streams == "motion" else make_people_bundle
        options = {} if streams == "motion" else {"streams": streams}
        recognizer = Recognizer(make(tmp_path / streams, spec=PEOPLE_SPEC, **options))
        with pytest.raises(BundleMismatchError, match="--size 192x256"):
            recognize_clips(recognizer, store, [0])
    pose = Recognizer(make_people_bundle(tmp_path / "pose"))
    assert recognize_clips(pose, store, [0]).is_uncertain.tolist() == [True]
