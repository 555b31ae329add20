"""What a file's text does not say of what the database is like after it: each defect planted, and its clean twin."""

from dataclasses import replace

from pytest_migsafe.rehearsal.evidence import ClusterChange
from pytest_migsafe.rules import judge
from pytest_migsafe.rules.smoke import leftovers
from tests.rules.evidence import evidence
from tests.smoke.conftest import Smoke


def test_what_a_file_creates_and_takes_away_again(smoke: Smoke) -> None:
    rolled_back = """
        BEGIN; CREATE TABLE "T" (id int); CREATE VIEW v AS SELECT 1; ROLLBACK;
        BEGIN; CREATE TABLE kept (id int); COMMIT;
    """
    view, table = sorted(
        smoke.findings("", rolled_back, only=leftovers.created_object_missing),
        key=lambda one: one.message,
        reverse=True,
    )
    assert table.message == "the table T is created here, and is not there after the file"
    assert table.evidence == ("line 2: ROLLBACK",)
    assert view.objects == ("v",)

    tried = """
        BEGIN; CREATE TEMPORARY TABLE scratch (id int); SAVEPOINT s; CREATE TABLE t (id int); ROLLBACK TO SAVEPOINT s;
        CREATE TABLE t (id bigint); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; COMMIT;
    """
    assert smoke.findings("", tried, only=leftovers.created_object_missing) == ()


def test_an_object_that_the_file_does_not_name(smoke: Smoke) -> None:
    dynamic = "DO $$ BEGIN EXECUTE 'CREATE TABLE ' || quote_ident('Ev' || 'ents') || ' (id serial PRIMARY KEY)'; END $$"
    (finding,) = smoke.findings("", dynamic, only=leftovers.undeclared_object)
    assert finding.message == 'the table public."Events" is new, and the file does not name it'

    named = 'CREATE TABLE "Events" (id serial PRIMARY KEY); CREATE EXTENSION citext'
    assert smoke.findings("", named, only=leftovers.undeclared_object) == ()


def test_settings_for_later_sessions() -> None:
    change = ClusterChange(kind="setting", name="of role app", before=None, after="search_path=x")
    given = replace(evidence("ALTER ROLE app SET search_path = x"), cluster_changes=(change,))

    (finding,) = leftovers.setting_for_later_sessions(given)
    assert finding.evidence == ("before: none", "after: search_path=x")
    assert not list(leftovers.setting_for_later_sessions(evidence("SET search_path = x")))
    # It is a team's policy.
    assert judge(given, [leftovers.setting_for_later_sessions], {}) == ()
