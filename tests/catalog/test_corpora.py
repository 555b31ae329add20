"""Real projects: after every file, what was read of its changes must be what reading everything gives."""

from pathlib import Path

import psycopg
import pytest

from pytest_migsafe import catalog
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import TransactionMode
from tests.catalog.conftest import Rehearse


@pytest.mark.parametrize("project", ["crates_io", "minder"])
def test_every_file_read_by_its_changes_is_the_full_reading(
    project: str, corpora: Path, connection: psycopg.Connection, rehearse: Rehearse
) -> None:
    if project == "minder" and connection.info.server_version < 150000:
        pytest.skip("minder says NULLS NOT DISTINCT, which came with PostgreSQL 15")
    (history,) = find_histories(corpora, [corpora / project])
    before = catalog.snapshot(connection)
    rehearsed = in_full = 0
    for migration in history.migrations:
        script = migration.read()
        if migration.read().manner.mode is TransactionMode.AUTOCOMMIT or any(
            one.transaction_control or one.refuses_transaction_block for one in script.body
        ):
            for statement in script.statements:
                connection.execute(statement.text.encode(), prepare=False)
            before = catalog.snapshot(connection)
        else:
            body = ";\n".join(statement.text for statement in script.body)
            after, changes = rehearse(connection, before, body)
            rehearsed += 1
            in_full += changes.everything is not None
            connection.execute(f"begin;{body};\ncommit".encode(), prepare=False)
            before = after
        connection.execute(b"reset all; discard temp")
    assert before == catalog.snapshot(connection)
    assert rehearsed > 5
    assert in_full <= rehearsed // 10
