"""What IF NOT EXISTS keeps that nobody wants."""

from dataclasses import replace

import pytest

from tests.zero_downtime.conftest import MAJORS, History
from tests.zero_downtime.remedies import as_file

#: What the rules make of evidence is the same on every major version.
pytestmark = pytest.mark.parametrize("major_server", [MAJORS[-1]], indirect=True)

#: A failed CREATE UNIQUE INDEX CONCURRENTLY leaves this; a history that goes on after one is not to be had otherwise.
GROUND = """
    CREATE TABLE a (id bigint PRIMARY KEY, k integer);
    CREATE UNIQUE INDEX ak ON a (k);
    CREATE INDEX ai ON a (id);
    UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid IN ('ak'::regclass, 'ai'::regclass);
    CREATE TABLE pt (d int, k int) PARTITION BY RANGE (d);
    CREATE TABLE p1 PARTITION OF pt FOR VALUES FROM (0) TO (10);
    CREATE INDEX pk ON ONLY pt (k);
"""


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (
            "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ak ON a (k);",
            "IF NOT EXISTS kept the INVALID index public.ak: nothing keeps its values unique",
        ),
        (
            "CREATE INDEX IF NOT EXISTS ai ON a (id);",
            "IF NOT EXISTS kept the INVALID index public.ai: no query uses it",
        ),
        (
            "DO $$ BEGIN CREATE UNIQUE INDEX IF NOT EXISTS ak ON a (k); END $$",
            "IF NOT EXISTS kept the INVALID index public.ak: nothing keeps its values unique",
        ),
    ],
)
def test_an_invalid_index_that_is_kept_is_told(history: History, file: str, message: str) -> None:
    judged = history.judge(GROUND, file)
    assert judged.evidence.error is None
    (finding,) = judged.of_rule("already-exists-skipped")
    assert (finding.message, finding.severity) == (message, "error")
    (cure,) = finding.files
    cured = replace(history, folder=history.folder.with_name("cure")).judge(GROUND, as_file(cure))
    assert cured.evidence.error is None
    assert cured.of_rule("already-exists-skipped") == ()
    after = cured.evidence.after.indexes[finding.objects[0]]
    assert (after.valid, after.definition) == (True, judged.evidence.after.indexes[after.name].definition)


def test_rows_that_are_not_unique_hide_nothing(history: History) -> None:
    """The twin to compare with cannot be made from such rows: the index is INVALID all the same."""
    rows = """
        UPDATE pg_catalog.pg_index SET indisready = false, indislive = false WHERE indexrelid = 'ak'::regclass;
        INSERT INTO a VALUES (1, 1), (2, 1);
    """
    judged = history.judge(
        GROUND, rows, "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ak ON a (k);"
    )
    assert judged.evidence.statements[0].kept[0].not_compared
    assert len(judged.of_rule("already-exists-skipped")) == 1


@pytest.mark.parametrize(
    "file",
    [
        # Mended in the same file, or INVALID by intention.
        "DROP INDEX ak; CREATE UNIQUE INDEX IF NOT EXISTS ak ON a (k);",
        "CREATE UNIQUE INDEX IF NOT EXISTS ak ON a (k); REINDEX INDEX ak;",
        "CREATE INDEX IF NOT EXISTS pk ON ONLY pt (k);",
        "CREATE INDEX IF NOT EXISTS fresh ON a (id, k);",
    ],
)
def test_an_index_that_is_as_it_should_be(history: History, file: str) -> None:
    judged = history.judge(GROUND, file)
    assert judged.evidence.error is None
    assert [one.message for one in judged.of_rule("already-exists-skipped") if "INVALID" in one.message] == []
