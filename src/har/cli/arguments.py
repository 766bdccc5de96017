"""The command line as other users of the machine see it, without what could be a password."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

_PROCESS = Path("/proc/self")
_ARG_START, _ARG_END = 45, 46
"""Of what stands behind the name in ``stat``. Source: proc_pid_stat(5), fields 48 and 49."""

_ADDRESS = re.compile(rb"([A-Za-z][A-Za-z0-9+.-]+:/+)([^\0]+)")


def hide_addresses() -> None:
    """Write over all but the schemes of addresses in the command line that ``ps`` shows.

    That is where Linux keeps the words, in the process's own memory; on other systems nothing is
    done. What the program itself knows of its command line stays as it is.
    """
    with suppress(OSError):
        shown = (_PROCESS / "cmdline").read_bytes()
        hidden = mask_arguments(shown)
        if hidden != shown:
            _write_over(shown, hidden)


def mask_arguments(words: bytes) -> bytes:
    r"""Return words that null bytes end, as long as before, with addresses cut to their schemes.

    >>> mask_arguments(b"har\0watch\0door=rtsp://me:secret@host/main\0--json\0")
    b'har\x00watch\x00door=rtsp://***                \x00--json\x00'
    """
    return _ADDRESS.sub(
        lambda match: match[1] + b"***"[: len(match[2])].ljust(len(match[2])), words
    )


def _write_over(shown: bytes, hidden: bytes) -> None:
    rest = (_PROCESS / "stat").read_text(errors="replace").rpartition(")")[2].split()
    start, end = int(rest[_ARG_START]), int(rest[_ARG_END])
    with (_PROCESS / "mem").open("r+b", buffering=0) as memory:
        memory.seek(start)
        if memory.read(end - start) == shown:
            memory.seek(start)
            memory.write(hidden)
