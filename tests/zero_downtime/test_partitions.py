"""Partitions that are made, attached and detached while others wait."""

import pytest

from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import check_remedies

RANGE = (
    "CREATE TABLE p (d date NOT NULL, k integer DEFAULT 7, id bigint NOT NULL, PRIMARY KEY (id, d)) PARTITION BY RANGE (d);"
    "CREATE INDEX ON p (k);"
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"
)
DEFAULT = "CREATE TABLE rest PARTITION OF p DEFAULT;"
NEXT = "CREATE TABLE extra (d date NOT NULL, k integer DEFAULT 7, id bigint NOT NULL);"
ROWS = "INSERT INTO p SELECT DATE '2024-01-01' + n, n, n FROM generate_series(0, 20) AS n;"
ROWS_OF_DEFAULT = "INSERT INTO p SELECT DATE '2030-01-01' + n, n, n FROM generate_series(0, 20) AS n;"
ROWS_OF_NEXT = "INSERT INTO extra SELECT DATE '2025-01-01' + n, n, n FROM generate_series(0, 20) AS n;"
ATTACH = "ALTER TABLE p ATTACH PARTITION extra FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');"

LIST = (
    "CREATE TABLE p (kind text, n bigint) PARTITION BY LIST (kind); CREATE TABLE rest PARTITION OF p DEFAULT;"
)
TUPLES = (
    'CREATE TABLE p (a integer, "B b" bigint, c text) PARTITION BY RANGE (a, "B b");'
    "CREATE TABLE rest PARTITION OF p DEFAULT;"
)

#: What is there, the statement, and rows for the tables that it would read.
ATTACHED = {
    "range, indexes to be built": ((RANGE, DEFAULT, NEXT), ATTACH, ROWS + ROWS_OF_DEFAULT + ROWS_OF_NEXT),
    "range, no default partition": ((RANGE, NEXT), ATTACH, ROWS_OF_NEXT),
    "a primary key and an index of its own": (
        (RANGE, NEXT, "ALTER TABLE extra ADD PRIMARY KEY (id, d); CREATE INDEX ON extra (k);"),
        ATTACH,
        ROWS_OF_NEXT,
    ),
    "open to one side": (
        (RANGE, DEFAULT, NEXT),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);",
        ROWS_OF_NEXT,
    ),
    "a foreign key": (
        (
            (
                "CREATE TABLE kinds (id integer PRIMARY KEY); INSERT INTO kinds VALUES (1), (2);"
                f"{RANGE} ALTER TABLE p ADD FOREIGN KEY (k) REFERENCES kinds;"
            ),
            NEXT,
        ),
        ATTACH,
        "INSERT INTO extra SELECT DATE '2025-01-01' + n, 1 + n % 2, n FROM generate_series(0, 20) AS n;",
    ),
    "a default partition that has partitions": (
        (
            (
                f"{LIST} DROP TABLE rest; CREATE TABLE rest PARTITION OF p DEFAULT PARTITION BY RANGE (n);"
                "CREATE TABLE rest_1 PARTITION OF rest FOR VALUES FROM (1) TO (9);"
            ),
            "CREATE TABLE extra (kind text, n bigint);",
        ),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES IN ('a');",
        "INSERT INTO extra VALUES ('a', 1); INSERT INTO p VALUES ('z', 1), (NULL, 2);",
    ),
    "a list": (
        (LIST, "CREATE TABLE extra (kind text, n bigint);"),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES IN ('a', 'it''s, well');",
        "INSERT INTO extra VALUES ('a', 1), ('it''s, well', 2); INSERT INTO p VALUES ('z', 1), (NULL, 2);",
    ),
    "a list of one": (
        (LIST, "CREATE TABLE extra (kind text, n bigint);"),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES IN ('a');",
        "INSERT INTO extra VALUES ('a', 1); INSERT INTO p VALUES ('z', 1), (NULL, 2);",
    ),
    "a list with NULL": (
        (LIST, "CREATE TABLE extra (kind text, n bigint);"),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES IN ('a', NULL);",
        "INSERT INTO extra VALUES ('a', 1), (NULL, 2); INSERT INTO p VALUES ('z', 1);",
    ),
    "a range of two columns": (
        (TUPLES, 'CREATE TABLE extra (a integer, "B b" bigint, c text);'),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES FROM (1, 5) TO (2, 7);",
        "INSERT INTO extra VALUES (1, 5, 'x'), (2, 6, 'x'); INSERT INTO p VALUES (1, 4, 'x'), (NULL, NULL, 'x');",
    ),
    "a range within one value": (
        (TUPLES, 'CREATE TABLE extra (a integer, "B b" bigint, c text);'),
        "ALTER TABLE p ATTACH PARTITION extra FOR VALUES FROM (1, MINVALUE) TO (1, MAXVALUE);",
        "INSERT INTO extra VALUES (1, 5, 'x'); INSERT INTO p VALUES (2, 4, 'x'), (NULL, NULL, 'x');",
    ),
    "a partition of a partition": (
        (
            (
                "CREATE TABLE p (d date, k integer) PARTITION BY RANGE (d);"
                "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (k);"
            ),
            "CREATE TABLE extra (d date, k integer);",
        ),
        "ALTER TABLE p2 ATTACH PARTITION extra FOR VALUES IN (1, 2, 3);",
        "INSERT INTO extra VALUES ('2025-01-02', 1), ('2025-01-03', 2);",
    ),
}


