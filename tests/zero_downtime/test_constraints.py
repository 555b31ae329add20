"""Constraints that are checked against all rows, and keys whose indexes are built, while others wait.

Cases of one theme follow one another in one history.
"""

import pytest

from tests.zero_downtime.conftest import History
from tests.zero_downtime.remedies import check_remedies, check_remedies_of_each

TABLES = """
CREATE TABLE parent (id bigint PRIMARY KEY, code text NOT NULL UNIQUE);
CREATE TABLE busy (id bigint PRIMARY KEY, k integer, n integer NOT NULL, p bigint, v text, w text);
"""
ROWS = """
INSERT INTO parent SELECT i, 'c' || i FROM generate_series(1, 50) AS i;
INSERT INTO busy SELECT i, i, i, i % 50 + 1, 'v' || i, 'w' || i FROM generate_series(1, 100) AS i;
"""
HEIRS = """
CREATE TABLE elder (k integer, v text);
CREATE TABLE heir () INHERITS (elder);
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


def _do(statement: str) -> str:
    return f"DO $$ BEGIN {statement} EXCEPTION WHEN duplicate_object THEN NULL; END $$;"


def _needs(history: History, major: int) -> None:
    if history.major < major:
        pytest.skip(f"PostgreSQL {major}")


def test_a_check_of_all_rows_stalls_everybody(history: History) -> None:
    migrations = [
        "ALTER TABLE busy ADD CONSTRAINT positive CHECK (k > 0);",
        'ALTER TABLE busy ADD CONSTRAINT "Positive %" CHECK (k > 0) NO INHERIT;',
        "ALTER TABLE busy ADD CHECK (k > 0);",
        "ALTER TABLE busy ADD CHECK (k > 0), ADD CONSTRAINT other CHECK (n > 0);",
        _do("ALTER TABLE busy ADD CONSTRAINT in_block CHECK (k > 0);"),
        "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD CHECK (%I > 0)', 'busy', 'k'); END $$;",
    ]
    for judged in check_remedies_of_each(history, [TABLES], migrations, rows=ROWS):
        assert {*judged.rules} == {"add-check-validates"}
        for finding in judged.findings_of_stalls:
            assert finding.message.startswith("reads and writes of public.busy wait while CHECK constraint")


def test_a_remedy_says_whether_it_stands_for_a_command_or_for_its_statement(history: History) -> None:
    alone, with_another = history.judge_each(
        TABLES,
        "ALTER TABLE busy ADD CONSTRAINT a CHECK (k > 0);",
        "ALTER TABLE busy ADD COLUMN z integer, ADD CONSTRAINT b CHECK (k > 0);",
    )
    said = "the others of the statement stay in it"
    assert [said in one.findings_of_stalls[0].remedy for one in (alone, with_another)] == [False, True]


def test_a_foreign_key_of_all_rows_stalls_the_writes_of_both_tables(history: History) -> None:
    migrations = [
        "ALTER TABLE busy ADD CONSTRAINT busy_parent FOREIGN KEY (p) REFERENCES parent;",
        "ALTER TABLE busy ADD FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;",
        _do("ALTER TABLE busy ADD CONSTRAINT busy_p2 FOREIGN KEY (p) REFERENCES parent;"),
    ]
    for judged in check_remedies_of_each(history, [TABLES], migrations, rows=ROWS):
        assert judged.rules == ["add-foreign-key-validates"]
        (finding,) = judged.findings_of_stalls
        assert finding.message.startswith(
            "writes of public.parent and public.busy wait while foreign key busy_p"
        )


def test_foreign_keys_in_blocks_of_one_file_are_told_apart(history: History) -> None:
    other = "CREATE TABLE other (id bigint, p bigint, q bigint);"
    blocks = [
        _do("ALTER TABLE other ADD CONSTRAINT other_q FOREIGN KEY (q) REFERENCES parent;"),
        _do("ALTER TABLE busy ADD CONSTRAINT busy_p FOREIGN KEY (p) REFERENCES parent;"),
        _do("ALTER TABLE other ADD CONSTRAINT other_p FOREIGN KEY (p) REFERENCES parent;"),
    ]
    judged = check_remedies(history, [f"{TABLES}{other}"], "\n".join(blocks), rows=ROWS)
    assert judged.rules == ["add-foreign-key-validates"] * 3
    told = [finding.message.rpartition("foreign key ")[2].split()[0] for finding in judged.findings_of_stalls]
    assert told == ["other_q", "busy_p", "other_p"]


def test_constraints_of_tables_with_partitions_or_heirs(history: History) -> None:
    cases = {
        "ALTER TABLE elder ADD CONSTRAINT positive CHECK (k > 0);": "add-check-validates",
        "ALTER TABLE elder ALTER k SET NOT NULL;": "set-not-null-scans",
        "ALTER TABLE parted ADD CONSTRAINT positive CHECK (k > 0);": "add-check-validates",
        _do("ALTER TABLE parted ADD CHECK (k > 0);"): "add-check-validates",
        "ALTER TABLE parted ALTER k SET NOT NULL;": "set-not-null-scans",
        "ALTER TABLE parted ADD CONSTRAINT named FOREIGN KEY (p) REFERENCES parent;": "add-foreign-key-validates",
        _do(
            "ALTER TABLE parted ADD FOREIGN KEY (p) REFERENCES parent ON DELETE SET NULL;"
        ): "add-foreign-key-validates",
        "ALTER TABLE parted ADD CONSTRAINT one_id UNIQUE (id, d) DEFERRABLE;": "add-unique-builds-index",
        _do("ALTER TABLE parted ADD UNIQUE (d, id);"): "add-unique-builds-index",
        "ALTER TABLE parted ADD PRIMARY KEY (d, id);": "add-primary-key-builds-index",
    }
    rows = f"{PARTITIONED_ROWS} INSERT INTO heir SELECT i, 'v' FROM generate_series(1, 100) AS i;"
    found = check_remedies_of_each(history, [f"{PARTITIONED}{HEIRS}"], [*cases], rows=rows)
    assert [judged.rules for judged in found] == [[rule] for rule in cases.values()]


def test_a_foreign_key_to_a_partitioned_table(history: History) -> None:
    """Up to 17, VALIDATE leaves those parts of it marked that say what happens when a partition's rows are deleted."""
    key = "ALTER TABLE parted ADD PRIMARY KEY (d, id); CREATE TABLE child (d date, id bigint);"
    rows = f"{PARTITIONED_ROWS} INSERT INTO child SELECT d, id FROM parted;"
    statement = "ALTER TABLE child ADD FOREIGN KEY (d, id) REFERENCES parted (d, id);"
    is_marked = history.major < 18
    unequal = r"public\.child\.child_d_id_fkey[1-4]" if is_marked else ""
    judged = check_remedies(history, [f"{PARTITIONED}{key}"], statement, rows=rows, unequal=unequal)
    assert judged.rules == ["add-foreign-key-validates"]
    (finding,) = judged.findings_of_stalls
    assert ("without effect" in finding.remedy) == is_marked


