"""What a cross-validation leaves in a bundle belongs to the bundle's recipe and clips."""

from dataclasses import replace

import numpy as np
import pytest

from har.bundle import load_info
from har.bundle_files import DEFAULT, FOLDER, list_shipped
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.errors import BundleMismatchError
from har.inference.model import Recognizer
from har.training.crossval import compute_recipe_hash, crossvalidate, record_crossval
from har.training.run import Run
from har.training.stages import train_all

QUICK = update_config(
    update_config(TrainConfig(), RECIPES["tiny"]),
    {
        "input": {"n_steps": 6},
        "cnn": {"fit": {"epochs": 0}},
        "temporal": {"units": 4, "recent_steps": 3, "fit": {"epochs": 2}},
        "system": {"fit": {"epochs": 0}},
    },
)


@pytest.fixture(scope="module")
def run(bar_store, tmp_path_factory):
    folder = tmp_path_factory.mktemp("recorded")
    found = Run(folder / "bundle", folder / "results", progress=False, say=lambda _: None)
    train_all(QUICK, bar_store, found)
    return found


@pytest.fixture(scope="module")
def result(bar_store, run):
    return crossvalidate(QUICK, CrossvalConfig(n_folds=2, n_seeds=1), bar_store, run)


def test_a_bundle_gets_temperature_and_figures(run, result):
    before = Recognizer(run.bundle_dir)
    info = record_crossval(run.bundle_dir, result)
    assert info == load_info(run.bundle_dir)
    assert info.temperature == pytest.approx(result.calibration.temperature, abs=1e-4)
    recorded = info.metrics["crossval"]
    assert recorded["recipe_hash"] == compute_recipe_hash(info.recipe)
    assert recorded["data_hash"] == info.data_hash
    assert recorded["accuracy"]["mean"] == result.intervals["accuracy"].mean
    logits = np.array([[2.0, -1.0]])
    hotter = before.compute_probs(logits / info.temperature)
    assert np.allclose(Recognizer(run.bundle_dir).compute_probs(logits), hotter, atol=1e-6)


def test_figures_of_another_recipe_are_refused(run, result):
    other = update_config(QUICK, {"temporal": {"units": 5}})
    for changed, what in (
        (replace(result, recipe={**result.recipe, "seed": 7}), "recipe"),
        (replace(result, data_hash="other"), "data"),
        (replace(result, config=CrossvalConfig(2, 1, "random")), "protocol"),
    ):
        with pytest.raises(BundleMismatchError, match=what):
            record_crossval(run.bundle_dir, changed)
    assert compute_recipe_hash(result.recipe) != compute_recipe_hash(
        {**result.recipe, "temporal": {"units": other.temporal.units}}
    )


@pytest.mark.skipif(DEFAULT not in list_shipped(), reason=f"no bundle {DEFAULT!r} is shipped yet")
def test_the_figures_of_the_shipped_bundle_belong_to_its_recipe():
    info = load_info(FOLDER / DEFAULT)
    recorded = info.metrics["crossval"]
    assert recorded["recipe_hash"] == compute_recipe_hash(info.recipe)
    assert recorded["data_hash"] == info.data_hash
    assert (recorded["protocol"], recorded["leaks"]) == ("grouped", False)
    assert info.temperature == pytest.approx(recorded["calibration"]["temperature"], abs=1e-4)
    for name, temperature in info.alone.items():
        own = recorded["alone"][name]["calibration"]["temperature"]
        assert temperature == pytest.approx(own, abs=1e-4)
