"""What everybody may do, and tables that are granted otherwise than their siblings: planted, and clean twins."""

from pytest_migsafe.rules.smoke.privileges import privileges_unlike_siblings, public_has_privilege
from tests.smoke.conftest import Smoke
from tests.smoke.roles import ROLES

OBJECTS = (
    ROLES
    + """
    CREATE TABLE "Shop"."Orders" (id int PRIMARY KEY, "No.te" text);
    CREATE TABLE parts (id int) PARTITION BY LIST (id);
    CREATE SEQUENCE "Shop".numbers;
"""
)


def test_what_everybody_gains_is_found(smoke: Smoke) -> None:
    grants = """
        GRANT SELECT, UPDATE ON parts TO PUBLIC;
        GRANT SELECT ("No.te") ON "Shop"."Orders" TO PUBLIC;
        GRANT USAGE ON SEQUENCE "Shop".numbers TO PUBLIC;
        GRANT CREATE ON SCHEMA "Shop" TO PUBLIC;
        ALTER DEFAULT PRIVILEGES IN SCHEMA "Shop" GRANT SELECT ON TABLES TO PUBLIC;
        GRANT SELECT ON parts TO clerk;
        CREATE FUNCTION "Shop".f() RETURNS int LANGUAGE sql AS 'SELECT 1';
        CREATE SCHEMA usable; GRANT USAGE ON SCHEMA usable TO PUBLIC;
    """
    found = smoke.findings(OBJECTS, grants, only=public_has_privilege)
    assert [(one.line, one.remedy) for one in found] == [
        (2, "REVOKE SELECT, UPDATE ON public.parts FROM PUBLIC;"),
        (3, 'REVOKE SELECT ("No.te") ON "Shop"."Orders" FROM PUBLIC;'),
        (4, 'REVOKE USAGE ON SEQUENCE "Shop".numbers FROM PUBLIC;'),
        # The last that says PUBLIC and the schema's name.
        (6, 'REVOKE CREATE ON SCHEMA "Shop" FROM PUBLIC;'),
        (6, found[4].remedy),
    ]
    assert found[4].remedy.startswith("ALTER DEFAULT PRIVILEGES FOR ROLE ")
    assert found[4].remedy.endswith(' IN SCHEMA "Shop" REVOKE SELECT ON TABLES FROM PUBLIC;')

    mended = grants + "".join(one.remedy for one in found)
    assert smoke.findings(OBJECTS, mended) == ()
    # One privilege more than before is new, what was there is not.
    (more,) = smoke.findings(OBJECTS + grants, "GRANT DELETE ON parts TO PUBLIC", only=public_has_privilege)
    assert "DELETE" in more.message


def test_a_table_granted_otherwise_than_its_siblings_is_found_on_request(smoke: Smoke) -> None:
    siblings = "".join(
        f"""CREATE TABLE "Shop"."T{number}" (id int); GRANT SELECT, INSERT ON "Shop"."T{number}" TO clerk;"""
        for number in range(4)
    )
    forgotten = """CREATE TABLE "Shop"."New" (id int); GRANT INSERT, DELETE ON "Shop"."New" TO clerk;"""
    (finding,) = smoke.findings(ROLES + siblings, forgotten, only=privileges_unlike_siblings)
    assert 'clerk lacks SELECT and has DELETE on "Shop"."New"' in finding.message
    assert smoke.findings(ROLES + siblings, forgotten + finding.remedy, only=privileges_unlike_siblings) == ()
