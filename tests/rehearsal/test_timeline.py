"""The locks of a file along its statements: from where to where, who waits, and what is done meanwhile."""

from dataclasses import asdict

import pytest

from pytest_migsafe.rehearsal.timeline import Timeline
from tests.rehearsal.conftest import Rehearse

SETTING = (
    "CREATE TABLE busy (id integer PRIMARY KEY, v text); CREATE TABLE other (id integer, busy_id integer);"
    "CREATE SEQUENCE numbers; CREATE VIEW shown AS SELECT v FROM busy;"
    "INSERT INTO busy SELECT n, n FROM generate_series(1, 100) AS n;"
)


def bars(timeline: Timeline) -> list[str]:
    return [
        f"{bar.first}-{bar.last} {bar.mode.removesuffix('Lock')} {bar.relation.removeprefix('public.')}: "
        f"{bar.waiting or 'nobody'}"
        for bar in timeline.bars
    ]


def work(timeline: Timeline) -> list[str]:
    return [
        f"{one.statement} {one.kind} {one.table.removeprefix('public.')}{one.index and f' ({one.index})'}"
        for one in timeline.work
    ]


#: A file, its bars, and its work.
FILES = {
    "a lock lasts until the transaction ends": (
        "ALTER TABLE busy ADD c integer; SELECT 1; SELECT count(*) FROM other;",
        ["1-3 AccessExclusive busy: reads and writes"],
        ["3 scan other"],
    ),
    "a stronger lock is a bar of its own, a weaker one is covered": (
        "LOCK TABLE other IN SHARE MODE; ALTER TABLE other ADD c integer; LOCK TABLE other IN SHARE MODE;",
        ["1-3 Share other: writes", "2-3 AccessExclusive other: reads and writes"],
        [],
    ),
    "of a statement the strongest counts": (
        "ALTER TABLE busy ALTER id TYPE bigint;",
        ["1-1 AccessExclusive busy: reads and writes"],
        [
            "1 rewrite busy",
            "1 index build busy (public.busy_v)",
            "1 index build busy (public.busy_pkey)",
            "1 scan busy",
        ],
    ),
    "a sequence and a view": (
        "ALTER SEQUENCE numbers INCREMENT 2; CREATE OR REPLACE VIEW shown AS SELECT v, id FROM busy;",
        ["1-2 ShareRowExclusive numbers: nextval", "2-2 AccessExclusive shown: reads"],
        [],
    ),
    "what the file makes is counted": (
        "CREATE TABLE a (id integer); ALTER TABLE a RENAME TO b; CREATE TABLE c (id integer); DROP TABLE c; CREATE VIEW d AS SELECT 1;",
        [],
        [],
    ),
    "an index's lock is its table's": (
        "DROP INDEX busy_v; SELECT 1;",
        ["1-2 AccessExclusive busy: reads and writes"],
        [],
    ),
    "names are those before the file": (
        "ALTER TABLE busy RENAME TO busier; CREATE INDEX ON busier (v); CREATE TABLE busy (id integer); DROP TABLE busy;",
        ["1-4 AccessExclusive busy: reads and writes"],
        ["2 index build busy (public.busier_v_idx)", "2 scan busy"],
    ),
    "another relation may get the name": (
        "ALTER TABLE other RENAME TO former; ALTER TABLE busy RENAME TO other; UPDATE other SET v = 'x';",
        ["1-3 AccessExclusive other: reads and writes", "2-3 AccessExclusive busy: reads and writes"],
        ["3 write busy"],
    ),
    "a lock that is given back": (
        "SAVEPOINT s; LOCK TABLE busy; ROLLBACK TO SAVEPOINT s; SELECT 1;",
        ["2-3 AccessExclusive busy: reads and writes"],
        [],
    ),
    "two transactions": (
        "BEGIN; LOCK TABLE busy; COMMIT; BEGIN; LOCK TABLE busy; SELECT 1; COMMIT;",
        ["2-2 AccessExclusive busy: reads and writes", "5-6 AccessExclusive busy: reads and writes"],
        [],
    ),
    "work for which nobody waits": (
        "-- migsafe: no-transaction\nCREATE INDEX CONCURRENTLY other_id ON other (id);",
        ["1-1 ShareUpdateExclusive other: nobody"],
        ["1 index build other (public.other_id)", "1 scan other"],
    ),
    "writing few rows": ("INSERT INTO busy VALUES (200);", ["1-1 RowExclusive busy: nobody"], []),
    "reading": ("SELECT count(*) FROM busy;", [], []),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_s_locks_along_its_statements(rehearse: Rehearse, case: str) -> None:
    text, expected_bars, expected_work = FILES[case]

    evidence = rehearse.last(f"{SETTING} CREATE INDEX busy_v ON busy (v);", text)

    assert evidence.applied, evidence.error
    assert bars(evidence.timeline) == expected_bars
    assert work(evidence.timeline) == expected_work


def test_of_the_statement_that_fails_nothing_is_told(rehearse: Rehearse) -> None:
    evidence = rehearse.last(SETTING, "LOCK TABLE busy; SELECT 1 / 0; SELECT 2;")

    assert bars(evidence.timeline) == ["1-1 AccessExclusive busy: reads and writes"]


def test_what_a_file_makes_is_told_by_number(rehearse: Rehearse) -> None:
    text, *_ = FILES["what the file makes is counted"]

    assert rehearse.last(SETTING, text).timeline.created == 2


def test_it_is_plain_in_json(rehearse: Rehearse) -> None:
    timeline = rehearse.last(SETTING, "UPDATE busy SET v = 'x';").timeline

    assert timeline.to_json() == {
        "bars": [asdict(bar) for bar in timeline.bars],
        "work": [{"statement": 1, "kind": "write", "table": "public.busy", "index": ""}],
        "created": 0,
    }
