"""The pages say what the commands do."""

import re
import runpy
from pathlib import Path

from har.cli import har

ROOT = Path(__file__).parents[3]


def test_the_page_of_commands_is_their_help():
    script = runpy.run_path(str(ROOT / "scripts" / "write_commands.py"))
    assert script["PAGE"].read_text() == script["render_page"](), "run scripts/write_commands.py"


def test_the_readme_names_every_command_and_no_other():
    table = (ROOT / "README.md").read_text().split("## Commands")[1]
    named = set(re.findall(r"^\| `har ([\w-]+)", table, re.MULTILINE))
    assert named == set(har.commands)


def test_every_option_in_the_guide_exists():
    known = {opt for command in har.commands.values() for p in command.params for opt in p.opts}
    for page in ("README.md", "docs/guide.md"):
        used = set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", (ROOT / page).read_text()))
        assert used - known <= {"--help", "--video_path", "--debug", "--video", "--dist"}, page
