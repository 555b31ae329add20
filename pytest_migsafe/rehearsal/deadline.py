"""A time limit for a file as a whole, which no setting in the file can lift."""

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from time import monotonic

import psycopg

#: A cancellation hits what runs at that moment; in between, there may be nothing.
_AGAIN_AFTER_SECONDS = 0.5


@dataclass
class Deadline:
    """Whether the time is over."""

    is_over: bool = False


@dataclass(frozen=True)
class _Watched:
    connection: psycopg.Connection
    #: By the monotonic clock.
    due: float
    deadline: Deadline


@dataclass
class Watcher:
    """Gives each of several blocks, one after the other, the same time.

    One thread watches them all: to start and join one for each costs as much as applying a small file.
    """

    #: 0 is no limit.
    seconds: float
    _watched: _Watched | None = field(default=None, init=False)
    _thread: Thread | None = field(default=None, init=False)
    _closed: Event = field(default_factory=Event, init=False)
    #: Held while something is cancelled, so that a block that is over has no cancellation to come.
    _lock: Lock = field(default_factory=Lock, init=False)

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    @contextmanager
    def limit(self, connection: psycopg.Connection) -> Iterator[Deadline]:
        """Cancel whatever the connection is doing when the time is over, until the block ends."""
        deadline = Deadline()
        if not self.seconds:
            yield deadline
            return
        self._watched = _Watched(connection, monotonic() + self.seconds, deadline)
        if self._thread is None:
            self._thread = Thread(target=self._watch, daemon=True)
            self._thread.start()
        try:
            yield deadline
        finally:
            with self._lock:
                self._watched = None

    def _watch(self) -> None:
        wait = self.seconds
        while not self._closed.wait(wait):
            with self._lock:
                wait = self._look()

    def _look(self) -> float:
        """Cancel what is overdue; return after how many seconds to look again."""
        if self._watched is None:
            # A block that begins from now on is not due before.
            return self.seconds
        if (left := self._watched.due - monotonic()) > 0:
            return left
        self._watched.deadline.is_over = True
        # The connection may have gone meanwhile, and then there is nothing to cancel.
        with contextlib.suppress(psycopg.Error):
            self._watched.connection.cancel_safe(timeout=_AGAIN_AFTER_SECONDS)
        return _AGAIN_AFTER_SECONDS
