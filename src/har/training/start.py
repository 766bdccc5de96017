"""What is wrong with a training and can be known before Keras is loaded and anything learns."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from har.bundle import BUNDLE_FILE, BundleInfo, load_info
from har.config import CrossvalConfig, TrainConfig, compute_cnn_size
from har.dataset.splits import build_folds
from har.dataset.store import Store
from har.errors import BundleMismatchError, BundleNotFoundError, ConfigError
from har.training.card import CARD_FILE
from har.training.clips import split_clips
from har.types import Streams

_NOT_COMPARED = ("streams", "own_parts")
"""Parts of a recipe that are not settled before training has begun."""


def describe_settings(config: Any) -> dict[str, Any]:
    """Return the settings of a dataclass as the plain values that a bundle holds."""
    return json.loads(json.dumps(asdict(config)))


def trains_cnn(config: TrainConfig) -> bool:
    """Return whether a recipe trains more than heads, so that epochs need clips to validate on."""
    has_epochs = config.cnn.fit.epochs > 0 or config.system.fit.epochs > 0
    return config.streams != "pose" and has_epochs


def choose_known_streams(
    config: TrainConfig, store: Store, source: Path | None, streams: Streams | Literal["auto"]
) -> TrainConfig:
    """Return the settings with the streams as far as they are known.

    Of clips with pictures motion is always in ``auto``.

    Raises:
        BundleMismatchError: The bundle to start from lacks one of the streams.
        ConfigError: Motion is to be learned from clips that are keypoints.
    """
    if n_without := len(store.keypoint_clips):
        if streams not in ("auto", "pose"):
            raise ConfigError(
                f"{n_without} of {len(store.clips)} clips in {store.path} are keypoints without "
                f"pictures, which show no motion: expected streams 'pose', received {streams!r}"
            )
        streams = "pose"
    learned = None if source is None else load_info(source).stream_names
    if streams == "auto":
        return replace(config, streams=learned or "motion")
    if learned not in (None, "both", streams):
        raise BundleMismatchError(
            f"The bundle {source} has learned streams {learned!r}, chosen are {streams!r}; start "
            f"from it with --streams {learned}"
        )
    return replace(config, streams=streams)


def check_train(
    config: TrainConfig,
    store: Store,
    bundle_dir: Path,
    stage: str,
    final: bool = False,
    overwrite: bool = False,
) -> None:
    """Refuse a training that would fail, or put its model in the place of a finished one.

    Args:
        config: With streams as of `choose_known_streams`.
        store: The clips.
        bundle_dir: Where the model is to be.
        stage: ``cnn``, ``lstm``, ``system`` or ``all``.
        final: No clip is held back.
        overwrite: A model that is there may be replaced.

    Raises:
        ConfigError: The stage, the store's color or the folder does not fit.
        NoClipsError: A class has no clip to learn from.
        BundleNotFoundError: The stage before has left no bundle.
        BundleMismatchError: That bundle does not fit.
    """
    if config.streams == "pose" and stage in ("cnn", "system"):
        raise ConfigError(
            f"Stage {stage!r} trains the CNN of the motion stream, which --streams pose does not "
            f"have: its own CNN comes ready-made. Run 'har train lstm --streams pose'"
        )
    if not final:
        split_clips(store)
    if config.streams != "pose":
        check_color(config, store)
        compute_cnn_size(store.size, config.cnn.downsample)
        if stage in ("lstm", "system"):
            _check_before(bundle_dir, stage, store)
    if not overwrite and (bundle_dir / BUNDLE_FILE).is_file():
        _check_unfinished(config, store, bundle_dir, stage, final)


def check_crossval(
    config: TrainConfig, crossval: CrossvalConfig, store: Store, source: Path | None
) -> None:
    """Refuse a cross-validation that would fail.

    Raises:
        SplitError: The groups allow no folds.
        ConfigError: The store's color does not fit, or nothing is trained that could start from
            ``source``.
    """
    build_folds(store.clips, crossval.n_folds, config.seed, crossval.protocol)
    if config.streams != "pose":
        check_color(config, store)
        compute_cnn_size(store.size, config.cnn.downsample)
    check_crossval_source(config, source)


def check_calibration(
    bundle_dir: Path,
    recipe: dict[str, Any],
    crossval: CrossvalConfig,
    data_hash: str,
    is_settled: bool = False,
) -> BundleInfo:
    """Return the contract of a bundle that may have the figures of a cross-validation.

    Args:
        bundle_dir: The bundle.
        recipe: Of the cross-validation.
        crossval: Its settings: a temperature of random folds would be of clips half known.
        data_hash: Of its store.
        is_settled: The recipe has its streams; before training has begun they are not compared.

    Raises:
        BundleNotFoundError: There is no bundle.
        BundleMismatchError: It is of another recipe or of other clips, or the folds leak.
    """
    info = load_info(bundle_dir)
    recipes = [x if is_settled else _compare(x) for x in (info.recipe, recipe)]
    for is_other, needed in (
        (crossval.protocol != "grouped", "grouped folds (the protocol)"),
        (info.data_hash != data_hash, "the clips that it was trained on (its data)"),
        (recipes[0] != recipes[1], "the recipe that it was trained with"),
    ):
        if is_other:
            raise BundleMismatchError(
                f"The bundle {bundle_dir} cannot be calibrated by these figures: it needs those of "
                f"{needed}; cross-validate with the recipe and the store of the bundle"
            )
    return info


def check_crossval_source(config: TrainConfig, source: Path | None) -> None:
    """Refuse folds that would not start from the bundle that is named.

    Raises:
        ConfigError: Only the head of a motion stream is trained.
    """
    if config.streams == "motion" and source is not None and not trains_cnn(config):
        raise ConfigError(
            f"A frozen motion stream starts from the shipped CNN, not from {source}; choose "
            f"--recipe full, or --streams pose"
        )


def check_color(config: TrainConfig, store: Store) -> None:
    """Refuse pictures that the motion stream does not take.

    Raises:
        ConfigError: The store has the other color.
    """
    spec = config.input.window_spec(store.size, store.max_rate_hz)
    if store.color != spec.color:
        raise ConfigError(
            f"Input {spec.input!r} needs {spec.color} frames, the store {store.path} holds "
            f"{store.color} ones; run 'har prepare' with --color {spec.color}"
        )


def check_fits(bundle_dir: Path, info: BundleInfo, store: Store) -> None:
    """Refuse to go on from a bundle of other labels or pictures.

    Raises:
        BundleMismatchError: It has others than the store, or no motion stream.
    """
    spec = info.require_motion().spec
    for what, theirs, ours in (
        ("labels", info.labels, store.labels),
        ("picture size", spec.size, store.size),
        ("color", spec.color, store.color),
    ):
        if theirs != ours:
            raise BundleMismatchError(
                f"The bundle {bundle_dir} has {what} {theirs}, the store {store.path} "
                f"{ours}; start anew with 'har train cnn', or name another --out"
            )


def _check_before(bundle_dir: Path, stage: str, store: Store) -> None:
    if not (bundle_dir / BUNDLE_FILE).is_file():
        raise BundleNotFoundError(
            f"There is no model in {bundle_dir} for stage {stage!r} to go on from; run 'har train "
            f"cnn' first, or all stages with 'har train all'"
        )
    info = load_info(bundle_dir)
    check_fits(bundle_dir, info, store)
    if stage == "system" and info.stage == "cnn":
        raise BundleMismatchError(
            f"The bundle {bundle_dir} has no temporal head yet; run 'har train lstm' first"
        )


def _check_unfinished(
    config: TrainConfig, store: Store, bundle_dir: Path, stage: str, final: bool
) -> None:
    """Refuse to replace what is not an earlier state of the same training."""
    info = load_info(bundle_dir)
    is_same = info.data_hash == store.data_hash and _compare(info.recipe) == _compare(
        describe_settings(config)
    )
    has_joint = config.streams != "pose" and config.system.fit.epochs > 0
    last = "system" if has_joint else "lstm"
    is_whole = f"{info.stage}.val" in info.metrics and (bundle_dir / CARD_FILE).is_file()
    goes_on = {
        "cnn": False,
        "lstm": config.streams != "pose" and info.stage == "cnn",
        "system": info.stage != "system",
        "all": is_same and (info.held_out if final else info.stage != last),
    }
    if not (goes_on[stage] or (is_same and not is_whole)):
        raise ConfigError(
            f"{bundle_dir} holds a model already ({', '.join(info.labels)}; trained up to stage "
            f"{info.stage}). Name another folder with --out, or replace it with --overwrite (in "
            f"Python: overwrite=True)"
        )


def _compare(recipe: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recipe.items() if name not in _NOT_COMPARED}
