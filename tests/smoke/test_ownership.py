"""Who owns what, and what was lost with an object that was made anew: each defect planted, and its clean twin."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pytest_migsafe.postgres.server import Server
from pytest_migsafe.rehearsal.evidence import ClusterChange
from pytest_migsafe.rehearsal.facts import Scope
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.smoke import ownership
from tests.smoke.conftest import Smoke

BEFORE = """
    CREATE SCHEMA "Shop";
    CREATE TABLE "Shop".t (id int PRIMARY KEY, mail text, "Note" text);
    CREATE VIEW "Shop"."All" AS SELECT * FROM "Shop".t;
    CREATE FUNCTION "Shop".f(a int) RETURNS int LANGUAGE sql AS 'SELECT 1';
    GRANT SELECT, UPDATE ON "Shop"."All" TO "Reader";
    GRANT SELECT ON "Shop"."All" TO writer WITH GRANT OPTION;
    GRANT SELECT (mail) ON "Shop".t TO "Reader";
    REVOKE ALL ON FUNCTION "Shop".f(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION "Shop".f(int) TO writer;
    COMMENT ON VIEW "Shop"."All" IS 'it''s all';
    COMMENT ON COLUMN "Shop"."All".mail IS 'Mail';
"""
VIEW = 'DROP VIEW "Shop"."All"; CREATE VIEW "Shop"."All" AS SELECT id, mail FROM "Shop".t;'


@pytest.fixture(autouse=True)
def _roles(smoke_server: Server) -> Iterator[None]:
    with smoke_server.connect() as connection:
        connection.execute('CREATE ROLE "Reader"; CREATE ROLE writer')
    yield
    with smoke_server.connect() as connection:
        connection.execute('DROP ROLE "Reader"; DROP ROLE writer')


def test_what_was_granted_on_a_view_is_lost_with_it(smoke: Smoke) -> None:
    (finding,) = smoke.findings(BEFORE, VIEW, only=ownership.privileges_lost)

    assert finding.message == 'the view "Shop"."All" was made anew without 2 of its privileges'
    assert finding.remedy.splitlines() == [
        'GRANT SELECT, UPDATE ON "Shop"."All" TO "Reader";',
        'GRANT SELECT ON "Shop"."All" TO writer WITH GRANT OPTION;',
    ]
    assert smoke.findings(BEFORE, VIEW + finding.remedy, only=ownership.privileges_lost) == ()
    kept = 'CREATE OR REPLACE VIEW "Shop"."All" AS SELECT * FROM "Shop".t WHERE true;'
    revoked = 'REVOKE ALL ON "Shop"."All" FROM "Reader", writer;'
    moved = 'ALTER VIEW "Shop"."All" RENAME TO everything; DROP TABLE "Shop".t CASCADE;'
    for clean in (kept, revoked, f"{VIEW}{revoked}", moved):
        assert smoke.findings(BEFORE, clean, only=ownership.privileges_lost) == ()


def test_a_function_that_is_made_anew_can_be_called_by_everybody(smoke: Smoke) -> None:
    anew = 'DROP FUNCTION "Shop".f; CREATE FUNCTION "Shop".f(a int, b int) RETURNS int LANGUAGE sql AS \'SELECT 2\';'
    (finding,) = smoke.findings(BEFORE, anew, only=ownership.privileges_lost)

    assert finding.remedy.splitlines() == [
        'REVOKE EXECUTE ON ROUTINE "Shop".f(integer,integer) FROM PUBLIC;',
        'GRANT EXECUTE ON ROUTINE "Shop".f(integer,integer) TO writer;',
    ]
    assert smoke.findings(BEFORE, anew + finding.remedy, only=ownership.privileges_lost) == ()
    # Another one beside it takes nothing from it.
    beside = anew.partition(";")[2]
    assert smoke.findings(BEFORE, beside, only=ownership.privileges_lost) == ()


def test_what_was_granted_on_a_column_is_lost_with_its_table_or_itself(smoke: Smoke) -> None:
    anew = 'DROP TABLE "Shop".t CASCADE; CREATE TABLE "Shop".t (id int PRIMARY KEY, mail text);'
    (finding,) = smoke.findings(BEFORE, anew, only=ownership.privileges_lost)
    assert finding.remedy == 'GRANT SELECT (mail) ON "Shop".t TO "Reader";'
    # The column is gone for good.
    gone = 'DROP VIEW "Shop"."All"; ALTER TABLE "Shop".t DROP mail'
    assert smoke.findings(BEFORE, gone, only=ownership.privileges_lost) == ()


def test_what_goes_with_a_role_or_an_owner_is_not_lost(smoke: Smoke) -> None:
    given = smoke.evidence(BEFORE, VIEW)
    dropped = tuple(
        ClusterChange(kind="role", name=name, before="LOGIN", after=None) for name in ("Reader", "writer")
    )
    assert judge(replace(given, cluster_changes=dropped), [ownership.privileges_lost], {}) == ()

    to_owner = "CREATE TABLE x (); GRANT SELECT ON x TO writer; ALTER TABLE x OWNER TO writer;"
    assert smoke.findings(to_owner, 'ALTER TABLE x OWNER TO "Reader"', only=ownership.privileges_lost) == ()


GUARDED = """
    CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Doc" (id int PRIMARY KEY, owner name);
    ALTER TABLE "Shop"."Doc" ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
    CREATE POLICY "Own" ON "Shop"."Doc" TO "Reader", writer USING (owner = current_user) WITH CHECK (true);
    CREATE POLICY few ON "Shop"."Doc" AS RESTRICTIVE FOR SELECT USING (id < 100);
    GRANT SELECT ON "Shop"."Doc" TO "Reader";
"""
DOC = """
    CREATE TABLE "Shop".d2 (LIKE "Shop"."Doc" INCLUDING ALL); DROP TABLE "Shop"."Doc";
    ALTER TABLE "Shop".d2 RENAME TO "Doc"; GRANT SELECT ON "Shop"."Doc" TO "Reader";
"""


def test_row_security_is_lost_with_its_table(smoke: Smoke) -> None:
    (finding,) = smoke.findings(GUARDED, DOC)

    assert finding.rule == "row-security-lost"
    assert finding.line == 3
    assert finding.message == (
        'the table "Shop"."Doc" was made anew without its row-level security and 2 of its policies: '
        "who could not reach a row before, can now"
    )
    assert finding.remedy.splitlines() == [
        'ALTER TABLE "Shop"."Doc" ENABLE ROW LEVEL SECURITY;',
        'ALTER TABLE "Shop"."Doc" FORCE ROW LEVEL SECURITY;',
        'CREATE POLICY "Own" ON "Shop"."Doc" FOR ALL TO "Reader", writer USING ((owner = CURRENT_USER)) WITH CHECK (true);',
        'CREATE POLICY few ON "Shop"."Doc" AS RESTRICTIVE FOR SELECT TO PUBLIC USING ((id < 100));',
    ]
    assert smoke.findings(GUARDED, DOC + finding.remedy) == ()
    # Where it is on, a permissive policy may have become another one; a restrictive one is missed.
    enable, force, own, few = finding.remedy.splitlines()
    (finding,) = smoke.findings(GUARDED, DOC + enable + force + own, only=ownership.row_security_lost)
    assert finding.remedy == few
    assert "without 1 of its restrictive policies" in finding.message
    (finding,) = smoke.findings(GUARDED, DOC + enable + own + few, only=ownership.row_security_lost)
    assert finding.remedy == force
    other = own.replace('"Own"', "other")
    assert smoke.findings(GUARDED, DOC + enable + force + few + other, only=ownership.row_security_lost) == ()


def test_row_security_that_a_file_takes_away_by_name_is_not_lost(smoke: Smoke) -> None:
    disable = 'ALTER TABLE "Shop"."Doc" DISABLE ROW LEVEL SECURITY;'
    drop = 'DROP POLICY "Own" ON "Shop"."Doc"; DROP POLICY few ON "Shop"."Doc";'
    added = 'ALTER TABLE "Shop"."Doc" ADD more int;'
    gone = 'DROP TABLE "Shop"."Doc"'
    for clean in (disable + DOC, disable + drop + DOC, drop + DOC, disable, drop, added, gone):
        assert smoke.findings(GUARDED, clean, only=ownership.row_security_lost) == ()
    (finding,) = smoke.findings(GUARDED, drop.partition(";")[0] + ";" + DOC, only=ownership.row_security_lost)
    assert "1 of its policies" in finding.message
    # Off, it hid nothing.
    assert smoke.findings(GUARDED + disable, DOC, only=ownership.row_security_lost) == ()
    # Row-level security without a policy: everything was hidden.
    bare = 'CREATE SCHEMA "Shop"; CREATE TABLE "Shop"."Doc" (id int); ALTER TABLE "Shop"."Doc" ENABLE ROW LEVEL SECURITY;'
    (finding,) = smoke.findings(bare, DOC, only=ownership.row_security_lost)
    assert finding.remedy == 'ALTER TABLE "Shop"."Doc" ENABLE ROW LEVEL SECURITY;'


def test_comments_are_lost_with_what_they_are_on(smoke: Smoke) -> None:
    (finding,) = smoke.findings(BEFORE, VIEW, only=ownership.comment_lost)
    assert finding.remedy.splitlines() == [
        """COMMENT ON COLUMN "Shop"."All".mail IS 'Mail';""",
        """COMMENT ON VIEW "Shop"."All" IS 'it''s all';""",
    ]
    assert smoke.findings(BEFORE, VIEW + finding.remedy, only=ownership.comment_lost) == ()
    assert smoke.findings(BEFORE, 'COMMENT ON VIEW "Shop"."All" IS NULL', only=ownership.comment_lost) == ()


def test_an_owner_is_lost_with_what_was_owned(smoke: Smoke) -> None:
    owned = BEFORE + 'ALTER VIEW "Shop"."All" OWNER TO writer;'
    (finding,) = smoke.findings(owned, VIEW, only=ownership.owner_lost)
    assert finding.remedy == 'ALTER VIEW "Shop"."All" OWNER TO writer;'
    assert smoke.findings(owned, VIEW + finding.remedy, only=ownership.owner_lost) == ()
    assert smoke.findings(owned, 'ALTER VIEW "Shop"."All" OWNER TO "Reader"', only=ownership.owner_lost) == ()


def test_default_privileges_that_are_changed(smoke: Smoke) -> None:
    change = 'ALTER DEFAULT PRIVILEGES IN SCHEMA "Shop" GRANT SELECT ON TABLES TO "Reader"'
    (finding,) = smoke.findings(BEFORE, change, only=ownership.default_privileges_changed)
    assert finding.evidence == ("before: as PostgreSQL has them", "after: SELECT")
    assert smoke.findings(BEFORE, VIEW, only=ownership.default_privileges_changed) == ()


def test_objects_of_another_owner_than_the_setting_names(smoke: Smoke) -> None:
    make = """
        CREATE TYPE "Shop"."Kind" AS ENUM ('a'); CREATE TABLE "Shop".u (id serial, k "Shop"."Kind");
        ALTER TYPE "Shop"."Kind" OWNER TO writer; ALTER SCHEMA "Shop" OWNER TO "Reader";
    """
    scope = Scope(owner="Reader")
    table, kind = smoke.findings(BEFORE, make, only=ownership.owner_differs, scope=scope)
    assert kind.message == 'the type "Shop"."Kind" belongs to writer, not to Reader'
    assert table.remedy == 'ALTER TABLE "Shop".u OWNER TO "Reader";'

    # Without the setting there is nothing to say.
    assert smoke.findings(BEFORE, make, only=ownership.owner_differs) == ()
    given = make + kind.remedy + table.remedy
    assert smoke.findings(BEFORE, given, only=ownership.owner_differs, scope=scope) == ()
