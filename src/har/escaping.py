"""Text of others (labels, names of files, messages of FFmpeg) where it could do harm.

On a terminal control characters could move the cursor or hide lines; in a spreadsheet a cell that
begins like a formula is run as one; in Markdown marks become links or pictures.
"""

from __future__ import annotations

import re

_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
_MAX_LETTERS = 400
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_MARKS = re.compile(r"([\\`*\[\]<>|&])")


def show_controls(text: str) -> str:
    r"""Return a text with control characters, and what is no text at all, as escapes.

    Tabs and new lines stay. Letters that turn the direction of writing count as controls.

    >>> print(show_controls("a\x1b[2Jb\udcff"))
    a\x1b[2Jb\udcff
    """
    return _CONTROLS.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def show_line(text: str) -> str:
    r"""Return a text as one line: `show_controls`, and blanks for tabs and new lines.

    >>> show_line("hit\n\terror: none")
    'hit error: none'
    """
    return show_controls(" ".join(text.split()))


def cut_line(text: str) -> str:
    """Return a text as one line of at most 400 letters: messages quote what files are filled with.

    >>> len(cut_line("one " * 1000))
    403
    """
    line = show_line(text[: 2 * _MAX_LETTERS])
    return line if len(line) <= _MAX_LETTERS else f"{line[:_MAX_LETTERS]}..."


def guard_cell(text: str, guard: bool = True) -> str:
    """Return a cell that no spreadsheet takes for a formula: with a ``'`` before it where needed.

    Without ``guard`` it stays as it is, for programs that read it.

    >>> guard_cell("=1+1"), guard_cell("hit"), guard_cell("'-x")
    ("'=1+1", 'hit', "''-x")
    """
    return f"'{text}" if guard and _FORMULA.match(text) else text


def unguard_cell(text: str) -> str:
    """Return what `guard_cell` was given.

    >>> unguard_cell("'=1+1"), unguard_cell("'hit'")
    ('=1+1', "'hit'")
    """
    return text[1:] if text.startswith("'") and _FORMULA.match(text) else text


def escape_markdown(text: str) -> str:
    r"""Return a text as one line that Markdown shows as it is.

    >>> print(escape_markdown("![x](http://a) <b>"))
    !\[x\](http://a) \<b\>
    """
    return _MARKS.sub(r"\\\1", show_line(text))
