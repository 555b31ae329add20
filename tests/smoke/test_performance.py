"""Indexes that are missing, and those that only cost: each defect planted, and its clean twin."""

import pytest

from pytest_migsafe.rules.smoke import performance
from tests.smoke.conftest import Smoke

PARENT = 'CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Customers" (id int PRIMARY KEY, code text, region int, UNIQUE (region, id));'
CHILD = 'CREATE TABLE "Shop".orders (id int PRIMARY KEY, "Customer" int REFERENCES "Shop"."Customers", note text);'
PAIR = """
    CREATE TABLE "Shop".calls (region int, customer int, note text,
        CONSTRAINT who FOREIGN KEY (customer, region) REFERENCES "Shop"."Customers" (id, region));
"""
PARTITIONED = """
    CREATE TABLE "Shop"."Events" (at date, customer int REFERENCES "Shop"."Customers") PARTITION BY RANGE (at);
    CREATE TABLE "Shop".old PARTITION OF "Shop"."Events" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE "Shop"."New" PARTITION OF "Shop"."Events" DEFAULT;
"""


def test_a_foreign_key_that_no_index_covers(smoke: Smoke) -> None:
    test = performance.foreign_key_without_index
    (finding,) = smoke.findings(PARENT, CHILD, only=test)

    assert finding.message == (
        'no index covers "Shop".orders ("Customer"): each DELETE on "Shop"."Customers", and each UPDATE of its key, '
        'reads all of "Shop".orders'
    )
    assert finding.remedy.startswith('CREATE INDEX CONCURRENTLY ON "Shop".orders ("Customer");')
    assert finding.objects == ('"Shop".orders."orders_Customer_fkey"', '"Shop".orders', '"Shop"."Customers"')
    # It was so before; under whatever name.
    rename = 'ALTER TABLE "Shop".orders RENAME TO purchases'
    assert smoke.findings(PARENT + CHILD, rename, only=test) == ()
    # The index that covered it goes: that file is told.
    covered = f'{PARENT}{CHILD} CREATE INDEX by_customer ON "Shop".orders ("Customer");'
    assert smoke.findings(covered, 'DROP INDEX "Shop".by_customer', only=test)


@pytest.mark.parametrize(
    "index",
    [
        'ON "Shop".calls (region, customer, note)',
        # Nothing but rows that refer to nothing is missing there.
        'ON "Shop".calls (customer, region) WHERE customer IS NOT NULL AND region IS NOT NULL',
        # One row at most has these.
        'UNIQUE ON "Shop".calls (customer)',
    ],
)
def test_an_index_covers_the_columns_of_a_foreign_key_in_any_order(smoke: Smoke, index: str) -> None:
    unique, _, rest = index.rpartition("ON ")
    assert (
        smoke.findings(
            PARENT, f"{PAIR} CREATE {unique} INDEX ON {rest}", only=performance.foreign_key_without_index
        )
        == ()
    )


@pytest.mark.parametrize(
    "index",
    [
        "INDEX ON \"Shop\".calls (customer, region) WHERE note = 'x'",
        'INDEX ON "Shop".calls (note, customer, region)',
        'INDEX ON "Shop".calls (region)',
        'INDEX ON "Shop".calls (customer, region) WHERE note IS NOT NULL',
    ],
)
def test_an_index_of_some_rows_or_columns_covers_no_foreign_key(smoke: Smoke, index: str) -> None:
    (finding,) = smoke.findings(PARENT, f"{PAIR} CREATE {index}", only=performance.foreign_key_without_index)
    assert len(finding.evidence) == 2


def test_of_a_partitioned_table_a_foreign_key_is_told_once_with_the_way_for_its_partitions(
    smoke: Smoke,
) -> None:
    test = performance.foreign_key_without_index
    (finding,) = smoke.findings(PARENT, PARTITIONED, only=test)

    assert finding.objects[1] == '"Shop"."Events"'
    assert finding.remedy.splitlines() == [
        'CREATE INDEX "Events_customer_idx" ON ONLY "Shop"."Events" (customer);',
        'CREATE INDEX CONCURRENTLY "New_customer_idx" ON "Shop"."New" (customer);  -- in a file that runs outside a transaction',
        'ALTER INDEX "Shop"."Events_customer_idx" ATTACH PARTITION "Shop"."New_customer_idx";',
        'CREATE INDEX CONCURRENTLY old_customer_idx ON "Shop".old (customer);  -- in a file that runs outside a transaction',
        'ALTER INDEX "Shop"."Events_customer_idx" ATTACH PARTITION "Shop".old_customer_idx;',
    ]
    # The way is one: it can be pasted, and nothing is found after it.
    remedy = finding.remedy.replace(" CONCURRENTLY", "")
    assert smoke.findings(PARENT, PARTITIONED + remedy, only=None) == ()


