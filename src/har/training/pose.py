# pyright: reportArgumentType=false
"""Windows of people for the pose stream: of the clips of a store, and of synthetic sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np

from har.config import FitConfig, PoseConfig, TrainConfig, find_background
from har.dataset.store import Store
from har.inference.cache import KeypointCache
from har.inference.detector import compute_detector_hash
from har.network.pose_head import (
    LINEAR_BRANCH,
    PeopleClassifier,
    build_pose_head,
    copy_weights,
    get_linear_branch,
    match_shape,
    set_pose_scale,
)
from har.network.saving import load_pose
from har.pose.features import N_FEATURES, SEEN_COLUMN, PoseWindow, compute_window
from har.pose.keypoints import Detections
from har.pose.tracking import track_people
from har.progress import track
from har.sampling.times import compute_window_starts
from har.training.batches import EpochBatches, compute_class_weights
from har.training.features import compute_model_hash
from har.training.fit import FitPlace, History, fit_model
from har.training.linear import solve_pose_branch
from har.training.run import ClipSplit, Run, compute_fingerprint, say_plan, set_seed
from har.types import PoseSpec

TRAIN_HOP = 2
"""Steps between the windows that training draws from: many starts, each computed once."""

PeopleBatch = tuple[tuple[np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray]
"""((features (B, P, T, D), confidence (B, P), mask (B, T)), one-hot labels (B, K), weights (B,))"""


def compute_windows(detections: Detections, spec: PoseSpec, hop: int) -> list[PoseWindow]:
    """Return the windows of consecutive steps, people followed from the first step on.

    Args:
        detections: Of N >= 1 steps.
        spec: The input contract.
        hop: Steps from one window's start to the next, at most a window's length.
    """
    points = track_people(detections, spec.rate_hz).points
    starts = compute_window_starts(len(points), spec.n_steps, min(hop, spec.n_steps))
    return [compute_window(points[start : start + spec.n_steps], spec.rate_hz) for start in starts]


def load_clip_windows(
    store: Store, clips: Sequence[int], spec: PoseSpec, progress: bool = False
) -> list[list[PoseWindow]]:
    """Return all windows of some clips of a store; their keypoints are kept in the store."""
    clip_ids = [store.clips[clip].clip_id for clip in clips]
    found = KeypointCache(store, spec.rate_hz, progress).load(clip_ids)
    bar = track(found, "people", "clip", show=progress)
    return [compute_windows(detections, spec, TRAIN_HOP) for detections in bar]


@dataclass(frozen=True)
class PeopleSampling:
    """How windows are drawn.

    Attributes:
        per_clip: Windows of a clip in an epoch.
        batch_size: Windows in a batch.
        jitter: Noise on the features, in their standard deviations.
        seed: Of every draw.
        training: Windows, noise and order are drawn; otherwise all windows come in order.
    """

    per_clip: int
    batch_size: int
    jitter: float
    seed: int
    training: bool = True

    @classmethod
    def of(
        cls, config: PoseConfig, fit: FitConfig, seed: int, training: bool = True
    ) -> PeopleSampling:
        """Return the settings of a recipe and of how its head is optimized."""
        return cls(config.windows_per_clip, fit.batch_clips, config.jitter, seed, training)


class PeopleBatches(EpochBatches):
    """Batches of windows with all their people, drawn anew each epoch."""

    def __init__(
        self,
        clips: Sequence[Sequence[PoseWindow]],
        targets: np.ndarray,
        n_labels: int,
        spec: PoseSpec,
        sampling: PeopleSampling,
    ) -> None:
        """Take the windows of each clip and the (n_clips,) class indices."""
        super().__init__()
        self._clips, self._targets, self._spec, self._sampling = clips, targets, spec, sampling
        self._weights = compute_class_weights(targets, n_labels)
        self._n_labels = n_labels
        self._n_people = count_people([window for clip in clips for window in clip])
        self._scale = stack_features(clips).std(axis=0)
        self._scale[SEEN_COLUMN] = 0.0
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Fix the draws and the order of an epoch."""
        self._epoch = epoch
        if not self._sampling.training:
            self._items = [(c, w) for c, clip in enumerate(self._clips) for w in range(len(clip))]
            return
        rng = np.random.default_rng((self._sampling.seed, epoch))
        order = rng.permutation(np.repeat(np.arange(len(self._clips)), self._sampling.per_clip))
        self._items = [(int(c), int(rng.integers(len(self._clips[c])))) for c in order]

    def __len__(self) -> int:
        """Return the number of batches."""
        return -(-len(self._items) // self._sampling.batch_size)

    def __getitem__(self, index: int) -> PeopleBatch:
        """Return one batch."""
        size = self._sampling.batch_size
        items = self._items[index * size : (index + 1) * size]
        found = [self._clips[clip][window] for clip, window in items]
        features, confidence, mask = stack_people(found, self._spec, self._n_people)
        if self._sampling.training and self._sampling.jitter:
            rng = np.random.default_rng((self._sampling.seed, self._epoch, index))
            noise = rng.standard_normal(features.shape, dtype=np.float32)
            features += noise * self._scale * self._sampling.jitter * (features != 0)
        targets = self._targets[[clip for clip, _ in items]]
        one_hot = np.eye(self._n_labels, dtype=np.float32)[targets]
        return (features, confidence, mask), one_hot, self._weights[targets]


def stack_features(clips: Sequence[Sequence[PoseWindow]]) -> np.ndarray:
    """Return (N, D) features of every second window's people and step; at least one row."""
    rows = [
        window.features.reshape(-1, N_FEATURES)
        for clip in clips
        for window in clip[::2]
        if len(window.features)
    ]
    return np.concatenate(rows) if rows else np.zeros((1, N_FEATURES), dtype=np.float32)


def count_people(found: Sequence[PoseWindow]) -> int:
    """Return the most people of any window, 1 at least."""
    return max([1, *(len(window.confidence) for window in found)])


def stack_people(
    found: Sequence[PoseWindow], spec: PoseSpec, n_people: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return windows as arrays: (B, P, T, D) features, (B, P) confidence and (B, T) mask.

    The most confident P people come first; who is less confident than the contract asks has
    confidence 0.
    """
    features = np.zeros((len(found), n_people, spec.n_steps, N_FEATURES), dtype=np.float32)
    confidence = np.zeros((len(found), n_people), dtype=np.float32)
    mask = np.zeros((len(found), spec.n_steps), dtype=np.float32)
    for row, window in enumerate(found):
        order = np.argsort(-window.confidence, kind="stable")[:n_people]
        n_steps = window.features.shape[1]
        features[row, : len(order), :n_steps] = window.features[order]
        sure = window.confidence[order]
        confidence[row, : len(order)] = np.where(sure >= spec.min_confidence, sure, 0.0)
        mask[row, :n_steps] = 1.0
    return features, confidence, mask


def build_pose_spec(config: TrainConfig, store: Store) -> PoseSpec:
    """Return the input contract of the pose stream for a store's labels."""
    background = find_background(store.labels)
    return config.pose.pose_spec(store.labels, background, compute_detector_hash())


def match_source(config: TrainConfig, source: Path | None, labels: tuple[str, ...]) -> TrainConfig:
    """Return the settings with the shape of the pose head of the bundle that training starts from.

    Layers of another shape could not be taken over. A linear branch for all labels is no such
    layer: where none of ``labels`` is told from one body alone, it stays as the settings say.

    Raises:
        BundleNotFoundError: There is no bundle at ``source``.
        BundleIntegrityError: It is damaged.
        BundleMismatchError: It has no pose stream.
    """
    if source is None:
        return config
    _, learnt = load_pose(source)
    shaped = match_shape(config.pose, learnt)
    if not set(labels) & set(config.pose.single_person_labels):
        shaped = replace(shaped, linear=config.pose.linear)
    return replace(config, pose=shaped)


def start_pose_head(
    config: TrainConfig,
    spec: PoseSpec,
    labels: tuple[str, ...],
    clips: list[list[PoseWindow]],
    targets: np.ndarray,
    source: Path | None,
) -> tuple[keras.Model, list[str]]:
    """Build the head and return it a scale and a solved linear branch, or what a bundle has learnt.

    Args:
        config: Its `pose` part has the shape of the head of ``source``, see `match_source`.
        spec: The input contract.
        labels: In the order of the outputs.
        clips: The windows of each clip to learn from.
        targets: (N,) class index of every clip.
        source: A bundle, or None.

    Returns:
        The head and the names of the layers that came from ``source``.

    Raises:
        BundleNotFoundError: There is no bundle at ``source``.
        BundleIntegrityError: It is damaged.
        BundleMismatchError: It has no pose stream.
    """
    head = build_pose_head(config.pose, spec, labels, find_background(labels))
    set_pose_scale(head, stack_features(clips))
    copied: list[str] = []
    if source is not None:
        info, learnt = load_pose(source)
        copied = copy_weights(head, learnt, info.labels == labels)
    if LINEAR_BRANCH not in copied:
        solve_pose_branch(head, clips, targets, spec, config.pose.linear_c)
    return head, copied


def choose_fit(config: PoseConfig, head: keras.Model) -> FitConfig:
    """Return the optimization that suits a head: beside a solved branch less is left to learn."""
    return config.fit if get_linear_branch(head) is None else config.solved_fit


def get_background_index(labels: tuple[str, ...]) -> int:
    """Return the place of the background label, 0 where there is none."""
    return labels.index(find_background(labels) or labels[0])


def train_pose_head(
    config: TrainConfig, store: Store, run: Run, clips: ClipSplit
) -> tuple[PoseSpec, keras.Model, History]:
    """Train the pose head on a store's clips; only clips have labels, people have none.

    Raises:
        BundleMismatchError: The bundle to start from has no pose stream.
    """
    set_seed(config.seed)
    spec = build_pose_spec(config, store)
    found = load_clip_windows(store, clips.train, spec, run.progress)
    _say_confidence(run, found, spec)
    targets = store.label_indices[list(clips.train)]
    head, copied = start_pose_head(config, spec, store.labels, found, targets, run.source)
    if run.source is not None:
        run.say(f"lstm: {len(copied)} layers of the pose head start from {run.source}")
    fit = choose_fit(config.pose, head)
    what = f"learns people's keypoints over windows of {spec.window_s:g} s"
    say_plan(run, "lstm", what, fit, clips)
    model = PeopleClassifier(head, spec, get_background_index(store.labels))
    batches = _build_batches(config, store, clips, found, spec, fit, run)
    val, start = batches[1], head.get_weights()
    before = compute_loss(model, val) if val is not None and is_branch_solved(head) else None
    history = fit_model(
        model,
        batches,
        fit,
        FitPlace(
            run.stage_dir("lstm") / "pose",
            compute_fingerprint("pose", config, store.data_hash, compute_model_hash(head)),
            run.progress,
        ),
    )
    if before is not None and val is not None and compute_loss(model, val) >= before:
        run.say(
            "lstm: the order of steps tells no more than keypoints' spread; it is not listened to"
        )
        head.set_weights(start)
    return spec, head, history


def is_branch_solved(head: keras.Model) -> bool:
    """Return whether a head speaks by a solved linear branch, beside which the rest may learn."""
    path = get_linear_branch(head)
    return path is not None and not path.trainable


def compute_loss(model: PeopleClassifier, batches: PeopleBatches) -> float:
    """Return the mean cross-entropy of windows by their weights."""
    total, count = 0.0, 0.0
    for index in range(len(batches)):
        inputs, truth, weights = batches[index]
        logits = np.asarray(keras.ops.convert_to_numpy(model(inputs)), dtype=np.float64)
        losses = np.logaddexp.reduce(logits, axis=1) - (logits * truth).sum(axis=1)
        total, count = total + float(losses @ weights), count + float(weights.sum())
    return total / count


def _say_confidence(run: Run, clips: list[list[PoseWindow]], spec: PoseSpec) -> None:
    best = [
        max((float(w.confidence.max(initial=0.0)) for w in clip), default=0.0) for clip in clips
    ]
    n_weak = int(np.sum(np.array(best) < spec.min_confidence))
    if n_weak:
        run.say(f"lstm: in {n_weak} of {len(clips)} clips nobody's keypoints are confident enough")


def _build_batches(
    config: TrainConfig,
    store: Store,
    clips: ClipSplit,
    found: list[list[PoseWindow]],
    spec: PoseSpec,
    fit: FitConfig,
    run: Run,
) -> tuple[PeopleBatches, PeopleBatches | None]:
    targets, n_labels = store.label_indices, len(store.labels)
    sampling = PeopleSampling.of(config.pose, fit, config.seed)
    train = PeopleBatches(found, targets[list(clips.train)], n_labels, spec, sampling)
    if not clips.val:
        return train, None
    fixed = PeopleSampling.of(config.pose, fit, config.seed, training=False)
    val = load_clip_windows(store, clips.val, spec, run.progress)
    return train, PeopleBatches(val, targets[list(clips.val)], n_labels, spec, fixed)
