"""Features of a recording on disk: written step by step, and read back piece by piece.

A file is a NumPy archive, which `numpy.load` opens, too. Of N time steps, of which M were encoded:

    header.json      what the features were computed with, and what results need of the video
    features.npy     (M, D) float16, one row an encoded step
    rows.npy         (N,) int64, the row that each step has: its own, or that of the step before
    still.npy        (N,) bool, True where that is so because nothing moves
    times_s.npy      (N,) float64, the middle of each step in seconds from the first frame
    segments.npy     (S, 2) float64, begin and length of what lies between gaps, in seconds
    n_frames.npy     (S,) int64, frames that it had

Files may come from anywhere: sizes are checked before memory is taken, and nothing is unpickled.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from har.archives import DAMAGED, read_header
from har.errors import BundleMismatchError, ConfigError, FeatureFileError
from har.escaping import cut_line
from har.files import replacing, show_path, writing
from har.learned import MARK
from har.parallel import Closing
from har.sampling.times import compute_step_times
from har.types import TIME_EPS_S, VideoInfo, WindowSpec
from har.version import __version__

FEATURES_ENDING = ".features.npz"
"""Ending of the files that `har predict --keep features` writes."""
MAX_STEPS, MAX_SEGMENTS = 1 << 23, 1 << 17
"""Steps of one recording, 12 days at 8 a second, and what gaps may divide it into."""
_MAX_S = 1e9
_MAX_FPS, _MAX_FRAMES, _MAX_SIDE_PX = 1e5, 1 << 40, 1 << 16
_FORMAT = 1
_MAX_HEADER_BYTES = 1 << 16
_MAX_FEATURES = 16_384
_COPY_BYTES, _READ_ROWS = 1 << 20, 1024
_LEVEL = 4
"""Of compression: half of all features are zeros; more effort gains a fiftieth."""
_KINDS = {"rows": "<i8", "still": "|b1", "times_s": "<f8", "segments": "<f8", "n_frames": "<i8"}


def is_features(path: Path) -> bool:
    """Return whether a path is that of features, by its ending.

    >>> is_features(Path("day1.features.npz")), is_features(Path("day1.keypoints.npz"))
    (True, False)
    """
    return path.name.lower().endswith(FEATURES_ENDING)


def build_error(path: Path, why: str) -> FeatureFileError:
    """Return the error of a file that cannot be used."""
    return FeatureFileError(f"{show_path(path)} cannot be read as features: {why}")


@dataclass(frozen=True)
class FeatureHeader:
    """What the features of a recording were computed with, and what results need of the video.

    Attributes:
        cnn: Of the frame CNN, as of `har.graph_hash`; another export of the same weights has it.
        spec: How it sampled pictures and time; its ``n_steps`` is of no account and 1.
        n_features: D.
        engine: What ran the CNN, such as ``onnxruntime fp32``.
        stillness: Numbers of the rule by which steps were passed over; None where all were encoded.
        threshold: Gray levels by which a square might differ there, on the mean.
        info: Of the video.
        mark: By which a model knows the video that it has learned from, or an empty text.
        note: What results say of the video.
        version: Of har.
    """

    cnn: str
    spec: WindowSpec
    n_features: int
    engine: str
    stillness: dict[str, float] | None
    threshold: float
    info: VideoInfo
    mark: str
    note: str
    version: str = __version__

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        values = asdict(self)
        values["info"]["path"] = show_path(self.info.path)
        return {"format_version": _FORMAT, **values}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> FeatureHeader:
        """Read plain values.

        Raises:
            ValueError, TypeError, KeyError, ConfigError: They are none of a header.
        """
        version = values.pop("format_version", None)
        if version != _FORMAT:
            raise ValueError(f"format_version is {version!r}, this har reads {_FORMAT}")
        spec = WindowSpec.from_json(values["spec"])
        header = cls(**{**values, "spec": spec, "info": _read_info(values["info"])})
        texts = (header.cnn, header.engine, header.mark, header.note, header.version)
        if not all(isinstance(text, str) for text in texts):
            raise TypeError("cnn, engine, mark, note and version must be texts")
        if header.mark and not MARK.fullmatch(header.mark):
            raise ValueError(f"mark {cut_line(header.mark)} is none")
        if type(header.n_features) is not int or not 1 <= header.n_features <= _MAX_FEATURES:
            raise ValueError(f"n_features must be from 1 to {_MAX_FEATURES}")
        numbers = [header.threshold, *(header.stillness or {}).values()]
        if not all(map(_is_number, numbers)):
            raise ValueError("threshold and stillness must be finite numbers")
        return header


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)


def _read_info(values: dict[str, Any]) -> VideoInfo:
    info = VideoInfo(**{**values, "path": Path(values["path"])})
    known = [v for v in (info.fps, info.duration_s, info.n_frames) if v is not None]
    if not all(map(_is_number, [*known, info.width, info.height, info.rotation_deg])):
        raise ValueError("a number of the video is none")
    if not (
        (info.fps is None or 0 < info.fps <= _MAX_FPS)
        and (info.duration_s is None or 0 <= info.duration_s <= _MAX_S)
        and (info.n_frames is None or 0 <= info.n_frames <= _MAX_FRAMES)
        and 1 <= min(info.width, info.height) <= max(info.width, info.height) <= _MAX_SIDE_PX
    ):
        raise ValueError("a number of the video is out of its range")
    if not isinstance(info.codec, str) or type(info.is_mirrored) is not bool:
        raise TypeError("codec must be a text, is_mirrored true or false")
    return info


class FeatureWriter(Closing):
    """Takes the features of a recording as they come and has them on disk at once.

    Memory grows by nine bytes a step. What is not saved is gone with the ``with`` block, or with
    the process.
    """

    def __init__(self, folder: Path) -> None:
        """Make room in a folder, on whose disk the file will be.

        Raises:
            OutputError: It cannot be written.
        """
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115, closed by close
        self._folder = folder
        self._rows, self._still = array("q"), bytearray()
        self._segments: list[tuple[float, float]] = []
        self._n_frames: list[int] = []
        self._shape = (0, 0)

    def close(self) -> None:
        """Let go of the features."""
        with suppress(OSError):  # a full disk was met before
            self._file.close()

    def push(self, steps: Sequence[tuple[np.ndarray | None, int]]) -> None:
        """Take the features of the next steps.

        Args:
            steps: (D,) float32 of each picture, None for a still one, which has those of the one
                before; and how many steps have it.

        Raises:
            BundleMismatchError: A number is beyond what 16 bits hold.
            OutputError: The disk is full.
        """
        encoded = [feature for feature, _ in steps if feature is not None]
        n_rows = self._shape[0]
        for feature, n_steps in steps:
            n_rows += feature is not None
            self._rows.extend([n_rows - 1] * n_steps)
            self._still.extend([feature is None] * n_steps)
        if not encoded:
            return
        with np.errstate(over="ignore"):
            rows = np.stack(encoded).astype("<f2")
        if not np.isfinite(rows).all():
            raise BundleMismatchError(
                "Features of this model's frame CNN cannot be written: a number is above 65504 or "
                "none, which 16 bits do not hold; leave out keep (--keep features)"
            )
        self._shape = (n_rows, rows.shape[1])
        with writing(self._folder):
            self._file.write(rows.tobytes())

    def end_segment(self, begin_s: float, span_s: float, n_frames: int) -> None:
        """Note what lies between two gaps; one without a frame is none."""
        if n_frames:
            self._segments.append((begin_s, span_s))
            self._n_frames.append(n_frames)

    def save(self, path: Path, header: FeatureHeader) -> None:
        """Write the file, whole or not at all.

        Raises:
            FeatureFileError: The recording is longer than what is read again.
            OutputError: The file cannot be written.
        """
        if len(self._rows) > MAX_STEPS or len(self._segments) > MAX_SEGMENTS:
            raise FeatureFileError(
                f"{show_path(path)} cannot be written: of {len(self._rows)} steps in "
                f"{len(self._segments)} segments at most {MAX_STEPS} in {MAX_SEGMENTS} are read "
                "again; divide the recording"
            )
        segments = np.array(self._segments, dtype="<f8").reshape(-1, 2)
        arrays = {
            "rows": np.frombuffer(self._rows, dtype=np.int64).astype("<i8"),
            "still": np.frombuffer(self._still, dtype=bool),
            "times_s": compute_times(segments, header.spec.rate_hz).astype("<f8"),
            "segments": segments,
            "n_frames": np.array(self._n_frames, dtype="<i8"),
        }
        text = json.dumps(header.to_json(), indent=2, allow_nan=False)
        with (
            replacing(path) as part,
            zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive,
        ):
            with archive.open("header.json", "w") as file:  # of no date, so bytes are the same
                file.write(text.encode())
            for name, values in arrays.items():
                with archive.open(f"{name}.npy", "w") as file:
                    npy.write_array(file, values, allow_pickle=False)
            with archive.open("features.npy", "w", force_zip64=True) as file:
                form = {"descr": "<f2", "fortran_order": False, "shape": self._shape}
                npy.write_array_header_1_0(file, form)
                self._file.seek(0)
                shutil.copyfileobj(self._file, file, _COPY_BYTES)


def compute_times(segments: np.ndarray, rate_hz: float) -> np.ndarray:
    """Return the (N,) middles of all steps of (S, 2) segments, in seconds from the first frame."""
    parts = [begin_s + compute_step_times(span_s, rate_hz) for begin_s, span_s in segments]
    return np.concatenate([np.zeros(0), *parts])


@dataclass(frozen=True)
class FeatureFile:
    """Features of a recording, of which all but the features themselves is in memory.

    Attributes:
        path: The file.
        header: What they were computed with.
        segments: (S, 2) float64 begin and length in seconds.
        n_frames: (S,) int64 frames of each.
        rows: (N,) int64, row of each step.
        still: (N,) bool.
    """

    path: Path
    header: FeatureHeader
    segments: np.ndarray
    n_frames: np.ndarray
    rows: np.ndarray
    still: np.ndarray
    _archive: zipfile.ZipFile

    def iter_steps(self) -> Iterator[np.ndarray]:
        """Yield the features of each step, (D,) float32, with memory that does not grow.

        Raises:
            FeatureFileError: The file is damaged, or a number is none.
        """
        rows, at, current = self._iter_rows(), -1, np.zeros(0, np.float32)
        for row in self.rows:
            if row > at:
                at, current = int(row), next(rows)
            yield current

    def _iter_rows(self) -> Iterator[np.ndarray]:
        size = 2 * self.header.n_features
        with _explaining(self.path), self._archive.open("features.npy") as file:
            read_header(file, self._archive.getinfo("features.npy"))
            n_left = int(self.rows[-1]) + 1
            while n_left:
                data = _read(file, size * min(n_left, _READ_ROWS))
                found = np.frombuffer(data, dtype="<f2").astype(np.float32)
                if not np.isfinite(found).all():
                    raise ValueError("a feature is no finite number")
                n_left -= len(data) // size
                yield from found.reshape(-1, self.header.n_features)


def _read(file: Any, n_bytes: int) -> bytes:
    data: bytes = file.read(n_bytes)
    if len(data) < n_bytes:
        raise EOFError("it ends before its last step")
    return data


@contextmanager
def open_features(path: Path) -> Iterator[FeatureFile]:
    """Open a file of features, of unknown origin.

    Raises:
        FeatureFileError: It is none, is damaged, or claims what cannot be.
    """
    with _explaining(path):
        archive = zipfile.ZipFile(path)
    with archive:
        with _explaining(path):
            header = _read_header(archive)
            arrays = {name: _read_array(archive, name, kind) for name, kind in _KINDS.items()}
            times_s = arrays.pop("times_s")
            _check(archive, header, times_s, **arrays)
        yield FeatureFile(path, header, **arrays, _archive=archive)


def find_video_of(path: Path) -> Path | None:
    """Return the video that a file of features names; None where it cannot be read."""
    try:
        with _explaining(path), zipfile.ZipFile(path) as archive:
            return _read_header(archive).info.path
    except FeatureFileError:
        return None


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except FeatureFileError:
        raise
    except FileNotFoundError as error:
        raise build_error(path, "there is no such file; check the name and the folder") from error
    except (*DAMAGED, ConfigError, TypeError, AttributeError, OverflowError) as error:
        raise build_error(path, cut_line(str(error)) or type(error).__name__) from error


def _read_header(archive: zipfile.ZipFile) -> FeatureHeader:
    with archive.open("header.json") as file:
        data = file.read(_MAX_HEADER_BYTES + 1)
    if len(data) > _MAX_HEADER_BYTES:
        raise ValueError(f"its header is larger than {_MAX_HEADER_BYTES} bytes")
    return FeatureHeader.from_json(json.loads(data.decode("utf-8")))


def _read_array(archive: zipfile.ZipFile, name: str, kind: str) -> np.ndarray:
    shape = _check_array(archive, name, kind)
    n_most = MAX_SEGMENTS if name in ("segments", "n_frames") else MAX_STEPS
    if max(shape, default=0) > n_most:
        raise ValueError(f"{name} has {max(shape)} rows, at most {n_most} are read")
    with archive.open(f"{name}.npy") as file:
        return npy.read_array(file, allow_pickle=False)


def _check_array(archive: zipfile.ZipFile, name: str, kind: str) -> tuple[int, ...]:
    item = archive.getinfo(f"{name}.npy")
    with archive.open(item) as file:
        shape, dtype, is_fortran = read_header(file, item)
    if dtype != np.dtype(kind) or is_fortran or min(shape, default=0) < 0:
        raise ValueError(f"expected {name} of {kind}, row by row, received {dtype} {shape}")
    return shape


def _check(
    archive: zipfile.ZipFile,
    header: FeatureHeader,
    times_s: np.ndarray,
    segments: np.ndarray,
    n_frames: np.ndarray,
    rows: np.ndarray,
    still: np.ndarray,
) -> None:
    """Refuse arrays that do not belong together.

    Raises:
        ValueError: They do not.
    """
    n_segments, n_steps = len(n_frames), len(rows)
    shapes = (segments.shape, n_frames.ndim, rows.ndim, still.shape, times_s.shape)
    if shapes != ((n_segments, 2), 1, 1, (n_steps,), (n_steps,)) or not n_segments:
        raise ValueError(f"its arrays do not belong together: {shapes}")
    if not (segments.min() >= 0 and segments.max() <= _MAX_S):
        raise ValueError(f"segments must begin and be long from 0 to {_MAX_S:g} s")
    if (segments[:, 1] * header.spec.rate_hz).sum() > n_steps + n_segments:
        raise ValueError(f"its segments have more steps than the {n_steps} there are")
    due_s = compute_times(segments, header.spec.rate_hz)
    fit = due_s.shape == times_s.shape and np.abs(due_s - times_s).max() <= TIME_EPS_S
    if not fit or (np.diff(times_s) <= 0).any() or n_frames.min() < 1:
        raise ValueError("times_s do not follow from its segments")
    counts = np.diff(rows, prepend=-1)
    if ((counts < 0) | (counts > 1)).any() or rows[0] != 0 or (still & (counts == 1)).any():
        raise ValueError("rows must begin with 0 and go up by 1 at each step that is encoded")
    shape = _check_array(archive, "features", "<f2")
    if shape != (int(rows[-1]) + 1, header.n_features):
        raise ValueError(
            f"expected features of {(int(rows[-1]) + 1, header.n_features)}, received {shape}"
        )
