"""Ways past row-level security that strangers can reach: each defect planted, and its clean twin."""

from dataclasses import replace

from pytest_migsafe.findings import Severity
from pytest_migsafe.rules.smoke.exposure import (
    accounts_exposed,
    foreign_table_exposed,
    materialized_view_exposed,
    security_definer_exposed,
    security_definer_public,
    sensitive_column_exposed,
    view_past_policies,
)
from tests.smoke.conftest import Smoke
from tests.smoke.roles import ROLES, SCOPE

ORDERS = (
    ROLES
    + """
    CREATE TABLE private."Orders" (id int PRIMARY KEY, "Owner" text);
    ALTER TABLE private."Orders" ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON private."Orders" USING ("Owner" = CURRENT_USER);
    CREATE TABLE private.prices (id int PRIMARY KEY);
"""
)


def test_a_view_past_the_policies_of_its_tables_is_found(smoke: Smoke) -> None:
    views = """
        CREATE VIEW private.inner_one AS SELECT * FROM private."Orders";
        CREATE VIEW "Shop"."All Orders" AS SELECT * FROM private.inner_one;
        GRANT SELECT ("Owner") ON "Shop"."All Orders" TO "App User";
        CREATE VIEW "Shop".prices AS SELECT * FROM private.prices;
        CREATE VIEW "Shop".unreached AS SELECT * FROM private."Orders";
        CREATE VIEW private.unserved AS SELECT * FROM private."Orders";
        GRANT SELECT ON "Shop".prices, private.unserved TO anon;
    """
    (finding,) = smoke.findings(ORDERS, views, only=view_past_policies, scope=SCOPE)
    assert finding.objects == ('"Shop"."All Orders"', 'private."Orders"')
    assert finding.remedy.endswith('REVOKE ALL ON "Shop"."All Orders" FROM PUBLIC, "App User";')
    assert finding.line == 4
    assert 'ALTER VIEW "Shop"."All Orders" SET (security_invoker = true);' in finding.remedy
    # Before PostgreSQL 15 there is no such option.
    given = smoke.evidence(ORDERS, views, scope=SCOPE)
    (of_14,) = view_past_policies.defects(replace(given.state_after, server_version="14.9"))
    assert of_14.remedy == 'REVOKE ALL ON "Shop"."All Orders" FROM PUBLIC, "App User";'

    # The view that reads the table itself is the one that counts.
    invoker = 'ALTER VIEW private.inner_one SET (security_invoker = on); GRANT SELECT ON private."Orders" TO PUBLIC;'
    assert smoke.findings(ORDERS, views + invoker, only=view_past_policies, scope=SCOPE) == ()
    # An owner that the policies apply to.
    forced = 'ALTER VIEW private.inner_one OWNER TO "Shop Owner"'
    assert smoke.findings(ORDERS, views + forced, only=view_past_policies, scope=SCOPE) == ()
    # It is found in the file that makes it so: where row-level security is enabled, where the view is granted.
    for before, file in (
        (
            views + 'ALTER TABLE private."Orders" DISABLE ROW LEVEL SECURITY;',
            'ALTER TABLE private."Orders" ENABLE ROW LEVEL SECURITY',
        ),
        (views, 'GRANT SELECT ON "Shop".unreached TO PUBLIC'),
    ):
        assert smoke.findings(ORDERS + before, file, only=view_past_policies, scope=SCOPE)


def test_a_materialized_view_that_strangers_can_read_is_found(smoke: Smoke) -> None:
    views = """
        CREATE MATERIALIZED VIEW "Shop"."Totals" AS SELECT * FROM private."Orders";
        CREATE MATERIALIZED VIEW "Shop".prices AS SELECT * FROM private.prices;
        CREATE MATERIALIZED VIEW private.hidden AS SELECT * FROM private."Orders";
        GRANT SELECT ON "Shop"."Totals", "Shop".prices TO anon;
    """
    totals, prices = smoke.findings(ORDERS, views, only=materialized_view_exposed, scope=SCOPE)
    assert (totals.objects, totals.severity) == (('"Shop"."Totals"', 'private."Orders"'), Severity.ERROR)
    assert (prices.objects, prices.severity) == (('"Shop".prices',), Severity.WARNING)
    closed = views + totals.remedy + prices.remedy
    assert smoke.findings(ORDERS, closed, only=materialized_view_exposed, scope=SCOPE) == ()


