"""A process hears its signals whichever of its threads is given them, and goes on after a fault."""

from __future__ import annotations

import subprocess
import sys

import pytest

ELSEWHERE = """
import signal, threading
from gridsentry.commands.signals import stop_on_signals
told = threading.Event()
def fails():
    told.set()
    raise RuntimeError("no such folder")
halt = stop_on_signals({signal.SIGHUP: fails})
def other(number):
    signal.pthread_kill(threading.get_ident(), number)
    threading.Event().wait(5)
for number in (signal.SIGHUP, signal.%s):
    threading.Thread(target=other, args=(number,), daemon=True).start()
    if number == signal.SIGHUP:
        assert told.wait(4), "SIGHUP was not heard"
raise SystemExit(0 if halt.wait(4) else "it sleeps on")
"""


@pytest.mark.parametrize("number", ["SIGTERM", "SIGINT"])
def test_a_signal_that_another_thread_was_given_stops_the_sleeping_main_thread(number: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE % number],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "what SIGHUP asks for failed" in done.stderr
