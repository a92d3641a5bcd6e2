from __future__ import annotations

import signal
import threading

import pytest

from aimonk.interruption import resumable, terminable


def test_sigterm_unwinds_the_stack_and_is_then_as_it_was() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, terminable():
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_how_to_resume_is_noted_on_what_interrupts(sent: signal.Signals) -> None:
    with pytest.raises((SystemExit, KeyboardInterrupt)) as ended, resumable("Call again."):
        signal.raise_signal(sent)
    assert ended.value.__notes__ == ["Call again."]


def test_an_error_is_no_interruption() -> None:
    with pytest.raises(ValueError) as raised, resumable("Call again."):
        raise ValueError("no")
    assert not hasattr(raised.value, "__notes__")


def test_other_threads_have_no_signals_and_go_on() -> None:
    done: list[bool] = []

    def work() -> None:
        with terminable():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
