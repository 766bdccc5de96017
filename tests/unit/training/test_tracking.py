"""Trainings as runs of MLflow, in a folder."""

from dataclasses import replace
from pathlib import Path

import pytest
from bundles import make_bundle

import har
from har.bundle import load_info
from har.errors import ConfigError, OutputError
from har.training.tracking import iter_figures, parse_track, tracking

RECIPE = {
    "input": {"n_steps": 6},
    "cnn": {"steps_per_clip": 4, "fit": {"epochs": 1}},
    "temporal": {"n_variants": 1, "units": 4, "fit": {"epochs": 2}},
    "system": {"fit": {"epochs": 1}},
}


def open_runs(folder: Path):
    """Return MLflow's client and its runs of a folder, read back as any program would."""
    mlflow = pytest.importorskip("mlflow")
    client = mlflow.tracking.MlflowClient(tracking_uri=folder.absolute().as_uri())
    experiment = client.get_experiment_by_name("har")
    return client, client.search_runs([experiment.experiment_id])


@pytest.mark.parametrize("text", ["", "wandb", "mlflow:", "mlflow: ", "MLFLOW"])
def test_what_is_no_tracker(text):
    with pytest.raises(ConfigError, match="mlflow:ADDRESS"):
        parse_track(text)


def test_figures_of_a_whole_and_of_epochs():
    crossval = {name: {"mean": value} for name, value in (("accuracy", 0.5), ("auc", 0.6))}
    metrics = {
        "cnn.val": {"accuracy": 0.25, "n_clips": 4, "labels": ["a"], "per_class": [], "odd": True},
        "history": {"cnn": {"loss": [2.0], "val_loss": [3.0]}},
        "epochs": {"cnn": 1},
        "crossval": {**crossval, "macro_f1": {"mean": None}},
    }
    assert list(iter_figures(metrics)) == [
        ("cnn.loss", 2.0, 1),
        ("cnn.val_loss", 3.0, 1),
        ("cnn.val.accuracy", 0.25, 0),
        ("cnn.val.n_clips", 4.0, 0),
        ("crossval.accuracy", 0.5, 0),
        ("crossval.auc", 0.6, 0),
    ]


@pytest.fixture
def tracked(tmp_path) -> Path:
    """A folder of MLflow's, with a run of a bundle that is made by hand."""
    pytest.importorskip("mlflow")
    results = tmp_path / "results"
    (results / "lstm").mkdir(parents=True)
    (results / "lstm" / "log.csv").write_text("epoch,loss\n")
    (results / "lstm" / "strip.mp4").write_bytes(b"a person")
    bundle = make_bundle(tmp_path / "bundle")
    metrics = {"history": {"lstm": {"loss": [0.7, 0.5]}}, "epochs": {"lstm": 2}}
    recipe = {"seed": 7, "cnn": {"fit": {"epochs": 0}}}
    with tracking("mlflow", results) as tracker:
        tracker.log(bundle, replace(load_info(bundle), recipe=recipe, metrics=metrics))
    return results / "mlruns"


@pytest.mark.slow
def test_a_run_has_the_recipe_the_figures_and_the_model(tracked):
    client, (run,) = open_runs(tracked)
    assert run.info.status == "FINISHED"
    assert run.data.params == {"seed": "7", "cnn.fit.epochs": "0"}
    assert run.data.metrics == {"lstm.loss": 0.5}
    history = client.get_metric_history(run.info.run_id, "lstm.loss")
    assert [(item.step, item.value) for item in history] == [(1, 0.7), (2, 0.5)]
    assert run.data.tags["har.labels"] == "still, active"
    assert run.data.tags["har.synthetic_data"] == "false"


@pytest.mark.slow
def test_no_picture_of_anyone_is_in_it(tracked):
    written = {path.name for path in tracked.rglob("artifacts/**/*") if path.is_file()}
    assert written == {"bundle.json", "frame_cnn.onnx", "temporal.onnx", "log.csv"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "status"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")]
)
def test_a_run_that_ends_early_says_so(error, status, tmp_path):
    pytest.importorskip("mlflow")
    with pytest.raises(error), tracking(f"mlflow:{tmp_path / 'runs'}", tmp_path):
        raise error
    assert open_runs(tmp_path / "runs")[1][0].info.status == status


@pytest.mark.slow
def test_a_tracker_that_is_not_there_is_said_before_anything_is_trained(bar_store, tmp_path):
    pytest.importorskip("mlflow")
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="--track"):
        har.train(
            bar_store,
            out=tmp_path / "m",
            results=tmp_path / "r",
            track=f"mlflow:{tmp_path / 'file'}",
        )
    assert not (tmp_path / "m").exists()


@pytest.mark.slow
def test_a_training_is_a_run(bar_store, tmp_path):
    pytest.importorskip("mlflow")
    model = har.train(
        bar_store,
        recipe="tiny",
        streams="motion",
        config=RECIPE,
        out=tmp_path / "model",
        results=tmp_path / "results",
        track="mlflow",
        progress=False,
    )
    _, (run,) = open_runs(tmp_path / "results" / "mlruns")
    assert run.data.params["temporal.units"] == "4"
    assert run.data.metrics["system.val.accuracy"] == model.info.metrics["system.val"]["accuracy"]
    written = {path.name for path in (tmp_path / "results/mlruns").rglob("artifacts/**/*")}
    assert {"history.png", "card.md", "temporal.keras", "cnn", "lstm", "system"} <= written
