"""One training step and one prediction on every Keras backend that is installed."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import json
import keras, numpy as np
from har.config import FitConfig, InputConfig, PoseConfig, TemporalConfig
from har.network.temporal_head import PixelSystem, build_cnn, freeze_cnn
from har.network.temporal_head import build_temporal
from har.network.pose_head import PeopleClassifier, build_pose_head
from har.pose.features import N_FEATURES, SEEN_COLUMN
from har.training.fit import compile_model

keras.utils.set_random_seed(0)
spec = InputConfig(n_steps=3).window_spec((64, 64), 30.0)
cnn = build_cnn("tiny", spec)
freeze_cnn(cnn, 0, train_batch_norm=True)
head = build_temporal(TemporalConfig(units=4), int(cnn.output_shape[-1]), 2)
system = PixelSystem(cnn, head)
compile_model(system, FitConfig(1, 1, 1e-2, 0.0, 2), 1)
stacks = np.random.default_rng(0).integers(0, 255, (2, 3, 64, 64, 4), dtype=np.uint8)
inputs, target = (stacks, np.ones((2, 3), "float32")), np.eye(2, dtype="float32")
before = [np.array(w) for w in head.get_weights()]
loss = system.train_on_batch(inputs, target)[0]
moved = any((a != b).any() for a, b in zip(before, head.get_weights()))
logits = keras.ops.convert_to_numpy(system(inputs))

labels = ("hitting_others", "hitting_self", "playing")
pose = PoseConfig(units=4, self_units=4, n_steps=3)
contract = pose.pose_spec(labels, "playing", "hash")
people_head = build_pose_head(pose, contract, labels, "playing")
people = PeopleClassifier(people_head, contract, 2)
compile_model(people, FitConfig(1, 1, 1e-2, 0.0, 2), 1)
features = np.random.default_rng(0).normal(size=(2, 2, 3, N_FEATURES)).astype("float32")
features[..., SEEN_COLUMN] = 1.0
seen = (features, np.array([[0.9, 0.4], [0.5, 0.0]], "float32"), np.ones((2, 3), "float32"))
before_people = [np.array(w) for w in people_head.get_weights()]
people_loss = people.train_on_batch(seen, np.eye(3, dtype="float32")[:2])[0]
moved_people = any((a != b).any() for a, b in zip(before_people, people_head.get_weights()))
said = keras.ops.convert_to_numpy(people(seen))
print(json.dumps({"backend": keras.backend.backend(), "loss": float(loss), "moved": bool(moved),
                  "shape": logits.shape, "finite": bool(np.isfinite(logits).all()),
                  "people_loss": float(people_loss), "people_moved": bool(moved_people),
                  "people_shape": said.shape, "people_finite": bool(np.isfinite(said).all())}))
"""


@pytest.mark.parametrize("backend", ["tensorflow", "torch", "jax"])
def test_a_training_step_and_a_prediction(backend):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    environment = os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found.pop("loss") > 0
    assert found.pop("people_loss") > 0
    assert found == {
        "backend": backend,
        "moved": True,
        "shape": [2, 2],
        "finite": True,
        "people_moved": True,
        "people_shape": [2, 3],
        "people_finite": True,
    }
