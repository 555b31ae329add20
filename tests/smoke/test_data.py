"""Whether rows are what the schema promises: each defect planted, and its clean twin."""

import pytest

from pytest_migsafe.findings import Severity
from pytest_migsafe.rules.smoke.data import (
    constraint_violated,
    default_rejected,
    duplicate_keys,
    orphaned_rows,
    rows_not_asked,
    sequence_behind,
    sequence_left_behind,
    sequence_not_owned,
    sequence_too_narrow,
    validate_fails,
)
from tests.smoke.conftest import Smoke

SHOP = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Orders" (tenant int, "Id" int, up int, PRIMARY KEY (tenant, "Id"));
    CREATE TABLE "Shop"."Lines" (
        id int GENERATED ALWAYS AS IDENTITY, tenant int, "Order" int,
        CONSTRAINT "Lines of" FOREIGN KEY (tenant, "Order") REFERENCES "Shop"."Orders"
    );
    INSERT INTO "Shop"."Orders" VALUES (1, 1), (1, 2);
"""
REPLICA = "SET session_replication_role = replica;"


def test_orphans_under_a_valid_foreign_key_are_found(smoke: Smoke) -> None:
    loaded = 'INSERT INTO "Shop"."Lines" (tenant, "Order") VALUES (1, 1), (1, 7), (NULL, 7), (2, 1);'
    (finding,) = smoke.findings(SHOP, REPLICA + loaded)

    assert finding.rule == "orphaned-rows"
    assert finding.message == (
        '2 rows of "Shop"."Lines" refer to no row, although the foreign key "Lines of" counts as valid'
    )
    assert finding.evidence == ('(tenant, "Order") = (1, 7)', '(tenant, "Order") = (2, 1)')
    assert finding.remedy.startswith(
        'SELECT child.* FROM ONLY "Shop"."Lines" AS child WHERE child.tenant IS NOT NULL AND child."Order" IS NOT NULL'
        ' AND NOT EXISTS (SELECT FROM ONLY "Shop"."Orders" AS parent WHERE parent.tenant = child.tenant'
        ' AND parent."Id" = child."Order");\n'
    )
    assert finding.line == 1
    # The clean twins: rows that refer to something, or to nothing at all.
    assert (
        smoke.findings(SHOP, 'INSERT INTO "Shop"."Lines" (tenant, "Order") VALUES (1, 1), (NULL, 7);') == ()
    )
    # They were there before.
    later = 'INSERT INTO "Shop"."Lines" (tenant, "Order") VALUES (1, 1)'
    assert smoke.findings(SHOP + REPLICA + loaded + "RESET session_replication_role", later) == ()


@pytest.mark.parametrize("orders", ["", "PARTITION BY LIST (tenant)"])
def test_orphans_are_found_when_what_they_refer_to_goes(smoke: Smoke, orders: str) -> None:
    tables = f"""
        CREATE TABLE orders (tenant int, id int, PRIMARY KEY (tenant, id)) {orders};
        {"CREATE TABLE orders_1 PARTITION OF orders FOR VALUES IN (1);" if orders else ""}
        CREATE TABLE lines (tenant int NOT NULL, "order" int, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE lines_1 PARTITION OF lines DEFAULT;
        ALTER TABLE lines ADD FOREIGN KEY (tenant, "order") REFERENCES orders MATCH FULL ON DELETE CASCADE;
        INSERT INTO orders VALUES (1, 1), (1, 2);
        INSERT INTO lines VALUES (1, 1, '2026-01-01'), (1, 2, '2026-01-01');
    """
    swallows = """
        CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER swallow BEFORE DELETE ON lines_1 FOR EACH ROW EXECUTE FUNCTION swallow();
    """
    (finding,) = smoke.findings(tables, swallows + "DELETE FROM orders WHERE id = 2", only=orphaned_rows)
    assert finding.evidence == ('(tenant, "order") = (1, 2)',)
    assert finding.objects == ("public.lines.lines_tenant_order_fkey", "public.lines")
    assert smoke.findings(tables, "DELETE FROM orders WHERE id = 2") == ()
    # MATCH FULL wants all columns or none.
    half = REPLICA + "INSERT INTO lines VALUES (1, NULL, '2026-01-01')"
    (finding,) = smoke.findings(tables, half, only=orphaned_rows)
    assert finding.evidence == ('(tenant, "order") = (1, NULL)',)


def test_orphans_of_a_table_that_refers_to_itself_are_found(smoke: Smoke) -> None:
    tree = "CREATE TABLE tree (id text PRIMARY KEY, parent text REFERENCES tree); INSERT INTO tree VALUES ('a', 'a');"
    disabled = """
        ALTER TABLE tree DISABLE TRIGGER ALL;
        INSERT INTO tree VALUES ('b', 'x');
        ALTER TABLE tree ENABLE TRIGGER ALL;
    """
    (finding,) = smoke.findings(tree, disabled, only=orphaned_rows)
    assert finding.message.startswith("1 row of public.tree refers to no row")
    assert finding.evidence == ("(parent) = (x)",)
    assert smoke.findings(tree, "INSERT INTO tree VALUES ('b', 'a'), ('c', NULL)") == ()


ACCOUNTS = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Accounts" ("Id" int PRIMARY KEY, balance int, plan text) PARTITION BY RANGE ("Id");
    CREATE TABLE "Shop".accounts_1 PARTITION OF "Shop"."Accounts" FOR VALUES FROM (0) TO (100);
    INSERT INTO "Shop"."Accounts" VALUES (1, -5, 'x'), (2, 5, 'x'), (3, NULL, 'x');
"""
CHECK = 'ALTER TABLE "Shop"."Accounts" ADD CONSTRAINT "In credit" CHECK (balance >= 0) NOT VALID;'


def test_a_check_that_validate_would_refuse_is_found(smoke: Smoke) -> None:
    (finding,) = smoke.findings(ACCOUNTS, CHECK, only=validate_fails)
    assert finding.message == (
        'VALIDATE will fail for the check constraint "In credit": 1 row of "Shop"."Accounts" violates it'
    )
    assert finding.evidence == ('("Id") = (1)',)
    assert finding.remedy.startswith('SELECT * FROM "Shop"."Accounts" WHERE NOT ((balance >= 0));\n')
    mended = 'UPDATE "Shop"."Accounts" SET balance = 0 WHERE balance < 0;'
    assert smoke.findings(ACCOUNTS, mended + CHECK, only=validate_fails) == ()
    # A check on what the user's function says is not tried, nor one that the time decides.
    function = "CREATE FUNCTION yes(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE; END';"
    not_tried = 'ALTER TABLE "Shop"."Accounts" ADD CHECK (yes(balance)) NOT VALID;'
    timely = """ALTER TABLE "Shop"."Accounts" ADD CHECK (now() < '2020-01-01') NOT VALID;"""
    assert smoke.findings(ACCOUNTS, function + not_tried + timely, only=validate_fails) == ()


def test_a_question_that_is_refused_is_told_only_where_a_team_asks(smoke: Smoke) -> None:
    given = ACCOUNTS + 'UPDATE "Shop"."Accounts" SET balance = 0;'
    divided = 'ALTER TABLE "Shop"."Accounts" ADD CONSTRAINT "Divides" CHECK (1 / balance > 0) NOT VALID'
    (finding,) = smoke.findings(given, divided, only=rows_not_asked)
    assert finding.message == (
        'whether rows of "Shop"."Accounts" violate the check constraint "Divides" could not be found out: division by zero'
    )
    assert smoke.findings(given, divided) == ()


def test_a_foreign_key_that_compares_with_the_users_function_is_not_asked_about(smoke: Smoke) -> None:
    given = """
        CREATE FUNCTION same(text, text) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE; END';
        CREATE TABLE plans (name text PRIMARY KEY);
        CREATE TABLE accounts (plan text REFERENCES plans);
        CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = same);
        UPDATE pg_constraint SET conpfeqop = ARRAY['public.=(text, text)'::regoperator]
        WHERE conname = 'accounts_plan_fkey';
    """
    orphan = f"{REPLICA} INSERT INTO accounts VALUES ('a');"
    assert smoke.findings(given, orphan, only=rows_not_asked) == ()
    assert smoke.findings(given, orphan, only=orphaned_rows) == ()


def test_a_foreign_key_and_a_domain_that_validate_would_refuse_are_found(smoke: Smoke) -> None:
    given = """
        CREATE DOMAIN "Plan" AS text;
        CREATE DOMAIN better AS "Plan";
        CREATE TABLE plans (name text PRIMARY KEY);
        CREATE TABLE accounts (plan "Plan", wish better);
        INSERT INTO accounts VALUES ('gold', 'tin'), (NULL, 'gold');
    """
    foreign_key = "ALTER TABLE accounts ADD CONSTRAINT planned FOREIGN KEY (plan) REFERENCES plans NOT VALID;"
    (finding,) = smoke.findings(given, foreign_key, only=validate_fails)
    assert finding.evidence == ("(plan) = (gold)",)
    assert (
        smoke.findings(given, "INSERT INTO plans VALUES ('gold');" + foreign_key, only=validate_fails) == ()
    )

    domain = """ALTER DOMAIN "Plan" ADD CONSTRAINT known CHECK (VALUE IN ('gold', 'silver')) NOT VALID;"""
    (finding,) = smoke.findings(given, domain, only=validate_fails)
    assert finding.message == (
        'VALIDATE will fail for the domain constraint known of the domain public."Plan": 1 row of public.accounts violates it'
    )
    assert finding.evidence == ("(ctid) = ((0,1))",)
    assert smoke.findings(given, domain.replace("silver", "tin"), only=validate_fails) == ()


def test_a_not_null_that_validate_would_refuse_is_found(smoke: Smoke) -> None:
    if smoke.server.version.startswith("15"):
        pytest.skip("NOT NULL ... NOT VALID came with PostgreSQL 18")
    for column, found in (("balance", 1), ("plan", 0)):
        added = f'ALTER TABLE "Shop"."Accounts" ADD CONSTRAINT given NOT NULL {column} NOT VALID'
        assert len(smoke.findings(ACCOUNTS, added, only=validate_fails)) == found
    not_enforced = CHECK.replace("NOT VALID", "NOT ENFORCED")
    single = 'CREATE TABLE "Shop".one (balance int); INSERT INTO "Shop".one VALUES (-1);'
    unenforced = not_enforced.replace('"Accounts"', "one")
    assert smoke.findings(ACCOUNTS + single, unenforced, only=validate_fails) == ()


def test_constraints_that_were_declared_valid_are_checked(smoke: Smoke) -> None:
    marked = """
        UPDATE pg_constraint SET convalidated = true WHERE conname = 'In credit';
        UPDATE pg_attribute SET attnotnull = true
        WHERE attrelid = '"Shop"."Accounts"'::regclass AND attname IN ('balance', 'plan');
    """
    findings = smoke.findings(ACCOUNTS + CHECK, marked, only=constraint_violated)
    assert [one.objects[0] for one in findings] == [
        '"Shop"."Accounts"."In credit"',
        '"Shop"."Accounts".balance',
    ]
    honest = """
        UPDATE "Shop"."Accounts" SET balance = 0 WHERE coalesce(balance, -1) < 0;
        ALTER TABLE "Shop"."Accounts" VALIDATE CONSTRAINT "In credit", ALTER COLUMN balance SET NOT NULL;
    """
    assert smoke.findings(ACCOUNTS + CHECK, honest) == ()


def test_duplicates_under_an_invalid_unique_index_are_found(smoke: Smoke) -> None:
    index = (
        'CREATE UNIQUE INDEX "One plan" ON ONLY "Shop"."Accounts" ("Id", lower(plan)) WHERE balance IS NULL;'
    )
    (finding,) = smoke.findings(
        ACCOUNTS.replace("PRIMARY KEY", "") + 'INSERT INTO "Shop"."Accounts" VALUES (3, NULL, \'X\');',
        index,
        only=duplicate_keys,
    )
    assert finding.message == (
        'the unique index "Shop"."One plan" cannot be made valid: 1 key is more than once in "Shop"."Accounts"'
    )
    assert finding.evidence == ('("Id", lower(plan)) = (3, x)',)
    assert smoke.findings(ACCOUNTS, index, only=duplicate_keys) == ()


ORDERS = 'CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Orders" ("Id" {id} PRIMARY KEY, note text) {partitions};'


@pytest.mark.parametrize(
    ("id_", "partitions"),
    [("serial", ""), ("serial", 'PARTITION BY RANGE ("Id")'), ("int GENERATED BY DEFAULT AS IDENTITY", "")],
)
def test_a_sequence_behind_explicit_ids_is_found(smoke: Smoke, id_: str, partitions: str) -> None:
    given = ORDERS.format(id=id_, partitions=partitions)
    if partitions:
        given += 'CREATE TABLE "Shop".orders_1 PARTITION OF "Shop"."Orders" DEFAULT;'
    (finding,) = smoke.findings(given, 'INSERT INTO "Shop"."Orders" VALUES (1), (2)', only=sequence_behind)
    assert finding.severity is Severity.ERROR
    assert finding.message == (
        'the next INSERT into "Shop"."Orders" that leaves "Id" out fails: "Shop"."Orders_Id_seq" gives 1, which is taken'
    )
    mend = 'SELECT setval(pg_get_serial_sequence(\'"Shop"."Orders"\', \'Id\'), (SELECT max("Id") FROM "Shop"."Orders"));'
    assert finding.remedy == mend
    # What the remedy leaves is in order, and so are rows below the sequence.
    rows = 'INSERT INTO "Shop"."Orders" VALUES (-1), (0), (1), (2);'
    assert smoke.findings(given, rows + mend) == ()
    assert smoke.findings(given, 'INSERT INTO "Shop"."Orders" (note) VALUES (1), (2)') == ()
    (later,) = smoke.findings(given, 'INSERT INTO "Shop"."Orders" VALUES (-1), (1000)')
    assert later.severity is Severity.WARNING
    assert later.message == (
        'an INSERT into "Shop"."Orders" will fail when "Shop"."Orders_Id_seq", now at 1, reaches 1000: "Id" has that'
        " value already"
    )


def test_any_sequence_that_a_unique_column_draws_from_is_read_and_not_drawn_from(smoke: Smoke) -> None:
    given = """
        CREATE SEQUENCE down INCREMENT -2 MINVALUE -100 MAXVALUE -1 START -1;
        CREATE TABLE t (id bigint UNIQUE DEFAULT nextval('down'), other int DEFAULT nextval('down'));
        INSERT INTO t DEFAULT VALUES;
    """
    # -4 is stepped over; 3 is on the other side.
    assert smoke.findings(given, "INSERT INTO t VALUES (-4, 0), (3, -5)", only=sequence_behind) == ()
    (finding,) = smoke.findings(given, "INSERT INTO t VALUES (-9, 0)", only=sequence_behind)
    assert "now at -5, reaches -9" in finding.message
    assert finding.remedy == "SELECT setval('public.down', (SELECT min(id) FROM public.t));"


def test_a_sequence_that_starts_again_or_comes_late_is_behind(smoke: Smoke) -> None:
    given = "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2);"
    late = "ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY"
    (finding,) = smoke.findings(given, late, only=sequence_behind)
    assert finding.severity is Severity.ERROR
    assert smoke.findings(given, late + " (START WITH 3)") == ()
    serial = "CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t DEFAULT VALUES;"
    assert len(smoke.findings(serial, "ALTER SEQUENCE t_id_seq RESTART", only=sequence_behind)) == 1
    assert smoke.findings(serial, "TRUNCATE t RESTART IDENTITY", only=sequence_behind) == ()


def test_a_sequence_that_ends_before_its_column_is_found(smoke: Smoke) -> None:
    given = 'CREATE TABLE "T" ("Id" serial, code int GENERATED ALWAYS AS IDENTITY, few bigint, small smallserial);'
    widened = 'ALTER TABLE "T" ALTER "Id" TYPE bigint, ALTER code TYPE bigint;'
    (finding,) = smoke.findings(given, widened)
    assert finding.rule == "sequence-too-narrow"
    assert finding.message == (
        'public."T_Id_seq" is integer and ends at 2147483647, although public."T"."Id" is bigint'
    )
    assert finding.remedy == 'ALTER SEQUENCE public."T_Id_seq" AS bigint;'
    assert smoke.findings(given, widened + finding.remedy) == ()
    limited = "CREATE SEQUENCE few MAXVALUE 10; ALTER TABLE \"T\" ALTER few SET DEFAULT nextval('few')"
    assert smoke.findings(given, limited, only=sequence_too_narrow) == ()
    narrowed = given + 'ALTER TABLE "T" ALTER "Id" TYPE bigint; ALTER SEQUENCE "T_Id_seq" AS bigint;'
    assert len(smoke.findings(narrowed, 'ALTER SEQUENCE "T_Id_seq" AS int', only=sequence_too_narrow)) == 1


def test_a_sequence_that_goes_with_nothing_is_found_where_a_team_asks(smoke: Smoke) -> None:
    made = 'CREATE SEQUENCE "S"; CREATE TABLE t (id int DEFAULT nextval(\'"S"\'));'
    (finding,) = smoke.findings("", made, only=sequence_not_owned)
    assert finding.remedy == 'ALTER SEQUENCE public."S" OWNED BY public.t.id;'
    assert smoke.findings("", made) == ()
    assert smoke.findings("", made + finding.remedy, only=sequence_not_owned) == ()

    # The table goes, and its sequence stays; one that goes with its column does not.
    (left,) = smoke.findings(made, "DROP TABLE t", only=sequence_left_behind)
    assert left.remedy == 'DROP SEQUENCE public."S";'
    assert len(smoke.findings(made, "ALTER TABLE t ALTER id DROP DEFAULT", only=sequence_left_behind)) == 1
    assert smoke.findings(made + finding.remedy, "DROP TABLE t", only=sequence_left_behind) == ()
    assert smoke.findings(made, "ALTER TABLE t ADD note text", only=sequence_left_behind) == ()


def test_a_default_that_its_column_rejects_is_found(smoke: Smoke) -> None:
    given = """
        CREATE DOMAIN "Level" AS int DEFAULT 9 CHECK (VALUE < 10);
        CREATE TYPE mood AS ENUM ('glad', 'sad');
    """
    bad = """
        CREATE TABLE "Bad" (
            "State" text DEFAULT 'draft' CONSTRAINT "State" CHECK ("State" IN ('open', 'closed')),
            code varchar(3) DEFAULT 'long',
            level "Level" DEFAULT 10,
            amount numeric(4, 2) DEFAULT 1000,
            small smallint DEFAULT 70000
        ) PARTITION BY LIST ("State");
        CREATE TABLE bad_1 PARTITION OF "Bad" DEFAULT;
    """
    found = smoke.findings(given, bad)
    assert [(one.rule, one.objects[0]) for one in found] == [
        ("default-rejected", f'public."Bad".{column}')
        for column in ('"State"', "amount", "code", "level", "small")
    ]
    assert found[0].message == (
        'every INSERT into public."Bad" that leaves "State" out fails: its default \'draft\'::text is rejected by the'
        " constraint \"State\": CHECK ((\"State\" = ANY (ARRAY['open'::text, 'closed'::text])))"
    )
    assert found[3].evidence == ('value for domain public."Level" violates check constraint "Level_check"',)
    good = """
        CREATE FUNCTION given() RETURNS text IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RAISE; END';
        CREATE TABLE good (
            "State" text DEFAULT 'open' CHECK ("State" IN ('open', 'closed')),
            code varchar(3) DEFAULT 'abc   ',
            level "Level",
            mood mood DEFAULT 'glad' CHECK (mood <> 'sad'),
            made text DEFAULT given() CHECK (made <> ''),
            at date DEFAULT now() CHECK (at > '2020-01-01'),
            least int DEFAULT 0, most int DEFAULT 5, CHECK (least < most),
            nothing int DEFAULT NULL CHECK (nothing > 0)
        );
        CREATE FUNCTION name_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.slug = ''x''; RETURN NEW; END';
        CREATE TABLE named (slug text DEFAULT '' CHECK (slug <> ''));
        CREATE TRIGGER name_it BEFORE INSERT ON named FOR EACH ROW EXECUTE FUNCTION name_it();
    """
    assert smoke.findings(given, good) == ()


def test_a_default_is_tried_again_when_what_it_meets_is_new(smoke: Smoke) -> None:
    given = """
        CREATE DOMAIN "Level" AS int;
        CREATE TABLE t (state text DEFAULT 'draft', level "Level" DEFAULT 12, id serial);
    """
    check = "ALTER TABLE t ADD CHECK (state <> 'draft') NOT VALID;"
    assert len(smoke.findings(given, check, only=default_rejected)) == 1
    assert smoke.findings(given + check, "ALTER TABLE t ADD note text", only=default_rejected) == ()
    assert smoke.findings(given, check + "ALTER TABLE t ALTER state SET DEFAULT 'new'") == ()
    domain = 'ALTER DOMAIN "Level" ADD CHECK (VALUE < 10)'
    assert len(smoke.findings(given, domain, only=default_rejected)) == 1
    assert smoke.findings(given, domain.replace("10", "20")) == ()
