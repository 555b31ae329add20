"""Invoices get a due date: 0011 adds the column, 0012 fills it, 0013 to 0015 make it NOT NULL, 0016 is the index."""

from datetime import date

import psycopg
import pytest

from pytest_migsafe.testing import (
    DatabaseAt,
    Rehearsal,
    assert_no_lock_stronger_than,
    assert_plan_uses,
)

TWO_INVOICES = """
INSERT INTO app.organisations (name) VALUES ('Ann & Co');
INSERT INTO app.invoices (organisation_id, number, customer_name, currency, status, issued_on, created_at) VALUES
    (1, 'A-1', 'Bob', 'EUR', 'sent', '2026-01-10', '2026-01-05'),
    (1, 'A-2', 'Cleo', 'EUR', 'draft', NULL, '2026-02-01 12:00+00');
"""


def test_invoices_from_before_are_due_after_thirty_days(database_at: DatabaseAt) -> None:
    database = database_at(before="0011")
    database.execute(TWO_INVOICES)

    database.migrate_to("0012")

    assert database.rows("SELECT number, due_on FROM app.invoices ORDER BY number") == [
        ("A-1", date(2026, 2, 9)),
        ("A-2", date(2026, 3, 3)),
    ]


def test_an_invoice_that_was_forgotten_stops_the_validation(database_at: DatabaseAt) -> None:
    database = database_at("0012")
    database.execute(TWO_INVOICES)
    database.execute("UPDATE app.invoices SET due_on = NULL WHERE number = 'A-2'")
    database.apply("0013")

    with pytest.raises(psycopg.errors.CheckViolation, match="invoices_due_on_not_null_check"):
        database.apply("0014")


@pytest.mark.migsafe(at=["0014", "0016"])
def test_invoices_are_written_meanwhile(rehearsal: Rehearsal) -> None:
    assert_no_lock_stronger_than(rehearsal, "SHARE UPDATE EXCLUSIVE", on="app.invoices")


def test_the_reminder_job_finds_open_invoices_by_the_new_index(database_at: DatabaseAt) -> None:
    assert_plan_uses(
        database_at("0016"),
        "app.invoices_open_due_on_idx",
        "SELECT id FROM app.invoices WHERE status = 'sent' AND due_on < %s",
        [date(2026, 1, 1)],
    )
