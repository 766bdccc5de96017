"""A trained model, ready to recognize."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, overload

import numpy as np

from har.addresses import refuse_addresses
from har.api.result import Result, Results
from har.api.settings import Rules, StrPath, build_decode, find_folder, to_path
from har.bundle import BundleInfo
from har.config import (
    PRECISION,
    DecodeConfig,
    PosesConfig,
    Precision,
    PredictConfig,
    WatchConfig,
)
from har.dataset.catalog import Reject
from har.errors import ConfigError, VideoError
from har.escaping import show_line
from har.events.decoder import check_labels
from har.inference.features import is_encoded, recognize_encoded
from har.inference.keypoints import recognize_keypoints
from har.inference.model import Recognizer
from har.inference.steps import Networks, open_networks
from har.inference.video import find_videos, recognize_frames, recognize_video
from har.parallel import count_cores
from har.result import Progress, VideoResult
from har.types import SplitName, Streams
from har.video.arrays import FrameArray

if TYPE_CHECKING:
    from har.api.stream import StreamUpdate
    from har.dataset.store import Store
    from har.inference.clips import EvaluationResult


def load(
    name_or_path: StrPath | None = None,
    *,
    jobs: int = 0,
    exact: bool = False,
    streams: Streams | None = None,
    precision: Precision = PRECISION,
) -> Model:
    """Load a trained model.

    Args:
        name_or_path: Its folder, or the name of one that comes with har, such as ``fight``; a
            folder of that name goes before. None takes ``models/har`` if it is there, else the
            default of those that come with har. ``hf://OWNER/NAME@REVISION`` fetches it from the
            Hugging Face Hub, once a version, and needs the extra ``hub``.
        jobs: Processor cores that it may use; 0 means all.
        exact: Look at every moment; by default those at which nothing moves are taken for still.
        streams: What it looks at: ``motion`` takes the faster half of a model that knows people's
            keypoints, too, ``pose`` the other one; all that it has when None.
        precision: ``full`` runs the networks in the fastest engine on this machine that gives the
            same scores to within rounding; ``fast`` also takes bfloat16, and 8-bit integers where
            the model has them. ``HAR_ENGINE`` goes before.

    Raises:
        BundleNotFoundError: There is none.
        BundleIntegrityError: A file is missing, altered or unusable.
        BundleMismatchError: It does not fit this version of har, or lacks one of the streams.
        HubError: The hub refused, or cannot be reached.
        MissingDependencyError: The extra ``hub`` is not installed.
        ConfigError: ``HAR_ENGINE`` names no engine, ``jobs`` is out of its bounds, or an address
            cannot be read.

    Example:
        >>> import har
        >>> model = har.load("fight")
        >>> model.name, model.labels
        ('fight', ('fight', 'noFight'))
    """
    folder = find_folder(name_or_path)
    return Model(folder, jobs=jobs, exact=exact, streams=streams, precision=precision)


class Model:
    """A trained model, ready to recognize; made by `har.load` and `har.train`.

    Attributes:
        path: Its folder.
        name: The folder's name.
        recognizer: Its networks, for those who build on the parts below.
        streams: Which of its streams are used; None for all.

    Example:
        >>> import har, numpy as np
        >>> model = har.load("fight")
        >>> model.predict(np.zeros((50, 180, 320, 3), np.uint8), fps=25).label
        'noFight'
    """

    def __init__(
        self,
        path: StrPath,
        *,
        jobs: int = 0,
        exact: bool = False,
        streams: Streams | None = None,
        precision: Precision = PRECISION,
    ) -> None:
        """Load the model in a folder; `har.load` also knows names.

        Raises:
            BundleError: As of `har.load`.
        """
        self._config = PredictConfig(jobs=jobs, exact=exact, precision=precision)
        self.recognizer = Recognizer(
            to_path(path), n_threads=1, exact=exact, streams=streams, precision=precision
        )
        self.streams: Streams | None = streams
        self.path = to_path(path).absolute()
        self.name = self.path.resolve().name.replace("_", "-")

    @property
    def labels(self) -> tuple[str, ...]:
        """The K labels in the order of its outputs."""
        return self.info.labels

    @property
    def info(self) -> BundleInfo:
        """Its contract: what it looks at, how it was trained, what was measured."""
        return self.recognizer.info

    @property
    def is_exact(self) -> bool:
        """Whether it looks at every moment, as of `har.load`."""
        return self._config.exact

    @property
    def precision(self) -> Precision:
        """Of its networks, as of `har.load`."""
        return self._config.precision

    @property
    def engines(self) -> dict[str, str]:
        """What runs each network and in which precision, such as ``onnxruntime fp32``."""
        return self.recognizer.describe_engines()

    def __repr__(self) -> str:
        """Return it in a line."""
        return show_line(f"<Model {self.name}: {', '.join(self.labels)}>")

    @overload
    def predict(
        self,
        source: StrPath,
        *,
        fps: float | None = None,
        size: tuple[int, int] | None = None,
        joints: Mapping[str, str] | None = None,
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
        keep_places: bool = False,
        progress: Progress | None = None,
    ) -> Result: ...

    @overload
    def predict(
        self,
        source: np.ndarray,
        *,
        fps: float,
        name: str = "frames",
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
        keep_places: bool = False,
        progress: Progress | None = None,
    ) -> Result: ...

    @overload
    def predict(
        self,
        source: Iterable[StrPath],
        *,
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
        keep_places: bool = False,
        progress: Progress | None = None,
    ) -> list[Result]: ...

    def predict(
        self,
        source: StrPath | np.ndarray | Iterable[StrPath],
        *,
        fps: float | None = None,
        size: tuple[int, int] | None = None,
        joints: Mapping[str, str] | None = None,
        name: str = "frames",
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
        keep_places: bool = False,
        progress: Progress | None = None,
    ) -> Result | list[Result] | Iterator[Result]:
        """Recognize a video, an array of frames, several videos, or a folder of them.

        A folder gives a lazy iterator, one result after another; it is `predict_all`, which type
        checkers know better. A list gives a list as long as itself. In both, a video that cannot be
        read never stops the others: its result has an ``error``, and a warning says so.

        Args:
            source: The path of a video or of a folder, a list of paths, or frames: (N, H, W) gray
                or (N, H, W, 3) RGB, uint8. A file of keypoints, or of features (``keep`` of
                `har.predict`), may stand where a video does.
            fps: Frames a second of an array of frames, or of keypoints whose file has none.
            size: (H, W), for keypoints only, as of `har.read_poses`.
            joints: Likewise.
            name: What results call an array of frames.
            decode: Rules for events in the place of the model's, or a file of some that go over
                them, such as `har.tune` writes.
            changes: Single settings over those: ``{"onset": 0.7, "hit.min_s": 1.0}``.
            keep_places: Keep where people were at every step, and which part of the picture the CNN
                saw, in ``pose_tracks`` and ``crops``.
            progress: Called after every frame with the seconds of video that are done, and those in
                all or None.

        Raises:
            VideoError: The one video cannot be read, or has too few frames.
            ConfigError: A rule does not fit, or ``fps`` is missing or out of place.

        Example:
            >>> import har, numpy as np
            >>> frames = np.zeros((50, 180, 320), np.uint8)
            >>> result = har.load("fight").predict(frames, fps=25, name="dark")
            >>> round(result.duration_s, 2), sorted(result.probs)
            (2.0, ['fight', 'noFight'])
        """
        rules = self.build_rules(decode, changes)
        config = replace(self._config, keep_places=keep_places)
        if isinstance(source, np.ndarray):
            if fps is None:
                raise ConfigError("Expected fps with an array of frames: name its frames a second")
            array = FrameArray(cast("np.ndarray", source), fps, self.info.pictures, name)
            with self._open_networks() as networks:
                found = recognize_frames(
                    self.recognizer, array, array, networks, config, rules, progress
                )
            return self.to_result(found, rules)
        poses = PosesConfig(fps, size, joints or {})
        if isinstance(source, str | Path):
            refuse_addresses([source], "a video or a folder of videos")
            if is_encoded(to_path(source)):
                result = recognize_encoded(self.recognizer, to_path(source), poses, rules)
                return self.to_result(result, rules)
        if poses != PosesConfig():
            raise ConfigError(
                f"Expected fps with an array of frames, and fps, size and joints with a file of "
                f"keypoints only, received fps={fps}, size={size}, joints={joints}"
            )
        if not isinstance(source, str | Path):
            return Results(self._iter_results(source, rules, config, progress))
        if to_path(source).is_dir():
            return self._iter_results([source], rules, config, progress)
        found = recognize_video(
            self.recognizer, to_path(source), config=config, decode=rules, progress=progress
        )
        return self.to_result(found, rules)

    def predict_all(
        self,
        sources: StrPath | Iterable[StrPath],
        *,
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
        keep_places: bool = False,
        progress: Progress | None = None,
    ) -> Iterator[Result]:
        """Recognize videos and folders of videos one after another, each when it is asked for.

        A video that cannot be read never stops the others: its result has an ``error``, and a
        warning says so. `har.predict` is for many videos: it writes the files of each, works on
        several at once and goes on where it was stopped.

        Args:
            sources: Videos and folders, which are searched to their depth.
            decode: As of `predict`, like all others.

        Yields:
            A result for each video, in the order given, sorted within a folder.

        Raises:
            ConfigError: A rule does not fit.
        """
        config = replace(self._config, keep_places=keep_places)
        several = [sources] if isinstance(sources, str | Path) else sources
        return self._iter_results(several, self.build_rules(decode, changes), config, progress)

    def predict_keypoints(
        self,
        points: np.ndarray,
        fps: float,
        *,
        size: tuple[int, int] | None = None,
        name: str = "keypoints",
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
    ) -> Result:
        """Recognize people's keypoints, of any pose tool that gives COCO's 17.

        People need no lasting order: they are followed as those of a recording are. A model that
        looks at motion in the picture as well uses its pose stream alone, and ``note`` says so.

        Args:
            points: (T, P, 17, 3): x, y and the confidence from 0 to 1 of each keypoint, or
                (T, P, 17, 2) without it; in pixels, or in shares of the picture's width and height.
                NaN, or zeros, where a keypoint or a person is not seen. Of more than six people in
                a picture the six most confident are followed.
            fps: Pictures a second.
            size: (H, W) of the picture in pixels; needed where points are shares of it.
            name: What the result is called.
            decode: As of `predict`.
            changes: As of `predict`.

        Raises:
            BundleMismatchError: The model has no pose stream.
            ConfigError: The points are of another shape, a rule does not fit, or ``size`` is
                missing.
            EmptyVideoError: There is no picture.

        Example:
            >>> import har, numpy as np
            >>> nobody = np.zeros((30, 1, 17, 3))
            >>> har.load("three-class").predict_keypoints(nobody, fps=15).label == har.UNCERTAIN
            True
        """
        rules = self.build_rules(decode, changes)
        found = recognize_keypoints(self.recognizer, points, fps, size, name, rules)
        return self.to_result(found, rules)

    def stream(
        self,
        source: int | StrPath | Iterable[tuple[float, np.ndarray]],
        *,
        n_overlap: int = WatchConfig.n_overlap,
        decode: Rules | None = None,
        changes: Mapping[str, float] | None = None,
    ) -> Generator[StreamUpdate]:
        """Recognize a live stream as it comes.

        A camera that is lost is connected anew. Whoever takes updates more slowly than they come
        gets fewer: time steps are passed over, and the newest win. Leaving the loop, or closing the
        generator, lets the camera go. `har.watch` does more: several cameras, an event log, alerts.

        Args:
            source: The number of a camera, an address (rtsp://, http://), a video file, which is
                played at its own speed, or any iterable of (time_s, image): ascending seconds, and
                (H, W) gray or (H, W, 3) RGB, uint8.
            n_overlap: Windows that look at each time step. Many make ``probs`` look at the newest
                step; with those of `har.config.PredictConfig` scores and events of pictures are the
                ones that `predict` gives, to the bit.
            decode: As of `predict`.
            changes: As of `predict`.

        Yields:
            Updates, a few a second; at the end what was still open.

        Raises:
            ConfigError: There is no such source, a rule does not fit, or an image is none.
            VideoDecodeError: An image is not later than the one before.

        Example:
            >>> import har, numpy as np
            >>> dark = ((index / 10, np.zeros((90, 160, 3), np.uint8)) for index in range(30))
            >>> *_, last = har.load("fight").stream(dark)
            >>> last.state, last.label, round(last.time_s, 1)
            ('ended', 'noFight', 3.0)
        """
        from har.api.stream import iter_camera, iter_pictures
        from har.live.sources import parse_sources

        rules = self.build_rules(decode, changes)
        if isinstance(source, int | str | Path):
            (camera,) = parse_sources([str(source)])
            return iter_camera(self.recognizer, camera, rules, n_overlap)
        return iter_pictures(self.recognizer, source, rules, n_overlap, self._config.jobs)

    def evaluate(
        self,
        store: Store | StrPath,
        split: SplitName | Literal["all"] = "test",
        *,
        progress: bool = False,
    ) -> EvaluationResult:
        """Measure the model on prepared clips: figures with intervals, confusion.

        Args:
            store: What `har.prepare` made, or its folder.
            split: Which clips; only test clips give an honest figure for a model of the same store.
            progress: Show a bar.

        Returns:
            Figures, which show themselves in a notebook; ``save(folder)`` writes the page.

        Raises:
            BundleMismatchError: The store has other labels or pictures than the model.
            SplitError: The store has no such part.
            StoreError: The store cannot be used.
            MissingDependencyError: The extra ``train`` is not installed.

        Example:
            >>> import har
            >>> report = har.load("models/har").evaluate("data/.store")  # doctest: +SKIP
            >>> report.intervals["accuracy"].mean  # doctest: +SKIP
            0.91
        """
        from har.api.clips import open_store
        from har.api.settings import extra

        with extra("train"):
            from har.inference.clips import evaluate_bundle

            return evaluate_bundle(
                self.path,
                open_store(store),
                split,
                progress,
                self.is_exact,
                self.streams,
                self.recognizer.engines,
            )

    def build_rules(
        self, decode: Rules | None = None, changes: Mapping[str, float] | None = None
    ) -> DecodeConfig:
        """Return the model's rules for events, with others over them as of `predict`.

        Raises:
            ConfigError: A rule does not fit.
        """
        rules = build_decode(self.info.decode, decode, changes)
        check_labels(self.labels, rules)
        return rules

    def _open_networks(self) -> AbstractContextManager[Networks]:
        return open_networks(self.recognizer, self._config.jobs or count_cores())

    def _iter_results(
        self,
        sources: Iterable[StrPath],
        rules: DecodeConfig,
        config: PredictConfig,
        progress: Progress | None,
    ) -> Iterator[Result]:
        with self._open_networks() as networks:
            recognize = partial(
                recognize_video,
                self.recognizer,
                config=config,
                decode=rules,
                progress=progress,
                networks=networks,
            )
            for path, reject in _iter_videos(sources):
                try:
                    outcome = reject or (
                        recognize_encoded(self.recognizer, path, config.poses, rules)
                        if is_encoded(path)
                        else recognize(path)
                    )
                except VideoError as error:
                    outcome = Reject("", path, str(error))
                if isinstance(outcome, Reject):
                    text = show_line(f"Left out {outcome.path}: {outcome.reason}")
                    warnings.warn(text, stacklevel=2)
                yield self.to_result(outcome, rules)

    def to_result(self, outcome: VideoResult | Reject, rules: DecodeConfig) -> Result:
        """Return what was found in a video, or why nothing could be, with the rules in use."""
        if isinstance(outcome, Reject):
            return Result.failed(outcome.path, outcome.reason, self.labels, rules)
        return Result.of(outcome, rules, self.info.single_person_labels)


def _iter_videos(sources: Iterable[StrPath]) -> Iterator[tuple[Path, Reject | None]]:
    """Yield the videos of each source in the order given, and why one cannot be looked at."""
    for source in sources:
        refuse_addresses([source], "videos or folders of videos")
        paths, rejects = find_videos([to_path(source)], with_features=True)
        yield from ((reject.path, reject) for reject in rejects)
        yield from ((path, None) for path in paths)
