"""The field's words: no term that the project has left behind meets a user or a Python programmer.

The terms are explained in docs/explanation/glossary.md. Names are checked word by
word; texts (help of all commands, messages of errors and logs, pages) by patterns, for many of
these words are plain English elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from har.cli import har

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "har").rglob("*.py"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HISTORY = {"decisions", "experiments", "glossary.md"}
"""Pages of what was tried and decided at the time, and the one that explains old terms."""

OLD_NAMES = {
    *("sure", "sureness", "unsure", "made", "sighting", "sightings", "finding", "findings"),
    *("voice", "voices", "speak", "speaks", "hear", "hears", "heard", "says", "said", "tell"),
    *("tells", "told", "focus", "look", "looks", "looked", "looker", "view", "views", "zoom"),
    *("shrink", "shrunk", "kept", "tally", "tallies", "board", "doctor", "floor", "lettering"),
    *("staging", "desk", "station", "mailbox", "stretch", "stretches", "asks", "asked", "wants"),
    *("minds", "notice", "notices"),
}
PLAIN_NAMES = {"take_first_look", "first_look", "on_first_look"}
"""A first look is a first look."""

NAMES_THAT_STAY = {
    # Fields of stores and bundles that earlier versions wrote, read under their old names.
    "har.bundle",
    # The ground that people of the renderer stand on, and a stretched arm, are what they are.
    "har.synthetic",
}
"""Modules and packages in which such a word is plain English or an old file's."""

OLD_IN_TEXTS = {
    "confidence": r"(?<!make )(?<!makes )(?<!be )\b(un)?sure(ness)?\b",
    "synthetic": r"\bmade (clips?|people|data|recordings?|figures|sequences|videos?|by har)\b"
    r"|\bclips? (that )?(is|are|were) made\b",
    "pose tracks": r"\bsightings?\b",
    "output": r"\bfindings?\b",
    "branch, logits, input": r"\b(voices?|speaks?|spoken|hears?|heard)\b",
    "motion crop": r"\b(zoom\w*|focus(es)?)\b"
    r"|\b(model|network|CNN|bundle|stream|head)s? (now )?(looks?|looked) at\b",
    "downsample": r"\b(shrinks?|shrunk|shrinking)\b",
    "cache": r"\bkept (scores|results?|features|keypoints)\b",
    "linear branch": r"\blinear path\b",
    "single-person label": r"\bact beside\b|\btold from one body\b",
    "abstain, uncertain": r"\b(can ?not|can't|could not|no one can|nobody can) tell\b"
    r"|\W*is uncertain\W*$",
    "does, requires": r"\b(asks?|asked|wants?|minds)\b",
    "segment": r"\b(live|camera's) stretch(es)?\b",
    "summary": r"\b(tally|tallies)\b",
    "progress": r"\bboard\b",
    "validation": r"\bdoctor\b",
    "shortcut baseline": r"\bshortcut floor\b|\babove the floor\b|\bfloor of\b",
    "text": r"\blettering\b",
    "capture": r"\bstaging\b|\bhar stage\b",
    "alert manager, service, step queue": r"\b(desk|station|mailbox(es)?)\b",
    "coded event": r"(?<!not )\b(an?|the|each|every|of|coded|no|several) acts?\b(?! of)"
    r"|\bacts (coded|found|that)\b",
    "notifications": r"\bnotices\b|(?<!without )\ba notice\b",
    "event log (journal)": r"(?<!\()\bjournal\b",
}
OLD_IN_MESSAGES = {
    "has, expects": r"\b(says|said|tells?|told)\b",
    "reference coding (truth)": r"(?<!ground )\btruth\b",
}
"""In prose of pages these have their plain sense; in help and messages they are of code."""


def _iter_public_names(tree: ast.Module) -> Iterator[str]:
    """Return the names of a module that do not begin with an underscore, parameters included."""
    for node in tree.body:
        yield from _names_of(node)


