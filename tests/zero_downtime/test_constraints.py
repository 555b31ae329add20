"""Constraints that are checked against all rows, and keys whose indexes are built, while others wait."""

import pytest

from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import check_remedies

TABLES = """
CREATE TABLE parent (id bigint PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE busy (id bigint PRIMARY KEY, k integer, n integer NOT NULL, p bigint, v text);
"""
ROWS = """
INSERT INTO parent SELECT i, 'c' || i FROM generate_series(1, 50) AS i;
INSERT INTO busy SELECT i, i, i, i % 50 + 1, 'v' || i FROM generate_series(1, 100) AS i;
"""

PARTITIONED = """
CREATE TABLE parent (id bigint PRIMARY KEY);
CREATE TABLE parted (id bigint, d date NOT NULL, k integer, p bigint) PARTITION BY RANGE (d);
CREATE TABLE parted_a PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE "Parted B" PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY RANGE (d);
CREATE TABLE parted_b1 PARTITION OF "Parted B" FOR VALUES FROM ('2025-01-01') TO ('2025-03-01');
CREATE TABLE parted_b2 PARTITION OF "Parted B" DEFAULT;
"""
PARTITIONED_ROWS = """
INSERT INTO parent SELECT i FROM generate_series(1, 100) AS i;
INSERT INTO parted SELECT i, date '2024-01-01' + i * 7, i, i FROM generate_series(1, 100) AS i;
"""
INHERITED = "CREATE TABLE heir () INHERITS (busy);"


def _do(statement: str) -> str:
    return f"DO $$ BEGIN {statement} EXCEPTION WHEN duplicate_object THEN NULL; END $$;"


CHECKS = [
    "ALTER TABLE busy ADD CONSTRAINT positive CHECK (k > 0);",
    'ALTER TABLE busy ADD CONSTRAINT "Positive %" CHECK (k > 0) NO INHERIT;',
    "ALTER TABLE busy ADD CHECK (k > 0);",
    "ALTER TABLE busy ADD CHECK (k > 0), ADD CONSTRAINT other CHECK (n > 0);",
    _do("ALTER TABLE busy ADD CONSTRAINT positive CHECK (k > 0);"),
    "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD CHECK (%I > 0)', 'busy', 'k'); END $$;",
]


@pytest.mark.parametrize("statement", CHECKS)
def test_a_check_of_all_rows_stalls_everybody(history: History, statement: str) -> None:
    judged = check_remedies(history, [TABLES], statement, rows=ROWS)
    assert {*judged.rules} == {"add-check-validates"}
    for finding in judged.findings_of_stalls:
        assert finding.message.startswith("reads and writes of public.busy wait while CHECK constraint")


@pytest.mark.parametrize(
    ("before", "statement", "rows"),
    [
        (f"{TABLES}{INHERITED}", "ALTER TABLE busy ADD CONSTRAINT positive CHECK (k > 0);", ROWS),
        (PARTITIONED, "ALTER TABLE parted ADD CONSTRAINT positive CHECK (k > 0);", PARTITIONED_ROWS),
        (PARTITIONED, _do("ALTER TABLE parted ADD CHECK (k > 0);"), PARTITIONED_ROWS),
    ],
)
def test_a_check_of_a_table_with_partitions_or_heirs(
    history: History, before: str, statement: str, rows: str
) -> None:
    assert check_remedies(history, [before], statement, rows=rows).rules == ["add-check-validates"]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE busy ADD CONSTRAINT busy_parent FOREIGN KEY (p) REFERENCES parent;",
        "ALTER TABLE busy ADD FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;",
        _do("ALTER TABLE busy ADD CONSTRAINT busy_parent FOREIGN KEY (p) REFERENCES parent;"),
    ],
)
def test_a_foreign_key_of_all_rows_stalls_the_writes_of_both_tables(history: History, statement: str) -> None:
    judged = check_remedies(history, [TABLES], statement, rows=ROWS)
    assert judged.rules == ["add-foreign-key-validates"]
    (finding,) = judged.findings_of_stalls
    assert finding.message.startswith("writes of public.parent and public.busy wait while foreign key busy_p")


