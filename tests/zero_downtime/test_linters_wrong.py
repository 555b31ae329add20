"""The 35 migrations on which a popular linter of the text alone is wrong, each with what PostgreSQL does.

The numbers are the rows of the section "Where a static linter is wrong" in our notes on hazards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from pytest_migsafe.rehearsal.holding import WorkKind
from tests.zero_downtime.conftest import MAJORS, History, Judged
from tests.zero_downtime.remedies import check_remedies

TABLE = "CREATE TABLE c (id bigint PRIMARY KEY, k integer, v varchar(50), s text);"
CHILD = "CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE c (id bigint PRIMARY KEY, pid integer REFERENCES p (id));"
PARTITIONED = (
    "CREATE TABLE pt (id integer, k integer, d date) PARTITION BY RANGE (d);"
    "CREATE TABLE pt1 PARTITION OF pt FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');"
)
DEFAULT = PARTITIONED + "CREATE TABLE ptd PARTITION OF pt DEFAULT;"
BARE = "-- no-transaction\n"
ALL = "reads and writes"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A migration, and the truth about it."""

    number: str
    before: Sequence[str] = (TABLE,)
    migration: str
    majors: Sequence[int] = MAJORS
    #: The SQLSTATE with which PostgreSQL refuses it.
    error: str = ""
    #: Who waits while work is done; nothing: nobody does.
    waiting: Mapping[str, str] = field(default_factory=dict)
    #: The work that is done meanwhile.
    works: frozenset[WorkKind] = frozenset()


def _row(
    number: str,
    migration: str,
    *before: str,
    majors: Sequence[int] = MAJORS,
    error: str = "",
    waiting: Mapping[str, str] | None = None,
    works: Sequence[WorkKind] = (),
) -> Row:
    return Row(
        number=number,
        before=before or (TABLE,),
        migration=migration,
        majors=majors,
        error=error,
        waiting=waiting or {},
        works=frozenset(works),
    )


_SCAN, _BUILD, _REWRITE = WorkKind.SCAN, WorkKind.INDEX_BUILD, WorkKind.REWRITE
_C = {"public.c": ALL}

