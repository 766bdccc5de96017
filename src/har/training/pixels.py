# pyright: reportArgumentType=false
"""What the two stages that learn from pixels share: batches, precision and the fit."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np

from har.bundle import BundleInfo
from har.config import TrainConfig
from har.dataset.store import Store
from har.network.temporal_head import PixelSystem, rebuild_cnn
from har.training.batches import PixelBatches, Sampling
from har.training.features import compute_model_hash
from har.training.fit import FitPlace, History, compile_model, fit_model, has_gpu
from har.training.run import ClipSplit, Run, compute_fingerprint, measure_epoch_s, say_plan

_SCALE_BATCHES = 8


class PixelStage:
    """The CNN stage, on single time steps, or the joint stage, on whole windows."""

    def __init__(
        self, config: TrainConfig, store: Store, run: Run, info: BundleInfo, clips: ClipSplit
    ) -> None:
        """Take the stage's name and input contract from ``info``."""
        self._config, self._store, self._run, self._info = config, store, run, info
        self._clips, self._motion = clips, info.require_motion()
        n_steps, per_clip = 1, config.cnn.steps_per_clip
        self._fit, self._what = config.cnn.fit, "learns from single time steps"
        if info.stage == "system":
            n_steps, per_clip = self._motion.spec.n_steps, 1
            self._fit, self._what = config.system.fit, "CNN and head learn together"
        sampling = Sampling(n_steps, per_clip, self._fit.batch_clips, True, config.seed)
        self._train = self._batches(clips.train, sampling)
        self._val = self._batches(clips.val, replace(sampling, training=False))

    def _batches(self, clips: tuple[int, ...], sampling: Sampling) -> PixelBatches:
        return PixelBatches(self._store, clips, self._motion.spec, sampling, self._config.augment)

    def compute_features(self, cnn: keras.Model) -> np.ndarray:
        """Return (N, D) features of some hundred steps of training clips, as they are now."""
        features = []
        for index in range(min(_SCALE_BATCHES, len(self._train))):
            (values, _), _, _ = self._train[index]
            stacks = values.reshape(-1, *values.shape[2:])
            features.append(keras.ops.convert_to_numpy(cnn(stacks)))
        return np.concatenate(features)

    def compute_val_loss(self, cnn: keras.Model, head: keras.Model) -> float | None:
        """Return the validation loss of the weights as they are, or None without such clips."""
        if not self._clips.val:
            return None
        system = PixelSystem(cnn, head)
        compile_model(system, self._fit, len(self._train))
        return float(system.evaluate(self._val, verbose=0, return_dict=True)["loss"])

    def fit(self, cnn: keras.Model, head: keras.Model) -> History:
        """Train both in place and return the history, empty where no epochs are asked for."""
        stage, run = self._info.stage, self._run
        if self._fit.epochs == 0:
            run.say(f"{stage}: no epochs asked for, the weights stay as they are")
            return {}
        epoch_s = measure_epoch_s(cnn, self._train)
        say_plan(run, stage, self._what, self._fit, self._clips, epoch_s)
        start = (compute_model_hash(cnn), compute_model_hash(head))
        learner = self._in_policy(cnn)
        history = fit_model(
            PixelSystem(learner, head),
            (self._train, self._val if self._clips.val else None),
            self._fit,
            FitPlace(
                run.stage_dir(stage),
                compute_fingerprint(stage, self._config, self._store.data_hash, start),
                run.progress,
            ),
        )
        if learner is not cnn:
            cnn.set_weights(learner.get_weights())
        return history

    def _in_policy(self, cnn: keras.Model) -> keras.Model:
        """Return the CNN itself, or a mixed-precision twin where that is asked for or helps."""
        mixed = self._config.mixed_precision
        if not (has_gpu() if mixed is None else mixed):
            return cnn
        motion = self._motion
        return rebuild_cnn(cnn, motion.backbone, motion.spec, motion.pooling, "mixed_bfloat16")
