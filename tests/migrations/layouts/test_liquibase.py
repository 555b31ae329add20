"""Liquibase's changesets are found, ordered, cut and undone as Liquibase does it."""

import json
from pathlib import Path

import pytest

from pytest_migsafe.errors import MigrationReadError, SettingsError
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.layouts.liquibase_sql import read_formatted
from pytest_migsafe.migrations.model import Direction, Manner, Runner, Script, TransactionMode
from pytest_migsafe.migrations.source import SourceText
from tests.migrations.projects import ignored, order, project, the_history

HEADER = "--liquibase formatted sql\n"
WRAPPED = "Liquibase runs each changeset in a transaction"
A_FILE = f"{HEADER}--changeset ann:1\nSELECT 1;\n"


def script(text: str, direction: Direction = Direction.UP, **values: str) -> Script:
    runner = Runner(usual=Manner(TransactionMode.TRANSACTION, WRAPPED), placeholders=values)
    return read_formatted(SourceText(HEADER + text), runner, direction)


def pieces(read: Script) -> list[list[str]]:
    """Return what is sent, a list for each changeset."""
    return [[unit.text(part) for part in unit.parts] for unit in read.units]


# -- changesets ----------------------------------------------------------------------------------------------


def test_each_changeset_is_a_transaction_and_keeps_its_place_in_the_file() -> None:
    read = script(
        "SELECT 'before any changeset';\n"
        "--changeset ann:1 labels:a context:test\n--comment: it's the first\nCREATE TABLE a (x text DEFAULT ';');\n"
        'CREATE TABLE "b;c" ();\n--rollback DROP TABLE a;\n-- a plain comment; here\n'
        '--changeset "ann b":"two words" runInTransaction:false\nVACUUM a;\nVACUUM "b;c"\n'
    )

    assert [(unit.name, unit.manner.mode.value, unit.manner.reason) for unit in read.units] == [
        ("changeset ann:1", "transaction", WRAPPED),
        (
            "changeset ann b:two words",
            "autocommit",
            "Liquibase gives none to runInTransaction:false of changeset ann b:two words (line 9)",
        ),
    ]
    assert pieces(read) == [
        ["CREATE TABLE a (x text DEFAULT ';')", 'CREATE TABLE "b;c" ()'],
        ["VACUUM a", 'VACUUM "b;c"'],
    ]
    assert [read.position(one.start).line for one in read.statements] == [5, 6, 10, 11]


@pytest.mark.parametrize(
    ("attributes", "is_run"),
    [
        ("dbms:postgresql", True),
        ("dbms:mysql,postgresql", True),
        ("dbms:all", True),
        ("dbms:!mysql", True),
        ("dbms:mysql", False),
        ("dbms:!postgresql", False),
        ("ignore:true", False),
        ("runOnChange:true runAlways:true", True),
    ],
)
def test_changesets_for_other_databases_and_ignored_ones_are_not_run(attributes: str, is_run: bool) -> None:
    read = script(f"--changeset ann:1 {attributes}\nSELECT 1;\n")

    assert [one.text for one in read.statements] == (["SELECT 1"] if is_run else [])


def test_one_id_may_stand_once_for_each_database() -> None:
    read = script(
        "--changeset ann:1 dbms:mysql\nCREATE TABLE `a` (x INT);\n--changeset ann:1 dbms:postgresql\nSELECT 1;\n"
    )

    assert pieces(read) == [["SELECT 1"]]
    assert "`" not in read.source.text


def test_lines_to_ignore_are_not_sent() -> None:
    read = script(
        "--changeset ann:1\nSELECT 1;\n--ignoreLines:1\nSELECT 2;\nSELECT 3;\n--ignoreLines:start\nSELECT 4;\n"
        "--ignoreLines:end\nSELECT 5;\n"
    )

    assert pieces(read) == [["SELECT 1", "SELECT 3", "SELECT 5"]]


