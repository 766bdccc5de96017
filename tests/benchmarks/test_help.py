"""Every script of the repository can be imported and says what it does."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))
SCRIPTS = [
    ROOT / "scripts" / name for name in ("train_three_class.py", "three_class/write_sequences.py")
]

PARTS = sorted(
    ".".join(path.relative_to(ROOT / "benchmarks").with_suffix("").parts)
    for path in (ROOT / "benchmarks").glob("*/*.py")
    if path.stem != "__init__"
)


def test_there_are_scripts():
    assert len(BENCHMARKS) >= 10


@pytest.mark.parametrize("script", [*BENCHMARKS, *SCRIPTS], ids=lambda path: path.stem)
def test_help_is_printed(script, tmp_path):
    """Its docstring's first line is in it; it is run from elsewhere."""
    words = [sys.executable, script, "--help"]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    first = script.read_text().split('"""')[1].split("\n")[0]
    assert first in " ".join(done.stdout.split())
    assert "--help" in done.stdout


@pytest.mark.parametrize("name", PARTS)
def test_parts_that_scripts_load_late_can_be_imported(name):
    assert importlib.import_module(name).__doc__
