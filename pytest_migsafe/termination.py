"""SIGTERM ends a run as Ctrl-C does: the server is stopped, summary and report say what was seen until then.

Continuous integration cancels a job with SIGTERM, and kills it some seconds later. By default the signal ends Python on
the spot. The server would still go (the watchdog sees to that), but nobody would learn how far the run had come.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: What a shell calls the exit status of a process that SIGTERM ended.
EXIT_STATUS = 128 + signal.SIGTERM


class Terminated(KeyboardInterrupt):
    """SIGTERM came; pytest knows what to do with a KeyboardInterrupt, and nobody takes one for an error."""


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Have SIGTERM raise `Terminated` in the main thread, unless somebody else handles it already.

    A second SIGTERM ends the process as ever.
    """
    is_free = signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        if signal.getsignal(signal.SIGTERM) is _interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's form
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated("ended by SIGTERM")
