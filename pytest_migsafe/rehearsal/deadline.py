"""A time limit for a file as a whole, which no setting in the file can lift."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import psycopg

#: A cancellation hits what runs at that moment; in between, there may be nothing.
_AGAIN_AFTER_SECONDS = 0.5


class Deadline:
    """Whether the time is over."""

    def __init__(self) -> None:
        self.is_over = False


@contextmanager
def deadline(connection: psycopg.Connection, seconds: float) -> Iterator[Deadline]:
    """Cancel whatever the connection is doing when the time is over, until the block ends; 0 is no limit."""
    limit = Deadline()
    if not seconds:
        yield limit
        return
    done = Event()
    watcher = Thread(target=_watch, args=(connection, seconds, done, limit), daemon=True)
    watcher.start()
    try:
        yield limit
    finally:
        done.set()
        watcher.join()


def _watch(connection: psycopg.Connection, seconds: float, done: Event, limit: Deadline) -> None:
    wait = seconds
    while not done.wait(wait):
        limit.is_over = True
        wait = _AGAIN_AFTER_SECONDS
        # The connection may have gone meanwhile, and then there is nothing to cancel.
        with contextlib.suppress(psycopg.Error):
            connection.cancel_safe(timeout=_AGAIN_AFTER_SECONDS)
