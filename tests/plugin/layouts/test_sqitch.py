"""A small project with Sqitch, as it is, on a real server."""

from tests.plugin.conftest import Project

FLIPR = {
    "sqitch.conf": "[core]\n\tengine = pg\n",
    "sqitch.plan": (
        "%syntax-version=1.0.0\n%project=flipr\n\n"
        "appschema 2024-01-01T10:00:00Z Ann <ann@example.org> # The schema.\n"
        "users [appschema] 2024-01-02T10:00:00Z Ann <ann@example.org> # Who tweets.\n"
        "insert_user [users] 2024-01-03T10:00:00Z Ann <ann@example.org>\n"
        "@v1.0.0 2024-01-04T10:00:00Z Ann <ann@example.org>\n\n"
        "insert_user [insert_user@v1.0.0] 2024-01-05T10:00:00Z Ann <ann@example.org> # Better.\n"
        "users_index 2024-01-06T10:00:00Z Ann <ann@example.org>\n"
    ),
    "deploy/appschema.sql": "-- Deploy flipr:appschema to pg\n\nBEGIN;\n\nCREATE SCHEMA flipr;\n\nCOMMIT;\n",
    "deploy/users.sql": (
        "-- Deploy flipr:users to pg\n-- requires: appschema\n\nBEGIN;\n\nSET client_min_messages = 'warning';\n\n"
        "CREATE TABLE flipr.users (nickname TEXT PRIMARY KEY, password TEXT NOT NULL);\n\nCOMMIT;\n"
    ),
    "deploy/insert_user@v1.0.0.sql": (
        "BEGIN;\nCREATE FUNCTION flipr.insert_user(nickname TEXT, password TEXT) RETURNS void LANGUAGE sql AS $$\n"
        "    INSERT INTO flipr.users VALUES ($1, md5($2));\n$$;\nCOMMIT;\n"
    ),
    "deploy/insert_user.sql": (
        "BEGIN;\nCREATE OR REPLACE FUNCTION flipr.insert_user(nickname TEXT, password TEXT) RETURNS void\n"
        "LANGUAGE sql AS $$\n    INSERT INTO flipr.users VALUES ($1, sha256($2::bytea)::text);\n$$;\nCOMMIT;\n"
    ),
    "deploy/users_index.sql": "CREATE INDEX CONCURRENTLY users_by_password ON flipr.users (password);\n",
    "revert/appschema.sql": "BEGIN;\nDROP SCHEMA flipr;\nCOMMIT;\n",
    "verify/appschema.sql": "BEGIN;\nSELECT pg_catalog.has_schema_privilege('flipr', 'usage');\nROLLBACK;\n",
}


def test_a_project_passes_in_the_order_of_its_plan(project: Project) -> None:
    project.write(FLIPR)
    run = project.run()

    assert run.counts == {"passed": 5}
    assert [path.removeprefix("deploy/") for path in run.verdicts] == [
        "appschema.sql",
        "users.sql",
        "insert_user@v1.0.0.sql",
        "insert_user.sql",
        "users_index.sql",
    ]
    # BEGIN and COMMIT are Sqitch's convention, and what a script sets ends with its psql: nothing to report.
    assert [finding for one in run.report["migrations"] for finding in one["findings"]] == []


def test_a_script_without_begin_leaves_its_first_half(project: Project) -> None:
    project.write(
        FLIPR, {"deploy/users.sql": "CREATE TABLE flipr.users (x int);\nCREATE TABLE nope.x (y int);\n"}
    )
    run = project.run()

    assert run.verdicts["deploy/users.sql"] == "failed"
    assert "this stayed, for the file is not one transaction: table flipr.users added" in run.text


def test_a_change_without_its_script_ends_the_run_with_the_line_of_the_plan(project: Project) -> None:
    project.write(FLIPR)
    (project.path / "deploy/users.sql").unlink()
    run = project.run()

    assert run.exit_code == 4
    assert "sqitch.plan, line 5: the change users has no deploy script; write deploy/users.sql" in run.errors


def test_a_script_may_name_the_database_that_psql_is_connected_to(project: Project) -> None:
    project.write(
        FLIPR,
        {"deploy/users_index.sql": 'BEGIN;\nREVOKE CONNECT ON DATABASE :"DBNAME" FROM PUBLIC;\nCOMMIT;\n'},
    )
    run = project.run()

    assert run.counts == {"passed": 5}