@pytest.mark.parametrize("case", ATTACHED)
def test_a_table_with_constraint_and_indexes_is_attached_in_a_moment(history: History, case: str) -> None:
    before, text, rows = ATTACHED[case]
    judged = check_remedies(history, before, text, rows=rows)
    assert judged.rules == ["attach-partition-scans"]


def test_who_waits_while_a_table_is_attached(history: History) -> None:
    judged = history.judge(RANGE, DEFAULT, NEXT, ATTACH)
    (finding,) = judged.of_rule("attach-partition-scans")
    assert finding.message == (
        "reads and writes of public.rest and public.extra wait while the rows of public.rest and public.extra are checked "
        "and indexes public.extra_pkey and public.extra_k_idx of public.extra are built"
    )


HASH = (
    "CREATE TABLE p (k integer) PARTITION BY HASH (k); CREATE TABLE extra (k integer);",
    "ALTER TABLE p ATTACH PARTITION extra FOR VALUES WITH (modulus 2, remainder 0);",
)


def test_nothing_proves_which_rows_a_hash_partition_has(history: History) -> None:
    (finding,) = history.judge(*HASH).of_rule("attach-partition-scans")
    assert finding.files == ()
    assert "attach it while it is empty" in finding.remedy


CREATED = {
    "range": (
        (RANGE, DEFAULT),
        "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
        ROWS + ROWS_OF_DEFAULT,
    ),
    "list": (
        (LIST,),
        "CREATE TABLE p2 PARTITION OF p FOR VALUES IN ('a', 'b');",
        "INSERT INTO p VALUES (NULL, 1);",
    ),
    "two columns": (
        (TUPLES,),
        'CREATE TABLE "P 2" PARTITION OF p FOR VALUES FROM (1, 5) TO (2, MAXVALUE);',
        "INSERT INTO p VALUES (1, 4, 'x'), (3, 1, 'x');",
    ),
}


@pytest.mark.parametrize("case", CREATED)
def test_a_default_partition_that_excludes_the_bounds_is_not_read(history: History, case: str) -> None:
    before, text, rows = CREATED[case]
    judged = check_remedies(history, before, text, rows=rows)
    assert judged.rules == ["create-partition-scans-default"]
    (finding,) = judged.of_rule("create-partition-scans-default")
    assert finding.message == (
        "reads and writes of public.p and public.rest wait while the rows of public.rest are checked"
    )


BRIEF = {
    "a partition where there is no default": "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');",
    "an empty table": f"{NEXT} {ATTACH}",
    "detached": "ALTER TABLE p DETACH PARTITION p1;",
    "detached concurrently": "-- no-transaction\nALTER TABLE p DETACH PARTITION p1 CONCURRENTLY;",
    "dropped": "DROP TABLE p1;",
    "a row by its key": "ALTER TABLE p ADD z integer; UPDATE p SET k = 1 WHERE id = 3 AND d = '2024-01-04';",
}


@pytest.mark.parametrize("case", BRIEF)
def test_what_takes_a_moment_is_no_stall(history: History, case: str) -> None:
    judged = history.judge(RANGE + ROWS + "ANALYZE;", BRIEF[case])
    assert judged.evidence.applied, judged.evidence.error
    assert judged.rules == []


REFERRED = (
    "CREATE TABLE p (id integer PRIMARY KEY) PARTITION BY RANGE (id);"
    "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20);"
    "CREATE TABLE items (p_id integer REFERENCES p);"
)


def test_detaching_a_partition_reads_the_table_that_refers_to_it(history: History) -> None:
    judged = history.judge(REFERRED, "INSERT INTO p VALUES (1), (11); INSERT INTO items VALUES (11);", DETACH)
    assert judged.rules == ["detach-partition-scans"]
    (finding,) = judged.of_rule("detach-partition-scans")
    assert finding.message.endswith("wait while public.items is read as a whole")


DETACH = "ALTER TABLE p DETACH PARTITION p1;"
