"""What benchmarks share with a person: the command line, and nested figures as tables."""

from __future__ import annotations

import argparse
from typing import Any

_INDENT = "  "


def build_parser(doc: str) -> argparse.ArgumentParser:
    """Return a parser whose help is a benchmark's docstring: a title, a command, and all else."""
    lines = doc.splitlines()
    return argparse.ArgumentParser(
        description=lines[0],
        epilog="\n".join(lines[4:]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def show(values: dict[str, Any], depth: int = 0) -> list[str]:
    """Return lines: a line a figure, a table a list of alike rows, a heading a group of figures."""
    lines: list[str] = []
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        if _is_table(value):
            lines += [f"{_INDENT * depth}{name}", *_show_table(value, depth + 1)]
        elif isinstance(value, dict) and not _is_figure(value):
            lines += [f"{_INDENT * depth}{name}", *show(value, depth + 1)]
        else:
            lines.append(f"{_INDENT * depth}{name:<{width}}  {_format(value)}")
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _is_figure(value: dict[str, Any]) -> bool:
    return "mean" in value and "ci95" in value


def _show_table(rows: list[dict[str, Any]], depth: int) -> list[str]:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [columns, *([_format(row.get(name, "")) for name in columns] for row in rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    return [
        (_INDENT * depth + "  ".join(f"{text:<{w}}" for text, w in zip(row, widths, strict=True)))
        .rstrip()
        for row in cells
    ]  # fmt: skip


def _format(value: Any) -> str:
    if isinstance(value, dict) and _is_figure(value):
        text = _format(value["mean"])
        if value["ci95"] is not None:
            low, high = value["ci95"]
            text += f" [{_format(low)}, {_format(high)}]"
        return f"{text} of {value['n']}" if "n" in value else text
    if isinstance(value, dict):
        return ", ".join(f"{name} {_format(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(_format(item) for item in value)
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)
