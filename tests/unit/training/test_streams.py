"""Which streams a model takes where nobody says: what the keypoints, or a bundle, are good for."""

from dataclasses import replace

import pytest
from acting import make_scene
from bundles import PEOPLE_SPEC, make_bundle, make_people_bundle

from har.config import PrepareConfig, TrainConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from har.errors import BundleMismatchError, BundleNotFoundError
from har.training.run import Run
from har.training.streams import settle_streams

CONFIG = TrainConfig()


@pytest.fixture(scope="module")
def people_store(tmp_path_factory) -> Store:
    """Three short films of a person each, whom the pose network sees well."""
    folder = tmp_path_factory.mktemp("seen")
    for index, label in enumerate(("up", "down", "up")):
        path = folder / "films" / label / f"{index}.mp4"
        make_scene(path, lambda t, up=label == "up": ((0.5, up),), 0.6, fps=20)
    prepare(folder / "films", folder / "store", PrepareConfig(size=PEOPLE_SPEC.size, jobs=1))
    return Store.load(folder / "store")


def settle(store, folder, streams="auto", source=None):
    said = []
    run = Run(folder / "bundle", folder / "results", source, False, said.append)
    return settle_streams(CONFIG, store, run, streams).streams, said


def test_people_who_are_seen_well_are_looked_at_too(people_store, tmp_path):
    streams, (said,) = settle(people_store, tmp_path)
    assert streams == "both"
    assert "confident enough" in said
    assert "in 3 clips" in said
    assert "--streams" in said


def test_where_nobody_is_seen_motion_is_enough(bar_store, tmp_path):
    streams, (said,) = settle(bar_store, tmp_path)
    assert streams == "motion"
    assert "too low in confidence" in said
    assert "in 8 clips" in said


@pytest.mark.parametrize("streams", ["motion", "pose", "both"])
def test_what_is_asked_for_is_taken_without_a_look(bar_store, tmp_path, streams):
    unreadable = replace(bar_store, path=tmp_path / "nowhere")
    assert settle(unreadable, tmp_path, streams) == (streams, [])


def test_a_bundle_to_start_from_decides(bar_store, tmp_path):
    sources = {
        "motion": make_bundle(tmp_path / "m"),
        "pose": make_people_bundle(tmp_path / "p"),
        "both": make_people_bundle(tmp_path / "b", "both"),
    }
    for streams, source in sources.items():
        settled, (said,) = settle(bar_store, tmp_path, "auto", source)
        assert settled == streams
        assert str(source) in said
        assert settle(bar_store, tmp_path, streams, source) == (streams, [])
        assert settle(bar_store, tmp_path, streams, sources["both"]) == (streams, [])
    for asked, source in (("pose", "motion"), ("both", "motion"), ("both", "pose")):
        with pytest.raises(BundleMismatchError, match=f"--streams {source}"):
            settle(bar_store, tmp_path, asked, sources[source])
    with pytest.raises(BundleNotFoundError):
        settle(bar_store, tmp_path, "auto", tmp_path / "none")