def test_preconditions_are_taken_as_given() -> None:
    (unit,) = script(
        "--changeset ann:1\n--preconditions onFail:MARK_RAN\n"
        "--precondition-sql-check expectedResult:0 SELECT count(*) FROM t\nSELECT 1;\n"
    ).units

    assert unit.manner.reason == f"{WRAPPED}; the preconditions of changeset ann:1 are taken as given"
    assert [one.text for one in unit.statements] == ["SELECT 1"]


def test_a_file_of_thousands_of_changesets_is_read() -> None:
    read = script("".join(f"--changeset ann:{number}\nSELECT {number};\n" for number in range(20_000)))

    assert (len(read.units), len(read.statements)) == (20_000, 20_000)


def test_parameters_are_those_of_the_file_and_of_the_settings_and_others_stay() -> None:
    read = script(
        "--property name:owner value:ann\n--property name:owner value:late\n"
        "--changeset ann:1\nSELECT '${owner}', '${Schema}', '${unknown}';\n",
        schema="shop",
    )

    assert pieces(read) == [["SELECT 'ann', 'shop', '${unknown}'"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "--changeset ann\nSELECT 1;",
            "line 2: Liquibase takes '--changeset ann' for a mistake; write --changeset",
        ),
        ("--changeset ann: 1\nSELECT 1;", "line 2: Liquibase takes '--changeset ann: 1' for a mistake"),
        ("-changeset ann:1\nSELECT 1;", "line 2: Liquibase takes '-changeset ann:1' for a mistake"),
        ("--property name=a value=b", "line 2: Liquibase takes '--property name=a value=b' for a mistake"),
        ("--comment x", "line 2: Liquibase allows --comment in a changeset only"),
        ("--changeset a:1\n--comments x\nSELECT 1;", "line 3: Liquibase takes '--comments x' for a mistake"),
        (
            "--changeset a:1\n--changeset a:2\nSELECT 1;",
            "changeset a:1 (line 2) has no SQL, which Liquibase refuses",
        ),
        ("--changeset a:1\nSELECT 1;\n--changeset a:1\nSELECT 1;", "line 4: changeset a:1 is there twice"),
        ("--changeset a:1\n/* liquibase rollback\nSELECT 1;", "line 3: /* liquibase rollback is not closed"),
        ("--changeset a:1\n--ignoreLines:²\nSELECT 1;", "line 3: Liquibase does not know --ignoreLines:²"),
        ("--changeset a:1 endDelimiter:\\n[\nSELECT 1;", "endDelimiter:\\n[ is no regular expression"),
    ],
)
def test_what_liquibase_refuses_is_refused(text: str, message: str) -> None:
    with pytest.raises(MigrationReadError) as refused:
        script(text)
    assert str(refused.value).startswith(message)


# -- where a changeset is cut --------------------------------------------------------------------------------

BODY = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$"
DECLARING = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ DECLARE x int; BEGIN RETURN 1; END $$"


@pytest.mark.parametrize(
    ("attributes", "text", "sent"),
    [
        ("", f"{BODY};\nSELECT 2;", [BODY, "SELECT 2"]),
        # It counts BEGIN and END, and knows no dollar quotes.
        ("", DECLARING, [*DECLARING.split("; ", maxsplit=1)]),
        ("splitStatements:false", f"{DECLARING};\nSELECT 2;", [f"{DECLARING};\nSELECT 2;"]),
        ("endDelimiter://", f"{DECLARING};\n//\nSELECT 2\n//", [f"{DECLARING};", "SELECT 2"]),
        ("endDelimiter:\\n/", f"{DECLARING};\n/\nSELECT 2/1\n/", [f"{DECLARING};", "SELECT 2/1"]),
        ("", "SELECT 1\n/\nSELECT 2\nGO\nSELECT 3", ["SELECT 1", "SELECT 2", "SELECT 3"]),
        ("", "BEGIN TRANSACTION; SELECT 1; COMMIT;", ["BEGIN TRANSACTION", "SELECT 1", "COMMIT"]),
        ("", "-- only; this\n;\n/* and; this */ SELECT 1", ["SELECT 1"]),
    ],
)
def test_a_changeset_is_cut_where_liquibase_cuts_it(attributes: str, text: str, sent: list[str]) -> None:
    assert pieces(script(f"--changeset ann:1 {attributes}\n{text}\n")) == [sent]