def test_a_unique_constraints_index_stalls_everybody(history: History) -> None:
    migrations = [
        "ALTER TABLE busy ADD CONSTRAINT one_k UNIQUE (k);",
        "ALTER TABLE busy ADD UNIQUE (k, v) INCLUDE (n) WITH (fillfactor = 70) DEFERRABLE INITIALLY DEFERRED;",
        'ALTER TABLE busy ADD CONSTRAINT "One" UNIQUE (v) DEFERRABLE;',
        _do("ALTER TABLE busy ADD CONSTRAINT in_block UNIQUE (k);"),
    ]
    for judged in check_remedies_of_each(history, [TABLES], migrations, rows=ROWS):
        assert judged.rules == ["add-unique-builds-index"]
        (finding,) = judged.findings_of_stalls
        assert finding.message.startswith(
            "reads and writes of public.busy wait while the index of unique constraint"
        )


def test_a_primary_keys_index_stalls_everybody(history: History) -> None:
    cases = [
        ("id bigint NOT NULL, v text", "ALTER TABLE keyless_0 ADD PRIMARY KEY (id);"),
        ("id bigint, v text", "ALTER TABLE keyless_1 ADD PRIMARY KEY (id);"),
        ("id bigint, v text", 'ALTER TABLE keyless_2 ADD CONSTRAINT "Key" PRIMARY KEY (v, id) INCLUDE (w);'),
        ("id bigint, v text", _do("ALTER TABLE keyless_3 ADD CONSTRAINT k PRIMARY KEY (id);")),
        ('id bigint, "Odd Col" text', 'ALTER TABLE keyless_4 ADD PRIMARY KEY ("Odd Col");'),
    ]
    before = "\n".join(
        f"""CREATE TABLE keyless_{number} ({columns}, w integer);
        INSERT INTO keyless_{number} SELECT i, i::text FROM generate_series(1, 100) AS i;"""
        for number, (columns, _) in enumerate(cases)
    )
    for judged in check_remedies_of_each(history, [before], [migration for _, migration in cases]):
        assert judged.rules == ["add-primary-key-builds-index"]


