"""Damaged inputs without number: mutations drawn by a seed, and a process in which each is tried.

A case that hangs or kills its process counts as a fault and the next one goes on in a new process.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any, Protocol

from har.errors import HarError

CASE_S = 10.0
"""No case may take longer."""
MESSAGE_LETTERS = 1500
"""No message may be longer."""
_START_S = 120.0
_ROOM_BYTES = 4 << 30
"""A process may map so much more than it has before its first case; beyond it memory is refused."""

_INTEGERS = (0, 1, -1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, -0x8000_0000, 0xFFFF_FFFF)


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """Return a file with one to three kinds of damage."""
    for _ in range(rng.choice((1, 1, 2, 3))):
        data = rng.choice(_DAMAGES)(bytearray(data), rng)
    return bytes(data)


def _flip(data: bytearray, rng: Random) -> bytearray:
    for _ in range(rng.choice((1, 2, 8, 64, len(data) // 50 + 1))):
        if data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def _edit_header(data: bytearray, rng: Random) -> bytearray:
    """Put other bytes near the beginning or the end, where containers have their headers."""
    for _ in range(rng.choice((1, 2, 4, 16))):
        near = min(len(data), rng.choice((64, 512, 2048)))
        if near:
            place = rng.randrange(near)
            data[place if rng.random() < 0.6 else len(data) - 1 - place] = rng.randrange(256)
    return data


def _edit_integer(data: bytearray, rng: Random) -> bytearray:
    size, order = rng.choice((2, 4, 4, 8)), rng.choice(("big", "little"))
    value = rng.choice(_INTEGERS) % (1 << 8 * size)
    if len(data) > size:
        reach = rng.choice((1024, 4096, len(data)))
        place = rng.randrange(min(reach, len(data) - size))
        place = place if rng.random() < 0.6 else len(data) - size - place
        data[place : place + size] = value.to_bytes(size, order)
    return data


def _truncate(data: bytearray, rng: Random) -> bytearray:
    return data[: rng.randrange(len(data) + 1)]


def _draw_span(data: bytearray, rng: Random) -> tuple[int, int]:
    first = rng.randrange(len(data) + 1)
    return first, min(len(data), first + rng.choice((1, 4, 16, 188, 1024, 8192)))


def _move(data: bytearray, rng: Random) -> bytearray:
    first, last = _draw_span(data, rng)
    piece, rest = data[first:last], data[:first] + data[last:]
    place = rng.randrange(len(rest) + 1)
    return rest[:place] + piece + rest[place:]


def _repeat(data: bytearray, rng: Random) -> bytearray:
    first, last = _draw_span(data, rng)
    return data[:last] + data[first:last] * rng.choice((1, 1, 10)) + data[last:]


def _remove(data: bytearray, rng: Random) -> bytearray:
    first, last = _draw_span(data, rng)
    return data[:first] + data[last:]


def _overwrite(data: bytearray, rng: Random) -> bytearray:
    first, last = _draw_span(data, rng)
    data[first:last] = bytes(last - first) if rng.random() < 0.5 else rng.randbytes(last - first)
    return data


_DAMAGES: tuple[Callable[[bytearray, Random], bytearray], ...] = (
    _flip,
    _edit_header,
    _edit_integer,
    _edit_integer,
    _truncate,
    _move,
    _repeat,
    _remove,
    _overwrite,
)

_DEEP = "@deep@"
_VALUES = (
    *(None, True, False, 0, 1, -1, -5, 3, 1.5, 10**9, -(10**9), 10**400, 1e308, -1e308, 1e-320),
    *(float("nan"), float("inf"), float("-inf"), "", "x", "1", "\0", "a\nb", "\ud800", "é" * 5000),
    *([], {}, [1, 2], [[]], [None] * 3, {"": 0}, ["a", "a"], [0] * 20_000, _DEEP),
)


def mutate_json(values: dict[str, Any], rng: Random) -> bytes:
    """Return JSON whose structure is damaged, or, now and then, its text."""
    values = json.loads(json.dumps(values))
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        _change_part(values, rng)
    depth = rng.choice((10, 900, 100_000))
    text = json.dumps(values).replace(json.dumps(_DEEP), "[" * depth + "]" * depth)
    data = text.encode()
    return mutate_bytes(data, rng) if rng.random() < 0.15 else data


def _change_part(values: dict[str, Any], rng: Random) -> None:
    """Change something at a place that is drawn among all places of the structure."""
    places = list(_iter_places(values))
    if not places:
        values["x"] = rng.choice(_VALUES)
        return
    holder, key = rng.choice(places)
    act = rng.random()
    value = holder[key]
    if type(value) in (int, float) and rng.random() < 0.5:
        holder[key] = type(value)(value * rng.choice((0.1, 0.5, 2, 10, 100)))
    elif act < 0.6:
        holder[key] = rng.choice(_VALUES)
    elif act < 0.7:
        del holder[key]
    elif act < 0.8:
        holder[key] = [value] * rng.choice((1, 3, 1000))
    elif act < 0.9:
        other, name = rng.choice(places)
        holder[key], other[name] = deepcopy(other[name]), deepcopy(value)
    elif isinstance(holder, dict):
        holder[rng.choice(("surprise", f"{key} ", "labels", "spec"))] = value
    else:
        holder.insert(key, rng.choice(_VALUES))


def _iter_places(part: Any) -> Iterator[tuple[Any, Any]]:
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in list(items):
        yield part, key
        if isinstance(value, dict | list) and len(value) < 100:
            yield from _iter_places(value)


class Cases(Protocol):
    """Cases of one kind, built once in each process from a folder of the test."""

    def __init__(self, folder: Path) -> None: ...

    def try_case(self, number: int) -> bool:
        """Try a case; whether its input was of use, or a `HarError` why not."""
        ...


@dataclass
class Outcome:
    """What became of many cases.

    Attributes:
        counts: By ``good``, ``refused`` and ``fault``.
        faults: The number of a case and what it did.
        longest_s: The longest case.
        peak_mb: The most memory that a process had in a case.
    """

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)
    longest_s: float = 0.0
    peak_mb: float = 0.0

    def __str__(self) -> str:
        """Return it in a line."""
        found = ", ".join(f"{count} {name}" for name, count in sorted(self.counts.items()))
        return f"{found}; longest {self.longest_s:.1f} s, most memory {self.peak_mb:.0f} MB"


def run_cases(kind: type[Cases], folder: Path, numbers: range) -> Outcome:
    """Try cases one after another in a process of their own.

    A case that takes too long is tried once more, for a busy machine is no fault.
    """
    outcome, waiting, slow = Outcome(), list(reversed(numbers)), set[int]()
    while waiting:
        with _Child(kind, folder) as child:
            while waiting:
                number = waiting.pop()
                began_s = time.monotonic()
                name, told, peak_mb = child.try_case(number)
                if name == "slow" and number not in slow:
                    slow.add(number)
                    waiting.append(number)
                    break
                name = "fault" if name == "slow" else name
                outcome.counts[name] += 1
                outcome.longest_s = max(outcome.longest_s, time.monotonic() - began_s)
                outcome.peak_mb = max(outcome.peak_mb, peak_mb)
                if name == "fault":
                    outcome.faults.append((number, told))
                    print(f"case {number}: {told}", flush=True)
                if not child.is_alive:
                    break
    return outcome


class _Child:
    """A process that tries cases."""

    def __init__(self, kind: type[Cases], folder: Path) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(kind, folder, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self.is_alive = self._pipe.poll(_START_S) and self._pipe.recv() == "ready"
        if not self.is_alive:
            raise RuntimeError("the process for cases cannot be started")

    def __enter__(self) -> _Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._pipe.close()

    def try_case(self, number: int) -> tuple[str, str, float]:
        """Return the kind of outcome, what is told of it, and the peak of memory in MB."""
        self._pipe.send(number)
        try:
            if self._pipe.poll(CASE_S):
                return self._pipe.recv()
        except EOFError:
            self._process.join()
            self.is_alive = False
            return "fault", f"the process ended with {self._process.exitcode}", 0.0
        self.is_alive = False
        return "slow", f"it took longer than {CASE_S:g} s", 0.0


def _serve(kind: type[Cases], folder: Path, pipe: Connection) -> None:
    cases = kind(folder)
    cases.try_case(0)  # what is loaded once is no part of a case
    limit = _read_status("VmSize") + _ROOM_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    pipe.send("ready")
    while True:
        number = pipe.recv()
        Path("/proc/self/clear_refs").write_text("5")
        pipe.send((*_try(cases, number), _read_status("VmHWM") / 1e6))


def _try(cases: Cases, number: int) -> tuple[str, str]:
    try:
        return ("good" if cases.try_case(number) else "refused"), ""
    except HarError as error:
        text = str(error)
        if not text.strip() or len(text) > MESSAGE_LETTERS or "Traceback" in text:
            return "fault", f"a message of {len(text)} letters: {text[:200]!r}"
        return "refused", text
    except BaseException:  # noqa: BLE001, this is what is looked for; panics of Rust are none else
        return "fault", traceback.format_exc()


def _read_status(name: str) -> int:
    """Return a number of bytes of this process from Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024
