"""Row-level security that is not in force, locks everybody out, or is bypassed: each defect planted, and its clean twin."""

from pytest_migsafe.findings import Severity
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rules.smoke.row_security import (
    exposed_role_missing,
    exposed_without_row_security,
    policy_without_row_security,
    row_security_bypassed,
    row_security_without_policy,
)
from tests.smoke.conftest import Smoke
from tests.smoke.roles import ROLES, SCOPE

#: Two tables, one of them partitioned, with nothing about row-level security.
TABLES = (
    ROLES
    + """
    CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "Owner" text);
    CREATE TABLE notes (id int, owner text) PARTITION BY LIST (id);
    CREATE TABLE notes_1 PARTITION OF notes FOR VALUES IN (1);
"""
)


def test_policies_without_row_security_are_found_and_with_it_all_is_well(smoke: Smoke) -> None:
    policies = """
        CREATE POLICY own ON "Shop"."Orders" FOR SELECT USING ("Owner" = CURRENT_USER);
        CREATE POLICY "Own Notes" ON notes FOR SELECT USING (owner = CURRENT_USER);
    """
    orders, notes = smoke.findings(TABLES, policies, only=policy_without_row_security)
    assert orders.objects == ('"Shop"."Orders"',)
    assert orders.remedy == 'ALTER TABLE "Shop"."Orders" ENABLE ROW LEVEL SECURITY;'
    assert (orders.line, notes.line, notes.objects) == (2, 3, ("public.notes",))

    assert smoke.findings(TABLES + policies, orders.remedy + notes.remedy) == ()
    (again,) = smoke.findings(
        TABLES + policies + orders.remedy + notes.remedy,
        "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
        only=policy_without_row_security,
    )
    assert again.objects == ("public.notes",)


def test_row_security_without_a_policy_shuts_a_table_that_somebody_is_to_reach(smoke: Smoke) -> None:
    enable = (
        'ALTER TABLE "Shop"."Orders" ENABLE ROW LEVEL SECURITY; ALTER TABLE notes ENABLE ROW LEVEL SECURITY;'
    )
    found = smoke.findings(TABLES, enable, only=row_security_without_policy)
    assert [one.objects for one in found] == [('"Shop"."Orders"',), ("public.notes",)]
    assert {one.severity for one in found} == {Severity.WARNING}

    # Where it is known who is exposed, a table that they cannot reach is shut on purpose.
    granted = TABLES + 'GRANT SELECT (id), DELETE ON notes TO "App User";'
    (finding,) = smoke.findings(granted, enable, only=row_security_without_policy, scope=SCOPE)
    assert finding.objects == ("public.notes",)
    assert "App User may: SELECT, DELETE" in finding.evidence
    assert finding.remedy.endswith('REVOKE ALL ON public.notes FROM PUBLIC, "App User";')

    # A partition is read through its partitioned table, whose policies count.
    whole = enable + (
        """
        CREATE POLICY own ON "Shop"."Orders" USING ("Owner" = CURRENT_USER);
        CREATE POLICY own ON notes USING (owner = CURRENT_USER);
        ALTER TABLE notes_1 ENABLE ROW LEVEL SECURITY;
        """
    )
    assert smoke.findings(granted, whole, scope=SCOPE) == ()


def test_a_table_that_strangers_reach_without_row_security_is_found(smoke: Smoke) -> None:
    tables = """
        CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "Owner" text);
        GRANT SELECT, UPDATE ("Owner") ON "Shop"."Orders" TO "App User";
        CREATE TABLE private.secret (id int);
        GRANT SELECT ON private.secret TO anon;
        CREATE TABLE unreached (id int);
        CREATE TABLE notes (id int, owner text) PARTITION BY LIST (id);
        CREATE TABLE notes_1 PARTITION OF notes FOR VALUES IN (1);
        ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON notes USING (owner = CURRENT_USER);
        GRANT SELECT ON notes, notes_1 TO PUBLIC;
    """
    orders, partition = smoke.findings(ROLES, tables, only=exposed_without_row_security, scope=SCOPE)
    assert '"App User" can SELECT, UPDATE any row of "Shop"."Orders"' in orders.message
    assert "anon may" not in " ".join(orders.evidence)
    assert "past the policies of public.notes, whose partition it is" in partition.message
    assert partition.objects == ("public.notes_1", "public.notes")

    mend = 'ALTER TABLE "Shop"."Orders" ENABLE ROW LEVEL SECURITY; REVOKE ALL ON notes_1 FROM PUBLIC;'
    assert smoke.findings(ROLES, tables + mend, only=exposed_without_row_security, scope=SCOPE) == ()
    assert smoke.findings(ROLES, tables, only=exposed_without_row_security) == ()