def test_a_primary_key_of_an_index_whose_column_may_be_null(history: History) -> None:
    migrations = [
        "ALTER TABLE a ADD PRIMARY KEY USING INDEX one_a;",
        "ALTER TABLE b ADD CONSTRAINT key PRIMARY KEY USING INDEX one_b;",
        _do("ALTER TABLE c ADD CONSTRAINT key_c PRIMARY KEY USING INDEX one_c;"),
    ]
    before = "\n".join(
        f"""CREATE TABLE {name} AS SELECT i AS k FROM generate_series(1, 100) AS i;
        CREATE UNIQUE INDEX one_{name} ON {name} (k);"""
        for name in "abc"
    )
    for name, judged in zip("abc", check_remedies_of_each(history, [before], migrations), strict=True):
        assert judged.rules == ["primary-key-using-index-scans"]
        (finding,) = judged.findings_of_stalls
        assert (
            finding.message
            == f"reads and writes of public.{name} wait while every row is looked at for nulls in k"
        )


def test_set_not_null_stalls_everybody(history: History) -> None:
    taken = "ALTER TABLE busy ADD CONSTRAINT busy_k_not_null CHECK (k > 0);"
    migrations = [
        "ALTER TABLE busy ALTER COLUMN k SET NOT NULL;",
        "ALTER TABLE busy ALTER p SET NOT NULL, ALTER v SET NOT NULL;",
        _do("ALTER TABLE busy ALTER w SET NOT NULL;"),
    ]
    for judged in check_remedies_of_each(history, [f"{TABLES}{taken}"], migrations, rows=ROWS):
        assert {*judged.rules} == {"set-not-null-scans"}


def test_a_column_of_the_same_file_that_becomes_not_null(history: History) -> None:
    rest = "ALTER TABLE busy ADD COLUMN z integer;\nALTER TABLE busy ALTER z SET DEFAULT 0;\nUPDATE busy SET z = 0;"
    judged = history.judge(f"{TABLES}{ROWS}", f"{rest}\nALTER TABLE busy ALTER z SET NOT NULL;")
    (finding,) = judged.of_rule("set-not-null-scans")
    assert finding.line == 4
    assert len(finding.files) == (2 if history.major >= 18 else 3)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "ALTER TABLE busy ADD CONSTRAINT c FOREIGN KEY (p) REFERENCES parent NOT VALID;",
            "ALTER TABLE busy VALIDATE CONSTRAINT c;",
        ),
        ("ALTER TABLE parent ADD COLUMN z integer;", "ALTER TABLE busy VALIDATE CONSTRAINT waiting;"),
        ("ALTER TABLE busy ADD COLUMN z integer;", _do("ALTER TABLE busy VALIDATE CONSTRAINT waiting;")),
    ],
)
def test_validating_under_a_lock_of_the_same_transaction(history: History, first: str, second: str) -> None:
    before = f"{TABLES} ALTER TABLE busy ADD CONSTRAINT waiting CHECK (n > 0) NOT VALID;"
    judged = check_remedies(history, [before], f"{first}\n{second}", rest=first, rows=ROWS)
    assert judged.rules == ["validate-under-lock"]


