# pyright: reportArgumentType=false
"""The motion stream in training: a frame CNN on the picture, and a head over time on its features.

The CNN may learn from single time steps, the head learns on the features of the CNN as it is, which
are computed once, and both may learn together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Any

import keras
import numpy as np

from har.bundle import CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE, BundleInfo, MotionContract, Stage
from har.bundle_files import find_verified
from har.config import FitConfig, TrainConfig
from har.dataset.store import Store
from har.errors import BundleMismatchError
from har.inference.engines import Graph
from har.inference.fusion import StreamLogits
from har.inference.model import Recognizer
from har.inference.steps import cut_stream
from har.inference.streams import MotionStream
from har.network.heads import copy_weights, set_feature_scale
from har.network.parts import OWN, OwnParts, build_own_head, compute_structure_hash
from har.network.saving import export_graph, is_half, load_models
from har.network.temporal_head import (
    PixelSystem,
    build_clip_classifier,
    build_cnn,
    build_frame_head,
    freeze_cnn,
    rebuild_cnn,
)
from har.training.batches import FeatureBatches, PixelBatches, Sampling
from har.training.clips import ClipSplit
from har.training.features import FeatureCache, Variants, compute_model_hash
from har.training.fit import (
    FitPlace,
    Fitted,
    compile_model,
    count_best_epochs,
    fit_model,
    fit_plainly,
    has_gpu,
)
from har.training.linear import release_linear_branch, solve_linear_branch, start_head
from har.training.run import Run, compute_fingerprint, measure_epoch_s, say_plan, set_seed
from har.training.start import check_color, check_fits

_SCALE_BATCHES = 8


class MotionTraining:
    """The motion stream of a model that is trained.

    Attributes:
        contract: What a bundle says about it.
        cnn: (B, H, W, C) uint8 stacks to (B, D).
        head: (B, T, D) to (B, T, K) logits, of the last training; None before.
    """

    def __init__(
        self,
        config: TrainConfig,
        store: Store,
        run: Run,
        parts: OwnParts,
        contract: MotionContract,
        models: tuple[keras.Model, keras.Model | None],
    ) -> None:
        """Take a CNN and perhaps a head; see `build` and `load`."""
        self._config, self._store, self._parts = config, store, parts
        self._results_dir, self._progress = run.results_dir, run.progress
        self._encode: Callable[[np.ndarray], np.ndarray] | None = None
        self._graph: tuple[Path, str] | None = None
        self.contract = contract
        self.cnn, self.head = models

    @classmethod
    def build(cls, config: TrainConfig, store: Store, run: Run, parts: OwnParts) -> MotionTraining:
        """Start with a new CNN: the recipe's, or the backbone that is given as an object.

        Raises:
            ConfigError: The store's color, or a part, is not what the input needs.
        """
        spec = config.input.window_spec(store.size, store.max_rate_hz)
        check_color(config, store)
        own = parts.backbone
        cnn = build_cnn(
            config.cnn.backbone if own is None else own,
            spec,
            pooling=config.cnn.pooling,
            downsample=config.cnn.downsample,
        )
        n_features = int(cnn.output_shape[-1])
        name = config.cnn.backbone if own is None else OWN
        contract = MotionContract(spec, n_features, name, "frame", config.cnn.pooling)
        return cls(config, store, run, parts, contract, (cnn, None))

    @classmethod
    def load(cls, config: TrainConfig, store: Store, run: Run, parts: OwnParts) -> MotionTraining:
        """Start with what the stage before left in ``run.bundle_dir``.

        Raises:
            BundleNotFoundError: There is no bundle.
            BundleMismatchError: It has other labels, or takes other pictures.
        """
        info, cnn, head = load_models(run.bundle_dir)
        check_fits(run.bundle_dir, info, store)
        contract = info.require_motion()
        loaded = cls(config, store, run, parts, contract, (cnn, head))
        loaded._encode = Recognizer(run.bundle_dir).graphs[CNN_GRAPH_FILE]
        loaded._graph = run.bundle_dir / CNN_GRAPH_FILE, compute_model_hash(cnn)
        return loaded

    @property
    def models(self) -> dict[str, Any]:
        """What a bundle keeps, by the arguments of `save_bundle`.

        The graph of a CNN that has not learned stays as it was, to the byte: another export may
        round otherwise, and features that were kept would not fit.
        """
        graph, key = self._graph or (None, "")
        if graph is not None and key != compute_model_hash(self.cnn):
            graph = None
        return {"cnn": self.cnn, "head": self.head, "cnn_graph": graph}

    def describe(self, info: BundleInfo) -> BundleInfo:
        """Return the contract of a bundle with this stream in it."""
        return replace(info, motion=self.contract)

    def start_from(self, source: Path) -> None:
        """Give the CNN the weights of the bundle that training starts from.

        Raises:
            BundleMismatchError: Its CNN is another one.
        """
        info, learned, _ = load_models(source)
        theirs, ours = info.require_motion(), self.contract
        if theirs.backbone != ours.backbone or learned.count_params() != self.cnn.count_params():
            raise BundleMismatchError(
                f"The bundle {source} has the CNN {theirs.backbone!r} for input "
                f"{theirs.spec.input!r}, the recipe has {ours.backbone!r} and "
                f"{ours.spec.input!r}; choose the recipe that it was trained with"
            )
        self.cnn.set_weights(learned.get_weights())
        contracts = [
            (item.pooling, item.n_features, replace(item.spec, n_steps=1))
            for item in (theirs, ours)
        ]
        if contracts[0] == contracts[1]:
            graph = find_verified(source, info, CNN_GRAPH_FILE)
            self._graph = graph, compute_model_hash(learned)

    def fit_cnn(self, clips: ClipSplit, run: Run) -> Fitted:
        """Train the CNN to classify single time steps; without epochs it stays as it starts."""
        config, contract = self._config, self.contract
        stage = _PixelStage("cnn", "learns from single time steps", config.cnn.fit, 1)
        self.head = build_frame_head(
            contract.n_features, len(self._store.labels), config.temporal.dropout
        )
        from_scratch = contract.backbone == "tiny"
        self._freeze(train_batch_norm=from_scratch)
        train, val = self._build_pixel_batches(stage, clips, config.cnn.steps_per_clip)
        if not from_scratch:
            set_feature_scale(self.head, _compute_features(self.cnn, train))
        return self._fit_pixels(stage, (train, val), clips, run)

    def fit_jointly(self, clips: ClipSplit, run: Run) -> Fitted:
        """Train CNN and head together; what they were stays if it validates better."""
        stage = _PixelStage(
            "system",
            "CNN and head learn together",
            self._config.system.fit,
            self.contract.spec.n_steps,
        )
        self._freeze()
        batches = self._build_pixel_batches(stage, clips, 1)
        before = self._compute_val_loss(batches, stage.fit)
        head = self.models["head"]
        weights = self.cnn.get_weights(), head.get_weights()
        fitted = self._fit_pixels(stage, batches, clips, run)
        losses = fitted.history.get("val_loss", ())
        if before is not None and losses and min(losses) >= before:
            run.say("system: no epoch improved validation loss; keeping the weights of the lstm")
            self.cnn.set_weights(weights[0])
            head.set_weights(weights[1])
            return Fitted(fitted.history, 0)
        return fitted

    def fit(self, clips: ClipSplit, seed: int, run: Run | None = None) -> Fitted:
        """Train a new head on the features of the CNN as it is.

        Args:
            clips: To learn from and to validate on.
            seed: Of all that is drawn.
            run: Where it writes and tells what happens; a fold does neither.
        """
        set_seed(seed)
        fit, temporal = self._config.temporal.fit, self._config.temporal
        variants = self._cache.load_variants(clips.train, temporal.n_variants)
        self.head = self._start_head(variants, list(clips.train), run)
        model = build_clip_classifier(self.head, self.contract.n_features)
        kind = temporal.kind if self._parts.head is None else OWN
        self.contract = replace(self.contract, temporal=kind)
        sampling = Sampling(self.contract.spec.n_steps, 1, fit.batch_clips, True, seed)
        train = self._build_feature_batches(variants, clips.train, sampling)
        if run is None:
            fit_plainly(model, train, fit)
            return Fitted({}, fit.epochs)
        val = None
        if clips.val:
            val_variants = self._cache.load_variants(clips.val, 1)
            val = self._build_feature_batches(
                val_variants, clips.val, replace(sampling, training=False)
            )
        window_s = self.contract.spec.window_s
        say_plan(run, "lstm", f"learns over windows of {window_s:g} s", fit, clips)
        start = compute_model_hash(self.cnn), compute_model_hash(self.head)
        history = fit_model(model, (train, val), fit, self._place("lstm", run, start))
        release_linear_branch(self.head)
        return Fitted(history, count_best_epochs(history))

    def compute_logits(self, clips: Sequence[int]) -> StreamLogits:
        """Return what the head says of some clips, many windows at once."""
        head = self.models["head"]
        graphs = {
            CNN_GRAPH_FILE: self._run_graph,
            TEMPORAL_GRAPH_FILE: lambda x: np.asarray(keras.ops.convert_to_numpy(head(x))),
        }
        stream = MotionStream(self.contract, graphs)
        variants = self._cache.load_variants(clips, 1)
        windows = [cut_stream(stream, variant[0].astype(np.float32)) for variant in variants]
        outputs = iter(stream.score(list(chain.from_iterable(windows))))
        return StreamLogits.join([stream.pool(list(islice(outputs, len(w)))) for w in windows])

    @cached_property
    def _cache(self) -> FeatureCache:
        """Features of the CNN as it is now: it does not learn any more where they are used."""
        key = compute_model_hash(self.cnn)
        if self.contract.backbone == OWN:
            key += compute_structure_hash(self.cnn)
        if self._graph is not None and is_half(self._graph[0]):
            key += " half"
        return FeatureCache(
            self._store,
            self.contract.spec,
            self._run_graph if self._encode is None else self._encode,
            key,
            self._config.augment,
            self._progress,
        )

    def _run_graph(self, stacks: np.ndarray) -> np.ndarray:
        """Return features by the CNN's graph, which is many times faster than the CNN itself."""
        if self._encode is None:
            path = self._results_dir / "frame_cnn.onnx"
            path.parent.mkdir(parents=True, exist_ok=True)
            spec = self.contract.spec
            export_graph(self.cnn, np.zeros((1, *spec.size, spec.n_channels), np.uint8), path)
            self._encode = Graph(path).run
        return self._encode(stacks)

    def _start_head(self, variants: Variants, clips: list[int], run: Run | None) -> keras.Model:
        """Return a new head, its linear branch solved, or what the source has learned."""
        config, labels = self._config.temporal, self._store.labels
        targets, weights = self._store.label_indices[clips], self._store.weights[clips]
        if self._parts.head is not None:
            spec = self.contract.spec
            sizes = (spec.n_steps, self.contract.n_features, len(labels))
            return build_own_head(self._parts.head, *sizes)
        head = start_head(config, variants, targets, len(labels), weights)
        if run is None or run.source is None:
            return head
        learned, _, learned_head = load_models(run.source)
        same_labels = learned.labels == labels
        copied = copy_weights(head, learned_head, same_labels)
        if same_labels:
            release_linear_branch(head)
        else:
            solve_linear_branch(head, variants, targets, config.linear_c, weights)
        run.say(f"lstm: {len(copied)} layers of the head start from {run.source}")
        return head

    def _build_feature_batches(
        self, variants: Variants, clips: Sequence[int], sampling: Sampling
    ) -> FeatureBatches:
        store, chosen = self._store, list(clips)
        targets, weights = store.label_indices[chosen], store.weights[chosen]
        return FeatureBatches(variants, targets, len(store.labels), sampling, weights)

    def _freeze(self, train_batch_norm: bool = False) -> None:
        """Set which blocks of the CNN learn; an own backbone says so itself."""
        if self.contract.backbone != OWN:
            freeze_cnn(self.cnn, self._config.cnn.train_from, train_batch_norm)

    def _build_pixel_batches(
        self, stage: _PixelStage, clips: ClipSplit, per_clip: int
    ) -> tuple[PixelBatches, PixelBatches | None]:
        sampling = Sampling(stage.n_steps, per_clip, stage.fit.batch_clips, True, self._config.seed)
        fixed = replace(sampling, training=False)
        both = ((clips.train, sampling), (clips.val, fixed))
        train, val = (
            PixelBatches(self._store, part, self.contract.spec, how, self._config.augment)
            for part, how in both
        )
        return train, val if clips.val else None

    def _compute_val_loss(
        self, batches: tuple[PixelBatches, PixelBatches | None], fit: FitConfig
    ) -> float | None:
        """Return the validation loss of the weights as they are, or None without such clips."""
        train, val = batches
        if val is None:
            return None
        system = PixelSystem(self.cnn, self.models["head"])
        compile_model(system, fit, len(train))
        return float(system.evaluate(val, verbose=0, return_dict=True)["loss"])

    def _fit_pixels(
        self,
        stage: _PixelStage,
        batches: tuple[PixelBatches, PixelBatches | None],
        clips: ClipSplit,
        run: Run,
    ) -> Fitted:
        """Train CNN and head in place; nothing happens where the recipe has no epochs for it."""
        if stage.fit.epochs == 0:
            run.say(f"{stage.name}: the recipe has no epochs for it, the weights stay as they are")
            return Fitted({}, 0)
        epoch_s = measure_epoch_s(self.cnn, batches[0])
        say_plan(run, stage.name, stage.what, stage.fit, clips, epoch_s)
        start = compute_model_hash(self.cnn), compute_model_hash(self.models["head"])
        learner = self._in_policy()
        system = PixelSystem(learner, self.models["head"])
        history = fit_model(system, batches, stage.fit, self._place(stage.name, run, start))
        if learner is not self.cnn:
            self.cnn.set_weights(learner.get_weights())
        return Fitted(history, count_best_epochs(history))

    def _place(self, stage: Stage, run: Run, start: tuple[str, str]) -> FitPlace:
        key = compute_fingerprint(stage, self._config, self._store.data_hash, *start)
        return FitPlace(run.stage_dir(stage), key, run.progress, run.epochs.get(stage))

    def _in_policy(self) -> keras.Model:
        """Return the CNN itself, or a mixed-precision twin where the recipe says so or it helps."""
        mixed, contract = self._config.mixed_precision, self.contract
        if not (has_gpu() if mixed is None else mixed) or contract.backbone == OWN:
            return self.cnn
        return rebuild_cnn(
            self.cnn, contract.backbone, contract.spec, contract.pooling, "mixed_bfloat16"
        )


@dataclass(frozen=True)
class _PixelStage:
    """A stage that learns from pixels: the CNN on single time steps, or both parts on windows."""

    name: Stage
    what: str
    fit: FitConfig
    n_steps: int


def _compute_features(cnn: keras.Model, batches: PixelBatches) -> np.ndarray:
    """Return (N, D) features of some hundred steps of training clips, as they are now."""
    features = []
    for index in range(min(_SCALE_BATCHES, len(batches))):
        (values, _), _, _ = batches[index]
        stacks = values.reshape(-1, *values.shape[2:])
        features.append(keras.ops.convert_to_numpy(cnn(stacks)))
    return np.concatenate(features)