ROWS = (
    _row("1", "ALTER TABLE c ALTER v TYPE varchar(100);"),
    _row(
        "2",
        "ALTER TABLE c ALTER v TYPE varchar(100);",
        f"{TABLE} CREATE INDEX ON c (lower(v));",
        waiting=_C,
        works=[_BUILD, _SCAN],
    ),
    _row(
        "3", "ALTER TABLE c ALTER v TYPE text;", f"{TABLE} CREATE VIEW w AS SELECT v FROM c;", error="0A000"
    ),
    _row(
        "4",
        "ALTER TABLE c ALTER k SET NOT NULL;",
        TABLE,
        "ALTER TABLE c ADD CONSTRAINT nn CHECK (k IS NOT NULL) NOT VALID;",
        "ALTER TABLE c VALIDATE CONSTRAINT nn;",
    ),
    _row(
        "5",
        "ALTER TABLE c VALIDATE CONSTRAINT u;\nALTER TABLE c ALTER k SET NOT NULL;",
        TABLE,
        "ALTER TABLE c ADD CONSTRAINT u CHECK (id > 0) NOT VALID;",
        waiting=_C,
        works=[_SCAN],
    ),
    _row("6", "CREATE TABLE n (id bigint); CREATE INDEX ON n (id);"),
    _row("7", "CREATE TABLE n (id bigint NOT NULL); ALTER TABLE n ADD PRIMARY KEY (id);"),
    _row("8", "CREATE TEMP TABLE t (i int); CREATE INDEX ON t (i);"),
    _row(
        "9",
        "ALTER TABLE c ADD p_id bigint REFERENCES p (id);",
        f"{TABLE} CREATE TABLE p (id bigint PRIMARY KEY);",
    ),
    _row("10 lower()", "ALTER TABLE c ADD COLUMN z text DEFAULT lower('ABC');"),
    _row("10 now()", "ALTER TABLE c ADD COLUMN z timestamptz DEFAULT pg_catalog.now();"),
    _row(
        "11",
        "ALTER TABLE c ADD COLUMN z int DEFAULT app_const();",
        TABLE,
        "CREATE FUNCTION app_const() RETURNS int LANGUAGE sql AS 'SELECT 7';",
    ),
    _row("12", "ALTER TABLE c ADD z int GENERATED ALWAYS AS (k * 2) VIRTUAL;", majors=(18,)),
    _row("13", "ALTER TABLE c ADD CONSTRAINT z CHECK (k > 0) NOT ENFORCED;", majors=(18,)),
    _row("14", "BEGIN; ALTER TABLE c RENAME TO c2; CREATE VIEW c AS SELECT * FROM c2; COMMIT;"),
    _row(
        "15",
        "CREATE INDEX pi ON pt (k);",
        PARTITIONED,
        waiting={"public.pt": "writes", "public.pt1": "writes"},
        works=[_BUILD, _SCAN],
    ),
    _row(
        "16",
        "ALTER TABLE pt ADD FOREIGN KEY (id) REFERENCES p (id);",
        f"{PARTITIONED} CREATE TABLE p (id integer PRIMARY KEY);",
        waiting={"public.pt": "writes", "public.pt1": "writes", "public.p": "writes"},
        works=[_SCAN],
    ),
    _row(
        "17 exclusion",
        "ALTER TABLE c ADD CONSTRAINT e EXCLUDE USING gist (r WITH =);",
        f"{TABLE} ALTER TABLE c ADD r int4range;",
        waiting=_C,
        works=[_BUILD, _SCAN],
    ),
    _row("17 unique", "ALTER TABLE c ADD CONSTRAINT u UNIQUE (k);", waiting=_C, works=[_BUILD, _SCAN]),
    _row("18", "ALTER TABLE pt DETACH PARTITION pt1;", DEFAULT),
    _row(
        "19",
        f"{BARE}CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ak ON c (k);",
        TABLE,
        "CREATE UNIQUE INDEX ak ON c (k); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ak'::regclass;",
    ),
    _row(
        "20",
        "ALTER TABLE c ADD COLUMN z positive_int;",
        f"{TABLE} CREATE DOMAIN positive_int AS int CHECK (value > 0);",
        waiting=_C,
        works=[_REWRITE, _SCAN, _BUILD],
    ),
    _row("21", "ALTER TABLE c ADD COLUMN z int CHECK (z > 0);", waiting=_C, works=[_SCAN]),
    _row("22", "ALTER TABLE c ADD COLUMN z bigserial;", waiting=_C, works=[_REWRITE, _SCAN, _BUILD]),
    _row(
        "23",
        "ALTER TABLE c ADD PRIMARY KEY USING INDEX ck;",
        "CREATE TABLE c (k int); CREATE UNIQUE INDEX ck ON c (k);",
        waiting=_C,
        works=[_SCAN],
    ),
    _row(
        "24",
        "ALTER TABLE p ALTER id TYPE bigint;",
        CHILD,
        waiting={"public.p": ALL, "public.c": ALL},
        works=[_REWRITE, _SCAN, _BUILD],
    ),
    _row("25 table", "DROP TABLE c;", CHILD),
    _row("25 constraint", "ALTER TABLE c DROP CONSTRAINT c_pid_fkey;", CHILD),
    _row(
        "26",
        "CREATE TABLE pt2 PARTITION OF pt FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');",
        DEFAULT,
        waiting={"public.pt": ALL, "public.ptd": ALL},
        works=[_SCAN],
    ),
    _row(
        "27",
        "ALTER TABLE pt ATTACH PARTITION ext FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');",
        f"{DEFAULT} CREATE TABLE ext (LIKE pt);",
        waiting={"public.ext": ALL, "public.ptd": ALL},
        works=[_SCAN],
    ),
    _row(
        "28",
        "BEGIN; ALTER TYPE st ADD VALUE 'x' AFTER 'a'; UPDATE c SET s = 'x'; COMMIT;",
        "CREATE TYPE st AS ENUM ('a'); CREATE TABLE c (s st);",
        error="55P04",
    ),
    _row(
        "29",
        "BEGIN; ALTER TABLE c ADD z int; UPDATE c SET z = k; COMMIT;",
        waiting=_C,
        works=[WorkKind.WRITE],
    ),
    _row("30 drop", "BEGIN; DROP INDEX CONCURRENTLY IF EXISTS i; COMMIT;", error="25001"),
    _row("30 reindex", "BEGIN; REINDEX TABLE CONCURRENTLY c; COMMIT;", error="25001"),
    _row(
        "30 detach",
        "BEGIN; ALTER TABLE pt DETACH PARTITION pt1 CONCURRENTLY; COMMIT;",
        PARTITIONED,
        error="25001",
    ),
    _row("31", "CREATE INDEX CONCURRENTLY i ON c (k);", error="25001"),
    _row(
        "32",
        "DO $$ BEGIN EXECUTE 'ALTER TABLE c ALTER k TYPE bigint'; CREATE INDEX ON c (s); END $$;",
        waiting=_C,
        works=[_REWRITE, _SCAN, _BUILD],
    ),
    _row("33 unlogged", "ALTER TABLE c SET UNLOGGED;", waiting=_C, works=[_REWRITE, _SCAN, _BUILD]),
    _row(
        "33 access method",
        "ALTER TABLE c SET ACCESS METHOD heap2;",
        f"{TABLE} CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;",
        waiting=_C,
        works=[_REWRITE, _SCAN, _BUILD],
        majors=tuple(major for major in MAJORS if major >= 15),
    ),
    _row(
        "33 tablespace",
        "ALTER TABLE c SET TABLESPACE elsewhere;",
        TABLE,
        f"{BARE}CREATE TABLESPACE elsewhere LOCATION '/srv/elsewhere';",
        waiting=_C,
        works=[_REWRITE],
    ),
    _row("33 vacuum full", f"{BARE}VACUUM FULL c;", waiting=_C, works=[_REWRITE, _BUILD]),
    _row(
        "33 cluster",
        "CLUSTER c USING c_pkey;",
        waiting=_C,
        works=[_REWRITE, _SCAN, _BUILD],
    ),
    _row(
        "34",
        "ALTER TABLE c ADD FOREIGN KEY (s) REFERENCES p (id) NOT VALID;",
        f"{TABLE} CREATE TABLE p (id int PRIMARY KEY);",
        error="42804",
    ),
    _row(
        "35",
        "ALTER TABLE c ALTER id TYPE bigint;",
        "CREATE TABLE c (id serial);",
        waiting=_C,
        works=[_REWRITE, _SCAN],
    ),
)