def test_a_changeset_sent_whole_outside_a_transaction_is_one_implicit_transaction() -> None:
    (unit,) = script(
        "--changeset ann:1 runInTransaction:false splitStatements:false\nSELECT 1; SELECT 2;\n"
    ).units

    assert unit.manner.mode is TransactionMode.SINGLE_QUERY


# -- the way back --------------------------------------------------------------------------------------------


def test_rollbacks_run_backwards_and_stand_where_they_stand() -> None:
    text = (
        "--changeset ann:1\nCREATE TABLE a ();\n--rollback DROP TABLE\n--rollback a;\n"
        "--changeset ann:2\nINSERT INTO a DEFAULT VALUES;\n--rollback empty\n"
        "--changeset ann:3\nCREATE TABLE b ();\n/* liquibase rollback\nDROP TABLE b;\nSELECT 1; */\n"
    )
    read = script(text, Direction.DOWN)

    assert [unit.name for unit in read.units] == [
        "rollback of changeset ann:3",
        "rollback of changeset ann:1",
    ]
    assert [[" ".join(one.split()) for one in unit] for unit in pieces(read)] == [
        ["DROP TABLE b", "SELECT 1"],
        ["DROP TABLE a"],
    ]
    assert [read.position(one.start).line for one in read.statements] == [12, 13, 4]


def test_a_changeset_without_rollback_cannot_be_undone_but_a_file_without_any_has_no_way_back() -> None:
    without = "--changeset ann:1\nSELECT 1;\n"
    assert script(without, Direction.DOWN).statements == ()

    with pytest.raises(
        MigrationReadError, match=r"cannot undo changeset ann:1 \(line 2\): it has no --rollback"
    ):
        script(f"{without}--changeset ann:2\nSELECT 2;\n--rollback SELECT 3;\n", Direction.DOWN)


# -- files and their order -----------------------------------------------------------------------------------


