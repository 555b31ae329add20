"""A small project with Flyway, as it is, on a real server."""

from tests.plugin.conftest import Project

SHOP = {
    "flyway.conf": "flyway.locations=filesystem:db/migration\nflyway.placeholders.reader=shop_reader\n",
    "db/migration/beforeMigrate.sql": "SET LOCAL lock_timeout = '5s';\n",
    "db/migration/V1__types_and_tables.sql": (
        "CREATE TYPE status AS ENUM ('new', 'paid');\n"
        "CREATE TABLE orders (id bigint PRIMARY KEY, status status NOT NULL, changed_at timestamptz);\n"
        "COPY orders (id, status) FROM STDIN;\n1\tnew\n2\tpaid\n\\.\n"
    ),
    "db/migration/V1.1__touch.sql": (
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\n"
        "BEGIN\n  NEW.changed_at := now();\n  RETURN NEW;\nEND;\n$$;\n"
        "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();\n"
        "UPDATE orders SET status = 'paid' WHERE id = 1;\n"
    ),
    "db/migration/2024/V10__readers.sql": "CREATE ROLE ${reader};\nGRANT SELECT ON orders TO ${reader};\n",
    "db/migration/2024/V2__index.sql": "CREATE INDEX CONCURRENTLY orders_by_status ON orders (status);\n",
    "db/migration/R__paid.sql": "CREATE OR REPLACE VIEW paid AS SELECT id FROM orders WHERE status = 'paid';\n",
    "db/migration/U2__index.sql": "DROP INDEX orders_by_status;\n",
}


def test_a_project_passes_in_flyways_order(project: Project) -> None:
    project.write(SHOP)
    run = project.run()

    assert run.counts == {"passed": 6}
    assert [path.removeprefix("db/migration/") for path in run.verdicts] == [
        "beforeMigrate.sql",
        "V1__types_and_tables.sql",
        "V1.1__touch.sql",
        "2024/V2__index.sql",
        "2024/V10__readers.sql",
        "R__paid.sql",
    ]
    assert "flyway" in run.text


def test_what_flyway_would_refuse_fails(project: Project) -> None:
    project.write(
        SHOP,
        {
            "db/migration/V11__mixed.sql": (
                "ALTER TABLE orders ADD COLUMN total int;\nCREATE INDEX CONCURRENTLY by_total ON orders (total);\n"
            ),
        },
    )
    run = project.run()

    assert run.verdicts["db/migration/V11__mixed.sql"] == "failed"
    assert run.verdicts["db/migration/R__paid.sql"] == "blocked"
    assert (
        "Flyway refuses the file: CREATE INDEX CONCURRENTLY by_total ON orders (total) (line 2)" in run.text
    )


def test_a_concurrent_rebuild_that_flyway_does_not_know_fails_as_in_production(project: Project) -> None:
    project.write(SHOP, {"db/migration/V11__rebuild.sql": "REINDEX INDEX CONCURRENTLY orders_by_status;\n"})
    run = project.run()

    assert run.verdicts["db/migration/V11__rebuild.sql"] == "failed"
    assert "REINDEX CONCURRENTLY cannot run inside a transaction block" in run.text
    assert "executeInTransaction=false in `<file>.conf` beside it" in run.text


def test_a_placeholder_without_a_value_fails_at_its_line(project: Project) -> None:
    project.write(SHOP, {"db/migration/V11__grant.sql": "GRANT SELECT ON orders\n  TO ${nobody};\n"})
    run = project.run()

    assert run.verdicts["db/migration/V11__grant.sql"] == "failed"
    assert "no value for the placeholder ${nobody} (line 2)" in run.text