def _judged(history: History, row: Row) -> Judged:
    return history.judge(*row.before, row.migration)


def _waiting(judged: Judged) -> dict[str, str]:
    return {
        relation: who
        for finding in judged.of_family("blocking-work")
        for relation, who in finding.details.get("waiting", {}).items()
        if not relation.startswith("pg_toast.")
    }


@pytest.mark.parametrize(
    ("major_server", "row"),
    [pytest.param(major, row, id=f"{major}-{row.number}") for row in ROWS for major in row.majors],
    indirect=["major_server"],
)
def test_what_postgres_does_is_what_is_said(history: History, row: Row) -> None:
    judged = _judged(history, row)
    error = judged.evidence.error
    assert (error.sqlstate if error else "") == row.error, error
    assert [one.rule for one in judged.of_rule("apply-error")] == ["apply-error"] * bool(row.error)
    assert _waiting(judged) == row.waiting
    works = {
        WorkKind(work["kind"])
        for one in judged.of_family("blocking-work")
        for work in one.details.get("work", [])
    }
    # A build and a rewrite are seen to read the table, too, or not, as the major version has it.
    assert works - {_SCAN} == row.works - {_SCAN}, works
    assert bool(works) == bool(row.works)


def _row_of(number: str) -> Row:
    (found,) = (row for row in ROWS if row.number == number)
    return found


def _on(*rows: tuple[int, str]) -> pytest.MarkDecorator:
    """Try rows on a major version each."""
    given = [pytest.param(major, _row_of(number), id=f"{major}-{number}") for major, number in rows]
    return pytest.mark.parametrize(("major_server", "row"), given, indirect=["major_server"])


@_on((15, "15"), (18, "15"), (18, "16"), (15, "17 unique"), (18, "17 unique"), (15, "23"))
def test_advice_that_is_given_can_be_followed(history: History, row: Row) -> None:
    check_remedies(history, row.before, row.migration)


@_on((15, "16"), (15, "17 exclusion"), (18, "17 exclusion"), (15, "18"), (18, "18"))
def test_nothing_is_advised_that_postgres_refuses(history: History, row: Row) -> None:
    """NOT VALID of a partitioned table's foreign key (before 18) or of an exclusion, CONCURRENTLY beside a default."""
    for finding in _judged(history, row).findings:
        for file in finding.files:
            assert "NOT VALID" not in file.sql or row.number == "16"
            assert "ALTER TABLE public.pt ADD" not in file.sql or "NOT VALID" not in file.sql
            assert "DETACH PARTITION public.pt1 CONCURRENTLY" not in file.sql


@_on((15, "9"), (18, "9"))
def test_a_column_with_a_reference_locks_both_tables_and_reads_none(history: History, row: Row) -> None:
    locks = {(one.relation, one.mode) for one in _judged(history, row).evidence.statements[0].locks}
    assert {("public.c", "AccessExclusiveLock"), ("public.p", "ShareRowExclusiveLock")} <= locks


@_on((15, "25 table"), (18, "25 table"), (15, "25 constraint"), (18, "25 constraint"))
def test_what_is_dropped_locks_the_table_that_it_refers_to(history: History, row: Row) -> None:
    locks = {(one.relation, one.mode) for one in _judged(history, row).evidence.statements[0].locks}
    assert {("public.c", "AccessExclusiveLock"), ("public.p", "AccessExclusiveLock")} <= locks


@_on((15, "14"), (18, "14"))
def test_a_view_in_the_place_of_a_renamed_table_breaks_nobody(history: History, row: Row) -> None:
    assert not _judged(history, row).of_family("breaks-old-code")


@_on((15, "19"), (18, "19"))
def test_an_invalid_index_that_if_not_exists_keeps_is_told(history: History, row: Row) -> None:
    told = [one for one in _judged(history, row).findings if "ak" in one.message and one.severity == "error"]
    assert told


@_on((15, "35"), (18, "35"))
def test_a_sequence_that_stays_behind_its_column_is_told(history: History, row: Row) -> None:
    assert _judged(history, row).of_rule("sequence-too-narrow")
