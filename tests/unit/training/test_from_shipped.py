"""Training starts from the shipped model of fights, whose CNN is the one in the package."""

import numpy as np
import pytest
from stores import make_clips

import har
from har.bundle import CNN_FILE, CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE
from har.bundle_files import FOLDER
from har.inference.model import Recognizer
from har.network.saving import load_models

pytestmark = pytest.mark.slow


def test_the_networks_of_the_shipped_model_are_its_graphs():
    info, cnn, head = load_models(FOLDER / "fight")
    graphs, rng = Recognizer(FOLDER / "fight").graphs, np.random.default_rng(0)
    assert CNN_FILE not in info.files
    stacks = rng.integers(0, 255, (1, *info.motion.spec.size, info.motion.spec.n_channels))
    stacks = stacks.astype(np.uint8)
    features = graphs[CNN_GRAPH_FILE](stacks)
    np.testing.assert_allclose(cnn(stacks), features, atol=0.1)  # the graph's weights have 16 bits
    assert np.corrcoef(np.ravel(cnn(stacks)), features.ravel())[0, 1] > 0.9999
    steps = np.repeat(features[None], 16, axis=1)
    np.testing.assert_allclose(head(steps), graphs[TEMPORAL_GRAPH_FILE](steps), atol=1e-4)


def test_training_starts_from_it(tmp_path):
    make_clips(tmp_path / "clips", n_groups=3, n_frames=26)
    store = har.prepare(tmp_path / "clips", tmp_path / "store", size=(64, 96), jobs=1)
    said = []
    model = har.train(
        store,
        start_from="fight",
        config={"cnn": {"downsample": 1}, "temporal": {"fit": {"epochs": 1}}},
        out=tmp_path / "model",
        results=tmp_path / "results",
        progress=False,
        say=said.append,
    )
    assert model.info.stage == "lstm"
    assert any("streams: both, as in" in text for text in said)
    assert any("lstm: 3 layers of the head start from" in text for text in said)
    assert any("layers of the pose head start from" in text for text in said)
