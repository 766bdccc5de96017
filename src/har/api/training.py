"""From prepared clips to a model: train, cross-validate, export."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from har.api.clips import open_store
from har.api.model import Model
from har.api.settings import StrPath, check_extra, extra, find_folder, to_path, training
from har.bundle import load_info
from har.config import (
    RECIPES,
    CrossvalConfig,
    ExportConfig,
    ExportFormat,
    Faces,
    PrivacyConfig,
    ShownPeople,
    TrainConfig,
    Uncertain,
    load_config,
    update_config,
)
from har.dataset.store import Store
from har.errors import ConfigError
from har.files import write_json
from har.locks import locking
from har.progress import Say, say_on_stderr
from har.training.start import (
    check_calibration,
    check_crossval,
    check_train,
    choose_known_streams,
    describe_settings,
)
from har.training.tracking import Tracker, parse_track, tracking
from har.types import Protocol, Streams

if TYPE_CHECKING:
    import keras  # pyright: ignore[reportMissingTypeStubs]

    from har.export.run import ExportResult
    from har.network.parts import HeadBuilder
    from har.training.crossval import CrossvalResult

Stage = Literal["all", "cnn", "lstm", "system"]


def build_recipe(
    recipe: str | TrainConfig, config: Mapping[str, Any] | StrPath | None, seed: int | None
) -> TrainConfig:
    """Return a recipe with other settings and a seed put over it.

    Args:
        recipe: ``frozen``, ``full`` or ``tiny``, see `train`; or all settings.
        config: Settings, or a TOML file of some: ``{"temporal": {"units": 32}}``.
        seed: Of starting weights, order and changes.

    Raises:
        ConfigError: There is no such recipe, or a setting does not fit.

    >>> build_recipe("frozen", {"temporal": {"units": 32}}, 7).temporal.units
    32
    """
    if isinstance(recipe, TrainConfig):
        built = recipe
    elif recipe in RECIPES:
        built = update_config(TrainConfig(), RECIPES[recipe], f"recipe {recipe}")
    else:
        raise ConfigError(f"Expected a recipe of {sorted(RECIPES)}, received recipe={recipe!r}")
    if isinstance(config, Mapping):
        built = update_config(built, dict(config))
    elif config is not None:
        built = load_config(to_path(config), built)
    return built if seed is None else update_config(built, {"seed": seed})


def train(
    store: Store | StrPath,
    *,
    recipe: str | TrainConfig = "frozen",
    streams: Streams | Literal["auto"] = "auto",
    stage: Stage = "all",
    final: bool = False,
    backbone: keras.Model | None = None,
    head: keras.Model | HeadBuilder | None = None,
    out: StrPath = "models/har",
    results: StrPath = "results",
    overwrite: bool = False,
    start_from: StrPath | None = None,
    config: Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    track: str | None = None,
    progress: bool = True,
    say: Say | None = None,
) -> Model:
    """Train a model on prepared clips; an interrupted run goes on when it is called again.

    Args:
        store: What `har.prepare` made, or its folder.
        recipe: ``frozen`` is for up to some hundred clips: it trains the head over time on a CNN
            that stays as it is, in minutes. ``full``, for a thousand clips and more, trains all
            three stages. ``tiny`` trains a small CNN from nothing, which takes longer; the model is
            for small machines. Or all settings.
        streams: What the model looks at: motion in the picture, people's keypoints, or both;
            ``auto`` looks how confident the keypoints are.
        stage: Only one of the three: ``cnn``, ``lstm``, ``system``.
        final: Learn from every clip, none held back, once the recipe is cross-validated; the model
            says so and carries those figures.
        backbone: A Keras model from (B, H, W, C) pictures to (B, D) features in place of the
            recipe's; `har.network.parts.OwnParts` says what it gets.
        head: A Keras model from (B, T, D) features to (B, T, K) logits, or a function of
            ``(n_features, n_labels)`` that builds one.
        out: Folder of the model.
        results: Folder of graphs, logs and the state of an interrupted run.
        overwrite: Let the model take the place of a finished one in ``out``; one that the same
            training left when it was interrupted is gone on from without it.
        start_from: A model whose weights training starts from, by folder or name.
        config: Settings over the recipe, or a TOML file of some.
        seed: Of starting weights, order and changes.
        track: ``mlflow``, or ``mlflow:ADDRESS`` of a server or folder: recipe, figures, graphs and
            the model are written there as a run. Needs the extra ``mlflow``.
        progress: Show bars.
        say: Takes each line that tells what happens; they go to standard error when None.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed, or ``mlflow`` for ``track``.
        StoreError: The store cannot be used.
        ConfigError: A setting does not fit the store, or ``out`` holds another model.
        NoClipsError: There are too few clips to learn from.
        BundleError: The model to start from cannot be used.
        LockedError: Another run writes to one of the folders.
        OutputError: A folder, or the tracker, cannot be written to; this is said before anything
            is trained.

    Example:
        >>> import har
        >>> model = har.train("data/.store", streams="motion")  # doctest: +SKIP
        >>> model.evaluate("data/.store").intervals["accuracy"].mean  # doctest: +SKIP
        0.91
    """
    built = build_recipe(recipe, config, seed)
    check_extra("train", "keras")
    prepared, source = open_store(store), _find_source(start_from)
    known = choose_known_streams(built, prepared, source, streams)
    check_train(known, prepared, to_path(out), stage, final, overwrite)
    with (
        locking(to_path(out), beside=True),
        locking(to_path(results)),
        _tracking(track, to_path(results)) as tracker,
        training(),
    ):
        from har.network.parts import OwnParts
        from har.training.final import train_final
        from har.training.run import Run
        from har.training.stages import STAGES
        from har.training.streams import settle_streams

        run = Run(to_path(out), to_path(results), source, progress, say or say_on_stderr)
        action = train_final if final else STAGES[stage]
        settled = settle_streams(built, prepared, run, streams)
        action(settled, prepared, run, OwnParts(backbone, head))
        if tracker is not None:
            tracker.log(to_path(out), load_info(to_path(out)))
    return Model(out)


@contextmanager
def _tracking(track: str | None, results: Path) -> Generator[Tracker | None]:
    if track is None:
        yield None
        return
    parse_track(track)
    check_extra("mlflow", "mlflow")
    with tracking(track, results) as tracker:
        yield tracker


def _find_source(start_from: StrPath | None) -> Path | None:
    return None if start_from is None else find_folder(start_from)


def crossvalidate(
    store: Store | StrPath,
    *,
    recipe: str | TrainConfig = "frozen",
    streams: Streams | Literal["auto"] = "auto",
    folds: int = CrossvalConfig.n_folds,
    seeds: int = CrossvalConfig.n_seeds,
    protocol: Protocol = CrossvalConfig.protocol,
    backbone: keras.Model | None = None,
    head: keras.Model | HeadBuilder | None = None,
    calibrate: Model | StrPath | None = None,
    results: StrPath = "results/crossval",
    strips: bool = False,
    faces: Faces = "keep",
    people: ShownPeople = "keep",
    uncertain: Uncertain = "keep",
    start_from: StrPath | None = None,
    config: Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    progress: bool = True,
    say: Say | None = None,
) -> CrossvalResult:
    """Cross-validate a recipe, by groups, over several seeds.

    The frozen recipe trains only the head of each fold; full trains all three stages and takes
    long. An interrupted run goes on when it is called again.

    Args:
        store: What `har.prepare` made, or its folder.
        recipe: As of `har.train`, like all that is not named here.
        streams: As of `har.train`.
        folds: Parts; where there are fewer groups, each of them is left out in turn.
        seeds: Repetitions.
        protocol: ``random`` divides groups and leaks: only to compare with published figures.
        backbone: As of `har.train`, like ``head``.
        head: In place of the recipe's.
        calibrate: A model of this recipe and store: it gets the temperature found, and the figures.
        results: Folder of the figures and the page, and the state of an interrupted run.
        strips: Show frames of the worst errors on the page.
        faces: What becomes of heads in them, as of `har.predict`, like ``people`` and
            ``uncertain``; the videos of these clips are read again.
        start_from: As of `har.train`.
        config: As of `har.train`.
        seed: The first one.
        progress: Show bars.
        say: As of `har.train`.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed.
        SplitError: There is one group, or a label is in one group only.
        BundleMismatchError: The model to calibrate is of another recipe or store.
        HarError: Otherwise as of `har.train`.

    Example:
        >>> import har
        >>> report = har.crossvalidate("data/.store", folds=5, seeds=3)  # doctest: +SKIP
        >>> report.intervals["accuracy"].mean  # doctest: +SKIP
        0.89
    """
    built, settings = build_recipe(recipe, config, seed), CrossvalConfig(folds, seeds, protocol)
    privacy = PrivacyConfig(faces, people, uncertain)
    check_extra("train", "keras")
    prepared, source = open_store(store), _find_source(start_from)
    known = choose_known_streams(built, prepared, source, streams)
    check_crossval(known, settings, prepared, source)
    target = None if calibrate is None else find_folder(calibrate)
    if target is not None:
        check_calibration(target, describe_settings(built), settings, prepared.data_hash)
    folder = to_path(results)
    with locking(folder / "bundle", beside=True), locking(folder), training():
        from har.network.parts import OwnParts
        from har.reports.predictions import PREDICTIONS, write_predictions
        from har.training.crossval import crossvalidate as validate
        from har.training.crossval import record_crossval
        from har.training.crossval_page import write_crossval_page
        from har.training.run import Run
        from har.training.streams import settle_streams

        run = Run(folder / "bundle", folder, source, progress, say or say_on_stderr)
        settled = settle_streams(built, prepared, run, streams)
        found = validate(settled, settings, prepared, run, OwnParts(backbone, head))
        write_json(folder / f"{protocol}.json", found.to_json())
        table = folder / f"{protocol}_{PREDICTIONS}"
        write_predictions(table, found.labels, found.clips, found.probs)
        write_crossval_page(folder, found, prepared, strips=strips, privacy=privacy)
        if target is not None:
            record_crossval(target, found)
    return found


def export_model(
    model: Model | StrPath,
    *,
    format: ExportFormat = ExportConfig.format,  # noqa: A002 - what users of other tools expect
    int8: bool = False,
    store: Store | StrPath | None = None,
    max_loss: float = ExportConfig.max_loss,
    out: StrPath | None = None,
    progress: bool = False,
) -> ExportResult:
    """Write a model's networks for another engine, and measure them beside Keras.

    Args:
        model: With its Keras networks: of one's own, by folder.
        format: ``onnx`` makes a model that har reads too; ``openvino`` and ``litert`` need the
            extra of that name.
        int8: Frame CNN in 8-bit integers; needs a store.
        store: Real clips: int8 is calibrated on its training part, accuracy measured on its test
            part.
        max_loss: int8 is refused where it costs a larger share of accuracy.
        out: The folder to write; MODEL-FORMAT beside the model when None.
        progress: Show a bar.

    Raises:
        BundleError: The model is absent, has no Keras networks, or does not fit the store.
        ConfigError: int8 without a store, or a folder that is no export.
        ExportError: It cannot be written so, or int8 costs too much accuracy.
        MissingDependencyError: The extra of the format, or ``train``, is not installed.
        OutputError: The folder cannot be written.

    Example:
        >>> import har
        >>> done = har.export_model("models/har", format="openvino")  # doctest: +SKIP
        >>> done.comparison.parity < 1e-3  # doctest: +SKIP
        True
    """
    config = ExportConfig(format=format, int8=int8, max_loss=max_loss)
    folder = find_folder(model)
    is_named = isinstance(model, str | Path) and folder != Path(model)
    beside = Path(folder.name) if is_named else folder
    name = f"{beside.name}-{format}{'-int8' if int8 else ''}"
    target = beside.with_name(name) if out is None else to_path(out)
    with training(), extra("train" if format == "onnx" else format):
        from har.export.run import export_bundle

        prepared = None if store is None else open_store(store)
        return export_bundle(folder, target, config, prepared, progress)