def test_foreign_keys_in_blocks_of_one_file_are_told_apart(history: History) -> None:
    other = "CREATE TABLE other (id bigint, p bigint, q bigint);"
    blocks = [
        _do("ALTER TABLE other ADD CONSTRAINT other_q FOREIGN KEY (q) REFERENCES parent;"),
        _do("ALTER TABLE busy ADD CONSTRAINT busy_p FOREIGN KEY (p) REFERENCES parent;"),
        _do("ALTER TABLE other ADD CONSTRAINT other_p FOREIGN KEY (p) REFERENCES parent;"),
    ]
    judged = check_remedies(history, [TABLES, other], "\n".join(blocks), rows=ROWS)
    assert judged.rules == ["add-foreign-key-validates"] * 3
    told = [finding.message.rpartition("foreign key ")[2].split()[0] for finding in judged.findings_of_stalls]
    assert told == ["other_q", "busy_p", "other_p"]


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        (PARTITIONED, "ALTER TABLE parted ADD CONSTRAINT parted_parent FOREIGN KEY (p) REFERENCES parent;"),
        (PARTITIONED, _do("ALTER TABLE parted ADD FOREIGN KEY (p) REFERENCES parent ON DELETE SET NULL;")),
    ],
)
def test_a_foreign_key_of_a_partitioned_table(history: History, before: str, statement: str) -> None:
    judged = check_remedies(history, [before], statement, rows=PARTITIONED_ROWS)
    assert judged.rules == ["add-foreign-key-validates"]


def test_a_foreign_key_to_a_partitioned_table(history: History) -> None:
    """Up to 17, VALIDATE leaves those parts of it marked that say what happens when a partition's rows are deleted."""
    key = "ALTER TABLE parted ADD PRIMARY KEY (d, id); CREATE TABLE child (d date, id bigint);"
    rows = f"{PARTITIONED_ROWS} INSERT INTO child SELECT d, id FROM parted;"
    statement = "ALTER TABLE child ADD FOREIGN KEY (d, id) REFERENCES parted (d, id);"
    is_marked = history.server.major < 18
    judged = check_remedies(
        history,
        [PARTITIONED, key],
        statement,
        rows=rows,
        unequal="public.child.child_d_id_fkey[1-4]" if is_marked else "",
    )
    assert judged.rules == ["add-foreign-key-validates"]
    (finding,) = judged.findings_of_stalls
    assert ("without effect" in finding.remedy) == is_marked


UNIQUE = [
    "ALTER TABLE busy ADD CONSTRAINT one_k UNIQUE (k);",
    "ALTER TABLE busy ADD UNIQUE (k, v) INCLUDE (n) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED;",
    'ALTER TABLE busy ADD CONSTRAINT "One" UNIQUE (v) DEFERRABLE;',
    _do("ALTER TABLE busy ADD CONSTRAINT one_k UNIQUE (k);"),
]


@pytest.mark.parametrize("statement", UNIQUE)
def test_a_unique_constraints_index_stalls_everybody(history: History, statement: str) -> None:
    judged = check_remedies(history, [TABLES], statement, rows=ROWS)
    assert judged.rules == ["add-unique-builds-index"]
    (finding,) = judged.findings_of_stalls
    assert finding.message.startswith(
        "reads and writes of public.busy wait while the index of unique constraint"
    )


