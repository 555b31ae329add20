"""Supabase: roles, migrations, seeds; batches and what runs between them."""

from pathlib import Path

import pytest

from pytest_migsafe.migrations.layouts.supabase import major_version
from pytest_migsafe.migrations.model import Manner, TransactionMode
from tests.migrations.projects import order, project, remarks, sent, the_history


def migration(tmp_path: Path, text: str) -> Path:
    return project(tmp_path, **{"supabase/migrations/20240101000000_a.sql": text})


def paths(root: Path) -> list[str]:
    return [one.relative_path for one in the_history(root).migrations]


def test_timestamps_are_compared_as_text(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "supabase/migrations/20240420_a.sql",
        "supabase/migrations/20240420010000_b.sql",
        "supabase/migrations/20240419_c.sql",
        "supabase/migrations/notes.sql",
        "supabase/migrations/20240421-d.sql",
    )
    history = the_history(root)

    assert (history.layout, history.relative_root) == ("supabase", "supabase/migrations")
    assert order(history) == ["20240419_c.sql", "20240420_a.sql", "20240420010000_b.sql"]
    skipped = "skipped by Supabase's CLI, which wants <timestamp>_<name>.sql"
    assert remarks(history) == {"20240421-d.sql": skipped, "notes.sql": skipped}


@pytest.mark.parametrize(
    ("name", "is_skipped"),
    [("20211208235959_init", True), ("20211209000000_init", False), ("20211208235959_initial", False)],
)
def test_the_init_of_an_old_cli_is_skipped_if_it_is_first(
    tmp_path: Path, name: str, is_skipped: bool
) -> None:
    root = project(tmp_path, f"supabase/migrations/{name}.sql", "supabase/migrations/20220101000000_init.sql")
    history = the_history(root)

    assert order(history) == [*([] if is_skipped else [f"{name}.sql"]), "20220101000000_init.sql"]
    assert list(remarks(history)) == ([f"{name}.sql"] if is_skipped else [])


def test_roles_come_first_and_the_seed_last(tmp_path: Path) -> None:
    root = project(
        tmp_path, "supabase/roles.sql", "supabase/seed.sql", "supabase/migrations/20240101000000_a.sql"
    )
    history = the_history(root)

    assert paths(root) == [
        "supabase/roles.sql",
        "supabase/migrations/20240101000000_a.sql",
        "supabase/seed.sql",
    ]
    assert [one.id for one in history.migrations] == ["roles", "20240101000000", "seed"]


@pytest.mark.parametrize(
    ("config", "seeds"),
    [
        ("", ["supabase/seed.sql"]),
        ("[db.seed]\nenabled = true\n", ["supabase/seed.sql"]),
        ("[db.seed]\nenabled = false\n", []),
        ("[db.seed]\nsql_paths = []\n", []),
        (
            "[db.seed]\nsql_paths = ['./seeds/b.sql', './seeds/*.sql', './none.sql']\n",
            ["supabase/seeds/b.sql", "supabase/seeds/a.sql"],
        ),
        ("[db.seed]\nsql_paths = ['../data/x.sql']\n", ["data/x.sql"]),
        ("[db", ["supabase/seed.sql"]),
    ],
)
def test_the_configuration_names_the_seeds(tmp_path: Path, config: str, seeds: list[str]) -> None:
    root = project(
        tmp_path,
        "supabase/seed.sql",
        "supabase/seeds/a.sql",
        "supabase/seeds/b.sql",
        "data/x.sql",
        "supabase/migrations/20240101000000_a.sql",
        **{"supabase/config.toml": config},
    )

    assert paths(root)[1:] == seeds


def test_the_configuration_tells_the_layout_and_the_server_s_version(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        "backend/migrations/20240101000000_a.sql",
        **{"backend/config.toml": 'project_id = "shop"\n[db]\nmajor_version = 15\n'},
    )

    assert the_history(root).layout == "supabase"
    assert major_version(root / "backend/migrations") == 15
    assert major_version(root / "migrations") is None


def test_a_configuration_of_something_else_does_not(tmp_path: Path) -> None:
    root = project(tmp_path, "site/migrations/1_a.sql", **{"site/config.toml": "title = 'x'\n"})

    assert the_history(root).layout == "flat"


def test_a_file_is_a_batch_in_one_transaction(tmp_path: Path) -> None:
    text = "CREATE TABLE a (id int);\nCREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END; $$ LANGUAGE plpgsql;\n"
    history = the_history(migration(tmp_path, text))

    assert sent(history) == {"20240101000000": [text.strip()]}
    assert history.migrations[0].read().manner == Manner(
        TransactionMode.TRANSACTION, "Supabase's CLI runs the file as a batch in one transaction"
    )


def test_what_cannot_run_in_a_transaction_runs_alone_between_batches(tmp_path: Path) -> None:
    text = (
        "CREATE TABLE a (id int);\nINSERT INTO a VALUES (1);\nCREATE INDEX CONCURRENTLY i ON a (id);\nVACUUM a;\n"
        "ALTER TABLE a ADD x int;\n"
    )
    script = the_history(migration(tmp_path, text)).migrations[0].read()

    assert [(unit.mode.value, [unit.text(part) for part in unit.parts]) for unit in script.units] == [
        ("transaction", ["CREATE TABLE a (id int);\nINSERT INTO a VALUES (1)"]),
        ("autocommit", ["CREATE INDEX CONCURRENTLY i ON a (id)", "VACUUM a"]),
        ("transaction", ["ALTER TABLE a ADD x int"]),
    ]
    assert [script.position(one.start).line for one in script.statements] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        (
            "BEGIN;\nSELECT 1;\nCOMMIT;\n",
            "single-query",
            "the file has its own BEGIN and COMMIT, so the CLI adds no transaction",
        ),
        (
            "SELECT 1;\nBEGIN;\nSELECT 2;\nCOMMIT;\n",
            "autocommit",
            "the file controls its transactions itself (line 2), so the CLI sends each statement alone",
        ),
        (
            "-- pg-delta: transaction=false\r\nVACUUM;\r\n",
            "autocommit",
            "-- pg-delta: transaction=false in line 1",
        ),
        (
            "-- x\n-- pg-delta: transaction=false\nSELECT 1;\n",
            "transaction",
            "Supabase's CLI runs the file as a batch in one transaction",
        ),
    ],
)
def test_a_file_may_own_its_transactions(tmp_path: Path, text: str, mode: str, reason: str) -> None:
    manner = the_history(migration(tmp_path, text)).migrations[0].read().manner

    assert (manner.mode.value, manner.reason) == (mode, reason)


def test_liam_is_read_as_the_cli_reads_it(corpora: Path) -> None:
    history = the_history(corpora / "liam", layout="supabase")
    modes = [one.read().manner.mode.value for one in history.migrations]

    assert len(history.migrations) == 91
    assert modes.count("single-query") > 50
