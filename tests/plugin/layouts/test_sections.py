"""Small projects of runners with both directions in a file, as they are, on a real server."""

import pytest

from tests.plugin.conftest import Project

TABLE = "CREATE TYPE status AS ENUM ('new', 'paid');\nCREATE TABLE orders (\n  id bigint PRIMARY KEY,\n  status status NOT NULL\n);\n"
TOUCH = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$\nBEGIN\n  NEW.changed_at := now();\n  RETURN NEW;\nEND;\n$$;\n"
TRIGGER = (
    "ALTER TABLE orders ADD COLUMN changed_at timestamptz;\n"
    "CREATE TRIGGER touch BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();\n"
)
INDEX = "CREATE INDEX CONCURRENTLY orders_by_status ON orders (status);\n"
SECOND_INDEX = "CREATE INDEX CONCURRENTLY orders_by_change ON orders (changed_at);\n"
DROP_INDEX = "DROP INDEX orders_by_status;\n"


# -- dbmate ------------------------------------------------------------------------------------------------

DBMATE = {
    "db/migrations/20240101000000_orders.sql": f"-- migrate:up\n{TABLE}\n-- migrate:down\nDROP TABLE orders;\nDROP TYPE status;\n",
    "db/migrations/20240102000000_touch.sql": f"-- migrate:up\n{TOUCH}{TRIGGER}\n-- migrate:down\nDROP FUNCTION touch CASCADE;\n",
    "db/migrations/20240103000000_paid.sql": (
        "-- migrate:up\nINSERT INTO orders (id, status) VALUES (1, 'new');\nUPDATE orders SET status = 'paid' WHERE id = 1;\n"
        "-- migrate:down\nDELETE FROM orders;\n"
    ),
    "db/migrations/20240104000000_index.sql": f"-- migrate:up transaction:false\n{INDEX}\n-- migrate:down\n{DROP_INDEX}",
}


def test_a_project_with_dbmate_passes(project: Project) -> None:
    project.write(DBMATE, {"db/schema.sql": "-- dumped by dbmate\n"})
    run = project.run()

    assert run.counts == {"passed": 4}
    assert list(run.verdicts) == list(DBMATE)
    assert "4 migrations in db/migrations (dbmate layout)" in run.text


def test_two_concurrent_indexes_in_a_file_fail_with_dbmate(project: Project) -> None:
    name = "db/migrations/20240105000000_two.sql"
    text = f"-- migrate:up transaction:false\n{DROP_INDEX}{INDEX}\n-- migrate:down\n"
    project.write(DBMATE, {name: text})
    run = project.run()

    assert run.verdicts[name] == "failed"
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" in run.text
    assert (
        "PostgreSQL runs what comes in one query as one transaction (transaction:false in line 1; "
        in run.text
    )


def test_a_concurrent_index_without_transaction_false_is_told_the_way_of_dbmate(project: Project) -> None:
    project.write(
        DBMATE, {"db/migrations/20240105000000_a.sql": f"-- migrate:up\n{SECOND_INDEX}-- migrate:down\n"}
    )
    run = project.run()

    assert run.counts == {"passed": 4, "failed": 1}
    assert "of its own that runs without one: `-- migrate:up transaction:false`." in run.text


# -- goose and sql-migrate ---------------------------------------------------------------------------------


def block(runner: str, text: str) -> str:
    return f"-- +{runner} StatementBegin\n{text}-- +{runner} StatementEnd\n"


GOOSE = {
    "migrations/00001_orders.sql": f"-- +goose Up\n{TABLE}\n-- +goose Down\nDROP TABLE orders;\nDROP TYPE status;\n",
    "migrations/00002_touch.sql": f"-- +goose Up\n{block('goose', TOUCH)}{TRIGGER}\n-- +goose Down\nDROP FUNCTION touch CASCADE;\n",
    "migrations/00003_program.go": "package migrations\n",
    "migrations/20240104000000_index.sql": f"-- +goose NO TRANSACTION\n-- +goose Up\n{INDEX}{SECOND_INDEX}-- +goose Down\n{DROP_INDEX}",
    "migrations/20240105000000_reader.sql": (
        "-- +goose ENVSUB ON\n-- +goose Up\nCREATE ROLE ${MIGSAFE_TEST_READER:-reader};\n-- +goose ENVSUB OFF\n"
    ),
}


def test_a_project_with_goose_passes(project: Project) -> None:
    project.write(GOOSE)
    run = project.run()

    assert run.counts == {"passed": 4}
    assert list(run.verdicts) == [name for name in GOOSE if name.endswith(".sql")]
    assert "00003_program.go" in run.text


def test_a_function_without_a_block_fails_with_goose_and_is_told_why(project: Project) -> None:
    project.write(GOOSE, {"migrations/00002_touch.sql": f"-- +goose Up\n{TOUCH}{TRIGGER}"})
    run = project.run()

    assert run.verdicts["migrations/00002_touch.sql"] == "failed"
    assert "unterminated dollar-quoted string" in run.text
    assert "transaction-control-in-file" not in run.text
    assert "put the whole between `-- +goose StatementBegin` and `-- +goose StatementEnd`" in run.text


def test_a_block_is_one_query_without_a_transaction_too(project: Project) -> None:
    name = "migrations/20240106000000_a.sql"
    text = block("goose", f"{DROP_INDEX}{INDEX}")
    project.write(GOOSE, {name: f"-- +goose NO TRANSACTION\n-- +goose Up\n{text}"})
    run = project.run()

    assert run.verdicts[name] == "failed"
    assert "CREATE INDEX CONCURRENTLY cannot run inside a transaction block" in run.text


