"""The team's own rule, tried with a few lines of SQL; it needs no --migsafe."""

import pytest
from conftest import money_is_numeric

from pytest_migsafe.testing import RehearseSql, assert_no_findings

PAYMENTS = "CREATE TABLE payments (id bigint PRIMARY KEY, amount numeric(14, 2))"


@pytest.mark.parametrize(
    "change", ["ADD COLUMN fee_amount real", "ALTER COLUMN amount TYPE double precision"]
)
def test_money_that_is_rounded_is_found(rehearse_sql: RehearseSql, change: str) -> None:
    rehearsal = rehearse_sql(f"ALTER TABLE payments {change}", given=PAYMENTS, rules=[money_is_numeric])

    (finding,) = rehearsal.findings
    assert "holds money" in finding.message
    assert finding.line == 1


def test_money_that_is_exact_is_not(rehearse_sql: RehearseSql) -> None:
    assert_no_findings(rehearse_sql(PAYMENTS, rules=[money_is_numeric]))


def test_where_it_does_not_matter_a_file_says_so(rehearse_sql: RehearseSql) -> None:
    waived = "-- migsafe: allow money-is-numeric because it is an estimate\n"

    rehearsal = rehearse_sql(f"{waived}CREATE TABLE forecasts (revenue real)", rules=[money_is_numeric])

    (finding,) = rehearsal.findings
    assert finding.waived == "it is an estimate"
