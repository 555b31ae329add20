"""Flyway's files are found, ordered and sent as Flyway does it."""

from pathlib import Path

import pytest

from pytest_migsafe.errors import MigrationReadError
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import Manner, Script, TransactionMode
from tests.migrations.projects import downs, ignored, modes, order, project, the_history

WRAPPED = "Flyway wraps each file in a transaction"


def script(root: Path, text: str, **files: str) -> Script:
    """Return the only migration of a project, as Flyway reads it."""
    project(root, **{"db/migration/V1__it.sql": text}, **files)
    (migration,) = the_history(root).migrations
    return migration.read()


def test_versions_are_compared_part_by_part_as_numbers_and_underscores_are_dots(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "db/migration/V10__tenth.sql",
        "db/migration/V2__second.sql",
        "db/migration/V1.9__a.sql",
        "db/migration/V1_10__b.sql",
        "db/migration/V1.10.1__c.sql",
        "db/migration/V20240101120000__late.sql",
        "db/migration/V3.sql",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("flyway", "db/migration")
    assert [one.id for one in history.migrations] == [
        "1.9",
        "1.10",
        "1.10.1",
        "2",
        "3",
        "10",
        "20240101120000",
    ]
    assert ignored(history) == ()


def test_one_and_one_point_zero_are_one_version(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/V1__a.sql", "migrations/V1.0__b.sql", "migrations/V01.2__c.sql")
    history = the_history(root)

    assert history.refuses_duplicates
    assert {one.path.name: one.same_version for one in history.migrations} == {
        "V1__a.sql": ("migrations/V1.0__b.sql",),
        "V1.0__b.sql": ("migrations/V1__a.sql",),
        "V01.2__c.sql": (),
    }


def test_repeatables_come_last_by_description_and_callbacks_where_flyway_runs_them(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/R__b_views.sql",
        "migrations/R__a_functions.sql",
        "migrations/V2__x.sql",
        "migrations/V1__x.sql",
        "migrations/beforeMigrate__session.sql",
        "migrations/afterVersioned.sql",
        "migrations/afterMigrate.sql",
        "migrations/afterEachMigrate.sql",
        "migrations/beforeValidate.sql",
    )
    history = the_history(root)

    assert order(history) == [
        "beforeMigrate__session.sql",
        "V1__x.sql",
        "V2__x.sql",
        "afterVersioned.sql",
        "R__a_functions.sql",
        "R__b_views.sql",
        "afterMigrate.sql",
    ]
    assert history.migrations[4].id == "R__a_functions"
    assert ignored(history) == ("afterEachMigrate.sql", "beforeValidate.sql")
    assert {one.text for one in history.remarks} == {"callbacks that a rehearsal does not run"}


def test_folders_below_are_one_history_but_those_of_other_databases_are_left_out(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "src/main/resources/db/migration/V1__a.sql",
        "src/main/resources/db/migration/2024/V3__c.sql",
        "src/main/resources/db/migration/2023/V2__b.sql",
        "src/main/resources/db/migration/mysql/V2__b.sql",
        "src/main/resources/db/migration/2024/notes.sql",
    )
    history = the_history(root)

    assert order(history) == ["V1__a.sql", "2023/V2__b.sql", "2024/V3__c.sql"]
    assert ignored(history) == ("2024/notes.sql", "mysql/")


def test_a_link_that_leads_back_is_not_followed(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/V1__a.sql", "migrations/2023/V2__b.sql")
    (root / "migrations/2023/all").symlink_to(root / "migrations", target_is_directory=True)

    assert order(the_history(root)) == ["V1__a.sql", "2023/V2__b.sql"]


def test_a_file_in_a_folder_below_belongs_to_the_whole_history(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/V1__a.sql", "migrations/2023/V2__b.sql")

    assert order(the_history(root, root / "migrations/2023/V2__b.sql")) == ["V1__a.sql", "2023/V2__b.sql"]


def test_a_folder_of_any_name_is_found_by_its_files_and_a_root_is_no_history_for_what_lies_below(
    tmp_path: Path,
) -> None:
    root = project(
        tmp_path,
        "service-a/schema/V1__a.sql",
        "service-b/changes/V1__b.sql",
        "service-b/changes/more/V2__c.sql",
    )
    histories = find_histories(root, [root])

    assert [one.relative_root for one in histories] == ["service-a/schema", "service-b/changes"]
    assert [len(one.migrations) for one in histories] == [1, 2]


def test_undo_scripts_are_the_way_back(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/V1.0__a.sql",
        "migrations/U1__a.sql",
        "migrations/V2__b.sql",
        "migrations/U7__gone.sql",
    )
    history = the_history(root)

    assert downs(history) == {"1.0": "U1__a.sql", "2": None}
    assert [(one.path, one.text) for one in history.remarks] == [
        ("U7__gone.sql", "down files without their migration")
    ]


def test_a_baseline_is_passed_over_while_the_versions_that_it_stands_for_are_there(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/V1__a.sql", "migrations/B2__all.sql", "migrations/V3__b.sql")
    history = the_history(root)

    assert order(history) == ["V1__a.sql", "V3__b.sql"]
    assert ignored(history) == ("B2__all.sql",)


def test_a_history_begins_with_its_baseline_when_those_versions_are_gone(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/B2__all.sql", "migrations/B1__old.sql", "migrations/V3__b.sql")
    history = the_history(root)

    assert order(history) == ["B2__all.sql", "V3__b.sql"]
    assert ignored(history) == ("B1__old.sql",)


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (x)", "CREATE INDEX CONCURRENTLY i ON t (x)"),
        ("create unique index\n concurrently i on t (x)", "create unique index concurrently i on t (x)"),
        ("DROP INDEX CONCURRENTLY i", "DROP INDEX CONCURRENTLY i"),
        ("VACUUM ANALYZE t", "VACUUM ANALYZE t"),
        ("REINDEX (VERBOSE) SCHEMA public", "REINDEX (VERBOSE) SCHEMA public"),
        ("ALTER SYSTEM SET work_mem = '8MB'", "ALTER SYSTEM SET work_mem = '8MB'"),
    ],
)
def test_a_file_of_statements_that_refuse_a_transaction_runs_without_one(
    tmp_path: Path, statement: str, shown: str
) -> None:
    read = script(tmp_path, f"-- online\n{statement};\n")

    assert read.manner == Manner(
        TransactionMode.AUTOCOMMIT,
        f"Flyway runs the file without a transaction, for it has {shown} in line 2",
    )


@pytest.mark.parametrize(
    "statement",
    [
        # PostgreSQL refuses them in a transaction, Flyway does not know it: the file fails as it would in production.
        "REINDEX INDEX CONCURRENTLY i",
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
        # The words alone are no reason.
        "COMMENT ON TABLE t IS 'VACUUM it'",
        "SELECT 'CREATE INDEX CONCURRENTLY'",
    ],
)
def test_every_other_file_is_one_transaction(tmp_path: Path, statement: str) -> None:
    assert script(tmp_path, f"{statement};").manner == Manner(TransactionMode.TRANSACTION, WRAPPED)


def test_a_file_that_mixes_the_two_is_refused_as_flyway_refuses_it(tmp_path: Path) -> None:
    mixed = "ALTER TABLE t ADD COLUMN x int;\nCREATE INDEX CONCURRENTLY i ON t (x);\n"
    with pytest.raises(MigrationReadError) as refused:
        script(tmp_path, mixed)
    assert str(refused.value) == (
        "Flyway refuses the file: CREATE INDEX CONCURRENTLY i ON t (x) (line 2) runs outside a transaction, other "
        "statements of the file run inside one; give it a file of its own, or set flyway.mixed=true"
    )

    allowed = script(tmp_path, mixed, **{"flyway.conf": "flyway.mixed=true\n"})
    assert allowed.manner.mode is TransactionMode.AUTOCOMMIT


def test_a_script_may_opt_out_in_a_file_beside_it(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/V1__a.sql",
        "migrations/V2__b.sql",
        **{"migrations/V2__b.sql.conf": "# online\nexecuteInTransaction=false\n"},
    )
    history = the_history(root)

    assert modes(history) == {"1": "transaction", "2": "autocommit"}
    assert history.migrations[1].read().manner.reason == "executeInTransaction=false in V2__b.sql.conf"


def test_a_script_may_be_encoded_otherwise(tmp_path: Path) -> None:
    root = project(tmp_path, **{"flyway.conf": "flyway.encoding=ISO-8859-1\n"})
    migrations = (
        project(root, "migrations/V2__b.sql", **{"migrations/V3__c.sql.conf": "encoding=klingon"})
        / "migrations"
    )
    (migrations / "V1__a.sql").write_bytes("SELECT 'é';".encode("latin-1"))
    (migrations / "V2__b.sql.conf").write_text("encoding=ascii")
    (migrations / "V2__b.sql").write_bytes(b"SELECT 1;\nSELECT '\xe9';")
    (migrations / "V3__c.sql").write_text("SELECT 1;")
    latin, ascii_only, unknown = the_history(root).migrations

    assert latin.read().statements[0].text == "SELECT 'é'"
    with pytest.raises(
        MigrationReadError, match="the file is not ascii: line 2 holds the byte 0xe9; save it as"
    ):
        ascii_only.read()
    with pytest.raises(MigrationReadError, match="klingon is no encoding that Python knows; name another"):
        unknown.read()


def test_placeholders_come_from_the_script_the_settings_the_project_and_flyway_itself(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        **{
            "db/migration/V1__a.sql": "SELECT '${a}', '${b}', '${c}', '${flyway:filename}', '${flyway:defaultSchema}';",
            "db/migration/V1__a.sql.conf": "placeholders.c=script",
            "flyway.toml": '[flyway]\ndefaultSchema = "app"\n[flyway.placeholders]\na = "project"\nb = "p"\nc = "p"\n',
        },
    )
    (history,) = find_histories(root, [root], placeholders={"b": "settings", "c": "settings"})

    (statement,) = history.migrations[0].read().statements
    assert statement.text == "SELECT 'project', 'settings', 'script', 'V1__a.sql', 'app'"
    assert [one.text for one in history.remarks] == [
        "Flyway creates its configured schemas first (app); a prelude has to create them here"
    ]


def test_a_placeholder_without_a_value_is_named(tmp_path: Path) -> None:
    with pytest.raises(MigrationReadError, match=r"no value for the placeholder \$\{who\} \(line 2\)"):
        script(tmp_path, "SELECT 1;\nGRANT SELECT ON t TO ${who};")


@pytest.mark.parametrize("place", ["flyway.conf", "db/migration/V1__it.sql.conf"])
def test_placeholders_may_be_switched_off(tmp_path: Path, place: str) -> None:
    read = script(tmp_path, "SELECT '${who}';", **{place: "placeholderReplacement=false\n"})

    assert read.statements[0].text == "SELECT '${who}'"


def test_a_project_may_call_files_and_placeholders_otherwise(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        **{
            "db/migration/M1-a.ddl": "SELECT '@{x}@';",
            "db/migration/V2__b.sql": "SELECT 2;",
            "flyway.conf": (
                "flyway.sqlMigrationPrefix=M\nflyway.sqlMigrationSeparator=-\nflyway.sqlMigrationSuffixes=.ddl,\\\n"
                "   .sql\nflyway.placeholderPrefix=@{\nflyway.placeholderSuffix=}@\nflyway.placeholders.x=y\n"
            ),
        },
    )
    history = the_history(root)

    assert order(history) == ["M1-a.ddl"]
    assert history.migrations[0].read().statements[0].text == "SELECT 'y'"
    assert ignored(history) == ("V2__b.sql",)


def test_rows_for_copy_may_stand_in_a_file(tmp_path: Path) -> None:
    read = script(tmp_path, "CREATE TABLE t (x int);\nCOPY t FROM STDIN;\n1\n2\n\\.\nSELECT 1;\n")

    assert [one.data for one in read.statements] == [None, "1\n2\n", None]
    assert read.manner.mode is TransactionMode.TRANSACTION
