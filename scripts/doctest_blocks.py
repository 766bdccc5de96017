"""Griffe extension for the docs site: doctests become examples.

Docstrings here end with ``>>>`` lines, or with a section ``Example:`` of them; Markdown would take
both for quotations.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

_HEADING = re.compile(r"^Example:$", re.MULTILINE)
_BLOCK = re.compile(r"(?:^|\n)\n(>>> .*?)(?=\n\n(?!>>>)|\Z)", re.DOTALL)


class DoctestBlocks(griffe.Extension):
    """Put doctests into sections ``Examples:``, which the docs site renders as code."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Change the docstring of an object that has been loaded."""
        if obj.docstring is not None:
            text = _HEADING.sub("Examples:", obj.docstring.value)
            obj.docstring.value = _BLOCK.sub(_indent, text)


def _indent(match: re.Match[str]) -> str:
    lines = match[1].splitlines()
    return "\n\nExamples:\n" + "\n".join(f"    {line}".rstrip() for line in lines)
