"""The recognition install: what it weighs, and how soon it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from speed_parts.child import run_child

_ROOT = Path(__file__).parents[2]
_HEAVY = ("keras", "tensorflow", "torch", "jax")
_WEIGH = """
import json
from importlib.metadata import distributions
def weigh(item):
    paths = [file.locate() for file in item.files or ()]
    return sum(path.stat().st_size for path in paths if path.is_file())
print(json.dumps({item.metadata["Name"]: weigh(item) for item in distributions()}))
"""
_CLIP_S = 2


def install(folder: Path) -> Path:
    """Run ``pip install .`` in a new virtual environment; return its Python."""
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    words = [str(python), "-m", "pip", "install", "--quiet", str(_ROOT)]
    subprocess.run(words, check=True, capture_output=True)
    return python


def weigh(python: Path) -> dict[str, Any]:
    """Return the MB (10^6 bytes) of each package of an environment but of pip itself.

    Raises:
        SystemExit: One of them is a framework for training.
    """
    done = subprocess.run([str(python), "-c", _WEIGH], check=True, capture_output=True, text=True)
    sizes = {name: n for name, n in json.loads(done.stdout).items() if name not in _OF_VENV}
    if heavy := set(sizes) & set(_HEAVY):
        raise SystemExit(f"The recognition install brings {', '.join(heavy)}")
    ranked = sorted(sizes.items(), key=lambda item: -item[1])
    return {
        "mb": round(sum(sizes.values()) / 1e6, 1),
        "largest": {name: round(n / 1e6, 1) for name, n in ranked[:6]},
    }


_OF_VENV = ("pip", "setuptools")
"""Are in a new environment before anything is installed."""


def measure_start(python: Path, bundle: Path, work: Path, n_repeats: int) -> dict[str, Any]:
    """Return the seconds of whole commands, from the start of the process to its end."""
    clip = work / "two_seconds.mp4"
    source = f"testsrc2=size=640x360:rate=25:duration={_CLIP_S}"
    film = ["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p"]
    subprocess.run([*film, str(clip)], check=True)
    out = ["--out", str(work / "out"), "--again"]
    predict = [str(python), "-m", "har", "predict", str(clip), "--bundle", str(bundle), *out]
    commands = {"har predict, 2 s": predict, "har --help": [str(python), "-m", "har", "--help"]}
    found = {}
    for name, command in commands.items():
        spent = run_child(command, n_repeats)
        found[name] = {
            "wall_s": round(spent.wall_s, 2),
            "processor_s": round(spent.processor_s, 2),
        }
    return found
