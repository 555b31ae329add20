"""Every error has the explanation that people can act on: who creates what is missing, and the way out."""

import pytest

from pytest_migsafe.migrations.dialect import _NAMES, WrittenFor
from pytest_migsafe.migrations.model import TransactionMode
from pytest_migsafe.rehearsal.evidence import Evidence, LeftOut, LeftOutFor
from pytest_migsafe.rules.explain import _EXPLANATIONS, explain
from pytest_migsafe.rules.explain.dialects import _IN_POSTGRESQL
from tests.rules.evidence import created, evidence, failed, function, schema, view

EARLIER, LATER, HERE = "migrations/1_a.sql", "migrations/3_c.sql", "migrations/2_b.sql"

CASES: dict[str, tuple[Evidence, list[str]]] = {
    "42501 something that the role may not do": (
        failed("CREATE ROLE x", sqlstate="42501", message="permission denied to create role", role="shop"),
        [
            (
                "The file was run as shop. If that role may do this in production, grant it before the first migration, "
                "in a prelude ([tool.migsafe] prelude); if not, a superuser has to do it there, too."
            )
        ],
    ),
    "42501 something that another role owns": (
        failed("DROP TABLE crm.t", sqlstate="42501", message="must be owner of table t", role="shop"),
        [
            (
                "The file was run as shop, and only an object's owner, or a member of the owning role, may change it."
            )
        ],
    ),
    "08006 a subscription whose publisher is far away": (
        failed(
            "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
            sqlstate="08006",
            message='subscription "s" could not connect to the publisher: connection refused',
        ),
        [
            (
                "No publisher can be reached from a rehearsal. `WITH (connect = false)` makes the subscription without "
                "reaching for it (manual: CREATE SUBSCRIPTION)."
            )
        ],
    ),
    "42P01 a relation that a later file creates": (
        failed(
            "ALTER TABLE orders ADD x int",
            sqlstate="42P01",
            message='relation "orders" does not exist',
            creations=(created("table", "orders", LATER, 4, "later"),),
        ),
        ["migrations/3_c.sql creates it (line 4), but is applied after this file: change their order."],
    ),
    "42P01 a relation that is created further down": (
        failed(
            "INSERT INTO public.orders DEFAULT VALUES",
            sqlstate="42P01",
            message='relation "public.orders" does not exist',
            creations=(created("table", "orders", HERE, 7, "same"),),
        ),
        ["It is created further down, in line 7: move that statement above this one."],
    ),
    "42P01 a relation that was created and is gone": (
        failed(
            "DROP TABLE orders",
            sqlstate="42P01",
            message='relation "orders" does not exist',
            creations=(created("table", "orders", EARLIER, 1, "earlier"),),
        ),
        [
            (
                "migrations/1_a.sql (line 1) creates orders, but it is not there any more, or under another name or schema: "
                "look for a DROP, a RENAME or the search_path."
            )
        ],
    ),
    "42P01 a misspelt relation": (
        failed(
            "SELECT * FROM odrers",
            sqlstate="42P01",
            message='relation "odrers" does not exist',
            before=schema(view("public.invoices"), orders="id"),
        ),
        ["Did you mean orders?"],
    ),
    "42P01 a relation in another letter case": (
        failed(
            "SELECT * FROM Orders",
            sqlstate="42P01",
            message='relation "orders" does not exist',
            before=schema(**{'"Orders"': "id"}),
        ),
        [
            (
                'There is "Orders". Names without double quotes are folded to lower case (manual: Lexical Structure, '
                'Identifiers): write "Orders" in double quotes.'
            )
        ],
    ),
    "42703 a misspelt column": (
        failed(
            "UPDATE orders SET totl = 1",
            sqlstate="42703",
            message='column "totl" of relation "orders" does not exist',
            before=schema(orders="id total", people="totl_x"),
        ),
        ["Did you mean total? Columns of orders: id, total."],
    ),
    "42703 a column in another letter case": (
        failed(
            "SELECT createdAt FROM users",
            sqlstate="42703",
            message='column "createdat" does not exist',
            before=schema(users='id "createdAt"'),
        ),
        [
            (
                'There is "createdAt". Names without double quotes are folded to lower case (manual: Lexical Structure, '
                'Identifiers): write "createdAt" in double quotes.'
            )
        ],
    ),
    "42703 a column that a later file adds": (
        failed(
            "UPDATE orders SET paid = true",
            sqlstate="42703",
            message='column "paid" of relation "orders" does not exist',
            before=schema(orders="id"),
            creations=(created("column", "orders.paid", LATER, 2, "later"),),
        ),
        ["migrations/3_c.sql adds the column (line 2), but is applied after this file."],
    ),
    "42703 a column that is added further down": (
        failed(
            "UPDATE orders SET paid = true",
            sqlstate="42703",
            message='column "paid" of relation "orders" does not exist',
            before=schema(orders="id"),
            creations=(created("column", "orders.paid", HERE, 9, "same"),),
        ),
        ["The column is added further down, in line 9: move that statement up."],
    ),
    "42883 a function with other arguments": (
        failed(
            "SELECT f(1)",
            sqlstate="42883",
            message="function f(integer) does not exist",
            before=schema(function("public.f(text)")),
        ),
        ["There is public.f(text): the arguments' types do not fit; add a cast."],
    ),
    "42883 a function that a later file creates": (
        failed(
            "SELECT app.f(1)",
            sqlstate="42883",
            message="function app.f(integer) does not exist",
            creations=(created("function", "f", LATER, 1, "later"),),
        ),
        ["migrations/3_c.sql creates it (line 1), but is applied after this file: change their order."],
    ),
    "42883 a function of an extension": (
        failed(
            "CREATE TABLE t (id uuid DEFAULT uuid_generate_v4())",
            sqlstate="42883",
            message="function uuid_generate_v4() does not exist",
        ),
        ["The function belongs to the extension uuid-ossp:", 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp";'],
    ),
    "42883 a misspelt function": (
        failed(
            "SELECT touch_orderz()",
            sqlstate="42883",
            message="function touch_orderz() does not exist",
            before=schema(function("public.touch_orders()")),
        ),
        ["Did you mean touch_orders?"],
    ),
    "42704 a role": (
        failed("GRANT SELECT ON t TO app", sqlstate="42704", message='role "app" does not exist'),
        [
            (
                "A throwaway server has no roles but its own. Create the role in a migration, guarded because roles belong "
                "to the whole server:"
            ),
            "DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        ],
    ),
    "42704 a role whose creation was left out on a server that is not ours": (
        failed(
            "CREATE TABLE t (id int)",
            'GRANT SELECT ON t TO "App"',
            sqlstate="42704",
            message='role "App" does not exist',
            may_change_cluster=False,
            left_out=(
                LeftOut(
                    line=1,
                    column=1,
                    text='CREATE ROLE "App" LOGIN',
                    reason=LeftOutFor.CLUSTER,
                    changes="roles",
                ),
            ),
        ),
        [
            (
                "The statement in line 1 that creates it is left out, for the server is not ours. Where it is thrown away "
                "after the run, allow it: `cluster_wide = true` in `[tool.migsafe]`. Or create the role on the server before "
                "the run:"
            ),
            'CREATE ROLE "App";',
        ],
    ),
    "42704 a role that an earlier file may have created on a server that is not ours": (
        failed(
            "GRANT SELECT ON t TO app",
            sqlstate="42704",
            message='role "app" does not exist',
            may_change_cluster=False,
        ),
        [
            (
                "What creates roles is left out, for the server is not ours. Where it is thrown away after the run, allow it: "
                "`cluster_wide = true` in `[tool.migsafe]`. Or create the role on the server before the run:"
            ),
            "CREATE ROLE app;",
        ],
    ),
    "42704 a type that a later file creates": (
        failed(
            "CREATE TABLE t (m mood)",
            sqlstate="42704",
            message='type "mood" does not exist',
            creations=(created("type", "mood", LATER, 3, "later"),),
        ),
        ["migrations/3_c.sql creates it (line 3), but is applied after this file: change their order."],
    ),
    "42704 a type of other databases": (
        failed("CREATE TABLE t (b blob)", sqlstate="42704", message='type "blob" does not exist'),
        ["Other databases have a type blob; PostgreSQL's is bytea."],
    ),
    "42704 a collation of ICU": (
        failed(
            'CREATE TABLE t (a text COLLATE "de-x-icu")',
            sqlstate="42704",
            message='collation "de-x-icu" for encoding "UTF8" does not exist',
        ),
        [
            "Only a server that is built with ICU has collations called -x-icu, one for each locale that it knows.",
            (
                "A server that has it: apt install postgresql-18 (Debian, Ubuntu) and --migsafe-bindir "
                "/usr/lib/postgresql/18/bin, or one that runs already, such as a container: --migsafe-dsn."
            ),
        ],
    ),
    "3F000 a schema that is created further down": (
        failed(
            "CREATE TABLE app.t ()",
            sqlstate="3F000",
            message='schema "app" does not exist',
            creations=(created("schema", "app", HERE, 2, "same"),),
        ),
        ["It is created further down, in line 2: move that statement above this one."],
    ),
    "42P07 a table that an earlier file creates": (
        failed(
            "CREATE TABLE orders ()",
            sqlstate="42P07",
            message='relation "orders" already exists',
            creations=(
                created("table", "orders", EARLIER, 5, "earlier"),
                created("table", "orders", HERE, 1, "same"),
            ),
        ),
        [
            (
                "migrations/1_a.sql (line 5) creates it already: this file repeats it, or the name is used twice. Rename one, "
                "or drop this statement."
            ),
            (
                "IF NOT EXISTS would silence the error, and keep the existing object whatever it looks like: use it only where "
                "the definitions are the same."
            ),
        ],
    ),
    "42701 a column that an earlier file adds": (
        failed(
            "ALTER TABLE orders ADD COLUMN paid bool",
            sqlstate="42701",
            message='column "paid" of relation "orders" already exists',
            creations=(
                created("column", "orders.paid", EARLIER, 5, "earlier"),
                created("column", "orders.paid", HERE, 1, "same"),
            ),
        ),
        [
            "migrations/1_a.sql (line 5) adds it already. If this file may meet databases with and without the column:",
            "ALTER TABLE orders ADD COLUMN IF NOT EXISTS paid ...;",
        ],
    ),
    "42710 a policy": (
        failed(
            "CREATE POLICY p ON notes",
            sqlstate="42710",
            message='policy "p" for table "notes" already exists',
            creations=(created("policy", "p", EARLIER, 2, "earlier"),),
        ),
        [
            "migrations/1_a.sql (line 2) creates it already.",
            "There is no CREATE POLICY IF NOT EXISTS: drop it first, in the same transaction:",
            "DROP POLICY IF EXISTS p ON notes;",
        ],
    ),
    "42710 a trigger": (
        failed(
            "CREATE TRIGGER t ...",
            sqlstate="42710",
            message='trigger "t" for relation "notes" already exists',
        ),
        [
            "There is no CREATE TRIGGER IF NOT EXISTS: drop it first, in the same transaction:",
            "DROP TRIGGER IF EXISTS t ON notes;",
        ],
    ),
    "42710 a constraint": (
        failed(
            "ALTER TABLE notes ADD CONSTRAINT c CHECK (true)",
            sqlstate="42710",
            message='constraint "c" for relation "notes" already exists',
            creations=(created("constraint", "c", EARLIER, 2, "earlier"),),
        ),
        ["migrations/1_a.sql (line 2) creates it already.", "ALTER TABLE notes DROP CONSTRAINT IF EXISTS c;"],
    ),
    "42710 a role": (
        failed("CREATE ROLE app", sqlstate="42710", message='role "app" already exists'),
        [
            "Roles belong to the whole server and are there in the next database, too:",
            "DO $$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$;",
        ],
    ),
    "42710 a type": (
        failed("CREATE TYPE mood AS ENUM ()", sqlstate="42710", message='type "mood" already exists'),
        ["There is no CREATE TYPE IF NOT EXISTS: leave the statement out, or give the type another name."],
    ),
    "42P06 a schema": (
        failed(
            "CREATE SCHEMA app",
            sqlstate="42P06",
            message='schema "app" already exists',
            creations=(created("schema", "app", EARLIER, 1, "earlier"),),
        ),
        ["migrations/1_a.sql (line 1) creates it already."],
    ),
    "42601 a file for MySQL": (
        failed(
            "CREATE TABLE t (id int AUTO_INCREMENT)",
            sqlstate="42601",
            message='syntax error at or near "AUTO_INCREMENT"',
            at="AUTO_INCREMENT",
            written_for=WrittenFor(name="MySQL", mark="AUTO_INCREMENT", line=1),
        ),
        [
            "The file is written for MySQL: AUTO_INCREMENT (line 1) is not PostgreSQL's.",
            (
                'PostgreSQL quotes names with double quotes ("name"), numbers rows with GENERATED ALWAYS AS IDENTITY '
                "instead of AUTO_INCREMENT, has no ENGINE clause, no unsigned types, and text for strings of any length."
            ),
        ],
    ),
    "42704 a file for Oracle": (
        failed(
            "CREATE TABLE t (a VARCHAR2(5))",
            sqlstate="42704",
            message='type "varchar2" does not exist',
            at="VARCHAR2",
            written_for=WrittenFor(name="Oracle", mark="VARCHAR2", line=1),
        ),
        [
            "The file is written for Oracle: VARCHAR2 (line 1) is not PostgreSQL's.",
            "PostgreSQL has numeric instead of NUMBER, and text or varchar instead of VARCHAR2.",
        ],
    ),
    "42601 a command of psql": (
        failed("\\connect other", sqlstate="42601", message='syntax error at or near "\\"', at="\\connect"),
        [
            (
                "A backslash begins a command of psql, which is not SQL: only psql knows it, and this project's runner "
                "sends the file to the server as it is. Leave the command out, or say it in SQL."
            )
        ],
    ),
    "42601 rows for COPY": (
        failed(
            "copy t (a, b) from stdin",
            "1\ta",
            sqlstate="42601",
            message='syntax error at or near "1"',
            at="1",
        ),
        [
            (
                "Only psql sends the rows that stand below COPY ... FROM STDIN as rows; this project's runner sends them "
                "as SQL. Write them as INSERT."
            )
        ],
    ),
    "42601 a quote that is not closed": (
        failed("SELECT 'a", sqlstate="42601", message='unterminated quoted string at or near "\'a"', at="'"),
        ["A quotation mark, dollar quote or comment that begins here is not closed before the file ends."],
    ),
    "42601 a comma too many": (
        failed("CREATE TABLE t (a int, )", sqlstate="42601", message='syntax error at or near ")"', at=")"),
        ["There is a comma too many just before."],
    ),
    "42601 a misspelt word": (
        failed("CREATE TABEL t ()", sqlstate="42601", message='syntax error at or near "TABEL"', at="TABEL"),
        ["Did you mean TABLE?"],
    ),
    "42601 a semicolon that is missing": (
        failed(
            "CREATE TABLE t () CREATE TABLE u ()",
            sqlstate="42601",
            message='syntax error at or near "CREATE"',
            at="CREATE TABLE u",
        ),
        ["A semicolon may be missing before this line."],
    ),
    "42601 nothing to add": (
        failed("SELECT 1 1", sqlstate="42601", message='syntax error at or near "1"', at="1"),
        [],
    ),
    "23502 rows without a value": (
        failed(
            "ALTER TABLE t ALTER c SET NOT NULL",
            sqlstate="23502",
            message='column "c" of relation "t" contains null values',
            error_table="t",
            error_column_name="c",
        ),
        [
            "Rows that are there already have no value for c. Give them one before it is required:",
            "UPDATE t SET c = ... WHERE c IS NULL;",
        ],
    ),
    "23502 names that must be quoted": (
        failed(
            'ALTER TABLE "order" ALTER "firstName" SET NOT NULL',
            sqlstate="23502",
            message='column "firstName" of relation "order" contains null values',
            error_schema="Shop",
            error_table="order",
            error_column_name="firstName",
        ),
        [
            "Rows that are there already have no value for firstName. Give them one before it is required:",
            'UPDATE "Shop"."order" SET "firstName" = ... WHERE "firstName" IS NULL;',
        ],
    ),
    " a file that may not be read": (
        failed(
            "",
            sqlstate="",
            message="cannot read the file: Permission denied",
            error_during="reading the file",
        ),
        [
            "The user that pytest runs as may not read the file: give it the right (chmod a+r), or change the user."
        ],
    ),
    "23505 rows that are equal": (
        failed(
            "CREATE UNIQUE INDEX ON t (a, b)",
            sqlstate="23505",
            message='could not create unique index "t_a_b_idx"',
            error_detail="Key (a, b)=(1, 2) is duplicated.",
            error_table="t",
        ),
        [
            "Rows that earlier migrations inserted are equal in these columns; find them before making them unique:",
            "SELECT a, b, count(*) FROM t GROUP BY a, b HAVING count(*) > 1;",
        ],
    ),
    "55P04 an enum value that is too young": (
        failed("INSERT INTO t VALUES ('new')", sqlstate="55P04", message="unsafe use of new value"),
        [
            (
                "A value that ALTER TYPE ... ADD VALUE adds can be used only after its transaction has committed: put the "
                "statement that uses it into the next migration."
            )
        ],
    ),
    "25001 a statement that runs outside a transaction only": (
        failed("VACUUM", sqlstate="25001", message="VACUUM cannot run inside a transaction block"),
        [
            "The runner puts this file into a transaction (each file is one transaction, the default).",
            (
                "Move the statement into a file of its own that runs without one: `-- no-transaction` as the first line, or "
                "the runner's own way (Diesel: run_in_transaction = false in metadata.toml)."
            ),
        ],
    ),
    "25001 a statement that runs outside a transaction only, with the way of the runner": (
        failed(
            "VACUUM",
            sqlstate="25001",
            message="VACUUM cannot run inside a transaction block",
            mode_reason="goose wraps each file in a transaction",
        ),
        [
            "The runner puts this file into a transaction (goose wraps each file in a transaction).",
            "Move the statement into a file of its own that runs without one: `-- +goose NO TRANSACTION`.",
        ],
    ),
    "25001 a statement that was not sent alone": (
        failed(
            "VACUUM",
            sqlstate="25001",
            message="VACUUM cannot run inside a transaction block",
            mode=TransactionMode.SINGLE_QUERY,
            mode_reason="transaction:false in line 1",
        ),
        [
            "PostgreSQL runs what comes in one query as one transaction (transaction:false in line 1).",
            "Move the statement into a file of its own, with no other statement in it.",
        ],
    ),
    "42601 a function that the runner cut": (
        failed(
            "CREATE FUNCTION f() RETURNS int AS $$\nBEGIN\n  RETURN 1",
            sqlstate="42601",
            message='unterminated dollar-quoted string at or near "$$\nBEGIN\n  RETURN 1"',
            mode_reason="goose wraps each file in a transaction",
        ),
        [
            (
                "The runner ends a statement with the first line that ends with a semicolon, in a function's body too: "
                "put the whole between `-- +goose StatementBegin` and `-- +goose StatementEnd`."
            )
        ],
    ),
    "57014 a timeout": (
        failed(
            "SELECT pg_sleep(99)",
            sqlstate="57014",
            message="canceling statement due to statement timeout",
        ),
        [
            (
                "The statement took longer than statement_timeout allows; raise it with [tool.migsafe] statement_timeout if "
                "the file really needs that long on an all but empty database."
            )
        ],
    ),
    "0A000 an extension that is not there": (
        failed(
            "CREATE EXTENSION vector",
            sqlstate="0A000",
            message='extension "vector" is not available',
        ),
        [
            "The server (PostgreSQL 18.1) does not have the extension vector.",
            (
                "A server that has it: apt install postgresql-18-pgvector (Debian, Ubuntu) and "
                "--migsafe-bindir=/usr/lib/postgresql/18/bin, or one that runs already, such as a container: --migsafe-dsn."
            ),
            "Or a stub, a file of SQL with what your migrations use of the extension, named in pyproject.toml:",
            '[tool.migsafe.extensions]\nvector = "stubs/vector.sql"',
        ],
    ),
    "58P01 an extension that is not there, before PostgreSQL 15": (
        failed(
            "CREATE EXTENSION postgis_topology",
            sqlstate="58P01",
            message=(
                'could not open extension control file "/usr/share/postgresql/14/extension/postgis_topology.control": '
                "No such file or directory"
            ),
        ),
        [
            "The server (PostgreSQL 18.1) does not have the extension postgis_topology.",
            (
                "A server that has it: apt install postgresql-18-postgis-3 (Debian, Ubuntu) and "
                "--migsafe-bindir=/usr/lib/postgresql/18/bin, or one that runs already, such as a container: --migsafe-dsn."
            ),
            "Or a stub, a file of SQL with what your migrations use of the extension, named in pyproject.toml:",
            '[tool.migsafe.extensions]\npostgis_topology = "stubs/postgis_topology.sql"',
        ],
    ),
    "58P01 an extension without its library": (
        failed(
            "CREATE EXTENSION plpython3u",
            sqlstate="58P01",
            message=(
                'could not load library "/opt/postgresql/lib/plpython3.so": libpython3.11.so.1.0: cannot open shared '
                "object file: No such file or directory"
            ),
        ),
        [
            (
                "The server (PostgreSQL 18.1) has plpython3u, which needs the system's library libpython3.11.so.1.0: "
                "install it (Debian, Ubuntu: apt install libpython3.11)."
            ),
            (
                "A server that has it: apt install postgresql-plpython3-18 (Debian, Ubuntu) and "
                "--migsafe-bindir=/usr/lib/postgresql/18/bin, or one that runs already, such as a container: --migsafe-dsn."
            ),
            "Or a stub, a file of SQL with what your migrations use of the extension, named in pyproject.toml:",
            '[tool.migsafe.extensions]\nplpython3u = "stubs/plpython3u.sql"',
        ],
    ),
    "58P01 something else": (
        failed(
            "COPY t FROM '/nowhere'", sqlstate="58P01", message='could not open file "/nowhere" for reading'
        ),
        [],
    ),
    "22023 a version that the server does not have": (
        failed(
            "CREATE EXTENSION pg_cron VERSION '1.4'",
            sqlstate="22023",
            message='extension "pg_cron" has no installation script nor update path for version "1.4"',
        ),
        [
            (
                "Each server has the versions of its own packages: leave VERSION or TO out, unless the migrations need "
                "this one. A stub says in its first line for which version it stands:"
            ),
            "-- version: 1.4",
        ],
    ),
    "22023 an update that the server does not have": (
        failed(
            "ALTER EXTENSION vector UPDATE TO '9'",
            sqlstate="22023",
            message='extension "vector" has no update path from version "0.8.0" to version "9"',
        ),
        [
            (
                "Each server has the versions of its own packages: leave VERSION or TO out, unless the migrations need "
                "this one. A stub says in its first line for which version it stands:"
            ),
            "-- version: 9",
        ],
    ),
    "22023 something else": (failed("SELECT 1", sqlstate="22023", message="invalid parameter"), []),
    "0A000 something else": (
        failed("ALTER TABLE v ADD c int", sqlstate="0A000", message="not supported"),
        [],
    ),
    "58P01 a file that is not there": (
        failed("LOAD 'x'", sqlstate="58P01", message='could not access file "x": No such file or directory'),
        [],
    ),
    "2BP01 what others depend on": (
        failed(
            "DROP TABLE t", sqlstate="2BP01", message="cannot drop table t because other objects depend on it"
        ),
        [
            (
                "Drop or change what depends on it first, by name. CASCADE would drop all of it, and what depends on that, "
                "without asking."
            )
        ],
    ),
    "55006 pending events": (
        failed(
            "ALTER TABLE t ADD c int",
            sqlstate="55006",
            message='cannot ALTER TABLE "t" because it has pending trigger events',
        ),
        [
            (
                "Rows were changed under deferred constraints in the same transaction. Put the data change into an earlier "
                "file, or check the constraints first:"
            ),
            "SET CONSTRAINTS ALL IMMEDIATE;",
        ],
    ),
    "XX000 an error without explanation": (
        failed("SELECT 1", sqlstate="XX000", message="cache lookup failed"),
        [],
    ),
}


@pytest.mark.parametrize(("failure", "sentences"), CASES.values(), ids=CASES.keys())
def test_an_error_is_explained(failure: Evidence, sentences: list[str]) -> None:
    assert explain(failure) == sentences


def test_every_explanation_has_a_case() -> None:
    assert _EXPLANATIONS.keys() <= {name.split(" ", 1)[0] for name in CASES}


def test_a_file_that_was_applied_needs_no_explanation() -> None:
    assert explain(evidence("SELECT 1")) == []


def test_every_database_that_is_recognised_has_advice() -> None:
    assert set(_NAMES.values()) == _IN_POSTGRESQL.keys()
