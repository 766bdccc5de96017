# pyright: reportArgumentType=false, reportOptionalMemberAccess=false
"""Trains one model: best weights, early stopping, logs, progress, and resuming after a stop."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har.config import FitConfig
from har.files import replacing_folder, write_json, write_text
from har.progress import ProgressBar
from har.training.batches import EpochBatches

History = dict[str, list[float]]
"""Of each of loss, accuracy, val_loss and val_accuracy: one value an epoch."""


@dataclass(frozen=True)
class FitPlace:
    """Where a training writes and what it shows.

    Attributes:
        stage_dir: Gets ``log.csv``, ``tensorboard/`` and, while running, ``state/``.
        fingerprint: Of everything that shapes the run.
        progress: Show a bar of batches.
        n_epochs: End after so many of the epochs for which the learning rate is planned, as a run
            with validation did; None for all of them.
    """

    stage_dir: Path
    fingerprint: str
    progress: bool = False
    n_epochs: int | None = None


@dataclass(frozen=True)
class Fitted:
    """How a training went.

    Attributes:
        history: Of all epochs; empty where none was run or recorded.
        n_epochs: Epochs that shaped the weights that were kept; 0 for those of the start.
    """

    history: History
    n_epochs: int


def count_best_epochs(history: History) -> int:
    """Return how many epochs shaped the weights that `fit_model` kept.

    >>> count_best_epochs({"loss": [3.0, 2.0, 1.0], "val_loss": [3.0, 1.0, 2.0]})
    2
    """
    losses = history.get("val_loss", [])
    return losses.index(min(losses)) + 1 if losses else len(history.get("loss", []))


_STATE = "state"
_MARK = "fingerprint"
_METRICS = ("loss", "accuracy", "val_loss", "val_accuracy")


def fit_model(
    model: keras.Model,
    batches: tuple[EpochBatches, EpochBatches | None],
    config: FitConfig,
    place: FitPlace,
) -> History:
    """Train in place and leave the weights of the epoch with the lowest validation loss.

    A run that was interrupted goes on after its last whole epoch if the fingerprint is the same;
    one that is done is not run again until `clear_state` has deleted what it left.

    Args:
        model: Takes ``(values, mask)`` and gives logits (B, K).
        batches: Training batches, and validation batches or None: then all epochs are run and
            the last weights stay.
        config: The optimization.
        place: Where it writes and what it shows.

    Returns:
        The values of all epochs, those before an interruption included.
    """
    train, val = batches
    state_dir = _open_state(place.stage_dir / _STATE, place.fingerprint)
    compile_model(model, config, len(train))
    model(train[0][0])
    model.optimizer.build(model.trainable_variables)  # else no state of one can be loaded
    n_epochs = config.epochs if place.n_epochs is None else min(config.epochs, place.n_epochs)
    keeper = BestWeights(state_dir, place.stage_dir / "log.csv", config.patience)
    backup = Backup(state_dir / "backup")
    callbacks = [
        EpochOrder(train),
        keeper,
        backup,
        *_tensorboard(place.stage_dir),
        *([Progress(n_epochs, len(train))] if place.progress else []),
    ]
    if not keeper.is_done(n_epochs):
        model.fit(
            train,
            validation_data=val,
            epochs=n_epochs,
            initial_epoch=backup.restore(model),
            callbacks=callbacks,
            verbose=0,
            shuffle=False,
        )
    keeper.restore(model)
    return keeper.history


def clear_state(stage_dir: Path) -> None:
    """Delete the state of a training, which would else be found done."""
    state_dir = stage_dir / _STATE
    (state_dir / _MARK).unlink(missing_ok=True)  # first: what a kill leaves is no run's state
    shutil.rmtree(state_dir, ignore_errors=True)


def fit_plainly(model: keras.Model, batches: EpochBatches, config: FitConfig) -> None:
    """Train in place for all epochs and write nothing: for folds, which nothing validates."""
    compile_model(model, config, len(batches))
    order = [EpochOrder(batches)]
    model.fit(batches, epochs=config.epochs, callbacks=order, verbose=0, shuffle=False)


def _open_state(state_dir: Path, fingerprint: str) -> Path:
    """Return the folder of an interrupted run's state, emptied if it belongs to another run."""
    mark = state_dir / _MARK
    if not (mark.is_file() and mark.read_text() == fingerprint):
        shutil.rmtree(state_dir, ignore_errors=True)
        state_dir.mkdir(parents=True)
        mark.write_text(fingerprint)
    return state_dir


def compile_model(model: keras.Model, config: FitConfig, n_batches: int) -> None:
    """Give a model its loss and its optimizer, for epochs of ``n_batches``."""
    n_total = max(config.epochs * n_batches, 1)
    n_warm = min(n_batches, n_total // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=config.learning_rate / 10,
        decay_steps=max(n_total - n_warm, 1),
        warmup_target=config.learning_rate,
        warmup_steps=max(n_warm, 1),
        alpha=0.01,
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=config.weight_decay, clipnorm=1.0)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    loss = keras.losses.CategoricalCrossentropy(
        from_logits=True, label_smoothing=config.label_smoothing
    )
    accuracy = keras.metrics.CategoricalAccuracy(name="accuracy")
    model.compile(
        optimizer=optimizer, loss=loss, weighted_metrics=[accuracy], jit_compile=has_gpu()
    )


