"""Tutorials: what they name exists, and they hold no outputs; `scripts/build_docs.py` runs them."""

import ast
import json
import re
from pathlib import Path

import pytest

import har

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.ipynb"))


def test_there_are_three() -> None:
    assert [path.stem for path in NOTEBOOKS] == [
        "coding-to-agreement",
        "first-recording",
        "your-own-classes",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_hold_no_outputs_and_name_what_there_is(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            ast.parse(source)
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
            for name in re.findall(r"\bhar\.([A-Za-z_]\w*)", source):
                assert hasattr(har, name), f"{path.name}: har.{name}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_links_of_cells_resolve(path: Path) -> None:
    text = "".join("".join(cell["source"]) for cell in json.loads(path.read_text())["cells"])
    for target in re.findall(r"\]\(([^)\s]+\.md)\)", text):
        found = path.parent / target
        assert found.exists() or found.with_suffix(".ipynb").exists(), target
