from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from aimonk.interruption import resumable, terminable
from tests.conftest import ROOT

INTERRUPTED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # the background jobs of a shell ignore it
from aimonk.interruption import resumable, terminable

before = signal.getsignal(signal.SIGTERM)
for within in (terminable(), resumable("Call again.")):
    try:
        with within:
            signal.raise_signal(signal.{name})
    except (SystemExit, KeyboardInterrupt) as error:
        print(type(error).__name__, getattr(error, "code", None), getattr(error, "__notes__", []))
    assert signal.getsignal(signal.SIGTERM) is before
"""
"""In a process of its own: a signal that is not handled would end the tests."""


@pytest.mark.parametrize(
    ("name", "raised"), [("SIGTERM", "SystemExit 143"), ("SIGINT", "KeyboardInterrupt None")]
)
def test_a_signal_unwinds_the_stack_and_says_how_to_resume(name: str, raised: str) -> None:
    code = INTERRUPTED.format(name=name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines() == [f"{raised} []", f"{raised} ['Call again.']"]


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
