"""goose and sql-migrate: statements cut by lines, and what the two refuse."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import Direction, Manner, TransactionMode
from tests.migrations.projects import (
    ignored,
    order,
    project,
    refusal,
    remarks,
    script_of,
    sent,
    the_history,
)

FUNCTION = "CREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n  RETURN 1;\nEND;\n$$ LANGUAGE plpgsql;\n"
UP, DOWN = "-- +goose Up\n", "-- +goose Down\n"
BEGIN, END = "-- +goose StatementBegin\n", "-- +goose StatementEnd\n"


def goose(tmp_path: Path, text: str) -> Path:
    return project(tmp_path, **{"migrations/00001_a.sql": f"{UP}SELECT 0;\n", "migrations/00002_b.sql": text})


def second(tmp_path: Path, text: str, direction: Direction = Direction.UP) -> list[str]:
    return sent(the_history(goose(tmp_path, text)), direction)["00002"]


def test_counted_and_timed_versions_are_one_order_of_numbers(tmp_path: Path) -> None:
    names = ["20240102030405_d.sql", "00010_c.sql", "2_b.sql", "00001_a.sql", "00000_none.sql"]
    root = project(
        tmp_path,
        "migrations/00003_program.go",
        "migrations/notes.sql",
        **{f"migrations/{name}": f"{UP}SELECT 1;\n" for name in names},
    )
    history = the_history(root)

    assert history.layout == "goose"
    assert order(history) == ["00001_a.sql", "2_b.sql", "00010_c.sql", "20240102030405_d.sql"]
    assert ignored(history) == ("00000_none.sql", "00003_program.go", "notes.sql")
    assert remarks(history)["00003_program.go"].startswith("programs, ")


def test_a_statement_ends_with_the_line_that_ends_with_a_semicolon(tmp_path: Path) -> None:
    text = (
        f"{UP}-- a comment of the file\n\nCREATE TABLE a (\n  id int -- here; not\n); -- here\nINSERT INTO a VALUES (1); INSERT\n"
        f"INTO a VALUES (2);\n{DOWN}DROP TABLE a;\n"
    )

    assert second(tmp_path, text) == [
        "CREATE TABLE a (\n  id int -- here; not\n); -- here",
        "INSERT INTO a VALUES (1); INSERT\nINTO a VALUES (2);",
    ]
    assert second(tmp_path, text, Direction.DOWN) == ["DROP TABLE a;"]


def test_a_block_is_one_statement(tmp_path: Path) -> None:
    assert second(tmp_path, f"{UP}{BEGIN}{FUNCTION}{END}SELECT f();\n") == [FUNCTION.strip(), "SELECT f();"]


def test_without_a_block_a_function_is_cut_to_pieces(tmp_path: Path) -> None:
    assert second(tmp_path, UP + FUNCTION) == [
        "CREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n  RETURN 1;",
        "END;",
        "$$ LANGUAGE plpgsql;",
    ]


def test_windows_lines_and_any_case_of_an_annotation(tmp_path: Path) -> None:
    text = f"--+goose up\n{BEGIN}SELECT 1;\nSELECT 2;\n{END}-- +goose DOWN\nSELECT 3;\n".replace("\n", "\r\n")

    assert second(tmp_path, text) == ["SELECT 1;\r\nSELECT 2;"]
    assert second(tmp_path, text, Direction.DOWN) == ["SELECT 3;"]


def test_no_transaction_runs_each_statement_alone(tmp_path: Path) -> None:
    root = goose(tmp_path, f"-- +goose NO TRANSACTION\n{UP}VACUUM;\nSELECT 1;\n{DOWN}VACUUM;\n")
    migration = the_history(root).migrations[1]

    for direction in Direction:
        assert script_of(migration, direction).manner == Manner(
            TransactionMode.AUTOCOMMIT, "-- +goose NO TRANSACTION in line 1"
        )
    assert sent(the_history(root))["00002"] == ["VACUUM;", "SELECT 1;"]


def test_a_block_of_several_statements_is_one_query_without_a_transaction(tmp_path: Path) -> None:
    root = goose(
        tmp_path,
        f"-- +goose NO TRANSACTION\n{UP}VACUUM;\n{BEGIN}SELECT 1;\nVACUUM;\n{END}SELECT 2; SELECT 3;\n{BEGIN}{FUNCTION}{END}VACUUM;\n",
    )
    units = the_history(root).migrations[1].read().units

    assert [(unit.mode.value, len(unit.statements)) for unit in units] == [
        ("autocommit", 1),
        ("single-query", 2),
        ("single-query", 2),
        ("autocommit", 2),
    ]


def test_an_empty_half_sends_nothing(tmp_path: Path) -> None:
    assert second(tmp_path, UP + DOWN) == []
    assert second(tmp_path, f"{UP}SELECT 1;\n", Direction.DOWN) == []


def test_variables_are_put_in_where_it_is_switched_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAYB_ROLE", "from_environment")
    monkeypatch.setenv("LAYB_OTHER", "no")
    root = goose(
        tmp_path,
        f"{UP}SELECT '${{LAYB_ROLE}}';\n-- +goose ENVSUB ON\nSELECT '${{LAYB_ROLE}}', '$LAYB_OTHER',\n  oops;\n"
        f"-- +goose ENVSUB OFF\nSELECT '$LAYB_ROLE';\n{DOWN}-- +goose ENVSUB ON\nSELECT '$LAYB_NONE';\n",
    )
    (history,) = find_histories(root, [root], placeholders={"LAYB_OTHER": "from_settings"})
    script = history.migrations[1].read()

    assert sent(history)["00002"] == [
        "SELECT '${LAYB_ROLE}';",
        "SELECT 'from_environment', 'from_settings',\n  oops;",
        "SELECT '$LAYB_ROLE';",
    ]
    assert [script.position(statement.start).line for statement in script.statements] == [2, 4, 7]


def test_variables_in_comments_above_statements_need_no_value(tmp_path: Path) -> None:
    root = goose(
        tmp_path,
        f"{UP}-- +goose StatementBegin\n-- +goose envsub on\n-- GRANT ALL ON SCHEMA public TO $LAYB_NONE;\n"
        "SELECT 'sqlc parsing';\n-- +goose envsub off\n-- +goose StatementEnd\n",
    )

    assert sent(the_history(root))["00002"] == ["SELECT 'sqlc parsing';\n-- +goose envsub off"]


def test_a_variable_without_a_value_is_named(tmp_path: Path) -> None:
    root = goose(tmp_path, f"{UP}-- +goose ENVSUB ON\nGRANT SELECT ON a TO ${{LAYB_NONE}};\n")

    assert refusal(the_history(root)) == (
        "no value for the placeholder ${LAYB_NONE} (line 3); set it in [tool.migsafe.placeholders]"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\n", "line 1 stands above `-- +goose Up`, which goose refuses; "),
        ("-- nothing\n", "goose refuses a file without `-- +goose Up`; "),
        (
            f"\ufeff{UP}SELECT 1;\n",
            "the file begins with a byte order mark, which goose takes for a statement; ",
        ),
        (f"{UP}SELECT 1;\n{UP}", "line 3 is a second `-- +goose Up`, which goose refuses"),
        (f"{DOWN}{UP}", "`-- +goose Down` in line 1 does not come after `-- +goose Up`, "),
        (f"{UP}SELECT 1\n", "goose finds no end of the statement that begins in line 2; "),
        (f"{UP}SELECT 1\n{DOWN}", "goose finds no end of the statement that begins in line 2; "),
        (f"{UP}{BEGIN}SELECT 1;\n", "`-- +goose StatementBegin` in line 2 has no `-- +goose StatementEnd`"),
        (f"{UP}{END}", "line 2 does not come after `-- +goose StatementBegin`, where goose wants it: "),
        (f"{BEGIN}{UP}", "line 1 does not come after `-- +goose Up or Down`, where goose wants it: "),
        (f"{UP}-- +goose Statement\n", "line 2 is none of goose's annotations (Up, Down, "),
        (
            f"{UP}  {BEGIN}",
            "line 2 is indented, where goose refuses its annotations: -- +goose StatementBegin",
        ),
    ],
)
def test_what_goose_refuses_is_said_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(the_history(goose(tmp_path, text))).startswith(said)


# -- sql-migrate -------------------------------------------------------------------------------------------

M_UP, M_DOWN = "-- +migrate Up\n", "-- +migrate Down\n"
M_BEGIN, M_END = "-- +migrate StatementBegin\n", "-- +migrate StatementEnd\n"


def test_sql_migrate_takes_every_file_numbers_first(tmp_path: Path) -> None:
    names = ["10_b.sql", "9_c.sql", "9_b.sql", "init.sql"]
    history = the_history(project(tmp_path, **{f"migrations/{name}": f"{M_UP}SELECT 1;\n" for name in names}))

    assert history.layout == "sql-migrate"
    assert order(history) == ["9_b.sql", "9_c.sql", "10_b.sql", "init.sql"]
    assert [one.id for one in history.migrations] == ["9_b", "9_c", "10_b", "init"]


def test_sql_migrate_cuts_as_goose_does(tmp_path: Path) -> None:
    text = f"{M_UP}{M_BEGIN}{FUNCTION}{M_END}-- a comment\nSELECT f();\n  \n-- the end\n{M_DOWN}DROP FUNCTION f();\n"
    history = the_history(project(tmp_path, **{"migrations/1_a.sql": text}))

    assert sent(history) == {"1_a": [FUNCTION.strip(), "SELECT f();"]}
    assert sent(history, Direction.DOWN) == {"1_a": ["DROP FUNCTION f();"]}


def test_notransaction_is_said_of_each_direction(tmp_path: Path) -> None:
    text = f"-- +migrate Up notransaction\nVACUUM;\nVACUUM;\n{M_DOWN}SELECT 1;\n"
    (migration,) = the_history(project(tmp_path, **{"migrations/1_a.sql": text})).migrations

    assert migration.read().manner == Manner(
        TransactionMode.AUTOCOMMIT, "sql-migrate's notransaction in line 1"
    )
    assert script_of(migration, Direction.DOWN).manner.mode is TransactionMode.TRANSACTION


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\n", "sql-migrate refuses a file without `-- +migrate Up`; "),
        (
            f"\ufeff{M_UP}SELECT 1;\n",
            "the file begins with a byte order mark, behind which sql-migrate does not see ",
        ),
        (f"{M_UP}SELECT 1\n{M_DOWN}", "sql-migrate finds no end of the statement that begins in line 2; "),
        (
            f"{M_UP}{M_BEGIN}SELECT 1;\n",
            "`-- +migrate StatementBegin` in line 2 has no `-- +migrate StatementEnd`",
        ),
    ],
)
def test_what_sql_migrate_refuses_is_said(tmp_path: Path, text: str, said: str) -> None:
    root = project(tmp_path, **{"migrations/1_a.sql": f"{M_UP}SELECT 0;\n", "migrations/2_b.sql": text})

    assert refusal(the_history(root)).startswith(said)
