"""Joints in space as a person would bring them: a file a sequence, a manifest, a prepared store."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from har.config import PrepareConfig
from har.dataset.prepare import prepare
from har.dataset.store import Store
from transfer_parts.domains import iter_motion

MANIFEST = "manifest.csv"


def write_sequences(name: str, data_dir: Path, folder: Path) -> Path:
    """Write the sequences of a file of motion one by one, and return their manifest.

    Args:
        name: Of the file in ``motion``, without its ending.
        data_dir: Has the folder ``motion``.
        folder: Gets an archive a sequence and ``manifest.csv`` of path, label and group.
    """
    manifest = folder / MANIFEST
    if manifest.is_file():
        return manifest
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for number, found in enumerate(iter_motion(name, data_dir)):
        points, fps, action, subject, joints = found
        path = folder / f"{number:04d}.npz"
        np.savez(path, points=points, joints=np.array(joints), fps=fps, units=np.array("meters"))
        rows.append((path.name, action, subject))
    with manifest.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("path", "label", "group"), *rows])
    return manifest


def prepare_motion(name: str, data_dir: Path, out: Path) -> Store:
    """Return the prepared sequences of a file of motion."""
    manifest = write_sequences(name, data_dir, out / "sequences" / name)
    return prepare(manifest, out / "stores" / name, PrepareConfig(jobs=1), progress=True).store
