"""What is wrong with a bundle, all of it at once."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from har.bundle import BundleInfo, load_info
from har.errors import BundleError, HarError
from har.inference.model import Recognizer
from har.sharing.archive import find_file, list_files, unpack


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what was found wrong.

    Attributes:
        labels: Of the model; none where its contract cannot be read.
        files: Names of the files that belong to it.
        n_bytes: Of those that are there.
        problems: A sentence for each; none where all is well.
    """

    labels: tuple[str, ...]
    files: tuple[str, ...]
    n_bytes: int
    problems: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the fields that `har bundle verify --json` prints."""
        return {
            "labels": list(self.labels),
            "files": list(self.files),
            "n_bytes": self.n_bytes,
            "problems": list(self.problems),
        }


def verify(source: Path) -> Verified:
    """Look at a bundle, in a folder or in one file: its contract, its files, whether they run.

    Raises:
        BundleNotFoundError: There is none.
    """
    if not source.is_file():
        return _verify_folder(source)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "bundle"
        try:
            unpack(source, folder)
        except BundleError as error:
            return Verified((), (), source.stat().st_size, (str(error),))
        return _verify_folder(folder)


def _verify_folder(folder: Path) -> Verified:
    try:
        info = load_info(folder)
        names = list_files(folder, info)
    except FileNotFoundError:
        raise
    except BundleError as error:
        return Verified((), (), 0, (str(error),))
    problems = list(_list_problems(folder, info, names))
    paths = [folder / name for name in names if (folder / name).is_file()]
    n_bytes = sum(path.stat().st_size for path in paths)
    return Verified(info.labels, tuple(names), n_bytes, tuple(problems))


def _list_problems(folder: Path, info: BundleInfo, names: list[str]) -> list[str]:
    problems = []
    for name in names:
        try:
            find_file(folder, info, name)
        except BundleError as error:
            problems.append(str(error))
    missing = [name for name in info.graph_names if name not in info.files]
    problems += [f"The contract of {folder} has no hash of {name}" for name in missing]
    if not problems:  # a graph that was altered is not run
        try:
            Recognizer(folder, n_threads=1)
        except HarError as error:
            problems.append(str(error))
    return problems
