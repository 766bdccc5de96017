"""A clean end on a signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """Gives an event that Ctrl-C or a service manager's stop sets; for the main thread only.

    The second signal does what it does without this, so that a run that hangs can be ended.
    """
    event = threading.Event()
    before = {int(number): signal.getsignal(number) for number in _SIGNALS}

    def stop(number: int, _: object) -> None:
        event.set()
        signal.signal(number, before[number])

    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        yield event
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
