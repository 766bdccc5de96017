"""Trainings as runs of an experiment tracker: MLflow, by its own client, an extra.

TensorBoard's logs are written by every training (`har.training.fit`) and need nothing of this.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from har.bundle import BUNDLE_FILE, BundleInfo
from har.errors import ConfigError, OutputError
from har.escaping import cut_line
from har.training.card import CARD_FILE
from har.version import __version__

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient  # pyright: ignore[reportMissingImports]

TRACKERS = ("mlflow",)
EXPERIMENT = "har"
_FOLDER = "mlruns"
_STAGE_FILES = ("history.png", "log.csv", "metrics.json")


def parse_track(text: str) -> str | None:
    """Return the address in ``mlflow:ADDRESS``, None for ``mlflow`` alone.

    Raises:
        ConfigError: It is neither.

    >>> parse_track("mlflow:http://127.0.0.1:5000"), parse_track("mlflow")
    ('http://127.0.0.1:5000', None)
    """
    name, colon, address = text.partition(":")
    if name not in TRACKERS or (colon and not address.strip()):
        raise ConfigError(
            f"Expected mlflow or mlflow:ADDRESS, such as mlflow:http://127.0.0.1:5000 or a folder, "
            f"received track={text!r}"
        )
    return address.strip() or None


@dataclass(frozen=True)
class Tracker:
    """One run that has been begun.

    Attributes:
        client: Of the tracker.
        run_id: Of the run.
        results_dir: Folder of the training's graphs and logs.
    """

    client: MlflowClient
    run_id: str
    results_dir: Path

    def log(self, bundle_dir: Path, info: BundleInfo) -> None:
        """Write the recipe, figures, graphs and the model of a training that is done.

        No clip and no picture of one is written: only what the bundle holds, and graphs of figures.
        """
        for name, value in flatten(info.recipe):
            self.client.log_param(self.run_id, name, value)
        for name, value, step in iter_figures(info.metrics):
            self.client.log_metric(self.run_id, name, value, step=step)
        for name, text in _describe(info).items():
            self.client.set_tag(self.run_id, name, text)
        for name in (BUNDLE_FILE, CARD_FILE, *info.files):
            self._add(bundle_dir / name, "bundle")
        for stage in sorted(info.metrics.get("epochs", {})):
            for name in _STAGE_FILES:
                self._add(self.results_dir / stage / name, stage)

    def _add(self, path: Path, place: str) -> None:
        if path.is_file():
            self.client.log_artifact(self.run_id, str(path), place)


@contextmanager
def tracking(track: str, results_dir: Path) -> Generator[Tracker]:
    """Begin a run before anything is trained, and end it as the training ends.

    Args:
        track: See `parse_track`; without an address the run goes where ``MLFLOW_TRACKING_URI``
            says, else into the folder ``mlruns`` of the results.
        results_dir: Folder of graphs and logs.

    Raises:
        OutputError: The tracker cannot be reached, or refuses.
        ModuleNotFoundError: It is not installed.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.exceptions import (  # pyright: ignore[reportMissingImports]
        MlflowException,
    )
    from mlflow.tracking import MlflowClient  # pyright: ignore[reportMissingImports]

    address = parse_track(track) or os.environ.get("MLFLOW_TRACKING_URI") or results_dir / _FOLDER
    uri = str(address) if "://" in str(address) else Path(address).absolute().as_uri()
    try:
        client = MlflowClient(tracking_uri=uri)
        found = client.get_experiment_by_name(EXPERIMENT)
        number = client.create_experiment(EXPERIMENT) if found is None else found.experiment_id
        run_id = client.create_run(number, run_name=results_dir.absolute().name).info.run_id
    except (MlflowException, OSError) as error:
        raise OutputError(
            f"MLflow at {uri} cannot be used: {cut_line(str(error))}; check the address of --track"
        ) from error
    status = "FAILED"
    try:
        yield Tracker(client, run_id, results_dir)
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    except MlflowException as error:
        raise OutputError(
            f"The training is done, but MLflow at {uri} refused a part: {cut_line(str(error))}"
        ) from error
    finally:
        client.set_terminated(run_id, status)


def flatten(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Return nested settings as one level, with points in the names.

    >>> list(flatten({"seed": 7, "cnn": {"fit": {"epochs": 3}}}))
    [('seed', 7), ('cnn.fit.epochs', 3)]
    """
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def iter_figures(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float, int]]:
    """Return name, value and epoch of each figure of a bundle; the epoch is 0 for one of a whole.

    >>> list(iter_figures({"history": {"lstm": {"loss": [0.7, 0.5]}}, "lstm.val": {"auc": 0.9}}))
    [('lstm.loss', 0.7, 1), ('lstm.loss', 0.5, 2), ('lstm.val.auc', 0.9, 0)]
    """
    for stage, history in metrics.get("history", {}).items():
        for name, values in history.items():
            for epoch, value in enumerate(values, 1):
                yield f"{stage}.{name}", float(value), epoch
    for part, figures in metrics.items():
        if part == "crossval":
            for name in ("accuracy", "auc", "macro_f1"):
                if figures[name]["mean"] is not None:
                    yield f"{part}.{name}", float(figures[name]["mean"]), 0
        elif part.endswith(".val"):
            for name, value in figures.items():
                if isinstance(value, int | float) and not isinstance(value, bool):
                    yield f"{part}.{name}", float(value), 0


def _describe(info: BundleInfo) -> dict[str, str]:
    return {
        "har.version": __version__,
        "har.labels": ", ".join(info.labels),
        "har.streams": info.stream_names,
        "har.data_hash": info.data_hash,
        "har.synthetic_data": str(info.synthetic_data).lower(),
        "har.held_out": str(info.held_out).lower(),
    }
