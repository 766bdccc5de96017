"""A bundle as one file: a zip whose names, sizes and hashes are checked on both ways."""

from __future__ import annotations

import errno
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from har.bundle import BUNDLE_FILE, BundleInfo, load_info
from har.bundle_files import find_verified
from har.errors import (
    BundleIntegrityError,
    BundleNotFoundError,
    ConfigError,
    HarError,
    OutputError,
)
from har.escaping import cut_line
from har.files import replacing, replacing_folder

TEXTS = ("README.md", "card.md")
"""What a bundle may hold beside what its contract has hashes of."""
MAX_FILES = 64
MAX_BYTES = 1 << 30
"""Of all files of a bundle together."""
_MAX_NAME = 120
_NAME = re.compile(r"\w[\w.-]*(/\w[\w.-]*){0,3}", re.ASCII)
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can hold: the same bundle gives the same bytes on any day."""
_PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 1


def list_files(folder: Path, info: BundleInfo) -> list[str]:
    """Return the names of all files that belong to a bundle, `bundle.json` first, then by name.

    Raises:
        BundleIntegrityError: A name is unsafe, or there are too many.
    """
    texts = [name for name in TEXTS if (folder / name).is_file() and name not in info.files]
    names = [BUNDLE_FILE, *sorted({*info.files, *texts} - {BUNDLE_FILE})]
    check_names(names, folder)
    return names


def check_names(names: Sequence[str], where: object) -> None:
    """Refuse names that lead out of a folder, that not every system takes, or that fall together.

    Raises:
        BundleIntegrityError: There is one, or there are more than `MAX_FILES`.

    >>> check_names(["bundle.json", "../x"], "a.zip")
    Traceback (most recent call last):
        ...
    har.errors.BundleIntegrityError: a.zip names the file '../x', which no bundle may hold
    """
    if len(names) > MAX_FILES:
        raise BundleIntegrityError(
            f"{where} has {len(names)} files; a bundle has at most {MAX_FILES}"
        )
    seen: set[str] = set()
    for name in names:
        is_device = any(_DEVICES.fullmatch(part) or part.endswith(".") for part in name.split("/"))
        if len(name) > _MAX_NAME or _NAME.fullmatch(name) is None or is_device:
            raise BundleIntegrityError(
                f"{where} names the file {cut_line(repr(name))}, which no bundle may hold"
            )
        if name.lower() in seen:
            raise BundleIntegrityError(f"{where} names the file {name} twice")
        seen.add(name.lower())
    for name in names:
        above = [str(parent) for parent in PurePosixPath(name.lower()).parents]
        if not seen.isdisjoint(above):
            raise BundleIntegrityError(f"{where} names the file {name} in what is a file, too")


def pack(folder: Path, target: Path) -> Path:
    """Write a bundle as one zip file; the same bundle gives the same bytes.

    Args:
        folder: The bundle. Only files that belong to it are taken.
        target: The file to write.

    Raises:
        BundleError: There is no bundle, or one of its files is missing, altered or too large.
        OutputError: The file is there already, or cannot be written.
    """
    info = load_info(folder)
    names = list_files(folder, info)
    paths = [find_file(folder, info, name) for name in names]
    _check_bytes(sum(path.stat().st_size for path in paths), folder)
    if target.exists():
        raise OutputError(f"{target} is there already; name another file or remove it")
    with replacing(target) as part, zipfile.ZipFile(part, "w") as archive:
        for name, path in zip(names, paths, strict=True):
            entry = zipfile.ZipInfo(name, _FIRST_DAY)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            with path.open("rb") as source, archive.open(entry, "w") as sink:
                shutil.copyfileobj(source, sink)
    return target


def find_file(folder: Path, info: BundleInfo, name: str) -> Path:
    """Return the path of one of the files of `list_files`, its hash checked where there is one.

    Raises:
        BundleIntegrityError: It is missing, altered, or a link out of the folder.
    """
    if name in info.files:
        return find_verified(folder, info, name)
    path = folder / name
    if path.is_symlink():
        raise BundleIntegrityError(f"{path} is a link; put the file itself there")
    return path


def unpack(archive: Path, folder: Path) -> BundleInfo:
    """Write the bundle of a zip file into a new folder, whole or not at all.

    Args:
        archive: What `pack` wrote, or somebody else: nothing of it is trusted.
        folder: Must not be there, or be empty.

    Returns:
        The bundle's contract, the hashes of all its files checked.

    Raises:
        BundleNotFoundError: There is no such file.
        BundleIntegrityError: It is no bundle, or holds what no bundle may.
        ConfigError: The folder holds something.
        OutputError: The folder cannot be written.
    """
    if not archive.is_file():
        raise BundleNotFoundError(f"There is no file {archive}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is there already; name a new folder")
    with replacing_folder(folder) as part:
        with _reading(archive), zipfile.ZipFile(archive) as opened:
            for entry in _check_entries(opened, archive):
                _extract(opened, entry, part)
        return check_contents(part, archive)


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    """Say of what `zipfile` raises that the file is damaged, or may not be read."""
    try:
        yield
    except HarError:
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        reason = cut_line(str(error)) or "it ends early"
        raise BundleIntegrityError(f"{archive} cannot be read as a zip file: {reason}") from error
    except OSError as error:
        if error.errno != errno.EINVAL and error.filename != str(archive):
            raise  # of what is written
        raise BundleIntegrityError(
            f"{archive} cannot be read as a zip file: {error.strerror}; copy it again, and check "
            "who may read it"
        ) from error


def _check_entries(opened: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    entries = opened.infolist()
    check_names([entry.filename for entry in entries], archive)
    _check_bytes(sum(entry.file_size for entry in entries), archive)
    for entry in entries:
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG) or entry.flag_bits & _ENCRYPTED:
            raise BundleIntegrityError(
                f"{archive}: {entry.filename} is no plain file (a link, or encrypted)"
            )
        if entry.compress_type not in _PLAIN:
            raise BundleIntegrityError(
                f"{archive}: {entry.filename} is compressed in a way that no bundle is"
            )
    if BUNDLE_FILE not in opened.namelist():
        raise BundleIntegrityError(
            f"{archive} holds no {BUNDLE_FILE} at its top; make it with 'har bundle pack'"
        )
    return entries


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """Write one file; zipfile itself stops at the size that was checked."""
    target = folder / entry.filename
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened.open(entry) as source, target.open("xb") as sink:
        shutil.copyfileobj(source, sink)


def check_contents(folder: Path, where: object) -> BundleInfo:
    """Return the contract of a bundle that has just been put together from elsewhere.

    Raises:
        BundleIntegrityError: A file is missing, altered, or none of the bundle's.
    """
    info = load_info(folder)
    names = list_files(folder, info)
    for name in names:
        find_file(folder, info, name)
    strangers = sorted(set(_iter_names(folder)) - set(names))
    if strangers:
        raise BundleIntegrityError(
            f"{where} holds {', '.join(strangers)}, which its contract has no hash of"
        )
    return info


def _iter_names(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if not path.is_dir():
            yield path.relative_to(folder).as_posix()


def _check_bytes(n_bytes: int, where: object) -> None:
    if n_bytes > MAX_BYTES:
        raise BundleIntegrityError(
            f"{where} has {n_bytes / 1e6:.0f} MB; a bundle has at most {MAX_BYTES / 1e6:.0f} MB"
        )