@pytest.mark.parametrize(
    ("columns", "statement"),
    [
        ("id bigint NOT NULL, v text", "ALTER TABLE keyless ADD PRIMARY KEY (id);"),
        ("id bigint, v text", "ALTER TABLE keyless ADD PRIMARY KEY (id);"),
        ("id bigint, v text", 'ALTER TABLE keyless ADD CONSTRAINT "Key" PRIMARY KEY (v, id) INCLUDE (w);'),
        ("id bigint, v text", _do("ALTER TABLE keyless ADD CONSTRAINT k PRIMARY KEY (id);")),
        ('id bigint, "Odd Col" text', 'ALTER TABLE keyless ADD PRIMARY KEY ("Odd Col");'),
    ],
)
def test_a_primary_keys_index_stalls_everybody(history: History, columns: str, statement: str) -> None:
    before = f"CREATE TABLE keyless ({columns}, w integer);"
    rows = "INSERT INTO keyless SELECT i, i::text FROM generate_series(1, 100) AS i;"
    judged = check_remedies(history, [before], statement, rows=rows)
    assert judged.rules == ["add-primary-key-builds-index"]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE parted ADD PRIMARY KEY (d, id);", "add-primary-key-builds-index"),
        ("ALTER TABLE parted ADD CONSTRAINT one_id UNIQUE (id, d) DEFERRABLE;", "add-unique-builds-index"),
        (_do("ALTER TABLE parted ADD UNIQUE (d, id);"), "add-unique-builds-index"),
    ],
)
def test_keys_of_a_partitioned_table(history: History, statement: str, rule: str) -> None:
    assert check_remedies(history, [PARTITIONED], statement, rows=PARTITIONED_ROWS).rules == [rule]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE busy ADD PRIMARY KEY USING INDEX one_k;",
        "ALTER TABLE busy ADD CONSTRAINT key PRIMARY KEY USING INDEX one_k;",
        _do("ALTER TABLE busy ADD CONSTRAINT key PRIMARY KEY USING INDEX one_k;"),
    ],
)
def test_a_primary_key_of_an_index_whose_column_may_be_null(history: History, statement: str) -> None:
    before = [TABLES, "ALTER TABLE busy DROP CONSTRAINT busy_pkey; CREATE UNIQUE INDEX one_k ON busy (k);"]
    judged = check_remedies(history, before, statement, rows=ROWS)
    assert judged.rules == ["primary-key-using-index-scans"]
    (finding,) = judged.findings_of_stalls
    assert (
        finding.message == "reads and writes of public.busy wait while every row is looked at for nulls in k"
    )


@pytest.mark.parametrize(
    ("before", "statement", "rows"),
    [
        (TABLES, "ALTER TABLE busy ALTER COLUMN k SET NOT NULL;", ROWS),
        (TABLES, "ALTER TABLE busy ALTER k SET NOT NULL, ALTER v SET NOT NULL;", ROWS),
        (TABLES, _do("ALTER TABLE busy ALTER k SET NOT NULL;"), ROWS),
        (f"{TABLES}{INHERITED}", "ALTER TABLE busy ALTER k SET NOT NULL;", ROWS),
        (PARTITIONED, "ALTER TABLE parted ALTER k SET NOT NULL;", PARTITIONED_ROWS),
        (
            f"{TABLES} ALTER TABLE busy ADD CONSTRAINT busy_k_not_null CHECK (k > 0);",
            "ALTER TABLE busy ALTER k SET NOT NULL;",
            ROWS,
        ),
    ],
)
def test_set_not_null_stalls_everybody(history: History, before: str, statement: str, rows: str) -> None:
    judged = check_remedies(history, [before], statement, rows=rows)
    assert {*judged.rules} == {"set-not-null-scans"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0) NOT VALID;",
            "ALTER TABLE busy VALIDATE CONSTRAINT c;",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent NOT VALID;",
            "ALTER TABLE busy VALIDATE CONSTRAINT c;",
        ),
        ("ALTER TABLE parent ADD COLUMN z integer;", "ALTER TABLE busy VALIDATE CONSTRAINT waiting;"),
        ("ALTER TABLE busy ADD COLUMN z integer;", _do("ALTER TABLE busy VALIDATE CONSTRAINT waiting;")),
    ],
)
def test_validating_under_a_lock_of_the_same_transaction(history: History, first: str, second: str) -> None:
    before = [TABLES, "ALTER TABLE busy ADD CONSTRAINT waiting CHECK (n > 0) NOT VALID;"]
    judged = check_remedies(history, before, f"{first}\n{second}", rest=first, rows=ROWS)
    assert judged.rules == ["validate-under-lock"]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE busy ADD EXCLUDE USING btree (k WITH =);", "add-exclusion-constraint"),
        (
            _do("ALTER TABLE busy ADD CONSTRAINT ex EXCLUDE USING btree (k WITH =);"),
            "add-exclusion-constraint",
        ),
        ("ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 1000);", "domain-constraint-scans"),
        ("ALTER DOMAIN positive SET NOT NULL;", "domain-constraint-scans"),
        (_do("ALTER DOMAIN positive ADD CHECK (VALUE < 1000);"), "domain-constraint-scans"),
        ("ALTER DOMAIN positive VALIDATE CONSTRAINT waiting;", "domain-constraint-scans"),
    ],
)
def test_for_what_cannot_be_done_online_no_sql_is_promised(
    history: History, statement: str, rule: str
) -> None:
    before = (
        f"{TABLES} CREATE DOMAIN positive AS integer; CREATE TABLE uses (a positive);"
        "ALTER DOMAIN positive ADD CONSTRAINT waiting CHECK (VALUE > 0) NOT VALID;"
    )
    judged = history.judge(before, ROWS, statement)
    assert judged.rules == [rule]
    (finding,) = judged.findings_of_stalls
    assert finding.files == ()
    assert "cannot" in finding.remedy or "no way" in finding.remedy