def test_accounts_that_strangers_can_read_are_found_once(smoke: Smoke) -> None:
    accounts = """
        CREATE SCHEMA auth; CREATE TABLE auth.users (id uuid PRIMARY KEY, email text);
        ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
        GRANT USAGE ON SCHEMA auth TO anon; GRANT SELECT (id) ON auth.users TO anon;
    """
    views = """
        CREATE VIEW public.people AS SELECT id, email FROM auth.users;
        CREATE VIEW public.mine WITH (security_invoker = 1) AS SELECT id FROM auth.users;
        GRANT SELECT ON people, mine TO anon;
    """
    found = smoke.findings(ROLES + accounts, views, scope=SCOPE)
    assert [(one.rule, one.objects) for one in found] == [
        (accounts_exposed.id, ("public.people", "auth.users"))
    ]


def test_a_foreign_table_that_strangers_can_read_is_found(smoke: Smoke) -> None:
    tables = """
        CREATE FOREIGN DATA WRAPPER nowhere; CREATE SERVER "Far" FOREIGN DATA WRAPPER nowhere;
        CREATE FOREIGN TABLE "Shop"."Remote" (id int) SERVER "Far";
        CREATE FOREIGN TABLE "Shop".closed (id int) SERVER "Far";
        GRANT SELECT ON "Shop"."Remote" TO anon;
    """
    (finding,) = smoke.findings(ROLES, tables, scope=SCOPE)
    assert (finding.rule, finding.objects) == (foreign_table_exposed.id, ('"Shop"."Remote"',))


FUNCTIONS = """
    CREATE FUNCTION "Shop"."Pay"(amount int) RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
    CREATE FUNCTION private.pay() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = '' AS 'SELECT 1';
    CREATE FUNCTION "Shop".plain() RETURNS int LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION "Shop".fire() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS
        'BEGIN RETURN NEW; END';
"""


def test_a_function_that_strangers_can_call_with_its_owners_rights_is_found(smoke: Smoke) -> None:
    (finding,) = smoke.findings(ROLES, FUNCTIONS, only=security_definer_exposed, scope=SCOPE)
    assert finding.objects == ('"Shop"."Pay"(integer)',)
    assert finding.remedy == (
        'REVOKE EXECUTE ON FUNCTION "Shop"."Pay"(integer) FROM PUBLIC, anon, "App User";'
    )
    assert smoke.findings(ROLES, FUNCTIONS + finding.remedy, only=security_definer_exposed, scope=SCOPE) == ()
    # What was revoked from everybody and granted to one of them was meant.
    meant = FUNCTIONS + finding.remedy + 'GRANT EXECUTE ON FUNCTION "Shop"."Pay" TO "App User";'
    assert smoke.findings(ROLES, meant, only=security_definer_exposed, scope=SCOPE) == ()

    public = smoke.findings(ROLES, FUNCTIONS, only=security_definer_public)
    assert [one.objects[0] for one in public] == ['"Shop"."Pay"(integer)', "private.pay()"]
    assert smoke.findings(ROLES, FUNCTIONS, only=security_definer_exposed) == ()


def test_a_function_that_a_policy_calls_is_moved_and_not_revoked(smoke: Smoke) -> None:
    policy = """
        CREATE TABLE notes (id int, owner text); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes USING (id = "Shop"."Pay"(id));
    """
    (finding,) = smoke.findings(ROLES, FUNCTIONS + policy, only=security_definer_exposed, scope=SCOPE)
    assert 'ALTER FUNCTION "Shop"."Pay"(integer) SET SCHEMA ...;' in finding.remedy


def test_columns_that_sound_like_secrets_are_found_on_request(smoke: Smoke) -> None:
    tables = """
        CREATE TABLE accounts (id int, "apiKey" text, password_hash text, tokens_used int, secretary text);
        CREATE TABLE unreached (password text);
        GRANT SELECT ON accounts TO anon;
    """
    found = smoke.findings(ROLES, tables, only=sensitive_column_exposed, scope=SCOPE)
    assert [one.evidence[0] for one in found] == ['"apiKey" text', "password_hash text"]
