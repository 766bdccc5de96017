"""Two runs into one folder: the second is told who holds it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from har.errors import LockedError
from har.locks import locking

HOLD = """
import sys, time
from pathlib import Path
from har.locks import locking
with locking(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(5)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_is_told_who_holds_the_folder(tmp_path):
    process = hold(tmp_path / "out")
    said = rf"in use by process {process.pid} on "
    with pytest.raises(LockedError, match=said), locking(tmp_path / "out"):
        pass
    process.kill()
    process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_killed_holder_leaves_the_folder_free(tmp_path):
    process = hold(tmp_path)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with locking(tmp_path):
        pass
    assert not (tmp_path / ".har.lock.json").exists()


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be deleted")
def test_a_run_that_puts_nothing_into_a_folder_it_made_leaves_nothing(tmp_path):
    def fail(folder: Path) -> None:
        with locking(folder), locking(tmp_path / "models" / "bundle", beside=True):
            raise ValueError("no clips")

    for _ in range(2):
        with pytest.raises(ValueError, match="no clips"):
            fail(tmp_path / "new" / "store")
        assert list(tmp_path.iterdir()) == []


def test_the_lock_stays_where_something_else_is(tmp_path):
    (tmp_path / "there").mkdir()
    with locking(tmp_path / "there"), locking(tmp_path / "new"):
        (tmp_path / "new" / "clip").touch()
    assert {path.name for path in tmp_path.rglob("*")} == {"there", "new", ".har.lock", "clip"}
    assert (tmp_path / "there" / ".har.lock").exists()
