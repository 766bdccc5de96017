"""Griffe extension for the docs site: a doctest without a heading of its own becomes an example.

Docstrings here end with ``>>>`` lines; Markdown would take those for quotations.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_BLOCK = re.compile(r"(?:^|\n)\n(>>> .*?)(?=\n\n(?!>>>)|\Z)", re.DOTALL)


class DoctestBlocks(griffe.Extension):
    """Put the section ``Examples:`` over bare doctests."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change the docstring of an object that has been loaded."""
        if obj.docstring is not None:
            obj.docstring.value = _BLOCK.sub(_indent, obj.docstring.value)


def _indent(match: re.Match[str]) -> str:
    lines = match[1].splitlines()
    return "\n\nExamples:\n" + "\n".join(f"    {line}".rstrip() for line in lines)
