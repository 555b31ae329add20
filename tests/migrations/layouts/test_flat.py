"""Numbered files of a project whose runner is not known: psql's commands and rows, and other names."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.discovery import find_histories
from tests.migrations.projects import downs, messages, order, project, refusal, sent, the_history

COPY = "CREATE TABLE a (id int);\nCOPY a FROM STDIN;\n1\n2\n\\.\nANALYZE a;\nVACUUM a;\n"


def test_suffixes_in_any_case_and_versions_with_dots(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "migrations/1.10_c.sql",
        "migrations/1.9.1_b.sql",
        "migrations/1.9_a.SQL",
        "migrations/1.9_a.down.SQL",
    )
    history = the_history(root)

    assert (history.layout, order(history)) == ("flat", ["1.9_a.SQL", "1.9.1_b.sql", "1.10_c.sql"])
    assert downs(history) == {"1.9": "1.9_a.down.SQL", "1.9.1": None, "1.10": None}


def test_rows_follow_their_copy(tmp_path: Path) -> None:
    (migration,) = the_history(project(tmp_path, **{"migrations/1_a.sql": COPY})).migrations
    script = migration.read()
    (unit,) = script.units

    assert [part.data for part in unit.parts] == [None, "1\n2\n", None]
    assert [script.position(one.start).line for one in script.statements] == [1, 2, 6, 7]


def test_without_a_transaction_what_stands_between_rows_is_sent_by_statements(tmp_path: Path) -> None:
    (migration,) = the_history(
        project(tmp_path, **{"migrations/1_a.sql": f"-- no-transaction\n{COPY}"})
    ).migrations

    assert messages(migration.read()) == [
        "CREATE TABLE a (id int)",
        "COPY a FROM STDIN",
        "ANALYZE a",
        "VACUUM a",
    ]


def test_commands_that_change_nothing_are_left_out_and_variables_get_values(tmp_path: Path) -> None:
    root = project(tmp_path, **{"migrations/1_a.sql": "\\echo hello\nCREATE TABLE :name (id int);\n"})
    (history,) = find_histories(root, [root], placeholders={"name": "a"})

    assert sent(history) == {"1": ["CREATE TABLE a (id int);"]}


@pytest.mark.parametrize(
    ("layout", "mark"),
    [
        ("dbmate", "-- migrate:down"),
        ("goose", "-- +goose Down"),
        ("sql-migrate", "-- +migrate Down"),
        ("tern", "---- create above / drop below ----"),
        ("mybatis", "-- //@UNDO"),
        ("play", "# --- !Downs"),
    ],
)
def test_the_way_back_of_a_runner_that_was_not_recognised_is_not_run(
    tmp_path: Path, layout: str, mark: str
) -> None:
    text = f"CREATE TABLE a (id int);\n{mark}\nDROP TABLE a;\n"
    root = project(tmp_path, "migrations/1_a.sql", **{"migrations/2_b.sql": text})
    history = the_history(root)

    assert history.layout == "flat"
    assert refusal(history).startswith(f"line 2 begins the way back as {layout} has it, ")
    assert refusal(history).endswith(f"name the layout: --migsafe-layout={layout}")