def test_a_variable_without_a_value_is_named(project: Project) -> None:
    name = "migrations/20240106000000_a.sql"
    project.write(GOOSE, {name: "-- +goose Up\n-- +goose ENVSUB ON\nDROP ROLE $MIGSAFE_TEST_NONE;\n"})

    assert "no value for the placeholder $MIGSAFE_TEST_NONE (line 3)" in project.run().text


def test_a_project_with_sql_migrate_passes(project: Project) -> None:
    project.write(
        {
            "migrations/1_orders.sql": f"-- +migrate Up\n{TABLE}\n-- +migrate Down\nDROP TABLE orders;\n",
            "migrations/2_touch.sql": f"-- +migrate Up\n{block('migrate', TOUCH)}{TRIGGER}-- +migrate Down\n",
            "migrations/10_index.sql": f"-- +migrate Up notransaction\n{INDEX}{SECOND_INDEX}-- +migrate Down notransaction\n{DROP_INDEX}",
            "migrations/last.sql": "-- +migrate Up\nDROP INDEX orders_by_status;\n",
        }
    )
    run = project.run()

    assert run.counts == {"passed": 4}
    assert [path.removeprefix("migrations/") for path in run.verdicts] == [
        "1_orders.sql", "2_touch.sql", "10_index.sql", "last.sql"
    ]  # fmt: skip


# -- the others --------------------------------------------------------------------------------------------

NODE = {
    "migrations/1700000000000_orders.sql": f"-- Up Migration\n{TABLE}\n-- Down Migration\nDROP TABLE orders;\n",
    "migrations/1700000000001_touch.sql": f"-- Up Migration\n{TOUCH}{TRIGGER}\n-- Down Migration\nDROP FUNCTION touch CASCADE;\n",
    "migrations/1700000000002_refunds.sql": "-- Up Migration\nCREATE TABLE refunds (order_id bigint);\n-- Down Migration\n",
}
BETWEEN = "---- create above / drop below ----\n"
TERN = {
    "migrations/tern.conf": "[database]\n",
    "migrations/001_orders.sql": f"{TABLE}{BETWEEN}DROP TABLE orders;\n",
    "migrations/002_touch.sql": f"{TOUCH}{TRIGGER}{BETWEEN}DROP FUNCTION touch CASCADE;\n",
    "migrations/003_index.sql": f"---- tern: disable-tx ----\n{INDEX}{SECOND_INDEX}{BETWEEN}{DROP_INDEX}",
}
MYBATIS = {
    "db/environments/development.properties": "driver=org.postgresql.Driver\n",
    "db/scripts/20090807221754_create_changelog.sql": (
        "-- // Create Changelog\nCREATE TABLE ${changelog} (id numeric(20,0) NOT NULL);\n-- //@UNDO\nDROP TABLE ${changelog};\n"
    ),
    "db/scripts/20090807221755_orders.sql": f"-- // orders\n{TABLE}\n-- //@UNDO\nDROP TABLE orders;\n",
    "db/scripts/20090807221756_touch.sql": f"-- // touch\n{TOUCH}{TRIGGER}\n-- //@UNDO\nDROP FUNCTION touch CASCADE;\n",
}
PLAY = {
    "conf/evolutions/default/1.sql": f"# --- !Ups\n{TABLE}\n# --- !Downs\nDROP TABLE orders;\n",
    "conf/evolutions/default/2.sql": f"-- !Ups\n{TOUCH.replace(';', ';;')[:-2]};\n{TRIGGER}\n-- !Downs\nDROP FUNCTION touch CASCADE;\n",
    "conf/evolutions/default/3.sql": f"-- !Ups\n{INDEX}{SECOND_INDEX}\n-- !Downs\n{DROP_INDEX}",
}
SECTIONS = {
    "migrations/001_orders.sql": f"-- UP\n{TABLE}\n-- DOWN\nDROP TABLE orders;\n",
    "migrations/002_touch.sql": f"-- UP\n{TOUCH}{TRIGGER}\n-- DOWN\nDROP FUNCTION touch CASCADE;\n",
    "migrations/003_index.sql": f"-- no-transaction\n-- UP\n{INDEX}{SECOND_INDEX}\n-- DOWN\n{DROP_INDEX}",
}


@pytest.mark.parametrize(
    ("layout", "files"),
    [("node-pg-migrate", NODE), ("tern", TERN), ("mybatis", MYBATIS), ("play", PLAY), ("sections", SECTIONS)],
    ids=["node-pg-migrate", "tern", "mybatis", "play", "sections"],
)
def test_a_project_passes(project: Project, layout: str, files: dict[str, str]) -> None:
    project.write(files)
    run = project.run()

    assert list(run.verdicts) == [name for name in files if name.endswith(".sql")]
    assert run.counts == {"passed": 3}
    assert f"({layout} layout)" in run.text


def test_a_function_with_single_semicolons_fails_with_play(project: Project) -> None:
    project.write(PLAY, {"conf/evolutions/default/2.sql": f"-- !Ups\n{TOUCH}\n-- !Downs\n"})

    assert (
        "at every semicolon, in a function's body too: write two (;;) where one is meant"
        in project.run().text
    )
