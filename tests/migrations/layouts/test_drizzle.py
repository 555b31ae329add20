"""Drizzle: the journal's order, breakpoints, and the folders of version 1."""

import json
from pathlib import Path

import pytest

from pytest_migsafe.migrations.model import Manner, TransactionMode
from tests.migrations.projects import downs, order, project, refusal, remarks, sent, the_history


def journal(*tags: str, dialect: str = "postgresql", late: str = "") -> str:
    entries = [
        {
            "idx": at,
            "version": "7",
            "when": (1600000000000 if tag == late else 1700000000000) + at,
            "tag": tag,
            "breakpoints": True,
        }
        for at, tag in enumerate(tags)
    ]
    return json.dumps({"version": "7", "dialect": dialect, "entries": entries}, indent=2)


def drizzle(tmp_path: Path, written: str, *names: str, **texts: str) -> Path:
    files = {"drizzle/meta/_journal.json": written, "drizzle/meta/0000_snapshot.json": "{}"}
    return project(tmp_path, *(f"drizzle/{name}" for name in names), **files, **texts)


def test_the_journal_gives_the_order(tmp_path: Path) -> None:
    root = drizzle(
        tmp_path,
        journal("0000_init", "0002_late_merge", "0001_users"),
        "0000_init.sql",
        "0001_users.sql",
        "0002_late_merge.sql",
        "0003_never.sql",
        "custom.sql",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("drizzle", "drizzle")
    assert order(history) == ["0000_init.sql", "0002_late_merge.sql", "0001_users.sql"]
    never = "not named in meta/_journal.json, so Drizzle never runs it"
    assert remarks(history) == {"0003_never.sql": never, "custom.sql": never}


def test_breakpoints_cut_a_file_and_nothing_else_does(tmp_path: Path) -> None:
    text = "CREATE TABLE a (id int);--> statement-breakpoint\nSELECT 1; SELECT 2;\r\n--> statement-breakpoint\r\n"
    root = drizzle(tmp_path, journal("0000_a", "0001_b"), "0001_b.sql", **{"drizzle/0000_a.sql": text})
    history = the_history(root)

    assert sent(history) == {
        "0000": ["CREATE TABLE a (id int);", "SELECT 1; SELECT 2;"],
        "0001": ["SELECT 1;"],
    }
    script = history.migrations[0].read()
    assert [script.position(one.start).line for one in script.statements] == [1, 2, 2]
    assert script.manner == Manner(
        TransactionMode.TRANSACTION, "Drizzle runs all pending files in one transaction; here each is one"
    )


def test_a_file_that_the_journal_names_in_vain_ends_the_history(tmp_path: Path) -> None:
    root = drizzle(tmp_path, journal("0000_a", "0001_gone", "0002_c"), "0000_a.sql", "0002_c.sql")
    history = the_history(root)

    assert order(history) == ["0000_a.sql", "meta/_journal.json"]
    assert refusal(history) == (
        "_journal.json names 0001_gone, but there is no 0001_gone.sql; restore the file, or take the entry out"
    )


def test_an_entry_that_is_older_than_one_above_it_is_noted(tmp_path: Path) -> None:
    written = journal("0000_a", "0001_b", "0002_c", late="0001_b")
    history = the_history(drizzle(tmp_path, written, "0000_a.sql", "0001_b.sql", "0002_c.sql"))

    assert list(remarks(history)) == ["0001_b.sql"]
    assert "so Drizzle skips it in a database that has that one" in remarks(history)["0001_b.sql"]


def test_a_journal_for_another_database_is_refused(tmp_path: Path) -> None:
    history = the_history(drizzle(tmp_path, journal("0000_a", dialect="sqlite"), "0000_a.sql"))

    assert refusal(history).startswith(
        'meta/_journal.json says "dialect": "sqlite": these migrations are not for PostgreSQL; '
    )


@pytest.mark.parametrize(
    "written", ["", "[]", '{"entries": [{}]}', '{"entries": [{"tag": 1, "when": "x"}]}', "nul\x00"]
)
def test_a_journal_that_is_none_is_refused(tmp_path: Path, written: str) -> None:
    history = the_history(drizzle(tmp_path, written, "0000_a.sql"))

    assert order(history) == ["meta/_journal.json"]
    with pytest.raises(Exception, match=r"journal that drizzle-kit writes|NUL byte"):
        history.migrations[0].read()


def test_folders_with_a_snapshot_are_drizzle_s(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "drizzle/20240201000000_b/migration.sql",
        "drizzle/20240201000000_b/snapshot.json",
        "drizzle/20240101000000_a/migration.sql",
        "drizzle/20240101000000_a/snapshot.json",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("drizzle", "drizzle")
    assert order(history) == ["20240101000000_a/migration.sql", "20240201000000_b/migration.sql"]
    assert downs(history) == {"20240101000000": None, "20240201000000": None}


def test_folders_without_one_are_prisma_s(tmp_path: Path) -> None:
    root = project(
        tmp_path, "prisma/migrations/20240101000000_a/migration.sql", "prisma/migrations/migration_lock.toml"
    )

    assert the_history(root).layout == "prisma"
