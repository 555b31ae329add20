"""Runners whose files hold both directions, with a line of comment between."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import Direction, Manner, TransactionMode
from tests.migrations.projects import (
    downs,
    modes,
    order,
    project,
    refusal,
    remarks,
    sent,
    the_history,
)

UP, DOWN = Direction.UP, Direction.DOWN


def one_file(tmp_path: Path, text: str) -> Path:
    return project(tmp_path, **{"migrations/1_a.sql": text})


# -- node-pg-migrate ---------------------------------------------------------------------------------------


def test_node_pg_migrate_orders_by_the_moment_in_either_form(tmp_path: Path) -> None:
    names = ["1700000000000_b.sql", "20231114221320001_c.sql", "20231114221319999_a.sql"]
    text = "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n"
    history = the_history(project(tmp_path, **{f"migrations/{name}": text for name in names}))

    assert history.layout == "node-pg-migrate"
    assert order(history) == ["20231114221319999_a.sql", "1700000000000_b.sql", "20231114221320001_c.sql"]
    assert set(downs(history).values()) == set(names)
    assert set(modes(history).values()) == {"transaction"}


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        (
            "-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 2;\n",
            "-- Up Migration\nSELECT 1;",
            "-- Down Migration\nSELECT 2;",
        ),
        ("--- DOWN MIGRATION\r\nSELECT 2;\r\n-- up migration\r\nSELECT 1;", "-- up migration\r\nSELECT 1;", "--- DOWN MIGRATION\r\nSELECT 2;"),
        ("-- Up Migration\nSELECT 1;\n", "-- Up Migration\nSELECT 1;", ""),
        # Without the upper marker it runs everything, the way back as well.
        (
            "SELECT 1;\n-- Down Migration\nSELECT 2;\n",
            "SELECT 1;\n-- Down Migration\nSELECT 2;",
            "-- Down Migration\nSELECT 2;",
        ),
    ],
)  # fmt: skip
def test_node_pg_migrate_s_halves(tmp_path: Path, text: str, up: str, down: str) -> None:
    history = the_history(one_file(tmp_path, text))

    assert sent(history, UP) == {"1": [up]}
    assert sent(history, DOWN) == {"1": [down] if down else []}


@pytest.mark.parametrize(("dependency", "layout"), [("node-pg-migrate", "node-pg-migrate"), ("pg", "flat")])
def test_node_pg_migrate_s_package_tells_the_layout(tmp_path: Path, dependency: str, layout: str) -> None:
    package = f'{{"devDependencies": {{"{dependency}": "^8.0.0"}}}}'
    root = project(tmp_path, "api/db/migrations/1700000000000_a.sql", **{"api/package.json": package})

    assert the_history(root).layout == layout


# -- tern --------------------------------------------------------------------------------------------------

TERN = "create table a (id int);\n\n---- create above / drop below ----\n\ndrop table a;\n"


def test_tern_creates_above_and_drops_below(tmp_path: Path) -> None:
    root = project(tmp_path, **{"migrations/002_b.sql": "select 2;", "migrations/001_a.sql": TERN})
    history = the_history(root)

    assert (history.layout, order(history)) == ("tern", ["001_a.sql", "002_b.sql"])
    assert sent(history, UP) == {"001": ["create table a (id int);"], "002": ["select 2;"]}
    assert sent(history, DOWN) == {"001": ["drop table a;"], "002": []}
    assert set(modes(history).values()) == {"transaction"}


def test_tern_conf_tells_the_layout_and_disable_tx_opts_out(tmp_path: Path) -> None:
    text = "---- tern: disable-tx ----\nVACUUM;\nVACUUM;\n"
    history = the_history(project(tmp_path, "migrations/tern.conf", **{"migrations/1_a.sql": text}))

    assert history.layout == "tern"
    assert history.migrations[0].read().manner == Manner(
        TransactionMode.AUTOCOMMIT, "---- tern: disable-tx ---- in line 1"
    )
    assert sent(history) == {"1": ["VACUUM", "VACUUM"]}


def test_tern_s_templates_get_values_or_are_refused(tmp_path: Path) -> None:
    root = one_file(tmp_path, TERN.replace("table a", "table {{.prefix}}a"))
    (history,) = find_histories(root, [root], placeholders={"prefix": "my_"})

    assert sent(history) == {"1": ["create table my_a (id int);"]}
    assert refusal(the_history(root)).startswith("no value for the placeholder {{.prefix}} (line 1); ")
    (tmp_path / "migrations/1_a.sql").write_text(f'\n{{{{ template "shared/x.sql" . }}}}\n{TERN}')
    assert refusal(the_history(root)).startswith("line 2 has a template, which tern alone can fill in; ")


def test_tern_refuses_a_file_without_sql_above(tmp_path: Path) -> None:
    text = "-- nothing\n---- create above / drop below ----\nselect 1;\n"

    assert refusal(the_history(one_file(tmp_path, text))).startswith("tern refuses a file without SQL above ")


# -- MyBatis Migrations ------------------------------------------------------------------------------------


def test_mybatis_s_scripts_are_found_beside_its_environments(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "db/environments/development.properties",
        "db/scripts/bootstrap.sql",
        **{
            "db/scripts/20090807221754_create_changelog.sql": (
                "-- // Create Changelog\nCREATE TABLE ${changelog} (id int);\n-- //@UNDO\nDROP TABLE ${changelog};\n"
            ),
        },
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("mybatis", "db/scripts")
    assert sent(history, UP) == {
        "20090807221754": ["-- // Create Changelog\nCREATE TABLE CHANGELOG (id int);"]
    }
    assert sent(history, DOWN) == {"20090807221754": ["-- //@UNDO\nDROP TABLE CHANGELOG;"]}
    assert remarks(history) == {"bootstrap.sql": "not migrations in this layout"}


def test_mybatis_s_undo_tells_the_layout(tmp_path: Path) -> None:
    history = the_history(one_file(tmp_path, "SELECT 1;\n--//@UNDO\nSELECT '${x}';\n"))

    assert (history.layout, sent(history)) == ("mybatis", {"1": ["SELECT 1;"]})


# -- Play's evolutions -------------------------------------------------------------------------------------

EVOLUTION = "# Users schema\n\n# --- !Ups\nCREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\n\n# --- !Downs\nDROP TABLE a;\n"


def test_play_reads_until_a_number_is_missing(tmp_path: Path) -> None:
    folder = "conf/evolutions/default"
    root = project(tmp_path, **{f"{folder}/{name}.sql": EVOLUTION for name in (1, 2, "03", 5)})
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("play", folder)
    assert order(history) == ["1.sql", "2.sql", "03.sql"]
    assert remarks(history) == {"5.sql": "behind the gap at 4.sql, where Play stops reading"}
    assert set(modes(history).values()) == {"autocommit"}


def test_play_cuts_at_semicolons_but_not_at_two(tmp_path: Path) -> None:
    text = (
        "-- !Ups\r\nCREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1;; END;; $$ LANGUAGE plpgsql;\r\nSELECT ';';\r\n"
        "-- !Downs\r\nDROP FUNCTION f();\r\n"
    )
    history = the_history(project(tmp_path, **{"migrations/1.sql": text}))

    assert sent(history, UP) == {
        "1": [
            "CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1;  END;  $$ LANGUAGE plpgsql;",
            "SELECT ';",
            "';",
        ]
    }
    assert sent(history, DOWN) == {"1": ["DROP FUNCTION f();"]}


def test_play_sends_nothing_of_a_file_without_ups(tmp_path: Path) -> None:
    history = the_history(project(tmp_path, **{"migrations/1.sql": "-- !Downs\nDROP TABLE a;\n"}))

    assert sent(history) == {"1": []}


# -- others ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "up", "down"),
    [
        ("-- UP\nSELECT 1;\n-- DOWN\nSELECT 2;\n", ["SELECT 1;"], ["SELECT 2;"]),
        ("\ufeff-- Up\r\nSELECT 1;\r\n-- Down\r\nSELECT 2;\r\n", ["SELECT 1;"], ["SELECT 2;"]),
        ("--- +++ UP +++\nSELECT 1;\n--- --- DOWN ---\nSELECT 2;\n", ["SELECT 1;"], ["SELECT 2;"]),
        ("-- @down\nSELECT 2;\n-- @up\nSELECT 1;\n", ["SELECT 1;"], ["SELECT 2;"]),
        ("-- rambler up\nSELECT 1;\n-- rambler down\nSELECT 2;\n", ["SELECT 1;"], ["SELECT 2;"]),
        ("SET a.b = 1;\n-- [up]\nSELECT 1;\n-- [down]\n", ["SET a.b = 1;", "SELECT 1;"], []),
        ("SELECT 1;\n-- DOWN\nSELECT 2;\n", ["SELECT 1;"], ["SELECT 2;"]),
    ],
)
def test_sections_are_found_however_they_are_written(
    tmp_path: Path, text: str, up: list[str], down: list[str]
) -> None:
    history = the_history(one_file(tmp_path, text))
    found = {
        direction: [
            " ".join(one.split()) for message in sent(history, direction)["1"] for one in _statements(message)
        ]
        for direction in Direction
    }

    assert history.layout == "sections"
    assert found == {UP: up, DOWN: down}


def _statements(message: str) -> list[str]:
    lines = (
        line for line in message.splitlines() if line.strip() and not line.lstrip("\ufeff").startswith("--")
    )
    return list(lines)


@pytest.mark.parametrize(
    "text", ["-- up to here\nSELECT 1;\n", "-- update\nSELECT 1;\n", "SELECT '\n-- x: down with it\n';\n"]
)
def test_a_comment_that_says_more_is_no_section(tmp_path: Path, text: str) -> None:
    assert the_history(one_file(tmp_path, text)).layout == "flat"


def test_a_file_of_sections_may_opt_out_of_the_transaction(tmp_path: Path) -> None:
    history = the_history(one_file(tmp_path, "-- no-transaction\n-- UP\nVACUUM;\n-- DOWN\n"))

    assert modes(history) == {"1": "autocommit"}