def test_what_takes_the_place_of_another_is_made_beside_it(history: History) -> None:
    before = """
    ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0), ADD CONSTRAINT cc CHECK (k > 0), ADD CONSTRAINT u UNIQUE (k),
        ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES parent, ADD CONSTRAINT ff FOREIGN KEY (p) REFERENCES parent;
    CREATE INDEX i ON busy (k); CREATE INDEX ii ON busy (k);
    """
    cases = {
        "ALTER TABLE busy DROP CONSTRAINT c, ADD CONSTRAINT c CHECK (k > -1);": "add-check-validates",
        "ALTER TABLE busy DROP CONSTRAINT cc; ALTER TABLE busy ADD CONSTRAINT cc CHECK (k > -1);": "add-check-validates",
        "ALTER TABLE busy DROP CONSTRAINT f; ALTER TABLE busy ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES parent ON DELETE CASCADE;": "add-foreign-key-validates",
        "ALTER TABLE busy DROP CONSTRAINT ff; ALTER TABLE busy ADD CONSTRAINT ff FOREIGN KEY (p) REFERENCES parent;": "add-foreign-key-validates",
        "ALTER TABLE busy DROP CONSTRAINT u; ALTER TABLE busy ADD CONSTRAINT u UNIQUE (k, n);": "add-unique-builds-index",
        "ALTER TABLE busy DROP CONSTRAINT busy_pkey; ALTER TABLE busy ADD PRIMARY KEY (k);": "add-primary-key-builds-index",
        "ALTER TABLE busy DROP CONSTRAINT busy_pkey, ADD CONSTRAINT key PRIMARY KEY (n, id);": "add-primary-key-builds-index",
        "DROP INDEX i; CREATE INDEX i ON busy (k, n);": "index-not-concurrent",
        "DROP INDEX ii; CREATE INDEX ii ON busy (k);": "index-not-concurrent",
    }
    found = check_remedies_of_each(history, [f"{TABLES}{before}"], [*cases], rows=ROWS)
    assert [judged.rules for judged in found] == [[rule] for rule in cases.values()]


def test_a_new_tables_rows_are_looked_up_in_one_that_was_there(history: History) -> None:
    created = "CREATE TABLE n AS SELECT id, p FROM busy;"
    added = "ALTER TABLE n ADD CONSTRAINT n_p FOREIGN KEY (p) REFERENCES parent;"
    judged = check_remedies(history, [f"{TABLES}{ROWS}"], f"{created}\n{added}", rest=created)
    (finding,) = judged.of_rule("add-foreign-key-validates")
    assert (
        finding.message == "writes of public.parent wait while foreign key n_p is checked against every row"
    )


def test_for_what_cannot_be_done_online_no_sql_is_promised(history: History) -> None:
    before = f"""{TABLES}{ROWS} CREATE DOMAIN positive AS integer; CREATE TABLE uses (a positive);
    ALTER DOMAIN positive ADD CONSTRAINT waiting CHECK (VALUE > 0) NOT VALID;"""
    cases = {
        "ALTER TABLE busy ADD EXCLUDE USING btree (k WITH =);": "add-exclusion-constraint",
        _do("ALTER TABLE busy ADD CONSTRAINT ex EXCLUDE USING btree (k WITH =);"): "add-exclusion-constraint",
        "ALTER DOMAIN positive ADD CONSTRAINT small CHECK (VALUE < 1000);": "domain-constraint-scans",
        _do("ALTER DOMAIN positive ADD CHECK (VALUE < 1000);"): "domain-constraint-scans",
        "ALTER DOMAIN positive VALIDATE CONSTRAINT waiting;": "domain-constraint-scans",
        "ALTER DOMAIN positive SET NOT NULL;": "domain-constraint-scans",
    }
    found = history.judge_each(before, *cases)
    assert [judged.rules for judged in found] == [[rule] for rule in cases.values()]
    for judged in found:
        (finding,) = judged.findings_of_stalls
        assert finding.files == ()
        assert "cannot" in finding.remedy or "no way" in finding.remedy


