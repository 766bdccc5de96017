"""From clips to a model: synthesize, prepare, train, cross-validate, export."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from har.api.model import Model
from har.api.settings import StrPath, extra, find_folder, training
from har.bundle import find_bundle
from har.config import (
    RECIPES,
    CrossvalConfig,
    ExportConfig,
    ExportFormat,
    PrepareConfig,
    SynthConfig,
    TrainConfig,
    load_config,
    update_config,
)
from har.dataset.store import Store
from har.dataset.validation import Report
from har.errors import ConfigError
from har.files import write_json
from har.locks import locking
from har.types import Color, Protocol, Streams

if TYPE_CHECKING:
    import keras  # pyright: ignore[reportMissingTypeStubs]

    from har.demo import DemoResult, Recognized
    from har.export.run import ExportResult
    from har.network.parts import HeadBuilder
    from har.training.crossval import CrossvalResult
    from har.training.run import Run

Stage = Literal["all", "cnn", "lstm", "system"]
Say = Callable[[str], None]
"""Takes each line that tells a person what happens."""


@dataclass(frozen=True)
class Synthetic:
    """Files of synthetic clips; those that were not asked for are None.

    Attributes:
        n_clips: Clips in all.
        n_recordings: Long recordings in all.
        manifest: Table of the clips, which `har.prepare` takes.
        sheet: A picture of some of them.
        truth: Table of the acts in the recordings, which lie beside it.
    """

    n_clips: int
    n_recordings: int
    manifest: Path | None = None
    sheet: Path | None = None
    truth: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har synth --json` prints."""
        paths = {"manifest": self.manifest, "sheet": self.sheet, "truth": self.truth}
        return {
            "synthetic": True,
            "n_clips": self.n_clips,
            "n_recordings": self.n_recordings,
            **{name: str(path) for name, path in paths.items() if path is not None},
        }


def synthesize(
    out: StrPath,
    *,
    clips: int = SynthConfig.n_clips,
    scenes: int = SynthConfig.n_scenes,
    recordings: int = 0,
    minutes: float = SynthConfig.recording_min,
    variety: float = SynthConfig.variety,
    seed: int = SynthConfig.seed,
    jobs: int = 0,
    progress: bool = False,
) -> Synthetic:
    """Make labeled clips of people who hit themselves, hit others, or play.

    They are for set-up and tests; figures on them say nothing of real people.

    Args:
        out: The folder to write to.
        clips: Clips in all; 0 makes none.
        scenes: Scenes, which are the groups.
        recordings: Long recordings with their truth.
        minutes: Length of one recording.
        variety: 0 plain scenes, 1 the full range of nuisances.
        seed: The same seed gives the same bytes.
        jobs: Processes; 0 means one a core.
        progress: Show a bar.

    Raises:
        ConfigError: A setting is out of its bounds.
        OutputError: Files cannot be written.

    Example:
        >>> import har, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = har.synthesize(folder, clips=3, scenes=1, variety=0, jobs=1)
        ...     len(made.manifest.read_text().splitlines())
        4
    """
    from har.render.sheet import write_synthetic_sheet
    from har.synthetic.clips import write_clips
    from har.synthetic.recordings import write_recordings

    config = SynthConfig(
        n_clips=clips,
        n_scenes=scenes,
        n_recordings=recordings,
        recording_min=minutes,
        variety=variety,
        seed=seed,
    )
    folder, made = Path(out), Synthetic(clips, recordings)
    if clips:
        manifest = write_clips(folder, config, jobs, progress)
        sheet = write_synthetic_sheet(folder / "sheet.png", manifest)
        made = replace(made, manifest=manifest, sheet=sheet)
    if recordings:
        truth = write_recordings(folder / "recordings", config, jobs, progress)
        made = replace(made, truth=truth)
    return made


