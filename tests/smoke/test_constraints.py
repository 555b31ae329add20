"""Whether constraints are in force: each defect planted, and its clean twin."""

from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rules.smoke import constraints
from tests.smoke.conftest import Smoke

TABLES = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop"."Customers" (id int PRIMARY KEY);
    CREATE TABLE "Shop".orders (id int PRIMARY KEY, customer int, total int);
    CREATE INDEX ON "Shop".orders (customer);
"""
KEY = 'ALTER TABLE "Shop".orders ADD CONSTRAINT "Who" FOREIGN KEY (customer) REFERENCES "Shop"."Customers"'


def test_a_constraint_may_be_validated_in_a_later_file(smoke: Smoke) -> None:
    not_valid = f"""
        {KEY} NOT VALID;
        CREATE DOMAIN "Shop"."Name" AS text; ALTER DOMAIN "Shop"."Name" ADD CONSTRAINT named CHECK (VALUE <> '') NOT VALID;
    """
    # No file is blamed for what the next one may end; the end of the history is told.
    assert smoke.findings(TABLES, not_valid) == ()
    after = smoke.evidence(TABLES, not_valid).state_after
    key, domain = constraints.constraint_not_valid.defects(after)
    assert key.remedy == 'ALTER TABLE "Shop".orders VALIDATE CONSTRAINT "Who";'
    assert domain.remedy == 'ALTER DOMAIN "Shop"."Name" VALIDATE CONSTRAINT named;'

    valid = smoke.evidence(TABLES, not_valid + key.remedy + domain.remedy).state_after
    assert constraints.constraint_not_valid.defects(valid) == ()


def test_a_constraint_that_is_not_enforced(smoke: Smoke) -> None:
    test = constraints.constraint_not_enforced
    assert smoke.findings(TABLES, f'{KEY}; ALTER TABLE "Shop".orders ADD CHECK (total > 0)', only=test) == ()
    if smoke.server.major < 18:
        return
    unenforced = (
        f'{KEY} NOT ENFORCED; ALTER TABLE "Shop".orders ADD CONSTRAINT "Paid" CHECK (total > 0) NOT ENFORCED;'
    )
    check, key = sorted(smoke.findings(TABLES, unenforced, only=test), key=lambda one: one.objects)
    assert "is NOT ENFORCED: rows that break it are taken" in key.message
    assert constraints.constraint_not_valid.defects(smoke.evidence(TABLES, unenforced).state_after) == ()
    # Both ways out are such.
    assert smoke.findings(TABLES, unenforced + check.remedy + "\n" + key.remedy, only=None) == ()


def test_a_foreign_key_that_is_switched_off(smoke: Smoke) -> None:
    test = constraints.constraint_triggers_disabled
    user = """
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER "Log" BEFORE INSERT ON "Shop".orders FOR EACH ROW EXECUTE FUNCTION f();
    """
    before = f"{TABLES}{KEY};{user}"
    off = 'ALTER TABLE "Shop".orders DISABLE TRIGGER ALL;'
    (finding,) = smoke.findings(before, off, only=test)

    assert (
        finding.message
        == 'the foreign key "Who" of "Shop".orders is switched off: rows that break it are taken'
    )
    assert finding.remedy.splitlines() == [
        'ALTER TABLE "Shop".orders ENABLE TRIGGER ALL;',
        'ALTER TABLE "Shop".orders DISABLE TRIGGER "Log";  -- if it is to stay so',
    ]
    assert finding.line == 1
    # The other half of it is switched off at the table that it refers to.
    (parent,) = smoke.findings(before, 'ALTER TABLE "Shop"."Customers" DISABLE TRIGGER ALL', only=test)
    assert parent.remedy == 'ALTER TABLE "Shop"."Customers" ENABLE TRIGGER ALL;'

    assert smoke.findings(before, off + finding.remedy, only=test) == ()
    assert smoke.findings(before, 'ALTER TABLE "Shop".orders DISABLE TRIGGER USER', only=test) == ()


def test_of_a_partitioned_table_a_foreign_key_is_told_once(smoke: Smoke) -> None:
    partitioned = """
        CREATE TABLE "Shop".events (at date, customer int REFERENCES "Shop"."Customers") PARTITION BY RANGE (at);
        CREATE TABLE "Shop".rest PARTITION OF "Shop".events DEFAULT;
        CREATE INDEX ON "Shop".events (customer);
    """
    off = 'ALTER TABLE "Shop".events DISABLE TRIGGER ALL'
    found = smoke.findings(TABLES + partitioned, off, only=constraints.constraint_triggers_disabled)
    assert [one.objects[0] for one in found] == ['"Shop".events.events_customer_fkey']
    # Of a partition alone it is told of the partition.
    found = smoke.findings(
        TABLES + partitioned,
        'ALTER TABLE "Shop".rest DISABLE TRIGGER ALL',
        only=constraints.constraint_triggers_disabled,
    )
    assert [one.objects[1] for one in found] == ['"Shop".rest']


def test_a_foreign_key_of_another_type(smoke: Smoke) -> None:
    test = constraints.foreign_key_type_mismatch
    (finding,) = smoke.findings(
        TABLES,
        KEY.replace("(customer)", "(total)") + '; ALTER TABLE "Shop".orders ALTER total TYPE smallint',
        only=test,
    )
    assert (
        finding.message
        == '"Shop".orders.total is smallint and refers to "Shop"."Customers".id, which is integer: it cannot hold all of its values'
    )
    # The key is widened, and what refers to it is not: told in that file, though the other table is not touched.
    widened = 'ALTER TABLE "Shop"."Customers" ALTER id TYPE bigint'
    (left_behind,) = smoke.findings(f"{TABLES}{KEY}", widened, only=test)
    assert left_behind.remedy.startswith('ALTER TABLE "Shop".orders ALTER COLUMN customer TYPE bigint;')

    fitting = f"""
        {KEY}; ALTER TABLE "Shop".orders ALTER customer TYPE bigint;
        CREATE DOMAIN "Shop".code AS text; CREATE TABLE "Shop".x (c "Shop".code PRIMARY KEY);
        CREATE TABLE "Shop".y (c varchar(10) PRIMARY KEY REFERENCES "Shop".x);
    """
    assert smoke.findings(TABLES, fitting, only=None) == ()


def test_a_foreign_key_to_what_supabase_s_auth_does_not_promise(smoke: Smoke) -> None:
    auth = "CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY, email text UNIQUE);"
    scope = Scope(exposed_roles=("anon",))
    by_mail = "CREATE TABLE p (mail text PRIMARY KEY REFERENCES auth.users (email))"
    (finding,) = smoke.findings(auth, by_mail, only=constraints.foreign_key_to_auth_not_primary, scope=scope)
    assert finding.objects[1:] == ("public.p", "auth.users")

    by_id = "CREATE TABLE p (id uuid PRIMARY KEY REFERENCES auth.users)"
    assert smoke.findings(auth, by_id, scope=scope, only=constraints.foreign_key_to_auth_not_primary) == ()
    assert smoke.findings(auth, by_mail, only=constraints.foreign_key_to_auth_not_primary) == ()
