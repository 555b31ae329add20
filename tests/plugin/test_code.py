"""Functions, triggers and views in a whole run, in which the files after one and the migrations' role count."""

from tests.plugin.conftest import Project, settings


def test_a_function_before_its_table_is_a_warning_and_a_role_that_is_no_superuser_asks_too(
    project: Project,
) -> None:
    project.write(
        settings('role = "shop owner"\nprelude = "prelude.sql"'),
        {
            "prelude.sql": (
                'create role "shop owner"; create role app; create schema closed; create table closed.t (id int);\n'
                'grant create on schema closed to "shop owner";\n'
            ),
            "migrations/0001_early.sql": (
                "create function total() returns bigint language plpgsql as 'begin return (select count(*) from orders); end';\n"
                "create function touch() returns trigger language plpgsql as 'begin new.changed_at := now(); return new; end';\n"
                "create function inside() returns bigint language plpgsql as 'begin return (select count(*) from closed.t); end';\n"
                "create table users (id int);\n"
                "create trigger touch before update on users for each row execute function touch();\n"
            ),
            "migrations/0002_orders.sql": (
                "create table orders (id int, note text);\n"
                "create view notes as select note from orders;\n"
                "grant select on notes to app, public;\n"
                "alter table users add changed_at timestamptz;\n"
                "create function closed.hidden() returns int language sql as 'select 1';\n"
            ),
            "migrations/0003_gone.sql": (
                "drop view notes;\nalter table users drop changed_at;\n"
                "-- nobody is told of it a second time\nalter table orders rename to bestellungen;\n"
            ),
        },
    )
    run = project.run()

    assert run.verdicts == {
        "migrations/0001_early.sql": "passed",
        "migrations/0002_orders.sql": "passed",
        "migrations/0003_gone.sql": "failed",
    }
    found = {
        (one["path"], one["line"], one["rule"], one["severity"])
        for migration in run.report["migrations"]
        for one in migration["findings"]
        if one["rule"].startswith("broken-")
    }
    assert found == {
        ("migrations/0001_early.sql", 1, "broken-function", "warning"),
        # Where the body is that lacks the column, not where the trigger is made.
        ("migrations/0001_early.sql", 2, "broken-trigger", "warning"),
        ("migrations/0003_gone.sql", 2, "broken-trigger", "error"),
        ("migrations/0003_gone.sql", 4, "broken-function", "error"),
    }
    early = run.report["migrations"][0]["findings"]
    assert "migrations/0002_orders.sql:1 creates the table orders later" in str(early)
    assert "migrations/0002_orders.sql:4 creates the column users.changed_at later" in str(early)
