"""The page of commands and the README say what the commands do; other pages: tests/docs."""

import runpy
from pathlib import Path

from har.cli import har

ROOT = Path(__file__).parents[3]


def test_the_page_of_commands_is_their_help():
    script = runpy.run_path(str(ROOT / "scripts" / "write_commands.py"))
    assert script["PAGE"].read_text() == script["render_page"](), "run scripts/write_commands.py"


def test_the_page_of_commands_names_every_command_and_no_other():
    page = (ROOT / "docs" / "reference" / "commands.md").read_text()
    table = page.split("\n## har ")[0]
    named = [line.split("`")[1] for line in table.splitlines() if line.startswith("| [`har ")]
    assert sorted(named) == sorted(f"har {name}" for name in har.commands)
