"""Where the data, the model and the software of a report are from, as names and values."""

from __future__ import annotations

import platform
import shlex
from collections.abc import Iterable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from har.bundle import BundleInfo
from har.dataset.store import Store
from har.files import compute_file_hash, show_path
from har.progress import format_count
from har.version import __version__

_PACKAGES = ("numpy", "onnxruntime", "av", "opencv-python-headless", "keras")
_BACKENDS = ("tensorflow-cpu", "tensorflow", "torch", "jax")


def list_model_facts(info: BundleInfo, bundle: Path) -> dict[str, str]:
    """Return what a model is and what its files are."""
    streams = "; ".join(
        f"{stream.name}, windows of {stream.spec.window_s:g} s, {stream.spec.rate_hz:g} steps a "
        "second"
        for stream in info.streams
    )
    made_with = ", ".join(f"{name} {number}" for name, number in info.versions.items())
    facts = {
        "Model": show_path(bundle),
        "Labels": ", ".join(info.labels),
        "Streams": streams,
        "Model made with": made_with,
        "Learned from (hash of the prepared clips)": info.data_hash,
    }
    hashes = {f"SHA-256 of {name}": digest for name, digest in info.files.items()}
    return {name: value for name, value in {**facts, **hashes}.items() if value}


def list_store_facts(store: Store, part: str) -> dict[str, str]:
    """Return what the clips are."""
    height, width = store.size
    n_groups = len({clip.group for clip in store.clips})
    return {
        "Prepared clips (store)": show_path(store.path),
        "In the store": f"{format_count(len(store.clips), 'clip')} in "
        f"{format_count(n_groups, 'group')}, {len(store.rejects)} left out; "
        f"{part} clips are scored here",
        "Groups from": store.settings.group_source,
        "Pictures": f"{width} x {height} px, {store.color}",
        "Hash of the clips": store.data_hash,
        **list_versions(),
    }


def list_versions() -> dict[str, str]:
    """Return the versions of what the figures were made with."""
    found = [f"har {__version__}", f"Python {platform.python_version()}"]
    for name in (*_PACKAGES, *_BACKENDS):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return {"Made with": ", ".join(found)}


def list_file_facts(files: Mapping[str, Path]) -> dict[str, str]:
    """Return path and SHA-256 of some files, by what they are."""
    facts = {}
    for name, path in files.items():
        facts[name] = show_path(path)
        if path.is_file():
            facts[f"SHA-256 of {path.name}"] = compute_file_hash(path)
    return facts


def format_command(
    words: Iterable[str | Path], options: Mapping[str, Iterable[str | Path | float]]
) -> str:
    """Return a command as a shell takes it; an option is repeated for each of its values.

    >>> format_command(("har", "predict", "my clip.mp4"), {"--out": ["results"], "--label": []})
    "har predict 'my clip.mp4' --out results"
    """
    parts = [str(word) for word in words]
    for name, values in options.items():
        for value in values:
            parts += [name, str(value)]
    return shlex.join(parts)
