"""Small projects with sqlx, golang-migrate and Prisma, as they are, on a real server."""

import pytest

from tests.plugin.conftest import Project

TABLE = "CREATE TYPE status AS ENUM ('new', 'paid');\nCREATE TABLE orders (id bigint PRIMARY KEY, status status NOT NULL);\n"
TOUCH = (
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  RETURN NEW;\nEND;\n$$;\n"
    "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();\n"
)
INDEX = "CREATE INDEX CONCURRENTLY orders_by_status ON orders (status);\n"
SQLX = {
    "Cargo.toml": '[dependencies]\nsqlx = "0.8"\n',
    "migrations/20240101000000_orders.up.sql": TABLE,
    "migrations/20240102000000_touch.sql": TOUCH,
    "migrations/20240103000000_index.up.sql": f"-- no-transaction\n{INDEX}",
}
DOWNS = {
    "migrations/20240101000000_orders.down.sql": "DROP TABLE orders;\nDROP TYPE status;\n",
    "migrations/20240103000000_index.down.sql": "DROP INDEX orders_by_status;\n",
}


def test_a_project_with_sqlx_passes(project: Project) -> None:
    project.write(SQLX, DOWNS)
    run = project.run()

    assert list(run.verdicts) == [name for name in SQLX if name.endswith(".sql")]
    assert run.counts == {"passed": 3}
    assert "3 migrations in migrations (sqlx layout)" in run.text


def test_two_statements_that_opt_out_fail_with_sqlx(project: Project) -> None:
    name = "migrations/20240104000000_two.sql"
    project.write(SQLX, DOWNS, {name: f"-- no-transaction\nDROP INDEX orders_by_status;\n{INDEX}"})
    run = project.run()

    assert run.verdicts[name] == "failed"
    assert (
        "PostgreSQL runs what comes in one query as one transaction (-- no-transaction in line 1; sqlx "
        in run.text
    )


def test_an_opt_out_that_sqlx_does_not_see_fails(project: Project) -> None:
    name = "migrations/20240104000000_late.sql"
    index = INDEX.replace("orders_by_status", "other")
    project.write(SQLX, DOWNS, {name: f"-- an index\n-- no-transaction\n{index}"})
    run = project.run()

    assert run.verdicts[name] == "failed"
    assert "it does not see -- no-transaction in line 2, only as the first characters" in run.text


def test_a_project_with_golang_migrate_passes(project: Project) -> None:
    files = {
        "db/migrations/000001_orders.up.sql": f"BEGIN;\n{TABLE}COMMIT;\n",
        "db/migrations/000002_touch.up.pgsql": TOUCH,
        "db/migrations/000010_index.up.sql": INDEX,
    }
    project.write(files, {"db/migrations/000002_touch.down.pgsql": "DROP FUNCTION touch CASCADE;\n"})
    run = project.run()

    assert list(run.verdicts) == list(files)
    assert run.counts == {"passed": 3}


PRISMA = {
    "prisma/migrations/0_init/migration.sql": TABLE,
    "prisma/migrations/20240101000000_touch/migration.sql": TOUCH,
    "prisma/migrations/20240102000000_index/migration.sql": INDEX,
}


def test_a_project_with_prisma_passes(project: Project) -> None:
    lock = 'provider = "postgresql"\n'
    project.write(PRISMA, {"prisma/migrations/migration_lock.toml": lock, "prisma/schema.prisma": ""})
    project.write({"prisma/migrations/20240102000000_index/down.sql": "DROP INDEX orders_by_status;\n"})
    run = project.run()

    assert list(run.verdicts) == list(PRISMA)
    assert run.counts == {"passed": 3}


@pytest.mark.parametrize(("version", "outcome"), [("^7.4.0", "passed"), ("6.19.3", "failed")])
def test_prisma_s_version_decides_whether_two_indexes_can_be_built_concurrently(
    project: Project, version: str, outcome: str
) -> None:
    two = "CREATE INDEX CONCURRENTLY a ON orders (id);\n-- CreateIndex\nCREATE INDEX CONCURRENTLY b ON orders (id);\n"
    project.write(PRISMA, {"prisma/migrations/20240103000000_two/migration.sql": two})
    project.write({"package.json": f'{{"devDependencies": {{"prisma": "{version}"}}}}'})
    run = project.run()

    assert run.verdicts["prisma/migrations/20240103000000_two/migration.sql"] == outcome


def test_a_project_with_prisma_for_another_database_is_told_so(project: Project) -> None:
    project.write(PRISMA, {"prisma/migrations/migration_lock.toml": 'provider = "sqlite"\n'})
    run = project.run()

    assert run.counts == {"failed": 1, "blocked": 2}
    assert 'migration_lock.toml says provider = "sqlite": these migrations are not for PostgreSQL' in run.text
