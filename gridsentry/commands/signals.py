"""Signals that reach us whatever every thread is doing.

Python runs a handler on the main thread, between two of its steps. The kernel may hand a signal to
any thread of ours: the main thread then sleeps on and the handler never runs (seen once: SIGTERM
to a busy service was not heard for 30 s). Nor may a handler set the event that the main thread is
about to wait for: both take its lock. So the number goes through a pipe, written in C on whichever
thread was given the signal, to a thread that does nothing else.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

STOPPING = (signal.SIGINT, signal.SIGTERM)


def stop_on_signals(
    also: Mapping[signal.Signals, Callable[[], None]] | None = None,
) -> threading.Event:
    """An event set by Ctrl-C or SIGTERM; `also` is what other signals do, on a thread of its own.

    Only from the main thread, once in a process's life.
    """
    halt = threading.Event()
    does: dict[int, Callable[[], None]] = {int(number): halt.set for number in STOPPING}
    does |= {int(number): act for number, act in (also or {}).items()}
    heard, told = os.pipe()
    os.set_blocking(told, False)

    def listen() -> None:
        while numbers := os.read(heard, 64):
            for number in numbers:
                try:
                    does.get(number, _nothing)()
                except Exception:  # the next signal must still be heard
                    log.exception("what %s asks for failed", signal.Signals(number).name)

    threading.Thread(target=listen, name="signals", daemon=True).start()
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in does:
        signal.signal(number, _nothing)
    return halt


def _nothing(*_: object) -> None:
    pass
