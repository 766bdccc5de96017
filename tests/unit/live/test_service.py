"""Signals end a run cleanly, the second one at once."""

import os
import signal

import pytest

from har.live.service import stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_event_and_handlers_are_put_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with stop_on_signals() as until:
        assert not until.is_set()
        os.kill(os.getpid(), number)
        assert until.wait(1.0)
        assert signal.getsignal(number) == before, "the next one is not caught"
    assert signal.getsignal(number) == before


def test_the_second_ctrl_c_ends_a_run_that_hangs() -> None:
    with stop_on_signals() as until:
        os.kill(os.getpid(), signal.SIGINT)
        assert until.wait(1.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
