"""Folders called after versions are one history."""

from pathlib import Path

import pytest

from tests.migrations.projects import downs, ignored, order, project, the_history


def test_folders_are_in_the_order_of_their_versions_and_files_in_that_of_their_numbers(
    tmp_path: Path,
) -> None:
    root = project(
        tmp_path,
        "db/migrations/3.10/0001##a.sql",
        "db/migrations/3.9/0002##b.sql",
        "db/migrations/3.9/0001##a.sql",
        "db/migrations/3.9/10_c.sql",
        "db/migrations/v4/1-x.sql",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("version-folders", "db/migrations")
    assert order(history) == [
        "3.9/0001##a.sql",
        "3.9/0002##b.sql",
        "3.9/10_c.sql",
        "3.10/0001##a.sql",
        "v4/1-x.sql",
    ]
    assert [one.id for one in history.migrations] == ["3.9/0001", "3.9/0002", "3.9/10", "3.10/0001", "v4/1"]
    assert ignored(history) == ()


def test_ups_have_their_downs_beside_them(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/56/04_x.up.sql",
        "migrations/56/04_x.down.sql",
        "migrations/56/05_tear_down.sql",
        "migrations/57/01_y.sql",
        "migrations/57/01_y_down.sql",
        "migrations/57/02_gone.down.sql",
    )
    history = the_history(root)

    assert order(history) == ["56/04_x.up.sql", "56/05_tear_down.sql", "57/01_y.sql"]
    assert downs(history) == {"56/04": "56/04_x.down.sql", "56/05": None, "57/01": "57/01_y_down.sql"}
    assert [(one.path, one.text) for one in history.remarks] == [
        ("57/02_gone.down.sql", "down files without their migration")
    ]


def test_what_is_not_called_after_a_version_is_passed_over_with_a_remark(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/1/1_a.sql",
        "migrations/1/seed.sql",
        "migrations/full_schemas/1.sql",
        "migrations/common/x.sql",
        "migrations/docs/README.md",
        "migrations/schema.sql",
    )
    history = the_history(root)

    assert order(history) == ["1/1_a.sql"]
    assert ignored(history) == ("1/seed.sql", "common/", "full_schemas/", "schema.sql")


@pytest.mark.parametrize(
    ("files", "layout"),
    [
        (("1_a.sql", "2/1_b.sql"), "flat"),
        (("2017-01-01-000000_a/up.sql",), "diesel"),
        (("20240101000000_a/migration.sql",), "prisma"),
        (("1/V1__a.sql",), "flyway"),
    ],
)
def test_neighbours_keep_their_folders(tmp_path: Path, files: tuple[str, ...], layout: str) -> None:
    root = project(tmp_path, *(f"migrations/{name}" for name in files))

    assert the_history(root).layout == layout


def test_a_file_named_on_the_command_line_stands_on_all_before_it(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/1/1_a.sql", "migrations/2/1_b.sql")

    assert order(the_history(root, root / "migrations/2/1_b.sql")) == ["1/1_a.sql", "2/1_b.sql"]
