"""Sqitch's changes come in the order of the plan, and their scripts go through psql."""

from pathlib import Path

import pytest

from pytest_migsafe.errors import SettingsError
from pytest_migsafe.migrations.discovery import find_histories
from pytest_migsafe.migrations.model import Manner, TransactionMode
from tests.migrations.projects import downs, order, project, the_history

PLAN = """\
%syntax-version=1.0.0
%project=shop
%uri=https://example.org/shop

# The first release.
roles 2024-01-01T10:00:00Z Ann <ann@example.org> # Who may do what.
users [roles] 2024-01-02T10:00:00Z Ann <ann@example.org> # Users
@v1.0 2024-01-03T10:00:00Z Ann <ann@example.org> # Released.

+schema/orders   [users users@v1.0 @HEAD^ !legacy other:thing] 2024-01-04T10:00:00Z Bob <bob@example.org> # Orders
users [users@v1.0] 2024-01-05T10:00:00Z Bob <bob@example.org> # Longer names.
"""


def shop(root: Path, plan: str = PLAN, **files: str) -> Path:
    return project(
        root,
        "deploy/roles.sql",
        "deploy/users.sql",
        "deploy/users@v1.0.sql",
        "deploy/schema/orders.sql",
        "revert/users@v1.0.sql",
        "revert/users.sql",
        "verify/users.sql",
        **{"sqitch.plan": plan},
        **files,
    )


def test_the_plan_is_the_order_and_a_reworked_change_has_two_scripts(tmp_path: Path) -> None:
    history = the_history(shop(tmp_path))

    assert (history.layout, history.relative_root) == ("sqitch", ".")
    assert order(history) == [
        "deploy/roles.sql",
        "deploy/users@v1.0.sql",
        "deploy/schema/orders.sql",
        "deploy/users.sql",
    ]
    assert [one.id for one in history.migrations] == ["roles", "users@v1.0", "schema/orders", "users"]
    assert downs(history) == {
        "roles": None,
        "users@v1.0": "revert/users@v1.0.sql",
        "schema/orders": None,
        "users": "revert/users.sql",
    }
    assert [one.text for one in history.remarks] == [
        "other Sqitch projects must have been deployed, so name a prelude: other:thing"
    ]


def test_psql_gives_each_statement_its_own_transaction_but_for_the_scripts_own(tmp_path: Path) -> None:
    root = shop(tmp_path, **{"deploy/roles.sql": "\\set ON_ERROR_STOP on\nBEGIN;\nSELECT 1;\nCOMMIT;\n"})
    script = the_history(root).migrations[0].read()

    assert script.manner == Manner(
        TransactionMode.AUTOCOMMIT, "Sqitch runs the script with psql, which opens no transaction of its own"
    )
    assert script.has_transaction_pair
    assert [one.text for one in script.body] == ["SELECT 1"]


def test_the_configuration_names_folders_and_variables(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        **{
            "sqitch.conf": (
                "# ours\n[core]\n\tengine = pg\n\ttop_dir = db/shop\n\tdeploy_dir = db/up ; not deploy\n"
                '[deploy "variables"]\n\towner = "ann"\n'
            ),
            "db/shop/sqitch.plan": "%project=shop\nusers 2024-01-02T10:00:00Z Ann <ann@example.org>\n",
            "db/up/users.sql": 'ALTER TABLE t OWNER TO :"owner";',
        },
    )
    history = the_history(root)

    (migration,) = history.migrations
    assert (migration.path, migration.relative_path) == (root / "db/up/users.sql", "db/up/users.sql")
    assert migration.read().statements[0].text == 'ALTER TABLE t OWNER TO "ann"'


def test_a_script_that_the_plan_does_not_name_is_reported(tmp_path: Path) -> None:
    history = the_history(shop(tmp_path, **{"deploy/forgotten.sql": "SELECT 1;"}))

    assert [(one.path, one.text) for one in history.remarks] == [
        ("deploy/forgotten.sql", "deploy scripts that sqitch.plan does not name, so not deployed"),
        ("", "other Sqitch projects must have been deployed, so name a prelude: other:thing"),
    ]


def test_a_project_inside_another_is_a_history_of_its_own(tmp_path: Path) -> None:
    shop(tmp_path)
    project(
        tmp_path / "base", "deploy/users.sql", **{"sqitch.plan": "%project=base\nusers 2024 Ann <a@b.c>\n"}
    )

    found = find_histories(tmp_path, [tmp_path])

    assert [(one.relative_root, order(one)) for one in found][1:] == [("base", ["deploy/users.sql"])]
    assert found[0].relative_root == "."


def test_what_other_projects_must_have_deployed_is_said(tmp_path: Path) -> None:
    plan = "%project=shop\nroles [base:users other:x@v1 !gone:y]\nusers [shop:roles base:users]\n"
    history = the_history(project(tmp_path, "deploy/roles.sql", "deploy/users.sql", **{"sqitch.plan": plan}))

    assert [(one.path, one.text) for one in history.remarks] == [
        ("", "other Sqitch projects must have been deployed, so name a prelude: base:users, other:x@v1")
    ]


def test_psqls_own_variables_are_known(tmp_path: Path) -> None:
    sql = 'GRANT CONNECT ON DATABASE :"DBNAME" TO :"USER";'
    migration = the_history(shop(tmp_path, **{"deploy/roles.sql": sql})).migrations[0]

    script = migration.read(database="shop", role="ann")

    assert script.statements[0].text == 'GRANT CONNECT ON DATABASE "shop" TO "ann"'


def test_a_project_for_another_engine_is_none_of_ours(tmp_path: Path) -> None:
    root = shop(tmp_path, **{"sqitch.conf": "[core]\n\tengine = mysql\n"})
    with pytest.raises(ValueError, match="not enough values"):
        the_history(root)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "gone 2024-01-09T10:00:00Z A <a@b.c>",
            "the change gone has no deploy script; write deploy/gone.sql or",
        ),
        ("x [nope] 2024-01-09T10:00:00Z A <a@b.c>", "x requires nope, which is not planned before it"),
        (
            "users 2024-01-09T10:00:00Z A <a@b.c>",
            "users is planned in line 11 already; a change can be reworked",
        ),
        (
            "-users 2024-01-09T10:00:00Z A <a@b.c>",
            "-users takes a change back, which a rehearsal cannot follow",
        ),
        ("[oops", "'[oops' is neither a change nor a tag"),
    ],
)
def test_a_plan_that_is_not_sound_ends_the_search(tmp_path: Path, line: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        the_history(shop(tmp_path, f"{PLAN}{line}\n"))
    assert str(refused.value).startswith(f"{tmp_path / 'sqitch.plan'}, line 12: {problem}")


def test_a_script_named_on_the_command_line_stands_for_the_whole_plan(tmp_path: Path) -> None:
    root = shop(tmp_path)

    assert len(the_history(root, root / "deploy/schema/orders.sql").migrations) == 4
    assert len(the_history(root, root / "deploy").migrations) == 4
