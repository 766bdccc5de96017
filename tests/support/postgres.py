"""A real PostgreSQL server of the tests' own, from the system's package."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


def find_bin() -> Path | None:
    """Return the folder of initdb and pg_ctl of the newest server that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found and shutil.which("runuser") else None


@contextmanager
def run_postgres() -> Iterator[str]:
    """Run a server on the loopback; gives the URL of an empty database.

    Its folder is not below pytest's, which every run of pytest closes to other users anew.
    """
    with TemporaryDirectory(prefix="har-postgres-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        shutil.chown(folder, "postgres", "postgres")
        with _run_in(folder) as url:
            yield url


@contextmanager
def _run_in(folder: Path) -> Iterator[str]:
    where = find_bin()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *words: str, check: bool = True) -> None:
        command = ["runuser", "-u", "postgres", "--", f"{where}/{program}", *words]
        subprocess.run(command, check=check, capture_output=True, cwd="/")

    data = folder / "data"
    run("initdb", "-D", str(data), "-A", "trust", "-U", "postgres", "--no-sync")
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c fsync=off"
    run("pg_ctl", "-D", str(data), "-o", options, "-l", f"{folder}/log", "-w", "start")
    try:
        yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    finally:
        run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop", check=False)
