"""How results of several things show themselves in a notebook: a table and the sentences below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

MOST_ROWS = 50
"""Rows of a table in a notebook."""


def render_table(
    header: Sequence[str], rows: Sequence[Sequence[object]], texts: Iterable[str] = ()
) -> str:
    """Return a table, cut after `MOST_ROWS`, and sentences below it; all is escaped here.

    >>> render_table(["video"], [["<a>"]], ["one"])
    '<table><tr><th>video</th></tr><tr><td>&lt;a&gt;</td></tr></table><p>one</p>'
    """
    head = "".join(f"<th>{escape(name)}</th>" for name in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = [f"and {len(rows) - MOST_ROWS} more"] if len(rows) > MOST_ROWS else []
    below = "".join(f"<p>{escape(text)}</p>" for text in (*more, *texts))
    return f"<table><tr>{head}</tr>{body}</table>{below}"