@pytest.mark.parametrize(
    ("indexes", "message", "remedy"),
    [
        (
            'CREATE INDEX a ON "Shop".t (x, y DESC); CREATE INDEX b ON "Shop".t (x, y DESC)',
            'the index "Shop".b on "Shop".t is the same as "Shop".a',
            'DROP INDEX CONCURRENTLY "Shop".b;  -- in a file that runs outside a transaction',
        ),
        (
            'CREATE UNIQUE INDEX "A" ON "Shop".t (id)',
            'the index "Shop"."A" on "Shop".t is the same as "Shop".t_pkey, which stands for the constraint t_pkey',
            'DROP INDEX CONCURRENTLY "Shop"."A";  -- in a file that runs outside a transaction',
        ),
        (
            'ALTER TABLE "Shop".t ADD CONSTRAINT again UNIQUE (id)',
            'the index "Shop".again on "Shop".t is the same as "Shop".t_pkey, which stands for the constraint t_pkey',
            'ALTER TABLE "Shop".t DROP CONSTRAINT again;',
        ),
        (
            'CREATE INDEX ON "Shop".t (lower(z)) WHERE x > 0; CREATE INDEX ON "Shop".t (lower(z)) WHERE x > 0',
            'the index "Shop".t_lower_idx1 on "Shop".t is the same as "Shop".t_lower_idx',
            'DROP INDEX CONCURRENTLY "Shop".t_lower_idx1;  -- in a file that runs outside a transaction',
        ),
        (
            'CREATE INDEX c ON "Shop".p (a); CREATE INDEX d ON "Shop".p (a)',
            'the index "Shop".d on "Shop".p is the same as "Shop".c',
            'DROP INDEX "Shop".d;',
        ),
    ],
)
def test_two_indexes_that_are_the_same(smoke: Smoke, indexes: str, message: str, remedy: str) -> None:
    (finding,) = smoke.findings(INDEXED, indexes, only=performance.duplicate_index)
    assert (finding.message, finding.remedy) == (message, remedy)


INDEXED = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop".t (id int PRIMARY KEY, x int, y int, z text);
    CREATE TABLE "Shop".p (a int, b int) PARTITION BY LIST (a);
    CREATE TABLE "Shop".p1 PARTITION OF "Shop".p FOR VALUES IN (1);
    CREATE TABLE "Shop".p2 PARTITION OF "Shop".p FOR VALUES IN (2);
"""


def test_indexes_that_differ_in_anything_are_both_needed(smoke: Smoke) -> None:
    different = """
        CREATE INDEX ON "Shop".t (x); CREATE INDEX ON "Shop".t (x DESC); CREATE INDEX ON "Shop".t (x NULLS FIRST);
        CREATE INDEX ON "Shop".t USING hash (x); CREATE INDEX ON "Shop".t (x) INCLUDE (y); CREATE INDEX ON "Shop".t (x) WHERE y > 0;
        CREATE INDEX ON "Shop".t (z); CREATE INDEX ON "Shop".t (z text_pattern_ops); CREATE INDEX ON "Shop".t (z COLLATE "C");
        CREATE INDEX ON "Shop".t (x) WITH (fillfactor = 50); CREATE INDEX ON "Shop".p (b);
        CREATE UNIQUE INDEX ON "Shop".t (y) NULLS NOT DISTINCT; CREATE UNIQUE INDEX ON "Shop".t (y);
    """
    assert smoke.findings(INDEXED, different, only=performance.duplicate_index) == ()
    # The one that a foreign key relies on stays.
    relied_on = """
        ALTER TABLE "Shop".t ADD UNIQUE (id);
        CREATE TABLE "Shop".u (t int);
        ALTER TABLE "Shop".t ADD UNIQUE (x); ALTER TABLE "Shop".u ADD FOREIGN KEY (t) REFERENCES "Shop".t (x);
        ALTER TABLE "Shop".t ADD CONSTRAINT also UNIQUE (x);
    """
    found = smoke.findings(INDEXED, relied_on, only=performance.duplicate_index)
    assert {one.objects[0] for one in found} == {'"Shop".also', '"Shop".t_id_key'}


def test_what_a_team_may_ask_of_indexes(smoke: Smoke) -> None:
    begun = 'CREATE INDEX a ON "Shop".t (x); CREATE INDEX b ON "Shop".t (x, y)'
    (redundant,) = smoke.findings(INDEXED, begun, only=performance.redundant_index)
    assert redundant.message == 'the index "Shop".a on "Shop".t is the beginning of "Shop".b'
    for needed in (
        begun.replace("CREATE INDEX a", "CREATE UNIQUE INDEX a"),
        begun.replace("(x);", "(x) WHERE y > 0;"),
    ):
        assert smoke.findings(INDEXED, needed, only=performance.redundant_index) == ()

    (wide,) = smoke.findings(INDEXED, 'CREATE INDEX w ON "Shop".t (x, y, z, id)', only=performance.wide_index)
    assert wide.message == 'the index "Shop".w on "Shop".t has 4 key columns'
    many = "".join(f'CREATE INDEX ON "Shop".p (b) WHERE a = {number};' for number in range(11))
    (too_many,) = smoke.findings(INDEXED, many, only=performance.too_many_indexes)
    assert too_many.objects == ('"Shop".p',)


def test_statistics_that_are_lost_until_the_next_analyze(smoke: Smoke) -> None:
    test = performance.statistics_lost
    (retyped,) = smoke.findings(INDEXED, 'ALTER TABLE "Shop".t ALTER x TYPE bigint', only=test)
    assert (retyped.evidence, retyped.remedy) == (("x: integer became bigint",), 'ANALYZE "Shop".t;')
    expression = 'CREATE INDEX "By z" ON "Shop".t (lower(z))'
    (indexed,) = smoke.findings(INDEXED, expression, only=test)
    assert indexed.evidence == ('"Shop"."By z": btree (lower(z))',)

    assert smoke.findings(INDEXED, f'{expression}; ANALYZE "Shop".t', only=test) == ()
    assert smoke.findings("", f"{INDEXED}{expression}", only=test) == ()
