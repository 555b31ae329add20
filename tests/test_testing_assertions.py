"""Assertions for a team's tests: they hold where they should, and when they fail they say what a reviewer would."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from pytest_migsafe.postgres.binaries import Binaries
from pytest_migsafe.rules.blocking.check import FAMILY
from pytest_migsafe.testing import (
    MigrationDatabase,
    Rehearsal,
    RehearseSql,
    SelectionError,
    assert_no_findings,
    assert_no_lock_stronger_than,
    assert_no_stall,
    assert_plan_uses,
    assert_reversible,
    assert_same_schema,
    assertions,
)
from tests.laboratories import laboratory_of

GIVEN = """
create table orders (id int primary key, customer int, note text);
create index on orders (customer);
create table customers (id int primary key);
"""
KEY = "alter table orders\n  add foreign key (customer) references customers (id);\n\ncreate index on orders (note);\n"
HARMLESS = "set local lock_timeout = '1s';\nalter table orders add column paid boolean;\ncreate table plans (id int primary key);\n"


def _said(assertion: Callable[[], None]) -> list[str]:
    """Return what a failing assertion says."""
    with pytest.raises(AssertionError) as raised:
        assertion()
    return str(raised.value).splitlines()


@pytest.fixture
def key(rehearse_sql: RehearseSql) -> Rehearsal:
    """A file that makes others wait, twice."""
    return rehearse_sql(KEY, given=GIVEN)


def test_what_harms_nobody(rehearse_sql: RehearseSql) -> None:
    rehearsal = rehearse_sql(HARMLESS, given=GIVEN)
    assert_no_stall(rehearsal)
    assert_no_stall(rehearsal, on="public.orders")
    assert_no_findings(rehearsal)
    assert_no_lock_stronger_than(rehearsal, "AccessExclusiveLock")
    # What the file itself makes, nobody else can see.
    assert_no_lock_stronger_than(rehearsal, "ACCESS SHARE", on="plans")
    assert rehearsal.strongest_lock_on("plans") == "AccessExclusiveLock"
    assert_no_lock_stronger_than(rehearsal, "ACCESS SHARE", on="customers")
    assert rehearsal.strongest_lock_on("customers") == ""
    assert_same_schema(rehearsal.schema_after, rehearsal.schema_after)


def test_a_stall_is_shown_with_its_place_its_proof_and_the_way_out(key: Rehearsal) -> None:
    said = _said(lambda: assert_no_stall(key))
    assert said[:8] == [
        (
            "migrations/0002_rehearsed.sql makes others wait: add-foreign-key-validates: writes of public.orders and "
            "public.customers wait while foreign key orders_customer_fkey is checked against every row (and 1 more)"
        ),
        "  --> migrations/0002_rehearsed.sql:1:1",
        "> 1 | alter table orders",
        "    | ^",
        "  2 |   add foreign key (customer) references customers (id)",
        "  = ShareRowExclusiveLock on public.orders, taken by this statement",
        "  = ShareRowExclusiveLock on public.customers, taken by this statement",
        "  = public.orders was read as a whole",
    ]
    assert any(line.strip().startswith("ALTER TABLE public.orders VALIDATE CONSTRAINT") for line in said)
    assert any(line.startswith("index-not-concurrent: ") for line in said)
    assert "customers" in _said(lambda: assert_no_stall(key, on="customers"))[0]


def test_a_stall_counts_whatever_is_allowed(rehearse_sql: RehearseSql) -> None:
    waived = rehearse_sql(
        "-- migsafe: allow add-foreign-key-validates because both tables are small\n"
        "alter table orders add foreign key (customer) references customers (id);\n",
        given=GIVEN,
        settings={"rules": {"lock-without-timeout": "off"}},
    )
    assert_no_findings(waived)
    assert_no_findings(waived, family="blocking-work")
    assert "makes others wait" in _said(lambda: assert_no_stall(waived))[0]


def test_a_lock_is_shown_with_who_waits(key: Rehearsal) -> None:
    said = _said(lambda: assert_no_lock_stronger_than(key, "SHARE UPDATE EXCLUSIVE", on="public.orders"))
    assert said[:6] == [
        (
            "migrations/0002_rehearsed.sql takes a lock stronger than ShareUpdateExclusiveLock: "
            "ShareRowExclusiveLock on public.orders (and 1 more)"
        ),
        "  --> migrations/0002_rehearsed.sql:1:1",
        "> 1 | alter table orders",
        "    | ^",
        "  2 |   add foreign key (customer) references customers (id)",
        "  = writes of public.orders wait while it is held",
    ]
    assert "ShareLock on public.orders" in said
    assert_no_lock_stronger_than(key, "share row exclusive", on="orders")
    (first, *_) = _said(lambda: assert_no_lock_stronger_than(key, "ShareLock"))
    assert first.endswith("ShareRowExclusiveLock on public.orders, ShareRowExclusiveLock on public.customers")


def test_findings_can_be_narrowed(key: Rehearsal) -> None:
    (first, *_) = _said(lambda: assert_no_findings(key, family="lock-queue"))
    assert first.startswith("migrations/0002_rehearsed.sql has findings: lock-without-timeout: ")
    assert_no_findings(key, rule="column-dropped")
    assert "(and " in _said(lambda: assert_no_findings(key))[0]


@pytest.mark.parametrize(
    ("assertion", "said"),
    [
        (lambda key: assert_no_stall(key, on="custmers"), "no relation 'custmers'; did you mean 'customers'?"),
        (lambda key: key.locks_on("public.order"), "no relation 'public.order'; did you mean 'public.orders'?"),
        (
            lambda key: assert_no_lock_stronger_than(key, "SHARED"),
            "no lock mode 'SHARED'; did you mean 'ShareLock'?",
        ),
        (lambda key: assert_no_findings(key, rule="column-droped"), "no rule 'column-droped'; did you mean 'column-dropped'?"),
        (lambda key: assert_no_findings(key, family="blocking"), "no family 'blocking'; did you mean 'blocking-work'?"),
    ],
)  # fmt: skip
def test_a_name_that_there_is_not_is_no_success(
    key: Rehearsal, assertion: Callable[[Rehearsal], None], said: str
) -> None:
    with pytest.raises(SelectionError) as raised:
        assertion(key)
    assert said in str(raised.value)


def test_of_a_file_that_cannot_be_applied_nothing_holds(rehearse_sql: RehearseSql) -> None:
    rehearsal = rehearse_sql("\nalter table order add x int;\n", given=GIVEN, may_fail=True)
    for assertion in (
        lambda: assert_no_stall(rehearsal),
        lambda: assert_no_lock_stronger_than(rehearsal, "AccessExclusiveLock"),
        lambda: assert_no_lock_stronger_than(rehearsal, "AccessExclusiveLock", on="orders"),
    ):
        assert _said(assertion) == [
            'migrations/0002_rehearsed.sql:2:13: cannot be applied: syntax error at or near "order"'
        ]


HISTORY = {
    "0001_users.up.sql": "create table users (id int primary key, email text, age int);\n",
    "0001_users.down.sql": "drop table users;\n",
    "0002_key.up.sql": "create unique index users_email_key on users (lower(email)) where age > 18;\n",
    "0002_key.down.sql": "drop index users_email_key;\n",
    "0003_names.up.sql": "alter table users add column name text default 'nobody';\ncreate schema more;\n",
    "0003_names.down.sql": "alter table users drop column name;\n",
    "0004_grows.up.sql": "create schema if not exists more;\ncreate table more.t (id int);\n",
    "0004_grows.down.sql": "drop table more.t;\ncreate table if not exists public.traces (id int);\ndrop table traces;\n",
    "0005_forward.up.sql": "create table forward (id int);\n",
}


@pytest.fixture
def database_at(tmp_path: Path, binaries: Binaries) -> Iterator[Callable[[int], MigrationDatabase]]:
    with ExitStack() as resources:
        laboratory = resources.enter_context(laboratory_of(tmp_path, HISTORY, binaries))

        def opened(position: int) -> MigrationDatabase:
            return MigrationDatabase(resources.enter_context(laboratory.database_at(position)), resources)

        yield opened


def test_schemas_of_databases(database_at: Callable[[int], MigrationDatabase]) -> None:
    one, other = database_at(1), database_at(2)
    assert _said(lambda: assert_same_schema(one, other)) == [
        "the schemas differ: from the first to the second",
        (
            "  + index public.users_email_key: CREATE UNIQUE INDEX users_email_key ON public.users USING btree "
            "(lower(email)) WHERE (age > 18)"
        ),
    ]
    other.rollback()
    assert_same_schema(one, other)
    assert_same_schema(one.schema(), other)


def test_a_way_back(database_at: Callable[[int], MigrationDatabase]) -> None:
    database = database_at(1)
    assert_reversible(database, "0002")
    assert [one.id for one in database.applied] == ["0001", "0002"]
    assert _said(lambda: assert_reversible(database)) == [
        "migrations/0003_names.down.sql does not restore the schema:",
        "  + schema more",
    ]
    with pytest.raises(
        SelectionError, match=r"the next migration is 0003_names\.up\.sql, not 0005; migrate_to"
    ):
        assert_reversible(database, "0005")
    with pytest.raises(psycopg.errors.DuplicateSchema):
        assert_reversible(database)
    database = database_at(4)
    assert _said(lambda: assert_reversible(database)) == [
        "nothing undoes migrations/0005_forward.up.sql: it has no file for the way back"
    ]


def test_a_plan(database_at: Callable[[int], MigrationDatabase]) -> None:
    database = database_at(2)
    query = "select id from users where lower(email) = lower(%s) and age > %s"
    assert_plan_uses(database, "users_email_key", query, ["A@example.com", 30])
    assert_plan_uses(database, "public.users_email_key", query.replace("%s", "%(x)s"), {"x": "40"})
    # The index holds grown-ups only.
    said = _said(lambda: assert_plan_uses(database, "users_email_key", query, ["a@example.com", 3]))
    assert said[0] == "the plan does not use public.users_email_key, even with enable_seqscan off:"
    assert "Seq Scan on users" in said[1]
    with pytest.raises(
        SelectionError, match="there is no index 'users_mail_key'; did you mean 'users_email_key'"
    ):
        assert_plan_uses(database, "users_mail_key", query, ["a@example.com", 30])
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.plan("select * from user_s")
    plan = database.plan("select * from users where age > 3")
    assert plan.sequential_scans == {"public.users"}
    assert plan.indexes == frozenset()
    assert not plan.uses("users_pkey")
    database.execute("set enable_bitmapscan = on; set enable_indexscan = off")
    assert database.plan(query, ["a@example.com", 30]).uses("public.users_email_key")
    assert database.value("show enable_seqscan") == "on"


def test_importing_them_brings_nothing_that_rehearses() -> None:
    """A team's tests import them in runs without --migsafe, too."""
    asked = "import sys, pytest_migsafe.testing; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    dear = {"postgast", "sqlglot", "hypothesis", "pytest_postgresql", "pytest", "pytest_migsafe.review"}
    assert dear.isdisjoint(done.stdout.split())
    assert assertions._BLOCKING == FAMILY
