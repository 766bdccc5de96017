"""Builds the docs site: executes the tutorials, makes pages of them, calls Zensical, strictly.

``python scripts/build_docs.py`` executes a notebook if it or the package has changed since its page
was made; ``--no-run`` makes pages without outputs, so that links and names are checked in seconds;
``--serve`` shows the site and follows changes of pages. Pages and pictures of tutorials lie beside
the notebooks and are ignored by git.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

ROOT = Path(__file__).resolve().parents[1]
TUTORIALS = ROOT / "docs" / "tutorials"
STAMPS = ROOT / ".cache" / "tutorials"
TIMEOUT_S = 600
"""Of one cell."""
PANDAS_LOOK = re.compile(
    r"<style scoped>.*?</style>\s*|(?<=<table) border=\"1\" class=\"dataframe\"", re.DOTALL
)
"""How pandas dresses its tables; without it they look like all others of the site."""


def build_page(notebook: Path, run: bool) -> float:
    """Make the page of a notebook, and return the seconds that its cells took.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    book = nbformat.read(notebook, as_version=4)
    began_s = time.perf_counter()
    if run:
        execute(book)
    seconds = time.perf_counter() - began_s
    exporter = MarkdownExporter()
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    folder = f"{notebook.stem}_files"
    text, resources = exporter.from_notebook_node(
        book, resources={"output_files_dir": folder, "unique_key": notebook.stem}
    )
    shutil.rmtree(notebook.parent / folder, ignore_errors=True)
    for name, data in resources["outputs"].items():
        path = notebook.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    page = notebook.with_suffix(".md")
    page.write_text(PANDAS_LOOK.sub("", text), encoding="utf-8")
    return seconds


def execute(book: nbformat.NotebookNode) -> None:
    """Run all cells in an empty folder that is deleted afterwards; only what they show stays."""
    scripts = sysconfig.get_path("scripts")
    environment = {
        **os.environ,
        "PATH": os.pathsep.join([scripts, os.environ["PATH"]]),
        "PYTHONPATH": str(ROOT / "src"),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            book, timeout=TIMEOUT_S, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute(env=environment)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]


def compute_stamp(notebook: Path) -> str:
    """Return a hash of a notebook and of the package that it shows."""
    digest = hashlib.sha256(notebook.read_bytes())
    for path in sorted((ROOT / "src").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def build_pages(run: bool) -> None:
    """Make the pages of all tutorials that are not up to date."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    for notebook in sorted(TUTORIALS.glob("*.ipynb")):
        stamp, mark = compute_stamp(notebook), STAMPS / notebook.stem
        page = notebook.with_suffix(".md")
        if page.is_file() and mark.is_file() and mark.read_text() == stamp:
            continue
        seconds = build_page(notebook, run)
        if run:
            mark.write_text(stamp)
            print(f"{notebook.name}: executed in {seconds:.0f} s", flush=True)
        else:
            mark.unlink(missing_ok=True)


def main() -> None:
    """Read the options, make the pages, build or serve the site."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-run", action="store_true", help="pages without outputs")
    parser.add_argument("--serve", action="store_true", help="show the site on this machine")
    options = parser.parse_args()
    build_pages(run=not options.no_run)
    command = ["serve"] if options.serve else ["build", "--clean", "--strict"]
    sys.exit(subprocess.run([sys.executable, "-m", "zensical", *command], cwd=ROOT).returncode)


if __name__ == "__main__":
    main()
