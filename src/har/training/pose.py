# pyright: reportArgumentType=false
"""The pose stream in training: a head that sees one person at a time, from clips' labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

from har.bundle import BundleInfo, PoseContract
from har.config import FitConfig, PoseConfig, TrainConfig, find_background
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.errors import SplitError
from har.inference.detector import compute_detector_hash
from har.inference.fusion import StreamLogits, pool_windows
from har.network.heads import LINEAR_BRANCH, copy_weights, get_linear_branch, set_feature_scale
from har.network.pose_head import PeopleClassifier, build_pose_head, match_shape
from har.network.saving import load_pose
from har.pose.features import PoseWindow
from har.training.clips import INNER_FOLDS, ClipSplit
from har.training.discriminant import solve_pose_branch
from har.training.features import compute_model_hash
from har.training.fit import FitPlace, Fitted, count_best_epochs, fit_model, fit_plainly
from har.training.people import (
    PeopleBatches,
    PeopleSampling,
    count_people,
    load_clip_windows,
    stack_features,
    stack_people,
)
from har.training.run import Run, compute_fingerprint, say_plan, set_seed
from har.training.start import describe_settings
from har.types import PictureSpec, PoseSpec

_SCORE_BATCH = 256


class PoseTraining:
    """The pose stream of a model that is trained; keypoints and windows are computed once.

    Attributes:
        spec: The input contract.
        head: Of the last `fit`: (B, T, P) keypoint features of one person to (B, T, K) logits.
    """

    def __init__(self, config: TrainConfig, store: Store, run: Run) -> None:
        """Take the recipe, the store, and from ``run`` the bundle that training starts from.

        Raises:
            BundleNotFoundError: There is no bundle at ``run.source``.
            BundleMismatchError: It has no pose stream.
        """
        self._config = match_source(config, run.source, store.labels)
        self._store, self._source, self._progress = store, run.source, run.progress
        self.spec: PoseSpec = build_pose_spec(config, store)
        self.head: keras.Model | None = None
        self._windows: dict[int, list[PoseWindow]] = {}

    @property
    def models(self) -> dict[str, keras.Model]:
        """What a bundle keeps, by the arguments of `save_bundle`."""
        return {} if self.head is None else {"pose": self.head}

    def describe(self, info: BundleInfo) -> BundleInfo:
        """Return the contract of a bundle with this stream and its settings in it."""
        store, pose = self._store, self._config.pose
        pictures = PictureSpec(store.size, store.color, store.max_rate_hz)
        recipe = {**info.recipe, "pose": describe_settings(pose)}
        contract = PoseContract(self.spec, pictures, pose.weight)
        return replace(info, pose=contract, recipe=recipe)

    def fit(self, clips: ClipSplit, seed: int, run: Run | None = None) -> Fitted:
        """Train a new head on some clips; only clips have labels, people have none.

        What the recurrent layers learn beside a solved linear branch is kept only where it
        validates better than the branch alone; without clips to validate on, a fifth of the groups
        that are learned from is held back to find out.

        Args:
            clips: To learn from and to validate on.
            seed: Of all that is drawn.
            run: Where it writes and tells what happens; a fold does neither.
        """
        set_seed(seed)
        self._load(clips.train + clips.val)
        say = (lambda _: None) if run is None else run.say
        self._say_confidence(clips, say)
        model, n_copied, known = self._start(clips.train, seed)
        if self._source is not None:
            say(f"lstm: {n_copied} layers of the pose head start from {self._source}")
        fitted = self._fit_recurrent(model, clips, known, seed, run)
        tried = choose_fit(self._config.pose, model.head).epochs > 0
        if fitted.n_epochs == 0 and tried and is_branch_solved(model.head):
            say("lstm: recurrent branch did not improve validation loss; keeping the linear branch")
        self.head = model.head
        return fitted

    def compute_logits(self, clips: Sequence[int]) -> StreamLogits:
        """Return what the head of the last `fit` says of some clips, many windows at once."""
        self._load(clips)
        model = self._wrap(self.models["pose"])
        found = [self._windows[clip] for clip in clips]
        windows = [window for clip in found for window in clip]
        n_people, logits, confidence = count_people(windows), [], []
        for start in range(0, len(windows), _SCORE_BATCH):
            batch = stack_people(windows[start : start + _SCORE_BATCH], self.spec, n_people)
            logits.append(np.asarray(keras.ops.convert_to_numpy(model(batch)), dtype=np.float64))
            confidence.append(batch[1].max(axis=1))
        ends = np.cumsum([len(clip) for clip in found])[:-1]
        parts = (np.split(np.concatenate(values), ends) for values in (logits, confidence))
        return StreamLogits.join([pool_windows(*item) for item in zip(*parts, strict=True)])

    def _load(self, clips: Sequence[int]) -> None:
        missing = [clip for clip in clips if clip not in self._windows]
        found = load_clip_windows(self._store, missing, self.spec, self._progress)
        self._windows.update(zip(missing, found, strict=True))

    def _start(
        self, clips: Sequence[int], seed: int
    ) -> tuple[PeopleClassifier, int, list[np.ndarray] | None]:
        """Return a new head with its pooling, and what its start tells.

        That is how many of its layers come from the source, and what its linear branch says of
        clips that it has not seen, see `solve_pose_branch`.
        """
        labels, store, chosen = self._store.labels, self._store, list(clips)
        found, targets = [self._windows[c] for c in chosen], store.label_indices[chosen]
        head, copied = start_pose_head(self._config, self.spec, labels, found, self._source)
        known = None
        if LINEAR_BRANCH not in copied:
            known = solve_pose_branch(
                head,
                found,
                targets,
                self.spec,
                self._config.pose.linear_shrinkage,
                store.weights[chosen],
                self._split_inner(chosen, seed),
            )
        return self._wrap(head), len(copied), known if self.spec.people == "mean" else None

    def _split_inner(self, clips: Sequence[int], seed: int) -> np.ndarray | None:
        """Return the (N,) inner folds of clips that are learned from, None with one group alone."""
        try:
            return build_folds([self._store.clips[clip] for clip in clips], INNER_FOLDS, seed)
        except SplitError:
            return None

    def _wrap(self, head: keras.Model) -> PeopleClassifier:
        labels = self._store.labels
        background = labels.index(find_background(labels) or labels[0])
        return PeopleClassifier(head, self.spec, background)

    def _fit_recurrent(
        self,
        model: PeopleClassifier,
        clips: ClipSplit,
        known: list[np.ndarray] | None,
        seed: int,
        run: Run | None,
    ) -> Fitted:
        """Train a head whose linear branch may be solved; where it is, only if that helps.

        It learns what that branch leaves of clips that it has not seen: of those that it has, it
        leaves nothing to learn.
        """
        pose, is_solved = self._config.pose, is_branch_solved(model.head)
        fit = choose_fit(pose, model.head)
        n_epochs = None if run is None else run.epochs.get("pose")
        if n_epochs is None and is_solved and not clips.val and not self._helps(clips.train, seed):
            n_epochs = 0
        if n_epochs == 0:
            return Fitted({}, 0)
        train = self._build_batches(clips.train, PeopleSampling.of(pose, fit, seed), known)
        if run is None:
            fit_plainly(model, train, fit)
            return Fitted({}, fit.epochs)
        val = self._build_fixed(clips.val, fit, seed) if clips.val else None
        say_plan(
            run,
            "lstm",
            f"learns people's keypoints over windows of {self.spec.window_s:g} s",
            fit,
            clips,
        )
        start, key = model.head.get_weights(), compute_model_hash(model.head)
        before = compute_loss(model, val) if val is not None and is_solved else None
        fingerprint = compute_fingerprint("pose", self._config, self._store.data_hash, key)
        place = FitPlace(run.stage_dir("lstm") / "pose", fingerprint, run.progress, n_epochs)
        history = fit_model(model, (train, val), fit, place)
        if before is not None and val is not None and compute_loss(model, val) >= before:
            model.head.set_weights(start)
            return Fitted(history, 0)
        return Fitted(history, count_best_epochs(history))

    def _helps(self, train: Sequence[int], seed: int) -> bool:
        """Return whether learning beside a solved branch helps on a fifth of the training groups.

        Where there are too few groups to say, it is taken to help.
        """
        clips, inner = np.array(train), self._split_inner(train, seed)
        if inner is None:
            return True
        part, rest = clips[inner != 0].tolist(), clips[inner == 0].tolist()
        model, _, known = self._start(part, seed)
        fit = choose_fit(self._config.pose, model.head)
        fixed = self._build_fixed(rest, fit, seed)
        before = compute_loss(model, fixed)
        sampling = PeopleSampling.of(self._config.pose, fit, seed)
        fit_plainly(model, self._build_batches(part, sampling, known), fit)
        return compute_loss(model, fixed) < before

    def _build_fixed(self, clips: Sequence[int], fit: FitConfig, seed: int) -> PeopleBatches:
        sampling = PeopleSampling.of(self._config.pose, fit, seed, training=False)
        return self._build_batches(clips, sampling)

    def _build_batches(
        self,
        clips: Sequence[int],
        sampling: PeopleSampling,
        known: list[np.ndarray] | None = None,
    ) -> PeopleBatches:
        store, chosen = self._store, list(clips)
        found, targets = [self._windows[c] for c in clips], store.label_indices[chosen]
        weights = store.weights[chosen]
        return PeopleBatches(found, targets, len(store.labels), self.spec, sampling, weights, known)

    def _say_confidence(self, clips: ClipSplit, say: Callable[[str], None]) -> None:
        least, found = self.spec.min_confidence, [self._windows[clip] for clip in clips.train]
        best = [max((float(w.confidence.max(initial=0.0)) for w in c), default=0.0) for c in found]
        n_weak = int(np.sum(np.array(best) < least))
        if n_weak:
            say(f"lstm: in {n_weak} of {len(best)} clips nobody's keypoints are confident enough")


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
    _, learned = load_pose(source)
    shaped = match_shape(config.pose, learned)
    if not set(labels) & set(config.pose.single_person_labels):
        shaped = replace(shaped, linear=config.pose.linear)
    return replace(config, pose=shaped)


def start_pose_head(
    config: TrainConfig,
    spec: PoseSpec,
    labels: tuple[str, ...],
    clips: list[list[PoseWindow]],
    source: Path | None,
) -> tuple[keras.Model, list[str]]:
    """Build a head with its scale, or what a bundle has learned.

    Args:
        config: Its `pose` part has the shape of the head of ``source``, see `match_source`.
        spec: The input contract.
        labels: In the order of the outputs.
        clips: The windows of each clip to learn from.
        source: A bundle, or None.

    Returns:
        The head and the names of the layers that came from ``source``.

    Raises:
        BundleNotFoundError: There is no bundle at ``source``.
        BundleIntegrityError: It is damaged.
        BundleMismatchError: It has no pose stream.
    """
    head = build_pose_head(config.pose, spec, labels, find_background(labels))
    set_feature_scale(head, stack_features(clips))
    if source is None:
        return head, []
    info, learned = load_pose(source)
    return head, copy_weights(head, learned, info.labels == labels)


def choose_fit(config: PoseConfig, head: keras.Model) -> FitConfig:
    """Return the optimization that suits a head: beside a solved branch less is left to learn."""
    return config.fit if get_linear_branch(head) is None else config.solved_fit


def is_branch_solved(head: keras.Model) -> bool:
    """Return whether a head has a solved linear branch, beside which the rest may learn."""
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
