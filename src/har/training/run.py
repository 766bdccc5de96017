"""Where a training run writes, what it says, and what makes it repeatable."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from har.config import TrainConfig


def say_on_stderr(text: str) -> None:
    """Prints a line for the person who runs the command; standard output is for machines."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True)
class Run:
    """One training run.

    Attributes:
        bundle_dir: The bundle that each stage leaves behind.
        results_dir: Graphs, logs and the state of an interrupted stage; one folder a stage.
        source: A bundle whose weights training starts from, or None.
        progress: Show progress bars.
        say: Takes each line that tells a person what happens.
    """

    bundle_dir: Path
    results_dir: Path
    source: Path | None = None
    progress: bool = True
    say: Callable[[str], None] = say_on_stderr

    def stage_dir(self, stage: str) -> Path:
        """Gives the folder of one stage, made if need be."""
        folder = self.results_dir / stage
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def set_seed(seed: int) -> None:
    """Seeds Python, NumPy and the backend, so that a run can be repeated."""
    keras.utils.set_random_seed(seed)


def compute_fingerprint(*parts: Any) -> str:
    """Gives a short hash of settings and data: only under the same one is a run resumed."""
    plain = [
        dataclasses.asdict(part)
        if dataclasses.is_dataclass(part) and not isinstance(part, type)
        else part
        for part in parts
    ]
    text = json.dumps(plain, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe_recipe(config: TrainConfig) -> dict[str, Any]:
    """Gives all settings as plain values for the bundle."""
    return json.loads(json.dumps(dataclasses.asdict(config)))
