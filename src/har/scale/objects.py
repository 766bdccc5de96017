"""Videos in object stores: listed, and brought to scratch for as long as they are worked on.

Only what a person names by its address is asked for. Who may read it is settled by the variables
and files that the store's own tools use (``AWS_PROFILE``, ``AWS_ENDPOINT_URL``,
``GOOGLE_APPLICATION_CREDENTIALS``).
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from har.addresses import ObjectPath, mask_address
from har.config import FetchConfig
from har.dataset.catalog import may_be_video
from har.errors import MissingDependencyError, VideoError, VideoNotFoundError, VideoOpenError
from har.feature_files import FEATURES_ENDING, is_features
from har.files import writing
from har.inference.folder import StoredFile

_EXTRAS = {"s3": "s3", "gs": "gs", "az": "az", "memory": "scale"}
_CHUNK_BYTES = 8 * 1024 * 1024
_GB = 1e9
_PAUSES_S = (1.0, 5.0)
"""Before a file that could not be read to its end is asked for again."""

_FOLDER, _LOCK = "har-fetched-", "in-use.lock"


def list_videos(address: ObjectPath) -> dict[Path, StoredFile]:
    """Return the video at an address, or those below it, by name.

    Raises:
        MissingDependencyError: The package for this store is not installed.
        VideoNotFoundError: There is none.
        VideoOpenError: The store does not answer, or refuses.
    """
    store, place = _open(address)
    try:
        store.invalidate_cache()
        found = store.find(place, detail=True)
    except Exception as error:
        raise VideoOpenError(
            f"{address} cannot be listed: {_describe(error)}. Check the name, the network, and who "
            "may read it"
        ) from error
    scheme = address.parts[0]
    files = {ObjectPath(f"{scheme}/{name.lstrip('/')}"): found[name] for name in sorted(found)}
    stems = {p.with_suffix("") for p in files if p != address and may_be_video(p)}
    chosen: dict[Path, StoredFile] = {
        path: StoredFile(_find_version(info), int(info.get("size") or 0))
        for path, info in files.items()
        if path == address
        or (is_features(path) and path.with_name(path.name[: -len(FEATURES_ENDING)]) not in stems)
        or may_be_video(path.relative_to(address))
    }
    if not chosen:
        raise VideoNotFoundError(f"There is no video at {address}; check the address")
    return chosen


def _find_version(info: dict[str, Any]) -> str:
    """Return what changes with a file's content: what the store calls so, and its size."""
    names = ("ETag", "etag", "md5Hash", "content_md5", "LastModified", "mtime", "created")
    return f"{info.get('size')} {next((info[name] for name in names if info.get(name)), '')}"


@contextmanager
def fetching(config: FetchConfig, path: Path, stored: StoredFile) -> Iterator[Path]:
    """Have a file of an object store on this machine inside the ``with`` block.

    What a process that was killed has left in scratch is removed first.

    Raises:
        VideoOpenError: It is too large, or cannot be read.
        OutputError: The scratch folder cannot be written.
    """
    _check_size(config, path, stored.n_bytes)
    scratch = config.scratch or Path(tempfile.gettempdir())
    with writing(scratch):
        scratch.mkdir(parents=True, exist_ok=True)
        _remove_left(scratch)
        folder = Path(tempfile.mkdtemp(prefix=_FOLDER, dir=scratch))
    try:
        with FileLock(folder / _LOCK):
            ending = FEATURES_ENDING if is_features(path) else path.suffix[:16]
            file = folder / f"video{ending}"
            _fetch(config, path, file)
            yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_left(scratch: Path) -> None:
    for folder in scratch.glob(f"{_FOLDER}*"):
        with suppress(Timeout, OSError):
            if time.time() - folder.stat().st_mtime > 60:  # its owner may be about to lock it
                with FileLock(folder / _LOCK).acquire(timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)


def _fetch(config: FetchConfig, path: Path, file: Path) -> None:
    for pause_s in (*_PAUSES_S, None):
        try:
            return _fetch_once(config, path, file)
        except _ReadError as error:
            if pause_s is None:
                raise VideoOpenError(
                    f"{path} cannot be fetched: {_describe(error.cause)}. Check the name, the "
                    "network, and who may read it"
                ) from error.cause
            time.sleep(pause_s)
    return None


class _ReadError(Exception):
    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _fetch_once(config: FetchConfig, path: Path, file: Path) -> None:
    n_bytes = 0
    with writing(file), file.open("wb") as target:
        for chunk in _read(path):
            n_bytes += len(chunk)
            _check_size(config, path, n_bytes)
            target.write(chunk)


def _read(path: Path) -> Iterator[bytes]:
    try:
        store, place = _open(path)
        with store.open(place, "rb", block_size=_CHUNK_BYTES) as source:
            while chunk := source.read(_CHUNK_BYTES):
                yield chunk
    except (VideoError, MissingDependencyError, GeneratorExit):
        raise
    except Exception as error:
        raise _ReadError(error) from error


def _check_size(config: FetchConfig, path: Path, n_bytes: int) -> None:
    if n_bytes > config.max_gb * _GB:
        raise VideoOpenError(
            f"{path} has {n_bytes / _GB:.3g} GB or more, and files above {config.max_gb:g} GB are "
            "not fetched; allow more with max_gb (--max-gb)"
        )


def _open(path: Path) -> tuple[Any, str]:
    bucket = "".join(path.parts[1:2])
    if "::" in str(path) or ":" in bucket:  # fsspec would open what stands behind it, too
        raise VideoOpenError(
            f"{mask_address(str(path))} is not opened: no address of a store has '::', or ':' in "
            "its first part; rename the file, and give keys by the store's own variables"
        )
    extra = _EXTRAS[path.parts[0].rstrip(":")]
    try:
        import fsspec

        return fsspec.core.url_to_fs(str(path))
    except ImportError as error:
        raise MissingDependencyError(
            f"{path} needs a package that is not installed ({error}); run: "
            f"pip install 'human-action-recognition[{extra}]'"
        ) from error


def _describe(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