def has_gpu() -> bool:
    """Return whether the backend has a GPU: only there do XLA and mixed precision help.

    Keras lists the devices of TensorFlow and JAX; on torch the answer is no.

    Source: on a 2-core x86-64 CPU one training step of lite0 took 25 times as long with XLA and
    up to 3 times as long in mixed bfloat16 (docs/decisions/008-training.md).
    """
    try:
        return keras.backend.backend() != "torch" and bool(keras.distribution.list_devices("gpu"))
    except RuntimeError:  # what JAX raises where there is none
        return False


def _tensorboard(stage_dir: Path) -> Sequence[keras.callbacks.Callback]:
    """Return TensorBoard logs where the backend that writes them is the one in use."""
    if keras.backend.backend() != "tensorflow":
        return []
    return [keras.callbacks.TensorBoard(stage_dir / "tensorboard", write_graph=False)]


class EpochOrder(keras.callbacks.Callback):
    """Tells the batches which epoch it is, also after a resume."""

    def __init__(self, batches: EpochBatches) -> None:
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Fix the epoch's draws."""
        self._batches.set_epoch(epoch)


class Backup(keras.callbacks.Callback):
    """Keeps on disk all that the next epoch starts from.

    Unlike Keras's own `BackupAndRestore` it keeps the state of every draw, without which dropout
    begins anew after a resume, and a kill never leaves the weights of one epoch with the number of
    another.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Replace what was kept of the epoch before."""
        draws = [
            np.asarray(keras.ops.convert_to_numpy(draw)).tolist()
            for draw in _find_draws(self.model)
        ]
        with replacing_folder(self._folder) as part:
            self.model.save_weights(part / _BACKUP_WEIGHTS)
            write_json(part / _BACKUP_STATE, {"n_epochs": epoch + 1, "draws": draws})

    def restore(self, model: keras.Model) -> int:
        """Put a compiled model into the kept state; return how many epochs it has behind it."""
        if not self._folder.is_dir():
            return 0
        state = json.loads((self._folder / _BACKUP_STATE).read_text())
        model.load_weights(self._folder / _BACKUP_WEIGHTS)
        for draw, values in zip(_find_draws(model), state["draws"], strict=True):
            draw.assign(np.array(values, draw.dtype))
        return state["n_epochs"]


_BACKUP_WEIGHTS = "latest.weights.h5"
_BACKUP_STATE = "state.json"


def _find_draws(model: keras.Model) -> list[keras.Variable]:
    """Return the states of a model's random generators: variables that Keras saves nowhere."""
    weights = {id(weight) for weight in model.weights}
    return [variable for variable in model.variables if id(variable) not in weights]


class BestWeights(keras.callbacks.Callback):
    """Keeps the history and the best weights on disk, and stops when patience runs out."""

    def __init__(self, state_dir: Path, log: Path, patience: int) -> None:
        super().__init__()
        self._weights = state_dir / "best.weights.h5"
        self._record = state_dir / "history.json"
        self._log = log
        self._patience = patience
        self.history: History = {}
        if self._record.is_file():
            self.history = json.loads(self._record.read_text())

    def is_done(self, epochs: int) -> bool:
        """Return whether there is nothing left to train."""
        n_done = len(self.history.get("loss", ()))
        return n_done >= epochs or (n_done > 0 and self._is_out_of_patience())

    def _is_out_of_patience(self) -> bool:
        losses = self.history.get("val_loss")
        return bool(losses) and len(losses) - 1 - losses.index(min(losses)) >= self._patience

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Note the epoch, save its weights if they are the best so far."""
        for name in _METRICS:
            if logs and name in logs:
                values = self.history.setdefault(name, [])
                del values[epoch:]
                values.append(float(logs[name]))
        losses = self.history.get("val_loss", [])
        if not losses or losses[-1] <= min(losses):
            self.model.save_weights(self._weights, overwrite=True)
        write_text(self._record, json.dumps(self.history))
        rows = zip(range(1, epoch + 2), *self.history.values(), strict=True)
        lines = [",".join(map(str, row)) for row in (["epoch", *self.history], *rows)]
        write_text(self._log, "\n".join(lines) + "\n")
        if self._is_out_of_patience():
            self.model.stop_training = True

    def restore(self, model: keras.Model) -> None:
        """Put the best weights back."""
        if self._weights.is_file():
            model.load_weights(self._weights)


class Progress(keras.callbacks.Callback):
    """A bar over all batches of the run on standard error, with the last epoch's values."""

    def __init__(self, epochs: int, n_batches: int) -> None:
        super().__init__()
        self._epochs, self._n_batches = epochs, n_batches

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """Open the bar."""
        self._bar = ProgressBar(self._epochs * self._n_batches, "training", "batch")

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar to the epoch, which after a resume is not the first."""
        self._bar.move_to(epoch * self._n_batches)
        self._epoch = f"epoch {epoch + 1} of {self._epochs}"
        self._bar.note(self._epoch)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Move the bar on."""
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Show the epoch's values."""
        shown = [f"{name} {logs[name]:.3f}" for name in _METRICS if logs and name in logs]
        self._bar.note(", ".join([self._epoch, *shown]))

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the bar."""
        self._bar.close()
