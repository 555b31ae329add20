"""The time limit of a file."""

import time
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from pytest_migsafe.rehearsal.deadline import Watcher


@pytest.fixture
def watcher() -> Iterator[Watcher]:
    """Give a watcher that allows a quarter of a second."""
    with closing(Watcher(0.25)) as watcher:
        yield watcher


def test_each_block_has_its_own_time(connection: psycopg.Connection, watcher: Watcher) -> None:
    for _ in range(3):
        with watcher.limit(connection) as limit:
            connection.execute("SELECT pg_sleep(0.15)")
        assert not limit.is_over


def test_what_takes_longer_is_canceled_and_what_follows_is_not(
    connection: psycopg.Connection, watcher: Watcher
) -> None:
    with watcher.limit(connection), pytest.raises(psycopg.errors.QueryCanceled):
        connection.execute("SELECT pg_sleep(60)")
    connection.rollback()
    connection.execute("SELECT pg_sleep(0.6)")
    with watcher.limit(connection) as limit:
        connection.execute("SELECT 1")
    assert not limit.is_over


def test_a_cancellation_that_hit_nothing_is_repeated(
    connection: psycopg.Connection, watcher: Watcher
) -> None:
    with watcher.limit(connection) as limit:
        while not limit.is_over:
            time.sleep(0.01)
        with pytest.raises(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")


def test_no_limit_is_no_thread(connection: psycopg.Connection) -> None:
    with closing(Watcher(0)) as watcher, watcher.limit(connection) as limit:
        connection.execute("SELECT 1")
    assert not limit.is_over
