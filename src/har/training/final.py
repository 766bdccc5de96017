"""The final model: trained on every clip, with what runs that held clips back have found out."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import Any

from har.bundle import BundleInfo, load_info, save_info
from har.config import CrossvalConfig, DecodeConfig, TrainConfig
from har.dataset.store import Store
from har.errors import BundleNotFoundError, SplitError
from har.files import replacing_folder
from har.network.parts import NO_PARTS, OwnParts
from har.training.card import write_card
from har.training.clips import ClipSplit, apply_split, hold_back
from har.training.crossval import crossvalidate, round_temperatures
from har.training.run import Run, compute_recipe_hash, describe_recipe
from har.training.stages import train_all
from har.training.start import trains_cnn
from har.training.streams import describe_parts


@dataclass(frozen=True)
class Validated:
    """What runs that held clips back have found out about a recipe.

    Attributes:
        epochs: As in `Run.epochs`.
        crossval: Figures, as `CrossvalResult.to_json` gives them; empty where there are none.
        temperature: Of the probabilities.
        alone: As in `BundleInfo.alone`.
        bias: As in `BundleInfo.bias`.
        decode: The thresholds, or None for the usual ones.
    """

    epochs: dict[str, int]
    crossval: dict[str, Any]
    temperature: float
    alone: dict[str, float]
    bias: tuple[float, ...]
    decode: DecodeConfig | None


def train_final(
    config: TrainConfig,
    store: Store,
    run: Run,
    parts: OwnParts = NO_PARTS,
    crossval: CrossvalConfig | None = None,
) -> BundleInfo:
    """Train on every clip of a store and leave a bundle that says so.

    Thresholds, temperature, figures and epochs are those of the bundle in ``run.bundle_dir``, where
    it is of the same recipe and clips. What it lacks is found now: figures and temperature by
    cross-validation over groups, epochs by a run that holds a fifth of the groups back. A recipe
    that trains only heads runs all their epochs, as its folds do.

    Args:
        config: The recipe.
        store: Its own splits do not count.
        run: The bundle is replaced once the new one is whole. ``results_dir`` gets ``crossval``,
            ``validated`` and ``final``; an interrupted run goes on.
        parts: A backbone or head in place of the recipe's.
        crossval: Folds and seeds; None takes five folds, of three seeds where only heads are
            trained and of one else.

    Returns:
        The contract; its ``held_out`` is False.

    Raises:
        ConfigError: A setting or a part does not fit.
        NoClipsError: There are too few clips.
    """
    earlier = _find_earlier(config, store, run, parts)
    known = _complete(earlier, config, store, run, parts, crossval)
    run.say(f"final: learns from all {len(store.clips)} clips, none is held back")
    folder = run.results_dir / "final"
    everything = apply_split(store, ClipSplit(tuple(range(len(store.clips))), ()), config.seed)
    inner = replace(run, bundle_dir=folder / "bundle", results_dir=folder, epochs=known.epochs)
    shutil.rmtree(inner.bundle_dir, ignore_errors=True)
    info = train_all(config, everything, inner, parts)
    save_info(inner.bundle_dir, _describe(info, known))
    write_card(inner.bundle_dir)
    with replacing_folder(run.bundle_dir) as part:
        shutil.copytree(inner.bundle_dir, part, dirs_exist_ok=True)
    shutil.rmtree(inner.bundle_dir)
    run.say(f"final: bundle in {run.bundle_dir}; the recipe's figures are in its card.md")
    return load_info(run.bundle_dir)


def _describe(info: BundleInfo, known: Validated) -> BundleInfo:
    """Return the contract of a model that has learned from every clip."""
    figures = {"crossval": known.crossval} if known.crossval else {}
    return replace(
        info,
        held_out=False,
        temperature=known.temperature,
        alone=known.alone,
        bias=known.bias,
        decode=known.decode or info.decode,
        metrics={"epochs": info.metrics["epochs"], **figures},
    )


def _find_earlier(config: TrainConfig, store: Store, run: Run, parts: OwnParts) -> Validated:
    """Return what the bundle of the same recipe and clips knows, if there is one."""
    nothing = Validated({}, {}, 1.0, {}, (), None)
    try:
        info = load_info(run.bundle_dir)
    except BundleNotFoundError:
        return nothing
    recipe = describe_recipe(config, describe_parts(parts, config, store))
    key = compute_recipe_hash(recipe)
    if (compute_recipe_hash(info.recipe), info.data_hash) != (key, store.data_hash):
        run.say(
            f"final: the bundle in {run.bundle_dir} is of another recipe or other clips; nothing "
            f"is taken over from it"
        )
        return nothing
    run.say(f"final: takes over what the bundle in {run.bundle_dir} has found")
    epochs = info.metrics.get("epochs", {}) if trains_cnn(config) else {}
    figures = info.metrics.get("crossval", {})
    return Validated(epochs, figures, info.temperature, info.alone, info.bias, info.decode)


def _complete(
    known: Validated,
    config: TrainConfig,
    store: Store,
    run: Run,
    parts: OwnParts,
    crossval: CrossvalConfig | None,
) -> Validated:
    """Return what is known with what was lacking; too few groups leave it out."""
    if not known.crossval:
        settings = crossval or CrossvalConfig(n_seeds=1 if trains_cnn(config) else 3)
        try:
            found = crossvalidate(
                config,
                settings,
                store,
                replace(run, results_dir=run.results_dir / "crossval"),
                parts,
            )
            temperature, alone = round_temperatures(found)
            known = replace(known, crossval=found.to_json(), temperature=temperature, alone=alone)
        except SplitError as error:
            run.say(f"final: no cross-validation, so the card has no figures: {error}")
    if trains_cnn(config) and not known.epochs:
        try:
            clips = hold_back(store, range(len(store.clips)), config.seed)
        except SplitError as error:
            run.say(f"final: all epochs of the recipe are run: {error}")
            return known
        folder = run.results_dir / "validated"
        checked = replace(run, bundle_dir=folder / "bundle", results_dir=folder)
        info = train_all(config, apply_split(store, clips, config.seed), checked, parts)
        known = replace(known, epochs=info.metrics["epochs"])
    return known