@dataclass(frozen=True)
class PreparedStore(Store):
    """A store, and what was found while it was made.

    Attributes:
        report: What there is of each label, what was left out, and what to be warned of.
        n_cut: Clips whose frames were made by this run.
        n_reused: Clips that were there already.
    """

    report: Report = field(kw_only=True)
    n_cut: int = field(kw_only=True)
    n_reused: int = field(kw_only=True)

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har prepare --json` prints."""
        return {**self.report.to_json(), "n_cut": self.n_cut, "n_reused": self.n_reused}


def prepare(
    source: StrPath = "data",
    store: StrPath | None = None,
    *,
    group_by: str | None = None,
    folds: int = PrepareConfig.n_folds,
    size: tuple[int, int] | None = None,
    long_side: int = PrepareConfig.long_side,
    color: Color = PrepareConfig.color,
    seed: int = PrepareConfig.seed,
    jobs: int = 0,
    progress: bool = False,
) -> PreparedStore:
    """Turn a folder of clips, one sub-folder a label, or a manifest into a store.

    Run again, it only does what has changed. Videos that cannot be used are in ``rejects``, each
    with its reason.

    Args:
        source: The folder, or a table of clips.
        store: Folder of the store; ``.store`` in the folder of the clips when None.
        group_by: Manifest column, or a regular expression with one group on the file's path. What
            has the same group is never divided between training and test.
        folds: Parts of the cross-validation.
        size: (H, W) of the stored pictures; chosen by the clips' shape when None.
        long_side: Pixels of the longer side where the size is chosen.
        color: ``gray`` for the motion input, ``rgb`` for the RGB input.
        seed: Draws the splits.
        jobs: Videos at once; 0 means one a core.
        progress: Show a bar.

    Raises:
        NoClipsError: Fewer than two labels have a usable clip.
        ManifestError: The manifest or ``group_by`` cannot be understood.
        SplitError: The manifest's column ``split`` divides a group.
        StoreError: The store cannot be written.
        LockedError: Another run prepares the same store.
        ConfigError: A setting is out of its bounds.

    Example:
        >>> import har, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = har.synthesize(folder, clips=6, scenes=3, variety=0, jobs=1)
        ...     store = har.prepare(folder, long_side=64, folds=2, jobs=1)
        >>> len(store.clips), store.labels
        (6, ('hitting_others', 'hitting_self', 'playing'))
    """
    with extra("train"):
        from har.dataset.prepare import prepare as prepare_store
        from har.reports.store import write_report
    path = Path(source)
    folder = (path if path.is_dir() else path.parent) / ".store" if store is None else Path(store)
    config = PrepareConfig(
        long_side=long_side,
        size=size,
        color=color,
        n_folds=folds,
        group_by=group_by,
        seed=seed,
        jobs=jobs,
    )
    with extra("train"):
        done = prepare_store(path, folder, config, progress)
        write_report(done.report, done.store)
    made = done.store
    return PreparedStore(
        made.path,
        made.settings,
        made.clips,
        made.splits,
        made.rejects,
        report=done.report,
        n_cut=done.n_cut,
        n_reused=done.n_reused,
    )


def build_recipe(
    recipe: str | TrainConfig, config: Mapping[str, Any] | StrPath | None, seed: int | None
) -> TrainConfig:
    """Return a recipe with other settings and a seed put over it.

    Args:
        recipe: ``full`` for three stages, ``frozen`` for a CNN that stays as it is, ``tiny`` for a
            small CNN; or all settings.
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
        built = load_config(Path(config), built)
    return built if seed is None else update_config(built, {"seed": seed})


def open_store(store: Store | StrPath) -> Store:
    """Return a store, opened if it is named by its folder.

    Raises:
        StoreError: There is none, or it cannot be used.
    """
    return store if isinstance(store, Store) else Store.load(Path(store))


def _start_run(
    out: Path, results: StrPath, start_from: StrPath | None, progress: bool, say: Say | None
) -> Run:
    from har.training.run import Run

    source = None if start_from is None else find_bundle(Path(start_from))
    run = Run(out, Path(results), source, progress)
    return run if say is None else replace(run, say=say)


@contextmanager
def _holding(run: Run) -> Iterator[None]:
    """Hold the folders of a run alone, its bundle and its results."""
    with locking(run.bundle_dir, beside=True), locking(run.results_dir):
        yield


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
    start_from: StrPath | None = None,
    config: Mapping[str, Any] | StrPath | None = None,
    seed: int | None = None,
    progress: bool = True,
    say: Say | None = None,
) -> Model:
    """Train a model on prepared clips; an interrupted run goes on when it is called again.

    Args:
        store: What `har.prepare` made, or its folder.
        recipe: ``frozen`` trains the head over time on a CNN that stays as it is, in minutes;
            ``full`` trains all three stages; ``tiny`` a small CNN from nothing. Or all settings.
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
        start_from: A model whose weights training starts from, by folder or name.
        config: Settings over the recipe, or a TOML file of some.
        seed: Of starting weights, order and changes.
        progress: Show bars.
        say: Takes each line that tells what happens; they go to standard error when None.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed.
        StoreError: The store cannot be used.
        ConfigError: A setting does not fit the store.
        NoClipsError: There are too few clips to learn from.
        BundleError: The model to start from cannot be used.
        LockedError: Another run writes to one of the folders.
        OutputError: A folder cannot be written; this is said before anything is trained.

    Example:
        >>> import har
        >>> model = har.train("data/.store", streams="motion")  # doctest: +SKIP
        >>> model.evaluate("data/.store").intervals["accuracy"].mean  # doctest: +SKIP
        0.91
    """
    built = build_recipe(recipe, config, seed)
    with training():
        from har.network.parts import OwnParts
        from har.training.final import train_final
        from har.training.stages import STAGES
        from har.training.streams import settle_streams

        run = _start_run(Path(out), results, start_from, progress, say)
        action = train_final if final else STAGES[stage]
        prepared = open_store(store)
        with _holding(run):
            settled = settle_streams(built, prepared, run, streams)
            action(settled, prepared, run, OwnParts(backbone, head))
    return Model(out)


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
        folds: Parts.
        seeds: Repetitions.
        protocol: ``random`` divides groups and leaks: only to compare with published figures.
        backbone: As of `har.train`, like ``head``.
        head: In place of the recipe's.
        calibrate: A model of this recipe and store: it gets the temperature found, and the figures.
        results: Folder of the figures, and the state of an interrupted run.
        start_from: As of `har.train`.
        config: As of `har.train`.
        seed: The first one.
        progress: Show bars.
        say: As of `har.train`.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed.
        SplitError: There are too few groups.
        BundleMismatchError: The model to calibrate is of another recipe or store.
        HarError: Otherwise as of `har.train`.

    Example:
        >>> import har
        >>> report = har.crossvalidate("data/.store", folds=5, seeds=3)  # doctest: +SKIP
        >>> report.intervals["accuracy"].mean  # doctest: +SKIP
        0.89
    """
    built, settings = build_recipe(recipe, config, seed), CrossvalConfig(folds, seeds, protocol)
    folder = Path(results)
    with training():
        from har.network.parts import OwnParts
        from har.reports.figures import write_reliability
        from har.training.crossval import crossvalidate as validate
        from har.training.crossval import record_crossval
        from har.training.streams import settle_streams

        run = _start_run(folder / "bundle", folder, start_from, progress, say)
        prepared = open_store(store)
        with _holding(run):
            settled = settle_streams(built, prepared, run, streams)
            found = validate(settled, settings, prepared, run, OwnParts(backbone, head))
            write_json(folder / f"{protocol}.json", found.to_json())
            write_reliability(folder / f"{protocol}_reliability.png", found.calibration)
        if calibrate is not None:
            record_crossval(find_folder(calibrate), found)
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
    target = beside.with_name(name) if out is None else Path(out)
    with training(), extra("train" if format == "onnx" else format):
        from har.export.run import export_bundle

        prepared = None if store is None else open_store(store)
        return export_bundle(folder, target, config, prepared, progress)


@dataclass(frozen=True)
class Demo:
    """What the demo found and measured, all on synthetic recordings and clips.

    Attributes:
        first_look: What a model that comes with har finds in a recording.
        learnt: What a model measures and finds that was trained on the spot; None after a quick
            look.
    """

    first_look: Recognized
    learnt: DemoResult | None

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har demo --json` prints."""
        learnt = {} if self.learnt is None else self.learnt.to_json()
        return {"synthetic_data": True, "first_look": self.first_look.to_json(), **learnt}


def _say_on_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_demo(
    folder: StrPath = "demo",
    *,
    quick: bool = False,
    say: Say = _say_on_stderr,
    on_first_look: Callable[[Recognized], None] | None = None,
    progress: bool = True,
) -> Demo:
    """See what it does within a minute, then try all of it on synthetic clips.

    First a shipped model looks at a short recording that is drawn now. Then clips are made, a model
    is trained and measured on them, and it recognizes another recording.

    Args:
        folder: Gets everything; a second run in it only does what is missing.
        quick: Stop after the first look, which trains nothing.
        say: Takes each line that tells what is coming; they go to standard error if not given.
        on_first_look: Is called between the two.
        progress: Show bars.

    Raises:
        MissingDependencyError: The extra ``train`` is not installed, and ``quick`` is not set.
        OutputError: Files cannot be written.

    Example:
        >>> import har
        >>> har.run_demo("demo", quick=True).first_look.paths["timeline"]  # doctest: +SKIP
        PosixPath('demo/results/first_look.timeline.png')
    """
    from har.demo import take_first_look

    first = take_first_look(Path(folder), say)
    if on_first_look is not None:
        on_first_look(first)
    if quick:
        return Demo(first, None)
    with training():
        from har.demo import learn_from_clips

        return Demo(first, learn_from_clips(Path(folder), say, progress))
