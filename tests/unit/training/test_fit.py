"""Fitting keeps the best weights, stops in time, and goes on after an interruption."""

import json

import keras
import numpy as np
import pytest

from har.config import FitConfig, TemporalConfig
from har.network.temporal_head import build_clip_classifier, build_temporal
from har.training.batches import FeatureBatches, Sampling
from har.training.fit import FitPlace, clear_state, fit_model

pytestmark = pytest.mark.slow

CONFIG = FitConfig(6, 6, 1e-2, 0.0, 8, label_smoothing=0.0)


def make_batches(seed=0, training=True):
    rng = np.random.default_rng(seed)
    targets = np.arange(16) % 2
    variants = [[rng.normal(size=(5, 4)) + 2 * target] for target in targets]
    return FeatureBatches(variants, targets, 2, Sampling(5, 1, 8, training, seed))


def make_model(dropout=0.0):
    keras.utils.set_random_seed(0)
    return build_clip_classifier(build_temporal(TemporalConfig(units=4, dropout=dropout), 4, 2), 4)


def fit(model, folder, config=CONFIG, fingerprint="a"):
    batches = (make_batches(), make_batches(1, training=False))
    return fit_model(model, batches, config, FitPlace(folder, fingerprint))


def test_it_learns_and_leaves_the_best_weights_and_logs(tmp_path):
    model = make_model()
    history = fit(model, tmp_path)
    assert history["loss"][-1] < history["loss"][0]
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 7
    assert list((tmp_path / "tensorboard").rglob("events*"))
    model.compile(loss=keras.losses.CategoricalCrossentropy(from_logits=True), jit_compile=False)
    values = model.evaluate(make_batches(1, training=False), verbose=0, return_dict=True)
    assert values["loss"] == pytest.approx(min(history["val_loss"]), abs=1e-4)


def test_two_runs_are_the_same(tmp_path):
    first, second = make_model(), make_model()
    assert fit(first, tmp_path / "a") == fit(second, tmp_path / "b")
    for ours, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_it_stops_when_patience_runs_out(tmp_path):
    config = FitConfig(50, 2, 1.0, 0.0, 8)
    history = fit(make_model(), tmp_path, config)
    losses = history["val_loss"]
    assert len(losses) < 50
    assert len(losses) - 1 - losses.index(min(losses)) == 2


class Interrupt(keras.callbacks.Callback):
    """Stops the process's work in the middle of an epoch, as a person would."""

    def __init__(self, epoch, batch):
        super().__init__()
        self._moment = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self._epoch, batch) == self._moment:
            raise KeyboardInterrupt


@pytest.mark.parametrize("moment", [(0, 1), (3, 1)])
def test_an_interrupted_run_ends_as_an_uninterrupted_one_to_the_bit(tmp_path, monkeypatch, moment):
    whole = make_model(dropout=0.5)
    history = fit(whole, tmp_path / "whole")
    folder = tmp_path / "broken"
    original = keras.Model.fit

    def interrupted(self, *args, callbacks, **options):
        return original(self, *args, callbacks=[*callbacks, Interrupt(*moment)], **options)

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fit(make_model(dropout=0.5), folder)
    assert (folder / "state" / "history.json").is_file() == (moment[0] > 0)
    resumed = make_model(dropout=0.5)
    assert fit(resumed, folder) == history
    for ours, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)


def test_a_run_that_is_done_is_not_run_again_until_its_state_is_deleted(tmp_path):
    first, second = make_model(), make_model()
    history = fit(first, tmp_path)
    (tmp_path / "log.csv").unlink()
    assert fit(second, tmp_path) == history
    assert not (tmp_path / "log.csv").exists()
    for ours, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
        assert np.array_equal(ours, theirs)
    clear_state(tmp_path)
    assert not (tmp_path / "state").exists()
    fit(make_model(), tmp_path)
    assert (tmp_path / "log.csv").exists()


def test_what_a_kill_leaves_of_a_state_that_is_being_deleted_is_not_gone_on_from(tmp_path):
    whole = fit(make_model(), tmp_path / "whole")
    state = tmp_path / "state"
    state.mkdir()
    (state / "history.json").write_text(json.dumps(whole))
    model, untrained = make_model(), make_model()
    assert fit(model, tmp_path) == whole
    assert not np.array_equal(model.get_weights()[-1], untrained.get_weights()[-1])


def test_another_recipe_does_not_resume(tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "fingerprint").write_text("other")
    (state / "history.json").write_text(json.dumps({"loss": [0.0] * 6}))
    assert len(fit(make_model(), tmp_path)["loss"]) == 6
