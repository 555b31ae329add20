"""What policies let through and what they keep out by mistake: each defect planted, and its clean twin."""

import pytest

from pytest_migsafe.catalog import Schema
from pytest_migsafe.findings import Finding
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rules.smoke.calls import calls_per_row, once
from pytest_migsafe.rules.smoke.check import SmokeTest
from pytest_migsafe.rules.smoke.matrix import matrix
from pytest_migsafe.rules.smoke.policies import (
    policy_always_true,
    policy_calls_per_row,
    policy_coverage_gap,
    policy_does_not_plan,
    policy_for_role_without_privilege,
    policy_lets_rows_escape,
    policy_public_read,
    policy_trusts_user_metadata,
    policy_without_expression,
    restrictive_policy_alone,
    several_permissive_policies,
    update_policy_without_select,
)
from tests.rules.evidence import function
from tests.smoke.conftest import Smoke
from tests.smoke.roles import ROLES, SCOPE

#: Two tables with row-level security, one of them partitioned and without partitions, open to strangers but for policies.
TABLES = (
    ROLES
    + """
    CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "Owner" text NOT NULL, total int GENERATED ALWAYS AS (1) STORED);
    CREATE TABLE notes (owner text, body text) PARTITION BY LIST (owner);
    ALTER TABLE "Shop"."Orders" ENABLE ROW LEVEL SECURITY;
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
    GRANT SELECT, INSERT, UPDATE, DELETE ON "Shop"."Orders", notes TO anon, "App User", clerk;
"""
)
#: What keeps everybody to their own rows.
OWN = """
    CREATE POLICY own ON "Shop"."Orders" USING ("Owner" = CURRENT_USER);
    CREATE POLICY own ON notes USING (owner = CURRENT_USER);
"""


def details(findings: tuple[Finding, ...]) -> list[tuple[str, int]]:
    """Return which tables findings are about, and at which lines they stand."""
    return [(one.objects[0].rpartition(".")[2].strip('"'), one.line) for one in findings]


def test_policies_that_keep_everybody_to_their_own_are_clean(smoke: Smoke) -> None:
    assert smoke.findings(TABLES, OWN) == ()
    assert smoke.findings(TABLES, OWN, scope=SCOPE) == ()


def test_a_policy_that_lets_strangers_write_any_row_is_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY "Service can do everything" ON "Shop"."Orders" USING (1 = 1);
        CREATE POLICY ins ON notes FOR INSERT TO "App User" WITH CHECK (true OR owner = CURRENT_USER);
        CREATE POLICY clerks ON notes TO clerk USING (true);
        CREATE POLICY "read" ON notes FOR SELECT USING (true);
        CREATE POLICY own ON notes FOR UPDATE USING (owner = CURRENT_USER OR body IS NULL);
    """
    orders, notes = smoke.findings(TABLES, policies, only=policy_always_true, scope=SCOPE)
    assert orders.message == (
        'the policy "Service can do everything" on "Shop"."Orders" lets "App User", anon INSERT, UPDATE, DELETE any row: '
        "its expression is always true"
    )
    assert 'ON "Shop"."Orders" USING (...) WITH CHECK (...);' in orders.remedy
    assert details((orders, notes)) == [("Orders", 2), ("notes", 3)]
    assert 'lets "App User" INSERT any row' in notes.message

    # Where nobody is exposed, what is for everybody counts.
    (everybody,) = smoke.findings(TABLES, policies, only=policy_always_true)
    assert "lets PUBLIC INSERT, UPDATE, DELETE any row" in everybody.message
    (published,) = smoke.findings(TABLES, policies, only=policy_public_read, scope=SCOPE)[1:]
    assert details((published,)) == [("notes", 5)]

    # What a restrictive policy narrows, or nobody has a privilege for, is not open.
    narrowed = policies + (
        """
        CREATE POLICY narrow ON "Shop"."Orders" AS RESTRICTIVE USING ("Owner" = CURRENT_USER);
        REVOKE INSERT ON notes FROM "App User";
        """
    )
    assert smoke.findings(TABLES, narrowed, only=policy_always_true, scope=SCOPE) == ()


def test_a_policy_that_lets_rows_escape_is_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY own ON "Shop"."Orders" USING ("Owner" = CURRENT_USER) WITH CHECK (true);
        CREATE POLICY own ON notes USING (owner = CURRENT_USER);
    """
    (finding,) = smoke.findings(TABLES, policies, only=policy_lets_rows_escape, scope=SCOPE)
    assert details((finding,)) == [("Orders", 2)]
    assert 'ALTER POLICY own ON "Shop"."Orders" WITH CHECK (' in finding.remedy

    # PostgreSQL itself says that the remedy is one, and that the other table needs none.
    assert smoke.findings(TABLES, policies + finding.remedy, scope=SCOPE) == ()


