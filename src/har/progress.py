"""Progress of long work: a bar on a terminal or in a notebook, elsewhere a line now and then."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TYPE_CHECKING, Any, Self, TypeVar

from har.escaping import show_controls

if TYPE_CHECKING:
    from tqdm import tqdm

LOG = logging.getLogger(__name__)
"""Takes the lines, at the level INFO. Raising its level hides bars as well."""

LOG.setLevel(logging.INFO)

EVERY_S = 30.0
"""Seconds from one line to the next where there is no terminal."""

_SHARE_FORMAT = "{percentage:3.0f}%|{bar:20}| {desc}"

Item = TypeVar("Item")
Say = Callable[[str], None]
"""Takes each line that tells a person what happens."""


class ProgressBar:
    """How much of some work is done, shown on standard error while its ``with`` block runs."""

    def __init__(
        self,
        total: float,
        title: str,
        unit: str = "",
        show: bool = True,
        every_s: float = EVERY_S,
    ) -> None:
        """Show nothing yet.

        Args:
            total: Amount of the whole work; nothing is shown where there is none.
            title: Stands before the bar.
            unit: What is counted, in the singular; empty for work that is a share of one.
            show: False shows nothing at all.
            every_s: Seconds from one line to the next where there is no terminal.
        """
        self._total, self._title, self._unit = total, title, unit
        self._every_s = every_s
        self._done: float = 0
        self._note = ""
        self._shows = show and total > 0 and LOG.isEnabledFor(logging.INFO)
        self._bar = self._open_bar() if self._shows and _is_interactive() else None
        self._started_s = self._shown_s = time.monotonic()

    def _open_bar(self) -> tqdm[Any]:
        from tqdm import tqdm

        if not self._unit:
            return tqdm(total=self._total, desc=self._title, leave=False, bar_format=_SHARE_FORMAT)
        return tqdm(total=self._total, desc=self._title, unit=self._unit, leave=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def update(self, amount: float = 1) -> None:
        """Count some more as done."""
        self.move_to(self._done + amount)

    def move_to(self, done: float) -> None:
        """Set how much is done."""
        amount, self._done = done - self._done, done
        if self._bar is not None:
            self._bar.update(amount)
        elif self._shows and time.monotonic() - self._shown_s >= self._every_s:
            self._shown_s = time.monotonic()
            LOG.info("%s", self._format_line(self._shown_s - self._started_s))

    def note(self, text: str) -> None:
        """Set what stands beside the bar."""
        self._note = text
        if self._bar is not None and self._unit:
            self._bar.set_postfix_str(text, refresh=False)
        elif self._bar is not None:
            self._bar.set_description_str(text, refresh=False)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _format_line(self, elapsed_s: float) -> str:
        share = self._done / self._total
        if not self._unit:
            return f"{self._title}: {share:.0%}" + (f", {self._note}" if self._note else "")
        parts = [f"{self._title}: {self._done:g} of {self._total:g} {self._unit}s ({share:.0%})"]
        if 0 < share < 1:
            parts.append(f"{format_duration(elapsed_s * (1 / share - 1))} left")
        return ", ".join([*parts, *filter(None, (self._note,))])


def track(
    items: Iterable[Item], title: str, unit: str, total: int | None = None, show: bool = True
) -> Iterator[Item]:
    """Yield the items, and show how many have been worked on.

    Args:
        items: Sized, unless ``total`` is given.
        title: As in `ProgressBar`, and so are ``unit`` and ``show``.
        unit: One item.
        total: Number of items.
        show: False shows nothing.
    """
    if total is None:
        total = len(items) if isinstance(items, Sized) else 0
    with ProgressBar(total, title, unit, show) as bar:
        for item in items:
            yield item
            bar.update()


def format_duration(duration_s: float) -> str:
    """Return a length of time as hours, minutes and seconds.

    >>> format_duration(90), format_duration(3661)
    ('1:30', '1:01:01')
    """
    minutes, seconds = divmod(round(duration_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def format_count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun; ``many`` is ``one`` with an s when empty.

    >>> format_count(1, "recording"), format_count(0, "recording")
    ('1 recording', '0 recordings')
    >>> format_count(2, "clip is", "clips are")
    '2 clips are'
    """
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def say_on_stderr(text: str) -> None:
    """Print a line for the person who runs the command; standard output is for machines."""
    print(show_controls(text), file=sys.stderr, flush=True)


def _is_interactive() -> bool:
    """Return whether a bar that redraws itself can be seen."""
    return sys.stderr.isatty() or "ipykernel" in sys.modules
