"""Whether what a file made is whole and in force: each defect planted, and its clean twin."""

from pytest_migsafe.rules.smoke.structure import invalid_index
from tests.smoke.conftest import Smoke

ORDERS = 'CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "Note" text);'


def test_an_invalid_index_is_found_in_the_file_that_leaves_it(smoke: Smoke) -> None:
    invalid = (
        'CREATE INDEX "Orders_note" ON "Shop"."Orders" ("Note");'
        """UPDATE pg_index SET indisvalid = false WHERE indexrelid = '"Shop"."Orders_note"'::regclass"""
    )
    (finding,) = smoke.findings(ORDERS, invalid, only=invalid_index)

    assert finding.objects == ('"Shop"."Orders_note"', '"Shop"."Orders"')
    assert finding.remedy == 'REINDEX INDEX CONCURRENTLY "Shop"."Orders_note";'
    assert finding.line == 1
    # It was there before: not this file's doing, whatever else it does to the table.
    assert (
        smoke.findings(ORDERS + invalid, 'ALTER TABLE "Shop"."Orders" ADD note2 text', only=invalid_index)
        == ()
    )
    assert smoke.findings(ORDERS, 'CREATE INDEX ON "Shop"."Orders" ("Note")', only=invalid_index) == ()
