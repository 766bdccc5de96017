"""The version is one, and what a release is made of is there."""

import re
import tomllib
from pathlib import Path

import yaml

import har

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version_is_the_same_everywhere() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert har.__version__ == PROJECT["version"] == citation["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["cff-version"] == "1.2.0"


def test_the_changelog_has_its_newest_part_first() -> None:
    parts = re.findall(r"^## \[([^\]]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert parts[0] == "Unreleased"


def test_pages_name_every_extra_that_people_install() -> None:
    text = (ROOT / "docs" / "reference" / "platforms.md").read_text()
    for extra in set(PROJECT["optional-dependencies"]) - {"dev", "docs", "postgres"}:
        assert re.search(rf"\b{extra}\b", text), extra