def test_a_policy_without_its_expression_permits_nothing_and_is_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY ins ON notes FOR INSERT;
        CREATE POLICY upd ON "Shop"."Orders" FOR UPDATE WITH CHECK (true);
        CREATE POLICY good ON notes FOR INSERT WITH CHECK (owner = CURRENT_USER);
        CREATE POLICY "only new" ON notes WITH CHECK (owner = CURRENT_USER);
    """
    found = smoke.findings(TABLES, policies, only=policy_without_expression)
    assert [one.message.rpartition("permits ")[2] for one in found] == [
        "no INSERT: it has no WITH CHECK",
        "no UPDATE: it has no USING",
    ]
    assert details(found) == [("notes", 2), ("Orders", 3)]


def test_rows_that_may_be_updated_and_not_seen_are_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY change ON notes FOR UPDATE TO anon, "App User" USING (owner = CURRENT_USER);
        CREATE POLICY look ON notes FOR SELECT TO anon USING (owner = CURRENT_USER);
        CREATE POLICY drop ON "Shop"."Orders" FOR DELETE USING ("Owner" = CURRENT_USER);
        CREATE POLICY ins ON "Shop"."Orders" FOR INSERT WITH CHECK ("Owner" = CURRENT_USER);
    """
    notes, orders = smoke.findings(TABLES, policies, only=update_policy_without_select)
    assert 'changes no row for "App User": the policy change permits it' in notes.message
    assert 'FOR SELECT TO "App User" USING (' in notes.remedy
    assert details((notes, orders)) == [("notes", 2), ("Orders", 4)]
    mended = policies.replace("SELECT TO anon", "SELECT") + (
        """CREATE POLICY look ON "Shop"."Orders" FOR SELECT USING ("Owner" = CURRENT_USER);"""
    )
    assert smoke.findings(TABLES, mended, only=update_policy_without_select) == ()


def test_a_policy_for_a_role_that_may_not_use_it_is_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY one ON notes FOR SELECT TO "Shop Owner" USING (true);
        CREATE POLICY two ON notes FOR SELECT TO clerk USING (true);
        CREATE POLICY three ON "Shop"."Orders" USING ("Owner" = CURRENT_USER);
    """
    (finding,) = smoke.findings(TABLES, policies, only=policy_for_role_without_privilege)
    assert finding.objects == ("public.notes", "Shop Owner")
    assert finding.remedy.endswith('GRANT SELECT ON public.notes TO "Shop Owner";')
    granted = policies + 'GRANT SELECT (body) ON notes TO "Shop Owner";'
    assert smoke.findings(TABLES, granted, only=policy_for_role_without_privilege) == ()
    # What was granted once and is no longer is found where it is revoked.
    (later,) = smoke.findings(
        TABLES + granted,
        'REVOKE SELECT (body) ON notes FROM "Shop Owner"',
        only=policy_for_role_without_privilege,
    )
    assert later.line == 1


def test_a_restrictive_policy_that_narrows_nothing_is_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY narrow ON notes AS RESTRICTIVE FOR UPDATE USING (body IS NOT NULL);
        CREATE POLICY look ON notes FOR SELECT USING (owner = CURRENT_USER);
        CREATE POLICY own ON "Shop"."Orders" USING ("Owner" = CURRENT_USER);
        CREATE POLICY narrow ON "Shop"."Orders" AS RESTRICTIVE FOR UPDATE USING (id > 0);
    """
    (finding,) = smoke.findings(TABLES, policies, only=restrictive_policy_alone)
    assert details((finding,)) == [("notes", 2)]
    assert "nobody can UPDATE on public.notes" in finding.message