def test_without_a_root_changelog_the_paths_are_the_order(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        **{
            "db/changelog/10.sql": A_FILE,
            "db/changelog/2.sql": A_FILE,
            "db/changelog/a/x.sql": "SELECT 'plain';",
        },
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("liquibase", "db/changelog")
    assert order(history) == ["10.sql", "2.sql", "a/x.sql"]
    assert [one.read().manner.reason for one in history.migrations] == [WRAPPED] * 3
    assert ignored(history) == ()


XML = """<?xml version="1.0" encoding="UTF-8"?>
<databaseChangeLog xmlns="http://www.liquibase.org/xml/ns/dbchangelog">
    <property name="owner" value="bob" dbms="!postgresql"/>
    <property name="owner" value="ann" dbms="all"/>
    <include file="changes/2.sql" relativeToChangelogFile="true"/>
    <include file="db/changelog/changes/1.sql"/>
    <changeSet id="t" author="ann"><createTable tableName="t"/></changeSet>
    <changeSet id="f" author="ann" runInTransaction="false">
        <comment>From a file</comment>
        <sqlFile path="db/changelog/plain.sql" splitStatements="false"/>
    </changeSet>
    <includeAll path="more" relativeToChangelogFile="true"/>
</databaseChangeLog>
"""
JSON = json.dumps(
    {
        "databaseChangeLog": [
            {"property": {"name": "owner", "value": "bob", "dbms": "mysql, oracle"}},
            {"property": {"name": "owner", "value": "ann", "dbms": "!mysql"}},
            {"include": {"file": "changes/2.sql", "relativeToChangelogFile": True}},
            {"include": {"file": "db/changelog/changes/1.sql"}},
            {"changeSet": {"id": "t", "author": "ann", "changes": [{"createTable": {"tableName": "t"}}]}},
            {
                "changeSet": {
                    "id": "f",
                    "author": "ann",
                    "runInTransaction": False,
                    "changes": [{"sqlFile": {"path": "db/changelog/plain.sql", "splitStatements": False}}],
                }
            },
            {"includeAll": {"path": "more", "relativeToChangelogFile": True}},
        ]
    }
)
YAML = """\
---
databaseChangeLog:
  # The parameters.
  - property: {name: owner, value: ann}
  - include:
      file: changes/2.sql   # first
      relativeToChangelogFile: true
  - include:
      file: "db/changelog/changes/1.sql"

  - changeSet:
      id: t
      changes:
        - sql: |
            CREATE TABLE t ();
  - includeAll:
      path: 'more'
      relativeToChangelogFile: true
"""


@pytest.mark.parametrize(("name", "text"), [("xml", XML), ("json", JSON), ("yaml", YAML)])
def test_a_root_changelog_is_the_order(tmp_path: Path, name: str, text: str) -> None:
    folder = "src/main/resources/db/changelog"
    root = project(
        tmp_path,
        **{
            f"{folder}/db.changelog-master.{name}": text,
            f"{folder}/changes/1.sql": f"{HEADER}--changeset a:1\nSELECT '${{owner}}';",
            f"{folder}/changes/2.sql": A_FILE,
            f"{folder}/changes/forgotten.sql": A_FILE,
            f"{folder}/plain.sql": "SELECT 1; SELECT 2;",
            f"{folder}/more/b/1.sql": A_FILE,
            f"{folder}/more/a.sql": A_FILE,
        },
    )
    history = the_history(root)

    plain = [] if name == "yaml" else ["plain.sql"]
    assert (history.layout, history.relative_root) == ("liquibase", folder)
    assert order(history) == ["changes/2.sql", "changes/1.sql", *plain, "more/a.sql", "more/b/1.sql"]
    assert history.migrations[1].read().statements[0].text == "SELECT 'ann'"
    assert ignored(history) == (
        f"db.changelog-master.{name}",
        *([] if plain else ["plain.sql"]),
        "changes/forgotten.sql",
    )
    if plain:
        (unit,) = history.migrations[2].read().units
        assert (unit.mode, len(unit.parts)) == (TransactionMode.SINGLE_QUERY, 1)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("xml", "<databaseChangeLog>", "the changelog cannot be read: no element found"),
        (
            "xml",
            '<databaseChangeLog><include file="gone.sql"/></databaseChangeLog>',
            "it includes 'gone.sql', which",
        ),
        (
            "yaml",
            "databaseChangeLog:\n  - include: &x\n      file: 1.sql\n",
            "'- include: &x' is more YAML than",
        ),
        (
            "yaml",
            "databaseChangeLog:\n  - include:\n      file: >\n        1.sql\n",
            "'file: >' is more YAML than",
        ),
    ],
)
def test_a_changelog_that_cannot_be_followed_ends_the_search(
    tmp_path: Path, name: str, text: str, problem: str
) -> None:
    root = project(tmp_path, **{f"changelog.{name}": text, "1.sql": A_FILE})
    with pytest.raises(SettingsError) as refused:
        the_history(root)
    assert str(refused.value).startswith(str(tmp_path / f"changelog.{name}"))
    assert problem in str(refused.value)


def test_a_list_of_changes_for_people_is_no_changelog(tmp_path: Path) -> None:
    root = project(tmp_path, "migrations/1_a.sql", **{"changelog.yml": "1.0:\n  - first release\n"})

    assert [one.layout for one in find_histories(root, [root])] == ["flat"]


@pytest.mark.parametrize("name", ["0001_a.sql", "V1__a.sql", "20240101000000_a.sql", "1/1_a.sql"])
def test_names_of_other_runners_do_not_hide_the_first_line(tmp_path: Path, name: str) -> None:
    first = {"migrations/0_first.sql": A_FILE} if "/" in name else {}
    root = project(tmp_path, **first, **{f"migrations/{name}": A_FILE})

    assert the_history(root).layout == "liquibase"