def _names_of(node: ast.stmt) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name, args=args) if (
            not name.startswith("_") or name == "__init__"
        ):
            yield name
            yield from (a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs))
        case ast.ClassDef(name=name, body=body) if not name.startswith("_"):
            yield name
            for inner in body:
                yield from _names_of(inner)
        case ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("_"):
            yield name
        case ast.Assign(targets=targets):
            yield from (t.id for t in targets if isinstance(t, ast.Name) and t.id[0] != "_")


def _split(name: str) -> set[str]:
    """Return the words of a name.

    >>> sorted(_split("MotionCrop_of_step"))
    ['crop', 'motion', 'of', 'step']
    """
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


def _to_module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)


@pytest.mark.parametrize("path", SOURCES, ids=_to_module)
def test_public_names_are_the_fields_words(path):
    module = _to_module(path)
    if any(module == stays or module.startswith(f"{stays}.") for stays in NAMES_THAT_STAY):
        return
    names = [path.stem, *_iter_public_names(ast.parse(path.read_text(encoding="utf-8")))]
    assert [n for n in names if _split(n) & OLD_NAMES and n not in PLAIN_NAMES] == []


def _find_old(text: str, patterns: dict[str, str]) -> list[str]:
    """Return what is found of each pattern, with the words around it and the term to use."""
    found = []
    for term, pattern in patterns.items():
        for match in re.finditer(pattern, text, re.IGNORECASE):
            around = text[max(match.start() - 40, 0) : match.end() + 40].replace("\n", " ")
            found.append(f"{match.group()!r} ({term}) in ...{around}...")
    return found


def _iter_commands(
    command: click.Command, words: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    yield words
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from _iter_commands(inner, (*words, name))


@pytest.mark.parametrize("words", list(_iter_commands(har)), ids=" ".join)
def test_help_is_in_the_fields_words(words):
    help_text = CliRunner().invoke(har, [*words, "--help"], terminal_width=200).output
    assert _find_old(help_text, OLD_IN_TEXTS | OLD_IN_MESSAGES) == []


CALLS = {"warning", "error", "info", "say", "echo", "secho", "note", "log", "check"}
"""Functions whose texts a user reads."""


def _iter_texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return the literals of messages: of errors, of logs, and of what commands print."""
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call(args=args)):
                pass
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if (
                name in CALLS or name.startswith("say_")
            ):
                pass
            case ast.Call(keywords=keywords):
                args = [word.value for word in keywords if word.arg in ("help", "reason", "note")]
            case _:
                continue
        for arg in args:
            yield (
                node.lineno,
                "".join(
                    part.value
                    for part in ast.walk(arg)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                ),
            )


@pytest.mark.parametrize("path", SOURCES, ids=_to_module)
def test_messages_are_in_the_fields_words(path):
    texts = _iter_texts(ast.parse(path.read_text(encoding="utf-8")))
    patterns = OLD_IN_TEXTS | OLD_IN_MESSAGES
    assert [
        f"line {line}: {old}" for line, text in texts for old in _find_old(text, patterns)
    ] == []


CODE_AND_LINKS = re.compile(r"```.*?```|`[^`\n]*`|\]\([^)]*\)|^:::.*?$", re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [page for page in PAGES if not set(page.relative_to(ROOT).parts) & HISTORY],
    ids=lambda page: page.relative_to(ROOT).as_posix(),
)
def test_pages_are_in_the_fields_words(path):
    text = CODE_AND_LINKS.sub("", path.read_text(encoding="utf-8"))
    assert _find_old(text, OLD_IN_TEXTS) == []


def test_the_patterns_find_what_they_are_for():
    old = "The doctor asks for sureness where nobody can tell; 3 acts coded, the journal says so"
    found = _find_old(old, OLD_IN_TEXTS | OLD_IN_MESSAGES)
    assert len(found) == 8
    assert _find_old("Make sure that the event log (journal) is there", OLD_IN_TEXTS) == []