def test_gaps_between_privileges_and_policies_are_found_on_request(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY look ON notes FOR SELECT USING (owner = CURRENT_USER);
        CREATE POLICY write ON notes TO "App User" USING (owner = CURRENT_USER);
        CREATE POLICY more ON notes TO "App User" USING (body IS NULL);
    """
    (gap,) = smoke.findings(TABLES, policies, only=policy_coverage_gap, scope=SCOPE)
    assert gap.message == "anon may INSERT, UPDATE, DELETE on public.notes, and no policy permits it any row"
    assert gap.remedy == "REVOKE INSERT, UPDATE, DELETE ON public.notes FROM anon;"
    assert smoke.findings(TABLES, policies + gap.remedy, only=policy_coverage_gap, scope=SCOPE) == ()

    (several,) = smoke.findings(TABLES, policies, only=several_permissive_policies, scope=SCOPE)
    assert several.evidence[:2] == ("SELECT: look, more, write", "INSERT: more, write")
    assert smoke.findings(TABLES, OWN, only=several_permissive_policies, scope=SCOPE) == ()


def test_the_matrix_tells_what_each_role_can_do_with_rows(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY look ON notes FOR SELECT USING (owner = CURRENT_USER);
        CREATE POLICY "Add" ON notes FOR INSERT TO anon WITH CHECK (true);
        CREATE POLICY "all" ON notes TO clerk USING (true);
        CREATE POLICY narrow ON notes AS RESTRICTIVE FOR DELETE TO clerk USING (body IS NULL);
        REVOKE DELETE ON notes FROM anon;
        ALTER TABLE notes OWNER TO "App User";
    """
    given = smoke.evidence(TABLES, policies, scope=SCOPE)
    assert [row.to_json() for row in matrix(given.state_after) if row.table == "public.notes"] == [
        {
            "table": "public.notes",
            "role": "App User",
            **dict.fromkeys(("SELECT", "INSERT", "UPDATE", "DELETE"), "all rows"),
        },
        {
            "table": "public.notes",
            "role": "anon",
            "SELECT": "policies: look",
            "INSERT": "all rows",
            "UPDATE": "no row",
            "DELETE": "no privilege",
        },
        {
            "table": "public.notes",
            "role": "clerk",
            "SELECT": "all rows",
            "INSERT": "all rows",
            "UPDATE": "all rows",
            "DELETE": 'policies: "all"; restrictive: narrow',
        },
    ]


CALLS = """
    CREATE FUNCTION private."Me"() RETURNS text STABLE LANGUAGE sql AS $$ SELECT current_setting('app.me', true) $$;
    CREATE FUNCTION private.may(text, text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN true; END $$;
"""


def test_calls_for_each_row_that_one_call_would_do_for_are_found(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY own ON "Shop"."Orders" USING ("Owner" = private."Me"());
        CREATE POLICY own ON notes USING (owner = (SELECT private."Me"()) AND private.may(owner, 'x'));
    """
    (finding,) = smoke.findings(TABLES + CALLS, policies, only=policy_calls_per_row)
    assert details((finding,)) == [("Orders", 2)]
    assert finding.remedy == (
        """ALTER POLICY own ON "Shop"."Orders" USING (("Owner" = (SELECT private."Me"())));"""
    )
    assert smoke.findings(TABLES + CALLS + policies, finding.remedy) == ()
    assert smoke.findings(TABLES + CALLS, policies + finding.remedy) == ()


@pytest.mark.parametrize(
    ("expression", "mended"),
    [
        ("(owner = app.me())", "(owner = (SELECT app.me()))"),
        (
            "((current_setting('a)''b'::text, true))::int = 3 OR owner = 'ö' OR owner = app.me())",
            "(((SELECT current_setting('a)''b'::text, true)))::int = 3 OR owner = 'ö' OR owner = (SELECT app.me()))",
        ),
        ("(CURRENT_USER = owner AND lower(owner) = 'x' AND now() > at)", None),
        ("(owner = ( SELECT app.me() AS me))", None),
        ("app.may(owner, app.me())", "app.may(owner, (SELECT app.me()))"),
        # A subquery that has nothing of the row is run once, one that has is run for each.
        ("(id IN ( SELECT m.id FROM app.m WHERE (m.who = app.me())))", None),
        (
            "(EXISTS ( SELECT 1 FROM app.m WHERE ((m.id = t.id) AND (m.who = app.me()))))",
            "(EXISTS ( SELECT 1 FROM app.m WHERE ((m.id = t.id) AND (m.who = (SELECT app.me())))))",
        ),
        ("(owner IN ( SELECT o.x FROM app.mine() o(x)))", None),
        # What the planner works out itself, and what is not known.
        ("(owner = app.constant())", None),
        ("(owner = elsewhere.f())", None),
    ],
)
def test_which_calls_are_made_for_each_row(expression: str, mended: str | None) -> None:
    named = [function("app.me()"), function("app.may(text, text)"), function("app.mine()")]
    constant = function("app.constant()").to_json() | {"volatility": "immutable"}
    schema = Schema.of([*named, type(named[0]).from_json(constant)])
    calls = calls_per_row(expression, schema)

    assert once(expression, calls) == (mended or expression)
    assert bool(calls) is (mended is not None)
    assert calls_per_row(once(expression, calls), schema) == ()


def test_a_policy_that_trusts_what_users_write_is_found(smoke: Smoke) -> None:
    supabase = """
        CREATE SCHEMA auth;
        CREATE FUNCTION auth.jwt() RETURNS jsonb STABLE LANGUAGE sql AS $$ SELECT '{}'::jsonb $$;
        GRANT USAGE ON SCHEMA auth TO PUBLIC;
    """
    policies = """
        CREATE POLICY a ON notes USING (owner = (SELECT auth.jwt()) -> 'user_metadata' ->> 'tenant');
        CREATE POLICY a ON "Shop"."Orders" USING ("Owner" = (SELECT auth.jwt()) -> 'app_metadata' ->> 'tenant');
    """
    (finding,) = smoke.findings(TABLES + supabase, policies, only=policy_trusts_user_metadata)
    assert details((finding,)) == [("notes", 2)]


RECURSION = """
    CREATE POLICY seen ON "Shop"."Orders" FOR SELECT USING ("Owner" IN (SELECT owner FROM notes));
    CREATE POLICY seen ON notes FOR SELECT USING (owner IN (SELECT "Owner" FROM "Shop"."Orders"));
"""


@pytest.mark.parametrize("scope", [None, SCOPE])
def test_policies_that_read_each_other_are_found_whoever_is_exposed(
    smoke: Smoke, scope: Scope | None
) -> None:
    first, second = RECURSION.strip().splitlines()
    # Whatever the default of transactions is.
    read_only = "SET default_transaction_read_only = on"
    found = smoke.findings(TABLES + first, second + read_only, only=policy_does_not_plan, scope=scope)
    # Each table's policy is seen to recur in itself, depending on where one begins.
    assert {one.evidence[0] for one in found} <= {
        '42P17: infinite recursion detected in policy for relation "notes"',
        '42P17: infinite recursion detected in policy for relation "Orders"',
    }
    assert found
    assert smoke.findings(TABLES, first, scope=scope) == ()


def test_a_policy_that_reads_what_its_role_may_not_is_found(smoke: Smoke) -> None:
    members = "CREATE TABLE private.members (who text PRIMARY KEY);"
    policies = """
        CREATE POLICY m ON notes FOR SELECT TO anon USING (owner IN (SELECT who FROM private.members));
        CREATE POLICY o ON "Shop"."Orders" USING ("Owner" = CURRENT_USER);
        REVOKE UPDATE ON "Shop"."Orders" FROM anon; GRANT UPDATE (id) ON "Shop"."Orders" TO anon;
    """
    (finding,) = smoke.findings(TABLES + members, policies, only=policy_does_not_plan, scope=SCOPE)
    assert finding.message == (
        "SELECT on public.notes fails for anon because of its policies: permission denied for table members"
    )
    assert finding.line == 2
    granted = policies + "GRANT SELECT ON private.members TO anon;"
    assert smoke.findings(TABLES + members, granted, only=policy_does_not_plan, scope=SCOPE) == ()
    # Found in the file that takes the privilege away, though it names no policy.
    (later,) = smoke.findings(
        TABLES + members + granted,
        "REVOKE SELECT ON private.members FROM anon",
        only=policy_does_not_plan,
        scope=SCOPE,
    )
    assert later.objects == ("public.notes", "anon")


def test_a_policy_that_asks_for_a_setting_or_calls_a_function_is_not_accused(smoke: Smoke) -> None:
    policies = """
        CREATE FUNCTION private.me() RETURNS text STABLE LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
        CREATE POLICY a ON notes USING (owner = current_setting('app.nobody'));
        CREATE POLICY a ON "Shop"."Orders" USING (id = (current_setting('app.id', true))::int AND "Owner" = private.me());
    """
    assert smoke.findings(TABLES, policies, only=policy_does_not_plan, scope=SCOPE) == ()
    assert smoke.findings(TABLES, policies, only=policy_does_not_plan) == ()


@pytest.mark.parametrize("rule", [policy_without_expression, policy_always_true, policy_calls_per_row])
def test_policies_that_do_nothing_are_not_judged(smoke: Smoke, rule: SmokeTest) -> None:
    policies = """
        ALTER TABLE notes DISABLE ROW LEVEL SECURITY;
        CREATE POLICY a ON notes FOR INSERT;
        CREATE POLICY b ON notes USING (true);
        CREATE POLICY c ON notes USING (owner = current_setting('x'));
    """
    assert smoke.findings(TABLES, policies, only=rule) == ()