PROVEN = "ALTER TABLE busy ADD CONSTRAINT proof CHECK (k > 0 AND k IS NOT NULL) NOT VALID;"


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ([], "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0) NOT VALID;"),
        ([], "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent NOT VALID;"),
        ([], "ALTER TABLE busy ALTER n SET NOT NULL;"),
        ([PROVEN], "ALTER TABLE busy VALIDATE CONSTRAINT proof;"),
        ([PROVEN, "ALTER TABLE busy VALIDATE CONSTRAINT proof;"], "ALTER TABLE busy ALTER k SET NOT NULL;"),
        (
            ["CREATE UNIQUE INDEX one ON busy (n);"],
            "ALTER TABLE busy ADD CONSTRAINT one UNIQUE USING INDEX one;",
        ),
        (
            ["ALTER TABLE busy DROP CONSTRAINT busy_pkey; CREATE UNIQUE INDEX one ON busy (n);"],
            "ALTER TABLE busy ADD PRIMARY KEY USING INDEX one;",
        ),
        ([], "CREATE TABLE n (id bigint, p bigint REFERENCES parent); ALTER TABLE n ADD PRIMARY KEY (id);"),
        (
            [],
            "CREATE TABLE n (p bigint); ALTER TABLE n ADD FOREIGN KEY (p) REFERENCES parent, ADD CHECK (p > 0);",
        ),
        ([], "CREATE TEMP TABLE t AS SELECT * FROM busy; ALTER TABLE t ADD CHECK (n > 0), ADD UNIQUE (id);"),
        ([], "CREATE DOMAIN d AS integer; ALTER DOMAIN d ADD CHECK (VALUE > 0);"),
        ([], "ALTER TABLE busy DROP CONSTRAINT busy_pkey;"),
        ([PROVEN], "ALTER TABLE busy RENAME CONSTRAINT proof TO other;"),
    ],
)
def test_what_reads_nothing_under_a_lock_is_passed(
    history: History, before: list[str], statement: str
) -> None:
    judged = history.judge(TABLES, ROWS, *before, statement)
    assert judged.evidence.applied, judged.evidence.error
    assert judged.rules == []


