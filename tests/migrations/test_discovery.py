"""Histories are found from a folder, a file, a single migration, or a folder above."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import TransactionMode
from tests.migrations.projects import modes, order, project, the_history


def roots(root: Path, *paths: Path) -> list[str]:
    return [history.relative_root for history in find_histories(root, paths or (root,))]


@pytest.mark.parametrize(
    "path",
    [
        ".",
        "db",
        "db/migrations",
        "db/migrations/2017-08-31-230457_users",
        "db/migrations/2017-08-31-230457_users/up.sql",
    ],
)
def test_a_history_is_found_from_above_from_itself_and_from_one_migration(tmp_path: Path, path: str) -> None:
    root = project(
        tmp_path,
        "db/migrations/2017-08-31-230457_users/up.sql",
        "db/migrations/2018-01-01-000000_posts/up.sql",
    )
    history = the_history(root, root / path)

    assert (history.relative_root, len(history.migrations)) == ("db/migrations", 2)


def test_a_prisma_migration_s_folder_finds_its_history(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/1_a/migration.sql", "migrations/2_b/migration.sql")

    assert roots(root, root / "migrations" / "2_b") == ["migrations"]


def test_a_flat_file_finds_its_history(tmp_path: Path) -> None:
    root = project(tmp_path, "changes/1_a.sql", "changes/2_b.sql")

    assert roots(root, root / "changes" / "2_b.sql") == ["changes"]


@pytest.mark.parametrize(
    "path", ["migrations/seed.sql", "migrations/1_a.down.sql", "migrations/rollback/1_a_down.sql"]
)
def test_a_file_that_is_no_migration_finds_nothing(tmp_path: Path, path: str) -> None:
    root = project(tmp_path, "migrations/1_a.sql", path)

    assert roots(root, root / path) == []


def test_only_a_named_folder_may_be_called_anything(tmp_path: Path) -> None:
    root = project(tmp_path, "changes/1_a.sql")

    assert roots(root) == []
    assert roots(root, root / "changes") == ["changes"]


def test_the_project_itself_may_be_the_history(tmp_path: Path) -> None:
    history = the_history(project(tmp_path, "1_a.sql"))

    assert (history.relative_root, history.migrations[0].relative_path) == (".", "1_a.sql")


def test_a_history_outside_the_project_keeps_its_whole_path(tmp_path: Path) -> None:
    project(tmp_path, "other/migrations/1_a.sql")
    history = the_history(tmp_path / "app", tmp_path / "other" / "migrations")

    assert history.relative_root == (tmp_path / "other/migrations").as_posix()
    assert history.migrations[0].relative_path == (tmp_path / "other/migrations/1_a.sql").as_posix()


def test_several_histories_are_found_each_once(tmp_path: Path) -> None:
    root = project(
        tmp_path, "a/migrations/1_a.sql", "b/migration/1_a.sql", "c/db/migrate/1_a.sql", "d/readme.md"
    )

    assert roots(root, root, root / "b", root / "a" / "migrations" / "1_a.sql") == [
        "a/migrations",
        "b/migration",
        "c/db/migrate",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "node_modules/pkg/migrations/1_a.sql",
        "vendor/pkg/migrations/1_a.sql",
        "target/migrations/1_a.sql",
        ".cache/migrations/1_a.sql",
        "migrations/notes.sql",
        "migrations/0001_initial.py",
        "a/b/c/d/e/f/g/h/migrations/1_a.sql",
    ],
)
def test_other_people_s_folders_and_other_files_are_passed_over(tmp_path: Path, name: str) -> None:
    assert roots(project(tmp_path, name)) == []


def test_a_virtual_environment_is_passed_over_whatever_its_name(tmp_path: Path) -> None:
    assert roots(project(tmp_path, "env312/pyvenv.cfg", "env312/lib/pkg/migrations/1_a.sql")) == []


@pytest.mark.parametrize("name", ["postgres", "postgresql", "pg", "pgsql", "psql"])
def test_of_the_parts_for_several_databases_postgresql_s_is_found(tmp_path: Path, name: str) -> None:
    root = project(
        tmp_path,
        f"assets/migrations/{name}/001_a.sql",
        "assets/migrations/mysql/001_a.sql",
        "assets/migrations/sqlite/001_a.sql",
        "docs/postgres/1_query.sql",
    )

    assert roots(root) == roots(root, root / "assets" / "migrations") == [f"assets/migrations/{name}"]


def test_the_histories_of_other_databases_beside_postgresqls_are_passed_over_and_named(
    tmp_path: Path,
) -> None:
    root = project(
        tmp_path,
        "db/clickhouse/migrations/01_a.sql",
        "db/mysql/migrations/01_a/migration.sql",
        "db/postgresql/migrations/01_a/migration.sql",
    )

    history = the_history(root)
    assert history.relative_root == "db/postgresql/migrations"
    assert [remark.text for remark in history.remarks] == [
        "db/clickhouse/migrations is another database's by its name, so not rehearsed",
        "db/mysql/migrations is another database's by its name, so not rehearsed",
    ]


def test_a_folder_called_after_another_database_is_found_when_it_is_named_or_not_beside_postgresqls(
    tmp_path: Path,
) -> None:
    root = project(
        tmp_path,
        "db/mysql/migrations/01_a.sql",
        "db/postgresql/migrations/01_a.sql",
        "services/oracle/migrations/01_prices.sql",
        "services/users/migrations/01_a.sql",
    )

    assert roots(root, root / "db" / "mysql") == ["db/mysql/migrations"]
    assert roots(root) == [
        "db/postgresql/migrations",
        "services/oracle/migrations",
        "services/users/migrations",
    ]


def test_an_empty_or_missing_folder_holds_nothing(tmp_path: Path) -> None:
    assert roots(tmp_path) == []
    assert roots(tmp_path, tmp_path / "gone") == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("closed", ["a", "a/migrations"])
def test_an_unreadable_folder_holds_nothing(tmp_path: Path, closed: str) -> None:
    root = project(tmp_path, "a/migrations/1_a.sql", "b/migrations/1_a.sql")
    (root / closed).chmod(0)
    try:
        assert roots(root) == ["b/migrations"]
    finally:
        (root / closed).chmod(0o700)


def test_a_linked_folder_is_found_under_the_link_s_name(tmp_path: Path) -> None:
    project(tmp_path, "shared/sql/1_a.sql")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "migrations").symlink_to(tmp_path / "shared" / "sql")
    history = the_history(tmp_path / "app")

    assert (history.relative_root, order(history)) == ("migrations", ["1_a.sql"])
    assert history.migrations[0].relative_path == "migrations/1_a.sql"


def test_links_within_the_project_lead_neither_in_circles_nor_twice_to_one_history(tmp_path: Path) -> None:
    root = project(tmp_path, "db/migrations/1_a.sql")
    (root / "again").symlink_to(root)
    (root / "db" / "up").symlink_to(root / "db")
    (root / "alias").symlink_to(root / "db")
    (root / "broken").symlink_to(root / "gone")

    assert roots(root) == ["db/migrations"]


def test_the_project_s_mode_holds_for_files_that_do_not_opt_out(tmp_path: Path) -> None:
    root = project(
        tmp_path, "migrations/1_a.sql", "migrations/2_b.sql", **{"migrations/3_c.sql": "-- no-transaction\n"}
    )
    (history,) = find_histories(root, [root], mode=TransactionMode.SINGLE_QUERY)

    assert modes(history) == {"1": "single-query", "2": "single-query", "3": "autocommit"}
    assert history.migrations[0].read().manner.reason == "transaction_mode in [tool.migsafe]"


def test_listing_opens_one_migration_at_most(tmp_path: Path) -> None:
    """Opening each of a hundred files cost more than all the rest; the first may hold a runner's mark."""
    root = project(tmp_path, "migrations/1_a.up.sql", "app/migrations/1_a.sql", "app/migrations/2_b.sql")
    project(root, **{"server/Cargo.toml": "", "server/migrations/1_a.up.sql": "SELECT 1;"})
    opened: list[str] = []

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and watching and str(arguments[0]).endswith(".sql"):
            opened.append(os.path.relpath(str(arguments[0]), root))

    watching = True
    sys.addaudithook(note)
    find_histories(root, [root])
    watching = False

    assert opened == ["app/migrations/1_a.sql"]


def test_listing_files_imports_no_grammar() -> None:
    code = "import sys, pytest_migsafe.migrations.discovery; print('postgast' in sys.modules, 'sqlparse' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False False\n"


@pytest.mark.parametrize("piece", ["\n", " ", "--\n", "-- \n", "-\n", "/*\n", "#\n", "\r\n"])
def test_looking_for_runners_marks_takes_no_longer_than_reading(tmp_path: Path, piece: str) -> None:
    # A pattern that looks at the rest of the file from each line on would take hours here.
    text = piece * 100_000

    assert the_history(project(tmp_path, **{"migrations/0001_a.sql": text})).layout == "flat"