def test_what_reads_nothing_under_a_lock_is_passed(history: History) -> None:
    files = [
        "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0) NOT VALID;",
        "ALTER TABLE busy VALIDATE CONSTRAINT c;",
        "ALTER TABLE busy ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES parent NOT VALID;",
        "ALTER TABLE busy VALIDATE CONSTRAINT f;",
        "ALTER TABLE busy ALTER n SET NOT NULL;",
        "ALTER TABLE busy ADD CONSTRAINT proof CHECK (k > 0 AND k IS NOT NULL) NOT VALID;",
        "ALTER TABLE busy VALIDATE CONSTRAINT proof;",
        "ALTER TABLE busy ALTER k SET NOT NULL;",
        "ALTER TABLE busy RENAME CONSTRAINT proof TO other;",
        "CREATE TABLE a (id bigint, p bigint REFERENCES parent); ALTER TABLE a ADD PRIMARY KEY (id);",
        "CREATE TABLE b (p bigint); ALTER TABLE b ADD FOREIGN KEY (p) REFERENCES parent, ADD CHECK (p > 0);",
        "CREATE TEMP TABLE t AS SELECT * FROM busy; ALTER TABLE t ADD CHECK (n > 0), ADD UNIQUE (id);",
        "CREATE DOMAIN d AS integer; ALTER DOMAIN d ADD CHECK (VALUE > 0);",
        "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY one ON busy (n);",
        "ALTER TABLE busy ADD CONSTRAINT one UNIQUE USING INDEX one;",
        "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY two ON busy (n, k);",
        "ALTER TABLE busy DROP CONSTRAINT busy_pkey;",
        "ALTER TABLE busy ADD PRIMARY KEY USING INDEX two;",
    ]
    for text, judged in zip(files, history.judge_each(f"{TABLES}{ROWS}", *files), strict=True):
        assert (text, judged.rules) == (text, [])


def test_what_is_not_enforced_or_not_valid_reads_nothing(history: History) -> None:
    _needs(history, 18)
    files = [
        "ALTER TABLE busy ADD CONSTRAINT c CHECK (k > 0) NOT ENFORCED;",
        "ALTER TABLE busy ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES parent NOT ENFORCED;",
        "ALTER TABLE busy ADD CONSTRAINT n NOT NULL k NOT VALID;",
    ]
    for judged in history.judge_each(f"{TABLES}{ROWS}", *files):
        assert judged.rules == []


def test_constraints_of_postgresql_18(history: History) -> None:
    _needs(history, 18)
    before = """
    ALTER TABLE busy ADD CONSTRAINT f FOREIGN KEY (p) REFERENCES parent NOT ENFORCED;
    ALTER TABLE busy ADD CONSTRAINT ff FOREIGN KEY (p) REFERENCES parent NOT ENFORCED;
    ALTER TABLE busy ADD CONSTRAINT given NOT NULL k NOT VALID;
    ALTER TABLE busy ADD COLUMN g integer GENERATED ALWAYS AS (k * 2) VIRTUAL;
    """
    cases = {
        "ALTER TABLE busy ALTER CONSTRAINT f ENFORCED;": "alter-constraint-enforced",
        _do("ALTER TABLE busy ALTER CONSTRAINT ff ENFORCED;"): "alter-constraint-enforced",
        "ALTER TABLE busy ALTER k SET NOT NULL;": "set-not-null-scans",
        "ALTER TABLE busy ADD CONSTRAINT named NOT NULL v;": "set-not-null-scans",
        "ALTER TABLE busy ADD NOT NULL w;": "set-not-null-scans",
        "ALTER TABLE busy ALTER g SET NOT NULL;": "set-not-null-scans",
    }
    found = check_remedies_of_each(history, [f"{TABLES}{before}"], [*cases], rows=ROWS)
    assert [judged.rules for judged in found] == [[rule] for rule in cases.values()]


def test_a_key_without_overlaps_cannot_be_made_of_an_index(history: History) -> None:
    _needs(history, 18)
    before = "CREATE TABLE busy (r int4range, d daterange);"
    judged = history.judge(before, "ALTER TABLE busy ADD UNIQUE (r, d WITHOUT OVERLAPS);")
    (finding,) = judged.of_rule("add-unique-builds-index")
    assert finding.files == ()
    assert "no way" in finding.remedy
