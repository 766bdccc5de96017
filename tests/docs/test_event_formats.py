"""The page of event formats says of each what its module says."""

import re
from pathlib import Path

from har.interchange.formats import FORMATS
from har.interchange.frames import MAX_FRAMES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "event-formats.md"
TEXT = PAGE.read_text()


def test_the_table_has_a_line_a_format() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \|(.*)\|$", TEXT, re.MULTILINE)
    written = [(name, *(cell.strip() for cell in cells.split("|"))) for name, cells in rows]
    assert written == [
        (
            item.name,
            item.title,
            "yes" if item.read else "",
            "yes" if item.write else "",
            " ".join(f"`{ending}`" for ending in item.endings),
            ", ".join(sorted(item.keeps)),
        )
        for item in FORMATS
    ]


def test_formats_of_one_video_are_named() -> None:
    (sentence,) = re.findall(r"^(.*) hold one video a file\.", TEXT, re.MULTILINE)
    assert re.findall("`([^`]+)`", sentence) == [item.name for item in FORMATS if item.one_video]


def test_bounds_are_those_of_the_code() -> None:
    assert f"at most {MAX_FRAMES:,} frames" in TEXT
