"""How far each of several worker processes is with its video, and the word to stop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

_COLUMNS = 2


@dataclass(frozen=True)
class Board:
    """Numbers in a file that all processes have in their memory.

    There is no lock, so a process that is killed holds up nobody. Each row is written by one
    process alone; the last one is the word to stop.

    Attributes:
        path: The file; a board is handed to a process by it.
        n_rows: Videos.
    """

    path: Path
    n_rows: int

    @cached_property
    def _cells(self) -> np.ndarray:
        shape = (self.n_rows + 1, _COLUMNS)
        return np.memmap(self.path, dtype=np.float64, mode="r+", shape=shape)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "n_rows": self.n_rows}

    def note(self, row: int, done_s: float, total_s: float | None) -> None:
        """Notes how far a video is.

        Raises:
            KeyboardInterrupt: The word to stop was given.
        """
        if self._cells[self.n_rows, 0]:
            raise KeyboardInterrupt
        self._cells[row] = done_s, total_s or 0.0

    def stop(self) -> None:
        """Gives the word to stop: every process ends with its next `note`."""
        self._cells[self.n_rows, 0] = 1.0

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Gives (N,) seconds that are done of each video, and (N,) seconds in all, 0 if unknown."""
        cells = np.array(self._cells[: self.n_rows])
        return cells[:, 0], cells[:, 1]


@contextmanager
def open_board(n_rows: int) -> Iterator[Board]:
    """Gives a board of zeros; its file is gone at the end of the ``with`` block."""
    with TemporaryDirectory(prefix="har-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "board"
        path.write_bytes(bytes(8 * (n_rows + 1) * _COLUMNS))
        yield Board(path, n_rows)