def test_a_table_is_exposed_by_what_is_granted_elsewhere_too(smoke: Smoke) -> None:
    closed = ROLES + (
        """
        REVOKE USAGE ON SCHEMA "Shop" FROM PUBLIC;
        CREATE TABLE "Shop"."Orders" (id int); GRANT SELECT ON "Shop"."Orders" TO anon;
        CREATE TABLE "Shop"."Lines" (id int); GRANT SELECT ON "Shop"."Lines" TO clerk;
        """
    )
    for file, table in (
        ('GRANT USAGE ON SCHEMA "Shop" TO anon', '"Shop"."Orders"'),
        ('GRANT USAGE ON SCHEMA "Shop" TO clerk; GRANT clerk TO "App User"', '"Shop"."Lines"'),
    ):
        (finding,) = smoke.findings(closed, file + ";", only=exposed_without_row_security, scope=SCOPE)
        assert finding.objects == (table,)
        smoke.evidence("", 'REVOKE clerk FROM "App User"')


def test_an_exposed_role_above_the_policies_is_found(smoke: Smoke) -> None:
    table = """
        CREATE TABLE "Shop"."Orders" (id int, owner text);
        ALTER TABLE "Shop"."Orders" ENABLE ROW LEVEL SECURITY;
        CREATE POLICY own ON "Shop"."Orders" USING (owner = CURRENT_USER);
        GRANT SELECT ON "Shop"."Orders" TO anon;
    """
    owned = table + 'ALTER TABLE "Shop"."Orders" OWNER TO "App User";'
    (finding,) = smoke.findings(ROLES, owned, only=row_security_bypassed, scope=SCOPE)
    assert 'the exposed role "App User", which owns it' in finding.message
    assert finding.remedy == 'ALTER TABLE "Shop"."Orders" FORCE ROW LEVEL SECURITY;'
    assert smoke.findings(ROLES, owned + finding.remedy, only=row_security_bypassed, scope=SCOPE) == ()

    by_member = table + 'ALTER TABLE "Shop"."Orders" OWNER TO "Shop Owner";'
    assert smoke.findings(ROLES, by_member, scope=SCOPE) == ()
    try:
        (finding,) = smoke.findings(
            ROLES + by_member, 'GRANT "Shop Owner" TO anon', only=row_security_bypassed, scope=SCOPE
        )
        assert 'has the privileges of its owner "Shop Owner"' in finding.message
        (finding,) = smoke.findings(
            ROLES, "ALTER ROLE anon BYPASSRLS", only=row_security_bypassed, scope=SCOPE
        )
        assert finding.remedy == "ALTER ROLE anon NOBYPASSRLS;"
    finally:
        smoke.evidence("", 'ALTER ROLE anon NOBYPASSRLS; REVOKE "Shop Owner" FROM anon')


def test_an_exposed_role_that_is_gone_is_said(smoke: Smoke) -> None:
    scope = Scope(exposed_roles=("passer_by",))
    (finding,) = smoke.findings(
        "CREATE ROLE passer_by", "DROP ROLE passer_by", only=exposed_role_missing, scope=scope
    )
    assert finding.objects == ("passer_by",)
    # A table of which nothing can be said without it is no error.
    assert smoke.findings("", "CREATE TABLE t (id int PRIMARY KEY)", scope=scope) == ()
