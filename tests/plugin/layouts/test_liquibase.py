"""A small project with Liquibase, as it is, on a real server."""

from tests.plugin.conftest import Project

HEADER = "--liquibase formatted sql\n"
SHOP = {
    "src/main/resources/db/changelog/db.changelog-master.yaml": (
        "databaseChangeLog:\n  - include:\n      file: db/changelog/changes/tables.sql\n"
        "  - include:\n      file: db/changelog/changes/functions.sql\n"
        "  - include:\n      file: changes/index.sql\n      relativeToChangelogFile: true\n"
    ),
    "src/main/resources/db/changelog/changes/tables.sql": (
        f"{HEADER}\n--changeset ann:types\nCREATE TYPE status AS ENUM ('new', 'paid');\n--rollback DROP TYPE status;\n\n"
        "--changeset ann:orders dbms:postgresql\n"
        "CREATE TABLE orders (id bigint PRIMARY KEY, status status NOT NULL DEFAULT 'new', changed_at timestamptz);\n"
        "INSERT INTO orders (id) VALUES (1), (2);\n--rollback DROP TABLE orders;\n\n"
        "--changeset ann:orders-mysql dbms:mysql\nCREATE TABLE `orders` (id INT AUTO_INCREMENT);\n"
    ),
    "src/main/resources/db/changelog/changes/functions.sql": (
        f"{HEADER}\n--changeset bob:touch splitStatements:false\n"
        "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\nDECLARE\n  at timestamptz := now();\nBEGIN\n"
        "  IF NEW.status = 'paid' THEN\n    NEW.changed_at := at;\n  END IF;\n  RETURN NEW;\nEND;\n$$;\n"
        "--rollback DROP FUNCTION touch();\n\n"
        "--changeset bob:trigger\n"
        "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();\n"
    ),
    "src/main/resources/db/changelog/changes/index.sql": (
        f"{HEADER}\n--changeset ann:index runInTransaction:false\n"
        "CREATE INDEX CONCURRENTLY orders_by_status ON orders (status);\n--rollback DROP INDEX orders_by_status;\n"
    ),
}
CHANGES = "src/main/resources/db/changelog/changes"


def test_a_project_passes_in_the_order_of_its_changelog(project: Project) -> None:
    project.write(SHOP)
    run = project.run()

    assert run.counts == {"passed": 3}
    assert list(run.verdicts) == [f"{CHANGES}/{name}.sql" for name in ("tables", "functions", "index")]


def test_a_changeset_with_an_index_made_concurrently_needs_to_opt_out(project: Project) -> None:
    index = SHOP[f"{CHANGES}/index.sql"].replace(" runInTransaction:false", "")
    project.write(SHOP, {f"{CHANGES}/index.sql": index})
    run = project.run()

    assert run.verdicts[f"{CHANGES}/index.sql"] == "failed"
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" in run.text
    assert "runInTransaction:false on the line of a changeset" in run.text


def test_a_function_that_liquibase_cuts_to_pieces_fails_and_the_way_out_is_named(project: Project) -> None:
    functions = SHOP[f"{CHANGES}/functions.sql"].replace(" splitStatements:false", "")
    project.write(SHOP, {f"{CHANGES}/functions.sql": functions})
    run = project.run()

    assert run.verdicts[f"{CHANGES}/functions.sql"] == "failed"
    assert "unterminated dollar-quoted string" in run.text
    assert "add splitStatements:false to the --changeset line" in run.text


def test_changesets_before_the_failing_one_stay_applied(project: Project) -> None:
    project.write(
        SHOP, {f"{CHANGES}/tables.sql": f"{SHOP[f'{CHANGES}/tables.sql']}--changeset ann:x\nSELEC 1;\n"}
    )
    run = project.run()

    assert run.verdicts[f"{CHANGES}/tables.sql"] == "failed"
    assert "this stayed, for the file is not one transaction" in run.text
