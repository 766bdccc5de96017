"""What the public functions take in several forms, brought to one."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import sys
import warnings
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from har.addresses import is_hub_address
from har.bundle_files import find_bundle
from har.config import DecodeConfig, change_rules, load_config
from har.errors import ConfigError, MissingDependencyError

if TYPE_CHECKING:
    from har.api.model import Model

StrPath = str | Path
"""A path, or its text."""
Rules = DecodeConfig | StrPath
"""How scores become events: settings, or a JSON or TOML file of them such as `har.tune` writes."""


def build_decode(
    base: DecodeConfig, decode: Rules | None, changes: Mapping[str, float] | None
) -> DecodeConfig:
    """Return rules with a file's, if one is named, over them, and single settings over those.

    Args:
        base: The model's.
        decode: Settings that stand in the place of the model's, or a file of some that go over
            them.
        changes: Single settings by name, ``onset``, or for one label, ``hit.onset``.

    Raises:
        ConfigError: The file cannot be read, a name is unknown or a value is out of its bounds.

    >>> build_decode(DecodeConfig(), None, {"hit.onset": 0.7}).labels
    {'hit': {'onset': 0.7}}
    """
    if isinstance(decode, DecodeConfig):
        base = decode
    elif decode is not None:
        base = load_config(to_path(decode), base)
    return change_rules(base, changes or {})


def find_folder(model: Model | StrPath | None) -> Path:
    """Return the folder of a model that is loaded, named, on a hub, or, for None, the default.

    Raises:
        BundleError: There is none, or the hub does not give it.
        MissingDependencyError: It is on a hub, and the extra ``hub`` is not installed.
    """
    if model is None:
        return find_bundle()
    if not isinstance(model, str | Path):
        return model.path
    if is_hub_address(str(model)):
        with extra("hub"):
            from har.sharing.hub import fetch, parse_address

            return fetch(parse_address(str(model)))
    return find_bundle(to_path(model))


def to_path(value: StrPath) -> Path:
    """Return a path, or its text, as a path.

    Raises:
        ConfigError: The text is empty, which would mean the current folder.
    """
    if value == "":
        raise ConfigError("A path is empty; name a file or folder, or '.' for the current folder")
    return Path(value)


def list_paths(paths: StrPath | Iterable[StrPath]) -> list[Path]:
    """Return one path or several as a list.

    >>> [str(path) for path in list_paths("a.mp4")]
    ['a.mp4']
    """
    return [to_path(path) for path in ([paths] if isinstance(paths, str | Path) else paths)]


@contextmanager
def extra(name: str) -> Generator[None]:
    """Turn a missing package into what to install.

    Raises:
        MissingDependencyError: A package is missing; it is part of the extra ``name``.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingDependencyError(
            f"This needs the package {error.name}, which is not installed; "
            f"run: pip install 'human-action-recognition[{name}]'"
        ) from error


def check_extra(name: str, package: str) -> None:
    """Refuse to begin what a package is missing for, without loading it.

    Raises:
        MissingDependencyError: It is not installed; it is part of the extra ``name``.
    """
    with extra(name):
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(name=package)


@contextmanager
def training() -> Generator[None]:
    """Load Keras and its backend without their chatter, and keep them quiet meanwhile.

    Raises:
        MissingDependencyError: They are not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with extra("train"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with _muted_stderr():
            importlib.import_module("keras")
        yield


@contextmanager
def _muted_stderr() -> Generator[None]:
    """Send what native code writes to standard error nowhere; TensorFlow has no switch for it."""
    sys.stderr.flush()
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)
