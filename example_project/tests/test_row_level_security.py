"""Who signs in sees the invoices of their own organisations, and no others."""

import psycopg
import pytest

from pytest_migsafe.testing import DatabaseAt, MigrationDatabase

ANN, BOB, NOBODY = 1, 2, 3
INVOICES = """
INSERT INTO app.users (email, full_name) VALUES ('ann@example.com', 'Ann'), ('bob@example.com', 'Bob');
INSERT INTO app.organisations (name) VALUES ('Ann & Co'), ('Bob & Sons');
INSERT INTO app.memberships (organisation_id, user_id) VALUES (1, 1), (2, 2);
INSERT INTO app.invoices (organisation_id, number, customer_name, currency) VALUES
    (1, 'A-1', 'Cleo', 'EUR'),
    (2, 'B-1', 'Cleo', 'EUR');
"""


@pytest.fixture
def database(database_at: DatabaseAt) -> MigrationDatabase:
    database = database_at()  # after the last migration
    database.execute(INVOICES)
    return database


def test_one_sees_one_s_own_invoices(database: MigrationDatabase) -> None:
    for user, numbers in ((ANN, ["A-1"]), (BOB, ["B-1"]), (NOBODY, [])):
        with database.as_role("app_user", settings={"app.user_id": user}) as connection:
            rows = connection.execute("SELECT number FROM app.invoices").fetchall()
            totals = connection.execute("SELECT number FROM app.invoice_totals").fetchall()

        assert rows == totals == [(number,) for number in numbers]


def test_one_writes_no_invoice_for_others(database: MigrationDatabase) -> None:
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"),
        database.as_role("app_user", settings={"app.user_id": ANN}) as connection,
    ):
        connection.execute("UPDATE app.invoices SET organisation_id = 2")
