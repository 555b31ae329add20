"""Each layout has its runner's files, order, transaction mode and down files."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.model import Manner, TransactionMode
from tests.migrations.projects import downs, ignored, modes, order, project, the_history


def test_flat_files_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/10_last.sql",
        "migrations/9_second.sql",
        "migrations/0001_first.sql",
        "migrations/1000.sql",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("flat", "migrations")
    assert order(history) == ["0001_first.sql", "9_second.sql", "10_last.sql", "1000.sql"]
    assert [one.id for one in history.migrations] == ["0001", "9", "10", "1000"]
    assert history.migrations[0].relative_path == "migrations/0001_first.sql"
    assert set(modes(history).values()) == {"transaction"}
    assert history.migrations[0].read().manner.reason == "each file is one transaction, the default"


def test_flat_files_may_have_a_time_or_a_date_and_a_number_of_the_day(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/20240101120000_x.sql",
        "migrations/20231223_010_c.sql",
        "migrations/20231223_9_b.sql",
        "migrations/20231222-001-a.sql",
    )
    history = the_history(root)

    assert order(history) == [
        "20231222-001-a.sql",
        "20231223_9_b.sql",
        "20231223_010_c.sql",
        "20240101120000_x.sql",
    ]
    assert [one.id for one in history.migrations] == [
        "20231222_001",
        "20231223_9",
        "20231223_010",
        "20240101120000",
    ]


def test_flat_down_files_stand_beside_or_in_rollback(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/0001_a.sql",
        "migrations/0001_a.down.sql",
        "migrations/0002_b.sql",
        "migrations/rollback/0002_b_down.sql",
        "migrations/0003_c.sql",
        "migrations/0003_c_down.sql",
        "migrations/0004_d.sql",
        "migrations/rollback/0004_other_down.sql",
    )
    history = the_history(root)

    assert downs(history) == {
        "0001": "0001_a.down.sql",
        "0002": "rollback/0002_b_down.sql",
        "0003": "0003_c_down.sql",
        "0004": None,
    }
    assert ignored(history) == ()


def test_a_migration_that_tears_something_down_is_not_taken_for_a_down_file(tmp_path: Path) -> None:
    """``0002_tear_down.sql`` was silently left out of the history."""
    root = project(tmp_path, "migrations/0001_set_up.sql", "migrations/0002_tear_down.sql")

    assert order(the_history(root)) == ["0001_set_up.sql", "0002_tear_down.sql"]


def test_sql_files_that_are_no_migrations_are_named_as_ignored(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/0001_a.sql",
        "migrations/seed.sql",
        "migrations/2fa.sql",
        "migrations/0002_gone.down.sql",
        "migrations/README.md",
        "migrations/0003_x.sql.bak",
    )
    history = the_history(root)

    assert order(history) == ["0001_a.sql"]
    assert ignored(history) == ("0002_gone.down.sql", "0003_x.sql.bak", "2fa.sql", "README.md", "seed.sql")


@pytest.mark.parametrize(
    "text",
    [
        "-- no-transaction\nVACUUM;",
        "--no-transaction\nVACUUM;",
        "-- No_Transaction\r\nVACUUM;\r\n",
        "-- migsafe: no transaction\nVACUUM;",
        "\ufeff-- no-transaction\r\nVACUUM;",
        "-- Copyright\n--\n\n  -- no-transaction  \nVACUUM;",
        "/* Copyright\n   us */\n-- no-transaction\nVACUUM;",
        "-- no-transaction",
    ],
)
def test_no_transaction_on_top_opts_out(tmp_path: Path, text: str) -> None:
    root = project(tmp_path, **{"migrations/1_a.sql": text})
    (migration,) = the_history(root).migrations
    line = next(number for number, one in enumerate(text.split("\n"), 1) if "ransaction" in one)

    assert migration.read().manner == Manner(TransactionMode.AUTOCOMMIT, f"-- no-transaction in line {line}")


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1;\n-- no-transaction\n",
        "SELECT 1; -- no-transaction\n",
        "-- this file needs no-transaction mode\nSELECT 1;",
        "/*\n-- no-transaction\n*/\nSELECT 1;",
        "-- transaction\n",
        "",
    ],
)
def test_no_transaction_elsewhere_does_not(tmp_path: Path, text: str) -> None:
    root = project(tmp_path, **{"migrations/1_a.sql": text})

    assert modes(the_history(root)) == {"1": "transaction"}


def test_golang_migrate_sends_each_file_as_one_query(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "db/migrations/000010_c.up.sql",
        "db/migrations/000009_b.up.sql",
        "db/migrations/000009_b.down.sql",
        "db/migrations/1.up.sql",
        "db/migrations/000002_old.sql",
        "db/migrations/embed.go",
        **{"db/migrations/000011_d.up.sql": "-- no-transaction\nVACUUM;"},
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("golang-migrate", "db/migrations")
    assert order(history) == ["1.up.sql", "000009_b.up.sql", "000010_c.up.sql", "000011_d.up.sql"]
    assert set(modes(history).values()) == {"single-query"}
    assert downs(history) == {"1": None, "000009": "000009_b.down.sql", "000010": None, "000011": None}
    assert ignored(history) == ("000002_old.sql",)


@pytest.mark.parametrize("cargo", ["Cargo.toml", "server/Cargo.toml", "server/migrations/Cargo.toml"])
def test_the_same_names_in_a_rust_crate_are_sqlx_s(tmp_path: Path, cargo: str) -> None:
    root = project(
        tmp_path,
        cargo,
        "server/migrations/20240102030405_b.up.sql",
        "server/migrations/20240102030405_b.down.sql",
        **{"server/migrations/20230102030405_a.up.sql": "-- no-transaction\nVACUUM;"},
    )
    history = the_history(root)

    assert history.layout == "sqlx"
    assert modes(history) == {"20230102030405": "single-query", "20240102030405": "transaction"}
    assert downs(history) == {"20230102030405": None, "20240102030405": "20240102030405_b.down.sql"}


def test_a_named_layout_is_not_looked_for(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/1_a.up.sql")

    assert the_history(root).layout == "golang-migrate"
    assert the_history(root, layout="sqlx").layout == "sqlx"
    assert the_history(root, layout="flat").layout == "flat"


def test_diesel_compares_versions_without_dashes_as_text(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/20170101000000_first/up.sql",
        "migrations/2017-08-31-230457_third/up.sql",
        "migrations/2017-08-31-230457_third/down.sql",
        "migrations/20170203040506_second/up.sql",
        "migrations/00000000000000_diesel_initial_setup/up.sql",
        "migrations/20180101000000_without_up/down.sql",
        "migrations/helpers/up.sql",
        "migrations/.gitkeep",
    )
    history = the_history(root)

    assert history.layout == "diesel"
    assert order(history) == [
        "00000000000000_diesel_initial_setup/up.sql",
        "20170101000000_first/up.sql",
        "20170203040506_second/up.sql",
        "2017-08-31-230457_third/up.sql",
    ]
    assert [one.id for one in history.migrations][1:] == [
        "20170101000000",
        "20170203040506",
        "20170831230457",
    ]
    assert downs(history)["20170831230457"] == "2017-08-31-230457_third/down.sql"


def test_diesel_s_metadata_opts_out_of_the_transaction(tmp_path: Path) -> None:
    names = {"1": "run_in_transaction = false\n", "2": "run_in_transaction = true\n", "3": "no toml", "4": ""}
    root = project(
        tmp_path,
        "migrations/5_e/up.sql",
        **{f"migrations/{version}_x/up.sql": "SELECT 1;" for version in names},
        **{f"migrations/{version}_x/metadata.toml": text for version, text in names.items()},
    )
    history = the_history(root)

    assert modes(history) == {
        "1": "single-query",
        "2": "transaction",
        "3": "transaction",
        "4": "transaction",
        "5": "transaction",
    }
    assert history.migrations[0].read().manner.reason == "run_in_transaction = false in metadata.toml"


def test_prisma_goes_by_the_folders_names(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "prisma/schema.prisma",
        "prisma/migrations/migration_lock.toml",
        "prisma/migrations/20240201000000_b/migration.sql",
        "prisma/migrations/20240201000000_b/down.sql",
        "prisma/migrations/20240101000000_a/migration.sql",
        "prisma/migrations/20240301000000_empty/README.md",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("prisma", "prisma/migrations")
    assert order(history) == ["20240101000000_a/migration.sql", "20240201000000_b/migration.sql"]
    assert modes(history) == {"20240101000000_a": "single-query", "20240201000000_b": "single-query"}
    assert downs(history) == {"20240101000000_a": None, "20240201000000_b": "20240201000000_b/down.sql"}


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["migrations/1_a.sql", "migrations/1_b.sql", "migrations/2_c.sql"], ["1_a", "1_b", "2"]),
        (["migrations/1_a.up.sql", "migrations/1_b.up.sql"], ["1_a.up", "1_b.up"]),
        (["migrations/2024-01_a/up.sql", "migrations/202401_b/up.sql"], ["2024-01_a/up", "202401_b/up"]),
    ],
)
def test_files_of_one_version_have_ids_of_their_own(tmp_path: Path, names: list[str], ids: list[str]) -> None:
    history = the_history(project(tmp_path, *names))

    assert [one.id for one in history.migrations] == ids


def test_crates_io_is_read_as_diesel_reads_it(corpora: Path) -> None:
    history = the_history(corpora / "crates_io")
    versions = [path.split("_", 1)[0].replace("-", "") for path in order(history)]

    assert (history.layout, len(history.migrations)) == ("diesel", 285)
    assert versions == sorted(versions)
    assert list(modes(history).values()).count("single-query") == 7
    assert sum(one.down is not None for one in history.migrations) > 200


def test_minder_is_read_as_golang_migrate_reads_it(corpora: Path) -> None:
    history = the_history(corpora / "minder")

    assert (history.layout, len(history.migrations)) == ("golang-migrate", 107)
    assert [int(one.id) for one in history.migrations] == sorted(int(one.id) for one in history.migrations)


@pytest.mark.parametrize(
    ("names", "said"),
    [
        # As marquez has it: repeatables, versions in between, and one that is gone.
        (
            ["V1__a.sql", "V2__b.sql", "V2_1__c.sql", "V3_1__d.sql", "V5__e.sql", "R__views.sql"],
            "number is missing in the sequence: 4",
        ),
        (["0001_a.sql", "0002_b.sql", "0005_c.sql"], "numbers are missing in the sequence: 3, 4"),
        (["1_a.sql", "2_b.sql", "3_c.sql"], None),
        # Nobody counts on tens, dates or releases.
        (["10_a.sql", "20_b.sql", "30_c.sql"], None),
        (["1_a.sql", "3_b.sql", "20240101_c.sql"], None),
        (["V1.0.1__a.sql", "V1.2__b.sql", "V3.0__c.sql"], None),
    ],
)
def test_numbers_that_are_missing_in_a_sequence_are_named(
    tmp_path: Path, names: list[str], said: str | None
) -> None:
    history = the_history(project(tmp_path, *(f"migrations/{name}" for name in names)))

    assert [remark.text for remark in history.remarks if not remark.path] == ([said] if said else [])