@pytest.mark.parametrize(
    ("before", "statement", "rule"),
    [
        (
            "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0);",
            "ALTER TABLE busy {drop}, ADD CONSTRAINT c CHECK (k > -1);",
            "add-check-validates",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0);",
            "ALTER TABLE busy {drop}; ALTER TABLE busy ADD CONSTRAINT c CHECK (k > -1);",
            "add-check-validates",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent;",
            "ALTER TABLE busy {drop}; ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent ON DELETE CASCADE;",
            "add-foreign-key-validates",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent;",
            "ALTER TABLE busy {drop}; ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent;",
            "add-foreign-key-validates",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT c UNIQUE (k);",
            "ALTER TABLE busy {drop}; ALTER TABLE busy ADD CONSTRAINT c UNIQUE (k, n);",
            "add-unique-builds-index",
        ),
        (
            "SELECT 1;",
            "ALTER TABLE busy DROP CONSTRAINT busy_pkey; ALTER TABLE busy ADD PRIMARY KEY (k);",
            "add-primary-key-builds-index",
        ),
        (
            "SELECT 1;",
            "ALTER TABLE busy DROP CONSTRAINT busy_pkey, ADD CONSTRAINT key PRIMARY KEY (n, id);",
            "add-primary-key-builds-index",
        ),
        (
            "CREATE INDEX c ON busy (k);",
            "DROP INDEX c; CREATE INDEX c ON busy (k, n);",
            "index-not-concurrent",
        ),
        ("CREATE INDEX c ON busy (k);", "DROP INDEX c; CREATE INDEX c ON busy (k);", "index-not-concurrent"),
    ],
)
def test_what_takes_the_place_of_another_is_made_beside_it(
    history: History, before: str, statement: str, rule: str
) -> None:
    statement = statement.format(drop="DROP CONSTRAINT c")
    assert check_remedies(history, [TABLES, before], statement, rows=ROWS).rules == [rule]


def test_a_new_tables_rows_are_looked_up_in_one_that_was_there(history: History) -> None:
    created = "CREATE TABLE n AS SELECT id, p FROM busy;"
    added = "ALTER TABLE n ADD CONSTRAINT n_p FOREIGN KEY (p) REFERENCES parent;"
    judged = check_remedies(history, [TABLES, ROWS], f"{created}\n{added}", rest=created)
    (finding,) = judged.of_rule("add-foreign-key-validates")
    assert (
        finding.message == "writes of public.parent wait while foreign key n_p is checked against every row"
    )


def test_a_column_of_the_same_file_that_becomes_not_null(history: History) -> None:
    rest = "ALTER TABLE busy ADD COLUMN z integer;\nALTER TABLE busy ALTER z SET DEFAULT 0;\nUPDATE busy SET z = 0;"
    judged = history.judge(TABLES, ROWS, f"{rest}\nALTER TABLE busy ALTER z SET NOT NULL;")
    (finding,) = judged.of_rule("set-not-null-scans")
    assert finding.line == 4
    assert len(finding.files) == (2 if history.server.major >= 18 else 3)


def _needs(history: History, major: int) -> None:
    if history.server.major < major:
        pytest.skip(f"PostgreSQL {major}")


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0) NOT ENFORCED;",
        "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent NOT ENFORCED;",
        "ALTER TABLE busy ADD CONSTRAINT c NOT NULL k NOT VALID;",
    ],
)
def test_what_is_not_enforced_or_not_valid_reads_nothing(history: History, statement: str) -> None:
    _needs(history, 18)
    assert history.judge(TABLES, ROWS, statement).rules == []


@pytest.mark.parametrize(
    ("before", "statement", "rule"),
    [
        (
            "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent NOT ENFORCED;",
            "ALTER TABLE busy ALTER CONSTRAINT c ENFORCED;",
            "alter-constraint-enforced",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent NOT ENFORCED;",
            _do("ALTER TABLE busy ALTER CONSTRAINT c ENFORCED;"),
            "alter-constraint-enforced",
        ),
        (
            "ALTER TABLE busy ADD CONSTRAINT given NOT NULL k NOT VALID;",
            "ALTER TABLE busy ALTER k SET NOT NULL;",
            "set-not-null-scans",
        ),
        ("SELECT 1;", "ALTER TABLE busy ADD CONSTRAINT given NOT NULL k;", "set-not-null-scans"),
        ("SELECT 1;", "ALTER TABLE busy ADD NOT NULL k;", "set-not-null-scans"),
        (
            "ALTER TABLE busy ADD COLUMN g integer GENERATED ALWAYS AS (k * 2) VIRTUAL;",
            "ALTER TABLE busy ALTER g SET NOT NULL;",
            "set-not-null-scans",
        ),
    ],
)
def test_constraints_of_postgresql_18(history: History, before: str, statement: str, rule: str) -> None:
    _needs(history, 18)
    assert check_remedies(history, [TABLES, before], statement, rows=ROWS).rules == [rule]
