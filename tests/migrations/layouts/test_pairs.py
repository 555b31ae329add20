"""golang-migrate and sqlx: names that look the same, and what each makes of a file."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.model import Manner, TransactionMode
from tests.migrations.projects import downs, order, project, remarks, the_history


def test_golang_migrate_takes_other_extensions(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/1_a.up.pgsql", "migrations/1_a.down.pgsql", "migrations/2_b.up.sql")
    history = the_history(root)

    assert (history.layout, order(history)) == ("golang-migrate", ["1_a.up.pgsql", "2_b.up.sql"])
    assert downs(history) == {"1": "1_a.down.pgsql", "2": None}


def test_sqlx_takes_files_without_a_way_back(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "Cargo.toml",
        "migrations/20240102000000_b.sql",
        "migrations/9_a.sql",
        "migrations/20240103000000_c.up.sql",
        "migrations/20240103000000_c.down.sql",
        "migrations/seed.sql",
        "migrations/test_data.sql",
    )
    history = the_history(root)

    assert history.layout == "sqlx"
    assert order(history) == ["9_a.sql", "20240102000000_b.sql", "20240103000000_c.up.sql"]
    assert downs(history)["20240103000000"] == "20240103000000_c.down.sql"
    assert remarks(history) == {
        "seed.sql": "not migrations in this layout",
        "test_data.sql": "what stands before the first _ is no number, at which sqlx ends with an error",
    }


def test_what_an_editor_left_of_a_migration_is_named(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/1_a.up.sql",
        "migrations/2_b.up.sql.bak",
        "migrations/3_c.up.sql~",
        "migrations/4_d.txt",
        "migrations/README.md",
        "migrations/1_a.up.sql.conf",
    )

    left = ("2_b.up.sql.bak", "3_c.up.sql~", "4_d.txt", "README.md")
    assert remarks(the_history(root)) == dict.fromkeys(left, "not migrations in this layout")


@pytest.mark.parametrize("text", ["-- no-transaction\nVACUUM;\n", "-- no-transaction: why\r\nVACUUM;\r\n"])
def test_sqlx_sends_a_file_that_opts_out_as_one_query(tmp_path: Path, text: str) -> None:
    (migration,) = the_history(project(tmp_path, "Cargo.toml", **{"migrations/1_a.sql": text})).migrations

    assert migration.read().manner == Manner(
        TransactionMode.SINGLE_QUERY, "-- no-transaction in line 1; sqlx sends the file as one query"
    )


@pytest.mark.parametrize("text", ["\n-- no-transaction\nVACUUM;\n", "-- x\n-- no-transaction\nVACUUM;\n"])
def test_sqlx_sees_it_as_the_first_characters_only(tmp_path: Path, text: str) -> None:
    (migration,) = the_history(project(tmp_path, "Cargo.toml", **{"migrations/1_a.sql": text})).migrations

    assert migration.read().manner == Manner(
        TransactionMode.TRANSACTION,
        "sqlx wraps each file in a transaction: it does not see -- no-transaction in line 2, only as the first "
        "characters",
    )


def test_a_runner_s_mark_in_a_crate_is_that_runner_s(tmp_path: Path) -> None:
    text = "-- migrate:up\nSELECT 1;\n-- migrate:down\n"

    assert the_history(project(tmp_path, "Cargo.toml", **{"migrations/1_a.sql": text})).layout == "dbmate"
